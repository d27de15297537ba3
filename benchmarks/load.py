"""Many equal calls: by h2load where it is installed, else by Python drivers, which the table names because they measure themselves.

h2load is a C program of the nghttp2 project (Debian: nghttp2-client). Its ceiling against a server that does nothing is 121,000-200,000
calls a second; the raw driver's is about 10,000 (two header blocks decoded in Python per call), http.client's about 4,000.

PYTEST_DONT_REWRITE
"""

import http.client
import re
import shutil
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from benchmarks import messages
from benchmarks.connection import Connection, Stream

_DURATION: Final = re.compile(r"finished in ([\d.]+)(us|ms|s|m)\b")
_SECONDS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}
_COUNTS: Final = re.compile(r"requests: (\d+) total, \d+ started, (\d+) done, (\d+) succeeded")


@dataclass(frozen=True, slots=True)
class Load:
    """`calls` equal calls to one path; REST ones go over HTTP/1.1 with one call at a time on each connection."""

    address: str
    path: str
    body: bytes
    calls: int
    in_flight: int = 1
    rest: bool = False

    def seconds(self) -> float:
        """Make all the calls and return how long they took."""
        if have_h2load():
            return self._by_h2load()
        return self._by_http_client() if self.rest else self._by_raw_driver()

    def _by_h2load(self) -> float:
        if self.rest:
            form = ["--h1", "-c", str(self.in_flight), "-H", "content-type: application/json"]
        else:
            form = ["-c", "1", "-m", str(self.in_flight), "-H", "content-type: application/grpc", "-H", "te: trailers"]
        with tempfile.NamedTemporaryFile() as body:
            body.write(self.body if self.rest else messages.grpc_frame(self.body))
            body.flush()
            url = f"http://{self.address}{self.path}"
            done = subprocess.run(["h2load", "-n", str(self.calls), *form, "-d", body.name, url], capture_output=True, text=True, check=True)
        counts, duration = _COUNTS.search(done.stdout), _DURATION.search(done.stdout)
        if counts is None or duration is None or not counts[1] == counts[2] == counts[3]:
            raise RuntimeError(f"h2load did not finish its calls:\n{done.stdout}")
        return float(duration[1]) * _SECONDS[duration[2]]

    def _by_raw_driver(self) -> float:
        with Connection(self.address) as connection:
            begun = time.perf_counter()
            waiting = deque[Stream]()
            for _ in range(self.calls):
                if len(waiting) == self.in_flight:
                    waiting.popleft().answer()
                stream = connection.open(self.path)
                stream.send(self.body, end=True)
                waiting.append(stream)
            for stream in waiting:
                stream.answer()
            return time.perf_counter() - begun

    def _by_http_client(self) -> float:
        connection = http.client.HTTPConnection(self.address)
        begun = time.perf_counter()
        for _ in range(self.calls):
            rest_call(connection, self.path, self.body)
        elapsed = time.perf_counter() - begun
        connection.close()
        return elapsed


@contextmanager
def background(address: str, path: str, body: bytes, seconds: float) -> Iterator[None]:
    """Keep a server busy with equal calls, 32 in flight, until the block or the time ends; without h2load nothing happens."""
    if not have_h2load():
        yield
        return
    with tempfile.NamedTemporaryFile() as file:
        file.write(messages.grpc_frame(body))
        file.flush()
        form = ["-D", str(max(1, round(seconds))), "-c", "1", "-m", "32", "-H", "content-type: application/grpc", "-H", "te: trailers"]
        filling = subprocess.Popen(
            ["h2load", *form, "-d", file.name, f"http://{address}{path}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            yield
        finally:
            filling.kill()
            filling.wait()


def rest_call(connection: http.client.HTTPConnection, path: str, body: bytes) -> bytes:
    """Make one REST call; anything but 200 raises."""
    connection.request("POST", path, body, {"content-type": "application/json"})
    response = connection.getresponse()
    answer = response.read()
    if response.status != 200:
        raise RuntimeError(f"POST {path}: {response.status}: {answer[:500].decode(errors='replace')}")
    return answer


def have_h2load() -> bool:
    """Whether the C driver is installed."""
    return shutil.which("h2load") is not None


def unary_driver() -> str:
    """Name the driver of gRPC calls, for the table."""
    return "h2load" if have_h2load() else "raw socket"


def rest_driver(in_flight: int) -> str:
    """Name the driver of REST calls, for the table."""
    return f"h2load --h1 -c {in_flight}" if have_h2load() else "http.client, 1 at a time"
