"""gRPC by grpcio's asyncio API: unary calls and StreamingPull over one channel for each loop. The one file that imports grpcio (`publican[grpc]`).

Messages are those of the private pool, so nothing of google-cloud-pubsub is needed. Tokens travel as metadata of each call, from the same source as
for REST. TLS trusts what grpcio trusts (GRPC_DEFAULT_SSL_ROOTS_FILE_PATH changes it), proxies are those of the environment.

PYTEST_DONT_REWRITE
"""

import asyncio
import functools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import quote

import grpc
import grpc.aio
from google.protobuf.message import Message

from publican.auth import Refreshing, TokenSource
from publican.endpoint import Endpoint
from publican.errors import BY_CODE, Cancelled, PubsubError
from publican.transport.per_loop import PerLoop
from publican_protocol import json_form, pubsub, rpc_status
from publican_protocol.codes import Code
from publican_protocol.methods import SUBSCRIBER, methods
from publican_protocol.pool import message_class

PING_S: Final = 30
PONG_S: Final = 10
_STREAMING_PULL: Final = f"/{SUBSCRIBER}/StreamingPull"
_OPTIONS: Final = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_metadata_size", 4 << 20),  # an error that lists a thousand ack ids
    ("grpc.keepalive_time_ms", PING_S * 1000),
    ("grpc.keepalive_timeout_ms", PONG_S * 1000),
]
_NAMES: Final = ("subscription", "topic", "snapshot", "schema", "name", "resource", "project", "parent")

Metadata = Sequence[tuple[str, str]]


class GrpcTransport:
    """Carries unary calls and streams."""

    def __init__(self, endpoint: Endpoint, *, token: TokenSource | None = None, compress_above: int | None = None) -> None:
        """`compress_above`: a publish request of at least so many bytes is sent gzipped; None: none is."""
        self._token = None if endpoint.is_dev else token
        self._compress_above = compress_above
        self._channels: PerLoop[_Channel] = PerLoop(functools.partial(_opened, endpoint))

    async def unary(self, method: str, request: Message, *, timeout: float | None) -> Any:
        """Send one request and give the method's response message; `method` is the gRPC path."""
        call = (await self._channels.get()).unary(method)
        options: dict[str, Any] = {"timeout": timeout}
        if self._compress_above is not None and method.endswith("/Publish") and request.ByteSize() >= self._compress_above:
            options["compression"] = grpc.Compression.Gzip
        metadata, token = await self._metadata(request)
        try:
            return await call(request, metadata=metadata, **options)
        except grpc.aio.AioRpcError as error:
            ours = as_ours(error, method, request)
            if ours.code is not Code.UNAUTHENTICATED or not isinstance(self._token, Refreshing):
                raise ours from error
            if await self._token.fresh(token) == token:
                raise ours from error
        metadata, _ = await self._metadata(request)
        try:
            return await call(request, metadata=metadata, **options)
        except grpc.aio.AioRpcError as error:
            raise as_ours(error, method, request) from error

    async def streaming_pull(self, first: pubsub.StreamingPullRequest) -> "GrpcStream":
        """Open a stream with its first request."""
        opened = (await self._channels.get()).streaming_pull()
        metadata, token = await self._metadata(first)
        stream = GrpcStream(opened(metadata=metadata), first, self._token, token)
        try:
            await stream.send(first)
        except PubsubError:
            pass  # a stream that is refused may end before its first request is written: its first read tells why
        except BaseException:
            await stream.close()
            raise
        return stream

    async def close(self) -> None:
        """Close the running loop's channel."""
        await self._channels.close()

    async def _metadata(self, request: Message) -> tuple[Metadata, str | None]:
        """Give what goes before a request: which resource it is about, by which the service finds the place for it, and a token."""
        name, value = _resource(request)
        metadata = [("x-goog-request-params", _parameters(name, value))] if value else []
        if self._token is None:
            return metadata, None
        token = await self._token.get()
        return [*metadata, ("authorization", f"Bearer {token}")], token


class _Channel:
    """One loop's channel, with the calls that were made of it."""

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        self._calls: dict[str, Any] = {}

    def unary(self, method: str) -> Any:
        call = self._calls.get(method)
        if call is None:
            known = methods()[method]
            call = self._calls[method] = self._channel.unary_unary(
                method,
                request_serializer=message_class(known.request).SerializeToString,
                response_deserializer=message_class(known.response).FromString,
            )
        return call

    def streaming_pull(self) -> Any:
        return self._channel.stream_stream(
            _STREAMING_PULL,
            request_serializer=pubsub.StreamingPullRequest.SerializeToString,
            response_deserializer=pubsub.StreamingPullResponse.FromString,
        )


@asynccontextmanager
async def _opened(endpoint: Endpoint) -> AsyncIterator[_Channel]:
    if endpoint.is_tls:
        channel = grpc.aio.secure_channel(endpoint.target, grpc.ssl_channel_credentials(), options=_OPTIONS)
    else:
        channel = grpc.aio.insecure_channel(endpoint.target, options=_OPTIONS)
    async with channel:
        yield _Channel(channel)


@functools.lru_cache(maxsize=1024)  # a client speaks of few resources, many times
def _parameters(name: str, value: str) -> str:
    return f"{name}={quote(value, safe='')}"


class GrpcStream:
    """One StreamingPull."""

    def __init__(self, call: Any, first: pubsub.StreamingPullRequest, source: TokenSource | None, token: str | None) -> None:
        self._call = call
        self._first = first
        self._source = source
        self._token = token

    async def read(self, room: int) -> pubsub.StreamingPullResponse | None:
        """Give the next response; the server keeps to the limits of the first request, so `room` is not looked at."""
        try:
            response = await self._call.read()
        except grpc.aio.AioRpcError as error:
            ours = as_ours(error, _STREAMING_PULL, self._first)
            if ours.code is Code.UNAUTHENTICATED and isinstance(self._source, Refreshing) and await self._source.fresh(self._token) != self._token:
                return None  # the next stream has a fresh token: this one has only ended
            raise ours from error
        return None if response is grpc.aio.EOF else response

    async def send(self, request: pubsub.StreamingPullRequest) -> None:
        """Send a later request."""
        try:
            await self._call.write(request)
        except grpc.aio.AioRpcError as error:
            raise as_ours(error, _STREAMING_PULL, self._first) from error
        except asyncio.InvalidStateError as error:
            raise Cancelled("the stream has ended", method="StreamingPull", resource=self._first.subscription) from error

    async def close(self) -> None:
        """End the stream."""
        self._call.cancel()


def as_ours(error: Any, method: str, request: Message) -> PubsubError:
    """Give grpcio's error as one of the family, with the details of its trailer."""
    code = Code(error.code().value[0])
    details: tuple[Any, ...] = ()
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            tree: Any = json_form.tree(rpc_status.Status.FromString(value))
            details = tuple(tree.get("details", ()))
    kind = BY_CODE.get(code, PubsubError)
    return kind(error.details() or code.name, method=method.rpartition("/")[2], resource=_resource(request)[1], details=details)


def _resource(request: Message) -> tuple[str, str]:
    """Give the field that names what a request is about, and the name; a resource inside the request is named by its own."""
    fields = request.DESCRIPTOR.fields_by_name
    for name in _NAMES:
        if name in fields:
            value = getattr(request, name)
            return (name, value) if isinstance(value, str) else (f"{name}.name", str(value.name))
    return "", ""
