"""REST by aiohttp: one call, with everything that can go wrong as one of our errors.

A session belongs to a loop, a client to nobody's: the transport keeps one for each running loop (per_loop.py). One that the user gave is used as it
is, and never closed.

What a call costs is aiohttp's share, so it is given prebuilt URLs, no redirects, no timer and no cookies: the time-out is ours, proxies are looked up
once.

PYTEST_DONT_REWRITE
"""

import asyncio
import functools
import io
import ssl
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import quote

import aiohttp
from yarl import URL

from publican.auth import Refreshing, TokenSource
from publican.endpoint import Endpoint
from publican.errors import DeadlineExceeded, Unauthenticated, Unavailable
from publican.transport import rest_form
from publican.transport.deadlines import Deadlines
from publican.transport.per_loop import PerLoop
from publican.transport.rest_errors import refused, unreached

_JSON: Final = {"Content-Type": "application/json"}
_NO_TIMER: Final = aiohttp.ClientTimeout(total=None)
_LARGE_BODY: Final = 1 << 20  # above, aiohttp warns of bytes that are handed over whole
_UNQUOTED: Final = "/:@!$&'()*+,;=~"
_URLS_MAX: Final = 4096
_KEEPALIVE_S: Final = 60.0
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class RestTransport:
    """Carries unary calls over HTTP/1.1; connections are kept and shared, one call at a time on each."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        token: TokenSource | None = None,
        session: aiohttp.ClientSession | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._token = None if endpoint.is_dev else token
        self._given = session
        self._urls: dict[str, URL] = {}
        self._deadlines: Deadlines | None = None
        self._sessions = PerLoop(functools.partial(_session, endpoint, ssl_context))
        self._proxy = None if session is not None else _proxy(endpoint)

    @property
    def endpoint(self) -> Endpoint:
        """Where the calls go."""
        return self._endpoint

    @property
    def token(self) -> TokenSource | None:
        """Where tokens come from; None where none is asked for."""
        return self._token

    async def unary(self, method: str, request: Any, *, timeout: float | None) -> Any:
        """Send one request and give the method's response message; `method` is the gRPC path."""
        form = rest_form.form(method)
        verb, path, body, params, resource = form.written(request)
        return form.read(await self.call(verb, path, body, params=params, timeout=timeout, method=form.name, resource=resource))

    async def call(
        self,
        verb: str,
        path: str,
        body: bytes | None,
        *,
        timeout: float | None,
        method: str,
        resource: str,
        params: Mapping[str, Any] | None = None,
        session: aiohttp.ClientSession | None = None,
    ) -> bytes:
        """Send one HTTP request to `path` below the root and give the answer's body.

        Raises:
            PubsubError: what was refused (also an aiohttp.ClientResponseError), or why nobody was reached (also an aiohttp.ClientConnectionError).
        """
        url = self._urls.get(path) or self._url(path)
        if params:
            url = url.with_query(params)
        call = None if timeout is None else self._watching().begin(timeout)
        try:
            used = session or self._given or await self._sessions.get()
            if self._token is None:
                return await self._exchange(used, verb, url, body, _JSON, method, resource)
            return await self._authorized(used, verb, url, body, method, resource)
        except asyncio.CancelledError as error:
            if call is None or not call.has_ended():
                raise
            raise DeadlineExceeded(f"No answer within {timeout} s.", method=method, resource=resource) from error
        except aiohttp.ClientConnectionError as error:
            raise unreached(error, method, resource) from error
        except aiohttp.ClientPayloadError as error:
            raise Unavailable(f"The answer broke off: {error}", method=method, resource=resource) from error
        finally:
            if call is not None:
                self._watching().end(call)

    async def close(self) -> None:
        """Close the session that is ours in the running loop."""
        await self._sessions.close()

    async def _authorized(self, session: aiohttp.ClientSession, verb: str, url: URL, body: bytes | None, method: str, resource: str) -> bytes:
        """Call with a token; when it is refused, once more with a fresh one."""
        assert self._token is not None
        token = await self._token.get()
        try:
            return await self._exchange(session, verb, url, body, _with(token), method, resource)
        except Unauthenticated:
            if not isinstance(self._token, Refreshing):
                raise
            fresh = await self._token.fresh(token)
            if fresh == token:
                raise
        return await self._exchange(session, verb, url, body, _with(fresh), method, resource)

    async def _exchange(
        self, session: aiohttp.ClientSession, verb: str, url: URL, body: bytes | None, headers: dict[str, str], method: str, resource: str
    ) -> bytes:
        data: Any = body if body is None or len(body) < _LARGE_BODY else io.BytesIO(body)
        response = await session.request(
            verb, url, data=data, headers=headers, allow_redirects=False, raise_for_status=False, timeout=_NO_TIMER, proxy=self._proxy
        )
        content = response.content
        # A small answer comes with its head and is only taken then: `read` would cost a twentieth of the call. Both give the connection back.
        if content.is_eof() and content.exception() is None:
            answer = content.read_nowait()
        else:
            answer = await response.read()
        if response.status >= 300:
            raise refused(response, answer, method, resource)
        return answer

    def _watching(self) -> Deadlines:
        loop = asyncio.get_running_loop()
        if self._deadlines is None or self._deadlines.loop is not loop:
            self._deadlines = Deadlines(loop)
        return self._deadlines

    def _url(self, path: str) -> URL:
        """Give the URL of a path; ids may hold `%`, which is data and not an escape."""
        if len(self._urls) >= _URLS_MAX:
            self._urls.clear()
        url = self._urls[path] = URL(f"{self._endpoint.api_root}/{quote(path, safe=_UNQUOTED)}", encoded=True)
        return url


def _with(token: str | None) -> dict[str, str]:
    return {**_JSON, "Authorization": f"Bearer {token}"}


@asynccontextmanager
async def _session(endpoint: Endpoint, ssl_context: ssl.SSLContext | None) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session. An emulator behind TLS has a certificate that nobody signed."""
    connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEPALIVE_S, ssl=ssl_context if ssl_context is not None else not endpoint.is_dev)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=_NO_TIMER) as session:
        yield session


def _proxy(endpoint: Endpoint) -> str | None:
    """Give the proxy that the environment names for this place (HTTPS_PROXY, NO_PROXY); never one for this machine."""
    if endpoint.host in _LOOPBACK or urllib.request.proxy_bypass(endpoint.host):
        return None
    return urllib.request.getproxies().get("https" if endpoint.is_tls else "http")
