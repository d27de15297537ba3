"""Facts: the one vocabulary for what happened. History, journal, metrics and replay read it; nothing else is told.

A fact covers a group of messages that met the same fate at the same instant, and refers to their stored bytes: nothing is copied or parsed for it.
The broker states facts only when somebody listens.

PYTEST_DONT_REWRITE
"""

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from publican_emulator.broker.instants import Nanos


class Kind(enum.Enum):
    """What can happen."""

    PUBLISHED = "published"
    DELIVERED = "delivered"
    EXTENDED = "modack"
    EXPIRED = "expired"
    NACKED = "nacked"
    ACKED = "acked"
    ACKED_LATE = "acked late"
    ACK_REFUSED = "ack refused"
    FORWARDED = "forwarded"
    DROPPED = "dropped"
    FOUND_NOTHING = "pulled none"
    SOUGHT = "sought"
    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    DETACHED = "detached"


@dataclass(slots=True, frozen=True)
class Fact:
    """One thing that happened at one instant, to a resource or to messages."""

    at: Nanos
    kind: Kind
    resource: str
    """Full name of the topic, subscription or snapshot that it happened to."""
    messages: Sequence[bytes] = ()
    """Stored messages, as they are in the log."""
    attempt: int = 0
    """The delivery's number, from 1; 0 where none is meant."""
    until: Nanos | None = None
    """The end of the lease, for deliveries and extensions; the end of the back-off, for nacks and expiries."""
    was_until: Nanos | None = None
    """The end of the lease before an extension."""
    consumer: str = ""
    note: str = ""
    """What a reader should know beside that: why a message was dropped, where it was forwarded, which ack id was refused."""


Listener = Callable[[Fact], None]
