"""A foreign web page is refused on every path, whatever carries its request."""

import socket
from collections.abc import Iterator

import hpack
import pytest

from publican_emulator import Emulator
from publican_emulator.transport.http2 import frames

PATHS = ["/v1/projects/p/topics", "/", "/healthz", "/_publican/info", "/$discovery/rest", "/google.pubsub.v1.Publisher/ListTopics", "/nothing"]
FOREIGN = [("origin", "http://evil.example"), ("sec-fetch-site", "cross-site")]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with Emulator() as emulator:
        yield emulator.address


def status_over_http_2(address: str, path: str, headers: list[tuple[str, str]]) -> str:
    """Send one request and give its `:status`."""
    host, _, port = address.rpartition(":")
    fields = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", address), *headers]
    asked = frames.header_frames(1, hpack.Encoder().encode(fields), 16_384, ends=False)
    with socket.create_connection((host, int(port)), timeout=20) as connected, connected.makefile("rb") as said:
        connected.sendall(frames.PREFACE + frames.settings({}) + asked + frames.head(5, frames.DATA, frames.END_STREAM, 1) + bytes(5))
        while True:
            high, low, kind, _, _ = frames.FRAME_HEAD.unpack(said.read(frames.FRAME_HEAD_BYTES))
            payload = said.read(high << 8 | low)
            if kind == frames.HEADERS:
                return {str(name): str(value) for name, value in hpack.Decoder().decode(payload)}[":status"]


@pytest.mark.parametrize("foreign", FOREIGN, ids=lambda each: str(each[0]))
@pytest.mark.parametrize("content_type", ["application/json", "application/grpc", "application/grpc+proto", "application/grpc-web"])
@pytest.mark.parametrize("path", PATHS)
def test_it_gets_403_over_http_2(address: str, path: str, content_type: str, foreign: tuple[str, str]) -> None:
    assert status_over_http_2(address, path, [("content-type", content_type), foreign]) == "403"


def test_a_grpc_call_of_our_own_page_is_a_grpc_call(address: str) -> None:
    headers = [("content-type", "application/grpc"), ("origin", f"http://{address}"), ("sec-fetch-site", "same-origin")]
    assert status_over_http_2(address, "/google.pubsub.v1.Publisher/ListTopics", headers) == "200"
