"""Ask an emulator whether it serves: `GET /healthz`, in a few frames of HTTP/2.

Not over HTTP/1, because the first HTTP/1 byte makes a server load its skin for that (a quarter of a second, 13 MB), and a container is asked
every few seconds of its life. Not by a client library, because a probe should start in no time.

Source: RFC 9113, sections 3.4 (preface), 4.1 (frames) and 8.3 (requests).

PYTEST_DONT_REWRITE
"""

import socket
import struct
from collections.abc import Iterator
from typing import Final

import hpack

TIMEOUT_S: Final = 3.0

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEADERS: Final = 0x1
_SETTINGS: Final = 0x4
_END_STREAM_END_HEADERS: Final = 0x5


def trouble(host: str, port: int) -> str | None:
    """Give what is wrong with the emulator at `host` and `port`, as a clause; None when it serves."""
    try:
        with socket.create_connection((host, port), timeout=TIMEOUT_S) as connection:
            connection.sendall(_PREFACE + _frame(_SETTINGS, 0, 0, b"") + _frame(_HEADERS, _END_STREAM_END_HEADERS, 1, _request(host)))
            for kind, stream, payload in _frames(connection):
                if kind == _HEADERS and stream == 1:
                    status = dict(hpack.Decoder().decode(payload, raw=True)).get(b":status", b"none")
                    return None if status == b"200" else f"it answers with status {status.decode()}"
    except OSError as error:
        return f"nobody answers ({error})"
    return "what answers there is no Publican that serves"


def _request(host: str) -> bytes:
    return hpack.Encoder().encode([(":method", "GET"), (":scheme", "http"), (":path", "/healthz"), (":authority", host)])


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


def _frames(connection: socket.socket) -> Iterator[tuple[int, int, bytes]]:
    """Give kind, stream and payload of each frame that comes, until the other side closes."""
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
        while len(received) >= 9 and len(received) >= (end := 9 + int.from_bytes(received[:3], "big")):
            yield received[3], int.from_bytes(received[5:9], "big"), received[9:end]
            received = received[end:]
