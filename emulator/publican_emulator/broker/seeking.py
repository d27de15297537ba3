"""Seek: make a subscription's backlog another one, at one instant.

Every lease ends, no ack id from before means anything afterwards, attempts begin anew. A subscription without ordering reads on from a kept cursor,
so seeking over a million retained messages costs a search; what stands outside the cursor is put before it as a segment of its own.

Source: google.pubsub.v1.Subscriber.Seek; "Replay and purge messages"; docs/semantics.md, retention-seek-snapshots.

PYTEST_DONT_REWRITE
"""

from collections.abc import Callable, Collection, Iterable, Mapping

from publican_emulator.broker import filters
from publican_emulator.broker.backlog import Backlog
from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.log import Cursor, Log, Segment
from publican_emulator.broker.ordering import OrderedBacklog
from publican_emulator.broker.retention import place_of
from publican_emulator.broker.snapshot import Snapshot, expire_time
from publican_emulator.broker.subscription import Subscription
from publican_protocol import pubsub
from publican_protocol.wire import message_id_of, publish_time_of


def unacked_before_cursor(subscription: Subscription) -> list[bytes]:
    """Give the unacked messages that were handed out, in publish order."""
    return sorted((message for message, _ in subscription.book.unacked()), key=message_id_of)


def same_topic(subscription: Subscription, snapshot: Snapshot) -> bool:
    """Say whether the snapshot may be applied: it and the subscription belong to one topic, which may be deleted by now."""
    return snapshot.origin is subscription.origin


def position(subscription: Subscription) -> tuple[list[bytes], Cursor]:
    """Give what a snapshot made now holds: messages one by one, and a place in the topic's log behind which all is unacked."""
    held = unacked_before_cursor(subscription)
    if subscription.retention.own_log is None and isinstance(subscription.backlog, Backlog):
        front, since = subscription.backlog.cursor.without_front()
        return sorted([*held, *front], key=message_id_of), since
    if isinstance(subscription.backlog, Backlog):  # what was handed out is older than what was not: a million need not be sorted
        front, since = subscription.backlog.cursor.without_front()
        return [*sorted([*held, *front], key=message_id_of), *since.messages()], subscription.origin.log.end()
    return sorted([*held, *subscription.backlog.never_handed_out()], key=message_id_of), subscription.origin.log.end()


def snapshot_of(subscription: Subscription, name: str, labels: Mapping[str, str], on_expired: Callable[[Snapshot], None], now: Nanos) -> Snapshot:
    """Note what is unacked in a subscription now.

    Raises:
        FailedPrecondition: it would expire within the hour.
    """
    expires = expire_time(subscription, now)
    held, since = position(subscription)
    snapshot = Snapshot(name, subscription.origin, subscription.topic, expires, dict(labels), held, since, on_expired)
    if subscription.topic is not None:
        subscription.topic.snapshots.add(name)
    return snapshot


def to_time(subscription: Subscription, time: Nanos) -> None:
    """Make every retained message published at or after `time` unacked, and every earlier one acked."""
    known, cursor = _all_known(subscription)
    subscription.retention.reach_back(cursor)
    first = place_of(cursor)
    front = [message for message in known if message_id_of(message) < first]
    cursor.skip_before(time, subscription.around.attic)
    _start_anew(subscription, front, [message for message in front if publish_time_of(message) >= time], cursor)


def to_snapshot(subscription: Subscription, snapshot: Snapshot) -> None:
    """Make what is unacked in the snapshot unacked, and the rest acked."""
    known = _one_by_one(subscription)
    if subscription.retention.own_log is None:
        chosen, cursor = snapshot.held, snapshot.since.copy()
        subscription.retention.reach_back(cursor)
    else:
        chosen, cursor = _passing(subscription, snapshot.messages()), subscription.retention.end()
        known += subscription.backlog.never_handed_out()
    _start_anew(subscription, [*known, *chosen], chosen, cursor)


def _one_by_one(subscription: Subscription) -> list[bytes]:
    """Give the messages, unacked or retained, that are known by themselves, not by a place in a log."""
    known = [*unacked_before_cursor(subscription), *subscription.retention.extras()]
    if isinstance(subscription.backlog, Backlog):
        known += subscription.backlog.cursor.without_front()[0]
    return known


def _all_known(subscription: Subscription) -> tuple[list[bytes], Cursor]:
    """Give everything that a seek may bring back: messages one by one, and the first place from which everything is kept."""
    known, backlog, retention = _one_by_one(subscription), subscription.backlog, subscription.retention
    topic_kept = None if subscription.topic is None else subscription.topic.kept
    if isinstance(backlog, OrderedBacklog) or (retention.own_log is not None and topic_kept is not None):
        # an ordered backlog has no place in a log; and the topic keeps what a filter's own log does not: it is judged again
        return [*known, *_kept(subscription), *backlog.never_handed_out()], retention.end()
    places = [backlog.cursor.without_front()[1], *(cursor.copy() for cursor in (retention.kept, topic_kept) if cursor is not None)]
    return known, min(places, key=place_of)


def _kept(subscription: Subscription) -> list[bytes]:
    kept: list[bytes] = []
    if subscription.retention.kept is not None:
        kept += subscription.retention.kept.messages()
    if subscription.topic is not None and subscription.topic.kept is not None:
        kept += _passing(subscription, subscription.topic.kept.messages())
    return kept


def _passing(subscription: Subscription, messages: Iterable[bytes]) -> list[bytes]:
    """Give the messages that the subscription's filter lets pass."""
    if not subscription.settings.filter.strip():
        return list(messages)
    test = filters.parse(subscription.settings.filter)
    return [message for message in messages if test.matches(dict(pubsub.PubsubMessage.FromString(message).attributes))]


def _start_anew(subscription: Subscription, known: Collection[bytes], chosen: Iterable[bytes], cursor: Cursor) -> None:
    """Make `chosen` and what stands behind `cursor` the backlog; of what is `known` beside it the rest is acked."""
    unacked = {message_id_of(message): message for message in chosen}
    subscription.retention.sought(known, unacked)
    front = [message for _, message in sorted(unacked.items())]
    subscription.book.clear()
    subscription.delayed.clear()
    if isinstance(subscription.backlog, OrderedBacklog):
        # this costs time per message, as every key has a queue of its own
        subscription.backlog = OrderedBacklog(subscription.book)
        subscription.backlog.feed(front, [pubsub.PubsubMessage.FromString(message).ordering_key for message in front])
    else:
        subscription.around.attic.take(subscription.backlog.cursor.segment, subscription.retention.log.tail)
        subscription.backlog = Backlog(prefixed(front, cursor, subscription.retention.log), subscription.book.detach_expired)


def prefixed(front: list[bytes], cursor: Cursor, log: Log) -> Cursor:
    """Give a cursor that reads `front` and then goes on where `cursor` stands."""
    if not front:
        return cursor
    if cursor.segment is log.tail:
        log.start_segment()  # a segment that still grows cannot be copied
    rest = Segment(cursor.segment.messages[cursor.offset :], cursor.segment.next)
    return Cursor(Segment(front, rest, is_front=True), 0)
