"""The benchmark's quick form: every row runs and gives a figure, and the results are written where they were asked for. It judges nothing."""

import json
import pathlib
import subprocess
import sys

import pytest

from benchmarks import report
from benchmarks.product import find_official_jar
from benchmarks.rows import ROWS

ROOT = pathlib.Path(__file__).resolve().parents[2]


def quick(folder: pathlib.Path, product: str) -> tuple[str, dict[str, dict[str, dict[str, object]]]]:
    """Run it as a user does; give the page that it wrote into, and each row's results by product."""
    page, measured = folder / "page.md", folder / "results.json"
    page.write_text(f"before\n{report.BEGIN}\n{report.END}\nafter\n")
    command = [sys.executable, "-m", "benchmarks", "--quick", "--product", product, "--json", str(measured), "--write", str(page)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return page.read_text(), {row["key"]: row["products"] for row in json.loads(measured.read_text())["rows"]}


def check(folder: pathlib.Path, product: str, *products: str) -> None:
    page, rows = quick(folder, product)
    assert list(rows) == [row.key for row in ROWS]
    for key, results in rows.items():
        assert set(results) <= set(products), key
        assert "publican" in results, key
        assert all(isinstance(each["median"], float) and each["median"] > 0 for each in results.values()), (key, results)
    assert page.startswith("before\n")
    assert page.endswith("after\n")
    assert all(f"| {row.label} |" in page for row in ROWS)


def test_every_row_gives_a_figure(tmp_path: pathlib.Path) -> None:
    check(tmp_path, "publican", "publican")


@pytest.mark.slow  # starts a Java program twice
def test_every_row_gives_a_figure_for_the_official_emulator_too(tmp_path: pathlib.Path) -> None:
    if find_official_jar(None) is None:
        pytest.skip("the benchmark is NOT run against the official emulator: there is none here")
    check(tmp_path, "both", "publican", "official")


def test_the_page_s_table_has_every_row_that_compares_and_its_command() -> None:
    page = (ROOT / "docs" / "performance.md").read_text()
    compared = [row for row in ROWS if not row.is_ours_alone]
    assert all(f"| {row.label} |" in page for row in compared), "docs/performance.md was made before the last change of the rows"
    assert "`python -m benchmarks`" in page
