"""Which calls a fault means: those of a method, and of them those whose request has certain fields.

PYTEST_DONT_REWRITE
"""

import difflib
import json
from typing import Any

from google.protobuf.message import DecodeError, Message

from publican_emulator.broker.errors import InvalidArgument
from publican_emulator.rpc.faults import When
from publican_protocol import json_form
from publican_protocol.methods import methods
from publican_protocol.pool import message_class


def read(method: str, wanted: Any) -> When | None:
    """Give what says whether a request is meant; None: every one of the method is. `wanted`: fields as the REST API names them.

    Raises:
        InvalidArgument: there is no such method or field.
    """
    known = {each.name: each for each in methods().values()}
    if method != "*" and method not in known:
        near = difflib.get_close_matches(method, known, n=1)
        raise InvalidArgument(f"Invalid method: {method!r} is none of the API's{f'; did you mean {near[0]}?' if near else ''} (* means all).")
    if wanted is None:
        return None
    if method == "*" or known[method].is_streaming:
        raise InvalidArgument(f"Invalid when: a fault of {method} means every call of it; name a method with one request to choose among them.")
    request = message_class(known[method].request)
    fields = request()
    try:
        json_form.parse(json.dumps(wanted).encode(), fields)
    except json_form.JsonFormError as error:
        raise InvalidArgument(f"Invalid when: {error}") from None
    return lambda body, info: _has(body, request, fields)


def _has(body: bytes, request: type[Message], fields: Message) -> bool:
    try:
        asked = request.FromString(body)
    except DecodeError:
        return False
    return all(getattr(asked, field.name) == value for field, value in fields.ListFields())
