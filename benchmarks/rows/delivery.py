"""Rows about receiving over gRPC: StreamingPull with acks in the stream, publish to delivery, and Pull with Acknowledge.

Messages are published before the clock starts, and each row ends only when the server has confirmed the last ack. The latency row
publishes on one connection and receives on another, one message at a time.

PYTEST_DONT_REWRITE
"""

import statistics
import time
from collections.abc import Callable
from typing import Final

from benchmarks import messages
from benchmarks.connection import Connection, Stream
from benchmarks.grpcio_latency import grpcio_deliveries
from benchmarks.product import Running
from benchmarks.resources import Resources, resources
from benchmarks.row import Amounts, Row, Sample, cpu_of

PAYLOAD: Final = b"x" * 100
STREAM_DEADLINE_S: Final = 60


def streaming(server: Running, count: int) -> Sample:
    """Measure messages a second through one stream that acknowledges every response."""
    with resources(server.address) as made:
        made.fill(count, PAYLOAD)
        with Connection(server.address) as connection, cpu_of(server) as cpu:
            begun = time.perf_counter()
            stream = _open(connection, made.subscription)
            received = 0
            while received < count:
                received += len(_take(stream))
            _close(stream)
            seconds = time.perf_counter() - begun
        _check_empty(made)
    return Sample(count / seconds, cpu.per(count))


def latency(server: Running, count: int) -> Sample:
    """Measure the time from the publish request to the message on an open stream."""
    return _latency(server, count, _raw_deliveries)


def grpcio_latency(server: Running, count: int) -> Sample:
    """Measure the same with Google's gRPC library on both ends of the path; about 0.37 ms of it is the library."""
    return _latency(server, count, lambda made, count: grpcio_deliveries(made.connection.authority, made.topic, made.subscription, count))


def pull(server: Running, count: int) -> Sample:
    """Measure messages a second through Pull of 1,000 and Acknowledge, one call after the other."""
    with resources(server.address) as made:
        made.fill(count, PAYLOAD)
        with cpu_of(server) as cpu:
            begun = time.perf_counter()
            acked = 0
            request = messages.pull(made.subscription, 1_000)
            while acked < count:
                received = messages.pulled(made.connection.call(messages.PULL, request))
                ack_ids = [message.ack_id for message in received]
                made.connection.call(messages.ACKNOWLEDGE, messages.acknowledge(made.subscription, ack_ids))
                acked += len(ack_ids)
            seconds = time.perf_counter() - begun
        _check_empty(made)
    return Sample(count / seconds, cpu.per(count))


def _latency(server: Running, count: int, deliveries: Callable[[Resources, int], list[float]]) -> Sample:
    with resources(server.address) as made, cpu_of(server) as cpu:
        times = deliveries(made, count)[1:]  # the first one waits for the stream to be opened
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return Sample(cuts[49] * 1e3, cpu.per(count), {"p99": cuts[98] * 1e3})


def _raw_deliveries(made: Resources, count: int) -> list[float]:
    request = messages.publish(made.topic, [PAYLOAD])
    times = []
    with Connection(made.connection.authority) as connection:
        stream = _open(connection, made.subscription)
        for _ in range(count + 1):
            begun = time.perf_counter()
            published = made.connection.open(messages.PUBLISH)
            published.send(request, end=True)
            response = stream.receive()
            times.append(time.perf_counter() - begun)
            assert response is not None, stream.status_message
            stream.send(messages.stream_acks([message.ack_id for message in messages.streamed(response)]))
            published.answer()
        _close(stream)
    return times


def _open(connection: Connection, subscription: str) -> Stream:
    stream = connection.open(messages.STREAMING_PULL)
    stream.send(messages.open_stream(subscription, STREAM_DEADLINE_S))
    return stream


def _take(stream: Stream) -> list[str]:
    """Receive one response and acknowledge it."""
    response = stream.receive()
    assert response is not None, f"the stream ended: {stream.status} {stream.status_message}"
    ack_ids = [message.ack_id for message in messages.streamed(response)]
    stream.send(messages.stream_acks(ack_ids))
    return ack_ids


def _close(stream: Stream) -> None:
    """Wait until the server has read every ack, and cancel.

    Publican keeps a half-closed stream open, as the service does, but answers a ping, which it reads behind the acks; the official emulator answers
    no ping but ends a half-closed stream.
    """
    stream.send(b"")
    stream.end()
    while (response := stream.receive()) is not None and len(messages.streamed(response)):
        pass
    if response is None:
        assert stream.status == 0, f"the stream ended with {stream.status} {stream.status_message}"
    stream.cancel()


def _check_empty(made: Resources) -> None:
    left = messages.pulled(made.connection.call(messages.PULL, messages.pull(made.subscription, 10, wait=False)))
    assert not left, f"{len(left)} messages are left although all were acknowledged"


ROWS: Final = (
    Row(
        "streaming",
        "StreamingPull + ack, messages",
        "/s",
        "raw socket",
        Amounts(200_000, 4_000, 2_000, warm_up=6_000),
        streaming,
        more_is_better=True,
        ratio_target=200,
        value_target=400_000,
    ),
    Row(
        "latency",
        "publish to stream delivery, p50 / p99",
        "ms",
        "raw socket",
        Amounts(2_000, 50, 20, warm_up=50),
        latency,
        ratio_target=0.01,
    ),
    Row(
        "latency_grpcio",
        "the same by Google's gRPC library",
        "ms",
        "grpcio",
        Amounts(1_000, 50, 20, warm_up=50),
        grpcio_latency,
        value_target=1.0,
    ),
    Row(
        "pull",
        "Pull(1000) + Acknowledge, messages",
        "/s",
        "raw socket",
        Amounts(200_000, 40_000, 5_000, warm_up=100_000),
        pull,
        more_is_better=True,
        ratio_target=4,
    ),
)
