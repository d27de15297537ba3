"""From JSON to the bytes of a request message, and from the bytes of a response to JSON: REST's way to the dispatcher and back.

Path, query and body together make the request message. Publish, Pull and Acknowledge take the fast forms of json_hot.py where they can.
Loaded at the first REST call: gRPC needs none of this.

Source: google/api/http.proto; cloud.google.com/apis/docs/system-parameters.

PYTEST_DONT_REWRITE
"""

import functools
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from google.protobuf.message import Message

from publican_emulator.broker.errors import BadRequest, FieldViolation, InvalidArgument
from publican_emulator.rpc import parameters, partial
from publican_emulator.rpc.call import CallInfo
from publican_emulator.rpc.dispatch import Dispatcher
from publican_emulator.rpc.http import Headers, HttpRequest, HttpResponse, effective
from publican_emulator.rpc.parameters import Parameters
from publican_emulator.rpc.status import HTTP_STATUS, Failure, failure, rest_error
from publican_protocol import json_form, json_hot
from publican_protocol.codes import Code
from publican_protocol.methods import methods
from publican_protocol.pool import message_class
from publican_protocol.routes import Route, match

_JSON: Final = "application/json; charset=UTF-8"

_FAST_REQUESTS: Final[Mapping[str, Callable[[bytes, str], bytes | None]]] = {
    "/google.pubsub.v1.Publisher/Publish": json_hot.publish_request_fast,
    "/google.pubsub.v1.Subscriber/Acknowledge": json_hot.acknowledge_request_fast,
}
_FAST_RESPONSES: Final[Mapping[str, Callable[..., bytes | None]]] = {
    "/google.pubsub.v1.Publisher/Publish": json_hot.publish_response_fast,
    "/google.pubsub.v1.Subscriber/Pull": json_hot.pull_response_fast,
}
_MASK_NAMES: Final = frozenset({"updateMask", "update_mask"})


def answer(dispatcher: Dispatcher, request: HttpRequest, headers: Headers) -> HttpResponse | Coroutine[Any, Any, HttpResponse]:
    """Answer a request to the API; `headers` go into the response.

    Raises:
        InvalidArgument: it cannot be read.
    """
    request = effective(request)
    path, _, query = request.target.partition("?")
    asked = parameters.read(query)
    found = match(request.method, path)
    if found is None:
        return refusal(_no_such_path(request.method, path), headers, asked)
    route, fields = found
    try:
        body = _request_bytes(route, fields, asked, request.body)
    except json_form.JsonFormError as error:
        return refusal(failure(_bad_json(error)), headers, asked)
    info = CallInfo(route.method_path, "rest", _metadata(request), None, request.peer)
    called = dispatcher.call(route.method_path, body, info)
    render = functools.partial(_render, dispatcher, route.method_path, asked, headers)
    return render(called) if isinstance(called, (bytes, Failure)) else _later(called, render)


def answer_verb(verb: Callable[[bytes], object], request: HttpRequest, headers: Headers) -> HttpResponse:
    """Answer a call that has no gRPC form: a JSON body in, a JSON value out.

    Raises:
        PubsubError: what it refuses.
    """
    request = effective(request)
    asked = parameters.read(request.target.partition("?")[2])
    try:
        tree = verb(request.body)
    except json_form.JsonFormError as error:
        return refusal(failure(_bad_json(error)), headers, asked)
    return HttpResponse(200, [("Content-Type", _JSON), *headers], json_form.write(partial.select(tree, asked.selection), pretty=asked.pretty))


def refusal(failed: Failure, headers: Headers, asked: Parameters = parameters.DEFAULTS) -> HttpResponse:
    """Give the response for a failure."""
    body = json_form.write(rest_error(failed), pretty=asked.pretty)
    return HttpResponse(HTTP_STATUS[failed.code], [("Content-Type", _JSON), *headers], body)


def plain(tree: object, headers: Headers, query: str) -> HttpResponse:
    """Give a JSON answer that is no message of the API."""
    asked = parameters.read(query)
    return HttpResponse(200, [("Content-Type", _JSON), *headers], json_form.write(partial.select(tree, asked.selection), pretty=asked.pretty))


async def _later(called: Coroutine[Any, Any, bytes | Failure], render: Callable[[bytes | Failure], HttpResponse]) -> HttpResponse:
    return render(await called)


def _render(dispatcher: Dispatcher, method_path: str, asked: Parameters, headers: Headers, called: bytes | Failure) -> HttpResponse:
    if isinstance(called, Failure):
        return refusal(called, headers, asked)
    if asked.as_protobuf:
        return HttpResponse(200, [("Content-Type", "application/x-protobuf"), *headers], called)
    try:
        return HttpResponse(200, [("Content-Type", _JSON), *headers], _json(method_path, asked, called))
    except Exception as error:  # noqa: BLE001  (the call itself has succeeded: a bug here must be told and kept, not lost with a task)
        return refusal(dispatcher.surprised(method_path, error), headers, asked)


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
    # With `*` everything is in the body, but an update mask is taken from the query too: many REST APIs have it there.
    if top == route.body or (route.body == "*" and name not in _MASK_NAMES):
        raise json_form.unbound(name, f"Field '{top}' could not be found in request message.")
    json_form.bind(message, name, texts)


def _json(method_path: str, asked: Parameters, response: bytes) -> bytes:
    fast = _FAST_RESPONSES.get(method_path)
    if fast is not None and not asked.selection:
        written = fast(response, pretty=asked.pretty)
        if written is not None:
            return written
    message = message_class(methods()[method_path].response).FromString(response)
    tree = json_form.tree(message, enum_as_int=asked.enum_as_int)
    return json_form.write(partial.select(tree, asked.selection), pretty=asked.pretty)


def _bad_json(error: json_form.JsonFormError) -> InvalidArgument:
    return InvalidArgument(str(error), BadRequest(tuple(FieldViolation(where, what) for where, what in error.violations)))


def _no_such_path(method: str, path: str) -> Failure:
    return Failure(Code.NOT_FOUND, f"The requested URL was not found on this server: no method of the API answers {method} {path[:500]}.")


def _metadata(request: HttpRequest) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode(errors="replace")) for name, value in request.headers.items()]
