"""A server that stops while connections come: whatever it has accepted, it closes."""

import asyncio
import gc
import socket
import warnings

import pytest

from publican_emulator import Emulator


@pytest.mark.parametrize("turns", range(6))
def test_connections_accepted_just_before_the_stop_are_closed(turns: int) -> None:
    async def connect_and_stop() -> list[socket.socket]:
        async with Emulator() as emulator:
            clients = [socket.create_connection(("127.0.0.1", emulator.port)) for _ in range(3)]
            for _ in range(turns):  # at each of them an accepted connection has come further
                await asyncio.sleep(0)
        return clients

    gc.collect()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", ResourceWarning)
        clients = asyncio.run(connect_and_stop())
        gc.collect()
    for each in clients:
        each.close()
    assert [str(each.message) for each in warned if each.category is ResourceWarning] == []
