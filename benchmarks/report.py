"""The results as a Markdown table for people and as JSON for the next comparison.

The machine line says what the figures depend on (processor, cores, kernel, versions) and nothing that identifies the machine.

PYTEST_DONT_REWRITE
"""

import datetime
import json
import os
import platform
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.load import have_h2load
from benchmarks.product import Product
from benchmarks.run import Result

BEGIN, END = "<!-- table: python -m benchmarks -->", "<!-- end of table -->"
VERDICT = {True: "met", False: "**missed**", None: ""}


def markdown(results: Sequence[Result], products: Sequence[Product], command: str) -> str:
    """Return the table with its date, machine and command."""
    names = [product.name for product in products]
    heads = ["row", "driver", *names, "ratio", "target", "", *(f"CPU {name}" for name in names)]
    lines = [_context(products, command), "", _line(heads), _line(["---"] * len(heads))]
    for result in results:
        row = result.row
        values = [_value(result, name) for name in names]
        cpus = [_cpu(result, name) for name in names]
        lines.append(_line([row.label, row.driver, *values, _ratio(result), _target(result), VERDICT[result.is_met], *cpus]))
    return "\n".join(lines) + "\n"


def as_json(results: Sequence[Result], products: Sequence[Product], command: str) -> str:
    """Return everything that was measured, turn by turn."""
    rows = [
        {
            "key": result.row.key,
            "label": result.row.label,
            "unit": result.row.unit,
            "driver": result.row.driver,
            "ratio": result.ratio,
            "ratio_target": result.row.ratio_target,
            "value_target": result.row.value_target,
            "met": result.is_met,
            "products": {
                name: {
                    "median": result.median(name),
                    "cpu_us": result.median_cpu_us(name),
                    **result.median_also(name),
                    "turns": [sample.value for sample in samples],
                }
                for name, samples in result.samples.items()
            },
        }
        for result in results
    ]
    versions = {product.name: product.version for product in products}
    document = {"date": _today(), "machine": machine(), "command": command, "versions": versions, "rows": rows}
    return json.dumps(document, indent=2) + "\n"


def write_into(page: Path, table: str) -> None:
    """Replace what stands between the two marks of a page by this table."""
    text = page.read_text()
    before, found, rest = text.partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not found or not closed:
        raise ValueError(f"{page} has no {BEGIN} ... {END}")
    page.write_text(f"{before}{BEGIN}\n{table}{END}{after}")


def machine() -> str:
    """Describe processor, memory and versions."""
    cpuinfo = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    parts = [
        f"{os.cpu_count()} x {model[1] if model else platform.machine()}",
        f"{memory:.0f} GiB",
        f"{platform.system()} {platform.release().partition('-')[0]}",
        f"CPython {platform.python_version()}",
    ]
    if have_h2load():
        parts.append(_first_line("h2load", "--version"))
    return ", ".join(parts)


def _context(products: Sequence[Product], command: str) -> str:
    servers = ", ".join(f"{product.name} {product.version}" for product in products)
    java = f", {_first_line('java', '--version')}" if any(product.name == "official" for product in products) else ""
    return f"{_today()}; {machine()}{java}; {servers}; `{command}`. CPU is the server's, per call or message (the start row: in all)."


def _value(result: Result, name: str) -> str:
    if name not in result.samples:
        return ""
    also = "".join(f" / {_figure(value)}" for value in result.median_also(name).values())
    return f"{_figure(result.median(name))}{also} {result.row.unit}"


def _cpu(result: Result, name: str) -> str:
    cpu_us = result.median_cpu_us(name) if name in result.samples else None
    return "" if cpu_us is None else f"{_figure(cpu_us)} us"


def _ratio(result: Result) -> str:
    return "" if result.ratio is None else f"{_figure(result.ratio)}x"


def _target(result: Result) -> str:
    row, sign = result.row, ">=" if result.row.more_is_better else "<="
    targets = [f"{sign} {row.ratio_target:g}x"] if row.ratio_target is not None else []
    if row.value_target is not None:
        targets.append(f"{sign} {_figure(row.value_target)} {row.unit}")
    return ", ".join(targets)


def _figure(value: float) -> str:
    """Three digits that count, and no more precision than a turn has."""
    if value >= 100:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def _first_line(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.partition("\n")[0].strip()
