"""Floods: how much a peer may make us do for nothing.

Frames that cost work but carry none (PING, SETTINGS, empty DATA, RST_STREAM, PRIORITY, WINDOW_UPDATE) are paid from an allowance that fills up with
time and with real work; a peer that has used it up is sent away with ENHANCE_YOUR_CALM.

PYTEST_DONT_REWRITE
"""

from typing import Final

from publican_emulator.transport.http2.frames import ConnectionFault, ErrorCode

BURST: Final = 2_000.0
PER_SECOND: Final = 400.0
"""Google's clients ping every 10-30 s; the most eager keepalive settings a client accepts are far below this."""


class Allowance:
    """What a peer may still spend, in frames."""

    __slots__ = ("_at", "_left")

    def __init__(self) -> None:
        self._left = BURST
        self._at: float | None = None

    def at(self, now_s: float) -> None:
        """Fill up by the time that has passed."""
        if self._at is not None and now_s > self._at:
            self._left = min(BURST, self._left + (now_s - self._at) * PER_SECOND)
        self._at = now_s

    def earn(self, frames: float) -> None:
        """Fill up by real work."""
        if self._left < BURST:
            self._left += frames

    def spend(self, frames: float, what: str) -> None:
        """Pay for a frame.

        Raises:
            ConnectionFault: there is nothing left.
        """
        self._left -= frames
        if self._left < 0:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, f"too many frames without work: {what}")
