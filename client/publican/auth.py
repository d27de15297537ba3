"""Tokens: where they come from, and how they are fresh when a call needs one.

google-auth reads every usual source (Application Default Credentials, a service account's file, workload identity, the metadata server). It is
blocking, so it runs on a thread; one fetch serves every waiting call. A token is renewed in the background when half its life is over, and waited
for only when 95 % are. Nothing here is imported while an emulator is used, and google-auth only by the first call that needs a token.

Tokens never reach a log, a repr or an error's text.

PYTEST_DONT_REWRITE
"""

import asyncio
import concurrent.futures
import importlib
import json
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final, Protocol, runtime_checkable

from publican.clock import SECOND, Clock, SystemClock
from publican.errors import AuthMissing, Unavailable

SCOPES: Final = ("https://www.googleapis.com/auth/pubsub",)
_LIFE_S: Final = 3600.0  # of a token that does not say when it ends
_BACKGROUND: Final = 0.5
_WAITED_FOR: Final = 0.95
_AGAIN_NS: Final = 10 * SECOND

log = logging.getLogger("publican.auth")


class TokenSource(Protocol):
    """Gives access tokens; `gcloud.aio.auth.Token` is one."""

    async def get(self) -> str | None:
        """Give a token that is valid now."""


@runtime_checkable
class Refreshing(TokenSource, Protocol):
    """A source that can be told that the service has refused its token."""

    async def fresh(self, refused: str | None) -> str | None:
        """Give a token other than `refused`."""


class Credentials(Protocol):
    """What is used of google-auth's credentials."""

    token: str | None
    expiry: datetime | None

    def refresh(self, request: Any) -> None:
        """Fetch a new token; blocks."""


class GoogleToken:
    """Access tokens by google-auth."""

    def __init__(
        self,
        service_file: str | Path | IO[Any] | None = None,
        *,
        scopes: tuple[str, ...] = SCOPES,
        find: Callable[[], Credentials] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._service_file = service_file
        self._scopes = scopes
        self._find = find or self._google
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._credentials: Credentials | None = None
        self._token: str | None = None
        self._renew_at = self._wait_at = 0
        self._fetching: concurrent.futures.Future[None] | None = None

    def __repr__(self) -> str:
        return "GoogleToken()"

    async def get(self) -> str | None:
        """Give a token that is valid now, fetching one where that is needed.

        Raises:
            AuthMissing: there are no credentials, or google-auth is not installed.
            Unavailable: credentials were found, and no token could be had for them.
        """
        now = self._clock.now()
        if now < self._renew_at and now < self._wait_at:
            return self._token
        fetching = self._fetch()
        if now >= self._wait_at:
            await asyncio.shield(asyncio.wrap_future(fetching))
        return self._token

    async def fresh(self, refused: str | None) -> str | None:
        """Give a token other than `refused`, which the service did not take."""
        if self._token == refused:
            await asyncio.shield(asyncio.wrap_future(self._fetch()))
        return self._token

    def _fetch(self) -> concurrent.futures.Future[None]:
        """Give the one fetch that is under way, or begin one: on a thread, so that it belongs to no loop and to no caller's cancellation."""
        with self._lock:
            if self._fetching is None or self._fetching.done():
                self._fetching = concurrent.futures.Future()
                threading.Thread(target=self._run, args=(self._fetching,), name="publican-token", daemon=True).start()
            return self._fetching

    def _run(self, done: concurrent.futures.Future[None]) -> None:
        try:
            self._refresh()
        except BaseException as error:  # noqa: BLE001 - whoever waits gets it
            log.warning("no new token: %s", type(error).__name__)
            self._renew_at = self._clock.now() + _AGAIN_NS  # while the old one is good, calls do not ask for a new one each
            done.set_exception(_as_ours(error))
            done.exception()  # a background fetch has nobody who asks
        else:
            done.set_result(None)

    def _refresh(self) -> None:
        if self._credentials is None:
            self._credentials = self._find()
        self._credentials.refresh(_request())
        now = self._clock.now()
        life = _LIFE_S * SECOND
        if self._credentials.expiry is not None:
            expiry = self._credentials.expiry
            ends = (expiry if expiry.tzinfo else expiry.replace(tzinfo=UTC)).timestamp() * SECOND
            life = max(0.0, ends - now)
        self._token = self._credentials.token
        self._renew_at, self._wait_at = now + int(life * _BACKGROUND), now + int(life * _WAITED_FOR)

    def _google(self) -> Credentials:
        google = _google_auth()
        scopes = list(self._scopes)
        if self._service_file is None:
            found = google.default(scopes=scopes)[0]
        elif isinstance(self._service_file, (str, Path)):
            found = google.load_credentials_from_file(str(self._service_file), scopes=scopes)[0]
        else:
            found = google.load_credentials_from_dict(json.load(self._service_file), scopes=scopes)[0]
        credentials: Credentials = found
        return credentials


def _google_auth() -> Any:
    try:
        return importlib.import_module("google.auth")
    except ImportError:
        raise AuthMissing(
            "no credentials can be read, because google-auth is not installed: pip install 'publican[auth]', or pass token=, or set "
            "PUBSUB_EMULATOR_HOST where an emulator is meant"
        ) from None


def _request() -> Any:
    """Give google-auth's way to do HTTP; importing requests costs 200 ms, so that waits for the first refresh."""
    try:
        return importlib.import_module("google.auth.transport.requests").Request()
    except ImportError:
        raise AuthMissing("no token can be fetched, because requests is not installed: pip install 'publican[auth]'") from None


def _as_ours(error: BaseException) -> Exception:
    """Give the error of our family; google-auth's texts name files and addresses, never tokens."""
    if isinstance(error, AuthMissing):
        return error
    name = type(error).__name__
    if name == "DefaultCredentialsError":
        return AuthMissing(f"{error}; or pass service_file= or token=, or set PUBSUB_EMULATOR_HOST where an emulator is meant")
    if name in {"TransportError", "RefreshError"}:
        return Unavailable(f"no token could be had: {error}") if name == "TransportError" else AuthMissing(f"no token could be had: {error}")
    return AuthMissing(f"no token could be had: {name}: {error}")
