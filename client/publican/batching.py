"""Batches of messages on their way out: by topic and key, closed by count, by bytes or by time, whichever comes first.

Bytes are those of the request as it will be written: a batch never exceeds its limit by one. A message that no request can hold is refused where
it is added; one larger than the batch's own limit goes alone.

PYTEST_DONT_REWRITE
"""

from collections import deque
from dataclasses import dataclass
from typing import Any, Final

from publican.clock import Nanos, nanos
from publican.errors import MessageTooLarge

MESSAGES_MAX: Final = 1_000
REQUEST_BYTES_MAX: Final = 10_000_000
"""Source: "Publish request: 10MB (total), 1000 messages", cloud.google.com/pubsub/quotas#resource_limits."""


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """When a batch leaves: at so many messages, so many bytes of request, or so many seconds after its first message."""

    max_messages: int = 100
    max_bytes: int = 1_000_000
    max_latency: float = 0.01

    def __post_init__(self) -> None:
        if not 1 <= self.max_messages <= MESSAGES_MAX:
            raise ValueError(f"max_messages is {self.max_messages}; a publish request has 1..{MESSAGES_MAX} messages")
        if not 1 <= self.max_bytes <= REQUEST_BYTES_MAX:
            raise ValueError(f"max_bytes is {self.max_bytes}; a publish request has 1..{REQUEST_BYTES_MAX} bytes")
        if self.max_latency < 0:
            raise ValueError(f"max_latency is {self.max_latency}; it is a number of seconds, 0 or more")


class Entry:
    """One message, and whoever waits for its id."""

    __slots__ = ("message", "size", "waiting")

    def __init__(self, message: Any, size: int, waiting: Any) -> None:
        self.message = message
        self.size = size
        """Its bytes in flow control."""
        self.waiting = waiting


class PublishBatch:
    """Messages of one topic and one key that leave in one request."""

    __slots__ = ("bytes", "due", "entries", "is_closed", "key", "topic")

    def __init__(self, topic: str, key: str, due: Nanos) -> None:
        self.topic = topic
        self.key = key
        self.entries: list[Entry] = []
        self.bytes = field_bytes(len(topic.encode()))
        self.due = due
        self.is_closed = False


def field_bytes(size: int) -> int:
    """Give the bytes of a field with a value of `size` bytes, tag and length included."""
    return size + 2 if size < 0x80 else size + 1 + (size.bit_length() + 6) // 7


class Batcher:
    """The open batches of one publisher."""

    def __init__(self, settings: BatchSettings) -> None:
        self._settings = settings
        self._latency = nanos(settings.max_latency)
        self._open: dict[tuple[str, str], PublishBatch] = {}
        self._by_age: deque[PublishBatch] = deque()

    def check(self, topic: str, size: int) -> None:
        """Refuse a message of `size` bytes that no request to `topic` can hold.

        Raises:
            MessageTooLarge: with all the rest of its request it is above 10 MB.
        """
        whole = field_bytes(len(topic.encode())) + field_bytes(size)
        if whole > REQUEST_BYTES_MAX:
            words = f"The message makes a publish request of {whole} bytes; the service takes at most {REQUEST_BYTES_MAX}."
            raise MessageTooLarge(words, method="Publish", resource=topic)

    def add(self, topic: str, key: str, entry: Entry, size: int, now: Nanos) -> list[PublishBatch]:
        """Put a checked message of `size` bytes into its batch; give the batches that are closed by it, in order."""
        closed: list[PublishBatch] = []
        settings = self._settings
        own = field_bytes(size)
        batch = self._open.get((topic, key))
        if batch is not None and batch.bytes + own > settings.max_bytes:
            closed.append(self._close(batch))
            batch = None
        if batch is None:
            batch = self._open[topic, key] = PublishBatch(topic, key, Nanos(now + self._latency))
            self._by_age.append(batch)
        batch.entries.append(entry)
        batch.bytes += own
        if len(batch.entries) >= settings.max_messages or batch.bytes >= settings.max_bytes:
            closed.append(self._close(batch))
        return closed

    def _close(self, batch: PublishBatch) -> PublishBatch:
        batch.is_closed = True
        del self._open[batch.topic, batch.key]
        return batch

    def take(self, topic: str, key: str) -> PublishBatch | None:
        """Close the open batch of a key."""
        batch = self._open.get((topic, key))
        return None if batch is None else self._close(batch)

    def take_all(self) -> list[PublishBatch]:
        """Close every batch, oldest first."""
        return [self._close(batch) for batch in list(self._open.values())]

    def next_due(self) -> Nanos | None:
        """Give when the oldest batch has to leave; None: there is none."""
        by_age = self._by_age
        while by_age and by_age[0].is_closed:
            by_age.popleft()
        return by_age[0].due if by_age else None

    def settle(self, now: Nanos) -> list[PublishBatch]:
        """Close the batches whose time has come."""
        closed = []
        while (due := self.next_due()) is not None and due <= now:
            closed.append(self._close(self._by_age.popleft()))
        return closed
