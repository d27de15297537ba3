"""What belongs to an event loop, kept by something that outlives loops: one session, one channel for each loop that runs.

It is opened when the loop first needs it, and closed by whichever comes first: its owner is closed, its owner is forgotten, the loop ends. For the
last it lives in an asynchronous generator, because those are what asyncio closes with a loop.

PYTEST_DONT_REWRITE
"""

import asyncio
import weakref
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

R = TypeVar("R")
Life = AsyncGenerator[Any, None]

_alive: Final[dict[object, Life]] = {}
"""Held here and not by the owner, so that the collector never finalizes an owner together with what it has open."""


@dataclass(slots=True)
class _Held(Generic[R]):
    """What one loop has."""

    resource: R
    life: Life
    token: object
    finalizer: Any = None

    def forget(self) -> None:
        """The loop has ended without closing it: nothing can any more."""
        _alive.pop(self.token, None)
        self.finalizer.detach()


class PerLoop(Generic[R]):
    """A resource for each running loop; `open` gives one, and closes it at the end of its context."""

    def __init__(self, open: Callable[[], AbstractAsyncContextManager[R]]) -> None:  # noqa: A002  (that is what it does)
        self._open = open
        self._held: dict[asyncio.AbstractEventLoop, _Held[R]] = {}
        self._last: tuple[asyncio.AbstractEventLoop, R] | None = None

    async def get(self) -> R:
        """Give the running loop's."""
        loop = asyncio.get_running_loop()
        if self._last is not None and self._last[0] is loop:
            return self._last[1]
        for other in [each for each in self._held if each.is_closed()]:
            self._held.pop(other).forget()
        if loop not in self._held:
            made = await self._made()
            held = self._held.setdefault(loop, made)
            if held is not made:
                await made.life.aclose()  # another task of the loop was faster
            else:
                made.finalizer = weakref.finalize(self, _forgotten, loop, made.life)
                made.finalizer.atexit = False
        resource = self._held[loop].resource
        self._last = loop, resource
        return resource

    async def _made(self) -> _Held[R]:
        token = object()
        life = _alive[token] = _life(self._open(), token)
        return _Held(await anext(life), life, token)

    async def close(self) -> None:
        """Close the running loop's."""
        self._last = None
        held = self._held.pop(asyncio.get_running_loop(), None)
        if held is not None:
            held.finalizer.detach()
            await held.life.aclose()


async def _life(opened: AbstractAsyncContextManager[R], token: object) -> AsyncGenerator[R, None]:
    try:
        async with opened as resource:
            yield resource
    finally:
        _alive.pop(token, None)


def _forgotten(loop: asyncio.AbstractEventLoop, life: Life) -> None:
    """Its owner is gone: close it in its loop, if that still runs."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(_close, loop, life)


def _close(loop: asyncio.AbstractEventLoop, life: Life) -> None:
    loop.create_task(_closed(life))


async def _closed(life: Life) -> None:
    await life.aclose()
