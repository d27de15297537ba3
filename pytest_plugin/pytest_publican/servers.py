"""Where a test's Pub/Sub comes from: an emulator in this process, in another one, somewhere else, or the real service.

A server is started once for a session (and xdist worker) and begins anew for each test. What a server cannot do is said by its link: a test that
needs it waits for real, or is skipped with the reason.

PYTEST_DONT_REWRITE
"""

import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final, Protocol

import pytest

from publican_emulator.testing.handle import Pubsub
from publican_emulator.testing.link import ADMIN, Direct, Link, OverHttp
from publican_emulator.testing.running import nanos_of
from pytest_publican.config import Config

if TYPE_CHECKING:
    from publican_emulator import Emulator

STOP_S: Final = 5.0


class Server(Protocol):
    """A running Pub/Sub."""

    address: str
    """`HOST:PORT`, as PUBSUB_EMULATOR_HOST wants it."""
    description: str
    """What the terminal says of it."""
    link: Link

    @property
    def url(self) -> str:
        """Where its REST API is: `http://HOST:PORT`."""

    def channel(self) -> Any:
        """Give a gRPC channel to it, to be closed by the caller."""

    def begin(self, config: Config, why: str) -> Pubsub:
        """Begin anew for a test. Whoever waits there still learns `why` it ends."""

    def end(self, why: str) -> list[Exception]:
        """End a test; give errors of the server's own."""

    def close(self) -> None:
        """Stop."""


class Reachable:
    """How a server is reached."""

    address: str

    @property
    def url(self) -> str:
        """Where its REST API is: `http://HOST:PORT`."""
        return f"http://{self.address}" if self.address else "https://pubsub.googleapis.com"

    def channel(self) -> Any:
        """Give a gRPC channel to it, to be closed by the caller. Skips where grpcio is not installed."""
        grpc = pytest.importorskip("grpc", reason="grpcio is not installed")
        return grpc.insecure_channel(self.address)


class InProcess(Reachable):
    """An emulator on a thread of its own: listens within milliseconds."""

    def __init__(self, config: Config) -> None:
        from publican_emulator import Emulator, VirtualClock  # loaded by the first test that wants it

        self._emulator = Emulator(clock=VirtualClock(), pull_wait_s=config.pull_wait, history=True)
        self._emulator.__enter__()
        self.address = self._emulator.address
        self.description = "in-process emulator"
        self.link: Link = Direct(self._emulator)

    @property
    def emulator(self) -> "Emulator":
        """The emulator itself, for who takes part in its time."""
        return self._emulator

    def begin(self, config: Config, why: str) -> Pubsub:
        """Put an empty broker behind the socket."""
        from publican_emulator import SystemClock, VirtualClock

        clock = SystemClock() if config.clock == "real" else VirtualClock(None if config.start is None else nanos_of(config.start))
        self._emulator.reset(why, clock=clock, pull_wait_s=config.pull_wait)
        return Pubsub(self.link, self.address, config.project)

    def end(self, why: str) -> list[Exception]:
        """Put another one there."""
        surprises: list[Exception] = list(self._emulator.surprises)
        self._emulator.reset(why)
        return surprises

    def close(self) -> None:
        """Leave nothing behind."""
        self._emulator.__exit__(None, None, None)


class Publican(Reachable):
    """A Publican in another process, driven by its admin API; it is left as it was found, and empty."""

    def __init__(self, address: str, description: str) -> None:
        self.address = address
        self.description = description
        self._http = OverHttp(address)
        self.link: Link = self._http
        self._found = self._http.ask("GET", f"{ADMIN}/info")

    def begin(self, config: Config, why: str) -> Pubsub:
        """Reset it."""
        start = {} if config.start is None else {"start": config.start.isoformat()}
        wanted = {"why": why, "clock": config.clock, "history": True, "pullWaitSeconds": config.pull_wait, **start}
        self.link.ask("POST", f"{ADMIN}/reset", wanted)
        return Pubsub(self.link, self.address, config.project)

    def end(self, why: str) -> list[Exception]:
        """Reset it."""
        errors = self.link.ask("GET", f"{ADMIN}/surprises")["errors"]
        self.link.ask("POST", f"{ADMIN}/reset", {"why": why})
        return [RuntimeError(each) for each in errors]

    def close(self) -> None:
        """Close the connection to it."""
        before = {"clock": self._found["clock"], "history": self._found["history"], "pullWaitSeconds": self._found["pullWaitSeconds"]}
        self.link.ask("POST", f"{ADMIN}/reset", {"why": "The tests are over.", **before})
        self._http.close()


class Subprocess(Publican):
    """An emulator in a process of its own: for tests that fork. It ends when this process does, however that ends."""

    def __init__(self, config: Config) -> None:
        command = [sys.executable, "-m", "publican_emulator", "serve", "--host", "127.0.0.1", "--port", "0", "--until-stdin-closes"]
        # A session of its own: Ctrl-C in the terminal is for the tests, which still want to tell of what happened.
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
        super().__init__(self._listening(), "emulator in a process of its own")

    def _listening(self) -> str:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("export PUBSUB_EMULATOR_HOST="):
                return line.strip().partition("=")[2]
        raise RuntimeError(f"the emulator did not start: exit code {self._process.wait()}")

    def close(self) -> None:
        """Stop the process."""
        self._http.close()
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


def start(config: Config) -> Server:
    """Start the server that is configured."""
    match config.backend:
        case "inprocess":
            return InProcess(config)
        case "subprocess":
            return Subprocess(config)
        case "docker":
            from pytest_publican.container import Docker

            return Docker(config)
        case "external":
            from pytest_publican.foreign import external

            return external(config)
        case _:
            from pytest_publican.foreign import Live

            return Live(config)


def stand_guard(server: Server, words: str) -> None:
    """Let a server refuse every call until the next test begins."""
    if server.link.is_publican:
        server.link.ask("POST", f"{ADMIN}/faults", {"method": "*", "code": "FAILED_PRECONDITION", "message": words, "times": 0})


class Guard:
    """A server that answers every call with the same refusal."""

    def __init__(self, words: str) -> None:
        from publican_emulator import Emulator

        self._emulator = Emulator()
        self._emulator.faults.fail("*", "FAILED_PRECONDITION", words, times=None)
        self._emulator.__enter__()
        self.address = self._emulator.address

    def close(self) -> None:
        """Stop."""
        self._emulator.__exit__(None, None, None)
