"""Where the core meets the event loop: runs operations, wakes the consumers that should come, holds the one timer.

`run` is the only way into the broker. It answers a result and a *commit point*: a response, a confirmation, a delivery leaves only after its commit
point has passed. Without a journal it has already passed (None) and costs nothing; with one, the operations of a while share it.

PYTEST_DONT_REWRITE
"""

import asyncio
import functools
import heapq
import itertools
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
_SLEEPERS_KEPT: Final = 1_000
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


class Carrier(Protocol):
    """Carries messages away itself: to push endpoints, into files and tables."""

    def come(self, consumer: Consumer) -> None:
        """Note that there are messages for a consumer, or that it has ended; called between operations, so it must not run one itself."""


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
        self._sleepers: list[tuple[Nanos, int, asyncio.Future[None]]] = []
        self._sleepers_kept = _SLEEPERS_KEPT
        self._numbers = itertools.count()
        self._operated: asyncio.Future[None] | None = None
        self._is_sweeping = False
        self.carriers: dict[str, Carrier] = {}
        """Who comes for the consumers that no client stands behind, by their `carried_by`."""
        self.operations = 0
        """How many operations there have been: who compares two readings knows whether anything happened in between."""

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
        self.operations += 1
        if self._operated is not None and not self._operated.done():
            self._operated.set_result(None)
        if broker.ready:
            for consumer in broker.ready:
                if consumer.carried_by:
                    self._send(consumer)
                    continue
                waiter = self._waiters.get(consumer)
                if waiter is not None and not waiter.done():
                    waiter.set_result(None)
            broker.ready.clear()
        if broker.attic.chains and self._loop is not None and not self._is_sweeping:
            self._is_sweeping = True
            self._loop.call_soon(self._sweep)
        due = broker.earliest_due()
        if self._sleepers:
            due = self._sleepers[0][0] if due is None else min(due, self._sleepers[0][0])
        if due != self._timer_due:
            self._rearm(due)

    def _send(self, consumer: Consumer) -> None:
        carrier = self.carriers.get(consumer.carried_by)
        if carrier is not None and self._loop is not None:
            carrier.come(consumer)

    def _sweep(self) -> None:
        self._is_sweeping = False
        self.broker.attic.sweep()
        self._after()

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
        now = self.clock.now()
        try:
            self.broker.settle(now)
        finally:
            while self._sleepers and self._sleepers[0][0] <= now:
                _wake(heapq.heappop(self._sleepers)[2])
            self._after()

    def next_due(self) -> Nanos | None:
        """Give the instant at which something will be due next; None: nothing is."""
        due = self.broker.next_due()
        while self._sleepers and self._sleepers[0][2].done():  # given up by its caller
            heapq.heappop(self._sleepers)
        if not self._sleepers:
            return due
        return self._sleepers[0][0] if due is None else min(due, self._sleepers[0][0])

    async def sleep(self, seconds: float) -> None:
        """Wait until the emulator's clock has moved on by `seconds`.

        Raises:
            FailedPrecondition: the broker was exchanged meanwhile.
        """
        await self.alarm(seconds)

    def alarm(self, seconds: float) -> asyncio.Future[None]:
        """Give a future that is done when the emulator's clock has moved on by `seconds`; cancel it when nobody waits any more."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if len(self._sleepers) >= self._sleepers_kept:
            self._sleepers = [each for each in self._sleepers if not each[2].done()]
            heapq.heapify(self._sleepers)
            self._sleepers_kept = max(_SLEEPERS_KEPT, 2 * len(self._sleepers))
        heapq.heappush(self._sleepers, (Nanos(self.clock.now() + round(seconds * SECOND)), next(self._numbers), woken))
        self._after()
        return woken

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

    async def operated(self, limit_s: float) -> None:
        """Return after the next operation, or after so many real seconds."""
        waiting = self._operated = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(limit_s):
                await waiting
        except TimeoutError:
            pass
        finally:
            self._operated = None

    @property
    def has_woken(self) -> bool:
        """Whether a consumer has been told to come and has not come yet."""
        return any(waiter.done() for waiter in self._waiters.values())

    def swap(self, broker: Broker, why: PubsubError | None = None) -> None:
        """Go on with another broker; the consumers of the present one end with `why`."""
        why = why or FailedPrecondition("The emulator was reset.")
        self.broker.end_consumers(why)
        for _, _, sleeper in self._sleepers:
            _wake(sleeper, why)
        self._sleepers.clear()
        self._after()
        self.broker = broker
        self._after()

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _wake(sleeper: asyncio.Future[None], error: PubsubError | None = None) -> None:
    if sleeper.done():  # its caller has gone
        return
    if error is None:
        sleeper.set_result(None)
    else:
        sleeper.set_exception(error)
