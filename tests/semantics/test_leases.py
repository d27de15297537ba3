"""docs/semantics.md, leases."""

import pytest

from tests.semantics.pubsub import Pubsub
from tests.semantics.spec import backends, spec


@spec("leases/1")
@pytest.mark.parametrize(("wait_s", "available"), [(9.999, []), (10, [b"m"]), (10.001, [b"m"])])
def test_a_lease_ends_exactly_at_its_deadline(pubsub: Pubsub, wait_s: float, available: list[bytes]) -> None:
    topic, subscription = pubsub.pair(ack_deadline_seconds=10)
    topic.publish(b"m")
    assert subscription.take_data() == [b"m"]
    pubsub.advance(wait_s)
    assert subscription.take_data() == available


@backends("core", "grpc")
@spec("leases/1")
def test_x(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(ack_deadline_seconds=10)
    stream = subscription.stream()
    assert stream.data() == []
    topic.publish(b"m", b"n")
    got = stream.deliveries()
    assert len(got) == 2
    stream.ack(got[0])
    assert stream.data() == []
    pubsub.advance(10)
    assert stream.data() == [b"n"]
    subscription.delete()
    assert stream.error().code == "NOT_FOUND"


@spec("leases/1")
def test_y(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(ack_deadline_seconds=10)
    waiting = subscription.waiting_pull()
    assert not waiting.is_answered()
    topic.publish(b"m", b"n")
    assert waiting.data() == [b"m", b"n"]
    waiting = subscription.waiting_pull()
    waiting.cancel()
    topic.publish(b"o")
    assert subscription.take_data() == [b"o"]
