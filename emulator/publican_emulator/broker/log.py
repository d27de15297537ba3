"""A topic's log: a linked list of segments, read by cursors.

Publishing is one `list +=` whatever the number of subscriptions. The log itself holds only its tail; a segment lives as long as some cursor has not
left it, so nothing is counted and nothing is removed. Retention, snapshots and seek are cursors that were kept.

PYTEST_DONT_REWRITE
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from publican_emulator.broker.instants import Nanos
from publican_protocol.wire import message_id_of, publish_time_of

SEGMENT_MESSAGES: Final = 4_096
SEGMENT_BYTES: Final = 1_000_000
"""A new segment begins beyond either: one acked message keeps its whole segment alive until the last cursor has left it."""
_SWEPT: Final = 8
"""Segments that are let go at once: some milliseconds' work."""


class Segment:
    """A run of stored messages in publish order, and the segment that follows."""

    __slots__ = ("is_front", "messages", "next")

    def __init__(self, messages: list[bytes], following: "Segment | None" = None, *, is_front: bool = False) -> None:
        self.messages = messages
        self.next = following
        self.is_front = is_front
        """Whether these stand before a place in a log without being all that the log had there: a seek has picked them out."""

    def place_of(self, time: Nanos, start: int) -> int:
        """Give where, from `start` on, the first message stands that was not published before `time`; the end when there is none."""
        if publish_time_of(self.messages[-1]) < time:
            return len(self.messages)
        return bisect_left(self.messages, int(time), lo=start, key=publish_time_of)


class Log:
    """Where messages are appended."""

    __slots__ = ("_bytes", "tail")

    def __init__(self) -> None:
        self.tail = Segment([])
        self._bytes = 0

    def append(self, messages: list[bytes]) -> None:
        """Add messages in publish order."""
        size = sum(map(len, messages))
        if self.tail.messages and (len(self.tail.messages) + len(messages) > SEGMENT_MESSAGES or self._bytes + size > SEGMENT_BYTES):
            self.start_segment()
        self.tail.messages += messages
        self._bytes += size

    def start_segment(self) -> None:
        """Begin a new segment: a cursor at the end leaves the old one to those who still read it."""
        self.tail.next = Segment([])
        self.tail = self.tail.next
        self._bytes = 0

    def end(self) -> "Cursor":
        """Give a cursor behind the last message: it will see what is published from now on."""
        return Cursor(self.tail, len(self.tail.messages))


@dataclass(slots=True)
class Cursor:
    """A place in a log; what stands behind it has not been read."""

    segment: Segment
    offset: int

    def copy(self) -> "Cursor":
        """Give another cursor at the same place."""
        return Cursor(self.segment, self.offset)

    def has_more(self) -> bool:
        """Say whether a message stands behind the cursor, moving on to the segment that holds it."""
        while self.offset >= len(self.segment.messages):
            if self.segment.next is None:
                return False
            self.segment, self.offset = self.segment.next, 0
        return True

    def peek(self) -> bytes | None:
        """Give the next message without taking it."""
        return self.segment.messages[self.offset] if self.has_more() else None

    def take(self, most: int, most_bytes: int, overhead: int) -> list[bytes]:
        """Take up to `most` messages whose lengths plus `overhead` each stay within `most_bytes`; at least one when any is left."""
        if most <= 0 or not self.has_more():
            return []
        taken = self.segment.messages[self.offset : self.offset + most]
        size = len(taken) * overhead + sum(map(len, taken))
        if len(taken) > 1 and size > most_bytes:
            sizes = list(accumulate(len(message) + overhead for message in taken))
            taken = taken[: max(1, bisect_right(sizes, most_bytes))]
            self.offset += len(taken)
            return taken
        self.offset += len(taken)
        if len(taken) < most and (following := self.peek()) is not None and size + len(following) + overhead <= most_bytes:
            taken += self.take(most - len(taken), most_bytes - size, overhead)  # where a segment ends is nobody's business
        return taken

    def waiting(self, limit: int) -> int:
        """Count the messages behind the cursor, up to about `limit`."""
        segment: Segment | None = self.segment
        count = -self.offset
        while segment is not None and count < limit:
            count += len(segment.messages)
            segment = segment.next
        return count

    def messages(self) -> Iterator[bytes]:
        """Give the messages behind the cursor, which stays where it is."""
        segment: Segment | None = self.segment
        offset = self.offset
        while segment is not None:
            yield from segment.messages[offset:]
            segment, offset = segment.next, 0

    def without_front(self) -> tuple[list[bytes], "Cursor"]:
        """Give the messages that a seek has put before a place in the log, and that place: from there on nothing is missing."""
        front: list[bytes] = []
        segment, offset = self.segment, self.offset
        while segment.is_front and segment.next is not None:
            front += segment.messages[offset:]
            segment, offset = segment.next, 0
        return front, Cursor(segment, offset)

    def before(self, time: Nanos) -> list[bytes]:
        """Give the messages behind the cursor that were published before `time`; the cursor stays where it is."""
        found: list[bytes] = []
        there = self.copy()
        while there.has_more():
            start, segment = there.offset, there.segment
            there.offset = segment.place_of(time, start)
            found += segment.messages[start : there.offset]
            if there.offset < len(segment.messages):
                break
        return found

    def skip_before(self, time: Nanos, attic: "Attic") -> None:
        """Move behind every message published before `time`: this looks at one message of each segment."""
        left = self.segment
        self._skip_before(time)
        attic.take(left, self.segment)

    def _skip_before(self, time: Nanos) -> None:
        while self.has_more():
            self.offset = self.segment.place_of(time, self.offset)
            if self.offset < len(self.segment.messages):
                return

    def skip_to_id(self, message_id: int) -> None:
        """Move behind every message whose id is below `message_id`."""
        while self.has_more():
            messages = self.segment.messages
            if message_id_of(messages[-1]) >= message_id:
                self.offset = bisect_left(messages, message_id, lo=self.offset, key=message_id_of)
                return
            self.offset = len(messages)


class Attic:
    """Segments that have been left in one go, let go a few at a time: to free a million messages takes longer than the loop may stand still."""

    __slots__ = ("chains",)

    def __init__(self) -> None:
        self.chains: deque[tuple[Segment, Segment]] = deque()

    def take(self, left: Segment, reached: Segment) -> None:
        """Take in the segments from `left` to before `reached`; somebody else may read them still."""
        if left is not reached and left.next is not None:
            self.chains.append((left, reached))

    def sweep(self) -> None:
        """Let go of a few segments."""
        for _ in range(_SWEPT):
            if not self.chains:
                return
            head, reached = self.chains.popleft()
            if head is not reached and head.next is not None and head.next is not reached:
                self.chains.appendleft((head.next, reached))
