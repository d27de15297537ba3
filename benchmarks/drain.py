"""`python -m benchmarks.drain`: publish a million messages, stream them to two subscribers that share a subscription, look at the memory.

Everything is published before the first message is taken: that is when most of it is in memory. Both subscribers are raw connections in
one thread, read when `select` says that there is something, so neither waits for the other.

PYTEST_DONT_REWRITE
"""

import argparse
import select
import sys
import time
from dataclasses import dataclass

from benchmarks import messages
from benchmarks.connection import Connection, Stream
from benchmarks.product import Running, publican, started
from benchmarks.resources import Resources, resources

PAYLOAD_BYTES = 100
BATCH = 1_000
STREAM_DEADLINE_S = 60


@dataclass(frozen=True, slots=True)
class Drained:
    """What came of it; memory in units of 10**6 bytes."""

    published: int
    seen: int
    deliveries: tuple[int, ...]
    left: int
    publish_s: float
    stream_s: float
    rss_start_mb: float
    rss_full_mb: float
    rss_peak_mb: float
    rss_end_mb: float

    def __str__(self) -> str:
        return (
            f"{self.published:,} published in {self.publish_s:.1f} s, {self.seen:,} seen in {self.stream_s:.1f} s "
            f"({' + '.join(f'{count:,}' for count in self.deliveries)} deliveries), {self.left} left; "
            f"RSS {self.rss_start_mb:.0f} MB at the start, {self.rss_full_mb:.0f} full, "
            f"{self.rss_peak_mb:.0f} at most, {self.rss_end_mb:.0f} at the end"
        )


def drain(server: Running, count: int) -> Drained:
    """Publish `count` different messages and stream them to two subscribers."""
    with resources(server.address) as made:
        _round(server, made, 10 * BATCH)  # what the code itself needs is in memory before the first reading
        rss_start_mb = server.rss_mb
        publish_s, rss_full_mb, seen, deliveries, stream_s = _round(server, made, count)
        left = messages.pulled(made.connection.call(messages.PULL, messages.pull(made.subscription, 1_000, wait=False)))
        return Drained(count, seen, deliveries, len(left), publish_s, stream_s, rss_start_mb, rss_full_mb, server.rss_peak_mb, server.rss_mb)


def _round(server: Running, made: Resources, count: int) -> tuple[float, float, int, tuple[int, ...], float]:
    begun = time.perf_counter()
    _publish(made, count)
    published = time.perf_counter()
    rss_full_mb = server.rss_mb
    seen, deliveries = _stream(server.address, made.subscription, count)
    return published - begun, rss_full_mb, seen, deliveries, time.perf_counter() - published


def _publish(made: Resources, count: int) -> None:
    for first in range(0, count, BATCH):
        made.publish([b"%010d" % number + b"x" * (PAYLOAD_BYTES - 10) for number in range(first, min(first + BATCH, count))])


def _stream(address: str, subscription: str, count: int) -> tuple[int, tuple[int, ...]]:
    """Take messages from two streams until every one was seen; then see that both have had their acks read."""
    seen, missing = bytearray(count), count
    deliveries = [0, 0]
    with Connection(address) as one, Connection(address) as other:
        streams = [_open(connection, subscription) for connection in (one, other)]
        while missing:
            readable, _, _ = select.select((one, other), (), (), STREAM_DEADLINE_S)
            assert readable, f"nothing came for {STREAM_DEADLINE_S} s, and {missing} of {count} are missing"
            for connection in readable:
                connection.pump()
                index = 0 if connection is one else 1
                delivered, new = _take(streams[index], seen)
                deliveries[index] += delivered
                missing -= new
        for stream in streams:
            _settle(stream)
    return count - missing, tuple(deliveries)


def _open(connection: Connection, subscription: str) -> Stream:
    stream = connection.open(messages.STREAMING_PULL)
    stream.send(messages.open_stream(subscription, STREAM_DEADLINE_S))
    return stream


def _take(stream: Stream, seen: bytearray) -> tuple[int, int]:
    """Acknowledge every response that is there, and count deliveries and first sights."""
    delivered = new = 0
    while stream.messages:
        received = messages.streamed(stream.messages.popleft())
        stream.send(messages.stream_acks([each.ack_id for each in received]))
        for each in received:
            number = int(each.message.data[:10])
            new += not seen[number]
            seen[number] = 1
        delivered += len(received)
    assert stream.status is None, f"the stream ended with {stream.status} {stream.status_message}"
    return delivered, new


def _settle(stream: Stream) -> None:
    """Ping behind the acks and wait for the answer."""
    stream.send(b"")
    while (response := stream.receive()) is not None and len(messages.streamed(response)):
        stream.send(messages.stream_acks([each.ack_id for each in messages.streamed(response)]))
    stream.cancel()


def main() -> int:
    """Run it once on a server of its own."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.drain", description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000_000)
    options = parser.parse_args()
    with started(publican()) as server:
        sys.stdout.write(f"{drain(server, options.messages)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
