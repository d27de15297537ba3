"""REST as a pure function: an HTTP request in, an HTTP response out, no sockets.

Whoever carries HTTP (the HTTP/1 skin, an HTTP/2 stream without a gRPC content type) calls `Rest.answer`; an answer that has to wait (a
Pull's long poll) is a coroutine, which the carrier cancels when its client goes away. Here stands what comes before the API: foreign web
pages are refused (web_pages.py), plain questions are answered. The rest is the transcoder's, which is loaded when it is first needed.

PYTEST_DONT_REWRITE
"""

import re
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from types import MappingProxyType
from typing import Any, Final

from publican_emulator.broker.errors import PubsubError
from publican_emulator.rpc.dispatch import Dispatcher
from publican_emulator.rpc.http import Headers, HttpRequest, HttpResponse, compressed, wants_gzip
from publican_emulator.rpc.status import failure
from publican_emulator.rpc.web_pages import WebPages

__all__ = ["HttpRequest", "HttpResponse", "Rest"]

_PAGES: Final = {"/": b"Ok\n", "/healthz": b"ok\n"}
"""Plain answers for people, compose files and probes that only want to know whether anybody listens."""

_PROJECT_VERB: Final = re.compile(r"/v1/projects/[^/?]+:(\w+)(?:\?|$)")

ADMIN_PREFIX: Final = "/_publican"

Answerer = Callable[[HttpRequest, Headers], HttpResponse | Coroutine[Any, Any, HttpResponse]]
"""Answers a request; the headers go into the response."""


class Rest:
    """The REST surface of what a dispatcher answers."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        *,
        cors_origins: Collection[str] = (),
        admin: Answerer | None = None,
        documents: Mapping[str, Callable[[], Awaitable[bytes]]] = MappingProxyType({}),
        verbs: Mapping[str, Callable[[bytes], object]] = MappingProxyType({}),
    ) -> None:
        """`admin` answers what is asked under ADMIN_PREFIX; `documents` are JSON for anybody, by path; `verbs` are calls
        on a project that have no gRPC form.
        """
        self._dispatcher = dispatcher
        self._admin = admin
        self._documents = documents
        self._verbs = verbs
        self._web_pages = WebPages(cors_origins)

    def answer(self, request: HttpRequest) -> HttpResponse | Coroutine[Any, Any, HttpResponse]:
        """Answer one request: at once where possible, else by a coroutine."""
        answer = self._answer(request)
        if not wants_gzip(request):
            return answer
        return compressed(answer) if isinstance(answer, HttpResponse) else _compressed_later(answer)

    def is_of_a_foreign_page(self, request: HttpRequest) -> bool:
        """Say whether a request would be refused for the web page that it comes from."""
        try:
            self._web_pages.headers(request)
        except PubsubError:
            return True
        return False

    def _answer(self, request: HttpRequest) -> HttpResponse | Coroutine[Any, Any, HttpResponse]:
        from publican_emulator.rpc import transcoder  # 20 ms of the start-up for whoever speaks gRPC only

        headers: Headers = []
        try:
            headers = self._web_pages.headers(request)
            if request.method == "OPTIONS":
                return self._web_pages.preflight(request, headers)
            if request.method in {"GET", "HEAD"} and (page := _PAGES.get(request.target.partition("?")[0])):
                return HttpResponse(200, [("Content-Type", "text/plain; charset=UTF-8"), *headers], page)
            if request.method in {"GET", "HEAD"} and (document := self._documents.get(request.target.partition("?")[0])):
                return self._document(document, headers)
            if request.method in {"GET", "HEAD"} and "discovery" in request.target[:16] and (said := _discovery(request, headers)):
                return said
            if self._admin is not None and request.target.startswith(ADMIN_PREFIX):
                return self._admin(request, headers)
            if request.method == "POST" and (named := _PROJECT_VERB.match(request.target)) and (verb := self._verbs.get(named[1])):
                return transcoder.answer_verb(verb, request, headers)
            return transcoder.answer(self._dispatcher, request, headers)
        except PubsubError as error:
            return transcoder.refusal(failure(error), headers)
        except Exception as error:  # noqa: BLE001  (a bug here must not take the connection with it, and must be found at teardown)
            return transcoder.refusal(self._dispatcher.surprised(request.target, error), headers)

    async def _document(self, document: Callable[[], Awaitable[bytes]], headers: Headers) -> HttpResponse:
        from publican_emulator.rpc import transcoder

        try:
            return HttpResponse(200, [("Content-Type", "application/json; charset=UTF-8"), *headers], await document())
        except PubsubError as error:
            return transcoder.refusal(failure(error), headers)


async def _compressed_later(answer: Coroutine[Any, Any, HttpResponse]) -> HttpResponse:
    return compressed(await answer)


def _discovery(request: HttpRequest, headers: Headers) -> HttpResponse | None:
    """Describe the API, when that is what is asked for."""
    from publican_emulator.rpc import discovery, transcoder  # what few ask for, and once

    path, _, query = request.target.partition("?")
    if path not in discovery.PATHS:
        return None
    return transcoder.plain(discovery.document(request.headers.get("host", "localhost")), headers, query)
