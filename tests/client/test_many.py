"""Two hundred subscriptions in one process: no thread for any of them, and next to nothing while nothing comes."""

import asyncio
import pathlib
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from publican.aio import Api, Publisher, Subscriber, SubscriberMessage
from publican_protocol import pubsub

COUNT = 200
IDLE_S = 4.0


@pytest.fixture
def address() -> Iterator[str]:
    command = [sys.executable, "-m", "publican_emulator", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as serving:
        assert serving.stdout is not None
        found = None
        while found is None:
            line = serving.stdout.readline()
            assert line, "the emulator has ended"
            found = re.search(r"PUBSUB_EMULATOR_HOST=(\S+)", line)
        yield found[1]
        serving.terminate()


def threads() -> int:
    return len(list(pathlib.Path("/proc/self/task").iterdir()))


@pytest.mark.slow  # in real time, by its nature
@pytest.mark.parametrize("transport", ["grpc", "polling"])
def test_two_hundred_subscriptions_have_no_thread_each_and_idle_at_less_than_a_hundredth_of_a_core(
    address: str, transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", address)
    topic = "projects/p/topics/many"
    names = [f"projects/p/subscriptions/many-{number}" for number in range(COUNT)]

    async def test() -> None:
        seen: set[tuple[str, bytes | None]] = set()
        async with Api() as api, Publisher(transport=transport) as publisher, Subscriber(transport=transport, close_timeout=1) as subscriber:  # type: ignore[arg-type]
            await api.create_topic(pubsub.Topic(name=topic))
            await asyncio.gather(*(api.create_subscription(pubsub.Subscription(name=name, topic=topic)) for name in names))

            def run(name: str) -> "asyncio.Task[object]":
                async def handler(message: SubscriberMessage) -> None:
                    seen.add((name, message.data))

                return asyncio.create_task(subscriber.run(name, handler))

            first = run(names[0])
            await publisher.publish(topic, b"one")
            await until(lambda: len(seen) == 1)
            before = threads()
            others = [run(name) for name in names[1:]]
            await until(lambda: len(seen) == COUNT)
            assert threads() <= before + 4, "a pool may have grown, but not with the subscriptions"
            await asyncio.sleep(1)
            began, cpu = time.perf_counter(), time.process_time()
            await asyncio.sleep(IDLE_S)
            share = (time.process_time() - cpu) / (time.perf_counter() - began)
            assert share < 0.01, f"{share:.2%} of a core"
            await publisher.publish(topic, b"two")
            await until(lambda: len(seen) == 2 * COUNT)
            await subscriber.close()
            await asyncio.gather(first, *others)

    asyncio.run(test())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  (real time is what this is about)
            await asyncio.sleep(0.05)
