"""A fault on the handle of a test: how often it was hit, and when it ends.

    with pubsub.fail("Publish", "UNAVAILABLE", times=2) as fault:
        ...
    assert fault.hits == 2

PYTEST_DONT_REWRITE
"""

from types import TracebackType
from typing import Self

from pytest_publican.link import ADMIN, Link


class FaultHandle:
    """A fault that was wished for; as a context it ends with its block."""

    def __init__(self, link: Link, number: int, words: str) -> None:
        self._link = link
        self._number = number
        self._last_hits: int | None = None
        self.words = words
        """What was wished, as it was written in the test."""

    def __repr__(self) -> str:
        return f"<{self.words} hits={self.hits}>"

    @property
    def hits(self) -> int:
        """How many calls it has met."""
        if self._last_hits is not None:
            return self._last_hits
        faults = self._link.ask("GET", f"{ADMIN}/faults")["faults"]
        return next((int(each["hits"]) for each in faults if each["fault"] == self._number), 0)

    def remove(self) -> None:
        """Take it back."""
        if self._last_hits is None:
            self._last_hits = int(self._link.ask("DELETE", f"{ADMIN}/faults/{self._number}")["hits"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.remove()
