"""google-cloud-pubsub as its quickstart uses it: create, publish, pull, acknowledge, nack, extend, list, update, delete."""

import queue
from collections.abc import Callable
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import pubsub_v1
from google.protobuf import field_mask_pb2

LIMIT_S = 20.0


def pull(subscriber: pubsub_v1.SubscriberClient, subscription: str, count: int) -> list[Any]:
    """Pull until `count` messages are there, as the documentation tells its readers to."""
    received: list[Any] = []
    while len(received) < count:
        answer = subscriber.pull(subscription=subscription, max_messages=count - len(received), timeout=LIMIT_S)
        received.extend(answer.received_messages)
    return received


def nothing_left(subscriber: pubsub_v1.SubscriberClient, subscription: str) -> bool:
    """Whether the subscription has nothing to give now."""
    request = pubsub_v1.types.PullRequest(subscription=subscription, max_messages=10, return_immediately=True)
    with pytest.warns(DeprecationWarning, match="return_immediately"):
        answer = subscriber.pull(request=request, timeout=LIMIT_S)
    return not answer.received_messages


def test_a_published_message_reaches_a_callback(
    publisher: pubsub_v1.PublisherClient, topic: str, subscription: str, stream: Callable[..., Any]
) -> None:
    inbox = stream(subscription)
    message_id = publisher.publish(topic, b"My first message!", origin="quickstart").result(timeout=LIMIT_S)
    message = inbox.take()
    message.ack()
    assert message.data == b"My first message!"
    assert dict(message.attributes) == {"origin": "quickstart"}
    assert message.message_id == message_id
    assert message.publish_time is not None


def test_a_synchronous_pull_gives_what_was_published(
    publisher: pubsub_v1.PublisherClient, subscriber: pubsub_v1.SubscriberClient, topic: str, subscription: str
) -> None:
    for number in range(3):
        publisher.publish(topic, f"message {number}".encode()).result(timeout=LIMIT_S)
    received = pull(subscriber, subscription, 3)
    assert sorted(each.message.data for each in received) == [b"message 0", b"message 1", b"message 2"]
    subscriber.acknowledge(subscription=subscription, ack_ids=[each.ack_id for each in received])
    assert nothing_left(subscriber, subscription)


def test_a_pull_waits_for_a_message(
    publisher: pubsub_v1.PublisherClient, subscriber: pubsub_v1.SubscriberClient, topic: str, subscription: str
) -> None:
    pulled = subscriber.transport.grpc_channel.unary_unary(
        "/google.pubsub.v1.Subscriber/Pull",
        request_serializer=pubsub_v1.types.PullRequest.serialize,
        response_deserializer=pubsub_v1.types.PullResponse.deserialize,
    ).future(pubsub_v1.types.PullRequest(subscription=subscription, max_messages=1), timeout=LIMIT_S)
    assert not pulled.done()
    publisher.publish(topic, b"late").result(timeout=LIMIT_S)
    assert [each.message.data for each in pulled.result().received_messages] == [b"late"]


def test_a_nacked_message_comes_back(publisher: pubsub_v1.PublisherClient, topic: str, subscription: str, stream: Callable[..., Any]) -> None:
    inbox = stream(subscription)
    publisher.publish(topic, b"again").result(timeout=LIMIT_S)
    first = inbox.take()
    first.nack()
    second = inbox.take()
    second.ack()
    assert second.message_id == first.message_id
    assert second.ack_id != first.ack_id


def test_a_deadline_of_0_gives_a_message_back(
    publisher: pubsub_v1.PublisherClient, subscriber: pubsub_v1.SubscriberClient, topic: str, subscription: str
) -> None:
    publisher.publish(topic, b"hot potato").result(timeout=LIMIT_S)
    [first] = pull(subscriber, subscription, 1)
    subscriber.modify_ack_deadline(subscription=subscription, ack_ids=[first.ack_id], ack_deadline_seconds=0)
    [second] = pull(subscriber, subscription, 1)
    assert second.message.message_id == first.message.message_id
    subscriber.acknowledge(subscription=subscription, ack_ids=[second.ack_id])


def test_an_extended_message_does_not_come_back(
    publisher: pubsub_v1.PublisherClient, subscriber: pubsub_v1.SubscriberClient, topic: str, subscription: str
) -> None:
    publisher.publish(topic, b"mine").result(timeout=LIMIT_S)
    [received] = pull(subscriber, subscription, 1)
    subscriber.modify_ack_deadline(subscription=subscription, ack_ids=[received.ack_id], ack_deadline_seconds=600)
    assert nothing_left(subscriber, subscription)


def test_two_subscribers_share_a_subscription(
    publisher: pubsub_v1.PublisherClient,
    another_subscriber: pubsub_v1.SubscriberClient,
    topic: str,
    subscription: str,
    stream: Callable[..., Any],
) -> None:
    both = queue.SimpleQueue[tuple[str, Any]]()
    stream(subscription, callback=lambda message: both.put(("one", message)), max_messages=10)
    stream(subscription, callback=lambda message: both.put(("other", message)), client=another_subscriber, max_messages=10)
    expected = {f"message {number}".encode() for number in range(40)}
    for future in [publisher.publish(topic, data) for data in expected]:
        future.result(timeout=LIMIT_S)
    # Nothing is acknowledged yet: with 10 outstanding each of them is full.
    held = [both.get(timeout=LIMIT_S) for _ in range(20)]
    assert sorted(name for name, _ in held) == ["one"] * 10 + ["other"] * 10
    for _, message in held:
        message.ack()
    seen = {message.data for _, message in held}
    while seen != expected:
        _, message = both.get(timeout=LIMIT_S)
        message.ack()
        seen.add(message.data)


def test_topics_and_subscriptions_are_listed(
    publisher: pubsub_v1.PublisherClient, subscriber: pubsub_v1.SubscriberClient, topic: str, subscription: str, project: str
) -> None:
    others = [f"projects/{project}/topics/other-{number}" for number in range(3)]
    for name in others:
        publisher.create_topic(name=name)
    path = f"projects/{project}"
    assert sorted(each.name for each in publisher.list_topics(project=path)) == sorted([topic, *others])
    # A page of 2 makes the client ask again.
    paged = publisher.list_topics(request={"project": path, "page_size": 2})
    assert sorted(each.name for each in paged) == sorted([topic, *others])
    assert [each.name for each in subscriber.list_subscriptions(project=path)] == [subscription]
    assert list(publisher.list_topic_subscriptions(topic=topic)) == [subscription]


def test_what_exists_and_what_does_not(publisher: pubsub_v1.PublisherClient, topic: str) -> None:
    with pytest.raises(exceptions.AlreadyExists):
        publisher.create_topic(name=topic)
    with pytest.raises(exceptions.NotFound):
        publisher.get_topic(topic=f"{topic}-not")
    with pytest.raises(exceptions.InvalidArgument):
        publisher.create_topic(name="projects/p/topics/1-starts-with-a-digit")
    with pytest.raises(exceptions.NotFound):
        publisher.publish(f"{topic}-not", b"lost").result(timeout=LIMIT_S)


def test_a_subscription_is_updated(subscriber: pubsub_v1.SubscriberClient, subscription: str) -> None:
    changed = pubsub_v1.types.Subscription(name=subscription, ack_deadline_seconds=42)
    mask = field_mask_pb2.FieldMask(paths=["ack_deadline_seconds"])
    assert subscriber.update_subscription(subscription=changed, update_mask=mask).ack_deadline_seconds == 42
    assert subscriber.get_subscription(subscription=subscription).ack_deadline_seconds == 42


def test_what_is_deleted_is_gone(publisher: pubsub_v1.PublisherClient, subscriber: pubsub_v1.SubscriberClient, topic: str, subscription: str) -> None:
    publisher.delete_topic(topic=topic)
    assert subscriber.get_subscription(subscription=subscription).topic == "_deleted-topic_"
    subscriber.delete_subscription(subscription=subscription)
    with pytest.raises(exceptions.NotFound):
        subscriber.get_subscription(subscription=subscription)
    with pytest.raises(exceptions.NotFound):
        subscriber.pull(subscription=subscription, max_messages=1, timeout=LIMIT_S)


def test_a_stream_ends_when_its_subscription_is_deleted(subscriber: pubsub_v1.SubscriberClient, subscription: str) -> None:
    future = subscriber.subscribe(subscription, callback=lambda message: message.ack())
    subscriber.delete_subscription(subscription=subscription)
    with pytest.raises(exceptions.NotFound):
        future.result(timeout=LIMIT_S)
