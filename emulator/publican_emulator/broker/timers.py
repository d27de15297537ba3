"""The order in which things fall due. What is due, and when, its owner says: this only keeps the order.

PYTEST_DONT_REWRITE
"""

import heapq
from typing import Protocol

from publican_emulator.broker.instants import Nanos


class Owner(Protocol):
    """Whoever has deadlines."""

    armed: Nanos | None
    """The instant under which it stands in the order; written by Timers only."""

    def next_due(self) -> Nanos | None:
        """Give the instant of the next thing to do; None: nothing ever."""

    def settle(self, now: Nanos) -> None:
        """Do everything that is due at `now`."""


class Timers:
    """Owners by their next instant. An owner may stand under too early an instant, never under too late a one."""

    __slots__ = ("_heap", "_sequence")

    def __init__(self) -> None:
        self._heap: list[tuple[Nanos, int, Owner]] = []
        self._sequence = 0

    def arm(self, owner: Owner, due: Nanos | None) -> None:
        """Say that something of `owner` is due at `due`; cheap when something earlier is known already."""
        if due is not None and (owner.armed is None or due < owner.armed):
            owner.armed = due
            self._sequence += 1
            heapq.heappush(self._heap, (due, self._sequence, owner))

    def disarm(self, owner: Owner) -> None:
        """Forget an owner."""
        owner.armed = None

    def next_due(self) -> Nanos | None:
        """Give the instant of the next thing to do."""
        while self._heap:
            said, _, owner = self._heap[0]
            if owner.armed == said:
                truth = owner.next_due()
                if truth is not None and truth <= said:
                    return said
                owner.armed = None
                self.arm(owner, truth)
            if self._heap[0][0] == said and self._heap[0][2] is owner:
                heapq.heappop(self._heap)
        return None

    def earliest(self) -> Nanos | None:
        """Give an instant at or before the next thing to do, without asking its owner: good enough for setting a timer."""
        while self._heap:
            said, _, owner = self._heap[0]
            if owner.armed == said:
                return said
            heapq.heappop(self._heap)
        return None

    def pop_due(self, now: Nanos) -> tuple[Nanos, Owner] | None:
        """Take out the owner that is due first, if that is at or before `now`."""
        if not self._heap or self._heap[0][0] > now:
            return None
        due = self.next_due()
        if due is None or due > now:
            return None
        _, _, owner = heapq.heappop(self._heap)
        owner.armed = None
        return due, owner
