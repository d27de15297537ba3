"""Instants and spans of time: integer nanoseconds, so that `advance(a + b)` is exactly `advance(a); advance(b)`.

PYTEST_DONT_REWRITE
"""

from typing import Final, NewType

Nanos = NewType("Nanos", int)

MILLISECOND: Final = 1_000_000
SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR


def spoken(span: int) -> str:
    """Give a span the way the service's error texts write it (a Go duration): `9m59s`, `744h`, `1h0m1.5s`, `0s`."""
    if span < 0:
        return "-" + spoken(-span)
    hours, rest = divmod(span, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    seconds = f"{rest / SECOND:.9f}".rstrip("0").rstrip(".")
    if hours:
        text = f"{hours}h{minutes}m{seconds}s"
    elif minutes:
        text = f"{minutes}m{seconds}s"
    else:
        return f"{seconds}s"
    text = text.removesuffix("m0s") + "m" if text.endswith("m0s") else text
    return text.removesuffix("h0m") + "h" if text.endswith("h0m") else text
