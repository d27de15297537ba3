"""What a program may watch of its client: one call for each thing that happens, with no effect by default.

`prometheus.py` and `otel.py` are observers; so is any object with these methods. An exception in one is logged once and changes nothing.

PYTEST_DONT_REWRITE
"""

from typing import Any, Protocol


class Observer(Protocol):
    """Is told what happens. `subscription` and `topic` are full names; spans of time are seconds."""

    def received(self, subscription: str, count: int, size: int) -> None:
        """Messages have come: how many, and their bytes."""

    def handed(self, subscription: str, waited_s: float) -> None:
        """A message was handed to its handler, so long after it had come."""

    def settled(self, subscription: str, how: str, handling_s: float) -> None:
        """A message was settled (`ack`, `nack`, `drop`) so long after it had been handed out."""

    def lease_extended(self, subscription: str, count: int, seconds: int) -> None:
        """Leases were extended by so many seconds."""

    def lease_lost(self, subscription: str, why: str) -> None:
        """The lease of a message has ended before it was settled."""

    def batch_sent(self, resource: str, kind: str, count: int, took_s: float) -> None:
        """A request has been answered: `publish` of a topic; `ack`, `nack`, `modack` of a subscription."""

    def retried(self, resource: str, kind: str, code: str) -> None:
        """A request is tried again, after an error with this code."""

    def reconnected(self, subscription: str, code: str) -> None:
        """A stream has ended with this code (`OK`: cleanly), and another is opened."""

    def load(self, subscription: str, load: float) -> None:
        """The share of the flow control's limits that is taken."""


class Silent:
    """Watches nothing."""

    def __getattribute__(self, name: str) -> Any:
        return _nothing


def _nothing(*_: object) -> None:
    pass
