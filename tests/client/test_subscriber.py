"""A subscriber against the emulator, in virtual time."""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from typing import Any

import pytest

from publican.errors import NotFound
from publican.flow import FlowControl
from publican.message import SubscriberMessage
from tests.client.world import SUBSCRIPTION, World


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


def test_a_handler_that_returns_acks_and_one_that_raises_nacks(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription()
            world.publish(b"good", b"bad", b"late")
            seen: list[bytes | None] = []

            async def handler(message: SubscriberMessage) -> None:
                seen.append(message.data)
                if message.data == b"bad" and seen.count(b"bad") == 1:
                    raise RuntimeError("not this time")

            async with world.subscriber() as subscriber:
                running = asyncio.create_task(subscriber.run(SUBSCRIPTION, handler))
                await world.advance(1)
                assert sorted(filter(None, seen)) == [b"bad", b"bad", b"good", b"late"]
                await subscriber.close()
                assert (await running).nacked == 0
            assert world.history().count(" acked ") == 3
            assert world.history().count("nacked") == 1
        assert "the handler raised for message 2, which is nacked" in caplog.text
        assert "not this time" in caplog.text

    with caplog.at_level(logging.ERROR):
        run(test())


def test_a_ten_second_lease_outlives_a_handler_of_45_seconds() -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription(ack_deadline_s=10)
            world.publish(b"slow")
            seen = 0
            done = asyncio.Event()

            async def handler(message: SubscriberMessage) -> None:
                nonlocal seen
                seen += 1
                await done.wait()

            async with world.subscriber(flow_control=FlowControl(max_duration_per_lease_extension=10)) as subscriber:
                running = asyncio.create_task(subscriber.run(SUBSCRIPTION, handler))
                await world.advance(45)
                done.set()
                await world.advance(1)
                assert seen == 1
                assert "expired" not in world.history()
                assert len(world.transport.of("ModifyAckDeadline")) >= 6
                running.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await running

    run(test())


def test_a_subscription_that_is_not_there_ends_the_iteration_with_the_error() -> None:
    async def test() -> None:
        async with World() as world, world.subscriber() as subscriber:
            with pytest.raises(NotFound, match="billing"):
                async for _ in subscriber.stream(SUBSCRIPTION):
                    pass
            with pytest.raises(NotFound, match="billing"):
                await subscriber.run(SUBSCRIPTION, print)

    run(test())


def test_after_a_break_nothing_is_handed_out_and_what_was_taken_is_nacked() -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription()
            world.publish(b"1", b"2", b"3")
            async with world.subscriber() as subscriber:
                stream = subscriber.stream(SUBSCRIPTION)
                resting = asyncio.create_task(world.rest())
                async for _ in stream:
                    break
                await resting
            await world.rest()
            assert world.history().count("nacked") == 3
            assert " acked " not in world.history()

    run(test())


def test_a_message_says_when_its_ack_has_been_taken() -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription(enable_exactly_once_delivery=True)
            world.publish(b"1")
            async with world.subscriber() as subscriber:
                resting = asyncio.create_task(world.advance(1))
                async for message in subscriber.stream(SUBSCRIPTION):
                    result = asyncio.create_task(message.ack_with_result())
                    await resting
                    await world.advance(1)
                    assert (await result).value == "success"
                    break

    run(test())
