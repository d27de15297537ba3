"""docs/semantics.md, exactly-once: which ack ids are good, and how a subscriber learns of those that are not."""

from typing import Any

import pytest

from publican_emulator.broker import mischief
from tests.semantics.backends.backend import Refused
from tests.semantics.backends.core import CoreBackend
from tests.semantics.backends.over_grpc import EmulatorBackend
from tests.semantics.pubsub import Delivery, Pubsub, Subscription, Topic, data_of
from tests.semantics.spec import backends, spec

TEXT = (
    "Some acknowledgement ids in the request were invalid. This could be because the acknowledgement ids have expired or "
    "the acknowledgement ids were malformed."
)
PERMANENT = "PERMANENT_FAILURE_INVALID_ACK_ID"


def exactly_once(pubsub: Pubsub, **fields: Any) -> tuple[Topic, Subscription]:
    """Create a topic, and a subscription with exactly-once delivery."""
    return pubsub.pair(enable_exactly_once_delivery=True, **fields)


def names(error: Refused, *bad: Delivery | str) -> None:
    """Say that the error is about these ids and no others."""
    ids = [each if isinstance(each, str) else each.ack_id for each in bad]
    assert (error.code, error.text, error.reason) == ("INVALID_ARGUMENT", TEXT, "EXACTLY_ONCE_ACKID_FAILURE")
    assert error.failed == dict.fromkeys(ids, PERMANENT)


@spec("exactly-once/1")
def test_the_id_of_the_newest_delivery_is_good_while_its_lease_lasts(pubsub: Pubsub) -> None:
    topic, subscription = exactly_once(pubsub)
    topic.publish(b"m")
    first = subscription.take()
    pubsub.advance(9.999)
    first.extend(10)
    pubsub.advance(9.999)
    first.ack()
    pubsub.advance(600)
    assert subscription.take_data() == []


@spec("exactly-once/1")
def test_exactly_at_the_deadline_it_is_too_late(pubsub: Pubsub) -> None:
    topic, subscription = exactly_once(pubsub)
    topic.publish(b"m")
    late = subscription.take()
    pubsub.advance(10)
    names(subscription.refuses_ack(late), late)
    names(subscription.refuses_modify(600, late), late)
    assert subscription.take_data() == [b"m"]


@spec("exactly-once/1")
def test_older_ids_are_not_good_any_more(pubsub: Pubsub) -> None:
    topic, subscription = exactly_once(pubsub)
    topic.publish(b"m")
    old = subscription.take()
    old.nack()
    older = subscription.take()
    pubsub.advance(10)
    newest = subscription.take()
    for stale in (old, older):
        names(subscription.refuses_ack(stale), stale)
        names(subscription.refuses_modify(0, stale), stale)
        names(subscription.refuses_modify(600, stale), stale)
    pubsub.advance(9.999)
    newest.ack()
    pubsub.advance(600)
    assert subscription.take_data() == []


@spec("exactly-once/2")
def test_of_one_request_the_good_ids_are_carried_out_and_the_bad_ones_named(pubsub: Pubsub) -> None:
    topic, subscription = exactly_once(pubsub)
    topic.publish(b"a", b"b", b"c", b"d")
    a, b, c, d = subscription.pull()
    subscription.nack(a, c)
    again = subscription.pull()
    assert data_of(again) == [b"a", b"c"]
    names(subscription.refuses_ack(a, b, c, d), a, c)
    pubsub.advance(10)
    assert subscription.take_data() == [b"a", b"c"]


@spec("exactly-once/2")
def test_of_deadline_changes_too(pubsub: Pubsub) -> None:
    topic, subscription = exactly_once(pubsub)
    topic.publish(b"a", b"b")
    a, b = subscription.pull()
    a.nack()
    subscription.take()
    names(subscription.refuses_modify(30, a, b), a)
    pubsub.advance(29.999)
    assert subscription.take_data() == [b"a"]
    b.ack()


@spec("exactly-once/3")
def test_the_very_id_that_acked_stays_good(pubsub: Pubsub) -> None:
    topic, subscription = exactly_once(pubsub)
    topic.publish(b"a", b"b")
    a, b = subscription.pull()
    b.nack()
    again = subscription.take()
    subscription.ack(a, again)
    for _ in range(3):
        pubsub.advance(86_400)
        subscription.ack(a, again)
        names(subscription.refuses_ack(b), b)
        names(subscription.refuses_modify(10, b), b)


@spec("exactly-once/4")
@pytest.mark.parametrize("bad", ["nonsense", "g" * 21])
def test_a_malformed_id_is_one_that_is_not_good_and_spoils_nothing(pubsub: Pubsub, bad: str) -> None:
    topic, subscription = exactly_once(pubsub)
    topic.publish(b"a", b"b")
    a, b = subscription.pull()
    names(subscription.refuses_ack(a, bad), bad)
    names(subscription.refuses_modify(0, b, bad), bad)
    assert subscription.take_data() == [b"b"]
    pubsub.advance(10)
    assert subscription.take_data() == [b"b"]


@spec("exactly-once/4")
def test_an_id_of_another_subscription_is_not_good(pubsub: Pubsub) -> None:
    topic, subscription = exactly_once(pubsub)
    other = pubsub.subscription(topic, enable_exactly_once_delivery=True)
    topic.publish(b"m")
    delivery = other.take()
    names(subscription.refuses_ack(delivery.ack_id), delivery)
    delivery.ack()
    assert subscription.take_data() == [b"m"]


@spec("exactly-once/5")
def test_a_message_does_not_come_again_while_it_is_outstanding_nor_after_its_ack(pubsub: Pubsub) -> None:
    topic, subscription = exactly_once(pubsub)
    (message_id,) = topic.publish(b"m")
    first = subscription.take()
    pubsub.advance(9.999)
    assert subscription.take_data() == []
    pubsub.advance(0.001)
    second = subscription.take()
    assert (second.id, first.id) == (message_id, message_id)
    assert second.ack_id != first.ack_id
    second.ack()
    pubsub.advance(3600)
    assert subscription.take_data() == []


@backends("grpc")  # confirmations are the stream's; the core gives them as return values
@spec("exactly-once/6")
def test_acks_and_deadline_changes_on_a_stream_are_confirmed_on_it(pubsub: Pubsub) -> None:
    topic, subscription = exactly_once(pubsub)
    stream = subscription.stream()
    topic.publish(b"a", b"b", b"c")
    a, b, c = stream.deliveries()
    stream.ack(a, b)
    (response,) = stream.responses()
    assert sorted(response.acknowledge_confirmation.ack_ids) == sorted([a.ack_id, b.ack_id])
    assert not response.HasField("modify_ack_deadline_confirmation")
    stream.modify(30, c)
    (response,) = stream.responses()
    assert list(response.modify_ack_deadline_confirmation.ack_ids) == [c.ack_id]
    stream.send(ack_ids=[c.ack_id], modify_deadline_ack_ids=[c.ack_id, a.ack_id], modify_deadline_seconds=[10, 20])
    (response,) = stream.responses()
    assert list(response.acknowledge_confirmation.ack_ids) == [c.ack_id]
    changed = response.modify_ack_deadline_confirmation
    assert sorted([*changed.ack_ids, *changed.invalid_ack_ids]) == sorted([c.ack_id, a.ack_id]), "every id stands in one list"


@backends("grpc")  # as above
@spec("exactly-once/7")
def test_a_bad_id_on_a_stream_is_told_and_does_not_end_it(pubsub: Pubsub) -> None:
    topic, subscription = exactly_once(pubsub)
    stream = subscription.stream()
    topic.publish(b"m")
    (stale,) = stream.deliveries()
    stream.nack(stale)
    (confirmed, redelivered) = sorted(stream.responses(), key=lambda response: len(response.received_messages))
    assert list(confirmed.modify_ack_deadline_confirmation.ack_ids) == [stale.ack_id]
    (again,) = subscription.deliveries(redelivered.received_messages)
    stream.send(ack_ids=[stale.ack_id, "nonsense", again.ack_id])
    (response,) = stream.responses()
    assert list(response.acknowledge_confirmation.ack_ids) == [again.ack_id]
    assert sorted(response.acknowledge_confirmation.invalid_ack_ids) == sorted([stale.ack_id, "nonsense"])
    assert not response.acknowledge_confirmation.unordered_ack_ids
    assert not response.acknowledge_confirmation.temporary_failed_ack_ids
    stream.send(modify_deadline_ack_ids=["nonsense"], modify_deadline_seconds=[10])
    (response,) = stream.responses()
    assert list(response.modify_ack_deadline_confirmation.invalid_ack_ids) == ["nonsense"]
    topic.publish(b"next")
    assert stream.data() == [b"next"]


@spec("exactly-once/8")
@pytest.mark.parametrize("begins_with", [True, False])
def test_it_may_be_switched_and_leases_that_are_held_keep_working(pubsub: Pubsub, begins_with: bool) -> None:
    topic, subscription = pubsub.pair(enable_exactly_once_delivery=begins_with)
    topic.publish(b"a", b"b")
    a, b = subscription.pull()
    subscription.update("enable_exactly_once_delivery", enable_exactly_once_delivery=not begins_with)
    assert subscription.get().enable_exactly_once_delivery is not begins_with
    a.ack()
    b.extend(20)
    pubsub.advance(19.999)
    assert subscription.take_data() == []
    pubsub.advance(0.001)
    if begins_with:
        b.ack()
        assert subscription.take_data() == []
    else:
        names(subscription.refuses_ack(b), b)
        assert subscription.take_data() == [b"b"]


@backends("grpc")  # properties are the stream's
@spec("exactly-once/8")
def test_open_streams_are_told_with_their_next_messages(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    stream = subscription.stream()
    for value in (False, True, False):
        subscription.update("enable_exactly_once_delivery", enable_exactly_once_delivery=value)
        topic.publish(b"m")
        (response,) = stream.responses()
        assert response.subscription_properties.exactly_once_delivery_enabled is value


@spec("exactly-once/9")
def test_with_ordering_a_later_message_may_be_acked_first(pubsub: Pubsub) -> None:
    topic, subscription = exactly_once(pubsub, enable_message_ordering=True)
    topic.publish(b"a1", b"a2", key="a")
    a1, a2 = subscription.pull()
    a2.ack()
    a1.ack()
    pubsub.advance(600)
    assert subscription.take_data() == []


def fail_acks(pubsub: Pubsub, subscription: Subscription, count: int) -> None:
    """Let the next acks fail for a while."""
    backend = pubsub.backend
    if isinstance(backend, CoreBackend):
        mischief.fail_acks(backend.broker.get_subscription(subscription.name, backend.now()), count)
    else:
        assert isinstance(backend, EmulatorBackend)
        backend.emulator.run(lambda broker, now: mischief.fail_acks(broker.get_subscription(subscription.name, now), count))


@spec("exactly-once/10")
def test_an_ack_that_fails_for_a_while_may_be_tried_again(pubsub: Pubsub) -> None:
    topic, subscription = exactly_once(pubsub)
    topic.publish(b"a", b"b", b"c")
    a, b, c = subscription.pull()
    fail_acks(pubsub, subscription, 2)
    error = subscription.refuses_ack(a, b, c)
    assert (error.reason, error.failed) == (
        "EXACTLY_ONCE_ACKID_FAILURE",
        dict.fromkeys([a.ack_id, b.ack_id], "TRANSIENT_FAILURE_INVALID_ACK_ID"),
    )
    subscription.ack(a)
    pubsub.advance(10)
    assert subscription.take_data() == [b"b"], "a was acked at the second try, c at the first"


@backends("grpc")  # confirmations are the stream's
@spec("exactly-once/10")
def test_on_a_stream_too(pubsub: Pubsub) -> None:
    topic, subscription = exactly_once(pubsub)
    stream = subscription.stream()
    topic.publish(b"a", b"b")
    a, b = stream.deliveries()
    fail_acks(pubsub, subscription, 1)
    stream.send(ack_ids=[a.ack_id, b.ack_id, "nonsense"])
    (response,) = stream.responses()
    told = response.acknowledge_confirmation
    assert (list(told.ack_ids), list(told.temporary_failed_ack_ids), list(told.invalid_ack_ids)) == ([b.ack_id], [a.ack_id], ["nonsense"])
    stream.ack(a)
    (response,) = stream.responses()
    assert list(response.acknowledge_confirmation.ack_ids) == [a.ack_id]
