"""What the chapters of a state refer to: messages by their ids, topics by their numbers, places in logs.

A stored message is written once, however many subscriptions have it, and is one object again when it is read. A log is written from the first place
in it that anybody still needs; a place is the id of the message behind it, or "end".

PYTEST_DONT_REWRITE
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.log import Cursor, Log
from publican_emulator.broker.retention import place_of
from publican_emulator.broker.topic import Topic
from publican_protocol.wire import message_id_of

if TYPE_CHECKING:
    from publican_emulator.broker.broker import Broker

Place = int | str
"""The id of the message that stands behind a cursor, or END."""

END = "end"
_AT_ONCE = 1_000


@dataclass(slots=True)
class Dumping:
    """What has been referred to so far."""

    now: Nanos
    messages: dict[int, bytes] = field(default_factory=dict)
    topics: dict[Topic, int] = field(default_factory=dict)
    """Topics by their number in the document: the deleted ones too, as long as somebody has messages of them."""
    starts: dict[Topic, Cursor] = field(default_factory=dict)
    """From where on a topic's log is needed."""

    def ids(self, messages: Iterable[bytes]) -> list[int]:
        """Give the ids of messages that are written down by this."""
        return [self.id(message) for message in messages]

    def id(self, message: bytes) -> int:
        """Give the id of a message that is written down by this."""
        number = message_id_of(message)
        self.messages[number] = message
        return number

    def topic(self, topic: Topic) -> int:
        """Give the number of a topic."""
        return self.topics.setdefault(topic, len(self.topics))

    def place(self, topic: Topic, cursor: Cursor) -> Place:
        """Give a place in a topic's log, and see to it that the log is written from there on."""
        self.topic(topic)
        start = self.starts.get(topic)
        if start is None or place_of(cursor) < place_of(start):
            self.starts[topic] = cursor.copy()
        return place(cursor)


@dataclass(slots=True)
class Loading:
    """What may be referred to."""

    messages: dict[int, bytes]
    topics: list[Topic] = field(default_factory=list)
    starts: list[Cursor] = field(default_factory=list)
    """For each topic the cursor before all of its log."""

    def stored(self, ids: Iterable[int]) -> list[bytes]:
        """Give the messages of these ids."""
        return [self.messages[number] for number in ids]

    def cursor(self, topic: int, said: Place) -> Cursor:
        """Give the cursor at a place in a topic's log."""
        return cursor_at(self.starts[topic], self.topics[topic].log.end(), said)

    @staticmethod
    def living(broker: "Broker", topic: Topic) -> Topic | None:
        """Give the topic, unless it has been deleted."""
        return topic if broker.topics.find(topic.name) is topic else None


def place(cursor: Cursor) -> Place:
    """Give the id of the message behind a cursor, or "end"."""
    message = cursor.peek()
    return END if message is None else message_id_of(message)


def cursor_at(start: Cursor, end: Cursor, said: Place) -> Cursor:
    """Give a cursor at a place behind `start`, or at the end."""
    if isinstance(said, str):
        return end
    cursor = start.copy()
    cursor.skip_to_id(said)
    return cursor


def fill(log: Log, messages: Sequence[bytes]) -> Cursor:
    """Write a log anew, in segments as publishing makes them, and give the cursor before all of it."""
    start = log.end()
    for first in range(0, len(messages), _AT_ONCE):
        log.append(list(messages[first : first + _AT_ONCE]))
    return start
