"""docs/semantics.md, pull: how many, how long, and what ends the waiting."""

from collections.abc import Iterator

import grpc
import pytest

from publican_protocol import pubsub as api
from tests.semantics.backends.over_grpc import GrpcBackend
from tests.semantics.backends.over_rest import RestBackend
from tests.semantics.pubsub import Pubsub, seconds
from tests.semantics.spec import backends, spec


@spec("pull/1")
@pytest.mark.parametrize("most", [0, -1, -(2**31)])
def test_max_messages_is_above_0(pubsub: Pubsub, most: int) -> None:
    _, subscription = pubsub.pair()
    error = pubsub.refuses("Pull", api.PullRequest(subscription=subscription.name, max_messages=most))
    assert error.code == "INVALID_ARGUMENT"
    assert error.text.startswith("You have passed an invalid argument to the service (argument=max_messages).")


@spec("pull/2")
@pytest.mark.parametrize(("most", "got"), [(1, 1), (2, 2), (1199, 1000), (999, 999), (1000, 1000), (1001, 1000), (2**31 - 1, 1000)])
def test_a_response_has_at_most_what_was_asked_for_and_never_more_than_1000(pubsub: Pubsub, most: int, got: int) -> None:
    topic, subscription = pubsub.pair()
    for _ in range(2):
        topic.publish(*[b"m"] * 600)
    assert len(subscription.pull(most)) == got
    assert len(subscription.pull()) == min(1000, 1200 - got)


@spec("pull/3")
def test_a_response_stays_below_4_mb(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(*[b"x" * 1_000_000] * 5)
    assert [len(subscription.pull()) for _ in range(3)] == [3, 2, 0]


@spec("pull/3")
def test_a_larger_message_comes_by_itself(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"small")
    topic.publish(b"x" * 6_000_000)
    topic.publish(b"small too")
    assert [[len(each.data) for each in subscription.pull()] for _ in range(3)] == [[5], [6_000_000], [9]]


@spec("pull/4")
def test_return_immediately_answers_what_is_there(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    assert subscription.take_data() == []
    topic.publish(b"a", b"b")
    assert subscription.take_data() == [b"a", b"b"]
    assert subscription.take_data() == []


@spec("pull/5")
def test_a_pull_that_finds_messages_does_not_wait(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"a", b"b")
    assert subscription.waiting_pull().data() == [b"a", b"b"]


@spec("pull/5")
def test_a_pull_waits_for_a_publish(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    waiting = subscription.waiting_pull()
    pubsub.advance(3600)
    assert not waiting.is_answered()
    topic.publish(b"a", b"b")
    assert waiting.data() == [b"a", b"b"]


@spec("pull/5")
def test_a_pull_waits_for_a_nack_an_expiry_or_a_back_off(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(retry_policy={"minimum_backoff": seconds(3), "maximum_backoff": seconds(3)})
    topic.publish(b"m")
    subscription.take().nack()
    waiting = subscription.waiting_pull()
    pubsub.advance(2.999)
    assert not waiting.is_answered()
    pubsub.advance(0.001)
    assert waiting.data() == [b"m"]
    waiting = subscription.waiting_pull()
    pubsub.advance(12.999)
    assert not waiting.is_answered()
    pubsub.advance(0.001)
    (delivery,) = waiting.deliveries()
    subscription.update("retry_policy")
    waiting = subscription.waiting_pull()
    delivery.nack()
    assert waiting.data() == [b"m"]


@spec("pull/5")
def test_a_message_answers_one_of_those_who_wait(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    first, second = subscription.waiting_pull(), subscription.waiting_pull()
    topic.publish(b"a")
    assert first.data() == [b"a"]
    assert not second.is_answered()
    topic.publish(b"b")
    assert second.data() == [b"b"]


@spec("pull/5")
def test_a_filter_decides_what_ends_the_waiting(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(filter="attributes:a")
    waiting = subscription.waiting_pull()
    topic.publish(b"out")
    pubsub.advance(0)
    assert not waiting.is_answered()
    topic.publish(b"in", a="")
    assert waiting.data() == [b"in"]


@pytest.fixture(params=[GrpcBackend, RestBackend])
def impatient(request: pytest.FixtureRequest) -> Iterator[Pubsub]:
    """Give an emulator whose Pulls wait for a hundredth of a second: this time is real."""
    with request.param(pull_wait_s=0.01) as backend:
        yield Pubsub(backend)


@spec("pull/6")
def test_a_pull_that_has_waited_for_its_time_is_empty(impatient: Pubsub) -> None:
    topic, subscription = impatient.pair()
    answer = impatient.call("Pull", api.PullRequest(subscription=subscription.name, max_messages=10))
    assert answer == api.PullResponse()
    topic.publish(b"m")
    assert subscription.take_data() == [b"m"], "nothing was leased to it afterwards"


@spec("pull/7")
def test_nothing_is_leased_to_a_pull_whose_caller_has_gone(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    subscription.waiting_pull().cancel()
    topic.publish(b"m")
    assert subscription.take_data() == [b"m"]


@backends("grpc")  # a deadline is the transport's
@spec("pull/7", "pull/8")
def test_the_callers_deadline_ends_the_waiting(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    backend = pubsub.backend
    assert isinstance(backend, GrpcBackend)
    pull = backend.method("Pull")
    with pytest.raises(grpc.RpcError) as raised:
        pull(api.PullRequest(subscription=subscription.name, max_messages=10), timeout=0.05)
    assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    backend.until(lambda: not backend.is_waited_on(subscription.name))
    topic.publish(b"m")
    assert subscription.take_data() == [b"m"]


@spec("pull/9")
def test_without_a_dead_letter_policy_no_attempt_is_told(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"m")
    for _ in range(3):
        delivery = subscription.take()
        assert delivery.attempt == 0
        delivery.nack()


@spec("pull/10")
def test_a_pull_that_waits_ends_with_its_subscription(pubsub: Pubsub) -> None:
    _, subscription = pubsub.pair()
    waiting = subscription.waiting_pull()
    subscription.delete()
    assert waiting.error().code == "NOT_FOUND"


@spec("pull/10")
def test_a_pull_that_waits_ends_when_its_subscription_is_detached(pubsub: Pubsub) -> None:
    _, subscription = pubsub.pair()
    waiting = subscription.waiting_pull()
    subscription.detach()
    assert waiting.error().code == "FAILED_PRECONDITION"


@spec("pull/10")
def test_a_pull_goes_on_waiting_when_the_topic_is_deleted(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"m")
    delivery = subscription.take()
    waiting = subscription.waiting_pull()
    topic.delete()
    assert not waiting.is_answered()
    delivery.nack()
    assert waiting.data() == [b"m"]
