"""The HTTP client of pushes and exports, by aiohttp: loaded when the first request leaves.

It follows no redirect (a 3xx is an answer), keeps no cookies, asks no proxy, and reads no more of an answer than it needs for using the connection
again.

PYTEST_DONT_REWRITE
"""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import aiohttp

_ANSWER_BYTES: Final = 64 * 1024
_ANSWER_S: Final = 1.0


class RequestFailed(Exception):
    """No answer came; the text says why."""


class Http:
    """A client for one emulator: a session that is opened by the first request."""

    def __init__(self, *, verify_tls: bool = True) -> None:
        self._verify_tls = verify_tls
        self._session: aiohttp.ClientSession | None = None

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, most: int = _ANSWER_BYTES) -> tuple[int, bytes]:
        """Give status and the first `most` bytes of the answer's body (what came within a second).

        Raises:
            RequestFailed: there was no answer.
        """
        import aiohttp  # a quarter of a second
        import yarl

        session = self._opened()
        try:
            async with session.request(
                method,
                yarl.URL(url, encoded=url.isascii()),  # as the user wrote it: a requoted %2F is another path
                data=body,
                headers=headers,
                allow_redirects=False,
                skip_auto_headers=("Content-Type", "User-Agent"),
                ssl=self._verify_tls,
            ) as response:
                return response.status, await _beginning(response, most)
        except (aiohttp.ClientError, OSError, ValueError, RuntimeError) as error:  # RuntimeError: a test suite forbids sockets (pytest-socket)
            raise RequestFailed(f"{type(error).__name__}: {error}") from None

    def _opened(self) -> "aiohttp.ClientSession":
        if self._session is None:
            import aiohttp

            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, limit_per_host=0),  # who sends bounds how many there are at once
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),  # the emulator's clock says when a request has taken too long
                auto_decompress=False,
                trust_env=False,
            )
        return self._session

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


async def _beginning(response: "aiohttp.ClientResponse", most: int) -> bytes:
    """Read the body, if it is short and comes soon; else the connection is closed."""
    import aiohttp

    read = bytearray()
    try:
        async with asyncio.timeout(_ANSWER_S):
            async for part in response.content.iter_any():
                read += part
                if len(read) > most:
                    response.close()
                    break
    except TimeoutError:
        response.close()
    except (aiohttp.ClientError, OSError):
        pass  # the status has come: that is what counts
    return bytes(read[:most])
