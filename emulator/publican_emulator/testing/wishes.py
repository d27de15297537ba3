"""What a test wishes to go wrong: each wish is counted, can be scoped, and is reported when it has met nothing.

    with pubsub.fail("Publish", "UNAVAILABLE", times=2) as fault:
        ...
    assert fault.hits == 2

PYTEST_DONT_REWRITE
"""

from types import TracebackType
from typing import TYPE_CHECKING, Final, Protocol, Self

from publican_emulator.testing.link import ADMIN, Link

if TYPE_CHECKING:
    from publican_emulator.rpc.faults import Fault, Faults
    from publican_emulator.testing.names import Subscription


class Wish(Protocol):
    """Something that a test wished to happen."""

    words: str
    """What was wished, as it was written in the test."""

    @property
    def hits(self) -> int:
        """How often it has."""


class _Scoped:
    """A wish that ends with its block, or when it is taken back."""

    def __init__(self, words: str) -> None:
        self._last_hits: int | None = None
        self.words = words

    def __repr__(self) -> str:
        return f"<{self.words} hits={self.hits}>"

    @property
    def hits(self) -> int:
        """How often it has happened."""
        return self._now() if self._last_hits is None else self._last_hits

    def remove(self) -> None:
        """Take it back."""
        if self._last_hits is None:
            self._last_hits = self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.remove()

    def _now(self) -> int:
        raise NotImplementedError

    def _end(self) -> int:
        raise NotImplementedError


class FaultHandle(_Scoped):
    """Calls that are to fail or to wait; `hits` counts those that have."""

    def __init__(self, link: Link, number: int, words: str) -> None:
        super().__init__(words)
        self._link = link
        self._number = number

    def _now(self) -> int:
        faults = self._link.ask("GET", f"{ADMIN}/faults")["faults"]
        return next((int(each["hits"]) for each in faults if each["fault"] == self._number), 0)

    def _end(self) -> int:
        return int(self._link.ask("DELETE", f"{ADMIN}/faults/{self._number}")["hits"])


class FaultHere(_Scoped):
    """The same on an emulator in this process, where a function may choose the calls."""

    def __init__(self, faults: "Faults", fault: "Fault", words: str) -> None:
        super().__init__(words)
        self._faults = faults
        self._fault = fault

    def _now(self) -> int:
        return self._fault.hits

    def _end(self) -> int:
        self._faults.remove(self._fault)
        return self._fault.hits


_MISCHIEF: Final = {"loseAcks": ("acksLost", "acksToLose"), "reorder": ("batchesReordered", "batchesToReorder")}
"""By operation: what has been done, and what is still to be."""


class Mischief(_Scoped):
    """Acks to lose, or batches to turn round, on a subscription; `hits` counts those that were. First wished, first met."""

    def __init__(self, subscription: "Subscription", operation: str, count: int, words: str) -> None:
        super().__init__(words)
        self._link = subscription.pubsub.link
        self._path = f"{ADMIN}/{subscription}"
        self._done, to_do = _MISCHIEF[operation]
        self._to_do = to_do
        self._count = count
        told = self._link.ask("GET", f"{self._path}/mischief")
        self._first = int(told[self._done]) + int(told[to_do])
        self._link.ask("POST", f"{self._path}/{operation}", {"count": count})

    def _now(self) -> int:
        done = int(self._link.ask("GET", f"{self._path}/mischief")[self._done])
        return max(0, min(done - self._first, self._count))

    def _end(self) -> int:
        hits = self._now()
        self._link.ask("DELETE", f"{self._path}/mischief", {self._to_do: self._count - hits})
        return hits


class Done:
    """A wish that was carried out at once, and how much it has met."""

    def __init__(self, words: str, hits: int) -> None:
        self.words = words
        self.hits = hits
