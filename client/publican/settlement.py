"""How messages end: acks, nacks and extensions on their way to the service, and what became of them.

PYTEST_DONT_REWRITE
"""

import enum
from typing import Protocol


class How(enum.Enum):
    """How a message is settled."""

    ACK = "ack"
    NACK = "nack"
    DROP = "drop"  # nothing is said to the service: the lease runs out


class AckResult(enum.Enum):
    """What became of an ack or a nack."""

    SUCCESS = "success"
    LEASE_LOST = "lease lost"  # max_lease_duration had passed, or the client was closed
    INVALID_ACK_ID = "invalid ack id"
    PERMISSION_DENIED = "permission denied"
    FAILED_PRECONDITION = "failed precondition"
    OTHER = "other"


class Settler(Protocol):
    """Whom a received message tells how it ends; one message may be settled from any thread of its loop, once."""

    def settle(self, ack_id: str, how: How) -> None:
        """Settle a message at once; the first of ack, nack and drop counts."""

    async def settle_with_result(self, ack_id: str, how: How) -> AckResult:
        """Settle a message and wait until the service has said what became of it."""

    def extend(self, ack_id: str, seconds: int) -> None:
        """Ask for another deadline, so many seconds from now."""

    def is_lease_lost(self, ack_id: str) -> bool:
        """Say whether the message's lease has ended without being settled."""
