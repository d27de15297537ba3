"""The core by itself: the broker is called for what moves messages, the service methods for resources. No event loop, no bytes on a socket."""

from typing import Self, cast

from google.protobuf.message import Message

from publican_emulator.broker import limits
from publican_emulator.broker.batch import Batch
from publican_emulator.broker.broker import Broker
from publican_emulator.broker.consumer import Consumer, Mood
from publican_emulator.broker.errors import ErrorInfo, PubsubError
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.driver import Driver, VirtualClock
from publican_emulator.rpc.call import CallInfo
from publican_emulator.schemas.compiler import compile_definition
from publican_emulator.services import table
from publican_protocol import known, pubsub
from publican_protocol.pool import message_class
from tests.semantics.backends.backend import BY_NAME, START, Refused


def refused(error: PubsubError) -> Refused:
    """Give what a caller learns of an error."""
    infos = [detail for detail in error.details if isinstance(detail, ErrorInfo)]
    return Refused(error.code.name, error.message, infos[0].reason if infos else "", dict(infos[0].metadata) if infos else {})


class CoreBackend:
    """A broker, and a number for the time."""

    name = "core"

    def __enter__(self) -> Self:
        self.reset()
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass

    def reset(self) -> None:
        """Begin again."""
        self.clock = VirtualClock(Nanos(START))
        self.broker = Broker(compile_schema=compile_definition)
        self.takers: list[Taker] = []
        self._services = table.unary(Driver(self.broker, self.clock), {})

    def check(self) -> None:
        """Fail when something has happened inside that should not: here it would have been raised."""

    def now(self) -> Nanos:
        """Give the instant."""
        return self.clock.now()

    def advance(self, seconds: float) -> None:
        """Let time pass, from deadline to deadline: whoever waits takes what is there before time goes on."""
        end = Nanos(self.now() + round(seconds * SECOND))
        while (due := self.broker.next_due()) is not None and due <= end:
            self.clock.move_to(max(due, self.now()))
            self.broker.settle(self.now())
            self.deliver()
        self.clock.move_to(end)
        self.broker.settle(end)
        self.deliver()

    def deliver(self) -> None:
        """Let those who were told to come take what they were told of."""
        while told := [taker for taker in self.takers if taker.consumer.mood is Mood.READY]:
            for taker in told:
                taker.take()
        self.broker.ready.clear()

    def call(self, method: str, request: Message) -> Message:
        """Make a call."""
        try:
            return self._call(method, request)
        except PubsubError as error:
            raise refused(error) from None
        finally:
            self.deliver()

    def _call(self, method: str, request: Message) -> Message:
        broker, now = self.broker, self.now()
        match request:
            case pubsub.PublishRequest():
                messages = [message.SerializeToString() for message in request.messages]
                ids = broker.publish_request(request.topic, messages, request.ByteSize(), now)
                return pubsub.PublishResponse(message_ids=map(str, ids))
            case pubsub.PullRequest():
                consumer = broker.open_pull(request.subscription, request.max_messages, now)
                batch = broker.lease(consumer, limits.PULL_BYTES, now)
                broker.close(consumer, now)
                return pubsub.PullResponse.FromString(batch.encoded())
            case pubsub.AcknowledgeRequest():
                broker.acknowledge(request.subscription, list(request.ack_ids), now)
                return known.Empty()
            case pubsub.ModifyAckDeadlineRequest():
                broker.modify_ack_deadline(request.subscription, list(request.ack_ids), request.ack_deadline_seconds, now)
                return known.Empty()
        path = BY_NAME[method].path
        answer = cast("bytes", self._services[path](request.SerializeToString(), CallInfo(path, "grpc")))
        return message_class(BY_NAME[method].response).FromString(answer)

    def start(self, method: str, request: Message) -> "CorePull":
        """Make a Pull that waits."""
        assert isinstance(request, pubsub.PullRequest)
        try:
            pull = CorePull(self, self.broker.open_pull(request.subscription, request.max_messages, self.now()))
        except PubsubError as error:
            raise refused(error) from None
        self.deliver()
        return pull

    def stream(self, request: pubsub.StreamingPullRequest) -> "CoreStream | EndedStream":
        """Open a stream."""
        try:
            consumer = self.broker.open_stream(
                request.subscription,
                request.stream_ack_deadline_seconds,
                request.max_outstanding_messages,
                request.max_outstanding_bytes,
                request.client_id,
                self.now(),
            )
        except PubsubError as error:
            return EndedStream(refused(error))
        stream = CoreStream(self, consumer, request.subscription)
        self.deliver()
        return stream


class Taker:
    """A consumer that asks for messages and takes them when it is told to."""

    most_bytes: int

    def __init__(self, backend: CoreBackend, consumer: Consumer) -> None:
        self.backend = backend
        self.consumer = consumer
        self.received: list[Message] = []
        self.end: Refused | None = None
        backend.takers.append(self)
        self.want()

    def want(self) -> None:
        """Ask for messages."""
        self.backend.broker.want(self.consumer, self.backend.now())

    def take(self) -> None:
        """Take what is there."""
        try:
            self.on_batch(self.backend.broker.lease(self.consumer, self.most_bytes, self.backend.now()))
        except PubsubError as error:
            self.end = refused(error)
            self.close()

    def on_batch(self, batch: Batch) -> None:
        """Do with messages what this taker does."""
        raise NotImplementedError

    def close(self) -> None:
        """Go away."""
        if self in self.backend.takers:
            self.backend.takers.remove(self)
            self.backend.broker.close(self.consumer, self.backend.now())
            self.backend.deliver()


class CorePull(Taker):
    """A Pull that waits."""

    most_bytes = limits.PULL_BYTES

    def on_batch(self, batch: Batch) -> None:
        """Answer, or go on waiting."""
        if batch:
            self.received.append(pubsub.PullResponse.FromString(batch.encoded()))
            self.close()
        else:
            self.want()

    def is_answered(self) -> bool:
        """Say whether the answer is there."""
        return bool(self.received) or self.end is not None

    def result(self) -> Message:
        """Give the answer."""
        if self.end is not None:
            raise self.end
        return self.received[0]

    def cancel(self) -> None:
        """Go away."""
        self.close()


class CoreStream(Taker):
    """A stream whose client reads at once."""

    most_bytes = limits.STREAM_RESPONSE_BYTES

    def __init__(self, backend: CoreBackend, consumer: Consumer, subscription: str) -> None:
        self._subscription = subscription
        super().__init__(backend, consumer)

    def on_batch(self, batch: Batch) -> None:
        """Note what came, and ask for more."""
        if batch:
            self.received.append(pubsub.StreamingPullResponse.FromString(batch.encoded()))
        self.want()

    def send(self, request: pubsub.StreamingPullRequest) -> None:
        """Carry out what a later request asks of the core: acks, deadline changes, another deadline of the stream."""
        broker, now = self.backend.broker, self.backend.now()
        try:
            if request.stream_ack_deadline_seconds:
                broker.set_stream_deadline(self.consumer, request.stream_ack_deadline_seconds, now)
            if request.ack_ids:
                broker.try_acknowledge(self._subscription, list(request.ack_ids), now)
            for ack_id, seconds in zip(request.modify_deadline_ack_ids, request.modify_deadline_seconds, strict=True):
                broker.try_modify_ack_deadline(self._subscription, [ack_id], seconds, now)
        except PubsubError as error:
            self.end = refused(error)
            self.close()
        self.backend.deliver()

    def responses(self) -> list[pubsub.StreamingPullResponse]:
        """Give what has come."""
        if self.end is not None:
            raise self.end
        received, self.received = self.received, []
        return cast("list[pubsub.StreamingPullResponse]", received)

    def error(self) -> Refused:
        """Say what the end was."""
        assert self.end is not None, "the stream is still open"
        return self.end


class EndedStream:
    """A stream that never began."""

    def __init__(self, end: Refused) -> None:
        self._end = end

    def send(self, request: pubsub.StreamingPullRequest) -> None:
        """Nobody listens."""

    def responses(self) -> list[pubsub.StreamingPullResponse]:
        """Raise the end."""
        raise self._end

    def error(self) -> Refused:
        """Say what the end was."""
        return self._end

    def close(self) -> None:
        """It is closed."""
