"""How many requests there are at once, and with how many bytes, over all endpoints: bounded, and none can take what the others need.

An endpoint gets another slot only while it holds fewer, and less, than is free: one that stalls ends at half of them, two at a third each, and a
newcomer finds one. Whoever finds none stands in line, and is served in its turn when slots come free.

PYTEST_DONT_REWRITE
"""

import itertools
import sys
from dataclasses import dataclass
from typing import Final

from publican_emulator.broker.consumer import Consumer

REQUESTS_MAX: Final = 10_000
REQUESTS_MIN: Final = 100
BYTES_MAX: Final = 128 << 20


def requests_max() -> int:
    """Give how many requests there may be at once: a quarter of the files that this process may have open, since each is a socket."""
    if sys.platform == "win32":
        return REQUESTS_MAX
    import resource  # not on Windows

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return REQUESTS_MAX if soft == resource.RLIM_INFINITY else max(REQUESTS_MIN, min(REQUESTS_MAX, soft // 4))


@dataclass(slots=True)
class _Load:
    requests: int = 0
    size: int = 0


_NONE: Final = _Load()


class Slots:
    """The slots of one emulator."""

    def __init__(self, limit: int, bytes_limit: int = BYTES_MAX) -> None:
        self._limit = _Load(limit, bytes_limit)
        self._used = _Load()
        self._held: dict[Consumer, _Load] = {}
        self._line: dict[Consumer, None] = {}

    def take(self, consumer: Consumer) -> bool:
        """Take a slot for `consumer`, or put it in line; say whether it got one."""
        if not self._may_take(consumer):
            self._line[consumer] = None
            return False
        self._held.setdefault(consumer, _Load()).requests += 1
        self._used.requests += 1
        return True

    def _may_take(self, consumer: Consumer) -> bool:
        held = self._held.get(consumer, _NONE)
        return held.requests < self._limit.requests - self._used.requests and held.size < self._limit.size - self._used.size

    def charge(self, consumer: Consumer, size: int) -> None:
        """Count the bytes of what a slot was taken for: known only now, so one message may overshoot."""
        self._held[consumer].size += size
        self._used.size += size

    def give(self, consumer: Consumer, size: int = 0) -> list[Consumer]:
        """Give a slot and its bytes back, and take from the line those that may try again now."""
        held = self._held[consumer]
        for load in (held, self._used):
            load.requests -= 1
            load.size -= size
        if not held.requests:
            del self._held[consumer]
        free = max(1, self._limit.requests - self._used.requests)
        served = list(itertools.islice(filter(self._may_take, self._line), free))  # the first in line, mostly: the rest is not looked at
        for waiting in served:
            del self._line[waiting]
        return served

    def forget(self, consumer: Consumer) -> None:
        """Take a consumer out of the line."""
        self._line.pop(consumer, None)
