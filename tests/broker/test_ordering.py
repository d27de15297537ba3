"""Ordering: within a key, messages go out in order, to one consumer at a time, and come back with everything behind them."""

import pytest

from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.settings import DeadLetterPolicy, RetryPolicy
from tests.broker.bench import SUBSCRIPTION, TOPIC, Bench, Got, data


@pytest.fixture
def bench(empty: Bench) -> Bench:
    empty.subscription(enable_message_ordering=True)
    return empty


def by_name(got: list[Got]) -> dict[str, Got]:
    return {each.data: each for each in got}


# out


def test_a_pull_gives_consecutive_messages_of_a_key(bench: Bench) -> None:
    bench.publish("a1", "a2", "a3", key="a")
    assert data(bench.pull(2)) == ["a1", "a2"]


def test_keys_are_offered_in_publish_order_of_their_next_message(bench: Bench) -> None:
    bench.publish("a1", key="a")
    bench.publish("b1", key="b")
    bench.publish("a2", key="a")
    bench.publish("b2", key="b")
    assert data(bench.pull()) == ["a1", "b1", "a2", "b2"]


def test_a_later_pull_does_not_get_a_key_that_is_outstanding(bench: Bench) -> None:
    bench.publish("a1", "a2", key="a")
    first = bench.pull(1)
    bench.publish("b1", key="b")
    assert data(bench.pull()) == ["b1"]
    bench.ack(*first)
    assert data(bench.pull()) == ["a2"]


@pytest.mark.parametrize("end", ["ack", "nack", "expiry"])
def test_a_key_is_free_for_anybody_once_nothing_of_it_is_outstanding(bench: Bench, end: str) -> None:
    bench.publish("a1", "a2", key="a")
    stream, other = bench.stream(most=1), bench.stream()
    got = bench.take(stream)
    assert data(bench.take(other)) == []
    if end == "ack":
        bench.ack(*got)
    elif end == "nack":
        bench.nack(*got)
    else:
        bench.advance(10)
    assert data(bench.take(other)) == (["a2"] if end == "ack" else ["a1", "a2"])


def test_more_of_a_key_goes_to_the_stream_that_holds_it(bench: Bench) -> None:
    holder, other = bench.stream(), bench.stream()
    bench.publish("a1", key="a")
    assert data(bench.take(holder)) == ["a1"]
    bench.publish("a2", key="a")
    assert data(bench.take(other)) == []
    assert data(bench.take(holder)) == ["a2"]


def test_a_key_of_a_stream_that_has_closed_waits_until_nothing_of_it_is_outstanding(bench: Bench) -> None:
    holder, other = bench.stream(), bench.stream()
    bench.publish("a1", "a2", "a3", key="a")
    (first, second, _) = bench.take(holder)
    bench.publish("a4", key="a")
    bench.broker.close(holder, bench.now)
    assert data(bench.take(other)) == []
    bench.ack(first)
    bench.ack(second)
    assert data(bench.take(other)) == []
    bench.advance(10)
    assert data(bench.take(other)) == ["a3", "a4"]


def test_messages_without_a_key_know_no_order_and_wait_for_nobody(bench: Bench) -> None:
    bench.publish("a1", key="a")
    bench.publish("x1", "x2")
    first, second = bench.pull(1), bench.pull()
    assert sorted(data(first + second)) == ["a1", "x1", "x2"]
    nacked = by_name(first + second)["x1"]
    bench.nack(nacked)
    assert data(bench.pull()) == ["x1"]


def test_a_consumer_with_credit_for_one_gets_one_of_a_key_at_a_time(bench: Bench) -> None:
    stream = bench.stream(most=1)
    bench.publish("a1", "a2", key="a")
    seen = []
    while got := bench.take(stream):
        seen += data(got)
        bench.ack(*got)
    assert seen == ["a1", "a2"]


def test_a_subscription_without_ordering_hands_out_keys_freely(empty: Bench) -> None:
    empty.subscription()
    empty.publish("a1", "a2", key="a")
    assert data(empty.pull(1)) + data(empty.pull(1)) == ["a1", "a2"]


# back


def test_a_nack_brings_back_the_message_and_the_later_ones_of_its_key(bench: Bench) -> None:
    bench.publish("a1", "a2", "a3", key="a")
    got = by_name(bench.pull())
    bench.nack(got["a2"])
    assert data(bench.pull()) == []
    bench.ack(got["a1"])
    assert data(bench.pull()) == ["a2", "a3"]


def test_a_nack_leaves_other_keys_alone(bench: Bench) -> None:
    bench.publish("a1", key="a")
    bench.publish("b1", key="b")
    got = by_name(bench.pull())
    bench.nack(got["a1"])
    assert data(bench.pull()) == ["a1"]


def test_a_nack_gives_a_message_again_to_the_stream_that_holds_the_key(bench: Bench) -> None:
    stream, other = bench.stream(), bench.stream()
    bench.publish("a1", "a2", key="a")
    got = by_name(bench.take(stream))
    bench.nack(got["a2"])
    assert data(bench.take(other)) == []
    assert data(bench.take(stream)) == ["a2"]


def test_what_was_acked_out_of_order_does_not_come_back(bench: Bench) -> None:
    bench.publish("a1", "a2", "a3", key="a")
    got = by_name(bench.pull())
    bench.ack(got["a2"])
    bench.nack(got["a1"])
    assert data(bench.pull()) == ["a1", "a3"]


def test_a_lease_that_ends_because_of_an_earlier_message_is_no_failure(empty: Bench) -> None:
    empty.topic("projects/p/topics/dead")
    empty.subscription(enable_message_ordering=True, dead_letter=DeadLetterPolicy("projects/p/topics/dead"))
    empty.publish("a1", "a2", key="a")
    empty.nack(empty.pull()[0])
    assert [(each.data, each.attempt) for each in empty.pull()] == [("a1", 2), ("a2", 1)]


def test_leases_of_one_key_that_end_together_fail_once(empty: Bench) -> None:
    empty.topic("projects/p/topics/dead")
    empty.subscription(enable_message_ordering=True, dead_letter=DeadLetterPolicy("projects/p/topics/dead"))
    empty.publish("a1", "a2", key="a")
    empty.pull()
    empty.advance(10)
    assert [(each.data, each.attempt) for each in empty.pull()] == [("a1", 2), ("a2", 1)]


def test_a_lease_that_was_extended_ends_with_that_of_the_earlier_message(bench: Bench) -> None:
    bench.publish("a1", "a2", key="a")
    got = by_name(bench.pull())
    bench.extend(got["a2"], seconds=60)
    bench.advance(10)
    assert data(bench.pull()) == ["a1", "a2"]


def test_the_earlier_message_stays_outstanding_when_a_later_one_expires(bench: Bench) -> None:
    bench.publish("a1", "a2", "a3", key="a")
    got = by_name(bench.pull())
    bench.extend(got["a1"], seconds=60)
    bench.advance(10)
    assert data(bench.pull()) == []
    bench.ack(got["a1"])
    assert data(bench.pull()) == ["a2", "a3"]


def test_an_ack_by_the_id_of_an_ended_lease_still_acks(bench: Bench) -> None:
    bench.publish("a1", "a2", "a3", key="a")
    got = by_name(bench.pull())
    bench.nack(got["a1"])
    bench.ack(got["a2"])
    assert data(bench.pull()) == ["a1", "a3"]


def test_a_nack_by_the_id_of_an_ended_lease_has_no_effect(bench: Bench) -> None:
    bench.publish("a1", "a2", key="a")
    got = by_name(bench.pull())
    bench.nack(got["a1"])
    again = by_name(bench.pull())
    bench.nack(got["a2"])
    assert data(bench.pull()) == []
    bench.ack(*again.values())
    bench.advance(60)
    assert data(bench.pull()) == []


# back-off


def test_the_back_off_of_a_message_blocks_its_key_and_no_other(empty: Bench) -> None:
    empty.subscription(enable_message_ordering=True, retry=RetryPolicy(Nanos(10 * SECOND), Nanos(10 * SECOND)))
    empty.publish("a1", "a2", key="a")
    empty.nack(empty.pull(1)[0])
    empty.publish("b1", key="b")
    empty.publish("a3", key="a")
    assert data(empty.pull()) == ["b1"]
    empty.advance(9.999)
    assert data(empty.pull()) == []
    empty.advance(0.001)
    assert data(empty.pull()) == ["a1", "a2", "a3"]


def test_the_back_off_of_a_later_message_that_is_over_first_does_not_let_it_overtake(empty: Bench) -> None:
    empty.subscription(enable_message_ordering=True, retry=RetryPolicy(Nanos(10 * SECOND), Nanos(600 * SECOND)))
    empty.publish("a1", "a2", key="a")
    first, second = empty.pull()
    empty.extend(first, seconds=60)
    empty.nack(second)
    empty.advance(5)
    empty.nack(first)
    empty.advance(5)
    assert data(empty.pull()) == []
    empty.advance(5)
    assert data(empty.pull()) == ["a1", "a2"]


def test_a_late_ack_of_the_message_in_back_off_lets_its_key_go_on(empty: Bench) -> None:
    empty.subscription(enable_message_ordering=True, retry=RetryPolicy(Nanos(10 * SECOND), Nanos(10 * SECOND)))
    empty.publish("a1", "a2", key="a")
    (first,) = empty.pull(1)
    empty.nack(first)
    empty.ack(first)
    assert data(empty.pull()) == ["a2"]


# ends


def test_a_key_goes_on_behind_a_message_that_was_dead_lettered(empty: Bench) -> None:
    empty.topic("projects/p/topics/dead")
    empty.subscription("projects/p/subscriptions/dead", topic="projects/p/topics/dead")
    empty.subscription(enable_message_ordering=True, dead_letter=DeadLetterPolicy("projects/p/topics/dead", 5))
    empty.publish("a1", "a2", key="a")
    for _ in range(5):
        got = empty.pull()
        assert data(got) == ["a1", "a2"]
        empty.nack(got[0])
    assert data(empty.pull()) == ["a2"]
    (letter,) = empty.pull(of="projects/p/subscriptions/dead")
    assert (letter.data, letter.message.ordering_key) == ("a1", "a")


def test_messages_of_a_key_grow_too_old_in_order(empty: Bench) -> None:
    empty.subscription(enable_message_ordering=True, message_retention=Nanos(600 * SECOND))
    empty.publish("a1", key="a")
    empty.publish("x1")
    empty.advance(1)
    empty.publish("b1", key="b")
    empty.publish("a2", key="a")
    empty.advance(599)
    assert data(empty.pull()) == ["b1", "a2"]


def test_a_leased_message_that_grows_too_old_frees_its_key(empty: Bench) -> None:
    empty.subscription(enable_message_ordering=True, message_retention=Nanos(600 * SECOND), ack_deadline_s=600)
    empty.publish("a1", key="a")
    empty.advance(300)
    empty.publish("a2", key="a")
    empty.pull(1)
    empty.advance(299.999)
    assert data(empty.pull()) == []
    empty.advance(0.001)
    assert data(empty.pull()) == ["a2"]


def test_a_message_that_came_back_grows_too_old_and_its_key_goes_on(empty: Bench) -> None:
    retry = RetryPolicy(Nanos(600 * SECOND), Nanos(600 * SECOND))
    empty.subscription(enable_message_ordering=True, message_retention=Nanos(600 * SECOND), retry=retry)
    empty.publish("a1", key="a")
    empty.advance(300)
    empty.publish("a2", key="a")
    empty.nack(*empty.pull(1))
    empty.advance(300)
    assert data(empty.pull()) == ["a2"]


def test_a_key_that_has_nothing_left_takes_no_memory(bench: Bench) -> None:
    for number in range(50):
        bench.publish("x", key=f"key {number}")
    bench.ack(*bench.pull())
    backlog = bench.broker.get_subscription(SUBSCRIPTION, bench.now).backlog
    assert not vars(backlog)["_keys"]
    bench.publish("y", key="key 1")
    assert data(bench.pull()) == ["y"]


def test_a_long_queue_of_one_key_keeps_its_order(bench: Bench) -> None:
    names = [f"{number:04d}" for number in range(500)]
    for name in names:
        bench.publish(name, key="a")
    seen: list[str] = []
    for turn in range(1_000):
        got = bench.pull(7)
        if not got:
            break
        if turn % 5 == 3:
            bench.nack(got[3]) if len(got) > 3 else bench.nack(got[0])
            got = got[:3] if len(got) > 3 else []
        bench.ack(*got) if got else None
        seen += data(got)
    assert seen == names
    assert TOPIC in bench.broker.existing_names("topic")
