"""Room in a publisher: how much may be on its way, and who has to wait for it.

Those who wait are let in by the order in which they came, so that small messages do not starve a large one. A message that is larger than the
whole limit passes alone.

PYTEST_DONT_REWRITE
"""

from collections import deque
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class PublishLimits:
    """How much a publisher holds that the service has not accepted yet, and what happens to whoever brings more.

    "wait": `submit` and `publish` wait for room. "raise": they raise `PublishLimitReached`. "ignore": there is no limit, and no bound of memory.
    """

    max_messages: int = 1_000
    max_bytes: int = 10_000_000
    on_limit: Literal["wait", "raise", "ignore"] = "wait"

    def __post_init__(self) -> None:
        for field in ("max_messages", "max_bytes"):
            if (value := getattr(self, field)) < 1:
                raise ValueError(f"limits.{field} is {value}; it must be at least 1")
        if self.on_limit not in {"wait", "raise", "ignore"}:
            raise ValueError(f"limits.on_limit is {self.on_limit!r}; it must be 'wait', 'raise' or 'ignore'")


class Room:
    """What is on its way, and the queue of what is not yet."""

    __slots__ = ("_limits", "_waiting", "bytes", "count")

    def __init__(self, limits: PublishLimits) -> None:
        self._limits = limits
        self._waiting: deque[tuple[int, Any]] = deque()
        self.count = 0
        self.bytes = 0

    def enter(self, size: int) -> bool:
        """Take a place for a message, if there is one and nobody waits for it."""
        if self._limits.on_limit != "ignore" and (self._waiting or not self._fits(size)):
            return False
        self.count += 1
        self.bytes += size
        return True

    def _fits(self, size: int) -> bool:
        count = self.count
        if self._limits.on_limit == "raise" and size > self._limits.max_bytes:
            return False
        return not count or (count < self._limits.max_messages and self.bytes + size <= self._limits.max_bytes)

    def wait(self, size: int, who: Any) -> None:
        """Queue for a place."""
        self._waiting.append((size, who))

    def give_up(self, who: Any) -> list[Any]:
        """Wait no longer; give those who are let in because of it."""
        self._waiting = deque(each for each in self._waiting if each[1] is not who)
        return self._let_in()

    def leave(self, count: int, size: int) -> list[Any]:
        """Free the places of messages; give those who are let in, in their order."""
        self.count -= count
        self.bytes -= size
        return self._let_in() if self._waiting else []

    def _let_in(self) -> list[Any]:
        entered = []
        while self._waiting and self._fits(self._waiting[0][0]):
            size, who = self._waiting.popleft()
            self.count += 1
            self.bytes += size
            entered.append(who)
        return entered

    def empty(self) -> list[Any]:
        """Let nobody in any more; give those who waited."""
        waiting = [who for _, who in self._waiting]
        self._waiting.clear()
        return waiting
