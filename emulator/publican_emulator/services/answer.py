"""What a service method gives: its response, and the commit point that has to pass before the response may leave.

PYTEST_DONT_REWRITE
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from google.protobuf.message import DecodeError, Message

from publican_emulator.broker.errors import InvalidArgument
from publican_emulator.rpc.call import CallInfo, Handler
from publican_protocol.pool import message_class

Response = TypeVar("Response", bound=Message)

Commit = Awaitable[object] | None
Answer = tuple[Response, Commit]
"""A response and its commit point; None: it has passed."""


def handler(request_name: str, method: Callable[[Any, CallInfo], Answer[Response]]) -> Handler:
    """Give the handler, from bytes to bytes, of a method on message objects whose request has the full name `request_name`.

    The class is made at the first call: twenty of them at the start would be a twentieth of its budget.
    """

    def handle(body: bytes, info: CallInfo) -> bytes | Coroutine[Any, Any, bytes]:
        try:
            request = message_class(request_name).FromString(body)
        except DecodeError:
            # INTERNAL is what gRPC's own servers say here, but clients repeat that for minutes.
            raise InvalidArgument(f"The request is not a valid {request_name}.") from None
        response, commit = method(request, info)
        encoded = response.SerializeToString()
        return encoded if commit is None else _after(commit, encoded)

    return handle


async def _after(commit: Awaitable[object], encoded: bytes) -> bytes:
    await commit
    return encoded
