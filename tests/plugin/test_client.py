"""`pubsub_client`: Publican's own clients, in the test's time."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from publican.aio import FlowControl, SubscriberMessage
from publican_emulator.testing.handle import Pubsub
from publican_emulator.testing.names import Subscription, Topic
from pytest_publican.client import PubsubClient

TRANSPORTS = pytest.mark.parametrize("transport", ["grpc", "polling"])


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


@TRANSPORTS
def test_a_published_message_is_received_and_acked(
    pubsub: Pubsub, pubsub_client: PubsubClient, pubsub_topic: Topic, pubsub_subscription: Subscription, transport: str
) -> None:
    async def test() -> None:
        async with pubsub_client.publisher(transport=transport) as publisher, pubsub_client.subscriber(transport=transport) as subscriber:
            message_id = await publisher.publish(pubsub_topic, b"hello", kind="new")
            async with subscriber.stream(pubsub_subscription) as stream:
                message = await anext(stream)
                assert (message.message_id, message.data, message.attributes) == (message_id, b"hello", {"kind": "new"})
                await message.ack_with_result()
        assert pubsub.messages[0].state == "acked"

    run(test())


@TRANSPORTS
def test_its_leases_live_in_the_test_s_time(
    pubsub: Pubsub, pubsub_client: PubsubClient, pubsub_topic: Topic, pubsub_subscription: Subscription, transport: str
) -> None:
    """A handler of an hour, on leases of 10 s: one delivery."""

    async def test() -> None:
        finish, seen = asyncio.Event(), 0

        async def handler(message: SubscriberMessage) -> None:
            nonlocal seen
            seen += 1
            await finish.wait()

        pubsub.publish(pubsub_topic, b"slow")
        limits = FlowControl(max_duration_per_lease_extension=10, max_lease_duration=7200)
        async with pubsub_client.subscriber(transport=transport, flow_control=limits) as subscriber:
            running = asyncio.create_task(subscriber.run(pubsub_subscription, handler))
            for _ in range(6):
                await pubsub.aio.advance(60)
            assert seen == 1
            assert [event.kind for event in pubsub.events].count("modack") >= 50
            assert "expired" not in [event.kind for event in pubsub.events]
            finish.set()
            await pubsub.aio.advance(1)
            assert pubsub.messages[0].state == "acked"
            await subscriber.close(0)
            await running

    run(test())


def test_its_retries_come_when_the_test_s_time_has_come_to_them(pubsub: Pubsub, pubsub_client: PubsubClient, pubsub_topic: Topic) -> None:
    async def test() -> None:
        pubsub.fail("Publish", "UNAVAILABLE", times=3)
        async with pubsub_client.publisher() as publisher:
            future = await publisher.submit(pubsub_topic, b"x")
            await pubsub.aio.advance(0.001)
            await pubsub.aio.advance(60)
            assert future.done()

    run(test())


def test_moving_the_time_while_the_client_s_loop_is_blocked_says_what_to_do(
    pubsub: Pubsub, pubsub_client: PubsubClient, pubsub_topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_publican.client_clock.LOOP_S", 0.05)

    async def test() -> None:
        async with pubsub_client.publisher(max_latency=5) as publisher:
            future = await publisher.submit(pubsub_topic, b"x")
            with pytest.raises(Exception, match=r"await pubsub\.aio\.advance"):
                pubsub.advance(10)
            await pubsub.aio.advance(10)
            await future

    run(test())
