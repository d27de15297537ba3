"""REST as a pure function: an HTTP request in, an HTTP response out, no sockets.

JSON becomes the bytes of the request message, goes through the dispatcher like any gRPC call, and the answer's bytes become JSON. Whoever
carries HTTP (the HTTP/1 skin, an HTTP/2 stream without a gRPC content type) calls `Rest.answer`; an answer that has to wait (a Pull's
long poll) is a coroutine, which the carrier cancels when its client goes away. Publish, Pull and Acknowledge take the fast forms of
json_hot.py.

Before the path: web_pages.py (may this page ask at all?), http.py (what was meant), parameters.py (the query).

Source: google/api/http.proto; cloud.google.com/apis/docs/system-parameters.

PYTEST_DONT_REWRITE
"""

import functools
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any, Final

from google.protobuf.message import Message

from publican_emulator.broker.errors import BadRequest, FieldViolation, InvalidArgument, PubsubError
from publican_emulator.rpc import parameters, partial
from publican_emulator.rpc.call import CallInfo
from publican_emulator.rpc.dispatch import Dispatcher
from publican_emulator.rpc.http import HttpRequest, HttpResponse, effective
from publican_emulator.rpc.parameters import Parameters
from publican_emulator.rpc.status import HTTP_STATUS, Failure, failure, rest_error
from publican_emulator.rpc.web_pages import WebPages
from publican_protocol import json_form, json_hot
from publican_protocol.codes import Code
from publican_protocol.methods import methods
from publican_protocol.pool import message_class
from publican_protocol.routes import Route, match

__all__ = ["HttpRequest", "HttpResponse", "Rest"]

Headers = list[tuple[str, str]]

_JSON: Final = "application/json; charset=UTF-8"
_PAGES: Final = {"/": b"Ok\n", "/healthz": b"ok\n"}
"""Plain answers for people, compose files and probes that only want to know whether anybody listens."""

_FAST_REQUESTS: Final[Mapping[str, Callable[[bytes, str], bytes | None]]] = {
    "/google.pubsub.v1.Publisher/Publish": json_hot.publish_request_fast,
    "/google.pubsub.v1.Subscriber/Acknowledge": json_hot.acknowledge_request_fast,
}
_FAST_RESPONSES: Final[Mapping[str, Callable[..., bytes | None]]] = {
    "/google.pubsub.v1.Publisher/Publish": json_hot.publish_response_fast,
    "/google.pubsub.v1.Subscriber/Pull": json_hot.pull_response_fast,
}
_MASK_NAMES: Final = frozenset({"updateMask", "update_mask"})


class Rest:
    """The REST surface of what a dispatcher answers."""

    def __init__(self, dispatcher: Dispatcher, *, cors_origins: Collection[str] = ()) -> None:
        self._dispatcher = dispatcher
        self._web_pages = WebPages(cors_origins)

    def answer(self, request: HttpRequest) -> HttpResponse | Coroutine[Any, Any, HttpResponse]:
        """Answer one request: at once where possible, else by a coroutine."""
        headers: Headers = []
        try:
            headers = self._web_pages.headers(request)
            if request.method == "OPTIONS":
                return self._web_pages.preflight(request, headers)
            return self._answer(effective(request), headers)
        except PubsubError as error:
            return _refusal(failure(error), parameters.DEFAULTS, headers)
        except Exception as error:  # noqa: BLE001  (a bug here must not take the connection with it, and must be found at teardown)
            return _refusal(self._dispatcher.surprised(request.target, error), parameters.DEFAULTS, headers)

    def _answer(self, request: HttpRequest, headers: Headers) -> HttpResponse | Coroutine[Any, Any, HttpResponse]:
        path, _, query = request.target.partition("?")
        if request.method == "GET" and path in _PAGES:
            return HttpResponse(200, [("Content-Type", "text/plain; charset=UTF-8"), *headers], _PAGES[path])
        asked = parameters.read(query)
        found = match(request.method, path)
        if found is None:
            return _refusal(_no_such_path(request.method, path), asked, headers)
        route, fields = found
        try:
            body = _request_bytes(route, fields, asked, request.body)
        except json_form.JsonFormError as error:
            return _refusal(failure(_bad_json(error)), asked, headers)
        info = CallInfo(route.method_path, "rest", _metadata(request), None, request.peer)
        answer = self._dispatcher.call(route.method_path, body, info)
        render = functools.partial(self._render, route.method_path, asked, headers)
        return render(answer) if isinstance(answer, (bytes, Failure)) else _later(answer, render)

    def _render(self, method_path: str, asked: Parameters, headers: Headers, answer: bytes | Failure) -> HttpResponse:
        if isinstance(answer, Failure):
            return _refusal(answer, asked, headers)
        if asked.as_protobuf:
            return HttpResponse(200, [("Content-Type", "application/x-protobuf"), *headers], answer)
        try:
            return HttpResponse(200, [("Content-Type", _JSON), *headers], _json(method_path, asked, answer))
        except Exception as error:  # noqa: BLE001  (as in answer; here the call itself has succeeded)
            return _refusal(self._dispatcher.surprised(method_path, error), asked, headers)


async def _later(answer: Coroutine[Any, Any, bytes | Failure], render: Callable[[bytes | Failure], HttpResponse]) -> HttpResponse:
    return render(await answer)


def _request_bytes(route: Route, fields: Mapping[str, str], asked: Parameters, body: bytes) -> bytes:
    """Put path, query and body together into the request message's bytes."""
    fast = _FAST_REQUESTS.get(route.method_path)
    if fast is not None and not asked.bound:
        (name,) = fields.values()
        encoded = fast(body, name)
        if encoded is not None:
            return encoded
    message = message_class(methods()[route.method_path].request)()
    _read_body(route, message, body)
    for name, texts in asked.bound.items():
        _bind(route, message, name, texts)
    for path, value in fields.items():
        *parents, last = path.split(".")
        setattr(functools.reduce(getattr, parents, message), last, value)  # the path wins over what the body says
    return message.SerializeToString()


def _read_body(route: Route, message: Message, body: bytes) -> None:
    if route.body == "*":
        json_form.parse(body, message)
    elif route.body:
        child: Message = getattr(message, route.body)
        child.SetInParent()
        json_form.parse(body, child)
    else:
        json_form.parse(body, message_class("google.protobuf.Empty")())  # no body, or `{}`


def _bind(route: Route, message: Message, name: str, texts: list[str]) -> None:
    top = name.partition(".")[0]
    # The whole message is in the body. Its update mask is taken from the query too: many REST APIs have it there.
    in_body = route.body == "*" and not (name in _MASK_NAMES and "update_mask" in message.DESCRIPTOR.fields_by_name)
    if in_body or top == route.body:
        raise json_form.unbound(name, f"Field '{top}' could not be found in request message.")
    json_form.bind(message, name, texts)


def _json(method_path: str, asked: Parameters, answer: bytes) -> bytes:
    fast = _FAST_RESPONSES.get(method_path)
    if fast is not None and not asked.selection:
        written = fast(answer, pretty=asked.pretty)
        if written is not None:
            return written
    message = message_class(methods()[method_path].response).FromString(answer)
    tree = json_form.tree(message, enum_as_int=asked.enum_as_int)
    return json_form.write(partial.select(tree, asked.selection), pretty=asked.pretty)


def _refusal(failed: Failure, asked: Parameters, headers: Headers) -> HttpResponse:
    body = json_form.write(rest_error(failed), pretty=asked.pretty)
    return HttpResponse(HTTP_STATUS[failed.code], [("Content-Type", _JSON), *headers], body)


def _bad_json(error: json_form.JsonFormError) -> InvalidArgument:
    return InvalidArgument(str(error), BadRequest(tuple(FieldViolation(where, what) for where, what in error.violations)))


def _no_such_path(method: str, path: str) -> Failure:
    return Failure(Code.NOT_FOUND, f"The requested URL was not found on this server: no method of the API answers {method} {path[:500]}.")


def _metadata(request: HttpRequest) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode(errors="replace")) for name, value in request.headers.items()]
