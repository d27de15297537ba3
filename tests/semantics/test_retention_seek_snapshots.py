"""docs/semantics.md, retention-seek-snapshots: how long messages are kept, and how they are found again."""

from typing import Any

import pytest

from publican_protocol import known
from publican_protocol import pubsub as api
from tests.semantics.pubsub import SECOND, Pubsub, Subscription, days, seconds
from tests.semantics.spec import spec

DAY_S = 86_400
SHORT: dict[str, Any] = {"message_retention_duration": seconds(600)}
KINDS: list[Any] = [
    pytest.param({}, id="plain"),
    pytest.param({"enable_message_ordering": True}, id="ordered"),
    pytest.param({"filter": "NOT attributes:hidden"}, id="filtered"),
    pytest.param({"enable_exactly_once_delivery": True}, id="exactly once"),
]
"""What a subscription keeps its backlog in is different for each of them."""


# retention


@spec("retention-seek-snapshots/1")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("wait_s", "left"), [(599.999, [b"waits", b"came back"]), (600, []), (600.001, [])])
def test_unacked_messages_are_dropped_when_they_are_too_old(pubsub: Pubsub, kind: dict[str, Any], wait_s: float, left: list[bytes]) -> None:
    topic, subscription = pubsub.pair(**SHORT, **kind)
    topic.publish(b"came back")
    subscription.take().nack()
    topic.publish(b"waits")
    pubsub.advance(wait_s)
    assert sorted(subscription.take_data()) == sorted(left)


@spec("retention-seek-snapshots/1")
def test_a_lease_ends_when_its_message_is_too_old(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(**SHORT)
    topic.publish(b"m")
    subscription.take().extend(600)
    pubsub.advance(300)
    topic.publish(b"younger")
    pubsub.advance(300)
    assert subscription.take_data() == [b"younger"]
    pubsub.advance(10)
    assert subscription.take_data() == [b"younger"]


@spec("retention-seek-snapshots/1")
def test_what_waits_for_its_back_off_is_dropped_too(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(**SHORT, retry_policy={"minimum_backoff": seconds(600)})
    topic.publish(b"m")
    pubsub.advance(1)
    subscription.take().nack()
    pubsub.advance(600)
    assert subscription.take_data() == []


@spec("retention-seek-snapshots/2")
def test_the_topics_longer_retention_keeps_them(pubsub: Pubsub) -> None:
    topic = pubsub.topic(message_retention_duration=seconds(1_200))
    subscription = pubsub.subscription(topic, **SHORT)
    assert subscription.get().topic_message_retention_duration.seconds == 1_200
    topic.publish(b"m")
    pubsub.advance(1_199.999)
    assert subscription.take_data() == [b"m"]
    pubsub.advance(0.001)
    pubsub.advance(10)
    assert subscription.take_data() == []


@spec("retention-seek-snapshots/3")
@pytest.mark.parametrize("exactly_once", [False, True])
def test_the_ack_of_what_was_dropped(pubsub: Pubsub, exactly_once: bool) -> None:
    topic, subscription = pubsub.pair(**SHORT, enable_exactly_once_delivery=exactly_once)
    topic.publish(b"m")
    pubsub.advance(599)
    delivery = subscription.take()
    pubsub.advance(1)
    if exactly_once:
        assert list(subscription.refuses_ack(delivery).failed) == [delivery.ack_id]
    else:
        delivery.ack()


@spec("retention-seek-snapshots/4")
def test_a_shorter_retention_counts_at_once(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"old")
    pubsub.advance(1_000)
    topic.publish(b"new")
    subscription.update("message_retention_duration", message_retention_duration=seconds(600))
    assert subscription.take_data() == [b"new"]


@spec("retention-seek-snapshots/4")
def test_a_longer_retention_keeps_what_is_still_there(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(**SHORT)
    topic.publish(b"m")
    pubsub.advance(599)
    subscription.update("message_retention_duration", message_retention_duration=seconds(1_200))
    pubsub.advance(600)
    assert subscription.take_data() == [b"m"]


@spec("retention-seek-snapshots/5")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("retains", [True, False])
def test_acked_messages_can_be_sought_back_where_they_are_retained(pubsub: Pubsub, kind: dict[str, Any], retains: bool) -> None:
    topic, subscription = pubsub.pair(retain_acked_messages=retains, **SHORT, **kind)
    start = pubsub.now()
    topic.publish(b"a")
    pubsub.advance(300)
    topic.publish(b"b")
    assert subscription.ack_all() == [b"a", b"b"]
    pubsub.advance(299.999)
    subscription.seek_to(start)
    assert subscription.ack_all() == ([b"a", b"b"] if retains else [])
    pubsub.advance(0.001)
    subscription.seek_to(start)
    assert subscription.ack_all() == ([b"b"] if retains else [])
    pubsub.advance(300)
    subscription.seek_to(start)
    assert subscription.ack_all() == []


@spec("retention-seek-snapshots/6")
@pytest.mark.parametrize("kind", KINDS)
def test_switching_it_on_counts_for_acks_from_then_on(pubsub: Pubsub, kind: dict[str, Any]) -> None:
    topic, subscription = pubsub.pair(**kind)
    start = pubsub.now()
    topic.publish(b"acked before", b"held", b"waiting")
    before, held, *_ = subscription.pull(2)
    before.ack()
    subscription.update("retain_acked_messages", retain_acked_messages=True)
    held.ack()
    assert subscription.ack_all() == [b"waiting"]
    subscription.seek_to(start)
    assert subscription.take_data() == [b"held", b"waiting"]


@spec("retention-seek-snapshots/6")
def test_switching_it_off_drops_what_it_kept(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(retain_acked_messages=True)
    start = pubsub.now()
    topic.publish(b"m")
    subscription.ack_all()
    subscription.update("retain_acked_messages")
    subscription.update("retain_acked_messages", retain_acked_messages=True)
    subscription.seek_to(start)
    assert subscription.take_data() == []


@spec("retention-seek-snapshots/7")
@pytest.mark.parametrize("kind", KINDS)
def test_a_topic_keeps_messages_for_subscriptions_that_come_later(pubsub: Pubsub, kind: dict[str, Any]) -> None:
    topic = pubsub.topic(message_retention_duration=seconds(600))
    start = pubsub.now()
    topic.publish(b"nobody was there")
    pubsub.advance(1)
    subscription = pubsub.subscription(topic, **kind)
    assert subscription.take_data() == []
    topic.publish(b"since")
    assert subscription.ack_all() == [b"since"]
    subscription.seek_to(start)
    assert subscription.ack_all() == [b"nobody was there", b"since"]
    pubsub.advance(599)
    subscription.seek_to(start)
    assert subscription.ack_all() == [b"since"]
    pubsub.advance(1)
    subscription.seek_to(start)
    assert subscription.ack_all() == []


@spec("retention-seek-snapshots/7")
@pytest.mark.parametrize(("span", "is_good"), [(599.999, False), (600, True), (31 * DAY_S, True), (31 * DAY_S + 0.001, False)])
def test_a_topics_retention_is_10_minutes_to_31_days(pubsub: Pubsub, span: float, is_good: bool) -> None:
    if is_good:
        assert pubsub.topic(message_retention_duration=seconds(span)).get().message_retention_duration.ToNanoseconds() == span * SECOND
        return
    error = pubsub.refuses("CreateTopic", api.Topic(name="projects/p/topics/refused", message_retention_duration=seconds(span)))
    assert error.code == "INVALID_ARGUMENT"
    assert "must be between 10m and 744h" in error.text


@spec("retention-seek-snapshots/8")
def test_taking_a_topics_retention_away_drops_what_only_it_kept(pubsub: Pubsub) -> None:
    topic = pubsub.topic(message_retention_duration=days(1))
    subscription = pubsub.subscription(topic)
    start = pubsub.now()
    topic.publish(b"acked")
    subscription.ack_all()
    topic.publish(b"unacked")
    topic.update("message_retention_duration")
    assert not subscription.get().HasField("topic_message_retention_duration")
    topic.update("message_retention_duration", message_retention_duration=days(1))
    subscription.seek_to(start)
    assert subscription.take_data() == [b"unacked"]


# seek


@spec("retention-seek-snapshots/9")
@pytest.mark.parametrize("kind", KINDS)
def test_a_seek_splits_messages_at_its_time(pubsub: Pubsub, kind: dict[str, Any]) -> None:
    topic, subscription = pubsub.pair(retain_acked_messages=True, **kind)
    times = []
    for number in range(4):
        times.append(pubsub.now())
        topic.publish(b"%d" % number)
        pubsub.advance(1)
    subscription.pull(3)[1].ack()
    for since, left in (
        (times[1], [b"1", b"2", b"3"]),
        (times[1] + 1, [b"2", b"3"]),
        (times[0], [b"0", b"1", b"2", b"3"]),
        (1, [b"0", b"1", b"2", b"3"]),
    ):
        subscription.seek_to(since)
        assert subscription.take_data() == left


@spec("retention-seek-snapshots/9")
def test_a_publish_time_that_was_read_finds_its_message(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(retain_acked_messages=True)
    pubsub.advance(0.0004999)
    topic.publish(b"before")
    pubsub.advance(1)
    topic.publish(b"this one")
    delivery = subscription.pull()[1]
    subscription.seek_to(delivery.message.publish_time.ToNanoseconds())
    assert subscription.take_data() == [b"this one"]


@spec("retention-seek-snapshots/10")
@pytest.mark.parametrize("kind", KINDS)
def test_a_seek_to_the_future_acks_all_there_is_and_nothing_later(pubsub: Pubsub, kind: dict[str, Any]) -> None:
    topic, subscription = pubsub.pair(**kind)
    topic.publish(b"held", b"waiting")
    subscription.pull(1)
    subscription.seek_to(pubsub.now() + 3600 * SECOND)
    pubsub.advance(10)
    assert subscription.take_data() == []
    topic.publish(b"later")
    assert subscription.take_data() == [b"later"]


@spec("retention-seek-snapshots/11")
@pytest.mark.parametrize("kind", KINDS)
def test_ack_ids_from_before_a_seek_mean_nothing(pubsub: Pubsub, kind: dict[str, Any]) -> None:
    topic, subscription = pubsub.pair(**kind)
    start = pubsub.now()
    topic.publish(b"a", b"b")
    old = subscription.pull()
    subscription.seek_to(start)
    if kind.get("enable_exactly_once_delivery"):
        assert sorted(subscription.refuses_ack(*old).failed) == sorted(each.ack_id for each in old)
    else:
        subscription.ack(*old)
        subscription.nack(*old)
    new = subscription.pull()
    assert [each.data for each in new] == [b"a", b"b"]
    assert not {each.ack_id for each in old} & {each.ack_id for each in new}
    pubsub.advance(9.999)
    assert subscription.take_data() == []


@spec("retention-seek-snapshots/11")
def test_a_seek_makes_room_on_streams_and_in_keys(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(enable_message_ordering=True)
    start = pubsub.now()
    topic.publish(b"a1", b"a2", key="a")
    subscription.pull(1)
    assert subscription.take_data() == []
    subscription.seek_to(start)
    assert subscription.take_data() == [b"a1", b"a2"]


@spec("retention-seek-snapshots/12")
def test_a_seek_is_done_when_it_is_answered_and_concerns_nobody_else(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    other = pubsub.subscription(topic)
    topic.publish(b"m")
    held = other.take()
    subscription.seek_to(pubsub.now() + SECOND)
    assert subscription.take_data() == []
    held.nack()
    assert other.take_data() == [b"m"]


@spec("retention-seek-snapshots/12")
def test_a_pull_that_waits_gets_what_a_seek_brings_back(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(retain_acked_messages=True)
    start = pubsub.now()
    topic.publish(b"m")
    subscription.ack_all()
    waiting = subscription.waiting_pull()
    subscription.seek_to(start)
    assert waiting.data() == [b"m"]


@spec("retention-seek-snapshots/13")
def test_a_seek_that_names_nothing_or_what_is_not_there(pubsub: Pubsub) -> None:
    _, subscription = pubsub.pair()
    now = known.Timestamp(seconds=1)
    for request, code in (
        (api.SeekRequest(subscription=subscription.name), "INVALID_ARGUMENT"),
        (api.SeekRequest(subscription="projects/p/subscriptions/absent", time=now), "NOT_FOUND"),
        (api.SeekRequest(subscription=subscription.name, snapshot="projects/p/snapshots/absent"), "NOT_FOUND"),
        (api.SeekRequest(subscription=subscription.name, snapshot="projects/p/topics/wrong"), "INVALID_ARGUMENT"),
    ):
        assert pubsub.refuses("Seek", request).code == code
    snapshot = subscription.snapshot()
    subscription.detach()
    for request in (
        api.SeekRequest(subscription=subscription.name, time=now),
        api.SeekRequest(subscription=subscription.name, snapshot=snapshot.name),
    ):
        assert pubsub.refuses("Seek", request).code == "FAILED_PRECONDITION"


# snapshots


@spec("retention-seek-snapshots/14", "retention-seek-snapshots/15")
@pytest.mark.parametrize("kind", KINDS)
def test_a_snapshot_brings_back_what_was_unacked_and_everything_since(pubsub: Pubsub, kind: dict[str, Any]) -> None:
    topic, subscription = pubsub.pair(**kind)
    topic.publish(b"acked", b"held", b"waiting")
    subscription.pull(2)[0].ack()
    snapshot = subscription.snapshot()
    topic.publish(b"since")
    pubsub.advance(10)
    for _ in range(2):
        subscription.ack_all()
        subscription.seek_to_snapshot(snapshot)
        assert subscription.take_data() == [b"held", b"waiting", b"since"]


@spec("retention-seek-snapshots/15")
def test_the_rest_is_acked(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    behind = pubsub.subscription(topic)
    topic.publish(b"a", b"b")
    subscription.ack_all()
    snapshot = subscription.snapshot()
    topic.publish(b"c")
    behind.seek_to_snapshot(snapshot)
    assert behind.take_data() == [b"c"]


@spec("retention-seek-snapshots/15")
def test_a_snapshot_serves_the_subscriptions_of_its_topic_in_any_project_and_no_others(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"m")
    snapshot = subscription.snapshot("projects/elsewhere/snapshots/of-p")
    assert snapshot.topic == topic.name
    stranger = pubsub.subscription(pubsub.topic())
    request = api.SeekRequest(subscription=stranger.name, snapshot=snapshot.name)
    error = pubsub.refuses("Seek", request)
    assert error.code == "INVALID_ARGUMENT"
    assert topic.name in error.text
    elsewhere = pubsub.subscription(topic, "projects/elsewhere/subscriptions/late")
    elsewhere.seek_to_snapshot(snapshot)
    assert elsewhere.take_data() == [b"m"]


def age_of(snapshot: api.Snapshot, pubsub: Pubsub) -> float:
    """Give in how many seconds a snapshot expires."""
    return (snapshot.expire_time.ToNanoseconds() - pubsub.now()) / SECOND


@spec("retention-seek-snapshots/16")
@pytest.mark.parametrize("kind", KINDS)
def test_a_snapshot_expires_7_days_after_its_oldest_message(pubsub: Pubsub, kind: dict[str, Any]) -> None:
    topic, subscription = pubsub.pair(message_retention_duration=days(10), **kind)
    assert age_of(subscription.snapshot(), pubsub) == 7 * DAY_S
    topic.publish(b"held")
    pubsub.advance(DAY_S)
    topic.publish(b"waiting")
    held = subscription.pull(1)[0]
    assert age_of(subscription.snapshot(), pubsub) == 6 * DAY_S
    held.ack()
    pubsub.advance(DAY_S)
    assert age_of(subscription.snapshot(), pubsub) == 6 * DAY_S, "the oldest is the one that waits now"
    subscription.ack_all()
    assert age_of(subscription.snapshot(), pubsub) == 7 * DAY_S


@spec("retention-seek-snapshots/17")
@pytest.mark.parametrize(("left_s", "is_good"), [(3_601, True), (3_600, True), (3_599, False)])
def test_a_snapshot_has_an_hour_before_it(pubsub: Pubsub, left_s: int, is_good: bool) -> None:
    topic, subscription = pubsub.pair(message_retention_duration=days(10))
    topic.publish(b"m")
    pubsub.advance(7 * DAY_S - left_s)
    request = api.CreateSnapshotRequest(name="projects/p/snapshots/late", subscription=subscription.name)
    if is_good:
        assert age_of(pubsub.call("CreateSnapshot", request), pubsub) == left_s
    else:
        error = pubsub.refuses("CreateSnapshot", request)
        assert error.code == "FAILED_PRECONDITION"
        assert pubsub.refuses("GetSnapshot", api.GetSnapshotRequest(snapshot=request.name)).code == "NOT_FOUND"


@spec("retention-seek-snapshots/18")
def test_a_snapshot_holds_its_messages_beyond_acks_and_retention_and_ends_at_its_time(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(**SHORT)
    topic.publish(b"m")
    snapshot = subscription.snapshot()
    topic.publish(b"since")
    subscription.ack_all()
    pubsub.advance(3 * DAY_S)
    subscription.update("message_retention_duration", message_retention_duration=days(7))
    subscription.seek_to_snapshot(snapshot)
    assert subscription.take_data() == [b"m", b"since"]
    pubsub.advance(4 * DAY_S - 0.001)
    shown = pubsub.call("GetSnapshot", api.GetSnapshotRequest(snapshot=snapshot.name))
    assert shown == snapshot
    pubsub.advance(0.001)
    assert pubsub.refuses("GetSnapshot", api.GetSnapshotRequest(snapshot=snapshot.name)).code == "NOT_FOUND"
    assert pubsub.refuses("Seek", api.SeekRequest(subscription=subscription.name, snapshot=snapshot.name)).code == "NOT_FOUND"
    assert not pubsub.call("ListTopicSnapshots", api.ListTopicSnapshotsRequest(topic=topic.name)).snapshots


@spec("retention-seek-snapshots/18")
def test_a_deleted_snapshot_is_gone_and_its_name_is_free(pubsub: Pubsub) -> None:
    _, subscription = pubsub.pair()
    snapshot = subscription.snapshot()
    pubsub.call("DeleteSnapshot", api.DeleteSnapshotRequest(snapshot=snapshot.name))
    assert pubsub.refuses("DeleteSnapshot", api.DeleteSnapshotRequest(snapshot=snapshot.name)).code == "NOT_FOUND"
    assert subscription.snapshot(snapshot.name).name == snapshot.name


def update(pubsub: Pubsub, snapshot: api.Snapshot, *paths: str, **fields: Any) -> api.UpdateSnapshotRequest:
    """Give a request that changes a snapshot."""
    return api.UpdateSnapshotRequest(snapshot=api.Snapshot(name=snapshot.name, **fields), update_mask=known.FieldMask(paths=paths))


@spec("retention-seek-snapshots/19")
def test_labels_and_the_end_of_a_snapshot_can_be_changed(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"m")
    pubsub.advance(DAY_S)
    snapshot = subscription.snapshot(labels={"a": "b"})
    assert dict(snapshot.labels) == {"a": "b"}
    sooner = known.Timestamp(seconds=pubsub.now() // SECOND + 10)
    changed = pubsub.call("UpdateSnapshot", update(pubsub, snapshot, "labels", "expire_time", labels={"c": "d"}, expire_time=sooner))
    assert (dict(changed.labels), changed.expire_time) == ({"c": "d"}, sooner)
    pubsub.advance(9.999)
    assert pubsub.call("GetSnapshot", api.GetSnapshotRequest(snapshot=snapshot.name)) == changed
    pubsub.advance(0.001)
    assert pubsub.refuses("GetSnapshot", api.GetSnapshotRequest(snapshot=snapshot.name)).code == "NOT_FOUND"


@spec("retention-seek-snapshots/19")
@pytest.mark.parametrize(("at_s", "is_good"), [(-1, False), (0, False), (1, True), (6 * DAY_S, True), (6 * DAY_S + 1, False)])
def test_its_end_is_in_the_future_and_not_after_7_days_from_its_oldest_message(pubsub: Pubsub, at_s: int, is_good: bool) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"m")
    pubsub.advance(DAY_S)
    snapshot = subscription.snapshot()
    request = update(pubsub, snapshot, "expire_time", expire_time=known.Timestamp(seconds=pubsub.now() // SECOND + at_s))
    if is_good:
        assert pubsub.call("UpdateSnapshot", request).expire_time == request.snapshot.expire_time
    else:
        assert pubsub.refuses("UpdateSnapshot", request).code == "INVALID_ARGUMENT"
        assert pubsub.call("GetSnapshot", api.GetSnapshotRequest(snapshot=snapshot.name)) == snapshot


@spec("retention-seek-snapshots/19")
@pytest.mark.parametrize(
    ("paths", "complaint"), [((), "non-empty paths list"), (("topic",), "'topic'"), (("labelz",), "labelz"), (("name",), "'name'")]
)
def test_nothing_else_of_a_snapshot_can(pubsub: Pubsub, paths: tuple[str, ...], complaint: str) -> None:
    _, subscription = pubsub.pair()
    snapshot = subscription.snapshot()
    error = pubsub.refuses("UpdateSnapshot", update(pubsub, snapshot, *paths))
    assert error.code == "INVALID_ARGUMENT"
    assert complaint in error.text
    assert "UpdateSnapshotRequest" in error.text


@spec("retention-seek-snapshots/20")
def test_a_snapshot_outlives_its_subscription(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"m")
    snapshot = subscription.snapshot()
    subscription.delete()
    topic.publish(b"since")
    other = pubsub.subscription(topic)
    other.seek_to_snapshot(snapshot)
    assert other.take_data() == [b"m", b"since"]


@spec("retention-seek-snapshots/20")
def test_a_snapshot_of_a_deleted_topic_serves_the_subscriptions_of_that_topic(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"m")
    snapshot = subscription.snapshot()
    subscription.ack_all()
    topic.delete()
    assert pubsub.call("GetSnapshot", api.GetSnapshotRequest(snapshot=snapshot.name)).topic == "_deleted-topic_"
    subscription.seek_to_snapshot(snapshot)
    assert subscription.take_data() == [b"m"]
    pubsub.topic(topic.name)
    newcomer: Subscription = pubsub.subscription(topic)
    assert pubsub.refuses("Seek", api.SeekRequest(subscription=newcomer.name, snapshot=snapshot.name)).code == "INVALID_ARGUMENT"
