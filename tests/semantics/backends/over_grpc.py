"""gRPC: Google's C core as the client, an emulator in this process as the server, a socket between them."""

import queue
import threading
from collections.abc import Callable
from typing import Any, Self, cast

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from publican_emulator import Emulator, VirtualClock
from publican_emulator.broker.broker import Broker
from publican_emulator.broker.instants import Nanos
from publican_protocol import pubsub
from publican_protocol.pool import message_class
from tests.semantics.backends.backend import BY_NAME, LIMIT_S, START, Refused


def refused(error: grpc.RpcError) -> Refused:
    """Give what a caller learns of an error, from its status and its trailers."""
    call: Any = error
    for key, value in call.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            status = status_pb2.Status.FromString(value)
            assert (status.code, status.message) == (call.code().value[0], call.details())
            for detail in status.details:
                info = error_details_pb2.ErrorInfo()
                if detail.Unpack(info):
                    assert info.domain == "pubsub.googleapis.com"
                    return Refused(call.code().name, call.details(), info.reason, dict(info.metadata))
    return Refused(call.code().name, call.details())


class EmulatorBackend:
    """An emulator with a clock that is moved by hand, and a port."""

    def __init__(self, *, pull_wait_s: float = LIMIT_S, enforce_quotas: bool = False) -> None:
        self.emulator = Emulator(clock=VirtualClock(Nanos(START)), pull_wait_s=pull_wait_s, enforce_quotas=enforce_quotas)

    def __enter__(self) -> Self:
        self.emulator.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.emulator.__exit__(None, None, None)

    def reset(self) -> None:
        """Begin again, on the same port."""
        self.emulator.reset(clock=VirtualClock(Nanos(START)))

    def check(self) -> None:
        """Fail when a call has met a fault of ours."""
        assert self.emulator.surprises == []

    def now(self) -> Nanos:
        """Give the instant."""
        return self.emulator.now()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.emulator.advance(seconds)

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something to become true in the emulator, which has work to do until then."""
        while not condition():
            self.emulator.advance(0)

    def is_waited_on(self, subscription: str) -> bool:
        """Say whether a consumer of the subscription waits for messages."""
        return self.emulator.run(_is_waited_on, subscription)


def _is_waited_on(broker: Broker, subscription: str, now: Nanos) -> bool:
    return subscription in broker.existing_names("subscription") and broker.get_subscription(subscription, now).rotation.is_waited_on


class GrpcBackend(EmulatorBackend):
    """Calls over one channel."""

    name = "grpc"

    def __enter__(self) -> Self:
        super().__enter__()
        options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
        self.channel = grpc.insecure_channel(self.emulator.address, options=options)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.channel.close()
        super().__exit__(*exc_info)

    def method(self, name: str) -> Any:
        """Give what makes a call, by the name of its method."""
        response = message_class(BY_NAME[name].response)
        return self.channel.unary_unary(BY_NAME[name].path, request_serializer=_bytes_of, response_deserializer=response.FromString)

    def call(self, method: str, request: Message) -> Message:
        """Make a call."""
        try:
            return cast("Message", self.method(method)(request, timeout=LIMIT_S, wait_for_ready=True))
        except grpc.RpcError as error:
            raise refused(error) from None

    def start(self, method: str, request: Message) -> "GrpcWaiting":
        """Make a Pull that waits."""
        assert isinstance(request, pubsub.PullRequest)
        waiting = GrpcWaiting(self, request.subscription, self.method(method).future(request, timeout=LIMIT_S, wait_for_ready=True))
        self.until(lambda: waiting.is_answered() or self.is_waited_on(request.subscription))
        return waiting

    def stream(self, request: pubsub.StreamingPullRequest) -> "GrpcStream":
        """Open a stream."""
        return GrpcStream(self, request)

    def unread_stream(self, request: pubsub.StreamingPullRequest) -> Any:
        """Open a stream whose client does not read: the call, which can be cancelled."""
        requests: queue.SimpleQueue[pubsub.StreamingPullRequest | None] = queue.SimpleQueue()
        requests.put(request)
        method = BY_NAME["StreamingPull"]
        opened = self.channel.stream_stream(method.path, request_serializer=_bytes_of, response_deserializer=pubsub.StreamingPullResponse.FromString)
        call: Any = opened(iter(requests.get, None), wait_for_ready=True)
        call.add_callback(lambda: requests.put(None))
        call.initial_metadata()
        return call


def _bytes_of(message: Message) -> bytes:
    return message.SerializeToString()


class GrpcWaiting:
    """A call that waits."""

    def __init__(self, backend: GrpcBackend, subscription: str, future: Any) -> None:
        self._backend = backend
        self._subscription = subscription
        self._future = future

    def is_answered(self) -> bool:
        """Say whether the answer is there."""
        return bool(self._future.done())

    def result(self) -> Message:
        """Wait for the answer."""
        try:
            return cast("Message", self._future.result(timeout=LIMIT_S))
        except grpc.RpcError as error:
            raise refused(error) from None

    def cancel(self) -> None:
        """Go away, and wait for the server to notice."""
        self._future.cancel()
        self._backend.until(lambda: not self._backend.is_waited_on(self._subscription))


class GrpcStream:
    """A stream that a thread reads."""

    def __init__(self, backend: GrpcBackend, first: pubsub.StreamingPullRequest) -> None:
        self._backend = backend
        self._requests: queue.SimpleQueue[pubsub.StreamingPullRequest | None] = queue.SimpleQueue()
        self._received: queue.SimpleQueue[pubsub.StreamingPullResponse | Refused] = queue.SimpleQueue()
        self._end: Refused | None = None
        method = BY_NAME["StreamingPull"]
        opened = backend.channel.stream_stream(
            method.path, request_serializer=_bytes_of, response_deserializer=pubsub.StreamingPullResponse.FromString
        )
        self.send(first)
        self._call: Any = opened(iter(self._requests.get, None), wait_for_ready=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._call.initial_metadata()

    def _read(self) -> None:
        try:
            for response in self._call:
                self._received.put(response)
            self._received.put(Refused("OK", ""))
        except grpc.RpcError as error:
            self._received.put(refused(error))

    def send(self, request: pubsub.StreamingPullRequest) -> None:
        """Send another request."""
        self._requests.put(request)

    def half_close(self) -> None:
        """Say that there will be no more requests."""
        self._requests.put(None)

    def next(self) -> pubsub.StreamingPullResponse:
        """Wait for the next response, empty ones included."""
        if self._end is not None:
            raise self._end
        received = self._received.get(timeout=LIMIT_S)
        if isinstance(received, Refused):
            self._end = received
            raise received
        return received

    def responses(self) -> list[pubsub.StreamingPullResponse]:
        """Give what has come: a first ping has all requests carried out, a second one follows all that they set off."""
        found = self._until_pong()
        self._backend.emulator.advance(0)
        return found + self._until_pong()

    def _until_pong(self) -> list[pubsub.StreamingPullResponse]:
        self.send(pubsub.StreamingPullRequest())
        found = []
        while (response := self.next()).ByteSize():
            found.append(response)
        return found

    def error(self) -> Refused:
        """Wait for the end, and say what it was."""
        while self._end is None:
            received = self._received.get(timeout=LIMIT_S)
            if isinstance(received, Refused):
                self._end = received
        return self._end

    def close(self) -> None:
        """End it from this side, and wait for the server to notice."""
        self._requests.put(None)
        self._call.cancel()
        self._reader.join(LIMIT_S)
        self._backend.emulator.advance(0)
