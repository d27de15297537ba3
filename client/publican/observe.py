"""What a program may watch of its client: one call for each thing that happens, with no effect by default.

`prometheus.py` and `otel.py` are observers; so is any class that inherits from `Observer` and overrides what it wants to know. An exception in one
is logged once and changes nothing.

PYTEST_DONT_REWRITE
"""

import contextlib
import logging
from collections.abc import Callable, MutableMapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from publican.message import SubscriberMessage

_log: Final = logging.getLogger("publican.observer")


class Observer:
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

    def publishing(self, topic: str, attributes: MutableMapping[str, str]) -> None:
        """A message is about to be published; what is put into its attributes goes with it, as the context of a trace does."""

    def processing(self, subscription: str, message: "SubscriberMessage") -> AbstractContextManager[Any]:
        """A handler is about to run: it does so inside the context that is given."""
        return contextlib.nullcontext()


class Guarded:
    """An observer whose exceptions are logged once for each method, and change nothing."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._has_failed: set[str] = set()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._observer, name, None)

        def guarded(*args: Any) -> Any:
            try:
                if method is not None:
                    return method(*args)
            except Exception:  # noqa: BLE001  (an observer must never harm what it watches)
                if name not in self._has_failed:
                    self._has_failed.add(name)
                    _log.exception("the observer %r failed in %s; it is told on, and further failures there are not logged", self._observer, name)
            return contextlib.nullcontext() if name == "processing" else None

        self.__dict__[name] = guarded
        return guarded
