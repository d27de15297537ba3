"""Retention: how long a message is kept, unacked or acked."""

import pytest

from publican_emulator.broker.events import Kind
from publican_emulator.broker.instants import DAY, MINUTE, SECOND, Nanos
from publican_emulator.broker.settings import DeadLetterPolicy, RetryPolicy, SubscriptionSettings, TopicSettings
from tests.broker.bench import SUBSCRIPTION, TOPIC, Bench, data, message

TEN_MINUTES = Nanos(10 * MINUTE)
FORMS = [{}, {"filter": "attributes:kind"}, {"enable_message_ordering": True}]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("wait_s", "left"), [(599.999, ["old"]), (600, []), (600.001, [])])
def test_a_waiting_message_is_dropped_exactly_when_it_is_too_old(empty: Bench, form: dict[str, str], wait_s: float, left: list[str]) -> None:
    empty.subscription(message_retention=TEN_MINUTES, **form)
    empty.publish("old", kind="x")
    empty.advance(wait_s)
    assert data(empty.pull()) == left


@pytest.mark.parametrize("form", FORMS)
def test_age_counts_from_the_publish_time_which_has_milliseconds(empty: Bench, form: dict[str, str]) -> None:
    empty.now = Nanos(empty.now + 999_999)
    empty.subscription(message_retention=TEN_MINUTES, **form)
    empty.publish("old", kind="x")
    empty.now = Nanos(empty.now - 999_999 + 600 * SECOND)
    assert data(empty.pull()) == []


def test_messages_are_dropped_one_publish_after_the_other(empty: Bench) -> None:
    empty.subscription(message_retention=TEN_MINUTES)
    for name in ("a", "b", "c"):
        empty.publish(name)
        empty.advance(60)
    empty.advance(600 - 120)
    assert data(empty.pull()) == ["c"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("visits", [True, False])
def test_a_leased_message_that_grows_too_old_is_gone(empty: Bench, form: dict[str, str], visits: bool) -> None:
    empty.subscription(message_retention=TEN_MINUTES, ack_deadline_s=600, **form)
    empty.publish("old", kind="x")
    empty.advance(300)
    (got,) = empty.pull()
    empty.publish("young", kind="x")
    (empty.advance if visits else empty.jump)(300)
    empty.ack(got)  # no error
    assert data(empty.pull()) == ["young"]


@pytest.mark.parametrize("form", FORMS)
def test_nothing_goes_wrong_when_a_lease_and_a_retention_end_unseen(empty: Bench, form: dict[str, str]) -> None:
    """The lease outlives the message; nobody looks until both are over."""
    empty.subscription(message_retention=TEN_MINUTES, ack_deadline_s=20, **form)
    empty.publish("old", "older", kind="x")
    empty.advance(590)
    empty.pull(1)
    empty.jump(3_600)
    assert data(empty.pull()) == []


def test_part_of_a_group_grows_too_old(empty: Bench) -> None:
    empty.subscription(message_retention=TEN_MINUTES, ack_deadline_s=600)
    empty.publish("old")
    empty.advance(60)
    empty.publish("young")
    old, young = empty.pull()
    empty.advance(540)
    empty.nack(old)
    empty.nack(young)
    assert data(empty.pull()) == ["young"]


def test_a_message_in_back_off_grows_too_old(empty: Bench) -> None:
    empty.subscription(message_retention=TEN_MINUTES, retry=RetryPolicy(Nanos(600 * SECOND), Nanos(600 * SECOND)))
    empty.publish("old")
    empty.advance(1)
    empty.nack(*empty.pull())
    empty.advance(600)
    assert data(empty.pull()) == []


def test_a_message_that_grew_too_old_is_not_dead_lettered(empty: Bench) -> None:
    empty.topic("projects/p/topics/dead")
    empty.subscription("projects/p/subscriptions/dead", topic="projects/p/topics/dead")
    empty.subscription(message_retention=TEN_MINUTES, dead_letter=DeadLetterPolicy("projects/p/topics/dead"))
    empty.publish("old")
    empty.pull()
    empty.advance(600)
    assert data(empty.pull(of="projects/p/subscriptions/dead")) == []


def test_a_dropped_message_frees_its_streams_credit(empty: Bench) -> None:
    empty.subscription(message_retention=TEN_MINUTES)
    stream = empty.stream(deadline=600, most=1)
    empty.publish("old")
    empty.advance(1)
    empty.publish("young")
    empty.take(stream)
    empty.want(stream)
    assert empty.told() == []
    empty.advance(599)
    assert empty.told() == [stream]
    assert data(empty.take(stream)) == ["young"]


def test_the_longer_of_topic_and_subscription_retention_counts(empty: Bench) -> None:
    empty.topic(message_retention=Nanos(20 * MINUTE))
    empty.subscription(message_retention=TEN_MINUTES)
    empty.publish("old")
    empty.advance(20 * 60 - 1)
    (got,) = empty.pull()
    empty.nack(got)
    empty.advance(1)
    assert data(empty.pull()) == []


def test_a_deleted_topics_retention_counts_no_more(empty: Bench) -> None:
    empty.topic(message_retention=Nanos(20 * MINUTE))
    empty.subscription(message_retention=TEN_MINUTES)
    empty.publish("old")
    empty.advance(11 * 60)
    empty.broker.delete_topic(TOPIC, empty.now)
    assert data(empty.pull()) == []


def test_a_shorter_retention_drops_at_once_what_is_beyond_it(empty: Bench) -> None:
    empty.subscription()
    empty.publish("old")
    empty.advance(600)
    empty.publish("young")
    empty.broker.update_subscription(SUBSCRIPTION, SubscriptionSettings(message_retention=TEN_MINUTES), empty.now)
    assert data(empty.pull()) == ["young"]


def test_a_longer_retention_keeps_what_is_there(empty: Bench) -> None:
    empty.subscription(message_retention=TEN_MINUTES)
    empty.publish("old")
    empty.broker.update_subscription(SUBSCRIPTION, SubscriptionSettings(), empty.now)
    empty.advance(3_600)
    assert data(empty.pull()) == ["old"]


def test_dropping_is_told_with_its_reason() -> None:
    bench = Bench(listens=True)
    bench.subscription(message_retention=TEN_MINUTES)
    bench.publish("waiting", "leased")
    bench.pull(1)
    bench.advance(600)
    (fact,) = bench.heard(Kind.DROPPED)
    assert len(fact.messages) == 2
    assert "retention" in fact.note


def test_nothing_is_due_in_a_subscription_that_has_never_had_a_message(empty: Bench) -> None:
    empty.subscription(message_retention=TEN_MINUTES, expiration_ttl=None)
    assert empty.broker.next_due() is None
    empty.publish("one")
    assert empty.broker.next_due() == empty.now + TEN_MINUTES


# acked messages


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("retain", [True, False])
def test_acked_messages_can_be_sought_back_only_where_they_are_retained(empty: Bench, form: dict[str, str], retain: bool) -> None:
    empty.subscription(retain_acked_messages=retain, **form)
    empty.publish("one", "two", kind="x")
    empty.ack(*empty.pull())
    empty.seek(0)
    assert data(empty.pull()) == (["one", "two"] if retain else [])


@pytest.mark.parametrize("form", FORMS)
def test_acked_messages_are_retained_as_long_as_unacked_ones(empty: Bench, form: dict[str, str]) -> None:
    empty.subscription(retain_acked_messages=True, message_retention=TEN_MINUTES, **form)
    empty.publish("old", kind="x")
    empty.advance(60)
    empty.publish("young", kind="x")
    empty.ack(*empty.pull())
    empty.advance(540)
    empty.seek(0)
    assert data(empty.pull()) == ["young"]


@pytest.mark.parametrize("form", FORMS)
def test_retaining_begins_with_the_acks_after_it_was_switched_on(empty: Bench, form: dict[str, str]) -> None:
    empty.subscription(**form)
    empty.publish("acked", "outstanding", kind="x")
    acked, outstanding = empty.pull()
    empty.ack(acked)
    empty.publish("waiting", kind="x")
    empty.broker.update_subscription(SUBSCRIPTION, SubscriptionSettings(retain_acked_messages=True, **form), empty.now)  # type: ignore[arg-type]
    empty.ack(outstanding)
    empty.publish("later", kind="x")
    empty.ack(*empty.pull())
    empty.seek(0)
    assert data(empty.pull()) == ["outstanding", "waiting", "later"]


@pytest.mark.parametrize("form", FORMS)
def test_switching_retaining_off_drops_what_was_acked_and_keeps_what_was_not(empty: Bench, form: dict[str, str]) -> None:
    empty.subscription(retain_acked_messages=True, **form)
    empty.publish("acked", "waiting", kind="x")
    empty.ack(*empty.pull(1))
    empty.broker.update_subscription(SUBSCRIPTION, SubscriptionSettings(**form), empty.now)  # type: ignore[arg-type]
    empty.seek(0)
    assert data(empty.pull()) == ["waiting"]


def test_messages_acked_outside_the_kept_part_are_forgotten_in_time(empty: Bench) -> None:
    empty.subscription(message_retention=TEN_MINUTES)
    empty.publish("outstanding")
    got = empty.pull()
    settings = SubscriptionSettings(retain_acked_messages=True, message_retention=TEN_MINUTES)
    subscription = empty.broker.update_subscription(SUBSCRIPTION, settings, empty.now)
    empty.ack(*got)
    assert len(subscription.retention.extras()) == 1
    empty.advance(600)
    assert subscription.retention.extras() == []
    empty.seek(0)
    assert data(empty.pull()) == []


@pytest.mark.parametrize("form", FORMS)
def test_messages_that_a_snapshot_brought_back_are_retained_when_they_are_acked_again(empty: Bench, form: dict[str, str]) -> None:
    empty.subscription(**form)
    empty.publish("one", "two", kind="x")
    empty.snapshot()
    empty.ack(*empty.pull())
    empty.broker.update_subscription(SUBSCRIPTION, SubscriptionSettings(retain_acked_messages=True, **form), empty.now)  # type: ignore[arg-type]
    empty.broker.seek_to_snapshot(SUBSCRIPTION, "projects/p/snapshots/monday", empty.now)
    empty.broker.delete_snapshot("projects/p/snapshots/monday", empty.now)
    empty.ack(*empty.pull())
    empty.seek(0)
    assert data(empty.pull()) == ["one", "two"]


@pytest.mark.parametrize("form", FORMS)
def test_messages_that_the_topic_brought_back_are_retained_when_they_are_acked_again(empty: Bench, form: dict[str, str]) -> None:
    empty.topic(message_retention=Nanos(DAY))
    empty.publish("one", "two", kind="x")
    empty.subscription(retain_acked_messages=True, **form)
    empty.seek(0)
    empty.ack(*empty.pull())
    empty.broker.update_topic(TOPIC, TopicSettings(), empty.now)
    empty.seek(0)
    assert data(empty.pull()) == ["one", "two"]


# topic retention


@pytest.mark.parametrize("form", FORMS)
def test_a_topic_keeps_what_was_published_before_a_subscription_for_its_seeks(empty: Bench, form: dict[str, str]) -> None:
    empty.topic(message_retention=TEN_MINUTES)
    empty.publish("before", kind="x")
    empty.subscription(**form)
    assert data(empty.pull()) == []
    empty.seek(0)
    assert data(empty.pull()) == ["before"]


def test_what_a_topic_keeps_goes_through_the_filter(empty: Bench) -> None:
    empty.topic(message_retention=TEN_MINUTES)
    empty.publish("hidden", kind="y")
    empty.publish("shown", kind="x")
    empty.subscription(filter='attributes.kind = "x"')
    empty.seek(0)
    assert data(empty.pull()) == ["shown"]


def test_a_topic_forgets_what_is_too_old(empty: Bench) -> None:
    empty.topic(message_retention=TEN_MINUTES)
    empty.publish("old")
    empty.advance(1)
    empty.publish("young")
    empty.advance(599)
    empty.subscription()
    empty.seek(0)
    assert data(empty.pull()) == ["young"]


def test_a_topic_whose_retention_ended_keeps_only_what_somebody_needs(empty: Bench) -> None:
    empty.topic(message_retention=TEN_MINUTES)
    empty.publish("acked")
    empty.subscription()
    empty.publish("waiting")
    topic = empty.broker.update_topic(TOPIC, TopicSettings(), empty.now)
    assert topic.kept is None
    empty.seek(0)
    assert data(empty.pull()) == ["waiting"]


def test_a_topic_nobody_reads_stores_nothing(empty: Bench) -> None:
    empty.topic()
    assert empty.publish("lost") == [1]
    empty.subscription()
    empty.seek(-3_600)
    assert data(empty.pull()) == []
    assert empty.publish("next") == [2]


def test_a_dropped_message_is_not_counted_as_acked_under_exactly_once(empty: Bench) -> None:
    empty.subscription(message_retention=TEN_MINUTES, ack_deadline_s=600, enable_exactly_once_delivery=True)
    empty.publish("whole group")
    group = empty.pull()
    empty.publish("single")
    single = empty.pull()
    empty.extend(*single, seconds=600)
    empty.advance(599)
    refused = {each.data: empty.broker.try_acknowledge(SUBSCRIPTION, [each.ack_id], Nanos(empty.now + 2 * SECOND)) for each in (*group, *single)}
    assert refused == {each.data: [each.ack_id] for each in (*group, *single)}


def test_messages_are_made_by_their_publisher() -> None:
    assert message("x", "k", a="b") == b"\n\x01x\x12\x06\n\x01a\x12\x01b*\x01k"
