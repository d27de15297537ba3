"""What the plugin costs a suite that does not use it."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]


def _loading(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60, check=True)


def test_loading_the_plugin_imports_nothing_of_ours_nor_of_others() -> None:
    program = "import pytest, sys; before = set(sys.modules); import pytest_publican.plugin; print(*sorted(set(sys.modules) - before))"
    new = _loading(["-c", program]).stdout.split()
    assert [name for name in new if not name.startswith("pytest_publican")] == []
    assert "publican_emulator.testing.handle" not in new


def test_loading_the_plugin_costs_a_suite_next_to_nothing() -> None:
    def share() -> float:
        trace = _loading(["-X", "importtime", "-c", "import pytest; import pytest_publican.plugin"]).stderr
        total_us = {line.split("|")[2].strip(): int(line.split("|")[1]) for line in trace.splitlines() if line.count("|") == 2 and "[us]" not in line}
        return total_us["pytest_publican.plugin"] / total_us["pytest"]

    # Of pytest's own import, some 150 ms: a share does not depend on what else the machine does. The benchmark has the milliseconds.
    assert min(share() for _ in range(3)) < 0.13


def test_a_session_that_uses_no_fixture_starts_no_emulator(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import sys, threading
        def test_it(): assert "publican_emulator" not in sys.modules and threading.active_count() == 1
    """)
    pytester.runpytest_subprocess("-W", "error", "-p", "no:asyncio").assert_outcomes(passed=1)


ROOTS = {"protocol": "publican_protocol", "emulator": "publican_emulator"}


@pytest.mark.parametrize("root", ROOTS)
def test_every_module_beside_the_plugin_asks_pytest_not_to_rewrite_it(root: str) -> None:
    # pytest rewrites the asserts of every package of a distribution that has a pytest11 entry point; an editable install hides it.
    package = Path(__file__).parents[2] / root / ROOTS[root]
    modules = {str(path.relative_to(package)): ast.get_docstring(ast.parse(path.read_text())) or "" for path in package.rglob("*.py")}
    assert modules
    assert [name for name, docstring in modules.items() if "PYTEST_DONT_REWRITE" not in docstring] == []
