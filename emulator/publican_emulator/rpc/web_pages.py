"""Requests that a browser sends for a web page: refused when the page is foreign, unless it was allowed by name.

A page anywhere on the web can make its visitor's browser POST a form to localhost, without any preflight. The answer stays hidden from
the page, but the topic would be deleted. Browsers say where a request comes from, in `Origin` or at least in `Sec-Fetch-Site`; other
clients send neither. A page counts as our own when its origin is the address that was asked, and that address is localhost or an IP
number: a name that a stranger's DNS can point at this machine is not.

Source: fetch.spec.whatwg.org (CORS), w3.org/TR/fetch-metadata.

PYTEST_DONT_REWRITE
"""

from collections.abc import Collection
from typing import Final

from publican_emulator.broker.errors import PermissionDenied
from publican_emulator.rpc.http import Headers, HttpRequest, HttpResponse

METHODS: Final = "GET, POST, PUT, PATCH, DELETE, OPTIONS"
_PREFLIGHT_MAX_AGE_S: Final = 3600


class WebPages:
    """Which origins may ask."""

    def __init__(self, cors_origins: Collection[str] = ()) -> None:
        self._cors_origins = frozenset(origin.rstrip("/") for origin in cors_origins)

    def headers(self, request: HttpRequest) -> Headers:
        """Give the headers that let the asking page read the answer: none without an Origin that was allowed by name.

        Raises:
            PermissionDenied: the request comes from a foreign page.
        """
        origin = request.headers.get("origin")
        if origin is None:
            if request.headers.get("sec-fetch-site", "").strip().lower() == "cross-site":
                raise _foreign("another site")
            return []
        if origin in self._cors_origins or "*" in self._cors_origins:
            return [("Access-Control-Allow-Origin", origin), ("Vary", "Origin")]
        if not _is_own(origin, request.headers.get("host", "")):
            raise _foreign(origin)
        return []

    def preflight(self, request: HttpRequest, headers: Headers) -> HttpResponse:
        """Answer OPTIONS."""
        headers = [("Allow", METHODS), *headers]
        if "origin" in request.headers and "access-control-request-method" in request.headers:
            headers.append(("Access-Control-Allow-Methods", METHODS))
            if asked := request.headers.get("access-control-request-headers"):
                headers.append(("Access-Control-Allow-Headers", asked))
            headers.append(("Access-Control-Max-Age", str(_PREFLIGHT_MAX_AGE_S)))
        return HttpResponse(204, headers, b"")


def _is_own(origin: str, host: str) -> bool:
    if not host or origin.lower() not in {f"http://{host.lower()}", f"https://{host.lower()}"}:
        return False
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    if name.lower() == "localhost":
        return True
    import ipaddress  # only a page of our own gets here

    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _foreign(origin: str) -> PermissionDenied:
    return PermissionDenied(
        f"A web page of {origin[:200]} may not use this emulator: anybody's page could. Start it with --cors-origin to allow an origin by name."
    )
