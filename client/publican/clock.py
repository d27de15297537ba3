"""The time, as the client is told it: instants in integer nanoseconds, and calls at an instant.

Everything that waits in the client waits for a clock, so a test that brings its own moves the client's deadlines with the service's.

PYTEST_DONT_REWRITE
"""

import asyncio
import functools
import sys
import time
from collections.abc import Callable
from typing import Final, NewType, Protocol

Nanos = NewType("Nanos", int)

MILLISECOND: Final = 1_000_000
SECOND: Final = 1_000_000_000


def nanos(seconds: float) -> Nanos:
    """Give a span in nanoseconds."""
    return Nanos(round(seconds * SECOND))


class Timer(Protocol):
    """A call that is to come."""

    def cancel(self) -> None:
        """Let it not come; without effect when it has."""


class Clock(Protocol):
    """Tells the time, and calls when it has come."""

    def now(self) -> Nanos:
        """Give the instant, in nanoseconds since the epoch; never runs backwards."""

    def call_at(self, instant: Nanos, callback: Callable[[], None]) -> Timer:
        """Call back in the running loop at `instant`, or soon when that has passed; never in this call."""


if sys.platform == "win32":
    _wall_ns, _monotonic_ns = time.time_ns, time.monotonic_ns
else:  # real even when this is first imported while a library holds the time still
    _wall_ns = functools.partial(time.clock_gettime_ns, time.CLOCK_REALTIME)
    _monotonic_ns = functools.partial(time.clock_gettime_ns, time.CLOCK_MONOTONIC)
_OFFSET_NS: Final = _wall_ns() - _monotonic_ns()


class SystemClock:
    """Real time: the wall clock at the start, moved on by the monotonic one, so that it never jumps."""

    def now(
        self,
        monotonic_ns: Callable[[], int] = _monotonic_ns,  # a default argument: libraries that freeze time replace module attributes
        offset_ns: int = _OFFSET_NS,
    ) -> Nanos:
        """Give the instant."""
        return Nanos(monotonic_ns() + offset_ns)

    def call_at(self, instant: Nanos, callback: Callable[[], None]) -> Timer:
        """Call back in the running loop."""
        return asyncio.get_running_loop().call_later(max(0.0, (instant - self.now()) / SECOND), callback)
