"""An HTTP request and response without a socket, and what a request means before anybody looks at its path.

A carrier hands over the body as it came (still compressed); method override and Content-Encoding are undone here, in one place.

PYTEST_DONT_REWRITE
"""

import dataclasses
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final

from publican_emulator.broker.errors import InvalidArgument

Headers = list[tuple[str, str]]

BODY_BYTES_MAX: Final = 16 * 1024 * 1024
"""A legal publish of 10 MB is 13.4 MB of base64; the carriers' own limits must not be lower."""

COMPRESSED_BYTES_MIN: Final = 1_024

_OVERRIDES: Final = frozenset({"GET", "PUT", "PATCH", "DELETE", "POST"})
_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request as it came."""

    method: str
    target: str
    """Path and query, escaped as they came."""
    headers: Mapping[str, str]
    """By lower-case names."""
    body: bytes = b""
    peer: str = ""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response; the carrier adds Content-Length and whatever it wants of its own."""

    status: int
    headers: Headers
    body: bytes
    more: AsyncIterator[bytes] | None = None
    """What follows the body for as long as the client stays, where the carrier can send it: HTTP/1.1."""


def effective(request: HttpRequest) -> HttpRequest:
    """Give the request that is meant: method override applied, origin form of the target, body decompressed.

    Raises:
        InvalidArgument: an unknown override or encoding, a broken or too large body.
    """
    headers = request.headers
    if request.target[:1] != "/" and "://" in request.target:  # the absolute form, as a proxy gets it
        request = dataclasses.replace(request, target="/" + request.target.partition("://")[2].partition("/")[2])
    if len(request.body) > BODY_BYTES_MAX:
        raise _too_large()
    if "content-encoding" in headers:
        request = dataclasses.replace(request, body=_decompressed(request.body, headers["content-encoding"].strip().lower()))
    if request.method == "POST" and "x-http-method-override" in headers:
        return _overridden(request, headers["x-http-method-override"].strip().upper())
    return dataclasses.replace(request, method="GET") if request.method == "HEAD" else request


def wants_gzip(request: HttpRequest) -> bool:
    """Say whether the answer is to be compressed: the service wants the word in User-Agent too, and most clients that accept it do not say it there.

    Source: developers.google.com/discovery/v1/performance#gzip.
    """
    headers = request.headers
    return "gzip" in headers.get("accept-encoding", "").lower() and "gzip" in headers.get("user-agent", "").lower()


def compressed(response: HttpResponse) -> HttpResponse:
    """Give a response with its body in gzip, when that is worth it."""
    if len(response.body) < COMPRESSED_BYTES_MIN:
        return response
    pressing = zlib.compressobj(level=1, wbits=31)
    body = pressing.compress(response.body) + pressing.flush()
    return HttpResponse(response.status, [*response.headers, ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")], body)


def _overridden(request: HttpRequest, method: str) -> HttpRequest:
    if method not in _OVERRIDES:
        raise InvalidArgument(f"Invalid X-HTTP-Method-Override: {method[:20]!r} is none of {', '.join(sorted(_OVERRIDES))}.")
    if method == "GET" and request.headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM:
        # Discovery clients send a GET whose URL is too long this way: the query string is the body.
        query = request.body.decode("latin-1").strip()
        joint = "&" if "?" in request.target else "?"
        return dataclasses.replace(request, method="GET", target=f"{request.target}{joint}{query}", body=b"")
    return dataclasses.replace(request, method=method)


def _decompressed(body: bytes, encoding: str) -> bytes:
    if encoding in {"", "identity"}:
        return body
    if encoding not in {"gzip", "x-gzip"}:
        raise InvalidArgument(f"Invalid Content-Encoding: {encoding[:40]!r} is not supported; send gzip or identity.")
    out = bytearray()
    while body:
        stream = zlib.decompressobj(wbits=31)
        try:
            out += stream.decompress(body, BODY_BYTES_MAX + 1 - len(out))
        except zlib.error as error:
            raise InvalidArgument(f"Invalid request body: it is not gzip ({error}).") from None
        if len(out) > BODY_BYTES_MAX:
            raise _too_large()
        if not stream.eof:
            raise InvalidArgument("Invalid request body: the gzip stream is cut short.")
        body = stream.unused_data
    return bytes(out)


def _too_large() -> InvalidArgument:
    return InvalidArgument(f"Request payload size exceeds the limit: {BODY_BYTES_MAX} bytes.")
