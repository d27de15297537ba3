"""Pub/Subs that are not ours to reset: an emulator somewhere else, and the real service.

Tests are kept apart by names instead: each has a project of its own on an emulator, and a prefix of its own in a real project; what a test has made
is deleted when it ends. Time cannot be moved there: a short `advance` waits, a long one skips the test, and so does whatever only Publican tells.

PYTEST_DONT_REWRITE
"""

import json
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest

from publican_emulator.broker.errors import PubsubError
from pytest_publican.config import Config
from pytest_publican.link import ADMIN, Link, OverHttp, read
from pytest_publican.servers import Publican, named

if TYPE_CHECKING:
    from pytest_publican.servers import Server

_RESOURCE: Final = re.compile(r"/v1/(projects/[^/]+/(topics|subscriptions|snapshots|schemas)/[^/:?]+)$")


class Foreign:
    """A link that answers for the admin API as well as it can, and remembers what was made through it."""

    is_publican = False

    def __init__(self, link: Link, what: str, wait_max: float) -> None:
        self._link = link
        self._what = what
        self._wait_max = wait_max
        self.made: list[str] = []

    def ask(self, method: str, target: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask it, or answer for it."""
        if target.startswith(ADMIN):
            return self._answer(target.removeprefix(ADMIN), body or {})
        answer = self._link.ask(method, target, body)
        if method == "PUT" and (found := _RESOURCE.fullmatch(target)):
            self.made.append(found[1])
        return answer

    def _answer(self, path: str, body: Mapping[str, Any]) -> Any:
        told: dict[str, Any] = {"now": datetime.now(UTC).isoformat(timespec="microseconds"), "clock": "real", "events": [], "last": 0}
        match path.partition("?")[0]:
            case "/clock" | "/settle":
                return told
            case "/clock/advance":
                self._wait(float(body["seconds"]))
                return told
            case "/clock/move":
                self._wait((datetime.fromisoformat(body["to"]) - datetime.now(UTC)).total_seconds())
                return told
            case "/faults" | "/streams/break" | "/restart":
                pytest.skip(f"faults need Publican; this test runs against {self._what}")
            case _:
                pytest.skip(f"{path.partition('?')[0]} needs Publican; this test runs against {self._what}")

    def _wait(self, seconds: float) -> None:
        if seconds > self._wait_max:
            pytest.skip(f"time cannot be moved on {self._what}, and {seconds:g} s are more than the {self._wait_max:g} s that a test may wait")
        threading.Event().wait(max(0.0, seconds))  # for real: nobody moves the time there

    def delete_all(self) -> list[Exception]:
        """Delete what was made, newest first; give what could not be deleted."""
        errors: list[Exception] = []
        while self.made:
            try:
                self._link.ask("DELETE", f"/v1/{self.made.pop()}")
            except PubsubError as error:
                if error.code.name != "NOT_FOUND":  # the test has deleted it itself
                    errors.append(error)
        return errors


class _NotOurs:
    """What the two have in common."""

    def __init__(self, address: str, link: Foreign, description: str) -> None:
        self.address = address
        self.description = description
        self._foreign = link
        self.link: Link = link

    def end(self, why: str) -> list[Exception]:
        """Delete what the test has made."""
        return self._foreign.delete_all()


class Elsewhere(_NotOurs):
    """An emulator that is not Publican: each test has a project of its own."""

    def __init__(self, config: Config) -> None:
        self._http = OverHttp(config.address)
        description = f"the emulator at {config.address}"
        super().__init__(config.address, Foreign(self._http, description, config.wait_max), description)
        self._projects = named(config.project)

    def begin(self, config: Config, why: str) -> str:
        """Give a project that no other test has."""
        return next(self._projects)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


class Live(_NotOurs):
    """A real project, named explicitly in two places."""

    def __init__(self, config: Config) -> None:
        description = f"the real Pub/Sub, project {config.project}"
        super().__init__("", Foreign(_Service(), description, config.wait_max), description)

    def begin(self, config: Config, why: str) -> str:
        """Give the project: ids are made unique by the handle."""
        return config.project

    def close(self) -> None:
        """Nothing is open."""


class _Service:
    """The link to the real service, with the credentials of this machine."""

    def __init__(self) -> None:
        import google.auth  # an extra of whoever tests against the real service

        self._credentials: Any = google.auth.default(scopes=["https://www.googleapis.com/auth/pubsub"])[0]

    def ask(self, method: str, target: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask it."""
        import google.auth.transport.requests

        if not self._credentials.valid:
            self._credentials.refresh(google.auth.transport.requests.Request())
        headers = {"Authorization": f"Bearer {self._credentials.token}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"https://pubsub.googleapis.com{target}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return read(response.status, response.headers.get("Content-Type", ""), response.read())
        except urllib.error.HTTPError as error:
            return read(error.code, error.headers.get("Content-Type", ""), error.read())


def external(config: Config) -> "Server":
    """Give the emulator at the configured address: driven by its admin API if it is Publican and allows it."""
    link = OverHttp(config.address)
    try:
        link.ask("GET", f"{ADMIN}/info")
    except (PubsubError, ValueError):
        return Elsewhere(config)
    except OSError as error:
        raise RuntimeError(f"pubsub: nothing answers at {config.address} ({error}): start the emulator there, or choose another backend") from None
    finally:
        link.close()
    return Publican(config.address, f"Publican at {config.address}")
