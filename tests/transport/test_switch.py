"""The switch: what a new connection is given before it has said a word. What it says is the business of tests/emulator."""

import asyncio
import socket
import sys
from typing import Any

import pytest

from publican_emulator.transport.switch import VANISHED_AFTER_S, Switch


class Opened(asyncio.Transport):
    """A connection that has a socket and nothing else."""

    def __init__(self, opened: socket.socket) -> None:
        super().__init__({"socket": opened})


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system's own times hold")
def test_a_peer_that_vanishes_is_asked_for_by_tcp() -> None:
    async def connect(transport: Opened) -> None:
        switch = Switch(asyncio.Protocol, lambda *_: None, set())
        switch.connection_made(transport)
        switch.connection_lost(None)

    with socket.socket() as opened:
        asyncio.run(connect(Opened(opened)))
        options: Any = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        assert opened.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert tuple(opened.getsockopt(socket.IPPROTO_TCP, each) for each in options) == VANISHED_AFTER_S
