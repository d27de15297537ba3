"""docs/semantics.md, leases: who holds a message until when, and what its ack ids are good for."""

import re
from collections.abc import Callable

import pytest

from tests.semantics.backends.backend import Refused
from tests.semantics.pubsub import Delivery, Pubsub, Subscription
from tests.semantics.spec import spec

Step = Callable[[Subscription, Delivery], None]


@spec("leases/1")
@pytest.mark.parametrize(("wait_s", "available"), [(9.999, []), (10, [b"m"]), (10.001, [b"m"])])
def test_a_lease_ends_exactly_at_its_deadline(pubsub: Pubsub, wait_s: float, available: list[bytes]) -> None:
    topic, subscription = pubsub.pair(ack_deadline_seconds=10)
    topic.publish(b"m")
    assert subscription.take_data() == [b"m"]
    pubsub.advance(wait_s)
    assert subscription.take_data() == available


@spec("leases/1")
def test_a_lease_is_as_long_as_the_subscription_says(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(ack_deadline_seconds=600)
    topic.publish(b"m")
    subscription.pull()
    pubsub.advance(599.999)
    assert subscription.take_data() == []
    pubsub.advance(0.001)
    assert subscription.take_data() == [b"m"]


@spec("leases/1")
def test_messages_of_one_pull_end_together_and_those_of_another_later(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"a", b"b", b"c")
    subscription.pull(2)
    pubsub.advance(5)
    subscription.pull()
    pubsub.advance(5)
    assert subscription.take_data() == [b"a", b"b"]
    pubsub.advance(5)
    assert subscription.take_data() == [b"c"]


@spec("leases/2")
def test_nobody_else_gets_a_message_that_is_leased(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"m")
    subscription.pull()
    waiting = subscription.waiting_pull()
    assert subscription.take_data() == []
    pubsub.advance(9.999)
    assert not waiting.is_answered()
    pubsub.advance(0.001)
    assert waiting.data() == [b"m"]


@spec("leases/3")
def test_every_delivery_has_an_ack_id_of_its_own_and_the_message_keeps_its_id(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    ids = topic.publish(b"a", b"b")
    seen: set[str] = set()
    for _ in range(3):
        deliveries = subscription.pull()
        assert [each.id for each in deliveries] == ids
        seen |= {each.ack_id for each in deliveries}
        subscription.nack(*deliveries)
    assert len(seen) == 6
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{21}", each) for each in seen)


@spec("leases/4")
def test_an_acked_message_never_comes_again(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"a", b"b")
    subscription.pull()[0].ack()
    for _ in range(3):
        pubsub.advance(10)
        assert subscription.take_data() == [b"b"]


@spec("leases/5")
@pytest.mark.parametrize(
    ("at_s", "seconds", "wait_s", "available"),
    [
        (0, 600, 599.999, []),
        (0, 600, 600, [b"m"]),
        (0, 1, 0.999, []),
        (0, 1, 1, [b"m"]),
        (9.999, 10, 9.999, []),
        (9.999, 10, 10, [b"m"]),
    ],
)
def test_a_new_deadline_is_counted_from_now_and_replaces(pubsub: Pubsub, at_s: float, seconds: int, wait_s: float, available: list[bytes]) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"m")
    delivery = subscription.take()
    pubsub.advance(at_s)
    delivery.extend(seconds)
    pubsub.advance(wait_s)
    assert subscription.take_data() == available


@spec("leases/5")
@pytest.mark.parametrize("seconds", [-1, 601, -(2**31)])
def test_a_new_deadline_outside_its_bounds_changes_nothing(pubsub: Pubsub, seconds: int) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"a", b"b")
    error = subscription.refuses_modify(seconds, *subscription.pull())
    text = f"Invalid ack deadline given (ack_deadline={seconds}). The ack deadline must be between 0 and 600 seconds."
    assert (error.code, error.text) == ("INVALID_ARGUMENT", text)
    pubsub.advance(9.999)
    assert subscription.take_data() == []
    pubsub.advance(0.001)
    assert subscription.take_data() == [b"a", b"b"]


@spec("leases/5")
def test_one_message_of_many_that_came_together_may_have_another_deadline(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"a", b"b", b"c")
    _, b, _ = subscription.pull()
    b.extend(30)
    pubsub.advance(10)
    assert subscription.take_data() == [b"a", b"c"]
    pubsub.advance(20)
    assert b"b" in subscription.take_data()


@spec("leases/6")
def test_a_lease_may_be_extended_without_end(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"m")
    delivery = subscription.take()
    for _ in range(200):  # a day and a half
        delivery.extend(600)
        pubsub.advance(599)
    assert subscription.take_data() == []
    pubsub.advance(1)
    assert subscription.take_data() == [b"m"]


@spec("leases/7")
def test_a_nacked_message_is_available_at_once(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"a", b"b", b"c")
    _, b, _ = subscription.pull()
    b.nack()
    assert subscription.take_data() == [b"b"]
    assert subscription.take_data() == []


@spec("leases/8")
def test_an_ack_after_the_deadline_acks(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"m")
    late = subscription.take()
    pubsub.advance(10)
    late.ack()
    assert subscription.take_data() == []


@spec("leases/8")
def test_an_ack_by_an_older_delivery_acks_the_newer_one_too(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"m")
    first = subscription.take()
    pubsub.advance(10)
    second = subscription.take()
    second.nack()
    third = subscription.take()
    first.ack()
    pubsub.advance(10)
    assert subscription.take_data() == []
    third.ack()
    second.nack()
    assert subscription.take_data() == []


@spec("leases/9")
@pytest.mark.parametrize("seconds", [0, 1, 600])
def test_a_nack_or_an_extension_by_an_older_id_leaves_the_newer_lease_alone(pubsub: Pubsub, seconds: int) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"m")
    old = subscription.take()
    pubsub.advance(10)
    subscription.take()
    old.extend(seconds)
    pubsub.advance(9.999)
    assert subscription.take_data() == []
    pubsub.advance(0.001)
    assert subscription.take_data() == [b"m"]


@spec("leases/9")
@pytest.mark.parametrize("seconds", [0, 600])
def test_an_extension_after_the_deadline_does_not_revive_the_lease(pubsub: Pubsub, seconds: int) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"m")
    late = subscription.take()
    pubsub.advance(10)
    late.extend(seconds)
    assert subscription.take_data() == [b"m"]


@spec("leases/10")
def test_what_is_acked_may_be_acked_nacked_and_extended_again_to_no_effect(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"a", b"b")
    deliveries = subscription.pull()
    for _ in range(2):
        subscription.ack(*deliveries)
        subscription.nack(*deliveries)
        subscription.modify(600, *deliveries)
    pubsub.advance(600)
    assert subscription.take_data() == []


@spec("leases/11")
def test_an_id_that_stands_twice_counts_once(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"a", b"b")
    a, b = subscription.pull()
    subscription.ack(a, a)
    subscription.nack(b, b)
    assert subscription.take_data() == [b"b"]
    assert subscription.take_data() == []


@spec("leases/11")
def test_a_nack_that_names_an_id_twice_is_one_failure(pubsub: Pubsub) -> None:
    dead = pubsub.topic()
    topic, subscription = pubsub.pair(dead_letter_policy={"dead_letter_topic": dead.name})
    topic.publish(b"m")
    for attempt in (1, 2, 3, 4, 5):
        delivery = subscription.take()
        assert delivery.attempt == attempt
        subscription.nack(delivery, delivery)


ACK: Step = lambda subscription, delivery: subscription.ack(delivery)
NACK: Step = lambda subscription, delivery: subscription.nack(delivery)


@spec("leases/12")
def test_a_request_without_ack_ids_is_refused(pubsub: Pubsub) -> None:
    _, subscription = pubsub.pair()
    for error in (subscription.refuses_ack(), subscription.refuses_modify(10), subscription.refuses_modify(0)):
        assert (error.code, error.text) == ("INVALID_ARGUMENT", "You have not specified an ack ID in the request.")


@spec("leases/13")
@pytest.mark.parametrize("bad", ["nonsense", "", "g" * 21, "m" * 21, "g" * 20 + "é", "x" * 1_000])
def test_an_ack_id_that_no_server_ever_made_refuses_the_request(pubsub: Pubsub, bad: str) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"m")
    delivery = subscription.take()
    for error in (subscription.refuses_ack(delivery, bad), subscription.refuses_modify(0, delivery, bad), subscription.refuses_modify(99, bad)):
        assert (error.code, error.text) == ("INVALID_ARGUMENT", f"You have passed an invalid ack ID to the service (ack_id={bad}).")
    assert subscription.take_data() == [], "the nack beside it was not carried out"
    pubsub.advance(10)
    assert subscription.take_data() == [b"m"], "nor was the ack"


@spec("leases/13")
def test_an_ack_id_with_one_character_changed_is_none(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"m")
    ack_id = subscription.take().ack_id
    for place in range(17):  # the head carries a check sum; the rest is a number
        changed = ack_id[:place] + ("A" if ack_id[place] != "A" else "B") + ack_id[place + 1 :]
        assert subscription.refuses_ack(changed).code == "INVALID_ARGUMENT"
    pubsub.advance(10)
    assert subscription.take_data() == [b"m"]


@spec("leases/14")
def test_an_ack_id_means_nothing_to_another_subscription(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    other = pubsub.subscription(topic)
    topic.publish(b"m")
    delivery = subscription.take()
    other.ack(delivery.ack_id)
    other.nack(delivery.ack_id)
    assert subscription.take_data() == []
    assert other.take_data() == [b"m"]
    pubsub.advance(10)
    assert subscription.take_data() == [b"m"]


@spec("leases/15")
@pytest.mark.parametrize("step", [ACK, NACK], ids=["ack", "nack"])
def test_acks_of_an_absent_subscription_are_not_found_of_a_detached_one_refused(pubsub: Pubsub, step: Step) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"m")
    delivery = subscription.take()
    subscription.detach()
    with pytest.raises(Refused) as detached:
        step(subscription, delivery)
    assert detached.value.code == "FAILED_PRECONDITION"
    subscription.delete()
    with pytest.raises(Refused) as absent:
        step(subscription, delivery)
    assert (absent.value.code, absent.value.text) == ("NOT_FOUND", f"Resource not found (resource={subscription.id}).")


@spec("leases/16")
@pytest.mark.parametrize("steps", [[60], [30, 30], [10] * 6, [0.001, 9.999, 25.5, 24.5], [3.7] * 16 + [0.8]])
def test_time_cut_into_pieces_is_the_same_time(pubsub: Pubsub, steps: list[float]) -> None:
    dead = pubsub.topic()
    grave = pubsub.subscription(dead)
    topic, subscription = pubsub.pair(dead_letter_policy={"dead_letter_topic": dead.name}, retry_policy={"minimum_backoff": {"seconds": 2}})
    topic.publish(b"m")
    for wait_s in (0, 12, 14, 18, 26):  # a lease, and a back-off of 2, 4, 8, 16 s
        pubsub.advance(wait_s)
        assert subscription.take_data() == [b"m"]
    for step in steps:
        pubsub.advance(step)
    (letter,) = grave.pull()
    assert letter.message.publish_time.ToNanoseconds() == pubsub.now() - 50 * 10**9, "it was forwarded when its last lease ended"
