"""Our client beside google-cloud-pubsub's on one server: what one publishes the other receives, key by key, with traces and attempts."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from google.cloud import pubsub_v1

from publican.aio import Publisher as AioPublisher
from publican.aio import PublisherClient, PubsubMessage, Subscriber, SubscriberMessage
from publican.rest import Publisher
from tests.strangers.conftest import LIMIT_S, Inbox


@pytest.fixture(autouse=True)
def _the_last_pull_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("publican.transport.polling.CLOSE_WAIT_S", 0.05)


@pytest.mark.parametrize("transport", ["grpc", "polling"])
def test_googles_subscriber_receives_what_ours_publishes(transport: Any, subscription: str, topic: str, stream: Callable[..., Inbox]) -> None:
    with Publisher(transport=transport) as publisher:
        ids = [publisher.submit(topic, b"%d" % n, colour="grün") for n in range(20)]
        inbox = stream(subscription)
        received = [inbox.take() for _ in range(20)]
        for message in received:
            message.ack()
        assert {message.message_id for message in received} == {each.result(LIMIT_S) for each in ids}
        assert {message.data for message in received} == {b"%d" % n for n in range(20)}
        assert {message.attributes["colour"] for message in received} == {"grün"}


@pytest.mark.parametrize("transport", ["grpc", "polling"])
def test_ours_receives_what_googles_publisher_sends(transport: Any, publisher: pubsub_v1.PublisherClient, subscription: str, topic: str) -> None:
    futures = [publisher.publish(topic, b"%d" % n, colour="grün") for n in range(20)]
    ids = {future.result(LIMIT_S) for future in futures}

    async def story() -> list[SubscriberMessage]:
        taken = []
        async with asyncio.timeout(LIMIT_S), Subscriber(transport=transport) as subscriber, subscriber.stream(subscription) as messages:
            async for message in messages:
                taken.append(message)
                message.ack()
                if len(taken) == 20:
                    return taken
        raise AssertionError("the stream has ended")

    taken = asyncio.run(story())
    assert {message.message_id for message in taken} == ids
    assert {message.attributes["colour"] for message in taken if message.attributes} == {"grün"}


@pytest.fixture
def ordered(subscriber: pubsub_v1.SubscriberClient, project: str, topic: str) -> str:
    name = f"projects/{project}/subscriptions/ordered"
    subscriber.create_subscription(request={"name": name, "topic": topic, "enable_message_ordering": True})
    return name


def assert_in_order(received: list[tuple[str, int]]) -> None:
    for key in "abc":
        numbers = [number for other, number in received if other == key]
        assert numbers == sorted(numbers)
        assert len(numbers) == 10


def test_googles_subscriber_gets_our_keys_in_order(ordered: str, topic: str, stream: Callable[..., Inbox]) -> None:
    async def publish() -> None:
        async with AioPublisher(ordering=True) as ours:
            for n in range(30):
                await ours.submit(topic, b"%d" % n, ordering_key="abc"[n % 3])

    asyncio.run(publish())
    inbox = stream(ordered)
    received = []
    for _ in range(30):
        message = inbox.take()
        received.append((message.ordering_key, int(message.data)))
        message.ack()
    assert_in_order(received)


def test_we_get_googles_keys_in_order(ordered: str, topic: str, environment: str) -> None:
    options = pubsub_v1.types.PublisherOptions(enable_message_ordering=True)
    with pubsub_v1.PublisherClient(publisher_options=options) as theirs:
        futures = [theirs.publish(topic, b"%d" % n, ordering_key="abc"[n % 3]) for n in range(30)]
        assert len({future.result(LIMIT_S) for future in futures}) == 30
    received: list[tuple[str, int]] = []

    async def story() -> None:
        async with asyncio.timeout(LIMIT_S), Subscriber() as subscriber, subscriber.stream(ordered) as messages:
            async for message in messages:
                received.append((message.ordering_key, int(message.data or b"")))
                message.ack()
                if len(received) == 30:
                    return

    asyncio.run(story())
    assert_in_order(received)


def test_the_dialects_talk_to_googles(
    publisher: pubsub_v1.PublisherClient, subscriber: pubsub_v1.SubscriberClient, subscription: str, topic: str
) -> None:
    async def publish() -> None:
        async with PublisherClient() as ours:
            await ours.publish(topic, [PubsubMessage(b"\xfb\xff", kind="new")])

    asyncio.run(publish())
    [received] = subscriber.pull(subscription=subscription, max_messages=10).received_messages
    assert (received.message.data, dict(received.message.attributes)) == (b"\xfb\xff", {"kind": "new"})
    subscriber.acknowledge(subscription=subscription, ack_ids=[received.ack_id])


def test_a_compressed_request_is_taken(topic: str, subscription: str, stream: Callable[..., Inbox]) -> None:
    with Publisher(transport="grpc", compress_above=240) as ours:
        ours.publish(topic, b"x" * 10_000)
    assert stream(subscription).take_and_ack(1) == [b"x" * 10_000]
