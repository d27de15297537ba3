"""One RPC of the API, retried by the table of methods; what `Api` (api.py) is made of.

PYTEST_DONT_REWRITE
"""

import asyncio
import random  # noqa: TID251  (chance spreads retries over time)
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from google.protobuf.message import Message

from publican import retry
from publican.clock import Clock, Nanos
from publican.errors import PubsubError
from publican.transport.protocol import Transport
from publican_protocol.methods import methods
from publican_protocol.pool import message_class

TIMEOUT_S: Final = 60.0
_MASK: Final = "google.protobuf.FieldMask"


class Calling:
    """Calls RPCs by their gRPC path."""

    def __init__(self, transport: Transport, clock: Clock, jitter: retry.Jitter = random.random) -> None:
        self._transport = transport
        self._clock = clock
        self._jitter = jitter

    async def call(self, method: str, request: Message, *, timeout: float | None = TIMEOUT_S) -> Any:
        """Give the answer to one request; `timeout` is for each attempt.

        Raises:
            PubsubError: what the service refused, after the retries that the method may have.
        """
        backoff = retry.Backoff(retry.policy_of(method), self._jitter, self._clock.now())
        while True:
            try:
                return await self._transport.unary(method, request, timeout=timeout)
            except PubsubError as error:
                again = backoff.again_at(error, self._clock.now())
                if again is None:
                    raise
            await self._until(again)

    async def pages(self, method: str, request: Any, field: str, *, timeout: float | None = TIMEOUT_S) -> AsyncIterator[Any]:
        """Give each item of a list, asking for its pages as they are needed."""
        while True:
            page = await self.call(method, request, timeout=timeout)
            for each in getattr(page, field):
                yield each
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    async def _until(self, instant: Nanos) -> None:
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        timer = self._clock.call_at(instant, lambda: None if waiting.done() else waiting.set_result(None))
        try:
            await waiting
        finally:
            timer.cancel()


def path_of(name: str) -> str:
    """Give the gRPC path of a method that is named with or without its leading slash.

    Raises:
        ValueError: the API that this version knows has no such method.
    """
    path = name if name.startswith("/") else f"/{name}"
    if path not in methods():
        raise ValueError(f"{name!r} is no method of the API that this version knows; they are named as google.pubsub.v1.Publisher/CreateTopic")
    return path


def request_of(full_name: str, request: Message | None, fields: Mapping[str, Any]) -> Any:
    """Give a request made of keywords, or a copy of one that was passed in.

    Raises:
        TypeError: both were given, or the request is of another kind.
    """
    made = message_class(full_name)
    given = {name: value for name, value in fields.items() if value is not None}
    if request is None:
        return made(**{name: _value(made.DESCRIPTOR.fields_by_name[name], value) for name, value in given.items()})
    if given:
        raise TypeError(f"either a request or keywords, not both: {', '.join(given)}")
    return _ours(request, full_name)


def _value(field: Any, value: Any) -> Any:
    """Give a value as protobuf's constructor takes it: a mask may be a list of names, and messages may come from other pools."""
    kind = field.message_type
    if kind is None or field.is_repeated:
        return value
    if kind.full_name == _MASK and isinstance(value, Sequence):
        return {"paths": [value] if isinstance(value, str) else list(value)}
    return _ours(value, kind.full_name) if isinstance(value, Message) else value


def _ours(message: Message, full_name: str) -> Message:
    """Give a message in the private pool's class, and a copy: the caller's stays as it is."""
    if message.DESCRIPTOR.full_name != full_name:
        raise TypeError(f"a {full_name} is asked for, and this is a {message.DESCRIPTOR.full_name}")
    return message_class(full_name).FromString(message.SerializeToString())
