"""google-cloud-pubsub with exactly-once delivery: `ack_with_response` tells whether the service took the ack."""

from collections.abc import Callable
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import pubsub_v1
from google.cloud.pubsub_v1.subscriber.exceptions import AcknowledgeError, AcknowledgeStatus

LIMIT_S = 20.0


@pytest.fixture
def exactly_once(subscriber: pubsub_v1.SubscriberClient, topic: str, project: str) -> str:
    """Create a subscription with exactly-once delivery."""
    name = f"projects/{project}/subscriptions/exactly-once"
    subscriber.create_subscription(request={"name": name, "topic": topic, "enable_exactly_once_delivery": True})
    return name


def test_an_ack_is_confirmed(publisher: pubsub_v1.PublisherClient, topic: str, exactly_once: str, stream: Callable[..., Any]) -> None:
    inbox = stream(exactly_once)
    for number in range(20):
        publisher.publish(topic, str(number).encode()).result(timeout=LIMIT_S)
    messages = [inbox.take() for _ in range(20)]
    confirmations = [message.ack_with_response() for message in messages]
    assert {confirmation.result(timeout=LIMIT_S) for confirmation in confirmations} == {AcknowledgeStatus.SUCCESS}
    assert sorted(int(message.data) for message in messages) == list(range(20))


def test_a_nack_is_confirmed_and_the_message_comes_back(
    publisher: pubsub_v1.PublisherClient, topic: str, exactly_once: str, stream: Callable[..., Any]
) -> None:
    inbox = stream(exactly_once)
    publisher.publish(topic, b"again").result(timeout=LIMIT_S)
    first = inbox.take()
    assert first.nack_with_response().result(timeout=LIMIT_S) is AcknowledgeStatus.SUCCESS
    second = inbox.take()
    assert (second.message_id, second.ack_id == first.ack_id) == (first.message_id, False)
    assert second.ack_with_response().result(timeout=LIMIT_S) is AcknowledgeStatus.SUCCESS


def test_an_ack_of_an_old_delivery_is_refused(
    publisher: pubsub_v1.PublisherClient,
    subscriber: pubsub_v1.SubscriberClient,
    topic: str,
    exactly_once: str,
    stream: Callable[..., Any],
) -> None:
    inbox = stream(exactly_once)
    publisher.publish(topic, b"mine or theirs").result(timeout=LIMIT_S)
    first = inbox.take()
    # Somebody else gives it back, so that the first delivery is over without its client's knowledge.
    subscriber.modify_ack_deadline(subscription=exactly_once, ack_ids=[first.ack_id], ack_deadline_seconds=0)
    second = inbox.take()
    with pytest.raises(AcknowledgeError) as refused:
        first.ack_with_response().result(timeout=LIMIT_S)
    assert refused.value.error_code is AcknowledgeStatus.INVALID_ACK_ID
    assert second.ack_with_response().result(timeout=LIMIT_S) is AcknowledgeStatus.SUCCESS


def test_a_unary_ack_names_what_failed_and_takes_the_rest(
    publisher: pubsub_v1.PublisherClient, subscriber: pubsub_v1.SubscriberClient, topic: str, exactly_once: str
) -> None:
    publisher.publish(topic, b"old").result(timeout=LIMIT_S)
    [old] = subscriber.pull(subscription=exactly_once, max_messages=1, timeout=LIMIT_S).received_messages
    subscriber.modify_ack_deadline(subscription=exactly_once, ack_ids=[old.ack_id], ack_deadline_seconds=0)
    [new] = subscriber.pull(subscription=exactly_once, max_messages=1, timeout=LIMIT_S).received_messages
    with pytest.raises(exceptions.InvalidArgument) as refused:
        subscriber.acknowledge(subscription=exactly_once, ack_ids=[old.ack_id, new.ack_id])
    assert refused.value.reason == "EXACTLY_ONCE_ACKID_FAILURE"
    assert refused.value.metadata == {old.ack_id: "PERMANENT_FAILURE_INVALID_ACK_ID"}
    # The good id was acknowledged although the status is an error: the very same ack again is a success.
    subscriber.acknowledge(subscription=exactly_once, ack_ids=[new.ack_id])
