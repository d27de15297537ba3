"""The shop's suite passes, and its handler with the mistake is found out: fast, and in a few lines."""

import re
import subprocess
import sys
from pathlib import Path

SHOP = Path(__file__).parents[2] / "examples" / "shop"
LINES_MAX = 6
CPU_S_MAX = 5

TIMED = """
import time
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    begin = time.process_time()
    try:
        return (yield)
    finally:
        print(f"took {time.process_time() - begin} s")
"""


def run(tmp_path: Path, *arguments: str) -> str:
    (tmp_path / "timed.py").write_text(TIMED)
    without = [word for plugin in ("cacheprovider", "randomly", "asyncio") for word in ("-p", f"no:{plugin}")]
    options = ["-p", "timed", "-W", "error", "-s", "--hypothesis-profile=ci"]
    command = [sys.executable, "-m", "pytest", *without, *options, *arguments, str(SHOP)]
    environment = {"PYTHONPATH": str(tmp_path), "PATH": "", "HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path / "hypothesis")}
    return subprocess.run(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False, env=environment
    ).stdout


def test_the_shop_s_suite_passes(tmp_path: Path) -> None:
    printed = run(tmp_path)
    assert re.search(r"= 13 passed, 1 xfailed in", printed), printed


def test_the_hasty_handler_is_found_out_fast_and_told_in_few_lines(tmp_path: Path) -> None:
    printed = run(tmp_path, "--runxfail", "-k", "haste")
    told = re.search(r"^E +pytest_publican\.NotSurvived: (.*?)^E +(?:Failing|Falsifying)", printed, re.MULTILINE | re.DOTALL)
    assert told is not None, printed
    lines = told[1].splitlines()
    assert len(lines) <= LINES_MAX, printed
    assert lines[0] == "bank.charges is [('A1', 500), ('A1', 500)]; after exactly one delivery it is [('A1', 500)]"
    assert "shop.py:" in told[1]
    assert lines[-1].removeprefix("E").strip().startswith("@example(DeliveryPlan({'order': '")
    took = re.search(r"took ([\d.]+) s", printed)
    assert took is not None
    assert float(took[1]) < CPU_S_MAX, "seconds of CPU, so that a busy machine does not count"
