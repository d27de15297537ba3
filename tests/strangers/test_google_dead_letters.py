"""google-cloud-pubsub with a dead-letter policy: attempts are counted for the callback, and what fails too often goes to the other topic."""

from collections.abc import Callable
from typing import Any

from google.cloud import pubsub_v1

LIMIT_S = 20.0


def test_a_message_that_fails_five_times_is_forwarded(
    publisher: pubsub_v1.PublisherClient,
    subscriber: pubsub_v1.SubscriberClient,
    topic: str,
    project: str,
    stream: Callable[..., Any],
) -> None:
    graveyard, buried = f"projects/{project}/topics/graveyard", f"projects/{project}/subscriptions/buried"
    publisher.create_topic(name=graveyard)
    subscriber.create_subscription(name=buried, topic=graveyard)
    work = f"projects/{project}/subscriptions/work"
    policy = {"dead_letter_topic": graveyard, "max_delivery_attempts": 5}
    subscriber.create_subscription(request={"name": work, "topic": topic, "dead_letter_policy": policy})

    inbox = stream(work)
    publisher.publish(topic, b"poison", kind="order").result(timeout=LIMIT_S)
    attempts = []
    for _ in range(5):
        message = inbox.take()
        attempts.append(message.delivery_attempt)
        message.nack()
    assert attempts == [1, 2, 3, 4, 5]

    dead = stream(buried).take()
    dead.ack()
    assert dead.data == b"poison"
    assert dead.attributes["kind"] == "order"
    assert dead.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "5"
    assert dead.attributes["CloudPubSubDeadLetterSourceSubscription"] == "work"
    assert dead.attributes["CloudPubSubDeadLetterSourceSubscriptionProject"] == project
    assert "CloudPubSubDeadLetterSourceTopicPublishTime" in dead.attributes
    assert inbox.empty()


def test_without_a_policy_there_is_no_delivery_attempt(
    publisher: pubsub_v1.PublisherClient, topic: str, subscription: str, stream: Callable[..., Any]
) -> None:
    inbox = stream(subscription)
    publisher.publish(topic, b"plain").result(timeout=LIMIT_S)
    message = inbox.take()
    message.ack()
    assert message.delivery_attempt is None
