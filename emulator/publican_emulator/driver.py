"""Where the core meets the event loop: runs operations, wakes the consumers that should come, holds the one timer.

`run` is the only way into the broker. It answers a result and a *commit point*: a response, a confirmation, a delivery leaves only after its commit
point has passed. Without a journal it has already passed (None) and costs nothing; with one, the operations of a while share it.

PYTEST_DONT_REWRITE
"""

import asyncio
import functools
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Final, Protocol, TypeVar

from publican_emulator.broker.broker import Broker
from publican_emulator.broker.consumer import Consumer, Mood
from publican_emulator.broker.errors import FailedPrecondition, PubsubError
from publican_emulator.broker.instants import SECOND, Nanos

Result = TypeVar("Result")

if sys.platform == "win32":
    _wall_ns, _monotonic_ns = time.time_ns, time.monotonic_ns
else:  # real even when this is first imported while a library holds the time still
    _wall_ns = functools.partial(time.clock_gettime_ns, time.CLOCK_REALTIME)
    _monotonic_ns = functools.partial(time.clock_gettime_ns, time.CLOCK_MONOTONIC)
_OFFSET_NS: Final = _wall_ns() - _monotonic_ns()


class Clock(Protocol):
    """Tells the time to everything in the emulator."""

    def now(self) -> Nanos:
        """Give the instant; never runs backwards."""

    def wait_s(self, due: Nanos) -> float | None:
        """Give the real seconds until `due`; None when time moves only by hand."""


class SystemClock:
    """Real time: the wall clock at the start, moved on by the monotonic one, so that it never jumps."""

    def now(
        self,
        monotonic_ns: Callable[[], int] = _monotonic_ns,  # a default argument: libraries that freeze time replace module attributes
        offset_ns: int = _OFFSET_NS,
    ) -> Nanos:
        """Give the instant."""
        return Nanos(monotonic_ns() + offset_ns)

    def wait_s(self, due: Nanos) -> float | None:
        """Give the real seconds until `due`."""
        return max(0.0, (due - self.now()) / SECOND)


class VirtualClock:
    """Time that stands still until it is moved; `Control.advance` moves it from deadline to deadline."""

    def __init__(self, start: Nanos | None = None) -> None:
        self._now = start if start is not None else Nanos(SystemClock().now() // SECOND * SECOND)

    def now(self) -> Nanos:
        """Give the instant."""
        return self._now

    def wait_s(self, due: Nanos) -> float | None:
        """Time moves only by hand."""
        return None

    def move_to(self, instant: Nanos) -> None:
        """Move to a later instant.

        Raises:
            ValueError: it is earlier than now.
        """
        if instant < self._now:
            raise ValueError(f"the clock stands at {self._now}, it cannot go back to {instant}")
        self._now = instant


class Journal(Protocol):
    """Makes operations durable."""

    def commit(self) -> Awaitable[None] | None:
        """Give what to await until everything done so far is durable; None: it is."""


class Driver:
    """Runs the operations of one broker at a time; the broker may be exchanged for a fresh one."""

    def __init__(self, broker: Broker, clock: Clock, journal: Journal | None = None) -> None:
        self.broker = broker
        self.clock = clock
        self._journal = journal
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due: Nanos | None = None
        self._waiters: dict[Consumer, asyncio.Future[None]] = {}

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Use this loop for the timer and for waking consumers."""
        self._loop = loop

    def run(self, operation: Callable[..., Result], *args: object) -> tuple[Result, Awaitable[None] | None]:
        """Run `operation(*args, now)` and give its result and its commit point."""
        try:
            result = operation(*args, self.clock.now())
        finally:
            self._after()
        return result, None if self._journal is None else self._journal.commit()

    def _after(self) -> None:
        broker = self.broker
        if broker.ready:
            for consumer in broker.ready:
                waiter = self._waiters.get(consumer)
                if waiter is not None and not waiter.done():
                    waiter.set_result(None)
            broker.ready.clear()
        due = broker.earliest_due()
        if due != self._timer_due:
            self._rearm(due)

    def _rearm(self, due: Nanos | None) -> None:
        if self._timer is not None:
            if due is not None and self._timer_due is not None and self._timer_due <= due:
                return  # it fires early, finds nothing and is set anew: cheaper than setting it at each operation
            self._timer.cancel()
        self._timer = None
        self._timer_due = due
        wait_s = None if due is None else self.clock.wait_s(due)
        if wait_s is not None and self._loop is not None:
            self._timer = self._loop.call_later(min(wait_s, 86_400.0), self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._timer_due = None
        self.settle()

    def settle(self) -> None:
        """Let everything happen that is due now."""
        try:
            self.broker.settle(self.clock.now())
        finally:
            self._after()

    async def ready(self, consumer: Consumer) -> None:
        """Return when there is a message for `consumer`, or when it will get none any more (leasing tells why)."""
        self.run(self.broker.want, consumer)
        if consumer.mood is Mood.READY or self._loop is None:
            return
        waiter = self._waiters[consumer] = self._loop.create_future()
        try:
            await waiter
        finally:
            del self._waiters[consumer]

    @property
    def has_woken(self) -> bool:
        """Whether a consumer has been told to come and has not come yet."""
        return any(waiter.done() for waiter in self._waiters.values())

    def swap(self, broker: Broker, why: PubsubError | None = None) -> None:
        """Go on with another broker; the consumers of the present one end with `why`."""
        self.broker.end_consumers(why or FailedPrecondition("The emulator was reset."))
        self._after()
        self.broker = broker
        self._after()

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
