"""A topic and a subscription in a test: strings, their full resource names, so any client takes them as they are; and what happened there.

PYTEST_DONT_REWRITE
"""

from typing import TYPE_CHECKING, Any, Self, TypeVar

from publican_emulator.testing import assertions
from publican_emulator.testing.link import ADMIN
from publican_emulator.testing.wishes import Done, Mischief

if TYPE_CHECKING:
    from publican_emulator.testing.assertions import Wanted
    from publican_emulator.testing.handle import Pubsub
    from publican_emulator.testing.records import MessageRecord

W = TypeVar("W", Mischief, Done)


class _Name(str):
    """A full resource name that knows its Pub/Sub."""

    __slots__ = ("pubsub",)
    pubsub: "Pubsub"
    """The handle that made it."""

    @classmethod
    def on(cls, pubsub: "Pubsub", name: str) -> Self:
        """Give the name, bound to the handle that made it."""
        made = cls(name)
        made.pubsub = pubsub
        return made

    @property
    def id(self) -> str:
        """The last part of the name."""
        return self.rpartition("/")[2]

    @property
    def messages(self) -> "list[MessageRecord]":
        """Every message that was seen here, oldest first, with what happened to it."""
        return self.pubsub.messages_of(self)


class Topic(_Name):
    """A topic: its full name."""

    __slots__ = ()

    def publish(self, data: bytes = b"", *, ordering_key: str = "", **attributes: str) -> "MessageRecord":
        """Publish a message; see `Pubsub.publish`."""
        return self.pubsub.publish(self, data, ordering_key=ordering_key, **attributes)

    def assert_published(self, wanted: "Wanted" = None, *, times: int | None = None) -> "list[MessageRecord]":
        """Check that messages like this were published here, `times` of them (None: one or more), and give them.

        `wanted`: data, a message id or record, attributes that it must have, a function of the record, None for any.

        Raises:
            AssertionError: there are none, with the nearest miss; or another number.
        """
        __tracebackhide__ = True
        return assertions.published(self, wanted, times)


class Subscription(_Name):
    """A subscription: its full name, and the topic that it is on."""

    __slots__ = ("topic",)
    topic: Topic

    # mischief

    def lose_acks(self, count: int = 1) -> Mischief:
        """Lose the next acks: they succeed and change nothing, so their messages come again. As a block: what is left of it ends there."""
        return self._wished(Mischief(self, "loseAcks", count, f"{self.id}.lose_acks({count})"))

    def reorder(self, batches: int = 1) -> Mischief:
        """Hand out the next batches of first deliveries in the opposite order. As a block: what is left of it ends there."""
        return self._wished(Mischief(self, "reorder", batches, f"{self.id}.reorder({batches})"))

    def expire(self, message: "MessageRecord | str") -> int:
        """End the leases of a message now, as if their deadline had passed; give how many there were."""
        count = int(self._ask("expire", messageId=_id(message))["count"])
        self._wished(Done(f"{self.id}.expire(m{_id(message)})", count))
        return count

    def duplicate(self, message: "MessageRecord | str") -> int:
        """Deliver a second copy of an unacked message; give how many there will be (0: there is no such message)."""
        count = int(self._ask("duplicate", messageId=_id(message))["count"])
        self._wished(Done(f"{self.id}.duplicate(m{_id(message)})", count))
        return count

    # what happened

    def peek(self) -> "list[MessageRecord]":
        """Give what is not settled here yet: waiting, leased, or never handed out. Nothing changes by it."""
        return [message for message in self.messages if not message.is_settled]

    def assert_acked(self, wanted: "Wanted" = None, *, times: int | None = None) -> "list[MessageRecord]":
        """Check that messages like this were acked here, `times` of them (None: every one there is, and one at least), and give them.

        `wanted`: data, a message id or record, attributes that it must have, a function of the record, None for any.

        Raises:
            AssertionError: one was not, or there is none: with the nearest miss.
        """
        __tracebackhide__ = True
        return assertions.acked(self, wanted, times)

    def assert_delivered(self, wanted: "Wanted" = None, *, times: int | None = None) -> "list[MessageRecord]":
        """Check that messages like this were handed out here, each `times` times (None: once or more), and give them.

        Raises:
            AssertionError: one was not, or there is none: with the nearest miss.
        """
        __tracebackhide__ = True
        return assertions.delivered(self, wanted, times)

    def assert_not_redelivered(self, wanted: "Wanted" = None, *, after: float) -> "list[MessageRecord]":
        """Let `after` seconds pass, and check that no message like this came back, to be handed out or handed out again; give them.

        Raises:
            AssertionError: one did, or there is none: with what happened to it.
        """
        __tracebackhide__ = True
        return assertions.not_redelivered(self, wanted, after)

    def assert_dead_lettered(self, wanted: "Wanted" = None, *, attempts: int | None = None) -> "list[MessageRecord]":
        """Check that messages like this were forwarded to the dead letter topic, after so many deliveries (None: any number), and give them.

        Raises:
            AssertionError: one was not, or there is none: with the nearest miss.
        """
        __tracebackhide__ = True
        return assertions.dead_lettered(self, wanted, attempts)

    def _ask(self, what: str, **fields: object) -> Any:
        return self.pubsub.link.ask("POST", f"{ADMIN}/{self}/{what}", fields)

    def _wished(self, wish: W) -> W:
        self.pubsub.remember(wish)
        return wish


def _id(message: "MessageRecord | str") -> str:
    return message if isinstance(message, str) else message.id
