"""Where a test's Pub/Sub comes from: an emulator in this process, in another one, somewhere else, or the real service.

A server is started once for a session (and xdist worker) and begins anew for each test. What a server cannot do is said by its link: a test that
needs it waits for real, or is skipped with the reason.

PYTEST_DONT_REWRITE
"""

import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final, Protocol

from pytest_publican.config import Config
from pytest_publican.link import ADMIN, Direct, Link, OverHttp

if TYPE_CHECKING:
    from collections.abc import Iterator

START_S: Final = 30.0


class Server(Protocol):
    """A running Pub/Sub."""

    address: str
    """`HOST:PORT`, as PUBSUB_EMULATOR_HOST wants it."""
    description: str
    """What the terminal says of it."""
    link: Link

    def begin(self, config: Config, why: str) -> str:
        """Begin anew for a test; give the project that it uses. Whoever waits there still learns `why` it ends."""

    def end(self, why: str) -> list[Exception]:
        """End a test; give errors of the server's own."""

    def close(self) -> None:
        """Stop."""


class InProcess:
    """An emulator on a thread of its own: listens within milliseconds."""

    def __init__(self, config: Config) -> None:
        from publican_emulator import Emulator, VirtualClock  # loaded by the first test that wants it

        self._emulator = Emulator(clock=VirtualClock(), pull_wait_s=config.pull_wait, history=True)
        self._emulator.__enter__()
        self.address = self._emulator.address
        self.description = "in-process emulator"
        self.guard = ""
        """What whoever asks between tests is told, when that is wanted."""
        self.link: Link = Direct(self._emulator)

    def begin(self, config: Config, why: str) -> str:
        """Put an empty broker behind the socket."""
        from publican_emulator import SystemClock, VirtualClock

        if config.clock == "real":
            self._emulator.reset(why, clock=SystemClock())
        else:
            self._emulator.reset(why, clock=VirtualClock(_nanos(config)))
        return config.project

    def end(self, why: str) -> list[Exception]:
        """Put another one there."""
        surprises: list[Exception] = list(self._emulator.surprises)
        self._emulator.reset(why)
        self.stand_guard()
        return surprises

    def stand_guard(self) -> None:
        """Refuse every call until the next test begins, when that is wanted."""
        if self.guard:
            self._emulator.faults.fail("*", "FAILED_PRECONDITION", self.guard, times=None)

    def close(self) -> None:
        """Leave nothing behind."""
        self._emulator.__exit__(None, None, None)


class Publican:
    """A Publican in another process, driven by its admin API."""

    def __init__(self, address: str, description: str) -> None:
        self.address = address
        self.description = description
        self._http = OverHttp(address)
        self.link: Link = self._http

    def begin(self, config: Config, why: str) -> str:
        """Reset it."""
        start = {} if config.start is None else {"start": config.start.isoformat()}
        self.link.ask("POST", f"{ADMIN}/reset", {"why": why, "clock": config.clock, "history": True, **start})
        return config.project

    def end(self, why: str) -> list[Exception]:
        """Reset it."""
        errors = self.link.ask("GET", f"{ADMIN}/surprises")["errors"]
        self.link.ask("POST", f"{ADMIN}/reset", {"why": why})
        return [RuntimeError(each) for each in errors]

    def close(self) -> None:
        """Close the connection to it."""
        self._http.close()


class Subprocess(Publican):
    """An emulator in a process of its own: for tests that fork."""

    def __init__(self, config: Config) -> None:
        command = [sys.executable, "-m", "publican_emulator", "serve", "--port", "0", "--history", "--pull-wait", str(config.pull_wait)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        super().__init__(self._listening(), "emulator in a process of its own")

    def _listening(self) -> str:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("export PUBSUB_EMULATOR_HOST="):
                return line.strip().partition("=")[2]
        raise RuntimeError(f"the emulator did not start: exit code {self._process.wait()}")

    def close(self) -> None:
        """Stop the process."""
        super().close()
        self._process.terminate()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


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


def _nanos(config: Config) -> Any:
    if config.start is None:
        return None
    from datetime import UTC, datetime

    since = config.start - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000_000 + since.microseconds * 1_000


def named(prefix: str) -> "Iterator[str]":
    """Give names that nobody else has, one after the other."""
    import itertools
    import secrets

    run = secrets.token_hex(4)
    return (f"{prefix}-{run}-{number}" for number in itertools.count(1))


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
