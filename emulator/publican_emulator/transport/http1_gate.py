"""The gate before HTTP/1.1: loads aiohttp when the first HTTP/1 connection is there, beside the loop, so that nobody else waits for the import.

PYTEST_DONT_REWRITE
"""

import asyncio
import threading
from typing import TYPE_CHECKING

from publican_emulator.transport.budget import Budget
from publican_emulator.transport.calls import Rest

if TYPE_CHECKING:
    from publican_emulator.transport.http1 import Http1


class Http1Gate:
    """Holds HTTP/1 connections back until there is somebody to serve them."""

    def __init__(self, rest: Rest, budget: Budget) -> None:
        self._rest = rest
        self._budget = budget
        self._http1: Http1 | None = None
        self._held: list[tuple[asyncio.Transport, bytes]] = []
        self._loading: threading.Thread | None = None

    def take(self, transport: asyncio.Transport, first: bytes) -> None:
        """Serve a connection whose first bytes have been read, now or as soon as that is possible."""
        if self._http1 is not None:
            self._http1.take(transport, first)
            return
        transport.pause_reading()
        self._held.append((transport, first))
        if self._loading is None:
            loop = asyncio.get_running_loop()
            self._loading = threading.Thread(target=self._load, args=(loop,), name="publican-http1")
            self._loading.start()

    def _load(self, loop: asyncio.AbstractEventLoop) -> None:
        import publican_emulator.transport.http1  # noqa: F401  (the import is the point)

        loop.call_soon_threadsafe(self._loaded)

    def _loaded(self) -> None:
        from publican_emulator.transport.http1 import Http1

        self._join()
        self._http1 = Http1(self._rest, self._budget)
        held, self._held = self._held, []
        for transport, first in held:
            if not transport.is_closing():
                self._http1.take(transport, first)
                transport.resume_reading()

    def _join(self) -> None:
        if self._loading is not None:
            self._loading.join()
            self._loading = None

    def drop(self) -> None:
        """End every connection that is being served; others may come."""
        if self._http1 is not None:
            self._http1.drop()

    async def close(self, grace_s: float) -> None:
        """End every connection."""
        self._join()
        for transport, _ in self._held:
            transport.abort()
        self._held.clear()
        if self._http1 is not None:
            await self._http1.close(grace_s)
