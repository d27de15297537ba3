"""Hostile and broken peers: what they do to the emulator's memory, its log, and to everybody else. Nothing.

Each attack runs against an emulator in a process of its own, so that its memory can be read from outside; another client publishes meanwhile.
The bounds are stated in docs/transport.md.
"""

import contextlib
import gzip
import pathlib
import re
import socket
import struct
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import grpc
import hpack
import pytest

from benchmarks.connection import Connection
from publican_emulator.transport.http2 import frames
from publican_protocol import pubsub
from tests.transport.attacks import ATTACKS, HEADERS, HELLO, PUBLISH, TOPIC

GROWTH_MB_MAX = 64
REQUEST = pubsub.PublishRequest(topic=TOPIC, messages=[pubsub.PubsubMessage(data=b"x")]).SerializeToString()

pytestmark = pytest.mark.skipif(not pathlib.Path("/proc/self/status").exists(), reason="memory is read from /proc")


class Victim:
    """An emulator in its own process, with what it logs."""

    def __init__(self, log: pathlib.Path) -> None:
        self.log = log
        command = [sys.executable, "-m", "publican_emulator", "serve", "--host", "127.0.0.1", "--port", "0", "--log-level", "info"]
        with log.open("w") as told:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=told, text=True)
        assert self.process.stdout is not None
        said = ""
        while "PUBSUB_EMULATOR_HOST=" not in said:
            line = self.process.stdout.readline()
            assert line, log.read_text()
            said += line
        self.address = said.rpartition("PUBSUB_EMULATOR_HOST=")[2].strip()
        self.port = int(self.address.rpartition(":")[2])

    @property
    def rss_mb(self) -> float:
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        return int(found[1]) / 1000

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)


@pytest.fixture
def victim(tmp_path: pathlib.Path) -> Iterator[Victim]:
    started = Victim(tmp_path / "log")
    with Connection(started.address) as connection:
        connection.call("/google.pubsub.v1.Publisher/CreateTopic", pubsub.Topic(name=TOPIC).SerializeToString())
    yield started
    started.process.terminate()
    assert started.process.wait(timeout=10) == 0, started.log.read_text()
    assert started.process.stdout is not None
    started.process.stdout.close()


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_flood_changes_nothing_for_anybody_else(victim: Victim, attack: Callable[[socket.socket], None]) -> None:
    before = victim.rss_mb
    lines = len(victim.log.read_text().splitlines())
    with Connection(victim.address) as other:
        other.call(PUBLISH, REQUEST)
        with victim.connect() as peer:
            with contextlib.suppress(ConnectionError, TimeoutError):  # being sent away is the point
                attack(peer)
            other.call(PUBLISH, REQUEST)
        other.call(PUBLISH, REQUEST)
        assert victim.rss_mb - before < GROWTH_MB_MAX
    assert len(victim.log.read_text().splitlines()) - lines <= 1, victim.log.read_text()


def test_a_thousand_connections_that_are_opened_and_left(victim: Victim) -> None:
    before = victim.rss_mb
    with contextlib.ExitStack() as scope:
        for place in range(1_000):
            peer = scope.enter_context(victim.connect())
            if place % 2:
                peer.sendall(HELLO)
        with Connection(victim.address) as other:
            other.call(PUBLISH, REQUEST)
        assert victim.rss_mb - before < GROWTH_MB_MAX
    with Connection(victim.address) as other:
        other.call(PUBLISH, REQUEST)
    assert not victim.log.read_text().splitlines()


def test_a_client_that_does_not_read_is_handed_nothing_more(victim: Victim) -> None:
    subscription = "projects/p/subscriptions/abc"
    with Connection(victim.address) as other, victim.connect() as peer:
        other.call("/google.pubsub.v1.Subscriber/CreateSubscription", pubsub.Subscription(name=subscription, topic=TOPIC).SerializeToString())
        batch = pubsub.PublishRequest(topic=TOPIC, messages=[pubsub.PubsubMessage(data=b"x" * 9_000)] * 1_000).SerializeToString()
        for _ in range(5):
            other.call(PUBLISH, batch)
        before = victim.rss_mb
        opening = pubsub.StreamingPullRequest(subscription=subscription, stream_ack_deadline_seconds=600).SerializeToString()
        headers = [(name, value if name != ":path" else "/google.pubsub.v1.Subscriber/StreamingPull") for name, value in HEADERS]
        body = struct.pack(">BL", 0, len(opening)) + opening
        peer.sendall(
            HELLO
            + frames.settings({frames.Setting.INITIAL_WINDOW_SIZE: 2**31 - 1})
            + frames.window_update(0, 2**31 - 1 - 65_535)
            + frames.header_frames(1, hpack.Encoder().encode(headers), 16_384, ends=False)
            + frames.head(len(body), frames.DATA, 0, 1)
            + body
        )
        peer.recv(100)
        for _ in range(20):
            other.call(PUBLISH, REQUEST)
        assert victim.rss_mb - before < 32
        answer = other.call(
            "/google.pubsub.v1.Subscriber/Pull", pubsub.PullRequest(subscription=subscription, max_messages=1_000).SerializeToString()
        )
        assert pubsub.PullResponse.FromString(answer).received_messages, "the backlog was not leased to somebody who does not read it"


def test_a_gzip_bomb_is_refused_by_grpc_and_by_rest(victim: Victim) -> None:
    before = victim.rss_mb
    bomb = gzip.compress(bytes(200_000_000), compresslevel=9)
    with victim.connect() as peer:
        block = hpack.Encoder().encode([*HEADERS, ("grpc-encoding", "gzip")])
        body = struct.pack(">BL", 1, len(bomb)) + bomb
        peer.sendall(HELLO + frames.header_frames(1, block, 16_384, ends=False))
        peer.sendall(
            b"".join(frames.head(len(body[at : at + 16_384]), frames.DATA, 0, 1) + body[at : at + 16_384] for at in range(0, len(body), 16_384))
        )
        peer.sendall(frames.head(0, frames.DATA, frames.END_STREAM, 1))
        said = b""
        decoder = hpack.Decoder()
        status = ""
        while not status:
            said += peer.recv(65_536)
            at = 0
            while len(said) - at >= 9:
                high, low, kind, _, _ = struct.unpack_from(">HBBBL", said, at)
                size = high << 8 | low
                if len(said) - at < 9 + size:
                    break
                if kind == frames.HEADERS:
                    status = {str(name): str(value) for name, value in decoder.decode(said[at + 9 : at + 9 + size])}.get("grpc-status", "")
                at += 9 + size
            said = said[at:]
        assert status == "8", "RESOURCE_EXHAUSTED"
    request = urllib.request.Request(
        f"http://{victim.address}/v1/{TOPIC}:publish",
        data=bomb,
        headers={"Content-Encoding": "gzip", "Content-Type": "application/json"},
        method="POST",
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=20)
    assert refused.value.code == 400
    refused.value.close()
    assert victim.rss_mb - before < GROWTH_MB_MAX + 50  # 24 MiB are decompressed before it is known to be a bomb, and aiohttp is loaded


def test_deep_json_is_refused(victim: Victim) -> None:
    for body in (b"[" * 1_000_000, b'{"messages":' + b"[" * 1_000_000, b'{"a":' * 100_000):
        request = urllib.request.Request(f"http://{victim.address}/v1/{TOPIC}:publish", data=body, method="POST")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=20)
        assert refused.value.code == 400
        refused.value.close()


def test_a_message_above_what_any_request_may_hold_is_refused_with_a_status(victim: Victim) -> None:
    options = [("grpc.max_send_message_length", -1)]
    with grpc.insecure_channel(victim.address, options=options) as channel:
        publish: Callable[..., bytes] = channel.unary_unary(PUBLISH)
        with pytest.raises(grpc.RpcError) as refused:
            publish(bytes(26 << 20), timeout=20)
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert publish(REQUEST, timeout=20)
