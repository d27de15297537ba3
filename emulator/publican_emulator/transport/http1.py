"""HTTP/1.1, by aiohttp: a skin that carries requests to REST and responses back.

This module imports aiohttp, a quarter of a second; whoever wants it imports it at the first HTTP/1 byte (http1_gate.py).

PYTEST_DONT_REWRITE
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Final

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web_request import BaseRequest

from publican_emulator.rpc.http import HttpRequest, HttpResponse
from publican_emulator.transport.budget import REQUEST_BYTES_MAX, Budget
from publican_emulator.transport.calls import Rest

BODY_BYTES_MAX: Final = 16 << 20
"""aiohttp's default of 1 MiB refuses legal publishes."""
_TOO_LARGE: Final = (
    b'{\n  "error": {\n    "code": 400,\n    "message": "Request payload size exceeds the limit: 16777216 bytes.",\n'
    b'    "status": "INVALID_ARGUMENT"\n  }\n}\n'
)
assert BODY_BYTES_MAX <= REQUEST_BYTES_MAX

logger = logging.getLogger("publican.transport")


class _ServerLog(logging.Logger):
    """What aiohttp logs: an error of ours with its trace, but what is no HTTP in one line at INFO, as for every client that is sent away."""

    def __init__(self) -> None:
        super().__init__("publican.http1")
        self.parent = logger

    def handle(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            logger.info("%s: connection closed: %s", *(record.args or ("?",)), " ".join(error.message.split())[:200])
        else:
            super().handle(record)


class Http1:
    """Serves HTTP/1.1 connections."""

    def __init__(self, rest: Rest, budget: Budget) -> None:
        self._rest = rest
        self._budget = budget
        self._answering: set[web.RequestHandler] = set()
        # a client that goes away ends its call: a Pull that went on waiting would lease messages to nobody
        self._server = web.Server(
            self._handle,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=3_630.0,
            handler_cancellation=True,
            logger=_ServerLog(),
        )

    def take(self, transport: asyncio.Transport, first: bytes) -> None:
        """Go on with a connection whose first bytes have been read."""
        protocol = self._server()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        protocol.data_received(first)

    def drop(self) -> None:
        """End every connection: idle ones at once, others when they have been answered."""
        for connection in list(self._server.connections):
            connection.close() if connection in self._answering else connection.force_close()

    async def close(self, grace_s: float) -> None:
        """End every connection: idle ones at once, others when they have been answered, or after `grace_s` seconds."""
        self.drop()  # `shutdown` alone waits all of its time for an idle one
        await self._server.shutdown(grace_s)

    async def _handle(self, request: BaseRequest) -> web.StreamResponse:
        connection = request.protocol
        self._answering.add(connection)
        try:
            return await self._answer(request)
        finally:
            self._answering.discard(connection)

    async def _answer(self, request: BaseRequest) -> web.StreamResponse:
        body = await self._body(request)
        if body is None:
            response = web.Response(status=400, body=_TOO_LARGE, headers={hdrs.CONTENT_TYPE: "application/json; charset=UTF-8"})
            response.force_close()
            return response
        headers: dict[str, str] = {}
        for name, value in request.headers.items():
            name = name.lower()
            headers[name] = f"{headers[name]},{value}" if name in headers else value
        answer = self._rest.answer(HttpRequest(request.method, request.raw_path, headers, body, str(request.remote)))
        given = answer if isinstance(answer, HttpResponse) else await answer
        if given.more is not None:
            return await _streamed(request, given, given.more)
        sent = web.Response(status=given.status, body=given.body)
        sent.headers.extend((name, value) for name, value in given.headers if name.lower() != "content-length")
        return sent

    async def _body(self, request: BaseRequest) -> bytes | None:
        """Give the body; None when it is too large."""
        length = request.content_length
        if length is not None and length > BODY_BYTES_MAX:
            return None
        if length is not None and not length:
            return b""
        parts: list[bytes] = []
        size = 0
        try:
            while part := await request.content.readany():
                size += len(part)
                if size > BODY_BYTES_MAX or not self._budget.take(len(part)):
                    size -= len(part)
                    return None
                parts.append(part)
        finally:
            self._budget.give(size)
        return b"".join(parts)


async def _streamed(request: BaseRequest, given: HttpResponse, more: AsyncIterator[bytes]) -> web.StreamResponse:
    """Send a response whose end nobody knows; a client that goes away cancels it."""
    sent = web.StreamResponse(status=given.status)
    sent.headers.extend(given.headers)
    await sent.prepare(request)
    await sent.write(given.body)
    async for piece in more:
        await sent.write(piece)
    return sent
