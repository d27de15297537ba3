"""What one consumer is handed at one instant: deliveries, as bytes for the wire or one by one.

PYTEST_DONT_REWRITE
"""

from collections.abc import Sequence
from dataclasses import dataclass

from publican_emulator.broker import ackids
from publican_protocol import wire


@dataclass(slots=True, frozen=True)
class Delivery:
    """One handing-out of one message."""

    ack_id: str
    message: bytes
    """A serialized PubsubMessage with its id and publish time."""
    delivery_attempt: int
    """From 1 with a dead-letter policy; 0 without one."""


@dataclass(slots=True, frozen=True)
class Part:
    """Deliveries whose ack ids share a head and whose attempts are equal."""

    messages: Sequence[bytes]
    head: bytes
    rests: Sequence[bytes]
    attempt: int


@dataclass(slots=True, frozen=True)
class Batch:
    """Deliveries of one instant to one consumer."""

    parts: Sequence[Part] = ()

    def __bool__(self) -> bool:
        return bool(self.parts)

    def __len__(self) -> int:
        return sum(len(part.messages) for part in self.parts)

    def encoded(self) -> bytes:
        """Give the `received_messages` of a PullResponse or StreamingPullResponse."""
        if len(self.parts) == 1:
            part = self.parts[0]
            return wire.received(part.messages, part.head, part.rests, part.attempt)
        return b"".join(wire.received(part.messages, part.head, part.rests, part.attempt) for part in self.parts)

    def deliveries(self) -> list[Delivery]:
        """Give the deliveries one by one."""
        return [
            Delivery((part.head + rest).decode(), message, part.attempt)
            for part in self.parts
            for message, rest in zip(part.messages, part.rests, strict=True)
        ]


NOTHING = Batch()


def group_rests(count: int) -> Sequence[bytes]:
    """Give the rests of the ack ids of a group of `count` messages."""
    return ackids.SLOTS[:count]
