"""From a client's keywords to its connection.

PYTEST_DONT_REWRITE
"""

import logging
import os
import ssl
from pathlib import Path
from typing import IO, Any, Final, Literal

import aiohttp

from publican import endpoint as endpoints
from publican.auth import GoogleToken, TokenSource
from publican.transport import choice
from publican.transport.protocol import Connection
from publican.transport.rest import RestTransport

log: Final = logging.getLogger("publican.client")


def rest_transport(
    *,
    service_file: str | Path | IO[Any] | None = None,
    session: aiohttp.ClientSession | None = None,
    token: TokenSource | None = None,
    api_root: str | None = None,
    api_is_dev: bool | None = None,
    endpoint: str | None = None,
    ssl_context: ssl.SSLContext | None = None,
) -> RestTransport:
    """Give the way to the place that these settings and the environment name, with the tokens that it wants."""
    place = endpoints.find(os.environ, api_root=api_root, api_is_dev=api_is_dev, endpoint=endpoint)
    if api_root and api_is_dev is None:
        log.info("api_root=%s: calls are not authenticated; api_is_dev=False authenticates them", place.api_root)
    tokens = None if place.is_dev else token or GoogleToken(service_file)
    return RestTransport(place, token=tokens, session=session, ssl_context=ssl_context)


def connect(kind: Literal["auto", "grpc", "polling"], *, compress_above: int | None = None, **options: Any) -> Connection:
    """Give the transports of a modern client; the options are those of `rest_transport`."""
    return choice.choose(kind, rest_transport(**options), compress_above=compress_above)
