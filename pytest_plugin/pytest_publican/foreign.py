"""Pub/Subs that are not ours to reset: an emulator somewhere else, and the real service.

Tests are kept apart by names instead: each has a project of its own on an emulator, and ids that begin with a prefix of its own in a real project;
what a test has made is deleted when it ends, and at the end of the session whatever else bears its name. Time cannot be moved there: a short
`advance` waits, a long one skips the test, and so does whatever only Publican tells.

PYTEST_DONT_REWRITE
"""

import itertools
import json
import re
import secrets
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest

from publican_emulator.broker.errors import PubsubError
from publican_emulator.testing.handle import Pubsub
from publican_emulator.testing.link import ADMIN, Link, OverHttp, read
from publican_protocol.codes import Code
from pytest_publican.config import Config
from pytest_publican.servers import Publican, Reachable

if TYPE_CHECKING:
    from publican_emulator import Emulator
    from pytest_publican.servers import Server

_RESOURCE: Final = re.compile(r"/v1/(projects/[^/]+/(topics|subscriptions|snapshots|schemas)/[^/:?]+)$")
_COLLECTIONS: Final = ("snapshots", "subscriptions", "topics", "schemas")
"""In the order in which they are deleted."""
_PREFIX: Final = re.compile(r"publican-(?P<at>[0-9a-f]{8})-[0-9a-f]{8}-")
_STALE_S: Final = 86_400
"""What a crashed session has left in a real project is deleted a day later."""


class Foreign:
    """A link that answers for the admin API as well as it can, and remembers what was made through it."""

    is_publican = False

    def __init__(self, link: Link, what: str, wait_max: float) -> None:
        self.emulator: Emulator | None = None
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
            case "/clock/step":
                self._wait(min(1.0, float(body["withinSeconds"])), told_s=float(body["withinSeconds"]))  # nobody tells what is due there
                return {**told, "moved": float(body["withinSeconds"]) > 1.0}
            case "/faults" | "/streams/break" | "/restart" | "/reset":
                pytest.skip(f"faults need Publican; this test runs against {self._what}")
            case _:
                pytest.skip(f"{_said(path)} needs Publican; this test runs against {self._what}")

    def _wait(self, seconds: float, *, told_s: float = 0.0) -> None:
        if max(seconds, told_s) > self._wait_max:
            pytest.skip(
                f"time cannot be moved on {self._what}, and {max(seconds, told_s):g} s are more than the {self._wait_max:g} s that a test may wait"
            )
        threading.Event().wait(max(0.0, seconds))  # for real: nobody moves the time there

    def delete_made(self) -> list[Exception]:
        """Delete what was made, newest first; give what could not be deleted."""
        names = self.made[::-1]
        self.made.clear()
        return self._delete(names)

    def delete_all(self, project: str, prefix: str = "") -> list[Exception]:
        """Delete what there is in a project whose id begins with a prefix; give what could not be deleted."""
        return self._delete([name for name in self.names(project) if name.rpartition("/")[2].startswith(prefix)])

    def names(self, project: str) -> Iterator[str]:
        """Give the full names of everything in a project, in an order in which it can be deleted."""
        for collection in _COLLECTIONS:
            token = ""
            try:
                while True:
                    page = self._link.ask("GET", f"/v1/projects/{project}/{collection}?pageSize=1000&pageToken={urllib.parse.quote(token)}")
                    yield from [each["name"] for each in page.get(collection, ())]
                    token = page.get("nextPageToken", "")
                    if not token:
                        break
            except (PubsubError, ValueError, AttributeError, TypeError):
                continue  # an emulator that does not know such things has none

    def _delete(self, names: list[str]) -> list[Exception]:
        errors: list[Exception] = []
        for name in names:
            try:
                self._link.ask("DELETE", f"/v1/{name}")
            except PubsubError as error:
                if error.code is not Code.NOT_FOUND:  # the test has deleted it itself
                    errors.append(error)
        return errors


def _said(path: str) -> str:
    return {"/messages": "what happened to messages", "/events": "what happened", "/history": "what happened"}.get(path.partition("?")[0], path)


class _NotOurs(Reachable):
    """What the two have in common."""

    def __init__(self, address: str, link: Foreign, description: str) -> None:
        self.address = address
        self.description = description
        self._foreign = link
        self.link: Link = link


class Elsewhere(_NotOurs):
    """An emulator that is not Publican, or that is shared by workers: each test has a project of its own."""

    def __init__(self, config: Config) -> None:
        self._http = OverHttp(config.address)
        description = f"the emulator at {config.address}"
        super().__init__(config.address, Foreign(self._http, description, config.wait_max), description)
        run = secrets.token_hex(4)
        self._projects = (f"{config.project}-{run}-{number}" for number in itertools.count(1))
        self._project = ""

    def begin(self, config: Config, why: str) -> Pubsub:
        """Give a project that no other test has."""
        self._project = next(self._projects)
        return Pubsub(self.link, self.address, self._project)

    def end(self, why: str) -> list[Exception]:
        """Delete what is in the test's project, and what the test has made elsewhere."""
        return [*self._foreign.delete_all(self._project), *self._foreign.delete_made()]

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


class Live(_NotOurs):
    """A real project, named explicitly in two places: every id that the handle makes begins with a prefix that nobody else has."""

    def __init__(self, config: Config, service: Link | None = None) -> None:
        """`service` stands for the real one."""
        description = f"the real Pub/Sub, project {config.project}"
        super().__init__("", Foreign(service or Service(), description, config.wait_max), description)
        self._project = config.project
        self._run = f"publican-{int(time.time()):08x}-{secrets.token_hex(4)}-"  # noqa: TID251  (other sessions read the age from it)
        self._numbers = itertools.count(1)

    def begin(self, config: Config, why: str) -> Pubsub:
        """Give the project, and a prefix that no other test has."""
        return Pubsub(self.link, "", self._project, prefix=f"{self._run}{next(self._numbers)}-")

    def end(self, why: str) -> list[Exception]:
        """Delete what the test has made through the handle."""
        return self._foreign.delete_made()

    def close(self) -> None:
        """Delete whatever else bears the name of this session, or of one that crashed a day ago."""
        oldest = int(self._run.split("-")[1], 16) - _STALE_S
        names = [name for name in self._foreign.names(self._project) if self._is_ours(name.rpartition("/")[2], oldest)]
        errors = self._foreign._delete(names)
        if errors:
            raise ExceptionGroup(f"not everything that the tests have made in project {self._project} could be deleted", errors)

    def _is_ours(self, resource_id: str, oldest: int) -> bool:
        found = _PREFIX.match(resource_id)
        return resource_id.startswith(self._run) or (found is not None and int(found["at"], 16) < oldest)


class Service:
    """The link to the real service, with the credentials of this machine."""

    is_publican = False

    def __init__(self) -> None:
        self.emulator: Emulator | None = None
        try:
            import google.auth  # comes with google-cloud-pubsub
        except ImportError:
            raise RuntimeError("pubsub: the live backend needs google-auth, which comes with google-cloud-pubsub") from None
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
    """Give the emulator at the configured address: driven by its admin API if it is Publican, allows it, and is not shared by xdist workers."""
    link = OverHttp(config.address)
    try:
        link.ask("GET", f"{ADMIN}/info")
    except (PubsubError, ValueError):
        return Elsewhere(config)
    except OSError as error:
        raise RuntimeError(f"pubsub: nothing answers at {config.address} ({error}): start the emulator there, or choose another backend") from None
    finally:
        link.close()
    return Elsewhere(config) if config.worker else Publican(config.address, f"Publican at {config.address}")
