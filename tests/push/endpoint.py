"""A push endpoint as an application has one: a real aiohttp server on a thread of its own, that answers as a test tells it."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from publican_emulator.inprocess import LoopThread

Answer = Callable[["Received"], Awaitable[web.StreamResponse]]


@dataclass
class Received:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes
    request: web.Request = field(repr=False)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def data(self) -> str:
        import base64

        return base64.b64decode(self.json["message"].get("data", "")).decode()


def status(code: int) -> Answer:
    async def answer(received: Received) -> web.StreamResponse:
        return web.Response(status=code)

    return answer


def in_turn(*answers: Answer) -> Answer:
    """Answer each request in its turn; the last answer stays."""
    left = list(answers)

    async def answer(received: Received) -> web.StreamResponse:
        return await (left.pop(0) if len(left) > 1 else left[0])(received)

    return answer


class Endpoint:
    """The server."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answer: Answer = status(204)
        self.url = ""
        self.most_at_once = 0
        self.given_up = 0
        """Requests whose sender went away before they were answered."""
        self._at_once = 0
        self._changed = threading.Condition()
        self.let_go = asyncio.Event()
        """What `stalls` waits for."""

    async def stalls(self, received: Received) -> web.StreamResponse:
        await self.let_go.wait()
        return web.Response(status=200)

    async def disconnects(self, received: Received) -> web.StreamResponse:
        assert received.request.transport is not None
        received.request.transport.abort()
        return web.Response()

    async def redirects(self, received: Received) -> web.StreamResponse:
        return web.Response(status=302, headers={"Location": f"{self.url}/elsewhere"})

    async def handle(self, request: web.Request) -> web.StreamResponse:
        received = Received(request.raw_path, dict(request.headers), await request.read(), request)
        with self._changed:
            self.received.append(received)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            self._changed.notify_all()
        try:
            return await self.answer(received)
        except asyncio.CancelledError:
            with self._changed:
                self.given_up += 1
                self._changed.notify_all()
            raise
        finally:
            self._at_once -= 1

    def wait(self, count: int, timeout: float = 10.0) -> list[Received]:
        """Wait until there were `count` requests, and give them."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.received) >= count, timeout), f"{len(self.received)} of {count}: {self.received}"
            return list(self.received)

    def wait_given_up(self, count: int, timeout: float = 10.0) -> None:
        """Wait until the senders of `count` requests have gone away."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.given_up >= count, timeout), f"{self.given_up} of {count}"


@contextlib.contextmanager
def serving() -> Iterator[Endpoint]:
    """Run one until the block ends."""
    endpoint = Endpoint()
    with LoopThread() as thread:
        runners: list[web.AppRunner] = []

        async def start() -> None:
            app = web.Application(client_max_size=32 << 20)
            app.router.add_route("*", "/{path:.*}", endpoint.handle)
            runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
            runners.append(runner)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            host, port = runner.addresses[0][:2]
            endpoint.url = f"http://{host}:{port}"

        async def stop() -> None:
            endpoint.let_go.set()
            await runners[0].cleanup()

        thread.call(start)
        try:
            yield endpoint
        finally:
            thread.call(stop)
