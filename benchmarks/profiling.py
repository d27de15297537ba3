"""Where the time of a row goes: the emulator under cProfile while the row is measured, for a row that falls short.

The profiler makes every call dearer, so the figures are shares, not times; what waits (a poll of the sockets) is left out.

PYTEST_DONT_REWRITE
"""

import io
import pstats
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.product import Product, started
from benchmarks.row import Row

SHOWN = 25
WAITING = ("select.epoll", "select.poll", "select.select")


def profile(product: Product, rows: Sequence[Row]) -> str:
    """Measure each row on a server of its own under the profiler; give for each the functions that took most, as Markdown."""
    return "\n".join(_profiled(product, row) for row in rows)


def _profiled(product: Product, row: Row) -> str:
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "profile"
        program, *words = product.command
        with started(replace(product, command=(program, "-m", "cProfile", "-o", str(kept), *words))) as server:
            row.measure(server, row.amounts.publican)
        return _table(row, pstats.Stats(str(kept), stream=io.StringIO()))


def _table(row: Row, found: pstats.Stats) -> str:
    taken = [
        (own, calls, f"{Path(file).parent.name}/{Path(file).name}:{line} {name}" if line else name)
        for (file, line, name), (_, calls, own, *_) in found.stats.items()  # type: ignore[attr-defined]  # untyped in typeshed
        if not any(wait in name for wait in WAITING)
    ]
    whole = sum(own for own, _, _ in taken)
    lines = [f"{row.label}: share of the server's time, by function", "", "| share | calls | function |", "| --- | --- | --- |"]
    for own, calls, name in sorted(taken, reverse=True)[:SHOWN]:
        lines.append(f"| {own / whole:.1%} | {calls:,} | `{name.replace('|', '/')}` |")
    sys.stderr.write(f"{row.label}: profiled\n")
    return "\n".join(lines) + "\n"
