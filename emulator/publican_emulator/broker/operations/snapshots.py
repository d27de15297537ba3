"""Snapshots and seeks: note what is unacked, and make it so again.

Source: google.pubsub.v1.Subscriber; docs/semantics.md, retention-seek-snapshots.

PYTEST_DONT_REWRITE
"""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from publican_emulator.broker import limits, seeking
from publican_emulator.broker.errors import InvalidArgument
from publican_emulator.broker.events import Kind
from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.settings import check_labels
from publican_emulator.broker.snapshot import Snapshot
from publican_protocol import names

if TYPE_CHECKING:
    from publican_emulator.broker.broker import Broker


def create_snapshot(broker: "Broker", name: str, subscription: str, labels: Mapping[str, str], now: Nanos) -> Snapshot:
    """Note what is unacked in a subscription. An empty name asks for one in the subscription's project.

    Raises:
        InvalidArgument: the form of a name or a label.
        NotFound: the subscription does not exist.
        AlreadyExists: there is a snapshot of that name.
        FailedPrecondition: it is detached, or the snapshot would expire within the hour.
        ResourceExhausted: the project has as many as it may have.
    """
    broker.settle(now)
    if name:
        broker.snapshots.check_form(name)
    check_labels(labels)
    broker.snapshots.check_free(name)
    source = broker.use(subscription, now)
    source.check_attached()
    name = name or broker.snapshots.free_name(names.project_of(subscription), broker.counters.next_serial())
    if broker.enforces_quotas:
        broker.snapshots.check_room(name, limits.SNAPSHOTS)
    snapshot = seeking.snapshot_of(source, name, labels, partial(expire, broker), now)
    broker.snapshots.put(name, snapshot)
    broker.timers.arm(snapshot, snapshot.expire_time)
    broker.state(Kind.CREATED, name, now, note=f"of {subscription}")
    return snapshot


def get_snapshot(broker: "Broker", name: str, now: Nanos) -> Snapshot:
    """Give a snapshot."""
    broker.settle(now)
    return broker.snapshots.get(name)


def update_snapshot(broker: "Broker", name: str, labels: Mapping[str, str], expire_time: Nanos, now: Nanos) -> Snapshot:
    """Give a snapshot other labels and another end.

    Raises:
        InvalidArgument: the labels' form, or an end outside its bounds.
    """
    broker.settle(now)
    snapshot = broker.snapshots.get(name)
    snapshot.change(labels, expire_time, now)
    broker.timers.arm(snapshot, expire_time)
    broker.state(Kind.UPDATED, name, now)
    return snapshot


def delete_snapshot(broker: "Broker", name: str, now: Nanos) -> None:
    """Delete a snapshot; what only it kept is gone."""
    broker.settle(now)
    _delete(broker, broker.snapshots.get(name), now)


def _delete(broker: "Broker", snapshot: Snapshot, now: Nanos, note: str = "") -> None:
    broker.snapshots.remove(snapshot.name)
    broker.timers.disarm(snapshot)
    snapshot.end()
    broker.attic.take(snapshot.since.segment, snapshot.origin.log.tail)
    broker.state(Kind.DELETED, snapshot.name, now, note=note)


def expire(broker: "Broker", snapshot: Snapshot) -> None:
    """Delete a snapshot whose end has come."""
    _delete(broker, snapshot, snapshot.expire_time, "expired")


def list_snapshots(broker: "Broker", project: str, now: Nanos) -> list[Snapshot]:
    """Give the snapshots of a project (`projects/p`), sorted by name."""
    broker.settle(now)
    return broker.snapshots.of_project(project)


def seek_to_time(broker: "Broker", subscription: str, time: Nanos, now: Nanos) -> None:
    """Make every retained message published at or after `time` unacked, and every earlier one acked; leases end."""
    broker.settle(now)
    known = broker.use(subscription, now)
    known.check_attached()
    seeking.to_time(known, time)
    known.rearm(now)
    broker.state(Kind.SOUGHT, subscription, now, note="to a time")


def seek_to_snapshot(broker: "Broker", subscription: str, snapshot: str, now: Nanos) -> None:
    """Make what is unacked in a snapshot unacked, and the rest acked; leases end.

    Raises:
        NotFound: one of them does not exist.
        InvalidArgument: the snapshot is of another topic.
    """
    broker.settle(now)
    known = broker.use(subscription, now)
    known.check_attached()
    source = broker.snapshots.get(snapshot)
    if not seeking.same_topic(known, source):
        raise InvalidArgument(f"The snapshot {snapshot} belongs to the topic {source.topic_name}, not to {known.topic_name}.")
    seeking.to_snapshot(known, source)
    known.rearm(now)
    broker.state(Kind.SOUGHT, subscription, now, note=f"to {snapshot}")
