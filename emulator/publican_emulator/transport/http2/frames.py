"""The wire format of HTTP/2 frames: numbers and bytes, no state.

Source: RFC 9113, sections 4, 6 and 7.

PYTEST_DONT_REWRITE
"""

import enum
import struct
from typing import Final

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
FRAME_HEAD_BYTES: Final = 9
FRAME_HEAD: Final = struct.Struct(">HBBBL")
"""Length (two fields: 16 and 8 bits), type, flags, stream."""
FRAME_BYTES_MAX: Final = 16_384
"""What we announce: the protocol's own default, so that no read holds more than one frame back."""
WINDOW_MAX: Final = 2**31 - 1
WINDOW_DEFAULT: Final = 65_535

DATA: Final = 0x0
HEADERS: Final = 0x1
PRIORITY: Final = 0x2
RST_STREAM: Final = 0x3
SETTINGS: Final = 0x4
PUSH_PROMISE: Final = 0x5
PING: Final = 0x6
GOAWAY: Final = 0x7
WINDOW_UPDATE: Final = 0x8
CONTINUATION: Final = 0x9

END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
WITH_PRIORITY: Final = 0x20


class Setting(enum.IntEnum):
    """Names of SETTINGS parameters."""

    HEADER_TABLE_SIZE = 1
    ENABLE_PUSH = 2
    MAX_CONCURRENT_STREAMS = 3
    INITIAL_WINDOW_SIZE = 4
    MAX_FRAME_SIZE = 5
    MAX_HEADER_LIST_SIZE = 6


class ErrorCode(enum.IntEnum):
    """Why a stream or a connection ends."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    SETTINGS_TIMEOUT = 4
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    CONNECT_ERROR = 10
    ENHANCE_YOUR_CALM = 11


class ConnectionFault(Exception):
    """The peer broke the protocol: the connection ends with GOAWAY."""

    def __init__(self, code: ErrorCode, reason: str) -> None:
        super().__init__(f"{code.name}: {reason}")
        self.code = code
        self.reason = reason


class StreamFault(Exception):
    """The peer broke the protocol on one stream: that one is reset."""

    def __init__(self, stream_id: int, code: ErrorCode, reason: str) -> None:
        super().__init__(f"{code.name} on stream {stream_id}: {reason}")
        self.stream_id = stream_id
        self.code = code
        self.reason = reason


def head(size: int, kind: int, flags: int, stream_id: int) -> bytes:
    """Give the nine bytes before a frame's payload."""
    return FRAME_HEAD.pack(size >> 8, size & 0xFF, kind, flags, stream_id)


def settings(values: dict[Setting, int]) -> bytes:
    """Give a SETTINGS frame."""
    payload = b"".join(struct.pack(">HL", setting, value) for setting, value in values.items())
    return head(len(payload), SETTINGS, 0, 0) + payload


SETTINGS_ACK: Final = head(0, SETTINGS, ACK, 0)


def ping_ack(data: bytes) -> bytes:
    """Give the answer to a PING."""
    return head(8, PING, ACK, 0) + data


def window_update(stream_id: int, increment: int) -> bytes:
    """Give a WINDOW_UPDATE frame."""
    return head(4, WINDOW_UPDATE, 0, stream_id) + increment.to_bytes(4)


def rst_stream(stream_id: int, code: ErrorCode) -> bytes:
    """Give a RST_STREAM frame."""
    return head(4, RST_STREAM, 0, stream_id) + code.to_bytes(4)


def goaway(last_stream_id: int, code: ErrorCode, reason: bytes = b"") -> bytes:
    """Give a GOAWAY frame."""
    payload = struct.pack(">LL", last_stream_id, code) + reason
    return head(len(payload), GOAWAY, 0, 0) + payload


def header_frames(stream_id: int, block: bytes, frame_bytes: int, *, ends: bool) -> bytes:
    """Give a header block as HEADERS and as many CONTINUATION frames as it needs."""
    flags = END_STREAM if ends else 0
    if len(block) <= frame_bytes:
        return head(len(block), HEADERS, flags | END_HEADERS, stream_id) + block
    parts = [head(frame_bytes, HEADERS, flags, stream_id) + block[:frame_bytes]]
    for start in range(frame_bytes, len(block), frame_bytes):
        piece = block[start : start + frame_bytes]
        last = END_HEADERS if start + frame_bytes >= len(block) else 0
        parts.append(head(len(piece), CONTINUATION, last, stream_id) + piece)
    return b"".join(parts)


def data_frames(stream_id: int, data: bytes | memoryview, frame_bytes: int) -> bytes:
    """Give bytes as DATA frames."""
    parts: list[bytes | memoryview] = []
    for start in range(0, max(len(data), 1), frame_bytes):
        piece = data[start : start + frame_bytes]
        parts += (head(len(piece), DATA, 0, stream_id), piece)
    return b"".join(parts)
