"""A bidirectional stream as a service sees it: messages in, messages out, and how much room the way out has.

Declared here, implemented by the transport. Writing never awaits, so a service may look at the room, lease messages and write them
without anybody else coming in between.

PYTEST_DONT_REWRITE
"""

from typing import Protocol


class MessageStream(Protocol):
    """The server's end of one stream."""

    async def receive(self) -> bytes | None:
        """Give the next request message; None when the client has half-closed."""

    def start(self) -> None:
        """Send the response headers now: some clients wait for them before the first message."""

    async def writable(self) -> None:
        """Return when the windows of the stream and of its connection have room and the socket is not backed up."""

    def room(self) -> int:
        """Give the bytes that can leave now."""

    def write(self, message: bytes) -> None:
        """Send one response message; what exceeds the room waits in the transport."""


class Begun:
    """A stream whose first message has been read already, and is given again."""

    def __init__(self, stream: MessageStream, first: bytes | None) -> None:
        self._stream = stream
        self._first: bytes | None = first
        self._is_first = True
        self.start = stream.start
        self.writable = stream.writable
        self.room = stream.room
        self.write = stream.write

    async def receive(self) -> bytes | None:
        """Give the next request message; None when the client has half-closed."""
        if self._is_first:
            self._is_first = False
            return self._first
        return await self._stream.receive()
