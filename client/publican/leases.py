"""Leases: which received messages are ours until when, and when that has to be said again.

A delivery is one message under one ack id. Deliveries of one response form a group: one length, one due instant, so a thousand messages cost one
timer and one extension. A group is extended well before its end (the margin), counted from when the request left: the service can only reckon
later. After `max_lease_duration` a group is given up: its handlers go on, its messages are the service's again.

`LeaseKeeper` says what is due; settlement.py carries it to the service, and repeats what failed.

Source: "Lease management", cloud.google.com/pubsub/docs/lease-management; the guide of gcloud-aio-pubsub, "Task Expiry".

PYTEST_DONT_REWRITE
"""

import enum
import heapq
import itertools
from collections.abc import Sequence
from typing import Any, Final, Protocol

from publican.clock import SECOND, Nanos, nanos
from publican.flow import EXTENSION_S_MAX, FlowControl
from publican.handling_times import Times
from publican.retry import Jitter
from publican.settlement import AckResult, How

STREAM_DEADLINE_S: Final = 60
"""What leases last before it is known how long handlers take."""
LENGTH_S_MIN: Final = 30
EXACTLY_ONCE_S_MIN: Final = 60
ROUND_TRIPS: Final = 4
"""A lease is at least as long as so many of the slower extension calls: shorter ones end on their way."""
MARGIN_NS_MIN: Final = 2 * SECOND
EMPTY_MAX: Final = 1_000
"""Groups without messages that may wait for their instant before they are swept out."""


class Stage(enum.Enum):
    """Where one delivery stands."""

    RECEIVED = "received"  # under exactly-once delivery, until its receipt is confirmed
    HELD = "held"  # waits for room, or for its turn in its key
    HANDED = "handed"  # a handler has it
    SETTLED = "settled"  # acked, nacked or dropped
    LOST = "lost"  # its lease is over, and nobody has settled it


class Owner(Protocol):
    """Whoever runs the machines: told how a message ends, by the message itself."""

    def settle(self, delivery: "Delivery", how: How) -> None:
        """Settle it."""

    async def settle_with_result(self, delivery: "Delivery", how: How) -> AckResult:
        """Settle it and wait for what becomes of that."""

    def extend(self, delivery: "Delivery", seconds: int) -> None:
        """Ask for another deadline."""


_LIVE: Final = (Stage.RECEIVED, Stage.HELD, Stage.HANDED)


class _Nobody:
    """The owner of what has not been handed out."""

    def settle(self, delivery: "Delivery", how: How) -> None:
        """Say that this cannot be."""
        raise AssertionError(f"{delivery} was settled before it was handed out")

    async def settle_with_result(self, delivery: "Delivery", how: How) -> AckResult:
        """Say that this cannot be."""
        raise AssertionError(f"{delivery} was settled before it was handed out")

    def extend(self, delivery: "Delivery", seconds: int) -> None:
        """Say that this cannot be."""
        raise AssertionError(f"{delivery} was extended before it was handed out")


_NOBODY: Final = _Nobody()


class Delivery:
    """One message under one ack id; `received` is the API's ReceivedMessage. It is the Settler of the message that a user gets."""

    __slots__ = ("ack_id", "group", "handed_at", "key", "owner", "received", "result", "size", "stage", "wants_result")

    def __init__(self, ack_id: str, key: str, size: int, received: Any, group: "Group") -> None:
        self.ack_id = ack_id
        self.key = key
        self.size = size
        self.received = received
        self.group = group
        self.stage = Stage.RECEIVED
        self.handed_at = Nanos(0)
        self.result: AckResult | None = None
        """What became of its ack or nack, once that is known."""
        self.wants_result = False
        self.owner: Owner = _NOBODY

    def __repr__(self) -> str:
        return f"Delivery({self.ack_id}, {self.stage.value})"

    @property
    def is_live(self) -> bool:
        """Whether its lease is kept."""
        return self.stage in _LIVE

    def settle(self, ack_id: str, how: How) -> None:
        """Settle the message."""
        self.owner.settle(self, how)

    async def settle_with_result(self, ack_id: str, how: How) -> AckResult:
        """Settle the message and wait until the service has said what became of it."""
        return await self.owner.settle_with_result(self, how)

    def extend(self, ack_id: str, seconds: int) -> None:
        """Ask for another deadline, so many seconds from now."""
        self.owner.extend(self, seconds)

    def is_lease_lost(self, ack_id: str) -> bool:
        """Say whether the lease has ended without the message being settled."""
        return self.stage is Stage.LOST


class Group:
    """Deliveries of one response, under one deadline."""

    __slots__ = ("extend_at", "give_up_at", "half_at", "left", "members", "number", "received_at", "until")

    def __init__(self, number: int, received_at: Nanos, give_up_at: Nanos, half_at: Nanos) -> None:
        self.number = number
        self.members: list[Delivery] = []
        self.left = 0
        """How many of them are live."""
        self.received_at = received_at
        self.until = received_at
        """The end of the lease, as far as it was asked for."""
        self.extend_at: Nanos | None = None
        self.half_at: Nanos | None = half_at
        self.give_up_at = give_up_at

    @property
    def due(self) -> Nanos:
        """When something is to be done for it."""
        return min(each for each in (self.extend_at, self.half_at, self.give_up_at) if each is not None)


class LeaseKeeper:
    """Keeps the leases of one subscription."""

    def __init__(self, flow_control: FlowControl, jitter: Jitter, *, keeps: bool = True) -> None:
        """`keeps` False: leases are neither confirmed nor extended, as gcloud-aio-pubsub 8 does."""
        self._minimum_s = flow_control.min_duration_per_lease_extension
        self._maximum_s = flow_control.max_duration_per_lease_extension
        self._life = nanos(flow_control.max_lease_duration)
        self._jitter = jitter
        self._keeps = keeps
        self._heap: list[tuple[Nanos, int, Group]] = []
        self._numbers = itertools.count()
        self._empty = 0
        self.is_exactly_once = False
        self.handling = Times()
        """How long handlers take."""
        self.round_trips = Times()
        """How long extension calls take."""

    @property
    def length_s(self) -> int:
        """The seconds that an extension asks for now."""
        p99 = self.handling.percentile(0.99)
        length = STREAM_DEADLINE_S if p99 is None else min(max(_seconds_up(p99), LENGTH_S_MIN), EXTENSION_S_MAX)
        trip = self.round_trips.percentile(0.99)
        if trip is not None:
            length = max(length, ROUND_TRIPS * _seconds_up(trip))
        length = max(length, self._minimum_s or (EXACTLY_ONCE_S_MIN if self.is_exactly_once else 0))
        return min(length, self._maximum_s or EXTENSION_S_MAX)

    def group(self, now: Nanos) -> Group:
        """Begin the group of a response that has come now."""
        return Group(next(self._numbers), now, Nanos(now + self._life), Nanos(now + self._life // 2))

    def keep(self, group: Group, now: Nanos) -> int:
        """Keep a group from now on; give the seconds that its receipt is to ask for, 0: none."""
        group.left = len(group.members)
        length_s = self._ask(group, now)
        self._push(group)
        return length_s

    def _ask(self, group: Group, now: Nanos) -> int:
        """Note that an extension leaves now, and when the next one has to; give its seconds."""
        if not self._keeps:
            group.until = group.give_up_at
            return 0
        length_s = self.length_s
        length = length_s * SECOND
        group.until = Nanos(now + length)
        group.extend_at = Nanos(group.until - max(MARGIN_NS_MIN, length * 3 // 10) - int(self._jitter() * length) // 10)
        return length_s

    def _push(self, group: Group) -> None:
        heapq.heappush(self._heap, (group.due, next(self._numbers), group))

    def forget(self, delivery: Delivery) -> None:
        """Keep the lease of one delivery no longer."""
        group = delivery.group
        group.left -= 1
        if not group.left:
            group.members = []  # the group waits in the heap for its instant: its messages do not
            self._empty += 1
            if self._empty > EMPTY_MAX and self._empty * 2 > len(self._heap):
                self._heap = [each for each in self._heap if each[2].left]
                heapq.heapify(self._heap)
                self._empty = 0

    def next_due(self) -> Nanos | None:
        """Give the instant at which something will be due; None: nothing will."""
        heap = self._heap
        while heap and not heap[0][2].left:
            heapq.heappop(heap)
            self._empty -= 1
        return heap[0][0] if heap else None

    def settle(self, now: Nanos) -> tuple[list[tuple[int, list[Delivery]]], list[Delivery], list[Delivery]]:
        """Take what is due: extensions (seconds, deliveries), deliveries to give up, and those of which half the time is over."""
        extensions: list[tuple[int, list[Delivery]]] = []
        lost: list[Delivery] = []
        half: list[Delivery] = []
        while (due := self.next_due()) is not None and due <= now:
            group = heapq.heappop(self._heap)[2]
            members = group.members = [each for each in group.members if each.stage in _LIVE]
            if group.give_up_at <= now:
                lost += members
                continue
            if group.half_at is not None and group.half_at <= now:
                half += members
                group.half_at = None
            if group.extend_at is not None and group.extend_at <= now:
                extensions.append((self._ask(group, now), members))
            self._push(group)
        return extensions, lost, half

    def live(self) -> list[Delivery]:
        """Give every delivery whose lease is kept, in the order they came."""
        groups = sorted((group for _, _, group in self._heap if group.left), key=lambda group: group.number)
        return [each for group in groups for each in group.members if each.stage in _LIVE]

    def oldest(self) -> Nanos | None:
        """Give when the oldest message that is still ours was received."""
        return min((group.received_at for _, _, group in self._heap if group.left), default=None)


def expired(deliveries: Sequence[Delivery], now: Nanos) -> list[Delivery]:
    """Give those whose lease has ended, as far as it was asked for."""
    return [each for each in deliveries if each.group.until <= now]


def _seconds_up(span: int) -> int:
    return -(-span // SECOND)
