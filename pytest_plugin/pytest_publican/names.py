"""A topic and a subscription in a test: strings, their full resource names, so any client takes them as they are; and what happened there.

PYTEST_DONT_REWRITE
"""

from typing import TYPE_CHECKING, Any, Self

from pytest_publican.link import ADMIN

if TYPE_CHECKING:
    from pytest_publican.handle import Pubsub
    from pytest_publican.records import MessageRecord


class _Name(str):
    """A full resource name that knows its Pub/Sub."""

    __slots__ = ("_pubsub",)
    _pubsub: "Pubsub"

    @classmethod
    def on(cls, pubsub: "Pubsub", name: str) -> Self:
        """Give the name, bound to the handle that made it."""
        made = cls(name)
        made._pubsub = pubsub
        return made

    @property
    def id(self) -> str:
        """The last part of the name."""
        return self.rpartition("/")[2]

    @property
    def messages(self) -> "list[MessageRecord]":
        """Every message that was seen here, oldest first, with what happened to it."""
        return self._pubsub.messages_of(self)


class Topic(_Name):
    """A topic: its full name."""

    __slots__ = ()

    def publish(self, data: bytes = b"", *, ordering_key: str = "", **attributes: str) -> "MessageRecord":
        """Publish a message; see `Pubsub.publish`."""
        return self._pubsub.publish(self, data, ordering_key=ordering_key, **attributes)


class Subscription(_Name):
    """A subscription: its full name, and the topic that it is on."""

    __slots__ = ("topic",)
    topic: Topic

    def lose_acks(self, count: int = 1) -> "Mischief":
        """Lose the next acks: they succeed and change nothing, so their messages come again."""
        self._ask("loseAcks", count=count)
        return Mischief(self, "acks", f"{self.id}.lose_acks({count})")

    def reorder(self, batches: int = 1) -> "Mischief":
        """Hand out the next batches of first deliveries in the opposite order."""
        self._ask("reorder", count=batches)
        return Mischief(self, "batches", f"{self.id}.reorder({batches})")

    def expire(self, message: "MessageRecord | str") -> int:
        """End the leases of a message now, as if their deadline had passed; give how many there were."""
        return int(self._ask("expire", messageId=_id(message))["count"])

    def duplicate(self, message: "MessageRecord | str") -> int:
        """Deliver a second copy of an unacked message; give how many there will be (0: there is no such message)."""
        return int(self._ask("duplicate", messageId=_id(message))["count"])

    def peek(self) -> "list[MessageRecord]":
        """Give what is not settled here yet: waiting, leased, or never handed out. Nothing changes by it."""
        return [message for message in self.messages if message.state not in {"acked", "dead-lettered", "dropped"}]

    def _ask(self, what: str, **fields: object) -> Any:
        return self._pubsub.link.ask("POST", f"{ADMIN}/{self}/{what}", fields)


class Mischief:
    """What was wished of a subscription, and how much of it has happened."""

    def __init__(self, subscription: Subscription, what: str, words: str) -> None:
        self._subscription = subscription
        self._what = what
        self.words = words
        """What was wished, as it was written in the test."""
        subscription._pubsub.remember(self)

    @property
    def hits(self) -> int:
        """How many acks were lost, or batches turned round, on the subscription."""
        done = self._subscription._pubsub.link.ask("GET", f"{ADMIN}/{self._subscription}/mischief")
        return int(done["acksLost" if self._what == "acks" else "batchesReordered"])


def _id(message: "MessageRecord | str") -> str:
    return message if isinstance(message, str) else message.id
