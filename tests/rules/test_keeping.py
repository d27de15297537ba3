"""Subscriptions, retention, seek, snapshots and lifecycle: docs/semantics.md, the chapters of those names."""

import pytest

from publican_protocol import known, pubsub
from tests.rules.conftest import SUBSCRIPTION, TOPIC, Pubsub, message, spec
from tests.rules.ways import Refused

SNAPSHOT = "projects/p/snapshots/before"
DAY_S = 86_400


def seconds(span: float) -> known.Duration:
    duration = known.Duration()
    duration.FromNanoseconds(round(span * 10**9))
    return duration


def seek_to(pubsub_: Pubsub, offset_s: float) -> None:
    time = known.Timestamp()
    time.FromNanoseconds(1_767_312_000 * 10**9 + round(offset_s * 10**9))
    request = pubsub.SeekRequest(subscription=SUBSCRIPTION)
    request.time.FromNanoseconds(time.ToNanoseconds())
    pubsub_.call("Seek", request)


def snapshot(pubsub_: Pubsub, name: str = SNAPSHOT) -> pubsub.Snapshot:
    made: pubsub.Snapshot = pubsub_.call("CreateSnapshot", pubsub.CreateSnapshotRequest(name=name, subscription=SUBSCRIPTION))
    return made


@spec("subscriptions/1")
def test_a_new_subscription_shows_the_values_in_effect(pubsub_: Pubsub) -> None:
    pubsub_.both()
    shown = pubsub_.get()
    assert shown.ack_deadline_seconds == 10
    assert shown.message_retention_duration.seconds == 7 * DAY_S
    assert shown.expiration_policy.ttl.seconds == 31 * DAY_S
    assert shown.HasField("push_config")
    assert shown.state == 1
    assert not shown.HasField("retry_policy")
    assert not shown.HasField("dead_letter_policy")


@spec("subscriptions/2")
@pytest.mark.parametrize(("deadline", "is_good"), [(9, False), (10, True), (600, True), (601, False), (-1, False)])
def test_the_ack_deadline_is_10_to_600_seconds(pubsub_: Pubsub, deadline: int, is_good: bool) -> None:
    if is_good:
        pubsub_.both(ack_deadline_seconds=deadline)
        return
    with pytest.raises(Refused) as refused:
        pubsub_.both(ack_deadline_seconds=deadline)
    text = f"Invalid ack deadline given (ack_deadline={deadline}). The ack deadline must be between 10 and 600 seconds."
    assert (refused.value.code, refused.value.message) == ("INVALID_ARGUMENT", text)


@spec("subscriptions/3")
@pytest.mark.parametrize(("span", "is_good"), [(599, False), (600, True), (31 * DAY_S, True), (31 * DAY_S + 1, False)])
def test_the_message_retention_is_10_minutes_to_31_days(pubsub_: Pubsub, span: int, is_good: bool) -> None:
    fields = {"message_retention_duration": seconds(span), "expiration_policy": pubsub.ExpirationPolicy()}
    if is_good:
        pubsub_.both(**fields)
        assert pubsub_.get().message_retention_duration.seconds == span
        return
    with pytest.raises(Refused) as refused:
        pubsub_.both(**fields)
    assert refused.value.code == "INVALID_ARGUMENT"
    assert refused.value.message.startswith("The value for message retention duration is out of bounds. You passed ")
    assert refused.value.message.endswith("but the value must be between 10m and 744h.")


@spec("subscriptions/4")
def test_an_update_needs_a_mask_of_known_and_mutable_fields_and_is_all_or_nothing(pubsub_: Pubsub) -> None:
    pubsub_.both()
    for paths, text in (
        ((), "The update_mask in the UpdateSubscriptionRequest must be set, and must contain a non-empty paths list."),
        (("labels", "nonsense"), "Invalid update_mask provided in the UpdateSubscriptionRequest: nonsense is not a known Subscription field."),
        (("labels", "name"), "Invalid update_mask provided in the UpdateSubscriptionRequest: the 'name' field in the Subscription is not mutable."),
    ):
        with pytest.raises(Refused) as refused:
            pubsub_.update(*paths, labels={"a": "b"})
        assert refused.value.code == "INVALID_ARGUMENT"
        assert refused.value.message.startswith(text)
    assert not pubsub_.get().labels


@spec("subscriptions/5")
def test_a_masked_field_that_is_not_given_goes_back_to_its_default(pubsub_: Pubsub) -> None:
    pubsub_.both(ack_deadline_seconds=60, labels={"a": "b"}, retry_policy=pubsub.RetryPolicy())
    changed = pubsub_.update("ack_deadline_seconds", "labels", "retry_policy")
    assert changed.ack_deadline_seconds == 10
    assert not changed.labels
    assert not changed.HasField("retry_policy")


@spec("subscriptions/6")
def test_a_new_ack_deadline_is_for_later_deliveries(pubsub_: Pubsub) -> None:
    pubsub_.both()
    pubsub_.publish(b"one")
    assert pubsub_.datas() == [b"one"]
    pubsub_.update("ack_deadline_seconds", ack_deadline_seconds=600)
    pubsub_.advance(10)
    assert pubsub_.datas() == [b"one"]
    pubsub_.advance(599)
    assert pubsub_.datas() == []


@spec("retention-seek-snapshots/1")
@pytest.mark.parametrize(("wait_s", "left"), [(599.999, [b"one"]), (600, [])])
def test_unacked_messages_are_dropped_when_their_retention_has_passed(pubsub_: Pubsub, wait_s: float, left: list[bytes]) -> None:
    pubsub_.both(message_retention_duration=seconds(600))
    pubsub_.publish(b"one")
    pubsub_.advance(wait_s)
    assert pubsub_.datas() == left


@spec("retention-seek-snapshots/2")
def test_acked_messages_come_back_only_when_they_were_retained(pubsub_: Pubsub) -> None:
    pubsub_.topic()
    for name, retains in (("keeps", True), ("forgets", False)):
        pubsub_.subscription(f"projects/p/subscriptions/{name}", retain_acked_messages=retains)
    pubsub_.publish(b"one")
    for name, left in (("keeps", [b"one"]), ("forgets", [])):
        full = f"projects/p/subscriptions/{name}"
        pubsub_.ack(*pubsub_.pull(subscription=full), subscription=full)
        request = pubsub.SeekRequest(subscription=full)
        request.time.FromNanoseconds(1)
        pubsub_.call("Seek", request)
        assert pubsub_.datas(subscription=full) == left


@spec("retention-seek-snapshots/3")
def test_seek_to_a_time_acks_what_is_older_and_unacks_the_rest(pubsub_: Pubsub) -> None:
    pubsub_.both(retain_acked_messages=True)
    for place in range(3):
        pubsub_.publish(b"%d" % place)
        pubsub_.advance(1)
    received = pubsub_.pull()
    pubsub_.ack(received[1], received[2])
    seek_to(pubsub_, 1)
    again = pubsub_.pull()
    assert [each.data for each in again] == [b"1", b"2"]
    pubsub_.ack(*received)
    pubsub_.advance(10)
    assert pubsub_.datas() == [b"1", b"2"], "ack ids from before the seek mean nothing"


@spec("retention-seek-snapshots/4")
def test_seek_to_the_future_purges_what_is_there_and_nothing_later(pubsub_: Pubsub) -> None:
    pubsub_.both()
    pubsub_.publish(b"one", b"two")
    pubsub_.pull(1)
    seek_to(pubsub_, 3_600)
    pubsub_.advance(10)
    assert pubsub_.datas() == []
    pubsub_.publish(b"three")
    assert pubsub_.datas() == [b"three"]


@spec("retention-seek-snapshots/5")
def test_a_topic_that_retains_gives_messages_from_before_a_subscription(pubsub_: Pubsub) -> None:
    pubsub_.topic(message_retention_duration=seconds(600))
    pubsub_.publish(b"one")
    pubsub_.subscription()
    assert pubsub_.datas() == [], "not by itself"
    seek_to(pubsub_, 0)
    assert pubsub_.datas() == [b"one"]
    pubsub_.advance(600)
    seek_to(pubsub_, 0)
    pubsub_.subscription("projects/p/subscriptions/later")
    request = pubsub.SeekRequest(subscription="projects/p/subscriptions/later")
    request.time.FromNanoseconds(1)
    pubsub_.call("Seek", request)
    assert pubsub_.datas(subscription="projects/p/subscriptions/later") == []


@spec("retention-seek-snapshots/6")
@pytest.mark.parametrize("fields", [{}, {"enable_message_ordering": True}, {"filter": "NOT attributes:hidden"}], ids=["plain", "ordered", "filtered"])
def test_seek_to_a_snapshot_brings_back_what_was_unacked_and_everything_since(pubsub_: Pubsub, fields: dict[str, object]) -> None:
    pubsub_.both(**fields)
    pubsub_.publish(b"acked", b"leased", b"waiting")
    acked, _ = pubsub_.pull(2)
    pubsub_.ack(acked)
    snapshot(pubsub_)
    pubsub_.publish(b"later", message(b"hidden", hidden=""))
    pubsub_.advance(10)
    for _ in range(2):
        pubsub_.ack(*pubsub_.pull())
        request = pubsub.SeekRequest(subscription=SUBSCRIPTION, snapshot=SNAPSHOT)
        pubsub_.call("Seek", request)
        hidden = [] if fields.get("filter") else [b"hidden"]
        got = pubsub_.pull()
        assert [each.data for each in got] == [b"leased", b"waiting", b"later", *hidden]
        pubsub_.nack(*got)


@spec("retention-seek-snapshots/7")
def test_a_snapshot_lives_7_days_less_the_age_of_its_oldest_message(pubsub_: Pubsub) -> None:
    pubsub_.both(message_retention_duration=seconds(8 * DAY_S))
    assert snapshot(pubsub_).expire_time.seconds == 1_767_312_000 + 7 * DAY_S
    pubsub_.publish(b"one")
    pubsub_.advance(DAY_S)
    assert snapshot(pubsub_, "projects/p/snapshots/second").expire_time.seconds == 1_767_312_000 + 7 * DAY_S
    pubsub_.advance(6 * DAY_S - 3_599)
    with pytest.raises(Refused) as refused:
        snapshot(pubsub_, "projects/p/snapshots/third")
    assert refused.value.code == "FAILED_PRECONDITION"
    pubsub_.advance(3_599)
    with pytest.raises(Refused) as refused:
        pubsub_.call("GetSnapshot", pubsub.GetSnapshotRequest(snapshot=SNAPSHOT))
    assert refused.value.code == "NOT_FOUND"


@spec("retention-seek-snapshots/8")
def test_a_snapshot_is_for_subscriptions_of_its_topic(pubsub_: Pubsub) -> None:
    pubsub_.both()
    snapshot(pubsub_)
    pubsub_.topic("projects/p/topics/other")
    other = pubsub_.subscription("projects/p/subscriptions/other", "projects/p/topics/other")
    with pytest.raises(Refused) as refused:
        pubsub_.call("Seek", pubsub.SeekRequest(subscription=other, snapshot=SNAPSHOT))
    assert refused.value.code == "INVALID_ARGUMENT"
    listed = pubsub_.call("ListTopicSnapshots", pubsub.ListTopicSnapshotsRequest(topic=TOPIC)).snapshots
    assert list(listed) == [SNAPSHOT]


@spec("lifecycle/1")
def test_a_deleted_topic_leaves_its_subscriptions_with_what_they_have(pubsub_: Pubsub) -> None:
    pubsub_.both()
    pubsub_.publish(b"one")
    pubsub_.call("DeleteTopic", pubsub.DeleteTopicRequest(topic=TOPIC))
    assert pubsub_.get().topic == "_deleted-topic_"
    pubsub_.topic()
    pubsub_.publish(b"of another topic")
    assert pubsub_.datas() == [b"one"]
    assert not pubsub_.call("ListTopicSubscriptions", pubsub.ListTopicSubscriptionsRequest(topic=TOPIC)).subscriptions


@spec("lifecycle/2")
def test_a_subscription_that_is_made_anew_is_another_one(pubsub_: Pubsub) -> None:
    pubsub_.both()
    pubsub_.publish(b"one", b"two")
    (old,) = pubsub_.pull(1)
    pubsub_.call("DeleteSubscription", pubsub.DeleteSubscriptionRequest(subscription=SUBSCRIPTION))
    pubsub_.subscription()
    assert pubsub_.datas() == []
    pubsub_.publish(b"three")
    pubsub_.ack(old)
    assert pubsub_.datas() == [b"three"]


@spec("lifecycle/3")
def test_a_detached_subscription_has_nothing_and_gives_nothing(pubsub_: Pubsub) -> None:
    pubsub_.both()
    pubsub_.publish(b"one")
    for _ in range(2):
        pubsub_.call("DetachSubscription", pubsub.DetachSubscriptionRequest(subscription=SUBSCRIPTION))
    assert pubsub_.get().detached
    assert pubsub_.get().topic == TOPIC
    with pytest.raises(Refused) as refused:
        pubsub_.pull()
    assert refused.value.code == "FAILED_PRECONDITION"
    assert not pubsub_.call("ListTopicSubscriptions", pubsub.ListTopicSubscriptionsRequest(topic=TOPIC)).subscriptions


@spec("lifecycle/4")
def test_a_subscription_that_nobody_uses_expires(pubsub_: Pubsub) -> None:
    pubsub_.both(expiration_policy=pubsub.ExpirationPolicy(ttl=seconds(DAY_S)), message_retention_duration=seconds(600))
    pubsub_.subscription("projects/p/subscriptions/for-ever", expiration_policy=pubsub.ExpirationPolicy())
    pubsub_.advance(DAY_S - 1)
    assert pubsub_.datas() == [], "a pull is activity"
    pubsub_.advance(DAY_S - 0.001)
    pubsub_.publish(b"publishing is none")
    pubsub_.advance(0.001)
    listed = pubsub_.call("ListSubscriptions", pubsub.ListSubscriptionsRequest(project="projects/p")).subscriptions
    assert [each.name for each in listed] == ["projects/p/subscriptions/for-ever"]


@spec("limits/1")
def test_labels_are_at_most_64_of_lower_case_letters_digits_and_dashes(pubsub_: Pubsub) -> None:
    good = {f"key-{place}": "v_1" for place in range(64)}
    pubsub_.topic(labels=good)
    for labels in (good | {"one-more": ""}, {"Upper": "v"}, {"k": "V"}, {"1": "v"}, {"k" * 64: "v"}, {"k": "v" * 64}):
        with pytest.raises(Refused) as refused:
            pubsub_.topic("projects/p/topics/other", labels=labels)
        assert refused.value.code == "INVALID_ARGUMENT"
        assert "labels" in refused.value.message


@spec("limits/2")
def test_lists_come_in_pages_sorted_by_name(pubsub_: Pubsub) -> None:
    names = [f"projects/p/topics/topic-{place:03}" for place in range(7)]
    for name in reversed(names):
        pubsub_.topic(name)
    pubsub_.topic("projects/pp/topics/of-another-project")
    seen: list[str] = []
    token = ""
    while True:
        page = pubsub_.call("ListTopics", pubsub.ListTopicsRequest(project="projects/p", page_size=3, page_token=token))
        seen += [topic.name for topic in page.topics]
        token = page.next_page_token
        if not token:
            break
    assert seen == names
    for bad in ({"page_size": -1}, {"page_token": "nonsense"}):
        with pytest.raises(Refused) as refused:
            pubsub_.call("ListTopics", pubsub.ListTopicsRequest(project="projects/p", **bad))
        assert refused.value.code == "INVALID_ARGUMENT"


@spec("limits/3")
def test_a_request_of_acks_has_at_most_512_kib(pubsub_: Pubsub) -> None:
    pubsub_.both()
    with pytest.raises(Refused) as refused:
        pubsub_.ack(*["x" * 21] * 25_000)
    text = "Request payload size exceeds the limit: 524288 bytes."
    assert (refused.value.code, refused.value.message) == ("INVALID_ARGUMENT", text)


@spec("concurrency/1")
def test_a_message_has_one_holder_at_a_time(pubsub_: Pubsub) -> None:
    pubsub_.both()
    pubsub_.publish(*[b"%d" % place for place in range(10)])
    got = [data for _ in range(5) for data in pubsub_.datas(3)]
    assert sorted(got) == [b"%d" % place for place in range(10)]


@spec("concurrency/2")
def test_acks_of_one_subscription_leave_the_others_alone(pubsub_: Pubsub) -> None:
    pubsub_.both()
    other = pubsub_.subscription("projects/p/subscriptions/other")
    pubsub_.publish(b"one")
    pubsub_.ack(*pubsub_.pull())
    assert pubsub_.datas(subscription=other) == [b"one"]
