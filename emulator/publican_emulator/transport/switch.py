"""The switch: a connection's first bytes say whether it speaks HTTP/2 or HTTP/1.

PYTEST_DONT_REWRITE
"""

import asyncio
import socket
import sys
from collections.abc import Callable
from typing import Final, cast

from publican_emulator.transport.http2.frames import PREFACE

FIRST_BYTES_S: Final = 60.0
"""How long a connection may say nothing at all."""
VANISHED_AFTER_S: Final = (60, 10, 6)
"""A peer that is gone without a word (a machine that sleeps, a cut network) would keep its streams, and what they lease, for ever. TCP asks after so
many idle seconds, again after so many, and gives up after so many questions."""
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
        _ask_whether_it_lives(transport.get_extra_info("socket"))
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


def _ask_whether_it_lives(connected: socket.socket | None) -> None:
    if connected is None:
        return
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if sys.platform == "linux":  # elsewhere the system's own times must do
        for option, value in zip((socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT), VANISHED_AFTER_S, strict=True):
            connected.setsockopt(socket.IPPROTO_TCP, option, value)
