"""Publish to delivery through Google's gRPC library: what an application built on it waits at least.

The bytes are made and parsed by the same classes as everywhere here; only the transport is grpcio's.

PYTEST_DONT_REWRITE
"""

import queue
import time
from collections.abc import Iterator

import grpc

from benchmarks import messages


def grpcio_deliveries(address: str, topic: str, subscription: str, count: int) -> list[float]:
    """Publish `count` messages and one before them, and return the seconds from each request to its delivery on a stream."""
    outgoing = queue.SimpleQueue[bytes | None]()
    outgoing.put(messages.open_stream(subscription, 60))
    request = messages.publish(topic, [b"x" * 100])
    times = []
    with grpc.insecure_channel(address) as publishing, grpc.insecure_channel(address) as receiving:
        publish: grpc.UnaryUnaryMultiCallable[bytes, bytes] = publishing.unary_unary(messages.PUBLISH)
        stream: grpc.StreamStreamMultiCallable[bytes, bytes] = receiving.stream_stream(messages.STREAMING_PULL)
        responses = stream(_requests(outgoing))
        for _ in range(count + 1):
            begun = time.perf_counter()
            published = publish.future(request)
            response = next(responses)
            times.append(time.perf_counter() - begun)
            outgoing.put(messages.stream_acks([message.ack_id for message in messages.streamed(response)]))
            published.result()
        outgoing.put(None)
        responses.cancel()
    return times


def _requests(outgoing: queue.SimpleQueue[bytes | None]) -> Iterator[bytes]:
    while (request := outgoing.get()) is not None:
        yield request
