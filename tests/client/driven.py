"""A subscriber's machine driven by hand: what it says is collected, and the service's side is played by the test."""

from collections.abc import Iterable, Mapping, Sequence

from publican import effects
from publican.clock import SECOND, Nanos, nanos
from publican.errors import FailedPrecondition, PubsubError
from publican.flow import FlowControl
from publican.leases import Delivery
from publican.receiving import Receiving
from publican.settlement import Batch, How, Kind
from publican_protocol import pubsub

SUBSCRIPTION = "projects/p/subscriptions/billing"
START = Nanos(1_800_000_000 * SECOND)


def response(
    *ids: int, key: str = "", size: int = 0, exactly_once: bool | None = None, ordered: bool | None = None, attempt: str = ""
) -> pubsub.StreamingPullResponse:
    """Give a response with messages of these ids, under ack ids `ack-<id>`."""
    made = pubsub.StreamingPullResponse()
    for each in ids:
        message = pubsub.PubsubMessage(message_id=str(each), data=b"x" * size, ordering_key=key)
        made.received_messages.append(pubsub.ReceivedMessage(ack_id=f"ack-{each}{attempt}", message=message))
    if exactly_once is not None or ordered is not None:
        made.subscription_properties.exactly_once_delivery_enabled = bool(exactly_once)
        made.subscription_properties.message_ordering_enabled = bool(ordered)
    return made


def ack_failures(failures: Mapping[str, str]) -> PubsubError:
    """Give the error with which the service answers for each ack id."""
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "metadata": dict(failures)}
    return FailedPrecondition("Some acknowledgement ids in the request were invalid.", details=[info])


class Driven:
    """A machine, its time, and what it has said."""

    def __init__(self, *, jitter: float = 0.0, flow_control: FlowControl | None = None, connected: bool = True, **settings: object) -> None:
        self.now = START
        self.machine = Receiving(SUBSCRIPTION, flow_control or FlowControl(), lambda: jitter, **settings)  # type: ignore[arg-type]
        self.handed: list[Delivery] = []
        self.sent: list[Batch] = []
        self.said: list[effects.Effect] = []
        self.lost: list[Delivery] = []
        self.answers = True
        self.machine.start(self.now)
        if connected:
            self.machine.connected(self.now)
        self.look()

    def look(self) -> None:
        """Take what the machine says; calls are answered at once, unless the test wants to."""
        while self.machine.has_effects:
            for effect in self.machine.take():
                self.said.append(effect)
                match effect:
                    case effects.Hand(deliveries):
                        self.handed += deliveries
                    case effects.Lost(deliveries):
                        self.lost += deliveries
                    case effects.Send(batch):
                        self.sent.append(batch)
                        if self.answers:
                            self.machine.answered(batch, None, self.now)

    def receive(self, *ids: int, **about: object) -> list[Delivery]:
        """Let a response come; give what is handed out because of it."""
        before = len(self.handed)
        self.machine.received(response(*ids, **about), self.now)  # type: ignore[arg-type]
        self.look()
        return self.handed[before:]

    def answer(self, batch: Batch, error: PubsubError | None = None) -> None:
        """Answer one call."""
        self.machine.answered(batch, error, self.now)
        self.look()

    def settle(self, deliveries: Iterable[Delivery] | Delivery, how: How = How.ACK) -> None:
        """Settle what was handed out."""
        for each in [deliveries] if isinstance(deliveries, Delivery) else deliveries:
            self.machine.settled(each, how, self.now)
        self.look()

    def advance(self, seconds: float) -> None:
        """Let time pass, from deadline to deadline."""
        end = Nanos(self.now + nanos(seconds))
        while (due := self.machine.next_due()) is not None and due <= end:
            self.now = max(due, self.now)
            self.machine.settle(self.now)
            self.look()
        self.now = end
        self.machine.settle(end)
        self.look()

    def ids(self, deliveries: Sequence[Delivery] | None = None) -> list[int]:
        """Give the message ids of what was handed out."""
        return [int(each.received.message.message_id) for each in (self.handed if deliveries is None else deliveries)]

    def calls(self, kind: Kind) -> list[list[str]]:
        """Give the ack ids of each request of a kind, without their prefix."""
        return [[each.removeprefix("ack-") for each in batch.ack_ids] for batch in self.sent if batch.kind is kind]

    def happened(self, kind: type[effects.Effect]) -> list[effects.Effect]:
        """Give the effects of one kind."""
        return [each for each in self.said if isinstance(each, kind)]
