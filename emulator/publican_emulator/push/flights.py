"""What is under way: the requests and writings of a carrier, and how long virtual time waits for them.

Time in a test goes on when each has ended, or has gone on for a second of real time: an endpoint that stalls costs that second once.

PYTEST_DONT_REWRITE
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from publican_emulator.broker.consumer import Consumer
from publican_emulator.broker.instants import Nanos
from publican_emulator.transport.tasks import Tasks

SETTLE_S: Final = 1.0
"""Real seconds that each gets before virtual time goes on without it."""

_TURN_S: Final = 0.01
_INSTANT_S: Final = 60.0


class Flights:
    """The consumers that have been told to come, and the tasks that carry for them: one side of a Participant."""

    def __init__(self, see_to: Callable[[Consumer], None], on_surprise: Callable[[str, Exception], object]) -> None:
        """`see_to` is called for each consumer that came, in the loop's next turn; what it raises is a bug, and goes to `on_surprise`."""
        self._see_to = see_to
        self._on_surprise = on_surprise
        self._told: dict[Consumer, None] = {}
        self._is_called = False
        self._instant = Nanos(0)
        self._instant_since = 0.0
        self._since: dict[asyncio.Task[None], tuple[Consumer, float]] = {}
        self._tasks = Tasks()

    def come(self, consumer: Consumer) -> None:
        """Note that there is something for a consumer."""
        self._told[consumer] = None
        if not self._is_called:
            self._is_called = True
            asyncio.get_running_loop().call_soon(self._see_to_all)

    def _see_to_all(self) -> None:
        """See to each that was told, in turn; when that takes long, the rest of the loop has its turn in between."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _TURN_S
        while self._told and loop.time() < until:
            consumer = next(iter(self._told))
            del self._told[consumer]
            try:
                self._see_to(consumer)
            except Exception as error:  # noqa: BLE001  (a bug here must not silence the others, and must be found)
                self._on_surprise(consumer.label, error)
        if self._told:
            loop.call_soon(self._see_to_all)
        else:
            self._is_called = False

    def start(self, consumer: Consumer, carrying: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run what carries something for a consumer; it handles its own errors."""
        task = self._tasks.start(carrying)
        self._since[task] = (consumer, asyncio.get_running_loop().time())
        task.add_done_callback(self._since.pop)
        return task

    def give_up(self, consumer: Consumer) -> None:
        """End what is under way for a consumer."""
        for task, (whose, _) in self._since.items():
            if whose is consumer:
                Tasks.cancel(task)

    async def wait(self, limit_s: float) -> bool:
        """Wait until everything has ended that is under way now, at most so many real seconds; say whether it has."""
        return not self._since or not (await asyncio.wait(list(self._since), timeout=limit_s))[1]

    async def close(self) -> None:
        """End everything."""
        await self._tasks.close()

    async def settle(self, now: Nanos) -> None:
        """Return when everything has ended, or has gone on for a second.

        A long row of short ones is waited for in parts, so that each part is soon; but not for ever at one instant: then it is an endless loop.
        """
        loop = asyncio.get_running_loop()
        if now != self._instant:
            self._instant, self._instant_since = now, loop.time()
        is_late = loop.time() > self._instant_since + _INSTANT_S
        until = loop.time() + SETTLE_S
        while not self.is_quiescent() and (is_late or loop.time() < until):
            young, left_s = self._young()
            if young and not self._told:
                await asyncio.wait(young, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
            else:
                await asyncio.sleep(0)  # who has been told is seen to in the loop's next turn: no time passes

    def is_quiescent(self) -> bool:
        """Whether nothing is under way, but for what time does not wait for."""
        return not self._told and not self._young()[0]

    def _young(self) -> tuple[list[asyncio.Task[None]], float]:
        """Give the tasks that may still be waited for, and for how many real seconds the first of them may."""
        now = asyncio.get_running_loop().time()
        left = {task: since + SETTLE_S - now for task, (_, since) in self._since.items() if since + SETTLE_S > now}
        return list(left), min(left.values(), default=0.0)

    def next_due(self) -> Nanos | None:
        """Nothing: the broker, and the emulator's alarms, know when something is due."""
        return None

    def owns(self, client_id: str) -> bool:
        """No client's streams."""
        return False
