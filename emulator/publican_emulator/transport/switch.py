"""The switch: a connection's first bytes say whether it speaks HTTP/2 or HTTP/1.

PYTEST_DONT_REWRITE
"""

import asyncio
from collections.abc import Callable
from typing import Final, cast

from publican_emulator.transport.http2.frames import PREFACE

FIRST_BYTES_S: Final = 60.0
"""How long a connection may say nothing at all."""
_TELLING: Final = PREFACE[:16]


class Switch(asyncio.Protocol):
    """A connection that has not said yet what it speaks."""

    def __init__(
        self,
        http2: Callable[[], asyncio.Protocol],
        http1: Callable[[asyncio.Transport, bytes], None],
        open_switches: set["Switch"],
    ) -> None:
        self._http2 = http2
        self._http1 = http1
        self._open = open_switches
        self._first = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first bytes."""
        self._transport = cast("asyncio.Transport", transport)
        self._open.add(self)
        self._timer = asyncio.get_running_loop().call_later(FIRST_BYTES_S, transport.close)

    def data_received(self, data: bytes) -> None:
        """Decide as soon as the bytes allow it, and hand the connection over."""
        self._first += data
        length = min(len(self._first), len(_TELLING))
        if self._first[:length] != _TELLING[:length]:
            self._leave()
            self._http1(self._transport, self._first)
        elif length == len(_TELLING):
            self._leave()
            protocol = self._http2()
            self._transport.set_protocol(protocol)
            protocol.connection_made(self._transport)
            protocol.data_received(self._first)

    def _leave(self) -> None:
        self._timer.cancel()
        self._open.discard(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Forget it."""
        self._leave()

    def abort(self) -> None:
        """End it at once."""
        self._transport.abort()
