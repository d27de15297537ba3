"""One bidirectional gRPC stream, as a service sees it (rpc/stream.py): messages in, messages out, and the room there is.

Back-pressure in both directions: the client's window is given back when a message is taken by the service, and `writable` waits for the client's
window and for the socket.

PYTEST_DONT_REWRITE
"""

import asyncio
from collections import deque
from typing import Protocol

from publican_emulator.transport import grpc_status
from publican_emulator.transport.grpc_messages import Splitter, framed_as
from publican_emulator.transport.http2.connection import Connection
from publican_emulator.transport.http2.streams import Stream


class Way(Protocol):
    """The socket under the connection."""

    @property
    def is_backed_up(self) -> bool:
        """Whether nothing more should be handed over just now."""

    def flush_soon(self) -> None:
        """Send what the connection has to send, when the loop comes round."""


class GrpcStream:
    """The server's end of one stream."""

    def __init__(self, connection: Connection, stream: Stream, way: Way, encoding: bytes, answers_in: bytes) -> None:
        """`encoding` is that of the request's messages, `answers_in` that of the response's; empty: none."""
        self._connection = connection
        self._stream = stream
        self._way = way
        self._splitter = Splitter(encoding)
        self._answers_in = answers_in
        self._messages: deque[tuple[bytes, int]] = deque()
        self._is_half_closed = False
        self._receiver: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self.task: asyncio.Task[None] | None = None

    # in

    def feed(self, data: bytes, *, ends: bool) -> None:
        """Take a piece of the request's body.

        Raises:
            PubsubError: a message is too large, or cannot be read.
        """
        held = self._splitter.held
        complete = self._splitter.feed(data)
        taken = sum(size for _, size in complete)
        # what belongs to a message that is not complete yet is given back at once: a message may be larger than the window
        self._connection.credit(self._stream, max(0, len(data) - max(0, taken - held)))
        self._messages.extend((message, size if place else max(0, size - held)) for place, (message, size) in enumerate(complete))
        self._is_half_closed = self._is_half_closed or ends
        if (complete or ends) and self._receiver is not None and not self._receiver.done():
            self._receiver.set_result(None)

    async def receive(self) -> bytes | None:
        """Give the next request message; None when the client has half-closed."""
        while not self._messages:
            if self._is_half_closed:
                return None
            self._receiver = asyncio.get_running_loop().create_future()
            try:
                await self._receiver
            finally:
                self._receiver = None
        message, size = self._messages.popleft()
        self._connection.credit(self._stream, size)
        if self._connection.outgoing:
            self._way.flush_soon()
        return message

    # out

    def start(self) -> None:
        """Send the response headers now."""
        if not self._stream.has_sent_headers:
            self._connection.sending.headers(self._stream, grpc_status.HEADERS[self._answers_in])
            self._way.flush_soon()

    def room(self) -> int:
        """Give the bytes that can leave now."""
        return 0 if self._way.is_backed_up else self._connection.sending.room(self._stream)

    async def writable(self) -> None:
        """Return when the windows have room and the socket is not backed up."""
        while self.room() <= 0:
            self._writer = asyncio.get_running_loop().create_future()
            self._connection.sending.wait_for_room(self._stream)
            try:
                await self._writer
            finally:
                self._writer = None

    def on_room(self) -> None:
        """Wake whoever waits for room."""
        if self._writer is not None and not self._writer.done():
            self._writer.set_result(None)

    def write(self, message: bytes) -> None:
        """Send one response message; what exceeds the window waits in the connection."""
        self.start()
        self._connection.sending.data(self._stream, framed_as(message, self._answers_in))
        self._way.flush_soon()
