"""A topic: where messages are published, and which subscriptions see them.

Publishing appends to one log, whatever the number of subscriptions; those with a filter or ordering keep an index of their own and are fed. A topic
that nobody reads and that retains nothing stores nothing.

Source: google.pubsub.v1.Topic; docs/semantics.md, publish.

PYTEST_DONT_REWRITE
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from publican_emulator.broker import filters
from publican_emulator.broker.ingestion import Ingested
from publican_emulator.broker.instants import MILLISECOND, Nanos
from publican_emulator.broker.intake import Intake
from publican_emulator.broker.log import Attic, Cursor, Log
from publican_emulator.broker.settings import TopicSettings
from publican_protocol import wire

if TYPE_CHECKING:
    from publican_emulator.broker.subscription import Subscription

_MEMO_TAILS: Final = 10_000
_MEMO_TAIL_BYTES: Final = 512


class Topic:
    """One topic."""

    def __init__(self, name: str, settings: TopicSettings, attic: Attic) -> None:
        self.name = name
        self.settings = settings
        self.log = Log()
        self._attic = attic
        self.armed: Nanos | None = None
        self.subscriptions: dict[str, Subscription] = {}
        self.snapshots: set[str] = set()
        self.ingested = Ingested()
        self.attentive: dict[Subscription, None] = {}
        """Subscriptions that want to be told of the next publish: somebody waits there, or their retention has no timer."""
        self.kept: Cursor | None = self.log.end() if settings.message_retention is not None else None
        """From here on everything published is retained."""
        self.last_publish = Nanos(0)
        """Publish times never run backwards."""
        self._indexed: list[tuple[Subscription, filters.Filter | None]] = []
        self._memo: dict[bytes, tuple[bool, ...]] = {}

    # subscriptions

    def attach(self, subscription: "Subscription") -> None:
        """Let a subscription see what is published from now on."""
        self.subscriptions[subscription.name] = subscription
        self.attentive[subscription] = None
        self._index()

    def detach(self, subscription: "Subscription") -> None:
        """Let a subscription see nothing more."""
        self.subscriptions.pop(subscription.name, None)
        self.attentive.pop(subscription, None)
        self._index()

    def _index(self) -> None:
        self._indexed = [
            (subscription, filters.parse(subscription.settings.filter) if subscription.settings.filter.strip() else None)
            for subscription in self.subscriptions.values()
            if subscription.retention.own_log is not None
        ]
        self._memo.clear()

    # messages

    def publish(
        self, messages: Sequence[bytes], tails: Sequence[bytes], intake: Intake, first_id: int, now: Nanos, *, is_heard: bool = False
    ) -> list[bytes]:
        """Store checked messages under consecutive ids and give them as they are stored; nothing is stored when nobody will read them.

        `is_heard`: somebody listens to the facts, and is told even what nobody reads.
        """
        if not (self.is_read or is_heard):
            return []
        # milliseconds, as in every recording of the service; never backwards, since cursors search by it
        self.last_publish = max(self.last_publish, Nanos(now - now % MILLISECOND))
        stored = wire.stamp(messages, first_id, self.last_publish)
        if not self.is_read:
            return stored
        if len(self._indexed) < len(self.subscriptions) or self.kept is not None or self.snapshots:
            self.log.append(stored)
        if self._indexed:
            self._feed(stored, tails, intake)
        return stored

    def tell(self) -> None:
        """Tell the subscriptions that were waiting for a publish."""
        for subscription in list(self.attentive):
            if not subscription.on_published(self.last_publish):
                del self.attentive[subscription]

    @property
    def is_read(self) -> bool:
        """Whether anybody will ever read what is published now."""
        return bool(self.subscriptions or self.kept is not None or self.snapshots)

    def _feed(self, stored: Sequence[bytes], tails: Sequence[bytes], intake: Intake) -> None:
        fed: list[tuple[list[bytes], list[str]]] = [([], []) for _ in self._indexed]
        for message, tail in zip(stored, tails, strict=True):
            passes = self._memo.get(tail)
            said = intake.read(tail)
            if passes is None:
                passes = tuple(test is None or test.matches(said.attributes) for _, test in self._indexed)
                self._remember(tail, passes)
            for place, passed in enumerate(passes):
                if passed:
                    messages, keys = fed[place]
                    messages.append(message)
                    keys.append(said.ordering_key)
        for (subscription, _), (messages, keys) in zip(self._indexed, fed, strict=True):
            if messages:
                subscription.feed(messages, keys)

    def _remember(self, tail: bytes, passes: tuple[bool, ...]) -> None:
        if len(tail) <= _MEMO_TAIL_BYTES:
            if len(self._memo) >= _MEMO_TAILS:
                self._memo.clear()
            self._memo[tail] = passes

    # retention

    def retain(self, settings: TopicSettings) -> None:
        """Take other settings: retention begins now, changes its span, or ends."""
        self.settings = settings
        if settings.message_retention is None:
            self.keep_no_more()
        elif self.kept is None:
            self.kept = self.log.end()

    def keep_no_more(self) -> None:
        """Let go of what only retention has kept."""
        if self.kept is not None:
            self._attic.take(self.kept.segment, self.log.tail)
        self.kept = None

    def next_due(self) -> Nanos | None:
        """Give the instant when the oldest retained message is too old."""
        span = self.settings.message_retention
        oldest = None if self.kept is None else self.kept.peek()
        return None if span is None or oldest is None else Nanos(wire.publish_time_of(oldest) + span)

    def settle(self, now: Nanos) -> None:
        """Forget retained messages that are too old."""
        span = self.settings.message_retention
        if self.kept is not None and span is not None:
            self.kept.skip_before(Nanos(now - span + 1), self._attic)
