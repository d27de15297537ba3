"""What a row of the table is: a measurement, how much of it makes one turn on each product, and the ratio that it is held against.

Amounts differ by product because the products do: the official emulator delivers 2,000 streamed messages a second, so 4,000 of them take as
long as 400,000 of ours. `warm_up` is for the JVM: it answers 10,000 calls a second at first and 20,000-30,000 after some 100,000 calls,
and a benchmark without it flatters us by 2x.

PYTEST_DONT_REWRITE
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.product import Running


@dataclass(frozen=True, slots=True)
class Sample:
    """One turn of one row on one server."""

    value: float
    cpu_us: float | None = None  # server CPU per call or message
    also: Mapping[str, float] = field(default_factory=dict)  # further figures, such as p99


@dataclass(frozen=True, slots=True)
class Amounts:
    """How many calls or messages one turn makes."""

    publican: int
    official: int
    quick: int
    warm_up: int = 0  # of the official emulator; publican gets one turn that is not counted

    def of(self, product: str) -> int:
        """Return the amount of a full turn on this product."""
        return self.publican if product == "publican" else self.official

    def before(self, product: str) -> int:
        """Return the amount that is made before the first turn."""
        return self.publican if product == "publican" else self.warm_up


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    key: str
    label: str
    unit: str
    driver: str
    amounts: Amounts
    measure: Callable[[Running, int], Sample]
    more_is_better: bool = False
    ratio_target: float | None = None  # publican / official: at most this, or at least this where more is better
    value_target: float | None = None  # publican alone, in `unit`
    is_ours_alone: bool = False  # the official emulator has no such thing

    def meets(self, value: float, target: float) -> bool:
        """Whether a figure is on the right side of a target."""
        return value >= target if self.more_is_better else value <= target


class Cpu:
    """The server's CPU during a `with` block."""

    def __init__(self) -> None:
        self.used_s = 0.0

    def per(self, units: int) -> float:
        """Return microseconds per call or message."""
        return self.used_s / units * 1e6


@contextmanager
def cpu_of(server: Running) -> Iterator[Cpu]:
    """Measure the server's CPU from here to the end of the block."""
    cpu = Cpu()
    before = server.cpu_s
    yield cpu
    cpu.used_s = server.cpu_s - before
