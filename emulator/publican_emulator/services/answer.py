"""What a service method gives: its response, and the commit point that has to pass before the response may leave.

PYTEST_DONT_REWRITE
"""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from google.protobuf.message import DecodeError, Message

from publican_emulator.broker.errors import InvalidArgument
from publican_emulator.rpc.call import CallInfo, Handler

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)

Commit = Awaitable[object] | None
Answer = tuple[Response, Commit]
"""A response and its commit point; None: it has passed."""


def handler(request_class: type[Request], method: Callable[[Request, CallInfo], Answer[Response]]) -> Handler:
    """Give the handler, from bytes to bytes, of a method on message objects."""

    def handle(body: bytes, info: CallInfo) -> bytes | Coroutine[Any, Any, bytes]:
        try:
            request = request_class.FromString(body)
        except DecodeError:
            # INTERNAL is what gRPC's own servers say here, but clients repeat that for minutes.
            raise InvalidArgument(f"The request is not a valid {request_class.DESCRIPTOR.full_name}.") from None
        response, commit = method(request, info)
        encoded = response.SerializeToString()
        return encoded if commit is None else _after(commit, encoded)

    return handle


async def _after(commit: Awaitable[object], encoded: bytes) -> bytes:
    await commit
    return encoded
