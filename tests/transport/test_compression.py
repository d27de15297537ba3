"""Compression of gRPC messages, both ways: a client that compresses, and reads what it writes, is answered in the same way."""

import struct
import zlib
from collections.abc import Coroutine
from typing import Any

import hpack
import pytest

from publican_emulator.rpc.call import CallInfo
from publican_emulator.rpc.http import HttpRequest, HttpResponse
from publican_emulator.rpc.status import Failure
from publican_emulator.rpc.stream import MessageStream
from publican_emulator.transport import grpc_messages
from publican_emulator.transport.budget import Budget
from publican_emulator.transport.calls import Calls
from publican_emulator.transport.http2 import frames
from tests.transport.conftest import REQUEST, data_frame, split

LONG = b"all work and no play " * 500
SHORT = b"short"
WBITS = {"gzip": 31, "deflate": 15}


class Echo:
    """A dispatcher that gives back what it is sent; and the rest of what a connection needs."""

    is_backed_up = False

    def call(self, path: str, body: bytes, info: CallInfo) -> bytes | Failure:
        return body

    def stream(self, path: str) -> object | None:
        return None

    def run_stream(self, path: str, stream: MessageStream, info: CallInfo) -> Coroutine[Any, Any, Failure | None]:
        raise NotImplementedError

    def answer(self, request: HttpRequest) -> HttpResponse:
        raise NotImplementedError

    def is_of_a_foreign_page(self, request: HttpRequest) -> bool:
        raise NotImplementedError

    def flush_soon(self) -> None: ...


def echoed(message: bytes, **headers: str) -> tuple[dict[str, str], int, bytes]:
    """Send a message; give the response's headers, its compressed-flag and what came."""
    echo = Echo()
    calls = Calls(echo, echo, echo, Budget(), "peer")
    fields = [*REQUEST, *((name.replace("_", "-"), value) for name, value in headers.items())]
    encoding = headers.get("grpc_encoding", "")
    body = grpc_messages.framed_as(message, encoding.encode() if encoding in WBITS else b"")
    asked = frames.PREFACE + frames.settings({}) + frames.header_frames(1, hpack.Encoder().encode(fields), 16_384, ends=False)
    calls.connection.receive(asked + data_frame(1, body, ends=True), 0.0)
    sent = split(bytes(calls.connection.outgoing))
    block = next(payload for kind, _, _, payload in sent if kind == frames.HEADERS)
    (data,) = (payload for kind, _, _, payload in sent if kind == frames.DATA)
    flag, size = struct.unpack_from(">BL", data)
    assert size == len(data) - 5
    return {str(name): str(value) for name, value in hpack.Decoder().decode(block)}, flag, data[5:]


@pytest.mark.parametrize("encoding", WBITS)
@pytest.mark.parametrize("accepted", ["{}", "identity,{}", "identity, deflate, gzip"])
def test_what_came_compressed_is_answered_so(encoding: str, accepted: str) -> None:
    headers, flag, data = echoed(LONG, grpc_encoding=encoding, grpc_accept_encoding=accepted.format(encoding))
    assert (headers["grpc-encoding"], flag) == (encoding, 1)
    assert len(data) < len(LONG) / 10
    assert zlib.decompress(data, wbits=WBITS[encoding]) == LONG


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"grpc_accept_encoding": "identity,deflate,gzip"},
        {"grpc_encoding": "identity", "grpc_accept_encoding": "identity,gzip"},
        {"grpc_encoding": "gzip"},
        {"grpc_encoding": "gzip", "grpc_accept_encoding": "identity,deflate"},
    ],
    ids=str,
)
def test_nobody_else_gets_a_compressed_answer(headers: dict[str, str]) -> None:
    told, flag, data = echoed(LONG, **headers)
    assert "grpc-encoding" not in told
    assert told["grpc-accept-encoding"] == "identity,deflate,gzip"
    assert (flag, data) == (0, LONG)


def test_a_short_message_travels_as_it_is() -> None:
    headers, flag, data = echoed(SHORT, grpc_encoding="gzip", grpc_accept_encoding="gzip")
    assert (headers["grpc-encoding"], flag, data) == ("gzip", 0, SHORT)
