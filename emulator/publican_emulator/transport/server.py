"""The server: one port on one or more addresses, every protocol on it.

PYTEST_DONT_REWRITE
"""

import asyncio
import contextlib
import errno
import socket
import sys
from collections.abc import Sequence
from typing import Final

from publican_emulator.transport.budget import Budget
from publican_emulator.transport.calls import Dispatcher, Rest
from publican_emulator.transport.http1_gate import Http1Gate
from publican_emulator.transport.http2_socket import Http2Socket
from publican_emulator.transport.switch import Switch

BACKLOG: Final = 1_024
_NO_SUCH_ADDRESS: Final = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT)
_TRIES: Final = 20


class Server:
    """Listens, and serves until it is stopped."""

    def __init__(self, dispatcher: Dispatcher, rest: Rest) -> None:
        self._dispatcher = dispatcher
        self._rest = rest
        self._budget = Budget()
        self._http1 = Http1Gate(rest, self._budget)
        self._sockets: set[Http2Socket] = set()
        self._switches: set[Switch] = set()
        self._listening: list[asyncio.Server] = []

    async def start(self, hosts: Sequence[str], port: int) -> list[tuple[str, int]]:
        """Listen on every host (numeric addresses) at one port, 0 for any; give the addresses. A machine without IPv6 is no error.

        Raises:
            OSError: the port is taken, or none of the addresses is of this machine.
        """
        bound = _bind(hosts, port)
        loop = asyncio.get_running_loop()
        for each in bound:
            self._listening.append(await loop.create_server(self._switch, sock=each, backlog=BACKLOG))
        return [address[:2] for server in self._listening for address in (listening.getsockname() for listening in server.sockets)]

    def _switch(self) -> Switch:
        return Switch(self._http2, self._http1.take, self._switches)

    def _http2(self) -> Http2Socket:
        return Http2Socket(self._dispatcher, self._rest, self._budget, self._sockets)

    async def drop(self, grace_s: float) -> None:
        """End every connection as `stop` does, and go on listening."""
        self._http1.drop()
        async with asyncio.TaskGroup() as closing:
            for each in list(self._sockets):
                closing.create_task(each.close(grace_s))

    async def stop(self, grace_s: float) -> None:
        """Take no more connections, end what is open with UNAVAILABLE and GOAWAY, and return when nothing is left."""
        await self._stop_accepting()
        for switch in list(self._switches):
            switch.abort()
        async with asyncio.TaskGroup() as closing:
            for each in list(self._sockets):
                closing.create_task(each.close(grace_s))
            closing.create_task(self._http1.close(grace_s))
        for server in self._listening:
            await server.wait_closed()
        self._listening.clear()

    async def _stop_accepting(self) -> None:
        """Close the listening sockets when every connection that was accepted has its switch.

        asyncio accepts in one turn of the loop, makes the transport in the next and tells the protocol in the one after. A server that is closed
        between the first two drops the accepted socket unclosed (python/cpython#109564).
        """
        loop = asyncio.get_running_loop()
        for server in self._listening:
            for listening in server.sockets:
                with contextlib.suppress(NotImplementedError):  # loops without readers accept in another way
                    loop.remove_reader(listening.fileno())
        await asyncio.sleep(0)
        for server in self._listening:
            server.close()
        await asyncio.sleep(0)


def _bind(hosts: Sequence[str], port: int) -> list[socket.socket]:
    """Give a bound socket for each address; with port 0, the port that the first one got must be free on the others too."""
    for attempt in range(_TRIES):
        bound: list[socket.socket] = []
        with contextlib.ExitStack() as scope:
            try:
                for host in hosts:
                    wanted = port or (bound[0].getsockname()[1] if bound else 0)
                    try:
                        bound.append(scope.enter_context(_bound(host, wanted)))
                    except OSError as error:
                        if error.errno not in _NO_SUCH_ADDRESS or (host == hosts[-1] and not bound):
                            raise
            except OSError as error:
                if port or error.errno != errno.EADDRINUSE or attempt == _TRIES - 1:
                    raise
                continue
            scope.pop_all()
            return bound
    raise AssertionError("unreachable: the last attempt raises")


def _bound(host: str, port: int) -> socket.socket:
    """Give a socket bound to one address. Without SO_REUSEPORT: two emulators must not share a port silently."""
    is_v6 = ":" in host
    made = socket.socket(socket.AF_INET6 if is_v6 else socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if is_v6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.setblocking(False)
        made.bind((host, port))
        if port:
            made.listen(BACKLOG)  # with SO_REUSEADDR only listening tells that somebody else has the port
    except BaseException:
        made.close()
        raise
    return made
