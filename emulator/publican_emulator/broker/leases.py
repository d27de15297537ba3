"""Leases: which messages of a subscription are outstanding, under which ack id, until when.

An ack id names one delivery, never a message. Messages that are handed out for the first time together share a deadline and sit in one `Group`;
a message whose story differs from its group's (its own deadline, a nack, a redelivery) becomes a `Single` and keeps answering to the group's ack id
as well. So the common case, lease and ack by the thousand, costs no object per message. Nothing here knows why a message was leased or what
happens to it next: subscription.py decides.

On the hot path the container is the state: a slot in a group's `live` set is leased while the group's deadline lies ahead, and available once it has
passed. `NEXT` is the specification of the moves; tests/properties ties the two.

Source: "Lease management", cloud.google.com/pubsub/docs/lease-management; docs/semantics.md, leases.

PYTEST_DONT_REWRITE
"""

import enum
import heapq
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from publican_emulator.broker import ackids
from publican_emulator.broker.consumer import Consumer
from publican_emulator.broker.instants import Nanos
from publican_protocol.wire import message_id_of


class Stage(enum.Enum):
    """Where one message stands in one subscription."""

    AVAILABLE = "available"  # in the backlog: the next consumer with credit gets it
    DELAYED = "delayed"  # waits for its retry back-off to pass
    LEASED = "outstanding"  # one ack id is live
    ACKED = "acked"  # acked, forwarded or dropped: no longer in the backlog


class Cause(enum.Enum):
    """What moves a message."""

    DELIVER = "deliver"
    ACK = "ack"
    NACK = "nack"
    EXPIRE = "expire"
    BACKOFF_OVER = "backoff over"
    FORWARD = "forward"
    DROP = "drop"
    SEEK_BACK = "seek back"


NEXT: Final[Mapping[tuple[Stage, Cause], Stage]] = {
    (Stage.AVAILABLE, Cause.DELIVER): Stage.LEASED,
    (Stage.AVAILABLE, Cause.ACK): Stage.ACKED,  # a late ack still acks, unless delivery is exactly-once
    (Stage.AVAILABLE, Cause.DROP): Stage.ACKED,  # retention has passed
    (Stage.DELAYED, Cause.BACKOFF_OVER): Stage.AVAILABLE,
    (Stage.DELAYED, Cause.ACK): Stage.ACKED,
    (Stage.DELAYED, Cause.DROP): Stage.ACKED,
    (Stage.LEASED, Cause.ACK): Stage.ACKED,
    (Stage.LEASED, Cause.NACK): Stage.DELAYED,  # at once AVAILABLE without a retry policy
    (Stage.LEASED, Cause.EXPIRE): Stage.DELAYED,
    (Stage.LEASED, Cause.FORWARD): Stage.ACKED,  # to the dead-letter topic, on its last failure
    (Stage.LEASED, Cause.DROP): Stage.ACKED,
    (Stage.ACKED, Cause.SEEK_BACK): Stage.AVAILABLE,
}
"""The legal moves of one message; what is absent has no effect."""


class Group:
    """Messages that were handed out for the first time together."""

    __slots__ = ("consumer", "deadline", "first_id", "head", "live", "messages", "singles", "superseded", "uncounted")

    def __init__(self, head: bytes, messages: list[bytes], deadline: Nanos, consumer: Consumer | None) -> None:
        self.head = head
        self.messages = messages
        self.first_id = message_id_of(messages[0])
        self.deadline = deadline
        self.consumer = consumer
        self.live: set[bytes] | None = None
        """The slots that are neither acked nor singles; None: all of them (the set is made when the first one leaves)."""
        self.singles: dict[bytes, Single] = {}
        self.superseded: set[bytes] | None = None
        """Slots whose message ended under another ack id (kept for exactly-once delivery)."""
        self.uncounted = 0

    def slots(self) -> set[bytes]:
        """Give the live slots as a set that may be changed."""
        if self.live is None:
            self.live = set(ackids.SLOTS[: len(self.messages)])
        return self.live

    def live_messages(self) -> list[bytes]:
        """Give the messages of the live slots, in publish order."""
        if self.live is None:
            return self.messages
        return [self.messages[int(slot)] for slot in sorted(self.live)]

    def bytes_of(self, slots: Iterable[bytes]) -> int:
        """Give the size of the messages in `slots`."""
        return sum(len(self.messages[int(slot)]) for slot in slots)

    @property
    def count(self) -> int:
        """How many slots are live."""
        return len(self.messages) if self.live is None else len(self.live)

    @property
    def is_over(self) -> bool:
        """Whether no ack id of this group means anything any more."""
        return not self.count and not self.singles


class Single:
    """A message with a story of its own: its deliveries, failures and deadline."""

    __slots__ = ("attempts", "consumer", "deadline", "failures", "head", "home", "key", "message", "message_id", "slot", "stage", "uncounted")

    def __init__(self, message: bytes, *, message_id: int | None = None, home: Group | None = None, slot: bytes = b"") -> None:
        self.message = message
        self.message_id = message_id_of(message) if message_id is None else message_id
        self.head = b""
        """What the ack ids of its redeliveries begin with; empty until there is one."""
        self.home = home
        self.slot = slot
        self.key: str = ""
        self.stage = Stage.AVAILABLE
        self.attempts = 0
        """Deliveries so far; the ack id of the last one carries this number (the first one's may be its group's)."""
        self.failures = 0
        """Nacks and expiries since the first delivery or the last seek: they set the back-off."""
        self.uncounted = 0
        """Failures from before a dead-letter policy was set."""
        self.deadline = Nanos(0)
        self.consumer: Consumer | None = None

    def ack_id(self) -> tuple[bytes, bytes]:
        """Give the head and the rest of the latest delivery's ack id."""
        if self.attempts == 1 and self.home is not None:
            return self.home.head, self.slot
        return self.head, ackids.attempt_rest(self.attempts)


Lease = Group | Single


class _Bucket:
    """Leases whose deadlines fall into the same 10 ms."""

    __slots__ = ("by_deadline", "is_sorted", "last")

    def __init__(self) -> None:
        self.by_deadline: dict[Nanos, dict[Lease, None]] = {}
        self.is_sorted = True
        self.last = Nanos(0)

    def add(self, lease: Lease, deadline: Nanos) -> None:
        leases = self.by_deadline.get(deadline)
        if leases is None:
            leases = self.by_deadline[deadline] = {}
            if deadline < self.last:
                self.is_sorted = False
            self.last = deadline
        leases[lease] = None

    def earliest(self) -> Nanos:
        if not self.is_sorted:
            self.by_deadline = dict(sorted(self.by_deadline.items()))
            self.is_sorted = True
            self.last = next(reversed(self.by_deadline))
        return next(iter(self.by_deadline))


class Deadlines:
    """The order in which leases end.

    A heap entry for each lease makes an expiry of 100,000 cost 150 ms; here leases stand in buckets of 10 ms, the heap orders buckets, and a
    bucket that has passed is taken out as one. Deadlines themselves stay exact.
    """

    __slots__ = ("_buckets", "_heap")

    _WIDTH: Final = 10_000_000

    def __init__(self) -> None:
        self._buckets: dict[int, _Bucket] = {}
        self._heap: list[int] = []

    def add(self, lease: Lease) -> None:
        """Enter a lease under its deadline."""
        place = lease.deadline // self._WIDTH
        bucket = self._buckets.get(place)
        if bucket is None:
            bucket = self._buckets[place] = _Bucket()
            heapq.heappush(self._heap, place)
        bucket.add(lease, lease.deadline)

    def remove(self, lease: Lease) -> None:
        """Take a lease out before its deadline."""
        bucket = self._buckets[lease.deadline // self._WIDTH]
        leases = bucket.by_deadline[lease.deadline]
        del leases[lease]
        if not leases:
            del bucket.by_deadline[lease.deadline]
            if not bucket.by_deadline:
                # An emptied dict keeps its table until the deadline, and tables lie among the messages: 300 of them kept 100 MB resident.
                bucket.by_deadline = {}

    def next_due(self) -> Nanos | None:
        """Give the earliest deadline."""
        while self._heap:
            bucket = self._buckets[self._heap[0]]
            if bucket.by_deadline:
                return bucket.earliest()
            del self._buckets[heapq.heappop(self._heap)]
        return None

    def expire(self, now: Nanos) -> Iterator[tuple[Nanos, list[Lease]]]:
        """Take out every lease whose deadline is at or before `now`, deadline by deadline."""
        while (due := self.next_due()) is not None and due <= now:
            yield due, list(self._buckets[self._heap[0]].by_deadline.pop(due))

    def expire_at_once(self, now: Nanos) -> list[Lease]:
        """Take out every lease whose deadline is at or before `now`, bucket by bucket: 100,000 in 10 ms."""
        expired: list[Lease] = []
        while (due := self.next_due()) is not None and due <= now:
            place = self._heap[0]
            bucket = self._buckets[place]
            if (place + 1) * self._WIDTH <= now + 1:
                for leases in bucket.by_deadline.values():
                    expired += leases
                del self._buckets[heapq.heappop(self._heap)]
            else:
                expired += bucket.by_deadline.pop(due)
        return expired

    def __len__(self) -> int:
        return sum(len(leases) for bucket in self._buckets.values() for leases in bucket.by_deadline.values())
