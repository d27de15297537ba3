"""What a test may do to the emulator beside calling it: tell and move the time.

Time moves from deadline to deadline, in order: at each one everything that is due happens at its own instant, and whoever waits for messages
gets them, before time goes on. So `advance(20)` is `advance(10); advance(10)`, and a lease of 10 s is seen to expire twice in it.

All of this runs in the emulator's loop; `Emulator` offers the same to other threads.

PYTEST_DONT_REWRITE
"""

import asyncio
from typing import Final

from publican_emulator.broker.errors import PubsubError, Unavailable
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.driver import Driver, VirtualClock

_TURNS: Final = 5
"""Turns of the loop after the last consumer has come: one for its call to end, the others for its bytes to leave."""


class NotVirtual(RuntimeError):
    """The clock is the system's: it moves by itself, and nobody moves it."""


class Control:
    """The clock of one emulator, by hand."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def now(self) -> Nanos:
        """Give the instant."""
        return self._driver.clock.now()

    async def advance(self, seconds: float) -> None:
        """Let `seconds` pass.

        Raises:
            NotVirtual: the emulator runs in real time.
            ValueError: `seconds` is negative.
        """
        await self.move_to(Nanos(self.now() + round(seconds * SECOND)))

    async def move_to(self, instant: Nanos) -> None:
        """Let time pass until `instant`, from deadline to deadline.

        Raises:
            NotVirtual: the emulator runs in real time.
            ValueError: `instant` lies in the past.
        """
        clock = self._driver.clock
        if not isinstance(clock, VirtualClock):
            raise NotVirtual("only a virtual clock can be moved: make the emulator with Emulator(clock=VirtualClock())")
        if instant < clock.now():
            raise ValueError(f"time does not run backwards: {instant} is {(clock.now() - instant) / SECOND} s ago")
        await self.drain()
        while (due := self._driver.next_due()) is not None and due <= instant:
            clock.move_to(max(due, clock.now()))
            self._driver.settle()
            await self.drain()
        clock.move_to(instant)
        self._driver.settle()
        await self.drain()

    def break_streams(self, subscription: str | None = None, error: PubsubError | None = None) -> int:
        """Cut the open streams and waiting pulls of one subscription, or of all, with UNAVAILABLE; give how many there were. Leases stay.

        Raises:
            NotFound: there is no such subscription.
        """
        broker = self._driver.broker
        names = broker.existing_names("subscription") if subscription is None else [subscription]
        cut = [broker.get_subscription(name, self.now()) for name in names]
        count = sum(len(each.rotation.consumers) for each in cut)
        broker.end_consumers(error or Unavailable("The stream was cut, as the test has wished."), cut)
        self._driver.settle()
        return count

    async def drain(self) -> None:
        """Let whoever has been woken take what it was woken for, and the bytes leave."""
        while self._driver.has_woken:  # noqa: ASYNC110  (they come within the next turns of the loop: no time passes)
            await asyncio.sleep(0)
        for _ in range(_TURNS):
            await asyncio.sleep(0)
