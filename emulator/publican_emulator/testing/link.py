"""The way from the test to the emulator: requests to its REST and admin API, in this process or over a socket.

PYTEST_DONT_REWRITE
"""

import json
import threading
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING, Any, Final, Protocol

from publican_emulator.broker.errors import PubsubError
from publican_protocol.codes import Code

if TYPE_CHECKING:
    from publican_emulator.emulator import Emulator

ADMIN: Final = "/_publican"


class Link(Protocol):
    """Asks an emulator."""

    is_publican: bool
    """Whether the admin API answers: whether time can be moved and it is known what happened."""
    emulator: "Emulator | None"
    """The emulator, where it is in this process."""

    def ask(self, method: str, target: str, body: Mapping[str, Any] | None = None) -> Any:
        """Give the parsed answer: JSON, or text.

        Raises:
            PubsubError: what the emulator refuses, with its code.
        """


class Direct:
    """To an emulator in this process: no socket."""

    is_publican = True

    def __init__(self, emulator: "Emulator") -> None:
        self.emulator: Emulator | None = emulator
        self._ask = emulator.ask

    def ask(self, method: str, target: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask it in its own loop."""
        response = self._ask(method, target, b"" if body is None else json.dumps(body).encode())
        return read(response.status, dict(response.headers).get("Content-Type", ""), response.body)


class OverHttp:
    """To an emulator in another process: one connection, kept open."""

    is_publican = True

    def __init__(self, address: str, timeout_s: float = 90.0) -> None:
        self.emulator: Emulator | None = None
        self._connection = HTTPConnection(address, timeout=timeout_s)
        self._lock = threading.Lock()

    def ask(self, method: str, target: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask it over the connection, which is opened again when the emulator has closed it."""
        sent = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json", "X-Publican-Admin": "pytest"}
        with self._lock:
            try:
                return self._once(method, target, sent, headers)
            except (HTTPException, ConnectionError):
                self._connection.close()
                return self._once(method, target, sent, headers)

    def _once(self, method: str, target: str, sent: str | None, headers: Mapping[str, str]) -> Any:
        self._connection.request(method, target, sent, headers)
        response = self._connection.getresponse()
        return read(response.status, response.headers.get("Content-Type", ""), response.read())

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def read(status: int, kind: str, body: bytes) -> Any:
    """Give what a response says.

    Raises:
        PubsubError: it is an error.
    """
    answer = json.loads(body) if kind.startswith("application/json") else body.decode(errors="replace")
    if status < 400:
        return answer
    error = answer["error"] if isinstance(answer, dict) and "error" in answer else {"status": "UNKNOWN", "message": f"HTTP {status}: {answer!r:.200}"}
    raise _refused(Code[error.get("status", "UNKNOWN")])(error["message"])


def _refused(wanted: Code) -> Callable[[str], PubsubError]:
    return type(wanted.name.title().replace("_", ""), (PubsubError,), {"code": wanted})
