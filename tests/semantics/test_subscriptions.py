"""docs/semantics.md, subscriptions: settings, their defaults and bounds, and how they are changed."""

from datetime import timedelta
from typing import Any

import pytest

from publican_protocol import known
from publican_protocol import pubsub as api
from tests.semantics.backends.backend import START
from tests.semantics.pubsub import Pubsub, days, seconds
from tests.semantics.spec import backends, spec


def span(duration: Any) -> timedelta:
    return timedelta(seconds=duration.seconds, microseconds=duration.nanos // 1000)


@spec("subscriptions/1")
def test_create_get_and_list_answer_the_values_in_effect(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    name = "projects/p/subscriptions/plain"
    created = pubsub.call("CreateSubscription", api.Subscription(name=name, topic=topic.name))
    expected = api.Subscription(
        name=name,
        topic=topic.name,
        ack_deadline_seconds=10,
        message_retention_duration=days(7),
        expiration_policy={"ttl": days(31)},  # type: ignore[arg-type]  # a dict is fine
        push_config={},  # type: ignore[arg-type]  # a dict is fine
        state=api.Subscription.State.ACTIVE,
    )
    assert created == expected
    assert created.HasField("push_config")
    assert pubsub.call("GetSubscription", api.GetSubscriptionRequest(subscription=name)) == expected
    assert list(pubsub.call("ListSubscriptions", api.ListSubscriptionsRequest(project="projects/p")).subscriptions) == [expected]


@spec("subscriptions/1")
def test_what_is_set_is_shown(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    asked = api.Subscription(
        name="projects/p/subscriptions/full",
        topic=topic.name,
        ack_deadline_seconds=600,
        retain_acked_messages=True,
        message_retention_duration=seconds(1200),
        labels={"k": "v"},
        enable_message_ordering=True,
        expiration_policy={"ttl": days(2)},  # type: ignore[arg-type]  # a dict is fine
        filter=" attributes:a ",
        dead_letter_policy={"dead_letter_topic": topic.name, "max_delivery_attempts": 7},  # type: ignore[arg-type]  # a dict is fine
        retry_policy={"minimum_backoff": seconds(1), "maximum_backoff": seconds(2.5)},  # type: ignore[arg-type]  # a dict is fine
        enable_exactly_once_delivery=True,
        push_config={},  # type: ignore[arg-type]  # a dict is fine
        state=api.Subscription.State.ACTIVE,
    )
    assert pubsub.call("CreateSubscription", asked) == asked
    assert pubsub.call("GetSubscription", api.GetSubscriptionRequest(subscription=asked.name)) == asked


@spec("subscriptions/2")
@pytest.mark.parametrize(("asked", "shown"), [(0, 10), (10, 10), (11, 11), (599, 599), (600, 600)])
def test_an_ack_deadline_within_its_bounds(pubsub: Pubsub, asked: int, shown: int) -> None:
    _, subscription = pubsub.pair(ack_deadline_seconds=asked)
    assert subscription.get().ack_deadline_seconds == shown


@spec("subscriptions/2")
@pytest.mark.parametrize("asked", [-1, 1, 9, 601])
def test_an_ack_deadline_beyond_its_bounds(pubsub: Pubsub, asked: int) -> None:
    topic, subscription = pubsub.pair()
    text = f"Invalid ack deadline given (ack_deadline={asked}). The ack deadline must be between 10 and 600 seconds."
    for error in (
        pubsub.refuses_subscription(topic, ack_deadline_seconds=asked),
        subscription.refuses_update("ack_deadline_seconds", ack_deadline_seconds=asked),
    ):
        assert (error.code, error.text) == ("INVALID_ARGUMENT", text)


@spec("subscriptions/3")
@pytest.mark.parametrize("asked", [seconds(600), seconds(600.5), days(7), days(30.9), days(31)])
def test_a_retention_within_its_bounds(pubsub: Pubsub, asked: timedelta) -> None:
    _, subscription = pubsub.pair(message_retention_duration=asked)
    assert span(subscription.get().message_retention_duration) == asked


@spec("subscriptions/3")
@pytest.mark.parametrize(
    ("asked", "told"), [(seconds(0), "0s"), (seconds(599), "9m59s"), (seconds(599.999), "9m59.999s"), (seconds(31 * 86400 + 1), "744h0m1s")]
)
def test_a_retention_beyond_its_bounds(pubsub: Pubsub, asked: timedelta, told: str) -> None:
    topic, subscription = pubsub.pair()
    text = f"The value for message retention duration is out of bounds. You passed {told} in the request, but the value must be between 10m and 744h."
    for error in (
        pubsub.refuses_subscription(topic, message_retention_duration=asked, expiration_policy={}),
        subscription.refuses_update("message_retention_duration", message_retention_duration=asked),
    ):
        assert (error.code, error.text) == ("INVALID_ARGUMENT", text)


@spec("subscriptions/3")
@pytest.mark.parametrize(("ttl", "retention"), [(days(1), days(1)), (days(6.5), days(6.5)), (days(7), days(7)), (days(8), days(7))])
def test_without_a_retention_a_shorter_time_to_live_counts(pubsub: Pubsub, ttl: timedelta, retention: timedelta) -> None:
    _, subscription = pubsub.pair(expiration_policy={"ttl": ttl})
    assert span(subscription.get().message_retention_duration) == retention


@spec("subscriptions/4")
@pytest.mark.parametrize("ttl", [days(1), days(31), days(365)])
def test_a_time_to_live_of_at_least_a_day(pubsub: Pubsub, ttl: timedelta) -> None:
    _, subscription = pubsub.pair(expiration_policy={"ttl": ttl}, message_retention_duration=seconds(600))
    assert span(subscription.get().expiration_policy.ttl) == ttl


@spec("subscriptions/4")
@pytest.mark.parametrize(("ttl", "told"), [(seconds(3600), "1h"), (seconds(86399), "23h59m59s"), (seconds(0), "0s")])
def test_a_time_to_live_under_a_day(pubsub: Pubsub, ttl: timedelta, told: str) -> None:
    topic, subscription = pubsub.pair(message_retention_duration=seconds(600))
    text = f"The value for expiration duration is too small. You passed {told} in the request, but the minimum value is 24h."
    for error in (
        pubsub.refuses_subscription(topic, expiration_policy={"ttl": ttl}, message_retention_duration=seconds(600)),
        subscription.refuses_update("expiration_policy", expiration_policy={"ttl": ttl}),
    ):
        assert (error.code, error.text) == ("INVALID_ARGUMENT", text)


@spec("subscriptions/4")
def test_a_time_to_live_below_the_retention(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(expiration_policy={"ttl": days(2)}, message_retention_duration=days(2))
    policy = {"expiration_policy": {"ttl": days(2)}}
    assert pubsub.refuses_subscription(topic, message_retention_duration=days(2.1), **policy).code == "INVALID_ARGUMENT"
    assert subscription.refuses_update("message_retention_duration", message_retention_duration=days(2.1)).code == "INVALID_ARGUMENT"


@spec("subscriptions/4")
def test_never_is_an_empty_policy(pubsub: Pubsub) -> None:
    _, subscription = pubsub.pair(expiration_policy={})
    shown = subscription.get()
    assert shown.HasField("expiration_policy")
    assert not shown.expiration_policy.HasField("ttl")
    assert span(shown.message_retention_duration) == days(7)


@spec("subscriptions/5")
def test_the_topic_has_to_exist_in_whatever_project(pubsub: Pubsub) -> None:
    elsewhere = pubsub.topic("projects/elsewhere/topics/orders")
    subscription = pubsub.subscription(elsewhere, "projects/p/subscriptions/orders")
    assert subscription.get().topic == elsewhere.name
    request = api.Subscription(name="projects/p/subscriptions/none", topic="projects/p/topics/orders")
    error = pubsub.refuses("CreateSubscription", request)
    assert (error.code, error.text) == ("NOT_FOUND", "Resource not found (resource=orders).")
    assert pubsub.refuses("CreateSubscription", api.Subscription(name="projects/p/subscriptions/none")).code == "INVALID_ARGUMENT"


@spec("subscriptions/6")
def test_what_only_the_service_sets_is_ignored(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(
        detached=True, state=api.Subscription.State.RESOURCE_ERROR, topic_message_retention_duration=days(3), message_retention_duration=days(1)
    )
    shown = subscription.get()
    assert (shown.detached, shown.state, shown.HasField("topic_message_retention_duration")) == (False, api.Subscription.State.ACTIVE, False)
    topic.publish(b"m")
    assert subscription.take_data() == [b"m"]


@spec("subscriptions/7")
def test_the_retention_of_the_topic_is_shown(pubsub: Pubsub) -> None:
    topic = pubsub.topic(message_retention_duration=days(2))
    subscription = pubsub.subscription(topic)
    assert span(subscription.get().topic_message_retention_duration) == days(2)
    topic.update("message_retention_duration", message_retention_duration=days(3))
    assert span(subscription.get().topic_message_retention_duration) == days(3)
    topic.update("message_retention_duration")
    assert not topic.get().HasField("message_retention_duration")
    assert not subscription.get().HasField("topic_message_retention_duration")
    topic.update("message_retention_duration", message_retention_duration=days(1))
    topic.delete()
    assert not subscription.get().HasField("topic_message_retention_duration")


@spec("subscriptions/8")
def test_an_update_needs_a_mask(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    error = subscription.refuses_update(ack_deadline_seconds=20)
    text = "The update_mask in the UpdateSubscriptionRequest must be set, and must contain a non-empty paths list."
    assert (error.code, error.text) == ("INVALID_ARGUMENT", text)
    error = pubsub.refuses("UpdateTopic", api.UpdateTopicRequest(topic=api.Topic(name=topic.name)))
    assert error.text == "The update_mask in the UpdateTopicRequest must be set, and must contain a non-empty paths list."
    snapshot = subscription.snapshot()
    error = pubsub.refuses("UpdateSnapshot", api.UpdateSnapshotRequest(snapshot=api.Snapshot(name=snapshot.name)))
    assert error.text == "The update_mask in the UpdateSnapshotRequest must be set, and must contain a non-empty paths list."


@spec("subscriptions/8")
@pytest.mark.parametrize("path", ["enable_message_ordering", "filter", "topic", "name", "detached", "state", "topic_message_retention_duration"])
def test_a_field_that_stays_is_refused(pubsub: Pubsub, path: str) -> None:
    _, subscription = pubsub.pair()
    error = subscription.refuses_update(path, ack_deadline_seconds=20)
    text = f"Invalid update_mask provided in the UpdateSubscriptionRequest: the '{path}' field in the Subscription is not mutable."
    assert (error.code, error.text) == ("INVALID_ARGUMENT", text)


@backends("core", "grpc")  # JSON masks are in camel case: see below
@spec("subscriptions/8")
@pytest.mark.parametrize("path", ["labelz", "ackDeadlineSeconds", "labels.k", "*", "", "retry_policy.nothing", "ack_deadline_seconds.x"])
def test_an_unknown_path_is_refused(pubsub: Pubsub, path: str) -> None:
    _, subscription = pubsub.pair()
    error = subscription.refuses_update(path, "ack_deadline_seconds", ack_deadline_seconds=20)
    assert error.code == "INVALID_ARGUMENT"
    assert error.text.startswith(f"Invalid update_mask provided in the UpdateSubscriptionRequest: {path} is not a known Subscription field.")


@spec("subscriptions/8")
def test_an_unknown_path_of_a_topic_is_told_in_the_words_of_the_service(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    request = api.UpdateTopicRequest(topic=api.Topic(name=topic.name), update_mask=known.FieldMask(paths=["labelz"]))
    error = pubsub.refuses("UpdateTopic", request)
    assert error.code == "INVALID_ARGUMENT"
    assert error.text == (
        "Invalid update_mask provided in the UpdateTopicRequest: labelz is not a known Topic field. "
        "Note that field paths must be of the form 'schema_settings' rather than 'schemaSetings'."
    )
    request = api.UpdateTopicRequest(topic=api.Topic(name=topic.name, kms_key_name="k"), update_mask=known.FieldMask(paths=["kms_key_name"]))
    error = pubsub.refuses("UpdateTopic", request)
    assert error.text == "Invalid update_mask provided in the UpdateTopicRequest: the 'kms_key_name' field in the Topic is not mutable."


@spec("subscriptions/9")
def test_what_the_mask_names_and_the_request_leaves_out_is_reset(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    subscription = pubsub.subscription(
        topic,
        ack_deadline_seconds=20,
        retain_acked_messages=True,
        message_retention_duration=days(1),
        labels={"k": "v"},
        expiration_policy={},
        dead_letter_policy={"dead_letter_topic": topic.name},
        retry_policy={},
        enable_exactly_once_delivery=True,
    )
    plain = pubsub.subscription(topic).get()
    shown = subscription.update(
        "ack_deadline_seconds",
        "retain_acked_messages",
        "message_retention_duration",
        "labels",
        "expiration_policy",
        "dead_letter_policy",
        "retry_policy",
        "enable_exactly_once_delivery",
    )
    plain.name = shown.name
    assert shown == plain == subscription.get()


@spec("subscriptions/9")
def test_what_the_mask_leaves_out_stays(pubsub: Pubsub) -> None:
    _, subscription = pubsub.pair(ack_deadline_seconds=20, labels={"k": "v"})
    shown = subscription.update("ack_deadline_seconds", ack_deadline_seconds=30, labels={"other": ""}, retain_acked_messages=True)
    assert (shown.ack_deadline_seconds, shown.labels, shown.retain_acked_messages) == (30, {"k": "v"}, False)


@spec("subscriptions/10")
def test_a_path_may_lead_into_a_message(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    other = pubsub.topic()
    subscription = pubsub.subscription(topic, dead_letter_policy={"dead_letter_topic": topic.name, "max_delivery_attempts": 5})
    policy = {"dead_letter_topic": other.name, "max_delivery_attempts": 9}
    shown = subscription.update("dead_letter_policy.max_delivery_attempts", dead_letter_policy=policy)
    assert (shown.dead_letter_policy.dead_letter_topic, shown.dead_letter_policy.max_delivery_attempts) == (topic.name, 9)
    shown = subscription.update("expiration_policy.ttl", expiration_policy={"ttl": days(9)})
    assert span(shown.expiration_policy.ttl) == days(9)
    shown = subscription.update("expiration_policy.ttl", expiration_policy={})
    assert shown.HasField("expiration_policy")
    assert not shown.expiration_policy.HasField("ttl")


@spec("subscriptions/11")
def test_an_update_changes_all_or_nothing(pubsub: Pubsub) -> None:
    _, subscription = pubsub.pair()
    paths = ("labels", "ack_deadline_seconds", "retain_acked_messages")
    error = subscription.refuses_update(*paths, labels={"k": "v"}, ack_deadline_seconds=9, retain_acked_messages=True)
    assert error.code == "INVALID_ARGUMENT"
    absent = api.UpdateSubscriptionRequest(
        subscription=api.Subscription(name="projects/p/subscriptions/absent"), update_mask=known.FieldMask(paths=["labels"])
    )
    assert pubsub.refuses("UpdateSubscription", absent).code == "NOT_FOUND"


@spec("subscriptions/12")
def test_a_new_ack_deadline_counts_from_the_next_delivery(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(ack_deadline_seconds=10)
    topic.publish(b"before")
    subscription.take()
    subscription.update("ack_deadline_seconds", ack_deadline_seconds=30)
    topic.publish(b"after")
    assert subscription.take_data() == [b"after"]
    pubsub.advance(10)
    assert subscription.take_data() == [b"before"]
    pubsub.advance(20)
    assert subscription.take_data() == [b"after"]


@spec("subscriptions/13")
def test_labels_are_replaced_as_a_whole(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(labels={"a": "1", "b": "2"})
    assert subscription.update("labels", labels={"b": "3"}).labels == {"b": "3"}
    topic.update("labels", labels={"a": "1"})
    assert topic.update("labels", labels={"c": "4"}).labels == {"c": "4"} == topic.get().labels
    assert topic.update("labels").labels == {}
    assert pubsub.now() == START
