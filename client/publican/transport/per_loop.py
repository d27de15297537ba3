"""What belongs to an event loop, kept by something that outlives loops: one session, one channel for each loop that runs.

It is opened when the loop first needs it, and closed by whichever comes first: its owner is closed, its owner is forgotten, the loop ends. For the
last it lives in an asynchronous generator, because those are what asyncio closes with a loop.

PYTEST_DONT_REWRITE
"""

import asyncio
import weakref
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Generic, TypeVar

R = TypeVar("R")

_alive: Final[set[AsyncGenerator[Any, None]]] = set()
"""Held here and not by the owner, so that the collector never finalizes an owner together with what it has open."""


class PerLoop(Generic[R]):
    """A resource for each running loop; `open` gives one, and closes it at the end of its context."""

    def __init__(self, open: Callable[[], AbstractAsyncContextManager[R]]) -> None:  # noqa: A002  (that is what it does)
        self._open = open
        self._lives: dict[asyncio.AbstractEventLoop, tuple[AsyncGenerator[R, None], R]] = {}
        self._last: tuple[asyncio.AbstractEventLoop, R] | None = None

    async def get(self) -> R:
        """Give the running loop's."""
        loop = asyncio.get_running_loop()
        if self._last is not None and self._last[0] is loop:
            return self._last[1]
        for other in [each for each in self._lives if each.is_closed()]:
            _alive.discard(self._lives.pop(other)[0])
        held = self._lives.get(loop)
        if held is None:
            life = _life(self._open())
            _alive.add(life)
            held = life, await anext(life)
            held = self._lives.setdefault(loop, held)
            weakref.finalize(self, _forgotten, loop, life).atexit = False
            if held[0] is not life:
                await life.aclose()  # another task of the loop was faster
        self._last = loop, held[1]
        return held[1]

    async def close(self) -> None:
        """Close the running loop's."""
        self._last = None
        held = self._lives.pop(asyncio.get_running_loop(), None)
        if held is not None:
            await held[0].aclose()


async def _life(opened: AbstractAsyncContextManager[R]) -> AsyncGenerator[R, None]:
    async with opened as resource:
        yield resource


def _forgotten(loop: asyncio.AbstractEventLoop, life: AsyncGenerator[Any, None]) -> None:
    """Its owner is gone: close it in its loop, if that still runs."""
    _alive.discard(life)
    if not loop.is_closed():
        loop.call_soon_threadsafe(_close, loop, life)


def _close(loop: asyncio.AbstractEventLoop, life: AsyncGenerator[Any, None]) -> None:
    loop.create_task(_closed(life))


async def _closed(life: AsyncGenerator[Any, None]) -> None:
    await life.aclose()
