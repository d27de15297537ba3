"""Seek and snapshots: the backlog becomes another one, at one instant, and nobody else notices."""

from collections.abc import Callable
from typing import Any

import pytest

from publican_emulator.broker.backlog import Backlog
from publican_emulator.broker.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from publican_emulator.broker.instants import DAY, HOUR, MINUTE, SECOND, Nanos
from publican_emulator.broker.log import Segment
from publican_emulator.broker.settings import RetryPolicy, SubscriptionSettings
from tests.broker.bench import NOON, SNAPSHOT, SUBSCRIPTION, TOPIC, Bench, data

FORMS: list[dict[str, Any]] = [{}, {"filter": "attributes:kind"}, {"enable_message_ordering": True}]
forms = pytest.mark.parametrize("form", FORMS, ids=["plain", "filtered", "ordered"])
OTHER = "projects/p/subscriptions/other"


def three(bench: Bench) -> None:
    """Publish three messages a second apart."""
    for name in ("one", "two", "three"):
        bench.publish(name, kind="x", key="")
        bench.advance(1)


def to_snapshot(bench: Bench, *, of: str = SUBSCRIPTION, snapshot: str = SNAPSHOT) -> None:
    bench.broker.seek_to_snapshot(of, snapshot, bench.now)


# to a time


@forms
@pytest.mark.parametrize(
    ("to_s", "left"),
    [(-1, ["one", "two", "three"]), (0, ["one", "two", "three"]), (0.001, ["two", "three"]), (1, ["two", "three"]), (2.001, []), (10_000, [])],
)
@pytest.mark.parametrize("fate", ["waiting", "leased", "acked", "delayed"])
def test_what_was_published_at_that_time_or_later_is_unacked_and_the_rest_acked(
    empty: Bench, form: dict[str, Any], to_s: float, left: list[str], fate: str
) -> None:
    empty.subscription(retain_acked_messages=True, retry=RetryPolicy(Nanos(600 * SECOND), Nanos(600 * SECOND)), **form)
    three(empty)
    got = [] if fate == "waiting" else empty.pull()
    if fate == "acked":
        empty.ack(*got)
    elif fate == "delayed":
        empty.nack(*got)
    empty.seek(to_s)
    assert data(empty.pull()) == left
    empty.advance(1_000)
    assert data(empty.pull()) == left


@forms
def test_what_is_published_after_a_seek_into_the_future_is_delivered(empty: Bench, form: dict[str, Any]) -> None:
    empty.subscription(**form)
    three(empty)
    empty.seek(10_000)
    empty.publish("four", kind="x")
    assert data(empty.pull()) == ["four"]


@forms
def test_a_seek_ends_leases_and_no_id_from_before_means_anything(empty: Bench, form: dict[str, Any]) -> None:
    empty.subscription(**form)
    three(empty)
    first, second, third = empty.pull()
    empty.seek(0)
    empty.ack(first)
    empty.nack(second)
    empty.extend(third, seconds=600)
    again = empty.pull()
    assert data(again) == ["one", "two", "three"]
    assert not {each.ack_id for each in again} & {first.ack_id, second.ack_id, third.ack_id}
    empty.nack(second)
    assert data(empty.pull()) == []


@forms
def test_attempts_and_back_off_begin_anew(empty: Bench, form: dict[str, Any]) -> None:
    empty.subscription(retry=RetryPolicy(Nanos(10 * SECOND), Nanos(600 * SECOND)), **form)
    empty.publish("one", kind="x")
    for wait_s in (10, 20):
        empty.nack(*empty.pull())
        empty.advance(wait_s)
    empty.nack(*empty.pull())
    empty.seek(0)
    empty.nack(*empty.pull())
    empty.advance(10)
    assert data(empty.pull()) == ["one"]


@forms
def test_a_seek_frees_the_credit_of_streams_and_wakes_them(empty: Bench, form: dict[str, Any]) -> None:
    empty.subscription(**form)
    three(empty)
    stream = empty.stream(most=1, most_bytes=1_000)
    assert data(empty.take(stream)) == ["one"]
    empty.want(stream)
    assert empty.told() == []
    empty.seek(0)
    assert (stream.outstanding, stream.outstanding_bytes) == (0, 0)
    assert empty.told() == [stream]
    assert data(empty.take(stream)) == ["one"]


@forms
def test_a_seek_of_one_subscription_leaves_the_others_alone(empty: Bench, form: dict[str, Any]) -> None:
    empty.subscription(**form)
    empty.subscription(OTHER, **form)
    three(empty)
    got = empty.pull(of=OTHER)
    empty.seek(10_000)
    empty.ack(got[0], of=OTHER)
    empty.advance(10)
    assert data(empty.pull(of=OTHER)) == ["two", "three"]


def test_keys_are_in_publish_order_after_a_seek(empty: Bench) -> None:
    empty.subscription(enable_message_ordering=True, retain_acked_messages=True)
    empty.publish("a1", key="a")
    empty.publish("b1", key="b")
    empty.publish("a2", key="a")
    empty.ack(*empty.pull())
    empty.seek(0)
    first = empty.pull(1)
    assert data(first) == ["a1"]
    assert data(empty.pull()) == ["b1"]
    empty.ack(*first)
    assert data(empty.pull()) == ["a2"]


@forms
def test_seeking_again_and_again_finds_the_same_messages(empty: Bench, form: dict[str, Any]) -> None:
    empty.subscription(retain_acked_messages=True, **form)
    three(empty)
    for to_s, left in [(1, 2), (0, 3), (5, 0), (2, 1), (0, 3)]:
        empty.seek(to_s)
        got = empty.pull()
        assert len(got) == left
        if got:
            empty.ack(got[0])


def test_messages_that_were_kept_behind_a_snapshots_front_come_back_too(empty: Bench) -> None:
    """m1 is older than what is kept, m2 is kept, and the snapshot has m1 and what follows m2."""
    empty.subscription()
    empty.publish("one")
    (one,) = empty.pull()
    empty.broker.update_subscription(SUBSCRIPTION, SubscriptionSettings(retain_acked_messages=True), empty.now)
    empty.publish("two")
    (two,) = empty.pull()
    empty.ack(two)
    empty.extend(one, seconds=60)
    empty.snapshot()
    to_snapshot(empty)
    assert data(empty.pull()) == ["one"]
    empty.seek(0)
    assert data(empty.pull()) == ["one", "two"]


# to a snapshot


@forms
def test_a_snapshot_has_what_was_unacked_and_what_is_published_later(empty: Bench, form: dict[str, Any]) -> None:
    empty.subscription(**form)
    empty.publish("acked", "leased", "waiting", kind="x")
    acked, _ = empty.pull(2)
    empty.ack(acked)
    empty.snapshot()
    empty.publish("later", kind="x")
    empty.advance(10)
    empty.ack(*empty.pull())
    assert data(empty.pull()) == []
    to_snapshot(empty)
    assert data(empty.pull()) == ["leased", "waiting", "later"]


@forms
def test_a_snapshot_can_be_used_more_than_once(empty: Bench, form: dict[str, Any]) -> None:
    empty.subscription(**form)
    three(empty)
    empty.snapshot()
    for _ in range(2):
        empty.ack(*empty.pull())
        to_snapshot(empty)
    assert data(empty.pull()) == ["one", "two", "three"]


@forms
@pytest.mark.parametrize("other", FORMS, ids=["to plain", "to filtered", "to ordered"])
def test_a_snapshot_serves_other_subscriptions_of_its_topic_by_their_own_filter(empty: Bench, form: dict[str, Any], other: dict[str, Any]) -> None:
    empty.subscription(**form)
    empty.subscription(OTHER, **other)
    empty.publish("plain")
    empty.publish("kind", kind="x")
    empty.snapshot()
    empty.ack(*empty.pull(of=OTHER), of=OTHER)
    to_snapshot(empty, of=OTHER)
    passes = "filter" in form or "filter" in other
    assert data(empty.pull(of=OTHER)) == (["kind"] if passes else ["plain", "kind"])


@forms
def test_a_snapshot_outlives_its_subscription_and_serves_the_next(empty: Bench, form: dict[str, Any]) -> None:
    empty.subscription(**form)
    three(empty)
    empty.snapshot()
    empty.broker.delete_subscription(SUBSCRIPTION, empty.now)
    empty.publish("four", kind="x")
    empty.subscription(OTHER, **form)
    to_snapshot(empty, of=OTHER)
    assert data(empty.pull(of=OTHER)) == ["one", "two", "three", "four"]


def test_a_snapshot_of_a_snapshot_holds_the_same(empty: Bench) -> None:
    empty.subscription()
    empty.publish("one", "two", "three")
    got = empty.pull()
    empty.ack(got[1])
    empty.snapshot()
    empty.ack(got[0], got[2])
    to_snapshot(empty)
    empty.snapshot("projects/p/snapshots/second")
    empty.ack(*empty.pull())
    to_snapshot(empty, snapshot="projects/p/snapshots/second")
    assert data(empty.pull()) == ["one", "three"]


def test_a_snapshot_belongs_to_a_topic_not_to_its_name(empty: Bench) -> None:
    empty.subscription()
    empty.publish("old")
    empty.snapshot()
    empty.broker.delete_topic(TOPIC, empty.now)
    empty.topic()
    empty.subscription(OTHER)
    with pytest.raises(InvalidArgument, match="belongs to the topic _deleted-topic_"):
        to_snapshot(empty, of=OTHER)
    empty.ack(*empty.pull())
    to_snapshot(empty)
    assert data(empty.pull()) == ["old"]


def test_a_snapshot_of_another_topic_is_refused_and_nothing_changes(empty: Bench) -> None:
    empty.subscription()
    empty.subscription(OTHER, topic="projects/p/topics/other")
    empty.publish("one")
    empty.snapshot(of=OTHER)
    with pytest.raises(InvalidArgument):
        to_snapshot(empty)
    assert data(empty.pull()) == ["one"]


@pytest.mark.parametrize("what", ["subscription", "snapshot"])
def test_what_does_not_exist_is_not_found(bench: Bench, what: str) -> None:
    bench.snapshot()
    names = {"subscription": SUBSCRIPTION, "snapshot": SNAPSHOT} | {what: f"projects/p/{what}s/none"}
    with pytest.raises(NotFound, match="none"):
        bench.broker.seek_to_snapshot(names["subscription"], names["snapshot"], bench.now)


# the life of a snapshot


@pytest.mark.parametrize("fate", ["waiting", "leased"])
def test_a_snapshot_expires_7_days_after_its_oldest_unacked_message(bench: Bench, fate: str) -> None:
    bench.publish("old")
    bench.publish("young")
    bench.advance(DAY / SECOND)
    if fate == "leased":
        bench.pull()
    assert bench.snapshot().expire_time == NOON + 7 * DAY


def test_a_snapshot_of_an_empty_backlog_lives_7_days(bench: Bench) -> None:
    bench.publish("acked")
    bench.advance(HOUR / SECOND)
    bench.ack(*bench.pull())
    assert bench.snapshot().expire_time == bench.now + 7 * DAY


@pytest.mark.parametrize(("age", "is_good"), [(7 * DAY - HOUR - SECOND, True), (7 * DAY - HOUR, True), (7 * DAY - HOUR + SECOND, False)])
def test_a_snapshot_must_have_an_hour_before_it(empty: Bench, age: int, is_good: bool) -> None:
    empty.subscription(message_retention=Nanos(10 * DAY))
    empty.publish("old")
    empty.advance(age / SECOND)
    if is_good:
        assert empty.snapshot().expire_time == NOON + 7 * DAY
    else:
        with pytest.raises(FailedPrecondition, match="59m59s"):
            empty.snapshot()
        assert empty.broker.list_snapshots("projects/p", empty.now) == []


@pytest.mark.parametrize(("off_s", "is_there"), [(-0.001, True), (0, False), (0.001, False)])
def test_a_snapshot_is_gone_at_its_expire_time(bench: Bench, off_s: float, is_there: bool) -> None:
    bench.snapshot()
    bench.advance(7 * DAY / SECOND + off_s)
    assert bench.broker.list_topic_snapshots(TOPIC, bench.now) == ([SNAPSHOT] if is_there else [])
    if not is_there:
        with pytest.raises(NotFound):
            bench.broker.get_snapshot(SNAPSHOT, bench.now)


def test_what_only_a_snapshot_kept_is_gone_with_it(bench: Bench) -> None:
    bench.publish("one")
    bench.snapshot()
    bench.ack(*bench.pull())
    bench.broker.delete_snapshot(SNAPSHOT, bench.now)
    bench.seek(0)
    assert data(bench.pull()) == []


@pytest.mark.parametrize(("to", "is_good"), [(0, False), (1, True), (7 * DAY, True), (7 * DAY + 1, False)])
def test_the_end_of_a_snapshot_may_be_moved_within_its_bounds(bench: Bench, to: int, is_good: bool) -> None:
    bench.publish("one")
    snapshot = bench.snapshot()
    bench.advance(60)
    before = snapshot.expire_time
    to = bench.now if not to else bench.now + to if to == 1 else NOON + to
    if is_good:
        bench.broker.update_snapshot(SNAPSHOT, {"a": "b"}, Nanos(to), bench.now)
        assert (snapshot.expire_time, snapshot.labels) == (to, {"a": "b"})
        bench.now = Nanos(to)
        assert bench.broker.list_snapshots("projects/p", bench.now) == []
    else:
        with pytest.raises(InvalidArgument, match=r"snapshot\.expire_time"):
            bench.broker.update_snapshot(SNAPSHOT, {"a": "b"}, Nanos(to), bench.now)
        assert (snapshot.expire_time, dict(snapshot.labels)) == (before, {})


def test_a_name_that_is_taken_is_refused(bench: Bench) -> None:
    bench.snapshot()
    with pytest.raises(AlreadyExists):
        bench.snapshot()


def test_a_deleted_topic_leaves_its_snapshots_under_no_name(bench: Bench) -> None:
    snapshot = bench.snapshot()
    bench.broker.delete_topic(TOPIC, bench.now)
    assert snapshot.topic_name == "_deleted-topic_"
    assert bench.broker.list_snapshots("projects/p", bench.now) == [snapshot]


@pytest.mark.parametrize(
    "call",
    [lambda bench: bench.seek(0), to_snapshot, lambda bench: bench.snapshot("projects/p/snapshots/second")],
    ids=["seek to time", "seek to snapshot", "snapshot"],
)
def test_a_detached_subscription_can_neither_seek_nor_be_remembered(bench: Bench, call: Callable[[Bench], object]) -> None:
    bench.snapshot()
    bench.broker.detach_subscription(SUBSCRIPTION, bench.now)
    with pytest.raises(FailedPrecondition):
        call(bench)


def test_seeking_copies_no_message(empty: Bench) -> None:
    """The backlog becomes a place in the log that is there already, found by bisection: a million retained messages cost a search."""
    empty.subscription(retain_acked_messages=True)
    for _ in range(40):
        empty.publish(*["x"] * 1_000)
        empty.advance(1)
    while got := empty.pull():
        empty.ack(*got)
    subscription = empty.broker.get_subscription(SUBSCRIPTION, empty.now)
    empty.seek(20)
    assert isinstance(subscription.backlog, Backlog)
    assert subscription.backlog.waiting(1_000_000) == 20_000
    assert subscription.retention.kept is not None
    there = _segments(subscription.retention.kept.segment)
    assert all(segment in there for segment in _segments(subscription.backlog.cursor.segment))


def _segments(segment: Segment | None) -> list[Segment]:
    found = []
    while segment is not None:
        found.append(segment)
        segment = segment.next
    return found


def test_a_long_kept_past_is_dropped_in_time_after_a_seek(empty: Bench) -> None:
    empty.subscription(retain_acked_messages=True, message_retention=Nanos(10 * MINUTE))
    three(empty)
    empty.ack(*empty.pull())
    empty.seek(0)
    empty.advance(598)
    assert data(empty.pull()) == ["three"]
