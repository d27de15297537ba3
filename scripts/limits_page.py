"""Write docs/limits.md from the emulator's table of limits: `python scripts/limits_page.py [--check]`."""

import pathlib
import sys

from publican_emulator.broker.instants import spoken
from publican_emulator.broker.limits import LIMITS

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "limits.md"
HEAD = """# Limits

What the service bounds, and Publican with it: one table in the code (`emulator/publican_emulator/broker/limits.py`), which the checks read and
this page is made from (`python scripts/limits_page.py`). Beyond a limit a call is refused as the service refuses it, unless the row says otherwise.

| Value | What | Source |
|---:|---|---|
"""


def text() -> str:
    """Give the page."""
    rows = []
    for limit in LIMITS.values():
        unit, _, rest = limit.meaning.partition(" ")
        is_span = unit == "nanoseconds"
        value = spoken(limit.value) if is_span else f"{limit.value:,}"
        rows.append(f"| {value} | {rest.removeprefix('of ').removeprefix('that ') if is_span else limit.meaning} | {limit.source} |\n")
    return HEAD + "".join(rows)


if __name__ == "__main__":
    if "--check" in sys.argv:
        raise SystemExit(PAGE.read_text() != text())
    PAGE.write_text(text())
