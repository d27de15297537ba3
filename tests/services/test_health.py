"""grpc.health.v1.Health."""

import asyncio

import pytest

from publican_emulator.broker.errors import InvalidArgument, NotFound
from publican_emulator.rpc.call import CallInfo
from publican_emulator.services import health

INFO = CallInfo(health.CHECK, "grpc")


def request(service: str) -> bytes:
    return b"\x0a%c%b" % (len(service), service.encode()) if service else b""


@pytest.mark.parametrize(
    "body", [b"", request("google.pubsub.v1.Publisher"), request("google.iam.v1.IAMPolicy"), b"\x10\x05" + request("x") + b"\x0a\x00"]
)
def test_what_is_served_is_serving(body: bytes) -> None:
    assert health.check(body, INFO) == b"\x08\x01"


def test_an_unknown_service_is_not_found() -> None:
    with pytest.raises(NotFound, match="other"):
        health.check(request("other"), INFO)


@pytest.mark.parametrize("body", [b"\x0a", b"\x0a\x05x", b"\x0a\x01\xff", b"\xff" * 11])
def test_a_broken_request_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidArgument):
        health.check(body, INFO)


class Watcher:
    """A client that asks once and listens."""

    def __init__(self, *requests: bytes) -> None:
        self.requests = list(requests)
        self.heard: list[bytes] = []
        self.has_started = False

    async def receive(self) -> bytes | None:
        return self.requests.pop(0) if self.requests else None

    def start(self) -> None:
        self.has_started = True

    async def writable(self) -> None: ...

    def room(self) -> int:
        return 1 << 20

    def write(self, message: bytes) -> None:
        self.heard.append(message)


async def watch_for_a_while(watcher: Watcher) -> bool:
    task = asyncio.ensure_future(health.watch(watcher, INFO))
    for _ in range(3):
        await asyncio.sleep(0)
    is_open = not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return is_open


@pytest.mark.parametrize(("service", "heard"), [("", b"\x08\x01"), ("other", b"\x08\x03")])
def test_a_watcher_hears_it_once_and_the_stream_stays_open(service: str, heard: bytes) -> None:
    watcher = Watcher(request(service))
    assert asyncio.run(watch_for_a_while(watcher))
    assert watcher.heard == [heard]
    assert watcher.has_started


def test_a_watcher_that_asks_nothing_is_refused() -> None:
    with pytest.raises(InvalidArgument):
        asyncio.run(health.watch(Watcher(), INFO))
