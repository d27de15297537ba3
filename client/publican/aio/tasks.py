"""The tasks of the client: each has a scope that knows it, and none outlives its scope.

A task a message is the largest part of what receiving costs, so a scope does no more than it must: whoever runs in one leaves by itself. On Python
3.12 and later tasks are eager: a handler that never waits is done before its task is scheduled.

PYTEST_DONT_REWRITE
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

if sys.version_info >= (3, 12):

    def start(coroutine: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop) -> asyncio.Task[None]:
        """Start a task; it runs up to its first wait at once."""
        return asyncio.Task(coroutine, loop=loop, eager_start=True)
else:

    def start(coroutine: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop) -> asyncio.Task[None]:
        """Start a task; it runs in the next turn of the loop."""
        return loop.create_task(coroutine)


class Scope:
    """Tasks that end together; an error in one is told to `on_error`, it ends none of the others."""

    def __init__(self, on_error: Callable[[BaseException], None]) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._on_error = on_error

    def start(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start a task in this scope."""
        task = start(coroutine, asyncio.get_running_loop())
        if task.done():
            self._done(task)
        else:
            self._tasks.add(task)
            task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_error(error)

    async def close(self) -> None:
        """Cancel what runs yet, and wait for its end."""
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)


def detached(coroutine: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop) -> asyncio.Task[Any]:
    """Start a task that its caller holds, as the keep-alive of `subscribe` is held: the loop itself would let it go."""
    task = loop.create_task(coroutine)
    _DETACHED.add(task)
    task.add_done_callback(_DETACHED.discard)
    return task


_DETACHED: set[asyncio.Task[Any]] = set()
