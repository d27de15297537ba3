"""A run: both servers live from the first row to the last; per row a warm-up, then turns that alternate between them, then medians.

Turns of the same row differ by 30-50 % on a virtual machine, and slowly: alternating puts both products into the same weather. Ratios
below 1.5 are not facts.

PYTEST_DONT_REWRITE
"""

import statistics
import sys
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.product import Product, Running, started
from benchmarks.row import Row, Sample


@dataclass(frozen=True, slots=True)
class Result:
    """What one row gave: per product the samples of its turns, in order."""

    row: Row
    samples: dict[str, list[Sample]]

    def median(self, product: str) -> float:
        """Return the middle value of a product's turns."""
        return statistics.median(sample.value for sample in self.samples[product])

    def median_cpu_us(self, product: str) -> float | None:
        """Return the middle server CPU per call or message; None where the row does not measure it."""
        known = [sample.cpu_us for sample in self.samples[product] if sample.cpu_us is not None]
        return statistics.median(known) if known else None

    def median_also(self, product: str) -> dict[str, float]:
        """Return the middle of each further figure."""
        first = self.samples[product][0].also
        return {key: statistics.median(sample.also[key] for sample in self.samples[product]) for key in first}

    @property
    def ratio(self) -> float | None:
        """Publican divided by the official emulator; None when only one of them ran."""
        if set(self.samples) < {"publican", "official"}:
            return None
        return self.median("publican") / self.median("official")

    @property
    def is_met(self) -> bool | None:
        """Whether every target that can be judged in this run is met; None when there is none."""
        verdicts = []
        if self.row.value_target is not None and "publican" in self.samples:
            verdicts.append(self.row.meets(self.median("publican"), self.row.value_target))
        if self.row.ratio_target is not None and self.ratio is not None:
            verdicts.append(self.row.meets(self.ratio, self.row.ratio_target))
        return all(verdicts) if verdicts else None


def run(products: Sequence[Product], rows: Sequence[Row], *, turns: int, quick: bool) -> tuple[list[Result], list[Row]]:
    """Measure every row on every product; give the results, and the rows that failed: ten minutes are not thrown away for one of them."""
    results, failed = [], []
    with ExitStack() as stack:
        servers = [stack.enter_context(started(product)) for product in products]
        for row in rows:
            try:
                results.append(_measure(row, servers, turns=turns, quick=quick))
            except Exception:  # noqa: BLE001  (whatever it is, it is told, and the exit code says so)
                traceback.print_exc()
                failed.append(row)
    return [result for result in results if result.samples], failed


def _measure(row: Row, servers: Sequence[Running], *, turns: int, quick: bool) -> Result:
    if row.is_ours_alone:
        servers = [server for server in servers if server.product.name == "publican"]
    samples: dict[str, list[Sample]] = {server.product.name: [] for server in servers}
    if not quick:
        for server in servers:
            if amount := row.amounts.before(server.product.name):
                _turn(row, server, amount)
    for _ in range(turns):
        for server in servers:
            name = server.product.name
            samples[name].append(_turn(row, server, row.amounts.quick if quick else row.amounts.of(name)))
    result = Result(row, samples)
    medians = ", ".join(f"{name} {result.median(name):,.4g}" for name in samples)
    sys.stderr.write(f"{row.label} [{row.unit}]: {medians}\n")
    return result


def _turn(row: Row, server: Running, amount: int) -> Sample:
    try:
        return row.measure(server, amount)
    except Exception as error:
        error.add_note(f"in row {row.key!r} on {server.product.name}")
        raise
