"""Whose turn it is: the consumers of one subscription that want messages, in rotation.

One of them at a time is told to come (it is *ready*); when it has taken its share, or leaves, or says that it cannot take anything now, the next one
is told. So nobody is overlooked, and a single message wakes a single consumer.

PYTEST_DONT_REWRITE
"""

from collections.abc import Callable

from publican_emulator.broker.consumer import Consumer, Mood
from publican_emulator.broker.errors import PubsubError


class Rotation:
    """The consumers of a subscription: all that are open, and those that wait."""

    __slots__ = ("_has_more", "_on_ready", "_told", "_waiting", "consumers")

    def __init__(self, has_more: Callable[[Consumer], bool], on_ready: Callable[[Consumer], None]) -> None:
        self.consumers: dict[Consumer, None] = {}
        self._waiting: dict[Consumer, None] = {}
        self._told: Consumer | None = None
        self._has_more = has_more
        self._on_ready = on_ready

    def want(self, consumer: Consumer) -> None:
        """Note that a consumer asks for messages; it is told to come when there is one for it."""
        if consumer.mood is Mood.READY or consumer.mood is Mood.CLOSED:
            return
        if consumer.end is not None:
            self._tell_end(consumer)
            return
        consumer.mood = Mood.WAITING
        self._waiting[consumer] = None
        self.tell()

    def rest(self, consumer: Consumer) -> None:
        """Note that a consumer does not ask just now: it has come, or cannot take anything."""
        if consumer.mood is not Mood.CLOSED:
            consumer.mood = Mood.BUSY
        self._waiting.pop(consumer, None)
        if self._told is consumer:
            self._told = None

    def tell(self) -> None:
        """Tell the next consumer that has credit and for whom there is a message, unless one has been told already."""
        if self._told is not None:
            return
        for consumer in self._waiting:
            if consumer.has_credit and self._has_more(consumer):
                del self._waiting[consumer]
                consumer.mood = Mood.READY
                self._told = consumer
                self._on_ready(consumer)
                return

    def rivals(self, consumer: Consumer) -> int:
        """Count the others that wait and could take messages too."""
        return sum(1 for other in self._waiting if other is not consumer and other.has_credit)

    @property
    def is_waited_on(self) -> bool:
        """Whether somebody waits for a message."""
        return bool(self._waiting)

    @property
    def has_streams(self) -> bool:
        """Whether a stream is open: that alone keeps a subscription from expiring."""
        return any(not consumer.takes_once for consumer in self.consumers)

    def close(self, consumer: Consumer) -> None:
        """Forget a consumer; its leases stay until their deadlines."""
        self.consumers.pop(consumer, None)
        self.rest(consumer)
        consumer.mood = Mood.CLOSED
        self.tell()

    def end_all(self, error: PubsubError) -> None:
        """Tell every consumer that it will get nothing any more, and why."""
        for consumer in self.consumers:
            self.end(consumer, error)

    def end(self, consumer: Consumer, error: PubsubError) -> None:
        """Tell one consumer that it will get nothing any more, and why."""
        consumer.end = error
        self.rest(consumer)
        self._tell_end(consumer)

    def _tell_end(self, consumer: Consumer) -> None:
        consumer.mood = Mood.READY
        self._on_ready(consumer)
