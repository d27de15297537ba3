"""google-cloud-pubsub with seek and snapshots: forget a backlog, bring acknowledged messages back, return to a moment."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from google.cloud import pubsub_v1

LIMIT_S = 20.0


def pull_and_ack(subscriber: pubsub_v1.SubscriberClient, subscription: str, count: int) -> list[bytes]:
    """Pull and acknowledge until `count` messages have come."""
    data: list[bytes] = []
    while len(data) < count:
        answer = subscriber.pull(subscription=subscription, max_messages=count - len(data), timeout=LIMIT_S)
        data += [each.message.data for each in answer.received_messages]
        subscriber.acknowledge(subscription=subscription, ack_ids=[each.ack_id for each in answer.received_messages])
    return data


@pytest.fixture
def keeping(subscriber: pubsub_v1.SubscriberClient, topic: str, project: str) -> str:
    """Create a subscription that keeps what was acknowledged."""
    name = f"projects/{project}/subscriptions/keeping"
    subscriber.create_subscription(request={"name": name, "topic": topic, "retain_acked_messages": True})
    return name


def test_a_seek_to_now_forgets_the_backlog(
    publisher: pubsub_v1.PublisherClient, subscriber: pubsub_v1.SubscriberClient, topic: str, subscription: str
) -> None:
    publisher.publish(topic, b"forgotten").result(timeout=LIMIT_S)
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=1)
    subscriber.seek(request={"subscription": subscription, "time": later})
    publisher.publish(topic, b"remembered").result(timeout=LIMIT_S)
    assert pull_and_ack(subscriber, subscription, 1) == [b"remembered"]


def test_a_seek_into_the_past_brings_acknowledged_messages_back(
    publisher: pubsub_v1.PublisherClient, subscriber: pubsub_v1.SubscriberClient, topic: str, keeping: str
) -> None:
    for number in range(5):
        publisher.publish(topic, str(number).encode()).result(timeout=LIMIT_S)
    assert sorted(pull_and_ack(subscriber, keeping, 5)) == [b"0", b"1", b"2", b"3", b"4"]
    past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    subscriber.seek(request={"subscription": keeping, "time": past})
    assert sorted(pull_and_ack(subscriber, keeping, 5)) == [b"0", b"1", b"2", b"3", b"4"]


def test_a_snapshot_is_a_moment_to_return_to(
    publisher: pubsub_v1.PublisherClient, subscriber: pubsub_v1.SubscriberClient, topic: str, subscription: str, project: str
) -> None:
    snapshot = f"projects/{project}/snapshots/before-the-deploy"
    publisher.publish(topic, b"acknowledged before").result(timeout=LIMIT_S)
    pull_and_ack(subscriber, subscription, 1)
    publisher.publish(topic, b"waits").result(timeout=LIMIT_S)
    made = subscriber.create_snapshot(name=snapshot, subscription=subscription)
    assert (made.name, made.topic) == (snapshot, topic)
    publisher.publish(topic, b"came later").result(timeout=LIMIT_S)
    assert sorted(pull_and_ack(subscriber, subscription, 2)) == [b"came later", b"waits"]

    subscriber.seek(request={"subscription": subscription, "snapshot": snapshot})
    assert sorted(pull_and_ack(subscriber, subscription, 2)) == [b"came later", b"waits"]
    assert [each.name for each in subscriber.list_snapshots(project=f"projects/{project}")] == [snapshot]
    subscriber.delete_snapshot(snapshot=snapshot)
    assert not list(subscriber.list_snapshots(project=f"projects/{project}"))


def test_a_seek_reaches_an_open_stream(
    publisher: pubsub_v1.PublisherClient, subscriber: pubsub_v1.SubscriberClient, topic: str, keeping: str, stream: Callable[..., Any]
) -> None:
    inbox = stream(keeping)
    publisher.publish(topic, b"twice").result(timeout=LIMIT_S)
    assert inbox.take_and_ack(1) == [b"twice"]
    past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    subscriber.seek(request={"subscription": keeping, "time": past})
    assert inbox.take_and_ack(1) == [b"twice"]
