"""Tasks: the calls that have to wait, each with a parent that awaits its end.

PYTEST_DONT_REWRITE
"""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Tasks:
    """The tasks of one connection. `close` cancels what still runs, and waits until it has ended."""

    __slots__ = ("_running",)

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a coroutine that handles its own errors."""
        task = asyncio.create_task(coroutine)  # noqa: TID251  (the one place: the set is its parent)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    @staticmethod
    def cancel(task: asyncio.Task[None]) -> None:
        """Ask a task to end, but not before its first step: what it was given to await and to close would be left lying."""
        task.get_loop().call_soon(task.cancel)

    def cancel_all(self) -> None:
        """Ask everything to end."""
        for task in list(self._running):
            self.cancel(task)

    async def close(self) -> None:
        """Cancel everything and wait for it."""
        self.cancel_all()
        if self._running:
            await asyncio.wait(list(self._running))

    def __len__(self) -> int:
        return len(self._running)
