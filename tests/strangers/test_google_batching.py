"""google-cloud-pubsub's batching publisher: many messages in few requests, each with its own id."""

from collections.abc import Callable
from typing import Any

from google.cloud import pubsub_v1

LIMIT_S = 20.0


def test_a_batch_leaves_when_it_is_full(
    environment: str, publisher: pubsub_v1.PublisherClient, topic: str, subscription: str, stream: Callable[..., Any]
) -> None:
    inbox = stream(subscription)
    batching = pubsub_v1.PublisherClient(pubsub_v1.types.BatchSettings(max_messages=50, max_latency=3_600))
    expected = [f"message {number}".encode() for number in range(500)]
    futures = [batching.publish(topic, data) for data in expected]
    ids = [future.result(timeout=LIMIT_S) for future in futures[:450]]  # nothing but a full batch has sent them
    batching.stop()
    ids += [future.result(timeout=LIMIT_S) for future in futures[450:]]
    batching.transport.close()
    assert len(set(ids)) == 500
    assert sorted(inbox.take_and_ack(500)) == sorted(expected)


def test_a_batch_leaves_when_the_publisher_stops(environment: str, topic: str, subscription: str, stream: Callable[..., Any]) -> None:
    inbox = stream(subscription)
    batching = pubsub_v1.PublisherClient(pubsub_v1.types.BatchSettings(max_messages=1_000, max_latency=3_600))
    future = batching.publish(topic, b"the last one")
    batching.stop()
    assert future.result(timeout=LIMIT_S)
    batching.transport.close()
    assert inbox.take_and_ack(1) == [b"the last one"]


def test_every_subscription_gets_every_message(
    publisher: pubsub_v1.PublisherClient,
    subscriber: pubsub_v1.SubscriberClient,
    topic: str,
    project: str,
    stream: Callable[..., Any],
) -> None:
    inboxes = []
    for number in range(5):
        name = f"projects/{project}/subscriptions/copy-{number}"
        subscriber.create_subscription(name=name, topic=topic)
        inboxes.append(stream(name))
    expected = sorted(f"message {number}".encode() for number in range(100))
    for future in [publisher.publish(topic, data) for data in expected]:
        future.result(timeout=LIMIT_S)
    for inbox in inboxes:
        assert sorted(inbox.take_and_ack(100)) == expected
