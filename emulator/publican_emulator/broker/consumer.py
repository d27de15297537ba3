"""Consumers: whoever takes messages of a subscription (a pull, a stream, a push endpoint), and how many more it accepts.

A consumer that wants messages is either *waiting* (the subscription has none for it) or *ready* (it has been told to come). The broker tells one
consumer at a time, in rotation, and the next when that one has taken its share: so a message wakes one stream, not all two hundred of them.

PYTEST_DONT_REWRITE
"""

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from publican_emulator.broker import limits
from publican_emulator.broker.errors import PubsubError
from publican_emulator.broker.instants import SECOND, Nanos

if TYPE_CHECKING:
    from publican_emulator.broker.subscription import Subscription


class Mood(enum.Enum):
    """What a consumer is doing just now."""

    BUSY = "busy"  # it does not ask
    WAITING = "waiting"  # it asked, there was nothing for it
    READY = "ready"  # it has been told to come
    CLOSED = "closed"


Carrier = Literal["", "push", "export"]


@dataclass(slots=True, eq=False)
class Consumer:
    """One taker of messages. Limits of 0 are no limits; sizes are of stored messages, in bytes."""

    number: int
    label: str
    """What histories call it: `Pull #3`, `StreamingPull #1`."""
    lease_for: Nanos | None
    """How long its leases are; None: as long as the subscription says at that moment."""
    max_messages: int = 0
    max_bytes: int = 0
    takes_once: bool = False
    """A pull: it holds nothing once it has answered, so leases do not count against it."""
    client_id: str = ""
    carried_by: Carrier = ""
    """Which room of the emulator carries its messages away; empty: a client does."""
    is_paused: bool = False
    """A push endpoint that rests after failures."""
    outstanding: int = 0
    outstanding_bytes: int = 0
    handed: int = 0
    """How many deliveries have been charged to it so far."""
    mood: Mood = Mood.BUSY
    end: PubsubError | None = None
    """Why it will get nothing any more: its subscription was deleted, detached, ..."""
    subscription: "Subscription" = field(init=False, repr=False)
    """Where it takes from; set when it is opened."""

    @property
    def has_credit(self) -> bool:
        """Whether another message may be handed to it: below both limits, so that one message may overshoot the bytes."""
        if self.takes_once:
            return True
        return (
            not self.is_paused
            and (not self.max_messages or self.outstanding < self.max_messages)
            and (not self.max_bytes or self.outstanding_bytes < self.max_bytes)
        )

    @property
    def extends_runs(self) -> bool:
        """Whether more of an ordering key may follow to it while it holds some: a stream, but no push endpoint."""
        return not self.takes_once and self.carried_by != "push"

    def room(self, most: int) -> int:
        """Give how many messages of `most` its count allows."""
        if self.max_messages and not self.takes_once:
            return max(0, min(most, self.max_messages - self.outstanding))
        return min(most, self.max_messages) if self.max_messages else most

    def room_bytes(self, most: int) -> int:
        """Give how many bytes of `most` its size limit allows."""
        if self.max_bytes:
            return min(most, max(0, self.max_bytes - self.outstanding_bytes))
        return most

    def charge(self, messages: int, size: int) -> None:
        """Count messages that were handed to it."""
        self.outstanding += messages
        self.handed += messages
        self.outstanding_bytes += size

    def free(self, messages: int, size: int) -> None:
        """Stop counting messages that were acked, nacked, dropped or ran out."""
        self.outstanding -= messages
        self.outstanding_bytes -= size


def a_pull(max_messages: int) -> Consumer:
    """Give a consumer that takes up to `max_messages` once; a larger number than one response may hold is lowered."""
    return Consumer(0, "Pull", None, max_messages=min(max_messages, limits.PULL_MESSAGES), takes_once=True)


def a_stream(ack_deadline_s: int, max_messages: int, max_bytes: int, client_id: str) -> Consumer:
    """Give a consumer that takes messages until it is closed; limits of 0 or below are no limits."""
    return Consumer(0, "StreamingPull", Nanos(ack_deadline_s * SECOND), max(0, max_messages), max(0, max_bytes), client_id=client_id)


def a_carrier(carried_by: Carrier, label: str, lease_for: Nanos | None = None) -> Consumer:
    """Give the service itself as a consumer: it carries messages to an endpoint, or exports them."""
    return Consumer(0, label, lease_for, carried_by=carried_by)
