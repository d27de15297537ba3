"""What is fuzzed: the connection, header blocks, gRPC messages, the wire parser of the hot messages, REST bodies and targets.

PYTEST_DONT_REWRITE
"""

from collections.abc import Callable

from publican_emulator.broker.broker import Broker
from publican_emulator.broker.errors import PubsubError
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.settings import SubscriptionSettings, TopicSettings
from publican_emulator.driver import Driver, VirtualClock
from publican_emulator.rpc.call import CallInfo
from publican_emulator.rpc.dispatch import Dispatcher
from publican_emulator.rpc.http import HttpRequest, HttpResponse
from publican_emulator.rpc.rest import Rest
from publican_emulator.rpc.status import Failure
from publican_emulator.services import table
from publican_emulator.services.messages import Messages, read_acknowledge, read_modify, read_publish
from publican_emulator.transport import grpc_messages
from publican_emulator.transport.http2 import frames
from publican_emulator.transport.http2.connection import Connection
from publican_emulator.transport.http2.headers import Decoder
from publican_emulator.transport.http2.streams import Stream
from publican_protocol.codes import Code

TOPIC = "projects/p/topics/abc"
SUBSCRIPTION = "projects/p/subscriptions/abc"
BUGS = (Code.INTERNAL, Code.UNKNOWN)


class _Echo:
    """A receiver that answers every complete request with what it got."""

    def __init__(self) -> None:
        self.connection = Connection(self)

    def on_request(self, stream: Stream, ends: bool) -> None:
        if ends:
            self.on_data(stream, b"", ends)

    def on_data(self, stream: Stream, data: bytes, ends: bool) -> None:
        self.connection.credit(stream, len(data))
        if ends:
            self.connection.sending.whole(stream, b"\x88", data, b"\x88")

    def on_whole_request(self, stream: Stream, data: bytes) -> None:
        self.on_data(stream, data, True)

    def on_reset(self, stream: Stream) -> None:
        pass

    def on_room(self, stream: Stream) -> None:
        pass


def connection(data: bytes) -> None:
    """Frames after a good preface: a fault is an answer, anything else is a bug; and the bytes' cuts change nothing."""
    whole, cut = _Echo().connection, _Echo().connection
    preface = frames.PREFACE + frames.settings({})
    whole.receive(preface + data, 0.0)
    middle = len(data) // 2
    cut.receive(preface + data[:middle], 0.0)
    cut.receive(data[middle:], 0.0)
    assert bytes(whole.outgoing) == bytes(cut.outgoing)


def header_block(data: bytes) -> None:
    """Header blocks, two in a row on one table."""
    decoder = Decoder()
    try:
        decoder.decode(data[: len(data) // 2])
        decoder.decode(data[len(data) // 2 :])
        decoder.decode(data[len(data) // 2 :])
    except frames.ConnectionFault:
        pass


def grpc_message(data: bytes) -> None:
    """Length-prefixed messages, whole and as a stream."""
    encoding, data = (b"gzip" if data[:1] < b"\x80" else b"deflate"), data[1:]
    try:
        grpc_messages.whole(data, encoding)
    except PubsubError:
        pass
    splitter = grpc_messages.Splitter(encoding)
    try:
        for byte in data:
            splitter.feed(bytes((byte,)))
    except PubsubError:
        pass


def _served() -> tuple[Dispatcher, Rest, Driver]:
    broker = Broker()
    now = Nanos(1_700_000_000 * SECOND)
    broker.create_topic(TOPIC, TopicSettings(), now)
    broker.create_subscription(SUBSCRIPTION, TOPIC, SubscriptionSettings(), now)
    driver = Driver(broker, VirtualClock(now))
    dispatcher = Dispatcher(table.unary(driver, Messages(driver, pull_wait_s=0.0).handlers()))
    return dispatcher, Rest(dispatcher), driver


def wire_messages(data: bytes) -> None:
    """The hot messages: the walk over bytes and the message objects must agree; whatever is stored can be delivered again."""
    for read in (read_publish, read_acknowledge, read_modify):
        try:
            read(data)
        except PubsubError:
            pass
    dispatcher, _, _ = _served()
    info = CallInfo("", "grpc")
    for path in ("Publisher/Publish", "Subscriber/Acknowledge", "Subscriber/ModifyAckDeadline"):
        _check(dispatcher.call(f"/google.pubsub.v1.{path}", data, info))


def publish(data: bytes) -> None:
    """One message as its publisher wrote it: refused, or delivered readable."""
    from publican_protocol import pubsub, wire

    dispatcher, _, driver = _served()
    topic = TOPIC.encode()
    request = b"\x0a" + wire.varint(len(topic)) + topic + b"\x12" + wire.varint(len(data)) + data
    answer = dispatcher.call("/google.pubsub.v1.Publisher/Publish", request, CallInfo("", "grpc"))
    _check(answer)
    if isinstance(answer, bytes):
        consumer, _ = driver.run(driver.broker.open_pull, SUBSCRIPTION, 10)
        batch, _ = driver.run(driver.broker.lease, consumer, 1 << 24)
        response = pubsub.PullResponse.FromString(batch.encoded())
        assert [received.message.message_id for received in response.received_messages] == ["1"]


def rest(data: bytes) -> None:
    """REST: a verb, a target and a body."""
    _, served, _ = _served()
    verb = ("GET", "PUT", "POST", "DELETE", "PATCH")[data[0] % 5] if data else "GET"
    target, _, body = data[1:].partition(b"\n")
    answer = served.answer(HttpRequest(verb, "/v1/" + target.decode("latin-1"), {}, body))
    assert not isinstance(answer, HttpResponse) or answer.status != 500, answer.body


def rest_publish(data: bytes) -> None:
    """The body of a REST publish."""
    _, served, _ = _served()
    answer = served.answer(HttpRequest("POST", f"/v1/{TOPIC}:publish", {}, data))
    assert not isinstance(answer, HttpResponse) or answer.status in (200, 400), answer.body


def _check(answer: object) -> None:
    assert not isinstance(answer, Failure) or answer.code not in BUGS, answer.message


TARGETS: dict[str, Callable[[bytes], None]] = {
    "connection": connection,
    "header_block": header_block,
    "grpc_message": grpc_message,
    "wire_messages": wire_messages,
    "publish": publish,
    "rest": rest,
    "rest_publish": rest_publish,
}
