"""The backlog of a subscription without ordering: what came back, then what has not been handed out yet.

What has never been handed out is a cursor in a log. Messages that came back (nack, expiry) stand before it as *runs*: lists of groups and singles
in publish order, merged by a heap, so that redeliveries come first and in publish order. A group in a run yields its live slots one by one as
singles: that is when an expired message gets its own object, not when its lease ends.

PYTEST_DONT_REWRITE
"""

import heapq
from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter, itemgetter

from publican_emulator.broker.consumer import Consumer
from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.leases import Group, Lease, Single, Stage
from publican_emulator.broker.log import Attic, Cursor
from publican_protocol.wire import message_id_of, publish_time_of, received_size

RECEIVED_OVERHEAD = received_size(b"")
_FIRST_ID = attrgetter("first_id")
_MESSAGE_ID = attrgetter("message_id")
_SEQUENCE = itemgetter(1)


class _GroupRun:
    """Expired groups in publish order; the next live slot of the first one is next."""

    __slots__ = ("_detach", "_groups", "_slots")

    def __init__(self, groups: list[Group], detach: Callable[[Group, bytes], Single]) -> None:
        groups.sort(key=_FIRST_ID, reverse=True)
        self._groups = groups  # the next one stands last: popping it is cheap
        self._detach = detach
        self._slots: list[bytes] = []

    def next_id(self) -> int | None:
        """Give the id of the next message; None when the run is used up."""
        while self._groups:
            group = self._groups[-1]
            if not self._slots:
                self._slots = sorted(group.slots(), reverse=True)
            while self._slots:
                if self._slots[-1] in group.slots():
                    return message_id_of(group.messages[int(self._slots[-1])])
                self._slots.pop()
            self._groups.pop()
        return None

    def pop(self) -> Single:
        """Take the next message, as a single."""
        return self._detach(self._groups[-1], self._slots.pop())

    def leases(self) -> list[Lease]:
        """Give what is left."""
        return [group for group in reversed(self._groups) if group.count]


class _SingleRun:
    """Singles in publish order."""

    __slots__ = ("_singles", "_stage")

    def __init__(self, singles: list[Single], stage: Stage) -> None:
        singles.sort(key=_MESSAGE_ID, reverse=True)
        self._singles = singles
        self._stage = stage

    def next_id(self) -> int | None:
        """Give the id of the next message; None when the run is used up. Those acked meanwhile are skipped."""
        while self._singles:
            if self._singles[-1].stage is self._stage:
                return self._singles[-1].message_id
            self._singles.pop()
        return None

    def pop(self) -> Single:
        """Take the next message."""
        return self._singles.pop()

    def leases(self) -> list[Lease]:
        """Give what is left."""
        return [single for single in reversed(self._singles) if single.stage is self._stage]


_Run = _GroupRun | _SingleRun


class Returned:
    """Messages that came back, in publish order."""

    __slots__ = ("_detach", "_heap", "_sequence")

    def __init__(self, detach: Callable[[Group, bytes], Single]) -> None:
        self._heap: list[tuple[int, int, _Run]] = []
        self._sequence = 0
        self._detach = detach

    def add(self, leases: Iterable[Lease]) -> None:
        """Add groups whose deadline has passed, and singles that are available."""
        groups: list[Group] = []
        singles: list[Single] = []
        for lease in leases:
            if type(lease) is Group:
                groups.append(lease)
            else:
                assert type(lease) is Single
                singles.append(lease)
        if groups:
            self._push(_GroupRun(groups, self._detach))
        if singles:
            self._push(_SingleRun(singles, Stage.AVAILABLE))

    def _push(self, run: _Run) -> None:
        next_id = run.next_id()
        if next_id is not None:
            self._sequence += 1
            heapq.heappush(self._heap, (next_id, self._sequence, run))

    def leases(self) -> list[Lease]:
        """Give all of them: the groups with live slots, and the singles that are available."""
        return [lease for _, _, run in sorted(self._heap, key=_SEQUENCE) for lease in run.leases()]

    def next_id(self) -> int | None:
        """Give the id of the message that `pop` will take."""
        while self._heap:
            said, sequence, run = self._heap[0]
            truth = run.next_id()
            if truth == said:
                return said
            if truth is None:
                heapq.heappop(self._heap)
            else:
                heapq.heapreplace(self._heap, (truth, sequence, run))
        return None

    def pop(self) -> Single | None:
        """Take the earliest published message."""
        return None if self.next_id() is None else self._heap[0][2].pop()


class Backlog:
    """What a subscription without ordering can hand out now."""

    __slots__ = ("cursor", "returned")

    def __init__(self, cursor: Cursor, detach: Callable[[Group, bytes], Single]) -> None:
        self.cursor = cursor
        self.returned = Returned(detach)

    def has_more(self, consumer: Consumer) -> bool:
        """Say whether there is a message for `consumer`."""
        return self.returned.next_id() is not None or self.cursor.has_more()

    def waiting(self, limit: int) -> int:
        """Count what stands here, up to about `limit`: for fair shares, not for eyes."""
        return self.cursor.waiting(limit) + (1 if self.returned.next_id() is not None else 0)

    def take_returned(self, consumer: Consumer, most: int, most_bytes: int) -> list[Single]:
        """Take messages that came back, within the limits; at least one when any is there."""
        taken: list[Single] = []
        while len(taken) < most and (single := self.returned.pop()) is not None:
            taken.append(single)
            most_bytes -= len(single.message) + RECEIVED_OVERHEAD
            if most_bytes <= 0:
                break
        return taken

    def take_new(self, most: int, most_bytes: int) -> list[bytes]:
        """Take messages that were never handed out, within the limits; at least one when any is there."""
        return self.cursor.take(most, most_bytes, RECEIVED_OVERHEAD)

    def give_back(self, leases: Iterable[Lease]) -> None:
        """Make messages available again whose leases have ended, and whose back-off has passed."""
        self.returned.add(leases)

    def never_handed_out(self) -> Iterator[bytes]:
        """Give the messages that nobody has got yet, in publish order."""
        return self.cursor.messages()

    def finished(self, single: Single) -> None:
        """Note that a message was acked: runs pass it over by its stage."""

    def closed(self, consumer: Consumer) -> None:
        """Note that a stream has ended: without keys it held no place here."""

    def waiting_before(self, time: Nanos) -> list[bytes]:
        """Give the messages published before `time` that nobody has got yet."""
        return self.cursor.before(time)

    def drop_before(self, time: Nanos, attic: Attic) -> None:
        """Forget them."""
        self.cursor.skip_before(time, attic)

    def oldest_waiting(self) -> Nanos | None:
        """Give the publish time of the oldest message that was never handed out."""
        message = self.cursor.peek()
        return None if message is None else Nanos(publish_time_of(message))
