"""docs/semantics.md, retry: how long a message that failed is kept back."""

from typing import Any

import pytest

from tests.semantics.pubsub import SECOND, Pubsub, seconds
from tests.semantics.spec import spec


def between(low_s: float, high_s: float) -> dict[str, Any]:
    """Give a retry policy."""
    return {"minimum_backoff": seconds(low_s), "maximum_backoff": seconds(high_s)}


@spec("retry/1")
@pytest.mark.parametrize(("low", "high"), [(0, 0), (0, 600), (600, 600), (0.5, 0.5)])
def test_back_offs_within_their_bounds_are_shown(pubsub: Pubsub, low: float, high: float) -> None:
    _, subscription = pubsub.pair(retry_policy=between(low, high))
    shown = subscription.get().retry_policy
    assert (shown.minimum_backoff.ToNanoseconds(), shown.maximum_backoff.ToNanoseconds()) == (low * SECOND, high * SECOND)


@spec("retry/1")
@pytest.mark.parametrize(
    ("low", "high", "field"),
    [(-0.001, 10, "minimum_backoff"), (10, 600.001, "maximum_backoff"), (601, 601, "minimum_backoff"), (20, 19.999, "minimum_backoff")],
)
def test_back_offs_outside_their_bounds_are_refused(pubsub: Pubsub, low: float, high: float, field: str) -> None:
    error = pubsub.refuses_subscription(pubsub.topic(), retry_policy=between(low, high))
    assert error.code == "INVALID_ARGUMENT"
    assert f"retry_policy.{field}" in error.text


@spec("retry/1")
def test_a_policy_that_says_nothing_is_10_to_600_seconds(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(retry_policy={})
    shown = subscription.get().retry_policy
    assert (shown.minimum_backoff.seconds, shown.maximum_backoff.seconds) == (10, 600)
    topic.publish(b"m")
    for wait_s in (10, 20, 40, 80, 160, 320, 600, 600):
        subscription.take().nack()
        pubsub.advance(wait_s - 0.001)
        assert subscription.take_data() == []
        pubsub.advance(0.001)


@spec("retry/2")
def test_without_a_policy_a_failed_message_is_available_at_once(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    assert not subscription.get().HasField("retry_policy")
    topic.publish(b"m")
    for _ in range(20):
        subscription.take().nack()
    subscription.take()
    pubsub.advance(10)
    assert subscription.take_data() == [b"m"]


@spec("retry/3")
def test_the_wait_doubles_up_to_the_maximum(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(retry_policy=between(5, 35))
    topic.publish(b"m")
    for wait_s in (5, 10, 20, 35, 35):
        subscription.take().nack()
        pubsub.advance(wait_s - 0.001)
        assert subscription.take_data() == []
        pubsub.advance(0.001)


@spec("retry/3")
def test_nacks_and_expiries_count_alike_and_the_wait_begins_at_the_failure(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(retry_policy=between(4, 600))
    topic.publish(b"m")
    subscription.take()
    pubsub.advance(10 + 3.999)
    assert subscription.take_data() == []
    pubsub.advance(0.001)
    delivery = subscription.take()
    pubsub.advance(9)
    delivery.nack()
    pubsub.advance(7.999)
    assert subscription.take_data() == []
    pubsub.advance(0.001)
    assert subscription.take_data() == [b"m"]


@spec("retry/3")
def test_a_minimum_of_0_is_no_wait_however_often(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(retry_policy=between(0, 600))
    topic.publish(b"m")
    for _ in range(10):
        subscription.take().nack()
    assert subscription.take_data() == [b"m"]


@spec("retry/4")
def test_first_deliveries_and_other_messages_do_not_wait(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(retry_policy=between(10, 600))
    topic.publish(b"a", b"b")
    a, b = subscription.pull()
    a.nack()
    pubsub.advance(5)
    b.nack()
    topic.publish(b"c")
    assert subscription.take_data() == [b"c"]
    pubsub.advance(5)
    a = subscription.take()
    assert a.data == b"a", "b has five seconds left"
    a.nack()
    pubsub.advance(5)
    assert b"b" in subscription.take_data()
    pubsub.advance(14.999)
    assert b"a" not in subscription.take_data()
    pubsub.advance(0.001)
    assert b"a" in subscription.take_data()


@spec("retry/5")
def test_an_ack_by_the_latest_id_acks_what_waits(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(retry_policy=between(10, 600))
    topic.publish(b"a", b"b")
    a, b = subscription.pull()
    subscription.nack(a, b)
    a.ack()
    pubsub.advance(10)
    assert subscription.take_data() == [b"b"]


@spec("retry/5")
def test_a_nack_of_what_waits_changes_nothing(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(retry_policy=between(10, 600))
    topic.publish(b"m")
    delivery = subscription.take()
    delivery.nack()
    pubsub.advance(9)
    delivery.nack()
    delivery.extend(600)
    assert subscription.take_data() == []
    pubsub.advance(1)
    subscription.take().nack()
    pubsub.advance(20)
    assert subscription.take_data() == [b"m"], "the second failure is the second, not the third"


@spec("retry/6")
def test_a_new_policy_is_for_failures_from_then_on(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(retry_policy=between(100, 600))
    topic.publish(b"waits", b"held")
    waits, held = subscription.pull()
    waits.nack()
    subscription.update("retry_policy", retry_policy=between(5, 5))
    held.nack()
    pubsub.advance(5)
    held = subscription.take()
    assert held.data == b"held"
    held.ack()
    pubsub.advance(94.999)
    assert subscription.take_data() == []
    pubsub.advance(0.001)
    assert subscription.take_data() == [b"waits"]


@spec("retry/7")
def test_a_seek_ends_back_offs_and_counts_anew(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(retry_policy=between(10, 600))
    start = pubsub.now()
    topic.publish(b"m")
    for wait_s in (10, 20):
        subscription.take().nack()
        pubsub.advance(wait_s)
    subscription.take().nack()
    subscription.seek_to(start)
    subscription.take().nack()
    pubsub.advance(9.999)
    assert subscription.take_data() == []
    pubsub.advance(0.001)
    assert subscription.take_data() == [b"m"]
