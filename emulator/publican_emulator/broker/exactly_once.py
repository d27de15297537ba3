"""Exactly-once delivery: which ack ids acked their message, so that a repeated ack is a success and a stale one is told.

Only the newest delivery's ack id is valid. An id that acked its message stays good (clients repeat acks whose answer was lost); every other id of a
message that is gone is refused. Remembering all good ids would cost memory for ever, so the exceptions are remembered: a group that is over acked
each of its messages by its own id unless it stands here.

Source: "Exactly-once delivery", cloud.google.com/pubsub/docs/exactly-once-delivery; docs/semantics.md, exactly-once.

PYTEST_DONT_REWRITE
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from publican_emulator.broker import ackids
from publican_emulator.broker.errors import ErrorInfo, InvalidArgument

REMEMBERED: Final = 100_000
"""Leases that are over and were not simply acked; beyond it the oldest are forgotten, and their stale ids answered as if good."""
PERMANENT: Final = "PERMANENT_FAILURE_INVALID_ACK_ID"
TRANSIENT: Final = "TRANSIENT_FAILURE_INVALID_ACK_ID"
_TEXT: Final = (
    "Some acknowledgement ids in the request were invalid. This could be because the acknowledgement ids have expired or "
    "the acknowledgement ids were malformed."
)


class TransientId(str):
    """An ack id that was refused for a while: its lease goes on, and the same ack may succeed later."""

    __slots__ = ()


class Retired:
    """Leases that are over."""

    __slots__ = ("_bad", "_good", "_valid_from")

    def __init__(self) -> None:
        self._bad: dict[bytes, frozenset[bytes]] = {}  # group head -> slots whose message went on under another id
        self._good: dict[bytes, bytes] = {}  # head of a single -> the rest that acked it
        self._valid_from = 0

    def group_over(self, head: bytes, superseded: set[bytes]) -> None:
        """Remember a group whose messages did not all end under its own ids."""
        if superseded:
            self._bad[head] = frozenset(superseded)
            if len(self._bad) > REMEMBERED:
                del self._bad[next(iter(self._bad))]

    def single_over(self, head: bytes, rest: bytes) -> None:
        """Remember the id that acked a single message."""
        self._good[head] = rest
        if len(self._good) > REMEMBERED:
            del self._good[next(iter(self._good))]

    def forget_before(self, number: int) -> None:
        """Take every id of leases numbered below `number` as bad: a seek ended them."""
        self._valid_from = number
        self._bad.clear()
        self._good.clear()

    def remembered(self) -> dict[str, Any]:
        """Give all of it as plain data."""
        bad = {head.decode(): sorted(map(bytes.decode, slots)) for head, slots in self._bad.items()}
        good = {head.decode(): rest.decode() for head, rest in self._good.items()}
        return {"bad": bad, "good": good, "valid_from": self._valid_from}

    def restore(self, remembered: Mapping[str, Any]) -> None:
        """Take over what another one remembered."""
        self._bad = {head.encode(): frozenset(map(str.encode, slots)) for head, slots in remembered["bad"].items()}
        self._good = {head.encode(): rest.encode() for head, rest in remembered["good"].items()}
        self._valid_from = remembered["valid_from"]

    def acked_by(self, head: bytes, rest: bytes, subscription: int) -> bool:
        """Say whether this id, whose lease is over, is the one that acked its message."""
        said = ackids.decode_head(head)
        if said is None or said.subscription != subscription or said.number < self._valid_from:
            return False
        if said.kind == ackids.SINGLE:
            return self._good.get(head) == rest
        return rest not in self._bad.get(head, ())


def refusal(ack_ids: Sequence[str]) -> InvalidArgument:
    """Give the error of an Acknowledge or ModifyAckDeadline that failed for some ids; the others were applied."""
    info = ErrorInfo(
        "EXACTLY_ONCE_ACKID_FAILURE",
        "pubsub.googleapis.com",
        {ack_id: TRANSIENT if isinstance(ack_id, TransientId) else PERMANENT for ack_id in ack_ids},
    )
    return InvalidArgument(_TEXT, info)
