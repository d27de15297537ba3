"""The service of a rehearsal: the broker itself, with one topic and one subscription, in virtual time.

It decides what is delivered when, in which order and how often. What a plan may ask of it is what broker/mischief.py can do; so whatever a handler
meets in a rehearsal, the service may do to it.

PYTEST_DONT_REWRITE
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from publican_emulator.broker import mischief
from publican_emulator.broker.broker import Broker
from publican_emulator.broker.events import Fact, Kind
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.peek import peek
from publican_emulator.broker.settings import DeadLetterPolicy, SubscriptionSettings, TopicSettings
from publican_protocol.pubsub import PubsubMessage
from publican_protocol.wire import message_id_of
from pytest_publican.message import message_of
from pytest_publican.plan import DeliveryPlan

_START: Final = Nanos(1_700_000_000 * SECOND)
_START_TIME: Final = datetime.fromtimestamp(_START // SECOND, UTC)
_TOPIC: Final = "projects/rehearsal/topics/messages"
_DEAD: Final = "projects/rehearsal/topics/dead-letters"
_NAME: Final = "projects/rehearsal/subscriptions/consumer"
_BATCH_BYTES: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Handed:
    """One delivery: which message, under which ack id."""

    message_id: int
    ack_id: str
    attempt: int
    """From 1 with dead-lettering; 0 without."""


class Service:
    """One topic, one subscription with the guarantees of a plan, and the plan's messages, numbered from 1, published."""

    def __init__(self, plan: DeliveryPlan) -> None:
        self.dead_letters: set[int] = set()
        self._plan = plan
        self._now = _START
        self._facts: list[Fact] = []
        self._broker = Broker(self._facts.append)
        self._broker.create_topic(_TOPIC, TopicSettings(), self._now)
        self._broker.create_topic(_DEAD, TopicSettings(), self._now)
        attempts = plan.dead_letter_after
        settings = SubscriptionSettings(
            enable_message_ordering=plan.ordering,
            enable_exactly_once_delivery=plan.exactly_once,
            dead_letter=None if attempts is None else DeadLetterPolicy(_DEAD, attempts),
        )
        self._subscription = self._broker.create_subscription(_NAME, _TOPIC, settings, self._now)
        self._incomplete: dict[str, int] = {}
        self._handed: dict[int, set[str]] = {}
        self._lost: set[str] = set()
        self.messages = dict(enumerate(map(message_of, plan.payloads), 1))
        for message in self.messages.values():
            wire = PubsubMessage(data=message.data, attributes=dict(message.attributes), ordering_key=message.ordering_key)
            self._broker.publish(_TOPIC, [wire.SerializeToString()], self._now)

    @property
    def elapsed_s(self) -> float:
        """How many seconds have passed since the messages were published."""
        return (self._now - _START) / SECOND

    @property
    def publish_time(self) -> datetime:
        """When the messages were published."""
        return _START_TIME

    def take(self, most: int = 1_000) -> list[Handed]:
        """Give what is available, up to `most`."""
        consumer = self._broker.open_pull(_NAME, most, self._now)
        batch = self._broker.lease(consumer, _BATCH_BYTES, self._now)
        self._broker.close(consumer, self._now)
        self._look_at_facts()
        taken = [Handed(message_id_of(each.message), each.ack_id, each.delivery_attempt) for each in batch.deliveries()]
        for handed in taken:
            self._handed.setdefault(handed.message_id, set()).add(handed.ack_id)
        return taken

    def wait(self) -> bool:
        """Let the time pass until something happens, mostly the end of a lease; False: nothing is unacked, so nothing will."""
        due = self._broker.next_due()
        if due is None or not self.unacked():
            return False
        self._now = due
        self._broker.settle(due)
        self._look_at_facts()
        return True

    def unacked(self) -> set[int]:
        """Give the messages that will come again unless they are acked."""
        return {message_id_of(each.message) for each in peek(self._subscription, self._now)}

    def ack(self, handed: Handed, *, is_lost: bool = False) -> str:
        """Ack, and say what became of it: "acked", "acked late", "acked again", "the ack is lost" or "the ack is refused"."""
        if is_lost or self._breaks_order(handed):
            mischief.lose_acks(self._subscription, 1)
            self._lose_from(handed)
        refused = self._broker.try_acknowledge(_NAME, [handed.ack_id], self._now)
        kinds = self._look_at_facts()
        if self._subscription.mischief is not None and self._subscription.mischief.acks_lost:
            self._subscription.mischief.acks_lost = 0
            return "the ack is lost"
        if refused:
            return "the ack is refused"
        return "acked" if Kind.ACKED in kinds else "acked late" if Kind.ACKED_LATE in kinds else "acked again"

    def nack(self, handed: Handed) -> bool:
        """Give a message back; say whether that took effect."""
        return self.extend(handed, 0)

    def extend(self, handed: Handed, seconds: int) -> bool:
        """Give a lease another deadline; say whether that took effect."""
        refused = self._broker.try_modify_ack_deadline(_NAME, [handed.ack_id], seconds, self._now)
        self._look_at_facts()
        return not refused

    def expire(self, message_id: int) -> None:
        """Let the leases of a message end now."""
        self._lost |= self._handed.get(message_id, set())
        mischief.expire(self._subscription, message_id, self._now)
        self._look_at_facts()

    def is_lost(self, handed: Handed) -> bool:
        """Say whether the lease of a delivery has run out while its consumer was alive."""
        return handed.ack_id in self._lost

    def duplicate(self, message_id: int) -> None:
        """Make a second copy of a message available."""
        mischief.duplicate(self._subscription, message_id)

    def reorder(self) -> None:
        """Hand out the next batch in the opposite order."""
        mischief.reorder(self._subscription, 1)

    def key_of(self, message_id: int) -> str:
        """Give the key within which a message has its order; empty: it has none."""
        return self.messages[message_id].ordering_key if self._plan.ordering else ""

    # Where order is kept, a message that comes again brings the later ones of its key along: the service gives them again even if they were acked, so
    # what it lost with the first ack it loses with theirs. Source: "Order messages", cloud.google.com/pubsub/docs/ordering.

    def _breaks_order(self, handed: Handed) -> bool:
        first_lost = self._incomplete.get(self.key_of(handed.message_id))
        if first_lost is not None and handed.message_id <= first_lost:
            del self._incomplete[self.key_of(handed.message_id)]
            return False
        return first_lost is not None

    def _lose_from(self, handed: Handed) -> None:
        if key := self.key_of(handed.message_id):
            self._incomplete.setdefault(key, handed.message_id)

    def _look_at_facts(self) -> set[Kind]:
        """Take note of dead letters; give the kinds of what has happened since the last look."""
        kinds = {fact.kind for fact in self._facts}
        for fact in self._facts:
            if fact.kind is Kind.FORWARDED:
                self.dead_letters.update(map(message_id_of, fact.messages))
        self._facts.clear()
        return kinds
