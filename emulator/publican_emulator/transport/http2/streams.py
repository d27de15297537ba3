"""One HTTP/2 stream: which halves are open, what it may send, what waits to be sent.

Source: RFC 9113, section 5.1.

PYTEST_DONT_REWRITE
"""

import enum
from collections.abc import Mapping
from typing import Final

from publican_emulator.transport.http2.headers import Head


class State(enum.Enum):
    """Which halves of a stream are open; a stream that is idle or closed is not kept."""

    OPEN = "open"
    HALF_CLOSED_REMOTE = "half-closed (remote)"  # the client has sent everything
    HALF_CLOSED_LOCAL = "half-closed (local)"  # we have sent everything
    CLOSED = "closed"


class End(enum.Enum):
    """What closes a half."""

    REMOTE = "END_STREAM received"
    LOCAL = "END_STREAM sent"


NEXT: Final[Mapping[tuple[State, End], State]] = {
    (State.OPEN, End.REMOTE): State.HALF_CLOSED_REMOTE,
    (State.OPEN, End.LOCAL): State.HALF_CLOSED_LOCAL,
    (State.HALF_CLOSED_LOCAL, End.REMOTE): State.CLOSED,
    (State.HALF_CLOSED_REMOTE, End.LOCAL): State.CLOSED,
}
"""Resets close a stream from any state. This is the specification; on the hot path two booleans say the same."""


class Stream:
    """One request and its response."""

    __slots__ = (
        "call",
        "consumed",
        "has_sent_headers",
        "head",
        "id",
        "local_ended",
        "outbox",
        "outbox_bytes",
        "received",
        "remote_ended",
        "send_window",
        "trailers",
        "uncredited",
    )

    def __init__(self, stream_id: int, head: Head, send_window: int) -> None:
        self.id = stream_id
        self.head = head
        self.send_window = send_window
        self.remote_ended = False
        self.local_ended = False
        self.has_sent_headers = False
        self.received = 0
        """Bytes of DATA so far, without padding."""
        self.uncredited = 0
        """Bytes of this stream's window that the client has used and not got back."""
        self.consumed = 0
        """How many of those have been consumed here: they are given back by the half window."""
        self.outbox: list[memoryview] = []
        """What waits for the window."""
        self.outbox_bytes = 0
        self.trailers: bytes | None = None
        """The header block that follows the outbox and ends the stream; empty: the stream ends without one."""
        self.call: object = None
        """What the receiver keeps with the stream."""

    @property
    def state(self) -> State:
        """Which halves are open."""
        if self.local_ended:
            return State.CLOSED if self.remote_ended else State.HALF_CLOSED_LOCAL
        return State.HALF_CLOSED_REMOTE if self.remote_ended else State.OPEN
