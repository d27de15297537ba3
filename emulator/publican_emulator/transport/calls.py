"""Calls over one HTTP/2 connection: gRPC by its content type, REST for everything else.

What the headers of a request mean is worked out once and kept with them (`Head.application`), since clients repeat their header blocks. A unary call
that can be answered at once is answered inside the read that brought it: no task, no future.

PYTEST_DONT_REWRITE
"""

import asyncio
import re
from collections.abc import Awaitable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from publican_emulator.broker.errors import InvalidArgument, PubsubError, ResourceExhausted, Unavailable
from publican_emulator.rpc.call import CallInfo
from publican_emulator.rpc.http import HttpRequest, HttpResponse
from publican_emulator.rpc.status import Failure, failure
from publican_emulator.rpc.stream import MessageStream
from publican_emulator.transport import grpc_messages, grpc_status
from publican_emulator.transport.budget import REQUEST_BYTES_MAX, Budget
from publican_emulator.transport.grpc_stream import GrpcStream, Way
from publican_emulator.transport.http2.connection import Connection
from publican_emulator.transport.http2.headers import Head, encode
from publican_emulator.transport.http2.streams import Stream
from publican_emulator.transport.tasks import Tasks

_GRPC: Final = re.compile(rb"application/grpc(?:[+;]|$)")
"""Not application/grpc-web, which is another protocol."""
_TIMEOUT: Final = re.compile(rb"(\d{1,8})([HMSmun])")
_SECONDS: Final = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}
_STOPPING: Final = failure(Unavailable("The server is stopping."))


class Dispatcher(Protocol):
    """Whoever answers gRPC calls (rpc/dispatch.py)."""

    def call(self, path: str, body: bytes, info: CallInfo) -> bytes | Failure | Coroutine[Any, Any, bytes | Failure]:
        """Answer a unary call."""

    def stream(self, path: str) -> object | None:
        """Say whether a path is a streaming method."""

    def run_stream(self, path: str, stream: MessageStream, info: CallInfo) -> Coroutine[Any, Any, Failure | None]:
        """Serve a stream to its end."""


class Rest(Protocol):
    """Whoever answers REST requests (rpc/rest.py)."""

    def answer(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        """Answer a request."""

    def is_of_a_foreign_page(self, request: HttpRequest) -> bool:
        """Say whether a request would be refused for the web page that it comes from."""


@dataclass(slots=True)
class _GrpcRequest:
    """What the headers of a gRPC request say."""

    info: CallInfo
    encoding: bytes
    answers_in: bytes
    """A client that compresses gets its answers compressed in the same way, if it reads that."""
    is_stream: bool
    problem: Failure | None
    is_plain: bool
    """A unary call with nothing wrong."""


@dataclass(slots=True)
class _RestRequest:
    """What the headers of any other request say."""

    method: str
    target: str
    headers: dict[str, str]


class _Incoming:
    """The body of a unary request, as far as it has come: in pieces, since a growing buffer is copied again and again."""

    __slots__ = ("_budget", "_pieces", "size")

    def __init__(self, budget: Budget) -> None:
        self.size = 0
        self._pieces: list[bytes] = []
        self._budget = budget

    def add(self, data: bytes) -> bool:
        """Take a piece; False when there is no room for it."""
        if self.size + len(data) > REQUEST_BYTES_MAX + grpc_messages.PREFIX_BYTES or not self._budget.take(len(data)):
            return False
        self.size += len(data)
        self._pieces.append(data)
        return True

    def body(self) -> bytes:
        """Give the whole body."""
        return b"".join(self._pieces)

    def release(self) -> None:
        """Give the room back."""
        self._budget.give(self.size)
        self._pieces.clear()


class Calls:
    """The receiver of one connection."""

    def __init__(self, dispatcher: Dispatcher, rest: Rest, way: Way, budget: Budget, peer: str) -> None:
        self.connection = Connection(self)
        self.tasks = Tasks()
        self._dispatcher = dispatcher
        self._rest = rest
        self._way = way
        self._budget = budget
        self._peer = peer

    # the five methods that the connection calls

    def on_request(self, stream: Stream, ends: bool) -> None:
        """Begin a call."""
        request = stream.head.application
        if request is None:
            request = stream.head.application = self._understood(stream.head)
        if isinstance(request, _GrpcRequest):
            if request.problem is not None:
                self._fail(stream, request.problem)
                return
            if request.is_stream:
                self._open(stream, request)
        if ends:
            self.on_data(stream, b"", ends)

    def on_data(self, stream: Stream, data: bytes, ends: bool) -> None:
        """Go on with a call's request, and answer it when it is complete."""
        call = stream.call
        if isinstance(call, GrpcStream):
            try:
                call.feed(data, ends=ends)
            except PubsubError as error:
                self._fail(stream, failure(error))
            return
        if data:
            self.connection.credit(stream, len(data))
        if call is None and ends:
            self._answer(stream, data)
            return
        if call is None:
            call = stream.call = _Incoming(self._budget)
        if isinstance(call, _Incoming):
            if not call.add(data):
                size = call.size + len(data)
                call.release()
                stream.call = None
                full = ResourceExhausted("The requests that are still coming in fill the memory that is set aside for them; try again.")
                self._fail(stream, failure(grpc_messages.too_large(size) if size > REQUEST_BYTES_MAX else full))
            elif ends:
                stream.call = None
                body = call.body()
                call.release()
                self._answer(stream, body)

    def on_whole_request(self, stream: Stream, data: bytes) -> None:
        """Answer a call that has come in one piece."""
        request = stream.head.application
        if isinstance(request, _GrpcRequest) and request.is_plain:
            self.connection.credit(stream, len(data))
            self._answer_grpc(stream, request, data)
        else:
            self.on_request(stream, False)
            if stream.id in self.connection.streams:
                self.on_data(stream, data, True)
            else:
                self.connection.credit(stream, len(data))

    def on_reset(self, stream: Stream) -> None:
        """End a call whose client has given up."""
        call = stream.call
        stream.call = None
        if isinstance(call, _Incoming):
            call.release()
        elif isinstance(call, GrpcStream) and call.task is not None:
            self.tasks.cancel(call.task)
        elif isinstance(call, asyncio.Task):
            self.tasks.cancel(call)

    def on_room(self, stream: Stream) -> None:
        """Wake a stream that waits for room."""
        if isinstance(stream.call, GrpcStream):
            stream.call.on_room()

    # understanding

    def _understood(self, head: Head) -> _GrpcRequest | _RestRequest:
        headers: dict[bytes, bytes] = {}
        for name, value in head.fields:
            headers[name] = headers[name] + b"," + value if name in headers else value
        if head.authority:
            headers[b"host"] = head.authority  # where HTTP/2 says it
        if not _GRPC.match(headers.get(b"content-type", b"")) or self._is_of_a_foreign_page(headers):
            return _RestRequest(head.method.decode("latin-1"), head.path.decode("latin-1"), _shown(headers))
        path = head.path.decode("latin-1")
        problem, timeout_s = None, None
        if b"grpc-timeout" in headers:
            said = _TIMEOUT.fullmatch(headers[b"grpc-timeout"])
            if said is None:
                problem = failure(InvalidArgument(f"grpc-timeout: {headers[b'grpc-timeout'].decode('latin-1')!r} is no timeout."))
            else:
                timeout_s = int(said[1]) * _SECONDS[said[2]]
        if head.method != b"POST":
            problem = failure(InvalidArgument(f"A gRPC request must be a POST, not a {head.method.decode('latin-1')}."))
        info = CallInfo(path, "grpc", head.fields, timeout_s, self._peer)
        encoding = headers.get(b"grpc-encoding", b"")
        answers_in = encoding if encoding in grpc_status.HEADERS and encoding in _listed(headers.get(b"grpc-accept-encoding", b"")) else b""
        is_stream = self._dispatcher.stream(path) is not None
        return _GrpcRequest(info, encoding, answers_in, is_stream, problem, is_plain=not is_stream and problem is None)

    def _is_of_a_foreign_page(self, headers: Mapping[bytes, bytes]) -> bool:
        """Say whether a gRPC call is to be refused as REST refuses it; only browsers send what this looks at."""
        if b"origin" not in headers and b"sec-fetch-site" not in headers:
            return False
        return self._rest.is_of_a_foreign_page(HttpRequest("POST", "", _shown(headers)))

    # answering

    def _answer(self, stream: Stream, body: bytes) -> None:
        request = stream.head.application
        if isinstance(request, _RestRequest):
            self._answer_rest(stream, request, body)
            return
        assert isinstance(request, _GrpcRequest)
        self._answer_grpc(stream, request, body)

    def _answer_grpc(self, stream: Stream, request: _GrpcRequest, body: bytes) -> None:
        try:
            message = grpc_messages.whole(body, request.encoding)
        except PubsubError as error:
            self._fail(stream, failure(error))
            return
        answer = self._dispatcher.call(request.info.path, message, request.info)
        if isinstance(answer, bytes | Failure):
            self._finish(stream, request, answer)
        else:
            stream.call = self.tasks.start(self._wait_for(stream, request, answer))

    async def _wait_for(self, stream: Stream, request: _GrpcRequest, answer: Awaitable[bytes | Failure]) -> None:
        ended = await answer
        stream.call = None
        self._finish(stream, request, ended)
        self._way.flush_soon()

    def _finish(self, stream: Stream, request: _GrpcRequest, answer: bytes | Failure) -> None:
        if isinstance(answer, bytes):
            answers_in = request.answers_in
            framed = grpc_messages.framed_as(answer, answers_in) if answers_in else grpc_messages.framed(answer)
            self.connection.sending.whole(stream, grpc_status.HEADERS[answers_in], framed, grpc_status.OK_TRAILERS)
        else:
            self._fail(stream, answer)

    def _fail(self, stream: Stream, failed: Failure) -> None:
        """End a call with a status; what its client still sends is ignored."""
        call, stream.call = stream.call, None
        if stream.local_ended:
            return
        if stream.has_sent_headers:
            self.connection.sending.end(stream, grpc_status.trailers(failed))
        else:
            self.connection.sending.only_headers(stream, grpc_status.only_trailers(failed))
        if isinstance(call, GrpcStream) and call.task is not None:
            self.tasks.cancel(call.task)
        elif isinstance(call, asyncio.Task):
            self.tasks.cancel(call)

    # streams

    def _open(self, stream: Stream, request: _GrpcRequest) -> None:
        served = GrpcStream(self.connection, stream, self._way, request.encoding, request.answers_in)
        stream.call = served
        served.task = self.tasks.start(self._serve(stream, served, request))

    async def _serve(self, stream: Stream, served: GrpcStream, request: _GrpcRequest) -> None:
        ended = await self._dispatcher.run_stream(request.info.path, served, request.info)
        stream.call = None
        if ended is None:
            served.start()
            self.connection.sending.end(stream, grpc_status.OK_TRAILERS)
        else:
            self._fail(stream, ended)
        self._way.flush_soon()

    # REST

    def _answer_rest(self, stream: Stream, request: _RestRequest, body: bytes) -> None:
        answer = self._rest.answer(HttpRequest(request.method, request.target, request.headers, body, self._peer))
        if isinstance(answer, HttpResponse):
            self._finish_rest(stream, answer)
        else:
            stream.call = self.tasks.start(self._wait_for_rest(stream, answer))

    async def _wait_for_rest(self, stream: Stream, answer: Awaitable[HttpResponse]) -> None:
        response = await answer
        stream.call = None
        self._finish_rest(stream, response)
        self._way.flush_soon()

    def _finish_rest(self, stream: Stream, response: HttpResponse) -> None:
        fields = [(name.lower(), value) for name, value in response.headers if name.lower() != "content-length"]
        block = encode([(":status", str(response.status)), *fields, ("content-length", str(len(response.body)))])
        if not response.body or stream.head.method == b"HEAD":
            self.connection.sending.only_headers(stream, block)
            return
        self.connection.sending.headers(stream, block)
        self.connection.sending.data(stream, response.body)
        self.connection.sending.end(stream, b"")

    # the end

    def stop(self) -> None:
        """End every call that waits, with UNAVAILABLE, and take no more."""
        self.connection.stop()
        for stream in list(self.connection.streams.values()):
            if isinstance(stream.head.application, _GrpcRequest):
                self._fail(stream, _STOPPING)
            else:
                self._finish_rest(stream, HttpResponse(503, [("content-type", "text/plain")], b"The server is stopping."))
        self.tasks.cancel_all()


def _shown(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in headers.items()}


def _listed(value: bytes) -> set[bytes]:
    return {each.strip() for each in value.split(b",")}
