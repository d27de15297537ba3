"""A hundred thousand messages through trouble: none is lost, none is left, nothing grows."""

import asyncio
import itertools
import logging
import os
import random
from collections import Counter
from collections.abc import Iterator

import pytest

from publican.aio import FlowControl, Publisher, Subscriber, SubscriberMessage
from publican.clock import MILLISECOND, Nanos
from publican_emulator import Emulator
from publican_emulator.broker.broker import Broker
from publican_emulator.broker.peek import peek
from publican_emulator.broker.settings import SubscriptionSettings, TopicSettings
from tests.client.world import SUBSCRIPTION, TOPIC, World


@pytest.fixture
def errors(caplog: pytest.LogCaptureFixture) -> Iterator[list[logging.LogRecord]]:
    """Give what asyncio says of tasks and callbacks that nobody has looked after."""
    found: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record)

    keeper = Keep(logging.ERROR)
    logging.getLogger("asyncio").addHandler(keeper)
    with caplog.at_level(logging.CRITICAL, logger="publican"):
        yield found
    logging.getLogger("asyncio").removeHandler(keeper)


class Sometimes(Exception):
    """What one handler in a hundred raises."""


@pytest.mark.parametrize("count", [3_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_in_virtual_time(count: int, errors: list[logging.LogRecord]) -> None:
    """Handlers of 0 to 50 ms, one in a hundred raises, the stream is cut every second, the emulator is exchanged twice."""
    chance = random.Random(7)
    seen: Counter[bytes | None] = Counter()
    finished: Counter[bytes | None] = Counter()

    async def test() -> None:
        async with World(history=False) as world:
            world.subscription()
            for first in range(0, count, 1000):
                world.publish(*(b"%d" % number for number in range(first, min(first + 1000, count))))

            async def handler(message: SubscriberMessage) -> None:
                seen[message.data] += 1
                come = asyncio.Event()
                world.clock.call_at(Nanos(world.clock.now() + 10 * MILLISECOND * chance.randrange(6)), come.set)
                await come.wait()
                if chance.random() < 0.01:
                    raise Sometimes
                finished[message.data] += 1

            subscriber = world.subscriber(flow_control=FlowControl(max_messages=count // 400))
            running = asyncio.create_task(subscriber.run(SUBSCRIPTION, handler))
            restarts = {2, 4}
            for second in itertools.count(1):
                for _ in range(10):
                    await world.advance(0.1)
                world.emulator.break_streams()
                if second in restarts:
                    await world.stop_and_start_again(0.5)
                if len(finished) == count and subscriber.stats()[0].running == 0:
                    break
                assert second < 200, f"{count - len(finished)} are missing"
            await world.advance(1)
            engine = subscriber._engines[0]
            assert engine.receiving.outstanding.count == 0
            assert len(engine.receiving.keeper._heap) < 2_100
            assert not engine._results
            assert second > 4
            running.cancel()
            await world.advance(1)
            assert running.cancelled()
            assert left(world.emulator) == 0

    asyncio.run(test())
    assert len(finished) == count
    assert errors == []


def left(emulator: Emulator) -> int:
    """Give how many messages the subscription has yet."""
    return emulator.run(lambda broker, now: len(list(peek(broker.get_subscription(SUBSCRIPTION, now), now))))


@pytest.mark.slow
@pytest.mark.parametrize("transport", ["grpc", "polling"])
def test_in_real_time_over_real_transports(transport: str, errors: list[logging.LogRecord], monkeypatch: pytest.MonkeyPatch) -> None:
    count = 100_000
    chance = random.Random(7)
    finished: Counter[bytes | None] = Counter()
    exchanging = asyncio.Lock()

    async def handler(message: SubscriberMessage) -> None:
        await asyncio.sleep(chance.random() * 0.05)
        if chance.random() < 0.01:
            raise Sometimes
        finished[message.data] += 1

    async def trouble(emulators: list[Emulator]) -> None:
        for second in itertools.count(1):
            await asyncio.sleep(1)
            emulator = emulators[-1]
            await asyncio.to_thread(emulator.break_streams)
            if second in {2, 4}:
                async with exchanging:
                    state = await asyncio.to_thread(emulator.dump_state)
                    await asyncio.to_thread(emulator.__exit__, None, None, None)
                    emulators.append(Emulator(port=emulator.port))
                    await asyncio.to_thread(emulators[-1].__enter__)
                    await asyncio.to_thread(emulators[-1].load_state, state)

    async def are_left(emulators: list[Emulator]) -> bool:
        async with exchanging:
            return await asyncio.to_thread(left, emulators[-1]) > 0

    async def test(emulators: list[Emulator]) -> None:
        async with Publisher(max_messages=1000, transport=transport) as publisher:  # type: ignore[arg-type]
            for number in range(count):
                await publisher.submit(TOPIC, b"%d" % number)
        limits = FlowControl(max_duration_per_lease_extension=10)  # acks between dump and stop are lost: their messages come again that soon
        async with Subscriber(flow_control=limits, transport=transport) as subscriber:  # type: ignore[arg-type]
            troubling = asyncio.create_task(trouble(emulators))
            running = asyncio.create_task(subscriber.run(SUBSCRIPTION, handler))
            async with asyncio.timeout(300):
                while len(finished) < count or await are_left(emulators):  # noqa: ASYNC110  (real time is what this is about)
                    await asyncio.sleep(0.5)
            troubling.cancel()
            await subscriber.close()
            await running

    emulators = [Emulator().__enter__()]
    try:
        monkeypatch.setitem(os.environ, "PUBSUB_EMULATOR_HOST", emulators[0].address)
        emulators[0].run(Broker.create_topic, TOPIC, TopicSettings())
        emulators[0].run(Broker.create_subscription, SUBSCRIPTION, TOPIC, SubscriptionSettings())
        asyncio.run(test(emulators))
        assert left(emulators[-1]) == 0
        assert emulators[-1].surprises == []
    finally:
        emulators[-1].__exit__(None, None, None)
    assert len(finished) == count
    assert errors == []
