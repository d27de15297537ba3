"""Seek: make a subscription's backlog another one, at one instant.

Every lease ends, no ack id from before means anything afterwards, attempts begin anew. A subscription without ordering reads on from a kept cursor,
so seeking over a million retained messages costs a search; what stands outside the cursor is put before it as a segment of its own.

Source: google.pubsub.v1.Subscriber.Seek; "Replay and purge messages"; docs/semantics.md, retention-seek-snapshots.

PYTEST_DONT_REWRITE
"""

from collections.abc import Callable, Iterable, Mapping

from publican_emulator.broker import filters
from publican_emulator.broker.backlog import Backlog
from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.log import Cursor, Log, Segment
from publican_emulator.broker.ordering import OrderedBacklog
from publican_emulator.broker.snapshots import Snapshot, expire_time
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
        return held, subscription.backlog.cursor.copy()
    waiting = subscription.backlog.never_handed_out()
    return sorted([*held, *waiting], key=message_id_of), subscription.origin.log.end()


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
    handed_out = unacked_before_cursor(subscription)
    outside = [*handed_out, *subscription.retention.extras()]
    if isinstance(subscription.backlog, OrderedBacklog):
        waiting = subscription.backlog.never_handed_out()
        _rebuild(subscription, [*outside, *waiting, *_kept(subscription)], time, was_unacked=[*handed_out, *waiting])
        return
    cursor = _earliest(subscription, subscription.backlog.cursor)
    if subscription.retention.own_log is not None and subscription.topic is not None and subscription.topic.kept is not None:
        # the topic keeps what this filter's own log does not: judge it again
        outside += [*_kept(subscription), *subscription.backlog.cursor.messages()]
        cursor = subscription.retention.end()
    _place(subscription, outside, cursor, time, was_unacked=handed_out)


def _earliest(subscription: Subscription, cursor: Cursor) -> Cursor:
    """Give the first place from which everything is kept: in the log that the subscription reads."""
    candidates = [cursor.copy()]
    if subscription.retention.kept is not None:
        candidates.append(subscription.retention.kept.copy())
    if subscription.retention.own_log is None and subscription.topic is not None and subscription.topic.kept is not None:
        candidates.append(subscription.topic.kept.copy())
    return min(candidates, key=_place_of)


def _place_of(cursor: Cursor) -> int:
    message = cursor.peek()
    return 1 << 63 if message is None else message_id_of(message)


def _place(subscription: Subscription, outside: Iterable[bytes], cursor: Cursor, time: Nanos, was_unacked: Iterable[bytes]) -> None:
    first = _place_of(cursor)
    front = {message_id_of(message): message for message in outside if message_id_of(message) < first}
    subscription.retention.acked(message for message in was_unacked if publish_time_of(message) < time)
    cursor.skip_before(time)
    chosen = [front[message_id] for message_id in sorted(front) if publish_time_of(front[message_id]) >= time]
    _restart(subscription)
    assert isinstance(subscription.backlog, Backlog)
    subscription.backlog = Backlog(prefixed(chosen, cursor, subscription.retention.log), subscription.book.detach_expired)


def _rebuild(subscription: Subscription, messages: Iterable[bytes], time: Nanos, was_unacked: Iterable[bytes]) -> None:
    """Fill an ordered backlog anew; this costs time per message, as every key has a queue of its own."""
    subscription.retention.acked(message for message in was_unacked if publish_time_of(message) < time)
    by_id = {message_id_of(message): message for message in messages}
    chosen = [by_id[message_id] for message_id in sorted(by_id) if publish_time_of(by_id[message_id]) >= time]
    _restart(subscription)
    backlog = OrderedBacklog(subscription.book)
    backlog.feed(chosen, [pubsub.PubsubMessage.FromString(message).ordering_key for message in chosen])
    subscription.backlog = backlog


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


def _restart(subscription: Subscription) -> None:
    subscription.book.clear()
    subscription.delayed.clear()


def to_snapshot(subscription: Subscription, snapshot: Snapshot) -> None:
    """Make what is unacked in the snapshot unacked, and the rest acked."""
    was_unacked = unacked_before_cursor(subscription)
    unacked_there = {message_id_of(message) for message in snapshot.held}
    if subscription.retention.own_log is None:
        first = _place_of(snapshot.since)
        subscription.retention.acked(
            message for message in was_unacked if message_id_of(message) < first and message_id_of(message) not in unacked_there
        )
        _restart(subscription)
        cursor = prefixed(_passing(subscription, snapshot.held), snapshot.since.copy(), subscription.retention.log)
        subscription.backlog = Backlog(cursor, subscription.book.detach_expired)
        return
    chosen = _passing(subscription, snapshot.messages())
    chosen_ids = set(map(message_id_of, chosen))
    subscription.retention.acked(message for message in was_unacked if message_id_of(message) not in chosen_ids)
    if isinstance(subscription.backlog, OrderedBacklog):
        _rebuild(subscription, chosen, Nanos(0), was_unacked=())
        return
    _restart(subscription)
    cursor = prefixed(chosen, subscription.retention.end(), subscription.retention.log)
    subscription.backlog = Backlog(cursor, subscription.book.detach_expired)


def prefixed(front: list[bytes], cursor: Cursor, log: Log) -> Cursor:
    """Give a cursor that reads `front` and then goes on where `cursor` stands."""
    if not front:
        return cursor
    if cursor.segment is log.tail:
        log.start_segment()  # a segment that still grows cannot be copied
    rest = cursor.segment.messages[cursor.offset :]
    return Cursor(Segment([*front, *rest], cursor.segment.next), 0)
