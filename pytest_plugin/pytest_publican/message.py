"""Messages in property tests: one as it is published, and one as a handler receives it.

A received message is shaped so that handlers of google-cloud-pubsub (a callback that calls `message.ack()`), of gcloud-aio-pubsub (a coroutine that
returns) and of Publican's own client run unchanged: the attributes and methods have the names that all of them use.

PYTEST_DONT_REWRITE
"""

import json
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from publican.settlement import AckResult


@dataclass(frozen=True, slots=True, repr=False)
class Message:
    """A message as it is published."""

    data: bytes = b""
    attributes: Mapping[str, str] = field(default_factory=dict)
    ordering_key: str = ""

    def __repr__(self) -> str:
        words = [repr(self.data)] if self.data else []
        words += [f"attributes={dict(self.attributes)!r}"] if self.attributes else []
        words += [f"ordering_key={self.ordering_key!r}"] if self.ordering_key else []
        return f"Message({', '.join(words)})"


Payload = Message | bytes | str | Mapping[str, Any]
"""What stands for a message in a plan: a message, its data, its data as text, or what its data says as JSON."""


def message_of(payload: Payload) -> Message:
    """Give the message that a payload stands for."""
    if isinstance(payload, Message):
        return payload
    if isinstance(payload, bytes):
        return Message(payload)
    return Message((payload if isinstance(payload, str) else json.dumps(payload)).encode())


class AckRefused(Exception):
    """An ack had no effect: under exactly-once delivery its lease was over. Where google-cloud-pubsub is loaded, its own error is raised instead."""


Settle = Callable[[int | None], bool]
"""Ack (None), nack (0) or give another deadline, in seconds; says whether it took effect."""


class ReceivedMessage:
    """A message as a handler receives it."""

    def __init__(
        self,
        message: Message,
        message_id: str,
        ack_id: str,
        publish_time: datetime,
        delivery_attempt: int | None,
        settle: Settle,
        is_lost: Callable[[], bool],
    ) -> None:
        self.data = message.data
        self.attributes = dict(message.attributes)
        self.ordering_key = message.ordering_key
        self.message_id = message_id
        self.ack_id = ack_id
        self.publish_time = publish_time
        self.delivery_attempt = delivery_attempt
        """From 1 where the plan has dead-lettering, else None, as in the clients."""
        self.size = len(message.data)
        self._settle = settle
        self._is_lost = is_lost

    def __repr__(self) -> str:
        return f"<message {self.message_id}: {self.data!r}>"

    def ack(self) -> None:
        """Ack it."""
        self._settle(None)

    def nack(self) -> None:
        """Give it back: it is delivered again."""
        self._settle(0)

    def modify_ack_deadline(self, seconds: int) -> None:
        """Give its lease another deadline, that many seconds from now."""
        self._settle(seconds)

    def drop(self) -> None:
        """Forget it without an ack: its lease runs out."""

    def ack_with_response(self) -> "Future[Any]":
        """Ack it, and tell how that went."""
        return self._told(None)

    def nack_with_response(self) -> "Future[Any]":
        """Give it back, and tell how that went."""
        return self._told(0)

    def modify_ack_deadline_with_response(self, seconds: int) -> "Future[Any]":
        """Give its lease another deadline, and tell how that went."""
        return self._told(seconds)

    async def ack_with_result(self) -> "AckResult":
        """Ack it, and wait for how that went, as with Publican's client.

        Raises:
            AckFailed: its lease is over, and exactly-once delivery is on.
        """
        return self._result(None)

    async def nack_with_result(self) -> "AckResult":
        """Give it back, and wait for how that went.

        Raises:
            AckFailed: its lease is over, and exactly-once delivery is on.
        """
        return self._result(0)

    @property
    def is_lease_lost(self) -> bool:
        """Whether its lease has run out while it is being handled."""
        return self._is_lost()

    def _result(self, seconds: int | None) -> "AckResult":
        from publican.errors import AckFailed
        from publican.settlement import AckResult

        if not self._settle(seconds):
            raise AckFailed(f"The lease of {self!r} is over.", AckResult.INVALID_ACK_ID)
        return AckResult.SUCCESS

    def _told(self, seconds: int | None) -> "Future[Any]":
        done: Future[Any] = Future()
        google: Any = sys.modules.get("google.cloud.pubsub_v1.subscriber.exceptions")
        if self._settle(seconds):
            done.set_result("SUCCESS" if google is None else google.AcknowledgeStatus.SUCCESS)
        else:
            done.set_exception(
                AckRefused(self.ack_id) if google is None else google.AcknowledgeError(google.AcknowledgeStatus.INVALID_ACK_ID, self.ack_id)
            )
        return done
