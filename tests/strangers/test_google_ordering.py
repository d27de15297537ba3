"""google-cloud-pubsub with ordering keys: the publisher keeps a key's order, the subscriber sees it, a failed key pauses until resumed."""

import queue
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import pubsub_v1
from google.cloud.pubsub_v1.publisher.exceptions import PublishToPausedOrderingKeyException

LIMIT_S = 20.0
KEYS = [f"customer-{number}" for number in range(5)]


@pytest.fixture
def ordered_publisher(environment: str) -> Iterator[pubsub_v1.PublisherClient]:
    """Give a publisher with ordering switched on, whose batches are small enough for several per key."""
    client = pubsub_v1.PublisherClient(pubsub_v1.types.BatchSettings(max_messages=7), pubsub_v1.types.PublisherOptions(enable_message_ordering=True))
    yield client
    client.stop()
    client.transport.close()


@pytest.fixture
def ordered_subscription(subscriber: pubsub_v1.SubscriberClient, topic: str, project: str) -> str:
    """Create a subscription with message ordering."""
    name = f"projects/{project}/subscriptions/ordered"
    subscriber.create_subscription(request={"name": name, "topic": topic, "enable_message_ordering": True})
    return name


def test_each_key_arrives_in_order(
    ordered_publisher: pubsub_v1.PublisherClient, topic: str, ordered_subscription: str, stream: Callable[..., Any]
) -> None:
    inbox = stream(ordered_subscription)
    futures = [ordered_publisher.publish(topic, str(number).encode(), ordering_key=key) for number in range(40) for key in KEYS]
    for future in futures:
        future.result(timeout=LIMIT_S)
    seen: dict[str, list[int]] = {key: [] for key in KEYS}
    for _ in range(40 * len(KEYS)):
        message = inbox.take()
        seen[message.ordering_key].append(int(message.data))
        message.ack()
    assert seen == {key: list(range(40)) for key in KEYS}


def test_a_nack_brings_its_message_back_before_the_later_ones_of_its_key(
    ordered_publisher: pubsub_v1.PublisherClient, topic: str, ordered_subscription: str, stream: Callable[..., Any]
) -> None:
    for number in range(10):
        ordered_publisher.publish(topic, str(number).encode(), ordering_key=KEYS[0]).result(timeout=LIMIT_S)
    acked = queue.SimpleQueue[int]()
    nacked: list[int] = []

    def refuse_3_once(message: Any) -> None:
        number = int(message.data)
        if number == 3 and not nacked:
            nacked.append(number)
            message.nack()
        else:
            acked.put(number)
            message.ack()

    stream(ordered_subscription, callback=refuse_3_once)
    order: list[int] = []
    while set(order) != set(range(10)):
        order.append(acked.get(timeout=LIMIT_S))
    assert nacked == [3]
    # Later ones may have been acknowledged before the nack arrived; what comes after the second 3 keeps its order.
    back = order.index(3)
    assert order[:3] == [0, 1, 2]
    assert order[back:] == sorted(order[back:])


def test_a_failed_key_is_paused_until_it_is_resumed(
    ordered_publisher: pubsub_v1.PublisherClient, topic: str, ordered_subscription: str, stream: Callable[..., Any]
) -> None:
    inbox = stream(ordered_subscription)
    key = KEYS[0]
    too_long = {"k" * 300: "an attribute's key has at most 256 bytes"}
    with pytest.raises(exceptions.InvalidArgument):
        ordered_publisher.publish(topic, b"refused", ordering_key=key, **too_long).result(timeout=LIMIT_S)
    with pytest.raises(PublishToPausedOrderingKeyException):
        ordered_publisher.publish(topic, b"paused", ordering_key=key).result(timeout=LIMIT_S)
    ordered_publisher.publish(topic, b"another key goes on", ordering_key=KEYS[1]).result(timeout=LIMIT_S)
    assert inbox.take_and_ack(1) == [b"another key goes on"]
    ordered_publisher.resume_publish(topic, key)
    ordered_publisher.publish(topic, b"resumed", ordering_key=key).result(timeout=LIMIT_S)
    assert inbox.take_and_ack(1) == [b"resumed"]
