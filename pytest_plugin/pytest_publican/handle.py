"""What the `pubsub` fixture gives: an address, the names of a project, resources made without a client, and the time.

A topic and a subscription are strings, their full resource names, so any client takes them as they are.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from publican_emulator.broker.broker import Broker
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.settings import SubscriptionSettings, TopicSettings
from publican_emulator.emulator import Emulator

Seed = Mapping[str, Sequence[str]]
"""Topics, each with its subscriptions; short ids or full names."""

_MICROSECOND: Final = 1_000


class Topic(str):
    """A topic: its full name."""

    __slots__ = ()

    @property
    def id(self) -> str:
        """The last part of the name."""
        return self.rpartition("/")[2]


class Subscription(str):
    """A subscription: its full name, and the topic that it is on."""

    __slots__ = ("topic",)
    topic: Topic

    @property
    def id(self) -> str:
        """The last part of the name."""
        return self.rpartition("/")[2]


class Pubsub:
    """A running emulator with a broker of its own for this test."""

    def __init__(self, emulator: Emulator, project: str) -> None:
        self._emulator = emulator
        self.project = project
        """The project of short ids, and of PUBSUB_PROJECT_ID."""

    def __repr__(self) -> str:
        return f"<Pubsub {self.address} {self.project}>"

    @property
    def address(self) -> str:
        """`HOST:PORT`, the value of PUBSUB_EMULATOR_HOST."""
        return self._emulator.address

    def topic(self, topic_id: str) -> Topic:
        """Create a topic.

        Raises:
            PubsubError: as CreateTopic: a bad name, one that is taken.
        """
        name = Topic(self._full("topics", topic_id))
        self._emulator.run(Broker.create_topic, str(name), TopicSettings())
        return name

    def subscription(
        self,
        subscription_id: str,
        topic: str,
        *,
        ack_deadline: int = 10,
        ordering: bool = False,
        filter: str = "",  # noqa: A002  (the service's word)
        exactly_once: bool = False,
    ) -> Subscription:
        """Create a subscription on a topic; `ack_deadline` in seconds.

        Raises:
            PubsubError: as CreateSubscription: no such topic, a bad name, one that is taken, a setting out of bounds.
        """
        name = Subscription(self._full("subscriptions", subscription_id))
        name.topic = Topic(self._full("topics", topic))
        settings = SubscriptionSettings(
            ack_deadline_s=ack_deadline, enable_message_ordering=ordering, filter=filter, enable_exactly_once_delivery=exactly_once
        )
        self._emulator.run(Broker.create_subscription, str(name), str(name.topic), settings)
        return name

    def seed(self, seed: Seed) -> None:
        """Create topics and their subscriptions."""
        for topic_id, subscription_ids in seed.items():
            topic = self.topic(topic_id)
            for subscription_id in subscription_ids:
                self.subscription(subscription_id, topic)

    def now(self) -> datetime:
        """Give the time, in UTC; it stands still between `advance` and `move_to`."""
        seconds, nanos = divmod(self._emulator.now(), SECOND)
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=nanos // _MICROSECOND)

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass: leases run out, retention drops, back-off ends, each at its own instant and in order."""
        self._emulator.advance(seconds)

    def move_to(self, instant: datetime) -> None:
        """Let time pass until `instant`, which must not lie in the past.

        Raises:
            ValueError: it does, or it has no time zone.
        """
        if instant.tzinfo is None:
            raise ValueError(f"{instant!r} has no time zone; say which one: datetime(..., tzinfo=UTC)")
        since = instant - datetime(1970, 1, 1, tzinfo=UTC)
        self._emulator.move_to(Nanos((since.days * 86_400 + since.seconds) * SECOND + since.microseconds * _MICROSECOND))

    def _full(self, collection: str, name: str) -> str:
        return str(name) if "/" in name else f"projects/{self.project}/{collection}/{name}"
