"""Snapshots: what was unacked in a subscription at one instant, and everything published to its topic since.

A snapshot is a list of the messages that were already handed out and a cursor that was kept: making one costs nothing per waiting message, and
while it lives its messages live.

Source: google.pubsub.v1.Snapshot; docs/semantics.md, retention-seek-snapshots.

PYTEST_DONT_REWRITE
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from publican_emulator.broker import limits
from publican_emulator.broker.errors import BadArgument, FailedPrecondition
from publican_emulator.broker.instants import Nanos, spoken
from publican_emulator.broker.log import Cursor
from publican_emulator.broker.settings import check_labels
from publican_protocol import names
from publican_protocol.wire import publish_time_of

if TYPE_CHECKING:
    from publican_emulator.broker.subscription import Subscription
    from publican_emulator.broker.topic import Topic


@dataclass(slots=True, eq=False)
class Snapshot:
    """One snapshot."""

    name: str
    origin: "Topic"
    """The topic it belongs to for ever, deleted or not."""
    topic: "Topic | None"
    expire_time: Nanos
    labels: Mapping[str, str]
    held: list[bytes]
    """Unacked messages that do not stand behind `since`, in publish order."""
    since: Cursor
    """A place in the topic's log: what stands behind it is unacked in this snapshot."""
    on_expired: "Callable[[Snapshot], None]"
    is_over: bool = False
    armed: Nanos | None = None

    @property
    def topic_name(self) -> str:
        """The topic's full name, or `_deleted-topic_`."""
        return names.DELETED_TOPIC if self.topic is None else self.topic.name

    def messages(self) -> Iterator[bytes]:
        """Give every message that is unacked in it."""
        yield from self.held
        yield from self.since.messages()

    def change(self, labels: Mapping[str, str], expires: Nanos, now: Nanos) -> None:
        """Take other labels and another end.

        Raises:
            InvalidArgument: the labels' form, or an end outside its bounds.
        """
        check_labels(labels)
        if expires != self.expire_time:
            check_expire_time(expires, self, now)
        self.labels = dict(labels)
        self.expire_time = expires

    def end(self) -> None:
        """Let go of what only this snapshot kept."""
        self.is_over = True
        if self.topic is not None:
            self.topic.snapshots.discard(self.name)

    def next_due(self) -> Nanos | None:
        """Give the instant of its end; None once it is over."""
        return None if self.is_over else self.expire_time

    def settle(self, now: Nanos) -> None:
        """End when the time has come."""
        if self.expire_time <= now:
            self.on_expired(self)


def expire_time(subscription: "Subscription", now: Nanos) -> Nanos:
    """Give when a snapshot of `subscription` made now will expire: in 7 days, less the age of its oldest unacked message.

    Raises:
        FailedPrecondition: that would be in less than an hour.
    """
    times = [time for time in (subscription.backlog.oldest_waiting(), subscription.book.oldest()) if time is not None]
    age = max(0, now - min(times)) if times else 0
    life = limits.SNAPSHOT_LIFE - age
    if life < limits.SNAPSHOT_LIFE_MIN:
        raise FailedPrecondition(
            f"The snapshot would expire in {spoken(max(0, life))}, because its oldest unacked message is {spoken(age)} old; "
            f"the minimum is {spoken(limits.SNAPSHOT_LIFE_MIN)}."
        )
    return Nanos(now + life)


def check_expire_time(time: Nanos, snapshot: Snapshot, now: Nanos) -> None:
    """Refuse an expire_time in the past, or later than a new snapshot of the same messages could have.

    Raises:
        InvalidArgument: naming the bounds.
    """
    oldest = next(snapshot.messages(), None)
    latest = now + limits.SNAPSHOT_LIFE
    if oldest is not None:
        latest = min(latest, publish_time_of(oldest) + limits.SNAPSHOT_LIFE)
    if not now < time <= max(latest, snapshot.expire_time):
        raise BadArgument(
            "snapshot.expire_time", f"It must be in the future and at most {spoken(limits.SNAPSHOT_LIFE)} after its oldest unacked message."
        )
