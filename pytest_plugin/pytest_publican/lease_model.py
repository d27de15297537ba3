"""A naive second Pub/Sub, to compare the broker with: lists and loops, no groups, no indexes, nothing remembered that can be counted again.

Written from docs/semantics.md. It does not choose what is handed out: it is shown what the broker handed out, says whether that was right, and takes
it for its own state. Where the page leaves a choice, the choices are the broker's: deadlines are exact; redeliveries come before new messages, in
publish order; a message has one lease at a time; without exactly-once delivery any known ack id acks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

SECOND = 1_000_000_000
MILLISECOND = 1_000_000
Attributes = dict[str, str]


@dataclass(eq=False)
class Message:
    """One published message. `origin` is the source subscription of a dead letter."""

    data: str
    key: str
    attributes: Attributes
    time: int = 0
    origin: str = ""
    count: int = 0
    number: int = 0


@dataclass(eq=False)
class Copy:
    """A message in one subscription."""

    message: Message
    state: str = "waiting"  # leased, acked
    ack_id: str = ""
    acked_by: str = ""
    holder: object = None
    deadline: int = 0
    due: int = 0
    failures: int = 0
    uncounted: int = 0
    was_delivered: bool = False
    is_kept: bool = False

    def again(self) -> None:
        """Start afresh: after a seek."""
        self.state, self.ack_id, self.acked_by, self.holder, self.due = "waiting", "", "", None, 0
        self.failures, self.uncounted, self.was_delivered, self.is_kept = 0, 0, False, False


@dataclass(frozen=True)
class Settings:
    """What a subscription is told. Seconds."""

    deadline: int = 10
    ordered: bool = False
    exactly_once: bool = False
    filter: str = ""
    dead_letter: str = ""
    attempts: int = 5
    backoff: tuple[int, int] | None = None
    retention: int = 600
    keep_acked: bool = False


FILTERS: dict[str, Callable[[Attributes], bool]] = {
    "": lambda _: True,
    "attributes:a": lambda attributes: "a" in attributes,
    'attributes.a != "x"': lambda attributes: attributes.get("a") != "x",
    'hasPrefix(attributes.a, "x") OR attributes:b': lambda attributes: attributes.get("a", "").startswith("x") or "b" in attributes,
}


@dataclass(eq=False)
class Topic:
    """A topic and, with a retention, what it keeps."""

    name: str
    retention: int = 0
    kept: list[Message] = field(default_factory=list)
    is_deleted: bool = False


@dataclass(eq=False)
class Subscription:
    """A subscription: every copy it ever had, in publish order, except what has been dropped."""

    name: str
    topic: Topic
    settings: Settings
    policy_topic: Topic | None = None
    copies: list[Copy] = field(default_factory=list)
    by_id: dict[str, Copy] = field(default_factory=dict)

    def passes(self, message: Message) -> bool:
        """Say whether the filter lets a message pass."""
        return FILTERS[self.settings.filter](message.attributes)

    def unacked(self) -> list[Copy]:
        """Give what is in the backlog, outstanding or not."""
        return [copy for copy in self.copies if copy.state != "acked"]

    def of_key(self, key: str) -> list[Copy]:
        """Give the unacked copies of one key."""
        return [copy for copy in self.unacked() if copy.message.key == key]

    def is_keyed(self, copy: Copy) -> bool:
        """Say whether the copy stands in an order."""
        return self.settings.ordered and copy.message.key != ""

    def span(self) -> int:
        """Give for how long unacked messages are kept, in nanoseconds."""
        return max(self.settings.retention, 0 if self.topic.is_deleted else self.topic.retention) * SECOND

    def own_span(self) -> int:
        """Give for how long acked messages are kept, where they are."""
        return self.settings.retention * SECOND

    def available(self, consumer: object, now: int) -> list[Copy]:
        """Give what could be handed to `consumer` now: redeliveries first, then new messages, each in publish order."""
        found = []
        for copy in self.unacked():
            if copy.state == "leased" or copy.due > now:
                continue
            if self.is_keyed(copy):
                key = self.of_key(copy.message.key)
                if any(other.state == "leased" and other.holder is not consumer for other in key):
                    continue
                if any(other.state == "waiting" and other.due > now for other in key[: key.index(copy)]):
                    continue
            found.append(copy)
        return [copy for copy in found if copy.was_delivered] + [copy for copy in found if not copy.was_delivered]

    def hand_out(self, copy: Copy, ack_id: str, consumer: object, deadline: int) -> int:
        """Lease a copy; give the attempt that should be reported."""
        copy.state, copy.ack_id, copy.holder, copy.deadline, copy.was_delivered = "leased", ack_id, consumer, deadline, True
        self.by_id[ack_id] = copy
        return 1 + copy.failures - copy.uncounted if self.settings.dead_letter else 0

    def acknowledge(self, ack_ids: Sequence[str], now: int) -> set[str]:
        """Ack; give what exactly-once delivery refuses."""
        refused = set()
        for ack_id in ack_ids:
            copy = self.by_id.get(ack_id)
            if self.settings.exactly_once:
                is_current = copy is not None and copy.state == "leased" and copy.ack_id == ack_id and now < copy.deadline
                if not is_current and (copy is None or copy.acked_by != ack_id):
                    refused.add(ack_id)
                    continue
            if copy is not None and copy.state != "acked":
                self._ack(copy, ack_id)
        return refused

    def _ack(self, copy: Copy, ack_id: str = "") -> None:
        copy.state, copy.acked_by, copy.holder, copy.is_kept = "acked", ack_id, None, self.settings.keep_acked

    def modify(self, ack_ids: Sequence[str], seconds: int, now: int) -> tuple[set[str], list[Message]]:
        """Extend, or nack with 0; give what exactly-once delivery refuses, and what became a dead letter."""
        refused, forwarded = set(), []
        for ack_id in ack_ids:
            copy = self.by_id.get(ack_id)
            if copy is None or copy.state != "leased" or copy.ack_id != ack_id:
                if self.settings.exactly_once:
                    refused.add(ack_id)
            elif seconds:
                copy.deadline = now + seconds * SECOND
            else:
                forwarded += self.fail(copy, now)
        return refused, forwarded

    def fail(self, copy: Copy, now: int) -> list[Message]:
        """End a lease without an ack; give the dead letter that the message becomes, if it does."""
        copy.failures += 1
        copy.state, copy.holder = "waiting", None
        if self.settings.backoff is not None:
            low, high = self.settings.backoff
            copy.due = now + min(high, low * 2 ** (copy.failures - 1)) * SECOND
        if self.is_keyed(copy):
            key = self.of_key(copy.message.key)
            for later in key[key.index(copy) + 1 :]:
                if later.state == "leased":
                    later.state, later.holder = "waiting", None
        count = copy.failures - copy.uncounted
        if self.policy_topic is None or self.policy_topic.is_deleted or count < self.settings.attempts:
            return []
        self._ack(copy)
        return [Message(copy.message.data, copy.message.key, copy.message.attributes, now // MILLISECOND * MILLISECOND, self.name, count)]

    def expire(self, now: int) -> list[Message]:
        """End the leases that are over at `now`; give what became a dead letter. Of one key only the first counts as a failure."""
        forwarded = []
        for copy in list(self.copies):
            if copy.state == "leased" and copy.deadline <= now:
                forwarded += self.fail(copy, now)
        return forwarded

    def drop_old(self, now: int) -> None:
        """Forget what is older than the retention."""
        for copy in self.copies:
            if copy.message.time + self.span() <= now and copy.state != "acked":
                copy.state, copy.holder, copy.is_kept = "acked", None, False
        self.copies = [copy for copy in self.copies if copy.state != "acked" or (copy.is_kept and copy.message.time + self.own_span() > now)]

    def seek(self, chosen: list[Message]) -> None:
        """Make the chosen messages unacked and the rest acked; leases end, their ack ids mean nothing any more, and attempts begin anew."""
        self.by_id.clear()
        for copy in self.copies:
            if copy.message in chosen:
                copy.again()
            elif copy.state != "acked":
                self._ack(copy)
        have = [copy.message for copy in self.copies]
        self.copies += [Copy(message) for message in chosen if message not in have]
        self.copies.sort(key=lambda copy: copy.message.number)

    def update(self, settings: Settings, policy_topic: Topic | None) -> None:
        """Take other settings; failures from before a dead-letter policy was set do not count."""
        if settings.dead_letter and not self.settings.dead_letter:
            for copy in self.unacked():
                copy.uncounted = copy.failures
        if not settings.keep_acked:
            for copy in self.copies:
                copy.is_kept = False
        self.settings, self.policy_topic = settings, policy_topic

    def next_event(self) -> int | None:
        """Give the instant at which the next lease or the next unacked message ends."""
        ends = [copy.deadline for copy in self.copies if copy.state == "leased"]
        return min([*ends, *(copy.message.time + self.span() for copy in self.unacked())], default=None)


@dataclass(eq=False)
class Snapshot:
    """What was unacked in a subscription, and what was published to its topic since."""

    topic: Topic
    messages: list[Message]


class World:
    """All topics and subscriptions."""

    def __init__(self) -> None:
        self.topics: dict[str, Topic] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.snapshots: dict[str, Snapshot] = {}
        self.published = 0

    def create_topic(self, name: str) -> None:
        """Create a topic."""
        self.topics[name] = Topic(name)

    def subscribe(self, name: str, topic: str, settings: Settings) -> Subscription:
        """Create a subscription: it gets what is published from now on."""
        made = Subscription(name, self.topics[topic], settings, self.topics.get(settings.dead_letter))
        self.subscriptions[name] = made
        return made

    def publish(self, topic: Topic, messages: Sequence[Message], now: int) -> None:
        """Give every attached subscription its copies, and the topic what it keeps."""
        for message in messages:
            self.published += 1
            message.number = self.published
            message.time = now // MILLISECOND * MILLISECOND
        if topic.retention:
            topic.kept += messages
        for subscription in self.subscriptions.values():
            if subscription.topic is topic and not topic.is_deleted:
                subscription.copies += [Copy(message) for message in messages if subscription.passes(message)]
        for snapshot in self.snapshots.values():
            if snapshot.topic is topic and not topic.is_deleted:
                snapshot.messages += messages

    def settle(self, now: int) -> None:
        """Let everything happen that is due at `now`, instant by instant."""
        while True:
            events = [(at, name) for name, sub in self.subscriptions.items() if (at := sub.next_event()) is not None and at <= now]
            if not events:
                break
            at, name = min(events)
            subscription = self.subscriptions[name]
            self.forward(subscription, subscription.expire(at), at)
            subscription.drop_old(at)
        self.drop_old(now)

    def drop_old(self, now: int) -> None:
        """Forget what is older than the retention of its subscription or topic."""
        for subscription in self.subscriptions.values():
            subscription.drop_old(now)
        for topic in self.topics.values():
            topic.kept = [message for message in topic.kept if message.time + topic.retention * SECOND > now]

    def next_event(self, now: int) -> int | None:
        """Give the next instant at which something happens by itself."""
        events = [event for sub in self.subscriptions.values() if (event := sub.next_event()) is not None]
        events += [copy.due for sub in self.subscriptions.values() for copy in sub.unacked() if copy.state == "waiting" and copy.due > now]
        return min(events, default=None)

    def forward(self, subscription: Subscription, dead: Sequence[Message], now: int) -> None:
        """Publish dead letters."""
        if subscription.policy_topic is not None:
            self.publish(subscription.policy_topic, dead, now)

    # administration

    def delete_topic(self, name: str, now: int) -> None:
        """Delete a topic: its subscriptions and snapshots keep what they have."""
        self.topics.pop(name).is_deleted = True
        self.drop_old(now)

    def retain(self, name: str, retention: int, now: int) -> None:
        """Give a topic another retention; 0 is none."""
        self.topics[name].retention = retention
        self.drop_old(now)

    def update(self, name: str, settings: Settings, now: int) -> None:
        """Give a subscription other settings."""
        self.subscriptions[name].update(settings, self.topics.get(settings.dead_letter))
        self.drop_old(now)

    def snapshot(self, name: str, subscription: str) -> None:
        """Note what is unacked in a subscription."""
        source = self.subscriptions[subscription]
        self.snapshots[name] = Snapshot(source.topic, [copy.message for copy in source.unacked()])

    def seek_to_time(self, name: str, time: int, now: int) -> None:
        """Make every retained message published at or after `time` unacked, and every earlier one acked."""
        subscription = self.subscriptions[name]
        retained = [copy.message for copy in subscription.copies if copy.state != "acked" or copy.is_kept]
        if not subscription.topic.is_deleted:
            retained += [message for message in subscription.topic.kept if message not in retained and subscription.passes(message)]
        subscription.seek([message for message in retained if message.time >= time])
        self.drop_old(now)

    def seek_to_snapshot(self, name: str, snapshot: str, now: int) -> bool:
        """Make what is unacked in the snapshot unacked; False: it is of another topic."""
        subscription, source = self.subscriptions[name], self.snapshots[snapshot]
        if source.topic is not subscription.topic:
            return False
        subscription.seek([message for message in source.messages if subscription.passes(message)])
        self.drop_old(now)
        return True
