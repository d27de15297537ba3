"""A subscription: a message's life between its topic and its ack.

publish -> backlog -> lease -> (extend) -> ack, or nack / expiry -> back-off -> backlog again, or the dead-letter topic. What is waiting stands in
backlog.py (or ordering.py), who holds what in lease_book.py, whose turn it is in rotation.py; what a request does to leases in acks.py, what becomes
of a message whose lease ends without an ack in failures.py.

Source: google.pubsub.v1.Subscriber; docs/semantics.md, leases.

PYTEST_DONT_REWRITE
"""

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING

from publican_emulator.broker import failures, limits, transforming
from publican_emulator.broker.backlog import RECEIVED_OVERHEAD, Backlog
from publican_emulator.broker.batch import NOTHING, Batch, Part, group_rests
from publican_emulator.broker.consumer import Consumer
from publican_emulator.broker.errors import FailedPrecondition, PubsubError
from publican_emulator.broker.events import Fact, Kind
from publican_emulator.broker.exports import ExportState
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.lease_book import LeaseBook
from publican_emulator.broker.leases import Group, Lease, Single
from publican_emulator.broker.mischief import Mischief
from publican_emulator.broker.ordering import OrderedBacklog
from publican_emulator.broker.outgoing import Outgoing, outgoing
from publican_emulator.broker.retention import Retention, span_of
from publican_emulator.broker.returning import Delayed
from publican_emulator.broker.rotation import Rotation
from publican_emulator.broker.settings import SubscriptionSettings
from publican_emulator.broker.surroundings import Surroundings
from publican_protocol import names

if TYPE_CHECKING:
    from publican_emulator.broker.topic import Topic


class Subscription:
    """One subscription and everything that waits or is outstanding in it."""

    def __init__(self, name: str, serial: int, topic: "Topic", settings: SubscriptionSettings, around: Surroundings, now: Nanos) -> None:
        self.name = name
        self.origin = topic
        self.topic: Topic | None = topic
        self.settings = settings
        self.detached = False
        self.is_over = False
        self.mischief: Mischief | None = None
        self.armed: Nanos | None = None
        self.last_activity = now
        self.book = LeaseBook(serial, around.next_number)
        self.book.tracks_retired = settings.enable_exactly_once_delivery
        self.delayed = Delayed()
        self.retention = Retention(topic, settings)
        self.backlog: Backlog | OrderedBacklog
        if settings.enable_message_ordering:
            self.backlog = OrderedBacklog(self.book)
        else:
            self.backlog = Backlog(self.retention.end(), self.book.detach_expired)
        self.rotation = Rotation(self._has_more, around.on_ready)
        self.around = around
        self.outgoing: Outgoing | None = None
        """What carries the messages away, where the service itself does."""
        self._open_outgoing()

    # what a reader may ask

    @property
    def topic_name(self) -> str:
        """The topic's full name, or `_deleted-topic_`."""
        return names.DELETED_TOPIC if self.topic is None else self.topic.name

    @property
    def topic_message_retention(self) -> Nanos | None:
        """How long the topic keeps messages: a copy of its setting."""
        return None if self.topic is None else self.topic.settings.message_retention

    @property
    def export_state(self) -> ExportState:
        """How the target of its export stands."""
        return ExportState.ACTIVE if self.outgoing is None else self.outgoing.state

    def next_due(self) -> Nanos | None:
        """Give the instant of the next expiry, return, drop, or of its own end by inactivity; None once it is over."""
        if self.is_over:
            return None
        resumes_at = None if self.outgoing is None else self.outgoing.next_due()
        dues = (self.book.deadlines.next_due(), self.delayed.next_due(), self.retention.due, self._expires_at(), resumes_at)
        return min((due for due in dues if due is not None), default=None)

    def _expires_at(self) -> Nanos | None:
        ttl = self.settings.expiration_ttl
        return None if ttl is None else Nanos(self.last_activity + ttl)

    # messages come in

    def feed(self, messages: list[bytes], keys: list[str]) -> None:
        """Take messages that its topic has accepted and its filter lets pass (only where it keeps an index of its own)."""
        if type(self.backlog) is OrderedBacklog:
            self.backlog.feed(messages, keys)
        self.retention.feed(messages)

    def on_published(self, at: Nanos) -> bool:
        """Note that there may be more to hand out, published at `at`; say whether the next publish is of interest too."""
        if self.retention.due is None:
            self.retention.due = Nanos(at + self.retention.span)
            self.around.timers.arm(self, self.retention.due)
        self.rotation.tell()
        return self.rotation.is_waited_on

    def open(self, consumer: Consumer, number: int) -> None:
        """Take in a client's consumer, the `number`-th of the broker."""
        self._number(consumer, number)
        self.rotation.consumers[consumer] = None

    def _number(self, consumer: Consumer, number: int) -> None:
        consumer.number = number
        consumer.label = f"{consumer.label} #{number}"
        consumer.subscription = self

    def _open_outgoing(self) -> None:
        """Become the consumer of this subscription, if its settings say so."""
        self.outgoing = outgoing(self.settings)
        if self.outgoing is not None:
            self._number(self.outgoing.consumer, self.around.next_consumer())
            self.want(self.outgoing.consumer)

    def _switch(self) -> None:
        """Go on with other settings of push or export: what was handed out under the old ones may still be acked by its carrier."""
        before = self.outgoing
        if before is not None:
            self.rotation.close(before.consumer)
            self.backlog.closed(before.consumer)
            self.around.on_ready(before.consumer)  # its carrier has a file open, perhaps
        self._open_outgoing()
        if before is None:
            self.rotation.end_all(not_pulled())

    def want(self, consumer: Consumer) -> None:
        """Note that a consumer asks for messages; it will be told when there is one for it."""
        self.rotation.want(consumer)
        if self.topic is not None and self.rotation.is_waited_on:
            self.topic.attentive[self] = None

    # messages go out

    def lease(self, consumer: Consumer, most_bytes: int, now: Nanos) -> Batch:
        """Hand the consumer its share of what is available: within its credit, 1,000 messages and `most_bytes`, at least one message.

        Raises:
            PubsubError: the consumer will get nothing any more (its `end`).
        """
        self.rotation.rest(consumer)
        if consumer.end is not None:
            raise consumer.end
        batch = NOTHING
        if consumer.has_credit and self._has_more(consumer):
            lease = transforming.lease if self.settings.transforms else Subscription.lease_some
            batch = lease(self, consumer, most_bytes, now)
        self.rotation.tell()
        return batch

    def lease_some(self, consumer: Consumer, most_bytes: int, now: Nanos, *, most: int = limits.PULL_MESSAGES) -> Batch:
        """Lease messages as they are stored; there must be some, and the consumer must have credit."""
        most = consumer.room(most)
        rivals = self.rotation.rivals(consumer)
        if rivals:
            most = min(most, -(-self.backlog.waiting(limits.PULL_MESSAGES * (rivals + 1)) // (rivals + 1)))
        most = max(most, 1)
        most_bytes = consumer.room_bytes(most_bytes)
        deadline = Nanos(now + (consumer.lease_for if consumer.lease_for is not None else self.settings.ack_deadline_s * SECOND))
        singles = self.backlog.take_returned(consumer, most, most_bytes)
        most -= len(singles)
        most_bytes -= sum(len(single.message) + RECEIVED_OVERHEAD for single in singles)
        messages = self.backlog.take_new(most, most_bytes) if most > 0 and (most_bytes > 0 or not singles) else []
        if self.mischief is not None:
            self.mischief.reorder(messages)
        holder = None if consumer.takes_once else consumer
        if holder is None:
            consumer.handed += 1
        parts = [self._lease_single(single, deadline, holder) for single in singles]
        if messages:
            group = self.book.lease_group(messages, deadline, holder)
            parts.append(Part(messages, group.head, group_rests(len(messages)), 1 if self.settings.dead_letter else 0))
        self.around.timers.arm(self, deadline)
        if self.around.listener is not None:
            for part, attempt in zip(parts, [*(single.attempts for single in singles), 1], strict=False):
                self.state(
                    Kind.DELIVERED, part.messages, now, attempt=attempt, until=deadline, consumer=consumer.label, note=self._of_lease(consumer)
                )
        return Batch(parts)

    def _of_lease(self, consumer: Consumer) -> str:
        own = self.settings.ack_deadline_s * SECOND
        return "" if consumer.carried_by or consumer.lease_for in {None, own} else "(set by the stream)"

    def _lease_single(self, single: Single, deadline: Nanos, holder: Consumer | None) -> Part:
        self.book.lease_single(single, deadline, holder)
        head, rest = single.ack_id()
        return Part((single.message,), head, (rest,), self._reported_attempt(single))

    def _reported_attempt(self, single: Single) -> int:
        return 1 + single.failures - single.uncounted if self.settings.dead_letter is not None else 0

    def _has_more(self, consumer: Consumer) -> bool:
        return self.backlog.has_more(consumer)

    # messages leave

    def finish(self, single: Single, by: tuple[bytes, bytes] | None = None) -> None:
        """Take a message out for good; `by` is the ack id that acked it (None: it was forwarded or dropped)."""
        self.book.finish(single, by)
        self.backlog.finished(single)

    # time

    @property
    def settles_alone(self) -> bool:
        """Whether what falls due here touches nothing else, so that it may be settled in one go."""
        return self.settings.dead_letter is None

    def settle(self, now: Nanos) -> None:
        """Do everything that is due, in the order of its instants."""
        is_plain = self.around.listener is None and self.settings.retry is None and self.settles_alone and type(self.backlog) is Backlog
        is_plain = is_plain and self.outgoing is None
        if is_plain and (self.retention.due is None or self.retention.due > now) and (self.book.deadlines.next_due() or now + 1) <= now:
            expired = self.book.deadlines.expire_at_once(now)
            self.book.take_expired(expired)
            self.backlog.give_back(expired)
        while (due := self.next_due()) is not None and due <= now:
            self._settle_at(due)
        self.rotation.tell()

    def _settle_at(self, due: Nanos) -> None:
        for at, leases in self.book.deadlines.expire(due):
            self._expire(leases, at)
        if self.outgoing is not None:
            self.outgoing.settle(due)
        returned = self.delayed.pop_due(due)
        if returned:
            self.backlog.give_back(returned)
        if self.retention.due is not None and self.retention.due <= due:
            self._drop_old(due)
        expires_at = self._expires_at()
        if expires_at is not None and expires_at <= due:
            if self.rotation.has_streams:
                self.last_activity = due
            else:
                self.around.on_expired(self, due)

    def _expire(self, leases: list[Lease], at: Nanos) -> None:
        if self.outgoing is not None and self.outgoing.holds(leases):
            self.outgoing.failed(at, rests=self.settings.retry is None)
        if type(self.backlog) is OrderedBacklog:
            leases = self.backlog.in_expiry_order(leases)
        self.book.take_expired(leases)
        failures.fail(self, leases, at, Kind.EXPIRED)

    def _drop_old(self, now: Nanos) -> None:
        """Forget what is older than the retention: waiting, delayed or outstanding."""
        time = Nanos(now - self.retention.span + 1)
        is_heard = self.around.listener is not None
        dropped = self.backlog.waiting_before(time) if is_heard else []
        for group, slots in self.book.groups_before(time):
            dropped += [group.messages[int(slot)] for slot in sorted(slots)]
            self.book.drop_slots(group, slots, now)
        for single in self.book.singles_before(time):
            dropped.append(single.message)
            self.finish(single)
        self.backlog.drop_before(time, self.around.attic)
        self.retention.trim(time, self.around.attic)
        self.retention.rearm(self.backlog.oldest_waiting(), self.book)
        if self.retention.due is None and self.topic is not None:
            self.topic.attentive[self] = None
        if dropped and is_heard:
            self.state(Kind.DROPPED, dropped, now, note="older than the message retention")

    def reconfigure(self, settings: SubscriptionSettings, now: Nanos) -> None:
        """Take other settings; leases keep their deadlines, and what waits in back-off keeps waiting."""
        before, self.settings = self.settings, settings
        self.book.tracks_retired = settings.enable_exactly_once_delivery
        self.retention.span = span_of(self.topic, settings)
        if settings.retain_acked_messages and not before.retain_acked_messages:
            self._keep_acked()
        elif before.retain_acked_messages and not settings.retain_acked_messages:
            if self.retention.kept is not None:
                self.around.attic.take(self.retention.kept.segment, self.retention.log.tail)
            self.retention.keep_no_more()
        if settings.dead_letter is not None and before.dead_letter is None:
            self._count_from_now(now)
        if (settings.push, settings.export) != (before.push, before.export):
            self._switch()
        self.rearm(now)

    def _keep_acked(self) -> None:
        unacked = [message for message, _ in self.book.unacked()]
        if isinstance(self.backlog, OrderedBacklog):
            self.retention.keep(self.retention.end(), [*unacked, *self.backlog.never_handed_out()])
        else:
            front, start = self.backlog.cursor.without_front()
            self.retention.keep(start, [*unacked, *front])

    def _count_from_now(self, now: Nanos) -> None:
        """Begin to count attempts: failures from before a dead-letter policy was set do not count."""
        for _, lease in self.book.unacked():
            if type(lease) is Single:
                lease.uncounted = lease.failures
            elif type(lease) is Group:
                lease.uncounted = 1 if lease.deadline <= now else 0

    def rearm(self, now: Nanos) -> None:
        """Find out anew what is due when, after the backlog or the settings have become others."""
        self.retention.rearm(self.backlog.oldest_waiting(), self.book)
        if self.retention.due is not None:
            self.retention.due = max(self.retention.due, now)  # what happened before now has happened
        if self.topic is not None:
            self.topic.attentive[self] = None
        self.settle(now)
        self.around.timers.arm(self, self.next_due())

    # ends

    def on_topic_deleted(self, topic: str) -> None:
        """Note that a topic is gone: a policy that names it forwards nothing more, even when another is created under that name."""
        policy = self.settings.dead_letter
        if policy is not None and policy.topic == topic:
            gone = dataclasses.replace(policy, topic=names.DELETED_TOPIC)
            self.settings = dataclasses.replace(self.settings, dead_letter=gone)

    def end(self, error: PubsubError) -> None:
        """Drop everything: the subscription was deleted, has expired, or is detached."""
        self.is_over = not self.detached
        self.book.clear()
        self.delayed.clear()
        if isinstance(self.backlog, Backlog):
            self.around.attic.take(self.backlog.cursor.segment, self.retention.log.tail)
        self.retention.clear(self.around.attic)
        self.backlog = Backlog(self.retention.end(), self.book.detach_expired)
        self.rotation.end_all(error)
        if self.outgoing is not None:
            self.rotation.end(self.outgoing.consumer, error)
            self.outgoing = None

    def check_attached(self) -> None:
        """Refuse what means nothing to a detached subscription.

        Raises:
            FailedPrecondition: it is detached.
        """
        if self.detached:
            raise self.detached_error()

    def check_pullable(self) -> None:
        """Refuse clients that come for messages where the service itself carries them, or where there are none any more.

        Raises:
            FailedPrecondition: it is detached, pushes, or exports.
        """
        self.check_attached()
        if self.outgoing is not None:
            raise not_pulled()

    def detached_error(self) -> FailedPrecondition:
        """Give the error that consumers of a detached subscription get."""
        return FailedPrecondition(f"Subscription {self.name} is detached from its topic; delete it and create it again.")

    def state(
        self,
        kind: Kind,
        messages: Iterable[bytes],
        at: Nanos,
        *,
        attempt: int = 0,
        until: Nanos | None = None,
        was_until: Nanos | None = None,
        consumer: str = "",
        note: str = "",
    ) -> None:
        """State a fact about messages of this subscription, if somebody listens."""
        if self.around.listener is not None:
            fact = Fact(at, kind, self.name, tuple(messages), attempt, until, was_until, consumer, note)
            self.around.listener(fact)


def not_pulled() -> FailedPrecondition:
    """Give the error of pulling from a subscription that pushes or exports."""
    return FailedPrecondition("This method is not supported for this subscription type. [It pushes or exports its messages: nobody can pull.]")
