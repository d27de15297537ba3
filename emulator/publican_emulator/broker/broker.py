"""The broker: every operation of the service, on names, told the time.

Operations check everything before they change anything, and settle what is due first, so no result depends on whether a timer has fired. `now` never
runs backwards. `ready` collects the consumers that should come for messages: whoever runs operations drains it after each.

PYTEST_DONT_REWRITE
"""

from collections.abc import Iterable, Mapping, Sequence

from publican_emulator.broker import ackids, seeking
from publican_emulator.broker.batch import Batch
from publican_emulator.broker.consumer import Consumer, a_pull, a_stream
from publican_emulator.broker.dead_letters import DeadLetters
from publican_emulator.broker.errors import BadArgument, InvalidArgument, NotFound, PubsubError
from publican_emulator.broker.events import Fact, Kind, Listener
from publican_emulator.broker.exactly_once import refusal
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.intake import Intake
from publican_emulator.broker.retention import span_of
from publican_emulator.broker.settings import DeadLetterPolicy, SubscriptionSettings, TopicSettings, check_ack_deadline, check_extension, check_labels
from publican_emulator.broker.shelf import Shelf
from publican_emulator.broker.snapshots import Snapshot
from publican_emulator.broker.subscription import Subscription, Surroundings
from publican_emulator.broker.timers import Timers
from publican_emulator.broker.topic import Topic
from publican_protocol import names
from publican_protocol.wire import tail_of

AckIds = Sequence[str] | Mapping[bytes, list[bytes]]
"""Ack ids one by one, or already split into heads and rests."""


class Broker:
    """All topics, subscriptions and snapshots of all projects."""

    def __init__(self, listener: Listener | None = None) -> None:
        self.ready: list[Consumer] = []
        self.listener = listener
        self.intake = Intake()
        self._topics: Shelf[Topic] = Shelf("topic")
        self._subscriptions: Shelf[Subscription] = Shelf("subscription")
        self._snapshots: Shelf[Snapshot] = Shelf("snapshot")
        self._timers = Timers()
        self._next_message_id = 1
        self._serial = 0
        self._consumers = 0
        self._around = Surroundings(
            self._timers, self._next_number, self.ready.append, DeadLetters(self._publish_dead_letter), self._expire, listener
        )

    def next_due(self) -> Nanos | None:
        """Give the instant of the next thing that happens by itself; None: nothing will."""
        return self._timers.next_due()

    def earliest_due(self) -> Nanos | None:
        """Give an instant at or before `next_due`, at less cost: for setting a timer after each operation."""
        return self._timers.earliest()

    def settle(self, now: Nanos) -> None:
        """Let everything happen that is due at `now`, in the order of its instants."""
        while (popped := self._timers.pop_due(now)) is not None:
            due, owner = popped
            owner.settle(now if isinstance(owner, Subscription) and owner.settles_alone else due)
            self._timers.arm(owner, owner.next_due())

    def _next_number(self) -> int:
        self._serial += 1
        return self._serial

    # topics

    def create_topic(self, name: str, settings: TopicSettings, now: Nanos) -> Topic:
        """Create a topic.

        Raises:
            InvalidArgument: the name's form.
            AlreadyExists: there is one of that name.
        """
        self.settle(now)
        self._topics.check_form(name)
        self._topics.check_free(name)
        topic = Topic(name, settings)
        self._topics.put(name, topic)
        self._state(Kind.CREATED, name, now)
        return topic

    def get_topic(self, name: str, now: Nanos) -> Topic:
        """Give a topic.

        Raises:
            InvalidArgument: the name's form.
            NotFound: there is none of that name.
        """
        self.settle(now)
        return self._topics.get(name)

    def update_topic(self, name: str, settings: TopicSettings, now: Nanos) -> Topic:
        """Give a topic other settings."""
        self.settle(now)
        topic = self._topics.get(name)
        topic.retain(settings)
        topic.settle(now)
        self._timers.arm(topic, topic.next_due())
        for subscription in topic.subscriptions.values():
            subscription.retention.span = span_of(topic, subscription.settings)
            subscription.rearm(now)
        self._state(Kind.UPDATED, name, now)
        return topic

    def delete_topic(self, name: str, now: Nanos) -> None:
        """Delete a topic; its subscriptions keep what they have, and get nothing more."""
        self.settle(now)
        topic = self._topics.get(name)
        self._topics.remove(name)
        self._timers.disarm(topic)
        for subscription in list(topic.subscriptions.values()):
            subscription.topic = None
            subscription.retention.span = span_of(None, subscription.settings)
            subscription.rearm(now)
        for snapshot_name in topic.snapshots:
            self._snapshots.get(snapshot_name).topic = None
        for subscription in self._subscriptions:
            subscription.on_topic_deleted(name)
        self._state(Kind.DELETED, name, now)

    def list_topics(self, project: str, now: Nanos) -> list[Topic]:
        """Give the topics of a project (`projects/p`), sorted by name."""
        self.settle(now)
        return self._topics.of_project(project)

    def list_topic_subscriptions(self, topic: str, now: Nanos) -> list[str]:
        """Give the names of the subscriptions attached to a topic, sorted."""
        self.settle(now)
        return sorted(self._topics.get(topic).subscriptions)

    def list_topic_snapshots(self, topic: str, now: Nanos) -> list[str]:
        """Give the names of a topic's snapshots, sorted."""
        self.settle(now)
        return sorted(self._topics.get(topic).snapshots)

    # publish

    def publish(self, topic: str, messages: Sequence[bytes], now: Nanos) -> range:
        """Store messages (serialized PubsubMessage each) and give their ids, consecutive from the first; see `publish_request`."""
        return self.publish_request(topic, messages, None, now)

    def publish_request(self, topic: str, messages: Sequence[bytes], request_bytes: int | None, now: Nanos) -> range:
        """Store the messages of a request of `request_bytes` (None: as many as they have) and give their ids, consecutive from the first.

        Raises:
            InvalidArgument, FailedPrecondition: as `Intake.check`; nothing is stored then.
            NotFound: there is no such topic.
        """
        self.settle(now)
        known = self._topics.find(topic)
        if known is None:
            self._topics.check_form(topic)
        self.intake.check_size(messages, request_bytes)
        return self._publish(known or self._topics.get(topic), messages, self.intake.check(messages, request_bytes), now)

    def _publish(self, topic: Topic, messages: Sequence[bytes], tails: Sequence[bytes], now: Nanos) -> range:
        first_id = self._next_message_id
        stored = topic.publish(messages, tails, self.intake, first_id, now, is_heard=self.listener is not None)
        self._next_message_id += len(messages)
        if topic.kept is not None and topic.armed is None:
            self._timers.arm(topic, topic.next_due())
        if self.listener is not None:
            self.listener(Fact(now, Kind.PUBLISHED, topic.name, tuple(stored), note="" if topic.is_read else "nobody reads it"))
        topic.tell()
        return range(first_id, self._next_message_id)

    def _publish_dead_letter(self, topic: str, message: bytes, at: Nanos) -> str | None:
        known = self._topics.find(topic)
        return None if known is None else str(self._publish(known, [message], [tail_of(message)], at)[0])

    # subscriptions

    def create_subscription(self, name: str, topic: str, settings: SubscriptionSettings, now: Nanos) -> Subscription:
        """Create a subscription; it gets what is published from now on. An empty name asks for one in the topic's project.

        Raises:
            InvalidArgument: the form of a name.
            NotFound: the topic, or the dead-letter topic, does not exist.
            AlreadyExists: there is one of that name.
        """
        self.settle(now)
        if name:
            self._subscriptions.check_form(name)
        self._topics.check_form(topic)
        self._subscriptions.check_free(name)
        known = self._topics.get(topic)
        self._check_dead_letter_topic(settings.dead_letter)
        name = name or self._subscriptions.free_name(names.project_of(topic), self._next_number())
        subscription = Subscription(name, self._next_number(), known, settings, self._around, now)
        self._subscriptions.put(name, subscription)
        known.attach(subscription)
        self._timers.arm(subscription, subscription.next_due())
        self._state(Kind.CREATED, name, now, note=f"on {topic}")
        return subscription

    def _check_dead_letter_topic(self, policy: DeadLetterPolicy | None) -> None:
        if policy is not None and policy.topic != names.DELETED_TOPIC:
            self._topics.get(policy.topic)

    def get_subscription(self, name: str, now: Nanos) -> Subscription:
        """Give a subscription."""
        self.settle(now)
        return self._subscription(name, now)

    def _subscription(self, name: str, now: Nanos, *, shown: str | None = None) -> Subscription:
        """Give a subscription that somebody uses: that keeps it from expiring."""
        subscription = self._subscriptions.get(name, shown=shown)
        subscription.last_activity = now
        return subscription

    def update_subscription(self, name: str, settings: SubscriptionSettings, now: Nanos) -> Subscription:
        """Give a subscription other settings; leases keep their deadlines.

        Raises:
            NotFound: it, or its new dead-letter topic, does not exist.
        """
        self.settle(now)
        subscription = self._subscription(name, now)
        if settings.dead_letter != subscription.settings.dead_letter:
            self._check_dead_letter_topic(settings.dead_letter)
        subscription.reconfigure(settings, now)
        self._state(Kind.UPDATED, name, now)
        return subscription

    def delete_subscription(self, name: str, now: Nanos) -> None:
        """Delete a subscription and its backlog."""
        self.settle(now)
        self._delete(self._subscriptions.get(name), now)

    def _delete(self, subscription: Subscription, now: Nanos, note: str = "") -> None:
        self._subscriptions.remove(subscription.name)
        if subscription.topic is not None:
            subscription.topic.detach(subscription)
        self._timers.disarm(subscription)
        subscription.end(NotFound("subscription", subscription.name, shown=subscription.name))
        self._state(Kind.DELETED, subscription.name, now, note=note)

    def _expire(self, subscription: Subscription, now: Nanos) -> None:
        self._delete(subscription, now, "expired: nobody used it")

    def detach_subscription(self, name: str, now: Nanos) -> None:
        """Detach a subscription from its topic for good; its backlog is dropped."""
        self.settle(now)
        subscription = self._subscription(name, now)
        if subscription.detached:
            return
        subscription.detached = True
        if subscription.topic is not None:
            subscription.topic.detach(subscription)
        subscription.end(subscription.detached_error())
        self._state(Kind.DETACHED, name, now)

    def list_subscriptions(self, project: str, now: Nanos) -> list[Subscription]:
        """Give the subscriptions of a project (`projects/p`), sorted by name."""
        self.settle(now)
        return self._subscriptions.of_project(project)

    # consumers

    def open_pull(self, subscription: str, max_messages: int, now: Nanos) -> Consumer:
        """Open a consumer that takes up to `max_messages` once.

        Raises:
            InvalidArgument: `max_messages` is not above 0, or the name's form.
            NotFound, FailedPrecondition: the subscription does not exist, or is detached.
        """
        self.settle(now)
        if max_messages <= 0:
            raise BadArgument("max_messages", f"It must be above 0, not {max_messages}.")
        known = self._subscription(subscription, now)
        known.check_pullable()
        return self._open(known, a_pull(max_messages))

    def open_stream(
        self,
        subscription: str,
        ack_deadline_s: int,
        max_outstanding_messages: int,
        max_outstanding_bytes: int,
        client_id: str,
        now: Nanos,
    ) -> Consumer:
        """Open a consumer that takes messages until it is closed; limits of 0 or below are no limits.

        Raises:
            InvalidArgument: the deadline is outside 10..600 seconds, or the name's form.
            NotFound, FailedPrecondition: the subscription does not exist, or is detached.
        """
        self.settle(now)
        self._subscriptions.check_form(subscription)
        check_ack_deadline(ack_deadline_s)
        known = self._subscription(subscription, now, shown=subscription)
        known.check_pullable()
        return self._open(known, a_stream(ack_deadline_s, max_outstanding_messages, max_outstanding_bytes, client_id))

    def _open(self, subscription: Subscription, opened: Consumer) -> Consumer:
        self._consumers += 1
        subscription.open(opened, self._consumers)
        return opened

    def set_stream_deadline(self, consumer: Consumer, ack_deadline_s: int, now: Nanos) -> None:
        """Give later deliveries of a stream another deadline.

        Raises:
            InvalidArgument: it is outside 10..600 seconds.
        """
        self.settle(now)
        check_ack_deadline(ack_deadline_s)
        consumer.lease_for = Nanos(ack_deadline_s * SECOND)

    def want(self, consumer: Consumer, now: Nanos) -> None:
        """Say that a consumer asks for messages: it appears in `ready` when there is one for it, or when it will get none any more."""
        self.settle(now)
        consumer.subscription.want(consumer)

    def pass_on(self, consumer: Consumer, now: Nanos) -> None:
        """Say that a consumer which was told to come cannot take anything now: the next one is told."""
        self.settle(now)
        consumer.subscription.rotation.rest(consumer)
        consumer.subscription.rotation.tell()

    def lease(self, consumer: Consumer, max_bytes: int, now: Nanos) -> Batch:
        """Hand a consumer its share of what is available, at most about `max_bytes` on the wire; empty when there is nothing for it.

        Raises:
            PubsubError: it will get nothing any more: why.
        """
        self.settle(now)
        if consumer.end is None:
            consumer.subscription.last_activity = now
        return consumer.subscription.lease(consumer, max_bytes, now)

    def close(self, consumer: Consumer, now: Nanos) -> None:
        """Forget a consumer; its leases stay until their deadlines, and its ack ids stay good."""
        self.settle(now)
        subscription = consumer.subscription
        if not consumer.takes_once and consumer.end is None:
            subscription.last_activity = now
        subscription.rotation.close(consumer)
        subscription.backlog.closed(consumer)

    def consumers(self) -> list[Consumer]:
        """Give every consumer that is open."""
        return [consumer for subscription in self._subscriptions for consumer in subscription.rotation.consumers]

    def end_consumers(self, error: PubsubError, subscriptions: Iterable[Subscription] | None = None) -> None:
        """Tell every consumer, or those of some subscriptions, that it will get nothing any more."""
        for subscription in self._subscriptions if subscriptions is None else subscriptions:
            subscription.rotation.end_all(error)

    # acks

    def acknowledge(self, subscription: str, ack_ids: AckIds, now: Nanos) -> None:
        """Ack deliveries, named by ids or by heads and rests.

        Raises:
            InvalidArgument: there are none, one is malformed (nothing is acked then), or exactly-once delivery refuses some (the others are acked).
            NotFound, FailedPrecondition: the subscription does not exist, or is detached.
        """
        if refused := self.try_acknowledge(subscription, ack_ids, now):
            raise refusal(refused)

    def try_acknowledge(self, subscription: str, ack_ids: AckIds, now: Nanos) -> list[str]:
        """Ack deliveries as `acknowledge`, but give the ids that exactly-once delivery refuses."""
        known, named = self._named(subscription, ack_ids, now)
        return known.acknowledge(named, now)

    def modify_ack_deadline(self, subscription: str, ack_ids: AckIds, seconds: int, now: Nanos) -> None:
        """Give every named delivery a deadline `seconds` from now; 0 returns it to the backlog at once.

        Raises:
            InvalidArgument: `seconds` is not in 0..600, or as `acknowledge`.
            NotFound, FailedPrecondition: the subscription does not exist, or is detached.
        """
        if refused := self.try_modify_ack_deadline(subscription, ack_ids, seconds, now):
            raise refusal(refused)

    def try_modify_ack_deadline(self, subscription: str, ack_ids: AckIds, seconds: int, now: Nanos) -> list[str]:
        """Change deadlines as `modify_ack_deadline`, but give the ids that exactly-once delivery refuses."""
        known, named = self._named(subscription, ack_ids, now)
        check_extension(seconds)
        return known.modify(named, seconds, now)

    def check_ack_ids(self, subscription: str, ack_ids: Sequence[str], now: Nanos) -> None:
        """Refuse what `acknowledge` would refuse as malformed, and do nothing else."""
        if ack_ids:
            self._named(subscription, ack_ids, now)

    def _named(self, subscription: str, ack_ids: AckIds, now: Nanos) -> tuple[Subscription, ackids.Named]:
        self.settle(now)
        known = self._subscription(subscription, now)
        if not ack_ids:
            raise InvalidArgument("You have not specified an ack ID in the request.")
        known.check_pullable()
        read = ackids.read_split if isinstance(ack_ids, Mapping) else ackids.read
        named = read(ack_ids, known.book.by_head)  # type: ignore[arg-type]  # each gets the form it reads
        if not known.settings.enable_exactly_once_delivery:
            named.refuse_malformed()
        return known, named

    def create_snapshot(self, name: str, subscription: str, labels: Mapping[str, str], now: Nanos) -> Snapshot:
        """Note what is unacked in a subscription. An empty name asks for one in the subscription's project.

        Raises:
            InvalidArgument: the form of a name or a label.
            NotFound: the subscription does not exist.
            AlreadyExists: there is a snapshot of that name.
            FailedPrecondition: it is detached, or the snapshot would expire within the hour.
        """
        self.settle(now)
        if name:
            self._snapshots.check_form(name)
        check_labels(labels)
        self._snapshots.check_free(name)
        source = self._subscription(subscription, now)
        source.check_pullable()
        name = name or self._snapshots.free_name(names.project_of(subscription), self._next_number())
        snapshot = seeking.snapshot_of(source, name, labels, self._expire_snapshot, now)
        self._snapshots.put(name, snapshot)
        self._timers.arm(snapshot, snapshot.expire_time)
        self._state(Kind.CREATED, name, now, note=f"of {subscription}")
        return snapshot

    def get_snapshot(self, name: str, now: Nanos) -> Snapshot:
        """Give a snapshot."""
        self.settle(now)
        return self._snapshots.get(name)

    def update_snapshot(self, name: str, labels: Mapping[str, str], expire_time: Nanos, now: Nanos) -> Snapshot:
        """Give a snapshot other labels and another end.

        Raises:
            InvalidArgument: the labels' form, or an end outside its bounds.
        """
        self.settle(now)
        snapshot = self._snapshots.get(name)
        snapshot.change(labels, expire_time, now)
        self._timers.arm(snapshot, expire_time)
        self._state(Kind.UPDATED, name, now)
        return snapshot

    def delete_snapshot(self, name: str, now: Nanos) -> None:
        """Delete a snapshot; what only it kept is gone."""
        self.settle(now)
        self._drop_snapshot(self._snapshots.get(name), now)

    def _drop_snapshot(self, snapshot: Snapshot, now: Nanos, note: str = "") -> None:
        self._snapshots.remove(snapshot.name)
        self._timers.disarm(snapshot)
        snapshot.end()
        self._state(Kind.DELETED, snapshot.name, now, note=note)

    def _expire_snapshot(self, snapshot: Snapshot) -> None:
        self._drop_snapshot(snapshot, snapshot.expire_time, "expired")

    def list_snapshots(self, project: str, now: Nanos) -> list[Snapshot]:
        """Give the snapshots of a project (`projects/p`), sorted by name."""
        self.settle(now)
        return self._snapshots.of_project(project)

    def seek_to_time(self, subscription: str, time: Nanos, now: Nanos) -> None:
        """Make every retained message published at or after `time` unacked, and every earlier one acked; leases end."""
        self.settle(now)
        known = self._subscription(subscription, now)
        known.check_pullable()
        seeking.to_time(known, time)
        known.rearm(now)
        self._state(Kind.SOUGHT, subscription, now, note="to a time")

    def seek_to_snapshot(self, subscription: str, snapshot: str, now: Nanos) -> None:
        """Make what is unacked in a snapshot unacked, and the rest acked; leases end.

        Raises:
            NotFound: one of them does not exist.
            InvalidArgument: the snapshot is of another topic.
        """
        self.settle(now)
        known = self._subscription(subscription, now)
        known.check_pullable()
        source = self._snapshots.get(snapshot)
        if not seeking.same_topic(known, source):
            raise InvalidArgument(f"The snapshot {snapshot} belongs to the topic {source.topic_name}, not to {known.topic_name}.")
        seeking.to_snapshot(known, source)
        known.rearm(now)
        self._state(Kind.SOUGHT, subscription, now, note=f"to {snapshot}")

    def existing_names(self, kind: str) -> list[str]:
        """Give the names of all topics, subscriptions or snapshots ("topic", ...): for saying which one was meant."""
        shelves: tuple[Shelf[Topic] | Shelf[Subscription] | Shelf[Snapshot], ...] = (self._topics, self._subscriptions, self._snapshots)
        return [name for shelf in shelves if shelf.kind == kind for name in shelf.names()]

    def _state(self, kind: Kind, resource: str, now: Nanos, note: str = "") -> None:
        if self.listener is not None:
            self.listener(Fact(now, kind, resource, note=note))
