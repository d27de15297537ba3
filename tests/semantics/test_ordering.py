"""docs/semantics.md, ordering: messages of one key, one after the other, whatever happens to them."""

from typing import Any

import pytest

from tests.semantics.pubsub import Delivery, Pubsub, Subscription, Topic, data_of, seconds
from tests.semantics.spec import backends, spec


def ordered(pubsub: Pubsub, **fields: Any) -> tuple[Topic, Subscription]:
    """Create a topic, and a subscription with ordering."""
    return pubsub.pair(enable_message_ordering=True, **fields)


@spec("ordering/1")
def test_messages_of_a_key_come_in_the_order_of_their_publishing(pubsub: Pubsub) -> None:
    topic, subscription = ordered(pubsub)
    for number in range(3):
        topic.publish(b"a%d" % number, b"a%d'" % number, key="a")
        topic.publish(b"b%d" % number, key="b")
    got = subscription.take_data()
    assert [data for data in got if data.startswith(b"a")] == [b"a0", b"a0'", b"a1", b"a1'", b"a2", b"a2'"]
    assert [data for data in got if data.startswith(b"b")] == [b"b0", b"b1", b"b2"]


@spec("ordering/1")
@pytest.mark.parametrize("value", [True, False])
def test_ordering_is_chosen_at_creation_and_stays(pubsub: Pubsub, value: bool) -> None:
    _, subscription = pubsub.pair(enable_message_ordering=not value)
    assert subscription.get().enable_message_ordering is not value
    error = subscription.refuses_update("enable_message_ordering", enable_message_ordering=value)
    text = "Invalid update_mask provided in the UpdateSubscriptionRequest: the 'enable_message_ordering' field in the Subscription is not mutable."
    assert (error.code, error.text) == ("INVALID_ARGUMENT", text)


@spec("ordering/2")
def test_other_keys_and_messages_without_one_are_held_up_by_nothing(pubsub: Pubsub) -> None:
    topic, subscription = ordered(pubsub)
    topic.publish(b"a1", b"a2", key="a")
    subscription.pull(1)
    topic.publish(b"x1", b"x2")
    topic.publish(b"b1", key="b")
    assert sorted(subscription.take_data()) == [b"b1", b"x1", b"x2"]


@spec("ordering/2")
def test_messages_without_a_key_are_redelivered_one_by_one(pubsub: Pubsub) -> None:
    topic, subscription = ordered(pubsub)
    topic.publish(b"x1", b"x2", b"x3")
    first, _, _ = subscription.pull()
    first.nack()
    assert subscription.take_data() == [b"x1"]


@spec("ordering/2")
def test_without_the_setting_a_key_means_nothing(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"a1", b"a2", b"a3", key="a")
    first = subscription.pull(1)[0]
    assert first.message.ordering_key == "a"
    assert subscription.take_data(1) == [b"a2"]
    first.nack()
    assert subscription.take_data() == [b"a1", b"a3"]


@spec("ordering/3")
def test_a_pull_brings_several_of_a_key_and_nobody_else_gets_more_until_they_are_settled(pubsub: Pubsub) -> None:
    topic, subscription = ordered(pubsub)
    topic.publish(b"a1", b"a2", b"a3", b"a4", key="a")
    first, second = subscription.pull(2)
    assert subscription.take_data() == []
    first.ack()
    assert subscription.take_data() == [], "one of the two is still outstanding"
    second.ack()
    assert subscription.take_data() == [b"a3", b"a4"]


@spec("ordering/3")
def test_a_pull_that_waits_gets_the_key_when_it_is_free(pubsub: Pubsub) -> None:
    topic, subscription = ordered(pubsub)
    topic.publish(b"a1", b"a2", key="a")
    (first,) = subscription.pull(1)
    waiting = subscription.waiting_pull()
    assert not waiting.is_answered()
    first.ack()
    assert waiting.data() == [b"a2"]


@backends("core", "grpc")  # REST has no streams
@spec("ordering/4")
def test_a_stream_gets_more_of_the_keys_that_it_holds_and_nobody_else_does(pubsub: Pubsub) -> None:
    topic, subscription = ordered(pubsub)
    one, other = subscription.stream(), subscription.stream()
    topic.publish(b"a1", key="a")
    holder, rest = (one, other) if (got := one.deliveries()) else (other, one)
    held = got or holder.deliveries()
    topic.publish(b"a2", key="a")
    topic.publish(b"a3", key="a")
    held += holder.deliveries()
    assert data_of(held) == [b"a1", b"a2", b"a3"]
    assert rest.data() == []
    assert subscription.take_data() == []
    holder.ack(*held)
    topic.publish(b"a4", key="a")
    assert sorted(holder.data() + rest.data()) == [b"a4"]


@spec("ordering/5")
def test_a_nack_brings_the_later_ones_back_behind_it(pubsub: Pubsub) -> None:
    topic, subscription = ordered(pubsub)
    topic.publish(b"a1", b"a2", b"a3", b"a4", key="a")
    a1, a2, _, _ = subscription.pull()
    a2.nack()
    assert subscription.take_data() == [], "the first is still out: nobody else gets the key"
    a1.ack()
    assert subscription.take_data() == [b"a2", b"a3", b"a4"]


@spec("ordering/5")
def test_an_expiry_brings_the_later_ones_back_though_they_had_time_left(pubsub: Pubsub) -> None:
    topic, subscription = ordered(pubsub)
    topic.publish(b"a1", b"a2", b"a3", key="a")
    a1, a2, a3 = subscription.pull()
    subscription.modify(600, a2, a3)
    pubsub.advance(10)
    again = subscription.pull()
    assert data_of(again) == [b"a1", b"a2", b"a3"]
    a1.nack()
    a2.extend(600)
    pubsub.advance(10)
    assert subscription.take_data() == [b"a1", b"a2", b"a3"], "the old ids say nothing"


@spec("ordering/5")
def test_those_that_were_acked_do_not_come_back(pubsub: Pubsub) -> None:
    topic, subscription = ordered(pubsub)
    topic.publish(b"a1", b"a2", b"a3", key="a")
    a1, a2, _ = subscription.pull()
    a2.ack()
    a1.nack()
    assert subscription.take_data() == [b"a1", b"a3"]


@spec("ordering/5")
def test_a_lease_that_ended_because_of_an_earlier_message_is_no_attempt(pubsub: Pubsub) -> None:
    dead = pubsub.topic()
    topic, subscription = ordered(pubsub, dead_letter_policy={"dead_letter_topic": dead.name, "max_delivery_attempts": 9})
    topic.publish(b"a1", b"a2", key="a")
    for attempt in (1, 2, 3):
        first, second = subscription.pull()
        assert (first.attempt, second.attempt) == (attempt, 1)
        first.nack()
    pubsub.advance(10)
    first, second = subscription.pull()
    pubsub.advance(10)  # both leases end: the first one's failure brings the second back
    assert [each.attempt for each in subscription.pull()] == [first.attempt + 1, 1]


@spec("ordering/6")
def test_a_back_off_holds_up_its_key_and_no_other(pubsub: Pubsub) -> None:
    topic, subscription = ordered(pubsub, retry_policy={"minimum_backoff": seconds(5), "maximum_backoff": seconds(5)})
    topic.publish(b"a1", b"a2", key="a")
    a1, _ = subscription.pull()
    a1.nack()
    topic.publish(b"b1", key="b")
    topic.publish(b"x1")
    topic.publish(b"a3", key="a")
    assert sorted(subscription.take_data()) == [b"b1", b"x1"]
    pubsub.advance(4.999)
    assert subscription.take_data() == []
    pubsub.advance(0.001)
    assert subscription.take_data() == [b"a1", b"a2", b"a3"]


@spec("ordering/7")
def test_a_later_message_may_be_acked_before_an_earlier_one(pubsub: Pubsub) -> None:
    topic, subscription = ordered(pubsub)
    topic.publish(b"a1", b"a2", b"a3", key="a")
    a1, a2, a3 = subscription.pull()
    subscription.ack(a3, a2)
    pubsub.advance(10)
    assert subscription.take_data() == [b"a1"]
    a1.ack()


@spec("ordering/8")
@pytest.mark.parametrize("exactly_once", [False, True])
def test_the_id_of_a_lease_that_an_earlier_message_ended(pubsub: Pubsub, exactly_once: bool) -> None:
    topic, subscription = ordered(pubsub, enable_exactly_once_delivery=exactly_once)
    topic.publish(b"a1", b"a2", key="a")
    a1, a2 = subscription.pull()
    a1.nack()
    if exactly_once:
        assert subscription.refuses_ack(a2).failed == {a2.ack_id: "PERMANENT_FAILURE_INVALID_ACK_ID"}
        assert subscription.take_data() == [b"a1", b"a2"]
    else:
        a2.ack()
        assert subscription.take_data() == [b"a1"]


@spec("ordering/9")
def test_a_key_goes_on_after_a_dead_letter_which_keeps_the_key(pubsub: Pubsub) -> None:
    dead = pubsub.topic()
    grave = pubsub.subscription(dead, enable_message_ordering=True)
    topic, subscription = ordered(pubsub, dead_letter_policy={"dead_letter_topic": dead.name})
    topic.publish(b"a1", b"a2", key="a")
    for _ in range(5):
        subscription.pull(1)[0].nack()
    letter = grave.take()
    assert (letter.data, letter.message.ordering_key) == (b"a1", "a")
    next_one = subscription.take()
    assert (next_one.data, next_one.attempt) == (b"a2", 1)
    next_one.ack()


@spec("ordering/10")
def test_messages_that_the_filter_keeps_out_hold_up_nothing(pubsub: Pubsub) -> None:
    topic, subscription = ordered(pubsub, filter="attributes:go")
    topic.publish(b"out", key="a")
    topic.publish(b"a1", key="a", go="")
    topic.publish(b"out", key="a")
    topic.publish(b"a2", key="a", go="")
    first, second = subscription.pull()
    assert (first.data, second.data) == (b"a1", b"a2")
    first.nack()
    assert subscription.take_data() == [b"a1", b"a2"]


@backends("core", "grpc")  # REST has no streams
@spec("ordering/11")
@pytest.mark.parametrize("acks", [True, False])
def test_the_keys_of_a_stream_that_ended_are_free_when_what_it_held_is_settled(pubsub: Pubsub, acks: bool) -> None:
    topic, subscription = ordered(pubsub)
    stream = subscription.stream()
    topic.publish(b"a1", key="a")
    (a1,) = stream.deliveries()
    stream.close()
    topic.publish(b"a2", key="a")
    assert subscription.take_data() == []
    if acks:
        a1.ack()
        assert subscription.take_data() == [b"a2"]
    else:
        pubsub.advance(10)
        assert subscription.take_data() == [b"a1", b"a2"]


@backends("core", "grpc")  # REST has no streams
@spec("ordering/11")
def test_another_stream_takes_over_where_one_has_ended(pubsub: Pubsub) -> None:
    topic, subscription = ordered(pubsub)
    first = subscription.stream()
    topic.publish(b"a1", b"a2", key="a")
    assert first.data() == [b"a1", b"a2"]
    second = subscription.stream()
    first.close()
    topic.publish(b"a3", key="a")
    assert second.data() == []
    pubsub.advance(10)
    assert second.data() == [b"a1", b"a2", b"a3"]


@spec("ordering/12")
def test_after_a_seek_each_key_begins_at_its_oldest_unacked_message(pubsub: Pubsub) -> None:
    topic, subscription = ordered(pubsub, retain_acked_messages=True)
    topic.publish(b"a1", key="a")
    pubsub.advance(1)
    since = pubsub.now()
    topic.publish(b"a2", b"a3", key="a")
    topic.publish(b"b1", key="b")
    topic.publish(b"a4", key="a")
    held: list[Delivery] = subscription.pull(2)
    held[0].ack()
    subscription.seek_to(since)
    got = subscription.pull()
    assert [each.data for each in got if each.message.ordering_key == "a"] == [b"a2", b"a3", b"a4"]
    assert b"b1" in data_of(got)


@spec("ordering/5")
def test_what_comes_back_stands_before_what_was_published_since(pubsub: Pubsub) -> None:
    topic, subscription = ordered(pubsub)
    topic.publish(b"a1", b"a2", key="a")
    a1, _ = subscription.pull()
    topic.publish(b"a3", key="a")
    a1.nack()
    assert subscription.take_data() == [b"a1", b"a2", b"a3"]
