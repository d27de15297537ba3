"""docs/semantics.md, streaming-pull: what a stream delivers, what it may be told, and what ends it.

The core has consumers instead of streams: rules about requests and responses run over gRPC alone.
"""

from typing import Any

import pytest

from publican_protocol import pubsub as api
from tests.semantics.backends.over_grpc import GrpcBackend, GrpcStream
from tests.semantics.pubsub import Pubsub, Subscription
from tests.semantics.spec import backends, spec

BOTH = backends("core", "grpc")  # there is no StreamingPull over REST
GRPC = backends("grpc")  # what requests say on the wire


@BOTH
@spec("streaming-pull/1")
@pytest.mark.parametrize("seconds", [0, 1, 9, 601, -1])
def test_the_deadline_of_a_stream_is_10_to_600_seconds(pubsub: Pubsub, seconds: int) -> None:
    _, subscription = pubsub.pair()
    error = subscription.stream(stream_ack_deadline_seconds=seconds).error()
    text = f"Invalid ack deadline given (ack_deadline={seconds}). The ack deadline must be between 10 and 600 seconds."
    assert (error.code, error.text) == ("INVALID_ARGUMENT", text)


@BOTH
@spec("streaming-pull/1")
@pytest.mark.parametrize("seconds", [10, 600])
def test_deadlines_at_the_bounds_are_taken(pubsub: Pubsub, seconds: int) -> None:
    topic, subscription = pubsub.pair()
    stream = subscription.stream(stream_ack_deadline_seconds=seconds)
    topic.publish(b"m")
    assert stream.data() == [b"m"]
    pubsub.advance(seconds - 0.001)
    assert stream.data() == []
    pubsub.advance(0.001)
    assert stream.data() == [b"m"]


@BOTH
@spec("streaming-pull/1")
def test_what_cannot_be_pulled_cannot_be_streamed(pubsub: Pubsub) -> None:
    _, subscription = pubsub.pair()
    absent = Subscription(pubsub, "projects/p/subscriptions/absent")
    error = absent.stream().error()
    assert (error.code, error.text) == ("NOT_FOUND", f"Resource not found (resource={absent.name}).")
    assert Subscription(pubsub, "projects/p/topics/wrong").stream().error().code == "INVALID_ARGUMENT"
    subscription.detach()
    assert subscription.stream().error().code == "FAILED_PRECONDITION"


@GRPC
@spec("streaming-pull/2")
@pytest.mark.parametrize(
    "fields",
    [{"subscription": "its own name"}, {"max_outstanding_messages": 5}, {"max_outstanding_bytes": 5}, {"protocol_version": 1}],
    ids=lambda fields: next(iter(fields)),
)
def test_what_only_the_first_request_may_say_ends_the_stream_later(pubsub: Pubsub, fields: dict[str, Any]) -> None:
    _, subscription = pubsub.pair()
    stream = subscription.stream()
    stream.send(**({"subscription": subscription.name} if "subscription" in fields else fields))
    error = stream.error()
    assert error.code == "INVALID_ARGUMENT"
    assert error.text.startswith(f"You have passed an invalid argument to the service (argument={next(iter(fields))}).")


@BOTH
@spec("streaming-pull/3")
def test_messages_come_as_they_are_published_and_what_was_waiting_first(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(ack_deadline_seconds=600)
    topic.publish(b"waiting")
    stream = subscription.stream(stream_ack_deadline_seconds=20)
    assert stream.data() == [b"waiting"]
    pubsub.advance(5)
    topic.publish(b"new")
    assert stream.data() == [b"new"]
    pubsub.advance(14.999)
    assert stream.data() == []
    pubsub.advance(0.001)
    assert stream.data() == [b"waiting"], "its lease was the stream's, not the subscription's"


@BOTH
@spec("streaming-pull/4")
def test_a_new_deadline_counts_for_deliveries_from_then_on(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    stream = subscription.stream(stream_ack_deadline_seconds=10)
    topic.publish(b"before")
    assert stream.data() == [b"before"]
    stream.send(stream_ack_deadline_seconds=60)
    stream.responses()
    topic.publish(b"after")
    assert stream.data() == [b"after"]
    pubsub.advance(10)
    assert stream.data() == [b"before"]
    pubsub.advance(49.999)
    assert stream.data() == []
    pubsub.advance(0.001)
    assert stream.data() == [b"after"]


@BOTH
@spec("streaming-pull/4")
@pytest.mark.parametrize("seconds", [9, 601, -1])
def test_a_new_deadline_out_of_bounds_ends_the_stream(pubsub: Pubsub, seconds: int) -> None:
    _, subscription = pubsub.pair()
    stream = subscription.stream()
    stream.send(stream_ack_deadline_seconds=seconds)
    error = stream.error()
    assert error.code == "INVALID_ARGUMENT"
    assert "must be between 10 and 600 seconds" in error.text


@GRPC
@spec("streaming-pull/5")
def test_acks_and_deadline_changes_may_stand_in_the_first_request(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"a", b"b", b"c")
    a, b, c = subscription.pull()
    stream = subscription.stream(
        ack_ids=[a.ack_id], modify_deadline_ack_ids=[b.ack_id, c.ack_id], modify_deadline_seconds=[0, 600], max_outstanding_messages=1
    )
    assert stream.data() == [b"b"]
    pubsub.advance(599)
    stream.ack(*[each for each in stream.deliveries() if each.data == b"b"][-1:])
    assert stream.data() == []
    pubsub.advance(1)
    assert stream.data() == [b"c"]


@GRPC
@spec("streaming-pull/5")
def test_acks_stand_before_deadline_changes_and_of_an_id_twice_the_last_counts(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"a", b"b")
    stream = subscription.stream()
    a, b = stream.deliveries()
    stream.send(ack_ids=[a.ack_id], modify_deadline_ack_ids=[a.ack_id, b.ack_id, b.ack_id], modify_deadline_seconds=[0, 0, 30])
    assert stream.data() == []
    pubsub.advance(29.999)
    assert stream.data() == []
    pubsub.advance(0.001)
    assert stream.data() == [b"b"]


@GRPC
@spec("streaming-pull/5")
@pytest.mark.parametrize("seconds", [[], [10, 10], [-1], [601]])
def test_deadline_changes_have_as_many_seconds_as_ids_each_within_bounds(pubsub: Pubsub, seconds: list[int]) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"a", b"b")
    stream = subscription.stream()
    a, b = stream.deliveries()
    stream.send(ack_ids=[b.ack_id], modify_deadline_ack_ids=[a.ack_id], modify_deadline_seconds=seconds)
    assert stream.error().code == "INVALID_ARGUMENT"
    pubsub.advance(10)
    assert subscription.take_data() == [b"a", b"b"], "nothing of that request was carried out"


@BOTH
@spec("streaming-pull/6")
@pytest.mark.parametrize("most", [1, 2, 3])
def test_a_stream_holds_so_many_and_an_ack_a_nack_or_an_expiry_makes_room(pubsub: Pubsub, most: int) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(*[b"%d" % number for number in range(most + 3)])
    stream = subscription.stream(max_outstanding_messages=most)
    held = stream.deliveries()
    assert len(held) == most
    stream.ack(held[0])
    (more,) = stream.deliveries()
    more.ack()
    (more,) = stream.deliveries()
    stream.nack(more)
    (again,) = stream.deliveries()
    assert again.data == more.data, "what came back stands first"
    pubsub.advance(10)
    assert len(stream.data()) == most


@BOTH
@spec("streaming-pull/6")
def test_an_ack_that_came_another_way_makes_room_too(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"a", b"b", b"c")
    stream, other = subscription.stream(max_outstanding_messages=1), subscription.stream(max_outstanding_messages=1)
    (a,), (b,) = stream.deliveries(), other.deliveries()
    other.ack(a)
    assert [*other.data(), *stream.data()] == [b"c"], "the other first: only its answers say that its ack has come"
    subscription.ack(b)
    topic.publish(b"d")
    assert other.data() == [b"d"]


@BOTH
@spec("streaming-pull/7")
def test_a_stream_gets_nothing_more_while_it_holds_so_many_bytes(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    stream = subscription.stream(max_outstanding_bytes=2_500)
    topic.publish(*[b"x" * 1_000] * 5)
    held = stream.deliveries()
    assert len(held) == 3, "the third one overshoots"
    stream.ack(held[0])
    assert len(stream.deliveries()) == 1, "two are below the limit, three are not"


@BOTH
@spec("streaming-pull/7")
def test_a_message_larger_than_the_limit_comes_when_nothing_else_is_held(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    stream = subscription.stream(max_outstanding_bytes=10)
    topic.publish(b"x" * 100, b"y" * 100)
    (first,) = stream.deliveries()
    pubsub.advance(9)
    assert stream.data() == []
    stream.ack(first)
    assert stream.data() == [b"y" * 100]


@BOTH
@spec("streaming-pull/8")
@pytest.mark.parametrize("limit", [0, -1, -1_000])
def test_limits_of_0_and_below_are_none_and_each_stream_has_its_own(pubsub: Pubsub, limit: int) -> None:
    topic, subscription = pubsub.pair()
    narrow = subscription.stream(max_outstanding_messages=1)
    topic.publish(b"first")
    assert narrow.data() == [b"first"]
    wide = subscription.stream(max_outstanding_messages=limit, max_outstanding_bytes=limit)
    topic.publish(*[b"m"] * 1_000)
    topic.publish(*[b"m"] * 1_000)
    assert len(wide.deliveries()) == 2_000
    assert narrow.data() == []


@BOTH
@spec("streaming-pull/9")
def test_streams_share_what_there_is_in_turn(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    streams = [subscription.stream() for _ in range(3)]
    for number in range(9):
        topic.publish(b"%d" % number)
    shares = [stream.data() for stream in streams]
    assert sorted(data for share in shares for data in share) == [b"%d" % number for number in range(9)]
    assert [len(share) for share in shares] == [3, 3, 3]


@BOTH
@spec("streaming-pull/9")
def test_a_batch_is_shared_too(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    streams = [subscription.stream() for _ in range(4)]
    topic.publish(*[b"m"] * 100)
    shares = [len(stream.deliveries()) for stream in streams]
    assert sum(shares) == 100
    assert min(shares) >= 10


@BOTH
@spec("streaming-pull/10")
def test_leases_outlive_their_stream_and_their_ids_are_good_everywhere(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    stream = subscription.stream()
    topic.publish(b"a", b"b", b"c")
    a, b, c = stream.deliveries()
    stream.close()
    assert subscription.take_data() == []
    subscription.ack(a)
    other = subscription.stream()
    other.ack(b)
    assert other.data() == []
    pubsub.advance(9.999)
    assert other.data() == []
    pubsub.advance(0.001)
    assert other.data() == [b"c"]
    c.ack()


@GRPC
@spec("streaming-pull/11")
@pytest.mark.parametrize("version", [1, 2])
def test_with_a_protocol_version_every_empty_request_is_answered(pubsub: Pubsub, version: int) -> None:
    _, subscription = pubsub.pair()
    raw = raw_stream(subscription.stream(protocol_version=version))
    for _ in range(3):
        raw.send(api.StreamingPullRequest())
        assert raw.next() == api.StreamingPullResponse()


@GRPC
@spec("streaming-pull/11")
def test_without_one_no_empty_request_is_answered(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    raw = raw_stream(subscription.stream(protocol_version=0))
    for _ in range(3):
        raw.send(api.StreamingPullRequest())
    topic.publish(b"m")
    assert [each.message.data for each in raw.next().received_messages] == [b"m"]
    raw.send(api.StreamingPullRequest(stream_ack_deadline_seconds=1))
    assert raw.error().code == "INVALID_ARGUMENT"


def raw_stream(stream: Any) -> GrpcStream:
    """Give the stream under a stream: what answers a ping is nothing that its words would show."""
    assert isinstance(stream.raw, GrpcStream)
    return stream.raw


@GRPC
@spec("streaming-pull/12")
@pytest.mark.parametrize("exactly_once", [True, False])
@pytest.mark.parametrize("ordering", [True, False])
def test_every_response_with_messages_tells_the_properties(pubsub: Pubsub, exactly_once: bool, ordering: bool) -> None:
    topic, subscription = pubsub.pair(enable_exactly_once_delivery=exactly_once, enable_message_ordering=ordering)
    stream = subscription.stream()
    for _ in range(2):
        topic.publish(b"m")
        (response,) = stream.responses()
        told = response.subscription_properties
        assert (told.exactly_once_delivery_enabled, told.message_ordering_enabled) == (exactly_once, ordering)


@GRPC
@spec("streaming-pull/13")
@pytest.mark.parametrize("fields", [{"ack_ids": ["nonsense"]}, {"modify_deadline_ack_ids": ["nonsense"], "modify_deadline_seconds": [10]}])
def test_an_ack_id_that_no_server_ever_made_ends_the_stream(pubsub: Pubsub, fields: dict[str, Any]) -> None:
    _, subscription = pubsub.pair()
    stream = subscription.stream()
    stream.send(**fields)
    error = stream.error()
    assert (error.code, error.text) == ("INVALID_ARGUMENT", "You have passed an invalid ack ID to the service (ack_id=nonsense).")


@BOTH
@spec("streaming-pull/13")
def test_a_stale_id_is_silent(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    stream = subscription.stream()
    topic.publish(b"m")
    (stale,) = stream.deliveries()
    stream.nack(stale)
    (newer,) = stream.deliveries()
    stream.nack(stale)
    stream.ack(newer)
    stream.ack(stale)
    stream.modify(600, stale)
    assert stream.data() == []
    topic.publish(b"next")
    assert stream.data() == [b"next"]


@BOTH
@spec("streaming-pull/14")
def test_deleting_the_subscription_ends_its_streams(pubsub: Pubsub) -> None:
    _, subscription = pubsub.pair()
    streams = [subscription.stream() for _ in range(2)]
    subscription.delete()
    for stream in streams:
        error = stream.error()
        assert (error.code, error.text) == ("NOT_FOUND", f"Resource not found (resource={subscription.name}).")


@BOTH
@spec("streaming-pull/14")
def test_detaching_the_subscription_ends_its_streams(pubsub: Pubsub) -> None:
    _, subscription = pubsub.pair()
    stream = subscription.stream()
    subscription.detach()
    assert stream.error().code == "FAILED_PRECONDITION"


@BOTH
@spec("streaming-pull/14")
def test_deleting_the_topic_does_not(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"m")
    stream = subscription.stream()
    (delivery,) = stream.deliveries()
    topic.delete()
    stream.nack(delivery)
    assert stream.data() == [b"m"]


@GRPC
@spec("streaming-pull/15")
def test_a_client_that_has_sent_its_last_request_goes_on_receiving(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    raw = raw_stream(subscription.stream())
    raw.half_close()
    pubsub.advance(60)
    for data in (b"a", b"b"):
        topic.publish(data)
        assert [each.message.data for each in raw.next().received_messages] == [data]


@GRPC
@spec("streaming-pull/16")
def test_a_stream_is_open_before_there_is_any_message(pubsub: Pubsub) -> None:
    _, subscription = pubsub.pair()
    stream = subscription.stream()  # it returns when the headers are there
    assert stream.data() == []


@GRPC
@spec("streaming-pull/17")
def test_without_exactly_once_delivery_nothing_is_confirmed(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    stream = subscription.stream()
    topic.publish(b"a", b"b")
    a, b = stream.deliveries()
    stream.ack(a)
    stream.modify(30, b)
    assert stream.responses() == []


@BOTH
@spec("streaming-pull/18")
def test_streams_with_one_client_id_are_both_served(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    first, second = (subscription.stream(client_id="same", max_outstanding_messages=1) for _ in range(2))
    topic.publish(b"a", b"b")
    assert sorted(first.data() + second.data()) == [b"a", b"b"]


@GRPC
@spec("streaming-pull/19")
def test_what_a_client_has_no_room_for_on_the_wire_is_left_to_others(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    backend = pubsub.backend
    assert isinstance(backend, GrpcBackend)
    call = backend.unread_stream(api.StreamingPullRequest(subscription=subscription.name, stream_ack_deadline_seconds=10))
    for _ in range(40):
        topic.publish(b"x" * 1_000_000)
    taken = len([delivery for _ in range(20) for delivery in subscription.pull()])
    call.cancel()
    assert 20 <= taken < 40, "what was on its way to it is leased, and no more"
