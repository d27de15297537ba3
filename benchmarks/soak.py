"""`python -m benchmarks.soak --seconds 600`: publishers, streams that come and go, kills and half-closes; nothing may be lost, nothing may grow.

The driver is one thread and one loop over sockets: it publishes a batch, then looks after its streams. What the server still has of its core is
filled by single publishes to another topic (h2load, where it is installed). A stream reads and acks for a while, then ends
in one of four ways: cancelled, half-closed, its socket shut with messages leased and unacked, or abandoned without reading. What such a stream held
comes back after its ack deadline. At the end everything that was published must have been seen, and the server must be as small as it was.

PYTEST_DONT_REWRITE
"""

import argparse
import itertools
import random
import select
import sys
import time
from dataclasses import dataclass, field

from benchmarks import messages
from benchmarks.connection import Connection, ConnectionBroken, Stream
from benchmarks.load import background
from benchmarks.product import Running, publican, started
from benchmarks.resources import Resources, resources

STREAMS = 4
BATCH = 500
PAYLOAD_BYTES = 100
ACK_DEADLINE_S = 10
BACKLOG_MAX = 200_000
DRAIN_S = 60.0
RSS_GROWTH_MB = 15
DESCRIPTORS_GROWTH = 4


@dataclass(slots=True)
class Soaked:
    """What came of it; memory in units of 10**6 bytes."""

    published: int = 0
    seen: int = 0
    deliveries: int = 0
    streams: int = 0
    seconds: float = 0.0
    server_cpu_s: float = 0.0
    rss_mb: list[float] = field(default_factory=list)
    """At the end of each tenth."""
    threads: list[int] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)

    @property
    def troubles(self) -> list[str]:
        """What is not as it should be: something was lost, or grew from the first half to the second."""
        half = len(self.rss_mb) // 2
        found = []
        if self.seen != self.published:
            found.append(f"{self.published - self.seen:,} messages were lost")
        if max(self.rss_mb[half:]) > max(self.rss_mb[:half]) + RSS_GROWTH_MB:
            found.append(f"memory grew by more than {RSS_GROWTH_MB} MB")
        if max(self.threads) != min(self.threads):
            found.append("threads came or stayed")
        if max(self.descriptors[half:]) > max(self.descriptors[:half]) + DESCRIPTORS_GROWTH:
            found.append("descriptors stayed open")
        return found

    def __str__(self) -> str:
        return (
            f"{self.published:,} published, {self.seen:,} seen, {self.deliveries:,} deliveries on {self.streams:,} streams in {self.seconds:.0f} s, "
            f"server CPU {self.server_cpu_s:.0f} s; RSS {' '.join(f'{each:.0f}' for each in self.rss_mb)} MB, "
            f"threads {' '.join(map(str, self.threads))}, descriptors {' '.join(map(str, self.descriptors))}"
        )


class _Consumer:
    """One stream on a connection of its own, for a while."""

    def __init__(self, address: str, subscription: str, ends_at: int, how: str) -> None:
        self.connection = Connection(address)
        self.stream: Stream = self.connection.open(messages.STREAMING_PULL)
        self.stream.send(messages.open_stream(subscription, ACK_DEADLINE_S, max_outstanding=5_000))
        self.responses_left = ends_at
        self.how = how

    def take(self, seen: bytearray) -> tuple[int, int]:
        """Read what is there and ack it, but for the last response of a stream that is to be killed; give deliveries and first sights."""
        if self.how == "abandoned" and self.responses_left <= 0:
            return 0, 0
        self.connection.pump()
        delivered = new = 0
        while self.stream.messages:
            received = messages.streamed(self.stream.messages.popleft())
            self.responses_left -= 1
            delivered += len(received)
            if self.responses_left <= 0 and self.how == "killed":
                continue
            for each in received:
                number = int(each.message.data[:10])
                new += not seen[number]
                seen[number] = 1
            self.stream.send(messages.stream_acks([each.ack_id for each in received]))
        return delivered, new

    def end(self) -> None:
        """End as it was to end."""
        if self.how == "cancelled":
            self.stream.cancel()
        elif self.how == "half-closed":
            self.stream.end()
        self.connection.close()


def soak(server: Running, seconds: float, seed: int = 1) -> Soaked:
    """Publish and consume for so long, then consume what is left."""
    chance = random.Random(seed)
    result = Soaked()
    seen = bytearray()
    with (
        resources(server.address, subscriptions=0) as other,
        resources(server.address) as made,
        background(server.address, messages.PUBLISH, messages.publish(other.topic, [b"x" * PAYLOAD_BYTES]), seconds),
    ):
        consumers = [_consumer(server, made, chance) for _ in range(STREAMS)]
        result.streams = STREAMS
        begun, cpu = time.monotonic(), server.cpu_s
        tenths = (begun + seconds * each / 10 for each in itertools.count(1))
        sample_at = next(tenths)
        ends = begun + seconds
        while (now := time.monotonic()) < ends or (result.seen < result.published and now < ends + DRAIN_S):
            if now < ends and result.published - result.seen < BACKLOG_MAX:
                _publish(made, seen, result)
            _look_after(consumers, seen, result, wait_s=0.0 if now < ends else 0.1)
            for place, each in enumerate(consumers):
                if each.responses_left <= 0 or each.stream.status is not None:
                    each.end()
                    consumers[place] = _consumer(server, made, chance)
                    result.streams += 1
            if now >= sample_at:
                sample_at = next(tenths)
                _sample(server, result)
        result.seconds, result.server_cpu_s = time.monotonic() - begun, server.cpu_s - cpu
        for each in consumers:
            each.end()
    _sample(server, result)
    return result


def _consumer(server: Running, made: Resources, chance: random.Random) -> _Consumer:
    how = chance.choice(["cancelled", "half-closed", "killed", "abandoned"])
    return _Consumer(server.address, made.subscription, chance.randint(20, 400), how)


def _publish(made: Resources, seen: bytearray, result: Soaked) -> None:
    first = result.published
    made.publish([b"%010d" % number + b"x" * (PAYLOAD_BYTES - 10) for number in range(first, first + BATCH)])
    seen.extend(bytes(BATCH))
    result.published += BATCH


def _look_after(consumers: list[_Consumer], seen: bytearray, result: Soaked, wait_s: float) -> None:
    readable, _, _ = select.select([each.connection for each in consumers], (), (), wait_s)
    for each in consumers:
        if each.connection in readable:
            try:
                delivered, new = each.take(seen)
            except (ConnectionBroken, OSError):
                each.responses_left = 0
                continue
            result.deliveries += delivered
            result.seen += new


def _sample(server: Running, result: Soaked) -> None:
    result.rss_mb.append(server.rss_mb)
    result.threads.append(server.threads)
    result.descriptors.append(server.descriptors)


def main() -> int:
    """Run it once on a server of its own; exit with 1 when something was lost, or grew."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    options = parser.parse_args()
    with started(publican()) as server:
        result = soak(server, options.seconds)
        sys.stdout.write(f"{result}\n")
    for trouble in result.troubles:
        sys.stderr.write(f"soak: {trouble}\n")
    return 1 if result.troubles else 0


if __name__ == "__main__":
    sys.exit(main())
