"""Durations and timestamps: protobuf's to nanoseconds and back.

PYTEST_DONT_REWRITE
"""

from typing import Any, Final

from google.protobuf.message import Message

from publican_emulator.broker.errors import BadArgument
from publican_emulator.broker.instants import SECOND, Nanos

_DURATION_S_MAX: Final = 315_576_000_000
_TIMESTAMP_S_MIN: Final = -62_135_596_800
_TIMESTAMP_S_MAX: Final = 253_402_300_799


def instant(message: Message, field: str) -> Nanos:
    """Read a Timestamp field.

    Raises:
        BadArgument: it is outside the years 1 to 9999, or its nanos are no fraction of a second.
    """
    stamp: Any = getattr(message, field)
    if not _TIMESTAMP_S_MIN <= stamp.seconds <= _TIMESTAMP_S_MAX or not 0 <= stamp.nanos < SECOND:
        raise BadArgument(field, "It is not a valid google.protobuf.Timestamp.")
    return Nanos(stamp.seconds * SECOND + stamp.nanos)


def set_span(message: Any, nanos: int) -> None:
    """Write a Duration or a Timestamp; no setting is negative."""
    message.seconds, message.nanos = divmod(nanos, SECOND)


def span(message: Message, field: str) -> Nanos | None:
    """Read a Duration field; None when it is absent."""
    if not message.HasField(field):
        return None
    span: Any = getattr(message, field)
    seconds, nanos = span.seconds, span.nanos
    if abs(seconds) > _DURATION_S_MAX or abs(nanos) >= SECOND or seconds * nanos < 0:
        raise BadArgument(field, "It is not a valid google.protobuf.Duration.")
    return Nanos(seconds * SECOND + nanos)
