"""What Google's gRPC library does with a connection: compression, keepalive pings, 10 MB messages, deadlines, cancelled calls, many streams."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from google.cloud import pubsub_v1
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

LIMIT_S = 20.0
STREAMING_PULL = "/google.pubsub.v1.Subscriber/StreamingPull"
PULL = "/google.pubsub.v1.Subscriber/Pull"


def status_of(error: Any) -> grpc.StatusCode:
    """Return the code of a failed call; grpc raises an RpcError that is a Call too."""
    code: grpc.StatusCode = error.code()
    return code


@pytest.fixture
def channel(address: str) -> Iterator[grpc.Channel]:
    """Open a channel of our own, with the options that a test of the transport needs to set."""
    with grpc.insecure_channel(address) as channel:
        yield channel


@pytest.fixture
def compressing(address: str) -> Iterator[pubsub_v1.SubscriberClient]:
    """Give a subscriber whose channel compresses; name it before `stream`, which must end first."""
    with grpc.insecure_channel(address, compression=grpc.Compression.Gzip) as channel:
        yield pubsub_v1.SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))


def test_a_compressed_publish_arrives(publisher: pubsub_v1.PublisherClient, topic: str, subscription: str, stream: Callable[..., Any]) -> None:
    inbox = stream(subscription)
    publish = publisher.transport.grpc_channel.unary_unary(
        "/google.pubsub.v1.Publisher/Publish", request_serializer=pubsub_v1.types.PublishRequest.serialize
    )
    messages = [pubsub_v1.types.PubsubMessage(data=b"a" * 100_000)]
    publish(pubsub_v1.types.PublishRequest(topic=topic, messages=messages), compression=grpc.Compression.Gzip, timeout=LIMIT_S)
    assert inbox.take_and_ack(1) == [b"a" * 100_000]


def test_a_channel_that_compresses_is_served_both_ways(
    publisher: pubsub_v1.PublisherClient, compressing: pubsub_v1.SubscriberClient, topic: str, subscription: str, stream: Callable[..., Any]
) -> None:
    """Its requests come compressed, and so go the answers: a pull, deliveries on a stream."""
    data = b"a" * 100_000
    publisher.publish(topic, data).result(timeout=LIMIT_S)
    (pulled,) = compressing.pull(subscription=subscription, max_messages=1, timeout=LIMIT_S).received_messages
    assert pulled.message.data == data
    compressing.acknowledge(subscription=subscription, ack_ids=[pulled.ack_id])
    inbox = stream(subscription, client=compressing)
    publisher.publish(topic, data).result(timeout=LIMIT_S)
    assert inbox.take_and_ack(1) == [data]


def test_a_message_of_10_mb_goes_round(address: str, publisher: pubsub_v1.PublisherClient, topic: str, subscription: str) -> None:
    """The largest request that the service takes is 10,000,000 bytes with everything; it is larger than any window on the way.

    With PUBSUB_EMULATOR_HOST Google's library forgets to lift grpc's receive limit of 4 MiB, so the receiving channel is ours.
    """
    data = bytes(range(256)) * 39_000
    publisher.publish(topic, data).result(timeout=LIMIT_S)
    with grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", -1)]) as unlimited:
        receiver = pubsub_v1.SubscriberClient(transport=SubscriberGrpcTransport(channel=unlimited))
        answer = receiver.pull(subscription=subscription, max_messages=1, timeout=LIMIT_S)
        assert [each.message.data for each in answer.received_messages] == [data]
        receiver.acknowledge(subscription=subscription, ack_ids=[answer.received_messages[0].ack_id])


def test_a_response_of_many_messages_fits_a_client_with_the_default_limit(
    publisher: pubsub_v1.PublisherClient, subscriber: pubsub_v1.SubscriberClient, topic: str, subscription: str
) -> None:
    """24 MB wait, and the client takes 4 MiB at a time: a response that is larger would kill the stream again and again."""
    for number in range(24):
        publisher.publish(topic, bytes([number]) * 1_000_000).result(timeout=LIMIT_S)
    sizes: list[int] = []
    while len(sizes) < 24:
        answer = subscriber.pull(subscription=subscription, max_messages=100, timeout=LIMIT_S)
        sizes += [len(each.message.data) for each in answer.received_messages]
        subscriber.acknowledge(subscription=subscription, ack_ids=[each.ack_id for each in answer.received_messages])
    assert sizes == [1_000_000] * 24


def test_keepalive_pings_are_allowed(address: str, subscription: str) -> None:
    """Google's libraries ping every 30 s; a server that counts such pings as strikes ends the connection with GOAWAY, too_many_pings."""
    options = [("grpc.keepalive_time_ms", 50), ("grpc.http2.max_pings_without_data", 0)]
    with grpc.insecure_channel(address, options=options) as pinging:
        request = pubsub_v1.types.PullRequest.serialize(pubsub_v1.types.PullRequest(subscription=subscription, max_messages=1))
        pull: grpc.UnaryUnaryMultiCallable[bytes, bytes] = pinging.unary_unary(PULL)
        with pytest.raises(grpc.RpcError) as ended:
            pull(request, timeout=1.0)  # some twenty pings, and no data
    assert status_of(ended.value) is grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_deadline_ends_a_waiting_pull(channel: grpc.Channel, subscription: str) -> None:
    request = pubsub_v1.types.PullRequest(subscription=subscription, max_messages=1)
    with pytest.raises(grpc.RpcError) as ended:
        channel.unary_unary(PULL)(pubsub_v1.types.PullRequest.serialize(request), timeout=0.2)
    assert status_of(ended.value) is grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_pull_that_gave_up_takes_no_message_with_it(
    publisher: pubsub_v1.PublisherClient, subscriber: pubsub_v1.SubscriberClient, channel: grpc.Channel, topic: str, subscription: str
) -> None:
    request = pubsub_v1.types.PullRequest.serialize(pubsub_v1.types.PullRequest(subscription=subscription, max_messages=1))
    pull: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(PULL)
    waiting = [pull.future(request, timeout=LIMIT_S) for _ in range(5)]
    for call in waiting:
        assert call.cancel()
    # A call on the same connection: the server has read the resets before it.
    get_topic: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary("/google.pubsub.v1.Publisher/GetTopic")
    with pytest.raises(grpc.RpcError):
        get_topic(b"", timeout=LIMIT_S)
    publisher.publish(topic, b"for whoever still waits").result(timeout=LIMIT_S)
    answer = subscriber.pull(subscription=subscription, max_messages=1, timeout=LIMIT_S)
    assert [each.message.data for each in answer.received_messages] == [b"for whoever still waits"]


def test_200_streams_live_on_one_channel(
    publisher: pubsub_v1.PublisherClient, subscriber: pubsub_v1.SubscriberClient, topic: str, project: str
) -> None:
    """A server that announces 100 concurrent streams lets Google's 101st wait for ever, without a word."""
    open_stream = subscriber.transport.grpc_channel.stream_stream(
        STREAMING_PULL,
        request_serializer=pubsub_v1.types.StreamingPullRequest.serialize,
        response_deserializer=pubsub_v1.types.StreamingPullResponse.deserialize,
    )
    finished = threading.Event()
    streams = []

    def requests(name: str) -> Iterator[pubsub_v1.types.StreamingPullRequest]:
        yield pubsub_v1.types.StreamingPullRequest(subscription=name, stream_ack_deadline_seconds=60)
        finished.wait(LIMIT_S * 3)

    for number in range(200):
        name = f"projects/{project}/subscriptions/stream-{number}"
        subscriber.create_subscription(name=name, topic=topic)
        streams.append(open_stream(requests(name)))
    publisher.publish(topic, b"to all").result(timeout=LIMIT_S)
    for each in streams:
        assert [received.message.data for received in next(each).received_messages] == [b"to all"]
    finished.set()
    for each in streams:
        each.cancel()
