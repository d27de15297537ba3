"""The source of `publican.aio.Api`: a method for every unary RPC, with the request's fields as keywords."""

import re
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from publican_protocol.methods import Method, methods
from publican_protocol.pool import pool

HEAD = '''"""Every RPC of the API, with types. Made by scripts/make_clients.py; do not edit.

PYTEST_DONT_REWRITE
"""

import datetime
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self

from google.protobuf.message import Message

from publican import types
from publican.aio.calling import TIMEOUT_S, Calling, path_of, request_of
from publican.aio.connecting import connect
from publican.clock import Clock, SystemClock
from publican.transport.protocol import Connection


class Api:
    """Topics, subscriptions, snapshots, schemas and policies: every call of the API, retried as the service's own clients do.

    Keywords build the request, or a request is passed in whole. Times are `datetime`, spans `timedelta`, masks lists of field names. Lists are
    asynchronous iterators that ask for further pages as they are needed. `timeout`: seconds for each attempt.

    Receiving has classes of its own (`Subscriber`), because StreamingPull is more than a call. Settings are those of `Publisher`.
    """

    def __init__(
        self, *, clock: Clock | None = None, transport: Literal["auto", "grpc", "polling"] | Connection = "polling", **connection: Any
    ) -> None:
        self._connection = connect(transport, **connection) if isinstance(transport, str) else transport
        self._calling = Calling(self._connection.unary, clock or SystemClock())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Close what is open in the running loop."""
        await self._connection.close()

    async def call(self, method: str, request: Message, *, timeout: float | None = TIMEOUT_S) -> Any:
        """Call a method by its full name, `google.pubsub.v1.Publisher/CreateTopic`: for one that has no method here yet.

        Raises:
            ValueError: no such method.
        """
        return await self._calling.call(path_of(method), request, timeout=timeout)
'''
TYPES = {
    FieldDescriptor.TYPE_STRING: "str",
    FieldDescriptor.TYPE_BYTES: "bytes",
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_DOUBLE: "float",
    FieldDescriptor.TYPE_FLOAT: "float",
}
KNOWN = {
    "google.protobuf.Duration": "datetime.timedelta",
    "google.protobuf.Timestamp": "datetime.datetime",
    "google.protobuf.FieldMask": "Sequence[str]",
}
EMPTY = "google.protobuf.Empty"


def source() -> str:
    """Give the module's text."""
    return HEAD + "\n".join(_method(each) for each in methods().values() if not each.is_streaming and _is_served(each))


def _is_served(method: Method) -> bool:
    return method.service.startswith(("google.pubsub.v1.", "google.iam.v1."))


def _method(method: Method) -> str:
    request = pool().FindMessageTypeByName(method.request)
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", method.name).lower()
    fields = list(request.fields)
    keywords = "".join(f"        {field.name}: {_type(field)} | None = None,\n" for field in fields)
    passed = "{" + ", ".join(f'"{field.name}": {field.name}' for field in fields) + "}"
    made = f'request_of("{method.request}", request, {passed})'
    items = _items(method)
    head = f"    def {name}(\n        self,\n        request: {_class(method.request)} | None = None,\n        *,\n{keywords}        timeout: float | None = TIMEOUT_S,\n    )"
    said = f'"""{method.service}.{method.name}."""'
    if items is not None:
        field, kind = items
        return f'{head} -> AsyncIterator[{kind}]:\n        {said}\n        return self._calling.pages("{method.path}", {made}, "{field}", timeout=timeout)\n'
    answer = "None" if method.response == EMPTY else _class(method.response)
    call = f'await self._calling.call("{method.path}", {made}, timeout=timeout)'
    body = f"        {call}" if answer == "None" else f"        answer: {answer} = {call}\n        return answer"
    return f"{head.replace('def ', 'async def ', 1)} -> {answer}:\n        {said}\n{body}\n"


def _items(method: Method) -> tuple[str, str] | None:
    """Give the repeated field of a list's answer, and the type of its items; None: the method is no list."""
    answer = pool().FindMessageTypeByName(method.response)
    if "next_page_token" not in answer.fields_by_name:
        return None
    [field] = [each for each in answer.fields if each.is_repeated]
    return field.name, _single(field)


def _type(field: Any) -> str:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        key, value = field.message_type.fields_by_name["key"], field.message_type.fields_by_name["value"]
        return f"Mapping[{_single(key)}, {_single(value)}]"
    return f"Sequence[{_single(field)}]" if field.is_repeated else _single(field)


def _single(field: Any) -> str:
    if field.message_type is not None:
        return KNOWN.get(field.message_type.full_name) or _class(field.message_type.full_name)
    return TYPES.get(field.type, "int")


def _class(full_name: str) -> str:
    for package in ("google.pubsub.v1.", "google.iam.v1."):
        if full_name.startswith(package):
            return f"types.{full_name.removeprefix(package)}"
    return "Message"
