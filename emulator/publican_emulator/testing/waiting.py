"""The methods of the handle that take time, to be awaited in asyncio and trio; each runs in a thread, so the event loop goes on.

PYTEST_DONT_REWRITE
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from publican_emulator.testing.records import Event

if TYPE_CHECKING:
    from publican_emulator.testing.handle import Pubsub

T = TypeVar("T")


class Waiting:
    """The methods of a Pub/Sub that take time, to be awaited: in asyncio and trio, while the event loop goes on."""

    def __init__(self, pubsub: "Pubsub") -> None:
        self._pubsub = pubsub

    async def advance(self, seconds: float) -> list[Event]:
        """See `Pubsub.advance`."""
        return await in_thread(lambda: self._pubsub.advance(seconds))

    async def move_to(self, instant: datetime) -> list[Event]:
        """See `Pubsub.move_to`."""
        return await in_thread(lambda: self._pubsub.move_to(instant))

    async def run_until(self, predicate: Callable[[], object], *, limit: float = 3600) -> list[Event]:
        """See `Pubsub.run_until`; `predicate` is called in another thread."""
        return await in_thread(lambda: self._pubsub.run_until(predicate, limit=limit))

    async def settle(self) -> list[Event]:
        """See `Pubsub.settle`."""
        return await in_thread(self._pubsub.settle)

    async def wait_for(self, predicate: Callable[[], object], *, timeout: float = 5) -> None:  # noqa: ASYNC109  (as its twin)
        """See `Pubsub.wait_for`; `predicate` is called in another thread."""
        await in_thread(lambda: self._pubsub.wait_for(predicate, timeout=timeout))

    async def wait_until_acked(self, where: str, *, timeout: float = 5) -> None:  # noqa: ASYNC109  (as its twin)
        """See `Pubsub.wait_until_acked`."""
        await in_thread(lambda: self._pubsub.wait_until_acked(where, timeout=timeout))


async def in_thread(function: Callable[[], T]) -> T:
    """Call a function in a thread, and await it in whatever loop runs."""
    if asyncio._get_running_loop() is not None:
        return await asyncio.to_thread(function)
    import importlib

    trio: Any = importlib.import_module("trio")  # whose loop else
    done: T = await trio.to_thread.run_sync(function)
    return done
