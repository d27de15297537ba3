"""HTTP/2 on a socket: the asyncio skin of one connection. Reads go in, what has to be sent goes out in one write for each read.

PYTEST_DONT_REWRITE
"""

import asyncio
import logging
from typing import Final, cast

from publican_emulator.transport.budget import Budget
from publican_emulator.transport.calls import Calls, Dispatcher, Rest

logger = logging.getLogger("publican.transport")

OUTGOING_BYTES: Final = 65_536
"""What may wait for the loop to write it; more, and streams pause. Without it one stream hands over its whole backlog before the loop turns."""


class Http2Socket(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, dispatcher: Dispatcher, rest: Rest, budget: Budget, open_sockets: set["Http2Socket"]) -> None:
        self._is_paused = False
        self._dispatcher = dispatcher
        self._rest = rest
        self._budget = budget
        self._open = open_sockets
        self._will_flush = False
        self._is_reading = False
        self._has_more = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._loop = asyncio.get_running_loop()
        peer = transport.get_extra_info("peername")
        self.peer = f"{peer[0]}:{peer[1]}" if isinstance(peer, tuple) else str(peer)
        self.calls = Calls(self._dispatcher, self._rest, self, self._budget, self.peer)
        self._open.add(self)
        self.closed = self._loop.create_future()
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Take what the client sent, and answer it by one write; what is too much for one turn of the loop waits for the next."""
        connection = self.calls.connection
        self._is_reading = True
        try:
            connection.receive(data, self._loop.time())
        finally:
            self._is_reading = False
        self._flush()
        if connection.fault is not None:
            logger.info("%s: connection closed: %s", self.peer, connection.fault)
            self._transport.close()
        elif connection.has_more:
            self._transport.pause_reading()
            if not self._is_paused:
                self._loop.call_soon(self._go_on)
        elif self._has_more and not self._is_paused:
            self._resume_reading()
        self._has_more = connection.has_more

    def _go_on(self) -> None:
        if not self._is_paused and not self._transport.is_closing():
            self.data_received(b"")

    def _resume_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()

    @property
    def is_backed_up(self) -> bool:
        """Whether nothing more should be handed over: the client does not read, or what it was handed has yet to be written."""
        return self._is_paused or len(self.calls.connection.outgoing) >= OUTGOING_BYTES

    def flush_soon(self) -> None:
        """Send what the connection has to send, when the loop comes round: many answers become one write."""
        if not self._will_flush and not self._is_reading:
            self._will_flush = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._will_flush = False
        outgoing = self.calls.connection.outgoing
        if outgoing:
            was_full = len(outgoing) >= OUTGOING_BYTES
            self._transport.write(bytes(outgoing))
            outgoing.clear()
            if was_full and not self._is_paused:
                self._tell_of_room()

    def pause_writing(self) -> None:
        """The client does not read: take nothing more from it, and hand it nothing more."""
        self._is_paused = True
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The client has read."""
        self._is_paused = False
        if self._has_more:
            self._loop.call_soon(self._go_on)
        else:
            self._resume_reading()
        self._tell_of_room()

    def _tell_of_room(self) -> None:
        for stream in list(self.calls.connection.streams.values()):
            self.calls.on_room(stream)

    def eof_received(self) -> bool:
        """The client has closed its side of the socket: that ends an HTTP/2 connection."""
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """End every call."""
        self._open.discard(self)
        self.calls.connection.lost()
        if not self.closed.done():
            self.closed.set_result(None)

    async def close(self, grace_s: float) -> None:
        """End every call with UNAVAILABLE, say GOAWAY, and close when that has been sent, or after `grace_s` seconds."""
        self.calls.stop()
        self._flush()
        self._transport.close()
        try:
            async with asyncio.timeout(grace_s):
                await asyncio.shield(self.closed)
        except TimeoutError:
            self._transport.abort()
        await self.calls.tasks.close()
