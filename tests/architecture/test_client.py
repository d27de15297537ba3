"""The client's layout: pure machines below, what moves bytes above them, heavy libraries each in one place."""

import ast
import pathlib

import pytest

from tests.architecture.test_rooms import LINES_MAX, PACKAGES, imports, sources

BASE = PACKAGES["publican"]
IMPURE = ("transport/", "aio/", "rest/", "auth.py", "prometheus.py", "otel.py")
READS_THE_TIME = "clock.py"
IMPURE_MODULES = {"asyncio", "socket", "threading", "time", "random", "selectors", "subprocess", "aiohttp", "concurrent"}
MAY_IMPORT_FOREIGN = {
    "grpc": {"transport/grpc.py"},
    "google.auth": {"auth.py"},
    "google.oauth2": {"auth.py"},
    "requests": {"auth.py"},
    "prometheus_client": {"prometheus.py"},
    "opentelemetry": {"otel.py"},
    "google.cloud": set(),
    "google.pubsub_v1": set(),
    "gcloud": set(),
}


def name(path: pathlib.Path) -> str:
    return path.relative_to(BASE).as_posix()


@pytest.mark.parametrize("path", sources("publican"), ids=name)
def test_machines_are_pure_and_know_nothing_of_what_moves_bytes(path: pathlib.Path) -> None:
    if name(path).startswith(IMPURE) or name(path) == "__init__.py":
        return
    found = set(imports(path))
    if name(path) != READS_THE_TIME:
        assert not {module.split(".")[0] for module in found} & IMPURE_MODULES
    above = {module for module in found if module.startswith(("publican.aio", "publican.rest", "publican.transport."))}
    assert above <= {module for module in above if module.startswith("publican.transport.protocol")}


@pytest.mark.parametrize("path", sources("publican"), ids=name)
def test_each_heavy_library_has_one_home(path: pathlib.Path) -> None:
    for module in imports(path):
        for foreign, homes in MAY_IMPORT_FOREIGN.items():
            if module == foreign or module.startswith(f"{foreign}."):
                assert name(path) in homes, f"{name(path)} imports {module}"


def test_transports_do_not_know_the_engine() -> None:
    for path in sorted((BASE / "transport").rglob("*.py")):
        assert not {module for module in imports(path) if module.startswith(("publican.aio", "publican.rest"))}, path


def test_one_file_of_the_client_owns_detached_tasks() -> None:
    owners = {
        name(path)
        for path in sources("publican")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"asyncio.create_task", "asyncio.ensure_future", "loop.create_task"}
    }
    assert owners <= {"aio/tasks.py", "aio/engine.py", "transport/polling.py", "transport/per_loop.py"}  # a stream awaits the pulls that are its own


@pytest.mark.parametrize("path", sources("publican"), ids=name)
def test_no_file_of_the_client_holds_two_ideas(path: pathlib.Path) -> None:
    if "made by scripts/" not in path.read_text()[:400].lower():
        assert len(path.read_text().splitlines()) <= LINES_MAX
