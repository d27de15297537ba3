"""The door of the admin API: HTTP requests under /_publican to operations and back, in JSON.

A request that changes something must carry the header `X-Publican-Admin` with any value: a web page cannot send it without asking first, and is
told no. The table of operations makes the OpenAPI document, and a plain page for people.

PYTEST_DONT_REWRITE
"""

import html
import ipaddress
import json
import re
from collections.abc import Awaitable, Coroutine, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from publican_emulator.admin.asked import Asked
from publican_emulator.admin.operations import Answer, Following, Operation, Operations
from publican_emulator.broker.errors import InvalidArgument, PermissionDenied, PubsubError
from publican_emulator.rpc.http import Headers, HttpRequest, HttpResponse, effective
from publican_emulator.rpc.rest import ADMIN_PREFIX as PREFIX
from publican_emulator.rpc.status import HTTP_STATUS, failure, rest_error
from publican_protocol.codes import Code

HEADER: Final = "x-publican-admin"

_PRIVATE_NAMES: Final = (".localhost", ".local", ".internal", ".test")
"""Ends of names that are not given out in public (RFC 6761, RFC 6762, ICANN on .internal)."""

_PATTERNS: Final = {"subscription": r"projects/[^/]+/subscriptions/[^/]+", "fault": r"[^/]+"}


class AdminPages:
    """Answers what is asked under /_publican."""

    def __init__(self, operations: Operations, version: str, *, enabled: bool = True) -> None:
        """Not `enabled`: every request is refused, with how to change that."""
        self._enabled = enabled
        self._headers = [("X-Publican-Version", version)]
        self._openapi = _openapi(operations.table, version)
        self._routes = [(each, re.compile(re.sub(r"\{(\w+)\}", _pattern, each.path))) for each in operations.table]

    def answer(self, request: HttpRequest, headers: Headers) -> HttpResponse | Coroutine[Any, Any, HttpResponse]:
        """Answer a request whose path begins with the prefix; `headers` go into the response."""
        headers = [*self._headers, *headers]
        try:
            _check_host(request)
            if not self._enabled:
                raise PermissionDenied("The admin API is off, because this emulator listens to other machines: start it with --admin to allow it.")
            called = self._called(effective(request))
        except PubsubError as error:
            return _refusal(error, headers)
        return _later(called, headers) if isinstance(called, Awaitable) else _shown(called, headers)

    def _called(self, request: HttpRequest) -> Answer | Awaitable[Answer]:
        path, _, query = request.target.partition("?")
        path = unquote(path.removeprefix(PREFIX)).rstrip("/")
        if path == "":
            return _page(self._openapi)
        if path == "/openapi.json":
            return self._openapi
        allowed = []
        for operation, pattern in self._routes:
            if found := pattern.fullmatch(path):
                if operation.method == request.method:
                    return operation.run(Asked(found.groupdict(), _fields(operation, request, query)))
                allowed.append(operation.method)
        what = f"it takes {', '.join(allowed)}" if allowed else f"GET {PREFIX}/ lists what there is"
        raise _NoSuchPath(f"Nothing answers {request.method} {PREFIX}{path[:200]}: {what}.")


def _check_host(request: HttpRequest) -> None:
    """Refuse a name that a stranger's DNS may point at this machine: a page there would count as ours, and could read what we tell.

    Raises:
        PermissionDenied: the host is neither a number, nor a name without a dot (`localhost`, a container's), nor one that no public DNS has.
    """
    host = request.headers.get("host", "")
    name = (host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host).strip("[]").lower().rstrip(".")
    if "." not in name or name.endswith(_PRIVATE_NAMES):
        return
    try:
        ipaddress.ip_address(name)
    except ValueError:
        raise PermissionDenied(
            f"The admin API does not answer to the name {name[:100]!r}: ask by a number, by localhost, or by a name without a dot."
        ) from None


class _NoSuchPath(PubsubError):
    code = Code.NOT_FOUND


def _pattern(found: re.Match[str]) -> str:
    return f"(?P<{found[1]}>{_PATTERNS[found[1]]})"


def _fields(operation: Operation, request: HttpRequest, query: str) -> Mapping[str, Any]:
    fields: Any = dict(parse_qsl(query, keep_blank_values=True))
    if "after" in operation.takes and "last-event-id" in request.headers:
        fields["after"] = request.headers["last-event-id"]
    if request.method != "GET":
        if HEADER not in request.headers:
            raise PermissionDenied(f"A request that changes something must carry the header {HEADER} (any value): web pages cannot send it.")
        try:
            fields |= json.loads(request.body or b"{}")
        except (ValueError, TypeError, RecursionError) as error:
            raise InvalidArgument(f"Invalid request body: it is not a JSON object ({error}).") from None
    unknown = sorted(str(each) for each in fields.keys() - set(operation.takes))
    if unknown:
        raise InvalidArgument(f"Unknown field {unknown[0][:40]!r}: {operation.method} {operation.path} takes {', '.join(operation.takes) or 'none'}.")
    return dict(fields)


async def _later(called: Awaitable[Answer], headers: Headers) -> HttpResponse:
    try:
        return _shown(await called, headers)
    except PubsubError as error:
        return _refusal(error, headers)


def _shown(answer: Answer, headers: Headers) -> HttpResponse:
    if isinstance(answer, Following):
        own = [("Content-Type", "text/event-stream; charset=UTF-8"), ("Cache-Control", "no-store")]
        return HttpResponse(200, [*own, *headers], answer.so_far, answer.more)
    if isinstance(answer, str):
        kind = "text/html" if answer.startswith("<!doctype") else "text/plain"
        return HttpResponse(200, [("Content-Type", f"{kind}; charset=UTF-8"), *headers], answer.encode())
    return HttpResponse(200, [("Content-Type", "application/json; charset=UTF-8"), *headers], json.dumps(answer).encode())


def _refusal(error: PubsubError, headers: Headers) -> HttpResponse:
    body = json.dumps(rest_error(failure(error))).encode()
    return HttpResponse(HTTP_STATUS[error.code], [("Content-Type", "application/json; charset=UTF-8"), *headers], body)


def _openapi(table: tuple[Operation, ...], version: str) -> dict[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for each in table:
        told: dict[str, Any] = {"summary": each.summary, "responses": {"200": {"description": "JSON, or text for /history"}}}
        names = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in re.findall(r"\{(\w+)\}", each.path)]
        if each.method == "GET":
            names += [{"name": name, "in": "query", "schema": {"type": "string"}} for name in each.takes]
        else:
            names.append({"name": HEADER, "in": "header", "required": True, "schema": {"type": "string"}})
            properties: dict[str, dict[str, str]] = {name: {} for name in each.takes}
            told["requestBody"] = {"content": {"application/json": {"schema": {"type": "object", "properties": properties}}}}
        paths.setdefault(PREFIX + each.path, {})[each.method.lower()] = {**told, "parameters": names}
    return {"openapi": "3.1.0", "info": {"title": "Publican admin API", "version": version}, "paths": paths}


def _page(openapi: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{method.upper()} {html.escape(path)}</code></td><td>{html.escape(told['summary'])}</td>"
        f"<td>{html.escape(', '.join(_takes(told)))}</td></tr>"
        for path, methods in openapi["paths"].items()
        for method, told in methods.items()
    )
    return (
        "<!doctype html><title>Publican admin API</title><h1>Publican admin API</h1>"
        f"<p>JSON over HTTP. Requests that change something carry the header <code>{HEADER}</code>, any value. "
        f'As a document: <a href="{PREFIX}/openapi.json">openapi.json</a>.</p>'
        f"<table><tr><th>Path</th><th>What it does</th><th>Takes</th></tr>{rows}</table>"
    )


def _takes(told: Mapping[str, Any]) -> list[str]:
    body = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {}).get("properties", {})
    return [*(each["name"] for each in told["parameters"] if each["in"] == "query"), *body]
