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
