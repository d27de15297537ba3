"""Leases: docs/semantics.md, leases."""

import pytest

from publican_protocol import pubsub
from tests.rules.conftest import Pubsub, spec
from tests.rules.ways import Refused


@spec("leases/1")
@pytest.mark.parametrize(("wait_s", "again"), [(9.999, []), (10, [b"one"]), (10.001, [b"one"])])
def test_a_lease_ends_exactly_at_its_deadline(pubsub_: Pubsub, wait_s: float, again: list[bytes]) -> None:
    pubsub_.both(ack_deadline_seconds=10)
    pubsub_.publish(b"one")
    assert pubsub_.datas() == [b"one"]
    pubsub_.advance(wait_s)
    assert pubsub_.datas() == again


@spec("leases/2")
def test_every_delivery_has_an_ack_id_of_its_own_and_the_message_its_id(pubsub_: Pubsub) -> None:
    pubsub_.both()
    (message_id,) = pubsub_.publish(b"one")
    seen = set()
    for _ in range(3):
        (received,) = pubsub_.pull()
        assert received.message.message_id == message_id
        assert len(received.ack_id) <= 32
        seen.add(received.ack_id)
        pubsub_.advance(10)
    assert len(seen) == 3


@spec("leases/3")
def test_an_acked_message_is_not_delivered_again(pubsub_: Pubsub) -> None:
    pubsub_.both()
    pubsub_.publish(b"one", b"two")
    one, two = pubsub_.pull()
    pubsub_.ack(one)
    pubsub_.ack(one)
    pubsub_.advance(10)
    assert pubsub_.datas() == [b"two"]
    assert two.data == b"two"


@spec("leases/4")
def test_a_late_ack_still_acks(pubsub_: Pubsub) -> None:
    pubsub_.both()
    pubsub_.publish(b"one", b"two")
    late, other = pubsub_.pull()
    pubsub_.advance(10)
    pubsub_.ack(late)
    (again,) = pubsub_.pull()
    assert again.data == b"two"
    pubsub_.ack(other)
    pubsub_.advance(10)
    assert pubsub_.datas() == [], "the ack of the superseded id has acked the message"


@spec("leases/5")
@pytest.mark.parametrize(("seconds", "wait_s", "again"), [(600, 599, []), (600, 600, [b"one"]), (1, 1, [b"one"]), (1, 0.9, [])])
def test_a_new_deadline_replaces_the_old_one(pubsub_: Pubsub, seconds: int, wait_s: float, again: list[bytes]) -> None:
    pubsub_.both()
    pubsub_.publish(b"one")
    pubsub_.modack(seconds, *pubsub_.pull())
    pubsub_.advance(wait_s)
    assert pubsub_.datas() == again


@spec("leases/5")
@pytest.mark.parametrize("seconds", [-1, 601])
def test_a_new_deadline_has_bounds_and_nothing_is_applied_beyond_them(pubsub_: Pubsub, seconds: int) -> None:
    pubsub_.both()
    pubsub_.publish(b"one")
    with pytest.raises(Refused) as refused:
        pubsub_.modack(seconds, *pubsub_.pull())
    assert refused.value.code == "INVALID_ARGUMENT"
    assert refused.value.message == f"Invalid ack deadline given (ack_deadline={seconds}). The ack deadline must be between 0 and 600 seconds."
    pubsub_.advance(9.999)
    assert pubsub_.datas() == []


@spec("leases/6")
def test_a_nacked_message_comes_back_at_once_and_only_once(pubsub_: Pubsub) -> None:
    pubsub_.both()
    pubsub_.publish(b"one", b"two")
    one, _ = pubsub_.pull()
    pubsub_.nack(one)
    assert pubsub_.datas() == [b"one"]
    assert pubsub_.datas() == []


@spec("leases/7")
def test_a_stale_nack_does_not_cut_the_newer_lease(pubsub_: Pubsub) -> None:
    pubsub_.both()
    pubsub_.publish(b"one")
    (old,) = pubsub_.pull()
    pubsub_.advance(10)
    assert pubsub_.datas() == [b"one"]
    pubsub_.nack(old)
    pubsub_.modack(600, old)
    assert pubsub_.datas() == []
    pubsub_.advance(10)
    assert pubsub_.datas() == [b"one"]


@spec("leases/8")
@pytest.mark.parametrize("bad", ["nonsense", "", "g" * 21, "g" * 20 + "é"])
def test_a_malformed_ack_id_refuses_the_request_and_nothing_is_applied(pubsub_: Pubsub, bad: str) -> None:
    pubsub_.both()
    pubsub_.publish(b"one")
    (one,) = pubsub_.pull()
    for step in (lambda: pubsub_.ack(one, bad), lambda: pubsub_.nack(one, bad)):
        with pytest.raises(Refused) as refused:
            step()
        assert refused.value.code == "INVALID_ARGUMENT"
        assert refused.value.message == f"You have passed an invalid ack ID to the service (ack_id={bad})."
    assert pubsub_.datas() == []
    pubsub_.advance(10)
    assert pubsub_.datas() == [b"one"]


@spec("leases/9")
def test_no_ack_ids_at_all_is_an_error(pubsub_: Pubsub) -> None:
    pubsub_.both()
    for step in (pubsub_.ack, pubsub_.nack):
        with pytest.raises(Refused) as refused:
            step()
        assert (refused.value.code, refused.value.message) == ("INVALID_ARGUMENT", "You have not specified an ack ID in the request.")


@spec("leases/10")
def test_an_ack_id_means_nothing_to_another_subscription(pubsub_: Pubsub) -> None:
    pubsub_.both()
    other = pubsub_.subscription("projects/p/subscriptions/other")
    pubsub_.publish(b"one")
    (received,) = pubsub_.pull()
    pubsub_.ack(received, subscription=other)
    assert pubsub_.datas(subscription=other) == [b"one"]
    pubsub_.advance(10)
    assert pubsub_.datas() == [b"one"]


@spec("leases/11")
def test_acks_of_a_subscription_that_is_not_there_are_not_found(pubsub_: Pubsub) -> None:
    pubsub_.both()
    pubsub_.publish(b"one")
    (received,) = pubsub_.pull()
    pubsub_.call("DeleteSubscription", pubsub.DeleteSubscriptionRequest(subscription="projects/p/subscriptions/billing"))
    with pytest.raises(Refused) as refused:
        pubsub_.ack(received)
    assert (refused.value.code, refused.value.message) == ("NOT_FOUND", "Resource not found (resource=billing).")
