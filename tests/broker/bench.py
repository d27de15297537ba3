"""A broker on a bench: its operations in the words of the field, with names and the time filled in.

One topic and one subscription unless a test asks for more. Time moves only by `advance`, which visits every deadline in between.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from publican_emulator.broker.broker import Broker
from publican_emulator.broker.consumer import Consumer
from publican_emulator.broker.events import Fact, Kind
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.settings import SubscriptionSettings, TopicSettings
from publican_emulator.broker.snapshot import Snapshot
from publican_emulator.broker.subscription import Subscription
from publican_protocol import pubsub

NOON: Final = Nanos(1_700_000_000 * SECOND)
TOPIC: Final = "projects/p/topics/orders"
SUBSCRIPTION: Final = "projects/p/subscriptions/billing"
SNAPSHOT: Final = "projects/p/snapshots/monday"


@dataclass(frozen=True)
class Got:
    """A delivery as a client sees it."""

    data: str
    ack_id: str
    attempt: int
    message: Any
    consumer: Consumer | None = None

    def __str__(self) -> str:
        return self.data


def message(data: str | bytes, key: str = "", **attributes: str) -> bytes:
    """Give the bytes of a message as a publisher sends it."""
    data = data.encode() if isinstance(data, str) else data
    return pubsub.PubsubMessage(data=data, ordering_key=key, attributes=attributes).SerializeToString()


def data(got: Iterable[Got]) -> list[str]:
    """Give the data of deliveries, in their order."""
    return [each.data for each in got]


class Bench:
    """A broker and its time."""

    def __init__(self, *, listens: bool = False) -> None:
        self.now = NOON
        self.facts: list[Fact] = []
        self.broker = Broker(self.facts.append if listens else None)

    # resources

    def topic(self, name: str = TOPIC, **settings: Any) -> str:
        self.broker.create_topic(name, TopicSettings(**settings), self.now)
        return name

    def subscription(self, name: str = SUBSCRIPTION, *, topic: str = TOPIC, **settings: Any) -> Subscription:
        if topic not in self.broker.existing_names("topic"):
            self.topic(topic)
        return self.broker.create_subscription(name, topic, SubscriptionSettings(**settings), self.now)

    def snapshot(self, name: str = SNAPSHOT, *, of: str = SUBSCRIPTION) -> Snapshot:
        return self.broker.create_snapshot(name, of, {}, self.now)

    # messages

    def publish(self, *messages: str, topic: str = TOPIC, key: str = "", **attributes: str) -> list[int]:
        """Publish in one request and give the ids."""
        return list(self.broker.publish(topic, [message(each, key, **attributes) for each in messages], self.now))

    def pull(self, most: int = 1_000, *, of: str = SUBSCRIPTION, max_bytes: int = 10_000_000) -> list[Got]:
        """Take what one Pull gives at once."""
        consumer = self.broker.open_pull(of, most, self.now)
        got = self.take(consumer, max_bytes=max_bytes)
        self.broker.close(consumer, self.now)
        return got

    def stream(self, *, of: str = SUBSCRIPTION, deadline: int = 10, most: int = 0, most_bytes: int = 0) -> Consumer:
        """Open a stream."""
        return self.broker.open_stream(of, deadline, most, most_bytes, "", self.now)

    def take(self, consumer: Consumer, *, max_bytes: int = 10_000_000) -> list[Got]:
        """Take what a consumer can have now."""
        got = []
        for delivery in self.broker.lease(consumer, max_bytes, self.now).deliveries():
            parsed = pubsub.PubsubMessage.FromString(delivery.message)
            got.append(Got(parsed.data.decode(), delivery.ack_id, delivery.delivery_attempt, parsed, consumer))
        return got

    def want(self, consumer: Consumer) -> None:
        self.broker.want(consumer, self.now)

    def told(self) -> list[Consumer]:
        """Give the consumers that were told to come since the last look."""
        told = list(self.broker.ready)
        self.broker.ready.clear()
        return told

    def ack(self, *got: Got, of: str = SUBSCRIPTION) -> None:
        self.broker.acknowledge(of, [each.ack_id for each in got], self.now)

    def extend(self, *got: Got, seconds: int, of: str = SUBSCRIPTION) -> None:
        self.broker.modify_ack_deadline(of, [each.ack_id for each in got], seconds, self.now)

    def nack(self, *got: Got, of: str = SUBSCRIPTION) -> None:
        self.extend(*got, seconds=0, of=of)

    def seek(self, seconds: float, *, of: str = SUBSCRIPTION) -> None:
        """Seek to an instant that many seconds after noon."""
        self.broker.seek_to_time(of, Nanos(NOON + round(seconds * SECOND)), self.now)

    # time

    def advance(self, seconds: float) -> None:
        """Let time pass from deadline to deadline."""
        until = Nanos(self.now + round(seconds * SECOND))
        while (due := self.broker.next_due()) is not None and due <= until:
            self.now = max(due, self.now)
            self.broker.settle(self.now)
        self.now = until
        self.broker.settle(until)

    def jump(self, seconds: float) -> None:
        """Let time pass without anybody looking: the next operation settles all of it."""
        self.now = Nanos(self.now + round(seconds * SECOND))

    # looking

    def heard(self, kind: Kind) -> list[Fact]:
        """Give the facts of one kind."""
        return [fact for fact in self.facts if fact.kind is kind]
