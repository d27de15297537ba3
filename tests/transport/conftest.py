"""What the transport's tests share: a receiver that remembers, a client's half of HTTP/2, and a server with a dispatcher of canned answers."""

import struct
from typing import Any

import hpack
import pytest

from publican_emulator.transport.http2 import frames
from publican_emulator.transport.http2.connection import Connection
from publican_emulator.transport.http2.headers import encode
from publican_emulator.transport.http2.streams import Stream

REQUEST = [
    (":method", "POST"),
    (":scheme", "http"),
    (":path", "/google.pubsub.v1.Publisher/Publish"),
    (":authority", "localhost"),
    ("content-type", "application/grpc"),
    ("te", "trailers"),
]


class Remembering:
    """A receiver that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def on_request(self, stream: Stream, ends: bool) -> None:
        self.told.append(("request", stream.id, stream.head.path, ends))

    def on_data(self, stream: Stream, data: bytes, ends: bool) -> None:
        self.told.append(("data", stream.id, data, ends))

    def on_whole_request(self, stream: Stream, data: bytes) -> None:
        self.on_request(stream, False)
        self.on_data(stream, data, True)

    def on_reset(self, stream: Stream) -> None:
        self.told.append(("reset", stream.id))

    def on_room(self, stream: Stream) -> None:
        self.told.append(("room", stream.id))


class Peer:
    """A connection under test, and the client's bytes."""

    def __init__(self, *, with_preface: bool = True) -> None:
        self.receiver = Remembering()
        self.connection = Connection(self.receiver)
        self.encoder = hpack.Encoder()
        self.decoder = hpack.Decoder()
        if with_preface:
            self.send(frames.PREFACE + frames.settings({}))
            self.sent()

    def send(self, data: bytes, now_s: float = 0.0) -> None:
        self.connection.receive(data, now_s)
        while self.connection.has_more:
            self.connection.receive(b"", now_s)

    def sent(self) -> list[tuple[int, int, int, bytes]]:
        """Give (type, flags, stream, payload) of every frame sent since the last call."""
        data = bytes(self.connection.outgoing)
        self.connection.outgoing.clear()
        return split(data)

    def request(self, stream_id: int, *, ends: bool = True, fields: list[tuple[str, str]] | None = None) -> bytes:
        block = self.encoder.encode(REQUEST if fields is None else fields)
        return frames.header_frames(stream_id, block, 16_384, ends=ends)

    @property
    def told(self) -> list[tuple[Any, ...]]:
        return self.receiver.told

    @property
    def fault(self) -> str:
        return "" if self.connection.fault is None else self.connection.fault.code.name


def split(data: bytes) -> list[tuple[int, int, int, bytes]]:
    found = []
    at = 0
    while at < len(data):
        high, low, kind, flags, stream_id = struct.unpack_from(">HBBBL", data, at)
        size = high << 8 | low
        found.append((kind, flags, stream_id, data[at + 9 : at + 9 + size]))
        at += 9 + size
    return found


def data_frame(stream_id: int, data: bytes, *, ends: bool = False) -> bytes:
    return frames.head(len(data), frames.DATA, frames.END_STREAM if ends else 0, stream_id) + data


@pytest.fixture
def peer() -> Peer:
    return Peer()


RESPONSE_BLOCK = encode([(":status", "200")])
