"""Streams of real gRPC clients when time moves, when the broker is swapped, and when the emulator ends."""

import gc
import queue
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from publican_emulator import Emulator, VirtualClock
from publican_emulator.broker.broker import Broker
from publican_emulator.broker.settings import SubscriptionSettings, TopicSettings
from publican_protocol import pubsub

TOPIC = "projects/p/topics/orders"
SUBSCRIPTION = "projects/p/subscriptions/billing"


class Stream:
    """A StreamingPull of a client that reads on a thread of its own: what came, and how it ended."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
        self._requests: queue.SimpleQueue[pubsub.StreamingPullRequest | None] = queue.SimpleQueue()
        self.received: queue.SimpleQueue[pubsub.ReceivedMessage] = queue.SimpleQueue()
        self.ended: queue.SimpleQueue[tuple[grpc.StatusCode, str]] = queue.SimpleQueue()
        open_stream = self._channel.stream_stream(
            "/google.pubsub.v1.Subscriber/StreamingPull",
            request_serializer=pubsub.StreamingPullRequest.SerializeToString,
            response_deserializer=pubsub.StreamingPullResponse.FromString,
        )
        self.send(pubsub.StreamingPullRequest(subscription=SUBSCRIPTION, stream_ack_deadline_seconds=10))
        self._call = open_stream(iter(self._requests.get, None), wait_for_ready=True)
        self._call.initial_metadata()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def send(self, request: pubsub.StreamingPullRequest) -> None:
        self._requests.put(request)

    def _read(self) -> None:
        try:
            for response in self._call:
                for message in response.received_messages:
                    self.received.put(message)
        except grpc.RpcError as error:
            self.ended.put((error.code(), str(error.details())))

    def close(self) -> None:
        self._requests.put(None)
        self._call.cancel()
        self._reader.join()
        self._channel.close()


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(clock=VirtualClock()) as running:
        prepare(running)
        yield running


def prepare(emulator: Emulator) -> None:
    emulator.run(Broker.create_topic, TOPIC, TopicSettings())
    emulator.run(Broker.create_subscription, SUBSCRIPTION, TOPIC, SubscriptionSettings())


@pytest.fixture
def stream(emulator: Emulator) -> Iterator[Stream]:
    opened = Stream(emulator.address)
    yield opened
    opened.close()


def publish(emulator: Emulator, data: bytes) -> None:
    emulator.run(Broker.publish, TOPIC, [pubsub.PubsubMessage(data=data).SerializeToString()])


def test_each_lease_that_ends_while_time_passes_is_followed_by_a_delivery(emulator: Emulator, stream: Stream) -> None:
    publish(emulator, b"one")
    emulator.advance(0)
    start = emulator.now()
    emulator.advance(35)
    ack_ids = {stream.received.get(timeout=10).ack_id for _ in range(4)}  # at 0, 10, 20 and 30 s
    assert len(ack_ids) == 4
    assert stream.received.empty()
    assert emulator.now() - start == 35_000_000_000


def test_a_reset_ends_a_stream_for_good_with_the_reason(emulator: Emulator, stream: Stream) -> None:
    emulator.reset("test_one is over")
    assert stream.ended.get(timeout=10) == (grpc.StatusCode.FAILED_PRECONDITION, "test_one is over")


def test_after_a_reset_a_stream_gets_messages_of_the_new_broker_only(emulator: Emulator, stream: Stream) -> None:
    publish(emulator, b"old")
    assert stream.received.get(timeout=10).message.data == b"old"
    emulator.reset()
    prepare(emulator)
    again = Stream(emulator.address)
    publish(emulator, b"new")
    message = again.received.get(timeout=10).message
    assert (message.data, message.message_id) == (b"new", "1")
    again.close()
    assert stream.received.empty()


def test_the_end_tells_a_stream_to_try_again() -> None:
    with Emulator() as emulator:
        prepare(emulator)
        stream = Stream(emulator.address)
    assert stream.ended.get(timeout=10)[0] is grpc.StatusCode.UNAVAILABLE
    stream.close()


def test_threads_and_descriptors_are_given_back_when_streams_were_open() -> None:
    descriptors = Path("/proc/self/fd")

    def use() -> None:
        with Emulator() as emulator:
            prepare(emulator)
            streams = [Stream(emulator.address) for _ in range(5)]
            publish(emulator, b"one")
        for stream in streams:
            stream.close()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        use()
        gc.collect()
        threads, open_files = named_threads(), len(list(descriptors.iterdir()))
        for _ in range(5):
            use()
        gc.collect()
    assert named_threads() == threads
    assert len(list(descriptors.iterdir())) < open_files + 5  # one for each use would be a leak; grpc closes the last of its own a little later
    assert not caught


def named_threads() -> list[str]:
    """Give the names of the threads that are ours; gRPC keeps some of its own for a while."""
    return sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("publican"))


def test_a_stream_that_acks_at_once_sees_each_deadline_settled(emulator: Emulator) -> None:
    """Advancing waits, in real time, for the client of the stream to settle what it got at a deadline: so nothing is delivered twice."""
    stream = Stream(emulator.address)
    publish(emulator, b"one")
    stream.received.get(timeout=10)
    acker = threading.Thread(target=lambda: stream.send(pubsub.StreamingPullRequest(ack_ids=[stream.received.get(timeout=10).ack_id])))
    acker.start()
    emulator.advance(60)
    acker.join()
    assert stream.received.empty()
    stream.close()
