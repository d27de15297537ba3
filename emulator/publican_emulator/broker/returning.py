"""Messages on their way back: those whose retry back-off has not passed yet.

Leases that failed at the same instant and wait equally long stand under one entry, so a back-off that ends for 100,000 costs one heap pop.

Source: google.pubsub.v1.RetryPolicy; docs/semantics.md, retry.

PYTEST_DONT_REWRITE
"""

import heapq
from collections.abc import Iterator

from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.leases import Group, Lease, Single, Stage


class Delayed:
    """Groups and singles by the instant when they may be handed out again."""

    __slots__ = ("_by_due", "_heap")

    def __init__(self) -> None:
        self._by_due: dict[Nanos, list[Lease]] = {}
        self._heap: list[Nanos] = []

    def add(self, lease: Lease, due: Nanos) -> None:
        """Hold a lease that has ended until `due`."""
        if type(lease) is Single:
            lease.stage = Stage.DELAYED
        self._leases_of(due).append(lease)

    def add_groups(self, groups: list[Lease], due: Nanos) -> None:
        """Hold groups that have ended together."""
        self._leases_of(due).extend(groups)

    def _leases_of(self, due: Nanos) -> list[Lease]:
        leases = self._by_due.get(due)
        if leases is None:
            leases = self._by_due[due] = []
            heapq.heappush(self._heap, due)
        return leases

    def next_due(self) -> Nanos | None:
        """Give the earliest instant at which something may return."""
        return self._heap[0] if self._heap else None

    def pop_due(self, now: Nanos) -> list[Lease]:
        """Take out everything whose back-off has passed; what was acked meanwhile stays away."""
        due: list[Lease] = []
        while self._heap and self._heap[0] <= now:
            for lease in self._by_due.pop(heapq.heappop(self._heap)):
                if type(lease) is Single:
                    if lease.stage is not Stage.DELAYED:
                        continue
                    lease.stage = Stage.AVAILABLE
                due.append(lease)
        return due

    def dues(self) -> dict[Lease, Nanos]:
        """Give when each of them returns; some may have been acked meanwhile."""
        return {lease: due for due, leases in self._by_due.items() for lease in leases}

    def clear(self) -> None:
        """Forget everything."""
        self._by_due.clear()
        self._heap.clear()

    def groups(self) -> Iterator[Group]:
        """Give the groups that wait here."""
        for leases in self._by_due.values():
            for lease in leases:
                if type(lease) is Group:
                    yield lease
