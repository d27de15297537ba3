"""What hostile and broken peers do to a connection, by name. Each is given a connected socket; being sent away is not its business."""

import contextlib
import random
import socket
import struct
import sys
import time
from collections.abc import Callable

import hpack

from publican_emulator.transport.http2 import frames

TOPIC = "projects/p/topics/abc"
PUBLISH = "/google.pubsub.v1.Publisher/Publish"
HELLO = frames.PREFACE + frames.settings({})
HEADERS = [(":method", "POST"), (":scheme", "http"), (":path", PUBLISH), ("content-type", "application/grpc"), ("te", "trailers")]


def random_bytes(peer: socket.socket) -> None:
    peer.sendall(random.Random(1).randbytes(100_000))


def wrong_preface(peer: socket.socket) -> None:
    peer.sendall(b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n" + bytes(100))


def a_dribble(peer: socket.socket) -> None:
    for byte in HELLO[:30]:
        peer.sendall(bytes((byte,)))


def rapid_reset(peer: socket.socket) -> None:
    encoder = hpack.Encoder()
    peer.sendall(HELLO)
    for stream_id in range(1, 40_000, 2):
        block = frames.header_frames(stream_id, encoder.encode(HEADERS), 16_384, ends=False)
        peer.sendall(block + frames.rst_stream(stream_id, frames.ErrorCode.CANCEL))


def repeated(frame: bytes) -> Callable[[socket.socket], None]:
    def flood(peer: socket.socket) -> None:
        peer.sendall(HELLO)
        for _ in range(100):
            peer.sendall(frame * 1_000)

    return flood


def continuation_flood(peer: socket.socket) -> None:
    peer.sendall(HELLO + frames.head(0, frames.HEADERS, 0, 1))
    for _ in range(10_000):
        peer.sendall(frames.head(1_000, frames.CONTINUATION, 0, 1) + bytes(1_000))


def huge_header_list(peer: socket.socket) -> None:
    encoder = hpack.Encoder()
    block = encoder.encode([*HEADERS, ("x-bomb", "x" * 3_000)])
    peer.sendall(HELLO + frames.header_frames(1, block, 16_384, ends=False))
    for stream_id in range(3, 200, 2):
        peer.sendall(frames.header_frames(stream_id, encoder.encode(HEADERS) + b"\xbe" * 10_000, 16_384, ends=False))


def empty_data_flood(peer: socket.socket) -> None:
    peer.sendall(HELLO + frames.header_frames(1, hpack.Encoder().encode(HEADERS), 16_384, ends=False))
    for _ in range(100):
        peer.sendall(frames.head(0, frames.DATA, 0, 1) * 1_000)


def window_overflow(peer: socket.socket) -> None:
    peer.sendall(HELLO + frames.window_update(0, 2**31 - 1))
    for _ in range(1_000):
        peer.sendall(frames.window_update(0, 2**31 - 1))


def too_much_data(peer: socket.socket) -> None:
    """More than one request may hold, in one stream that never ends."""
    peer.sendall(HELLO + frames.header_frames(1, hpack.Encoder().encode(HEADERS), 16_384, ends=False))
    for _ in range(4_000):
        peer.sendall(frames.head(16_384, frames.DATA, 0, 1) + bytes(16_384))


def half_a_request(peer: socket.socket) -> None:
    """A client that closes its side in the middle of a message, and listens on."""
    peer.sendall(HELLO + frames.header_frames(1, hpack.Encoder().encode(HEADERS), 16_384, ends=False) + frames.head(9_000, frames.DATA, 0, 1))
    peer.shutdown(socket.SHUT_WR)


def a_slow_writer(peer: socket.socket) -> None:
    """A request in pieces of one byte, and never its end."""
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peer.sendall(HELLO + frames.header_frames(1, hpack.Encoder().encode(HEADERS), 16_384, ends=False))
    for _ in range(300):
        peer.sendall(frames.head(1, frames.DATA, 0, 1) + b"\0")


def slow_http_1(peer: socket.socket) -> None:
    """A header that never ends."""
    peer.sendall(b"POST /v1/projects/p/topics/abc:publish HTTP/1.1\r\nHost: localhost\r\n")
    for place in range(300):
        peer.sendall(b"X-%d: " % place)


def huge_http_1_header(peer: socket.socket) -> None:
    peer.sendall(b"GET /v1/projects/p/topics HTTP/1.1\r\nHost: localhost\r\nX-Bomb: ")
    for _ in range(1_000):
        peer.sendall(b"x" * 65_536)


def a_reader_of_nothing(peer: socket.socket) -> None:
    """Requests whose answers nobody reads, until the way back is full and the server stops reading."""
    encoder = hpack.Encoder()
    peer.settimeout(0.5)
    peer.sendall(HELLO + frames.settings({frames.Setting.INITIAL_WINDOW_SIZE: 2**31 - 1}) + frames.window_update(0, 2**31 - 1 - 65_535))
    body = struct.pack(">BL", 0, 12) + b"\x0a\x0aprojects/p"
    fields = [(name, value if name != ":path" else "/google.pubsub.v1.Publisher/ListTopics") for name, value in HEADERS]
    for stream_id in range(1, 60_000, 2):
        peer.sendall(
            frames.header_frames(stream_id, encoder.encode(fields), 16_384, ends=False)
            + frames.head(len(body), frames.DATA, frames.END_STREAM, stream_id)
            + body
        )


ATTACKS: dict[str, Callable[[socket.socket], None]] = {
    "random bytes": random_bytes,
    "a wrong preface": wrong_preface,
    "a dribble": a_dribble,
    "rapid reset": rapid_reset,
    "PING": repeated(frames.head(8, frames.PING, 0, 0) + bytes(8)),
    "SETTINGS": repeated(frames.settings({})),
    "empty DATA": empty_data_flood,
    "CONTINUATION": continuation_flood,
    "a huge header list": huge_header_list,
    "window overflow": window_overflow,
    "too much data": too_much_data,
    "half a request": half_a_request,
    "a slow writer": a_slow_writer,
    "slow HTTP/1": slow_http_1,
    "a huge HTTP/1 header": huge_http_1_header,
    "a reader of nothing": a_reader_of_nothing,
}


def main() -> None:
    """`python -m tests.transport.attacks NAME PORT SECONDS`: attack ten times a second, each time on a new connection."""
    name, port, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    ends = time.monotonic() + seconds
    while (begun := time.monotonic()) < ends:
        with contextlib.suppress(ConnectionError, TimeoutError), socket.create_connection(("127.0.0.1", port), timeout=5) as peer:
            ATTACKS[name](peer)
        time.sleep(max(0.0, begun + 0.1 - time.monotonic()))


if __name__ == "__main__":
    main()
