"""How long handlers take: the last thousand times, and what most of them stay below.

PYTEST_DONT_REWRITE
"""

from collections import deque
from typing import Final

from publican.clock import Nanos

KEPT: Final = 1_000
ENOUGH: Final = 10
"""Samples before anything is concluded from them."""


class Times:
    """Spans of time as they were observed, the newest thousand."""

    __slots__ = ("_kept", "_new", "_sorted")

    def __init__(self) -> None:
        self._kept: deque[int] = deque(maxlen=KEPT)
        self._sorted: list[int] = []
        self._new = 0

    def add(self, span: int) -> None:
        """Remember one."""
        self._kept.append(span)
        self._new += 1

    def percentile(self, share: float) -> Nanos | None:
        """Give the span that `share` of them do not exceed; None before there are ten.

        Sorting a thousand costs 50 us, so a full window is looked at again after a quarter of it has changed.
        """
        if len(self._kept) < ENOUGH:
            return None
        if self._new and (self._new >= KEPT // 4 or len(self._sorted) < KEPT):
            self._sorted = sorted(self._kept)
            self._new = 0
        return Nanos(self._sorted[min(int(share * len(self._sorted)), len(self._sorted) - 1)])
