"""Flow control: how much a subscriber holds at once, and when it stops and goes on taking.

`Outstanding` counts what has been received and not been settled. Taking stops when a limit is reached and goes on below four fifths of it; between
the two it stays as it was, so that a subscriber at its limit does not stop and go with each message. What overshoots (the service had sent
it already) is held: leased and counted, and not handed out.

Source: "Max Concurrency" in the guide of gcloud-aio-pubsub; docs/flow-control.md.

PYTEST_DONT_REWRITE
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

MIB: Final = 1024 * 1024
RESUME_BELOW: Final = (4, 5)
"""The share of a limit below which taking goes on, in whole numbers: 0.8 of a limit is exact then."""
EXTENSION_S_MIN: Final = 10
EXTENSION_S_MAX: Final = 600


class FlowControl(NamedTuple):
    """Limits of what one subscription holds at once, and of how long it keeps a message.

    `max_lease_duration`: seconds from receipt after which a message that is not settled is given back. `max_duration_per_lease_extension`: the most
    that one extension asks for, in seconds (0: as the handlers need; else 10 to 600), and `min_duration_per_lease_extension` the least (0: 60 under
    exactly-once delivery, else none). Where the two differ, the maximum counts.
    """

    max_bytes: int = 100 * MIB
    max_messages: int = 1000
    max_lease_duration: float = 3600
    max_duration_per_lease_extension: int = 0
    min_duration_per_lease_extension: int = 0


def checked(limits: Sequence[float]) -> FlowControl:
    """Give flow control from a FlowControl or a plain tuple in its order.

    Raises:
        ValueError: a limit that nothing could meet.
    """
    flow_control = limits if isinstance(limits, FlowControl) else FlowControl(*limits)  # type: ignore[arg-type]  # a plain tuple holds what it holds
    for field, low in (("max_bytes", 1), ("max_messages", 1), ("max_lease_duration", 1)):
        value = getattr(flow_control, field)
        if value < low:
            raise ValueError(f"flow_control.{field} is {value}; it must be at least {low}, or no message could ever be taken")
    for field in ("max_duration_per_lease_extension", "min_duration_per_lease_extension"):
        value = getattr(flow_control, field)
        if value and not EXTENSION_S_MIN <= value <= EXTENSION_S_MAX:
            raise ValueError(f"flow_control.{field} is {value}; it must be 0 (as the handlers need) or {EXTENSION_S_MIN}..{EXTENSION_S_MAX} seconds")
    return flow_control


class Sized(Protocol):
    """What takes room."""

    size: int


class Outstanding:
    """What is received and not settled, against the limits; `handed_*` is the part that handlers have."""

    __slots__ = ("_concurrency", "_max_bytes", "_max_messages", "bytes", "count", "handed_bytes", "handed_count", "is_paused")

    def __init__(self, flow_control: FlowControl, concurrency: int | None = None) -> None:
        """`concurrency`: how many messages handlers have at most; None: as many as are received."""
        self._max_messages = flow_control.max_messages
        self._max_bytes = flow_control.max_bytes
        self._concurrency = min(concurrency or flow_control.max_messages, flow_control.max_messages)
        self.count = 0
        self.bytes = 0
        self.handed_count = 0
        self.handed_bytes = 0
        self.is_paused = False
        """Whether nothing more is to be taken from the service."""

    @property
    def load(self) -> float:
        """The larger of the shares of both limits that are taken."""
        return max(self.count / self._max_messages, self.bytes / self._max_bytes)

    @property
    def room(self) -> int:
        """How many more messages may be asked for; 0 while it is paused."""
        return 0 if self.is_paused else self._max_messages - self.count

    def add(self, count: int, size: int) -> None:
        """Count messages that have come."""
        self.count += count
        self.bytes += size
        if self.count >= self._max_messages or self.bytes >= self._max_bytes:
            self.is_paused = True

    def may_hand(self, size: int) -> bool:
        """Say whether a message of that size may be handed out; one that is larger than the limit goes alone."""
        held = self.handed_count
        return held < self._concurrency and (not held or self.handed_bytes + size <= self._max_bytes)

    def hand(self, size: int) -> None:
        """Count a message as a handler's."""
        self.handed_count += 1
        self.handed_bytes += size

    def hand_all(self, sized: "Sequence[Sized]") -> bool:
        """Count all of them as handlers' if they fit together; say whether they do."""
        size = sum([each.size for each in sized])
        if self.handed_count + len(sized) > self._concurrency or self.handed_bytes + size > self._max_bytes:
            return False
        self.handed_count += len(sized)
        self.handed_bytes += size
        return True

    def remove(self, size: int, *, was_handed: bool) -> None:
        """Free the place of a message."""
        self.count -= 1
        self.bytes -= size
        if was_handed:
            self.handed_count -= 1
            self.handed_bytes -= size
        if self.is_paused:
            part, whole = RESUME_BELOW
            self.is_paused = self.count * whole >= self._max_messages * part or self.bytes * whole >= self._max_bytes * part
