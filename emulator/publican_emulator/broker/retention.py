"""Retention: how long a subscription keeps messages, unacked or acked, and where it finds the acked ones again.

What a subscription could seek back to is a cursor that was kept: in its topic's log, or in a log of its own when a filter or ordering gives it one.
Messages that were handed out before `retain_acked_messages` was switched on stand outside that cursor; they are noted one by one when they are acked.

Source: "Replay and purge messages", cloud.google.com/pubsub/docs/replay-overview; docs/semantics.md, retention-seek-snapshots.

PYTEST_DONT_REWRITE
"""

from collections.abc import Container, Iterable
from typing import TYPE_CHECKING

from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.lease_book import LeaseBook
from publican_emulator.broker.log import Attic, Cursor, Log
from publican_emulator.broker.settings import SubscriptionSettings
from publican_protocol.wire import message_id_of, publish_time_of

if TYPE_CHECKING:
    from publican_emulator.broker.topic import Topic


class Retention:
    """What one subscription keeps, and until when."""

    __slots__ = ("_early", "_extras", "due", "kept", "log", "own_log", "span")

    def __init__(self, topic: "Topic", settings: SubscriptionSettings) -> None:
        self.own_log = Log() if settings.filter.strip() or settings.enable_message_ordering else None
        """A log of what its filter let pass; None: it reads its topic's."""
        self.log = topic.log if self.own_log is None else self.own_log
        self.span = span_of(topic, settings)
        self.due: Nanos | None = None
        """When the oldest message here has been kept long enough; None: nothing is here."""
        self.kept: Cursor | None = self.end() if settings.retain_acked_messages else None
        """From here on everything is kept, acked or not."""
        self._early: set[int] = set()
        self._extras: list[bytes] = []

    def end(self) -> Cursor:
        """Give a cursor behind everything published so far."""
        return self.log.end()

    def feed(self, messages: list[bytes]) -> None:
        """Note messages that the filter let pass."""
        if self.own_log is not None:
            self.own_log.append(messages)

    def keep(self, start: Cursor, unacked: Iterable[bytes]) -> None:
        """Begin to keep acked messages: all behind `start`, and those of `unacked` that stand before it."""
        self.kept = start
        self._early = set(map(message_id_of, unacked))

    def keep_no_more(self) -> None:
        """Drop the acked messages."""
        self.kept = None
        self._early.clear()
        self._extras.clear()

    @property
    def wants_acked(self) -> bool:
        """Whether `acked` must be told which messages were acked."""
        return bool(self._early)

    def acked(self, messages: Iterable[bytes]) -> None:
        """Note messages that left the backlog."""
        if self._early:
            for message in messages:
                message_id = message_id_of(message)
                if message_id in self._early:
                    self._early.discard(message_id)
                    self._extras.append(message)

    def sought(self, messages: Iterable[bytes], unacked: Container[int]) -> None:
        """Note what a seek has made of messages, by their ids: those before the kept part are known one by one."""
        if self.kept is None:
            return
        first = place_of(self.kept)
        early = {message_id: message for message in messages if (message_id := message_id_of(message)) < first}
        self._early = {message_id for message_id in early if message_id in unacked}
        self._extras = [message for message_id, message in sorted(early.items()) if message_id not in unacked]

    def reach_back(self, start: Cursor) -> None:
        """Keep everything behind `start` too, if anything is kept: a seek has brought it into this subscription."""
        if self.kept is not None and place_of(start) < place_of(self.kept):
            self.kept = start.copy()

    def extras(self) -> list[bytes]:
        """Give the acked messages that are kept outside the cursor."""
        return self._extras

    def early(self) -> set[int]:
        """Give the ids of unacked messages that will be kept outside the cursor when they are acked."""
        return self._early

    def restore(self, kept: Cursor | None, early: Iterable[int], extras: list[bytes]) -> None:
        """Keep what another one kept."""
        self.kept = kept
        self._early = set(early)
        self._extras = extras

    def trim(self, time: Nanos, attic: Attic) -> None:
        """Forget acked messages published before `time`."""
        if self.kept is not None:
            self.kept.skip_before(time, attic)
        if self._extras:
            self._extras = [message for message in self._extras if publish_time_of(message) >= time]

    def rearm(self, oldest_waiting: Nanos | None, book: LeaseBook) -> None:
        """Find out when the next message is too old."""
        kept = None if self.kept is None else self.kept.peek()
        times = [time for time in (oldest_waiting, book.oldest(), None if kept is None else Nanos(publish_time_of(kept))) if time is not None]
        times += map(Nanos, map(publish_time_of, self._extras))
        self.due = Nanos(min(times) + self.span) if times else None

    def clear(self, attic: Attic) -> None:
        """Forget everything, for good."""
        if self.kept is not None:
            attic.take(self.kept.segment, self.log.tail)
        self.keep_no_more()
        self.log = self.own_log = Log()
        self.due = None


def place_of(cursor: Cursor) -> int:
    """Give the id of the message behind a cursor; an id beyond all at the end of a log."""
    message = cursor.peek()
    return 1 << 63 if message is None else message_id_of(message)


def span_of(topic: "Topic | None", settings: SubscriptionSettings) -> Nanos:
    """Give how long unacked messages are kept: the longer of the subscription's and the topic's retention."""
    topic_span = topic.settings.message_retention if topic is not None else None
    return max(settings.message_retention, topic_span or Nanos(0))
