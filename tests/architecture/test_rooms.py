"""The layout is a rule: which room may import which, and what none of them may touch."""

import ast
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = {
    "publican_protocol": ROOT / "protocol" / "publican_protocol",
    "publican_emulator": ROOT / "emulator" / "publican_emulator",
    "publican": ROOT / "client" / "publican",
    "pytest_publican": ROOT / "pytest_plugin" / "pytest_publican",
}
MAY_IMPORT = {
    "publican_protocol": set(),
    "publican_emulator": {"publican_protocol"},
    "publican": {"publican_protocol"},
    "pytest_publican": {"publican_protocol", "publican_emulator", "publican"},
}
ROOMS = [
    "broker",
    "schemas",
    "driver",
    "rpc",
    "services",
    "transport",
    "history",
    "control",
    "push",
    "ingestion",
    "export",
    "carriers",
    "javascript",
    "admin",
    "endpoint",
    "inprocess",
    "emulator",
    "testing",
    "healthcheck",
    "demo",
    "serve",
    "cli",
    "__main__",
]
PURE = {"broker", "history"}
IMPURE_MODULES = {"asyncio", "socket", "threading", "time", "random", "os", "selectors", "subprocess", "logging"}
FOREIGN = {"grpc", "google.cloud", "google.pubsub_v1", "google.pubsub"}
LINES_MAX = 500


def sources(package: str) -> list[pathlib.Path]:
    return sorted(PACKAGES[package].rglob("*.py"))


def imports(path: pathlib.Path) -> Iterator[str]:
    """Give every module that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "publican_emulator" and len(parts) > 1 and parts[1] in ROOMS else None


def emulator_files() -> list[tuple[str, pathlib.Path]]:
    base = PACKAGES["publican_emulator"]
    return [(path.relative_to(base).parts[0].removesuffix(".py"), path) for path in sources("publican_emulator")]


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_only_what_stands_before_them(package: str) -> None:
    for path in sources(package):
        ours = {module.split(".")[0] for module in imports(path)} & set(PACKAGES) - {package}
        assert ours <= MAY_IMPORT[package], path


def test_rooms_import_only_rooms_that_stand_before_them() -> None:
    for room, path in emulator_files():
        if room == "__init__":
            continue
        assert room in ROOMS, f"{path}: a room that nobody has given a place"
        for module in imports(path):
            used = room_of(module)
            if used is not None and used != room:
                assert ROOMS.index(used) < ROOMS.index(room), f"{path} imports {module}"


def test_the_core_is_pure() -> None:
    for room, path in emulator_files():
        if room in PURE:
            assert not {module.split(".")[0] for module in imports(path)} & IMPURE_MODULES, path


@pytest.mark.parametrize("package", PACKAGES.keys() - {"publican"})  # tests/architecture/test_client.py has the client's rule
def test_nothing_of_ours_needs_grpcio_or_google_cloud_pubsub(package: str) -> None:
    for path in sources(package):
        for module in imports(path):
            assert not any(module == foreign or module.startswith(f"{foreign}.") for foreign in FOREIGN), f"{path} imports {module}"


def test_one_file_owns_detached_tasks() -> None:
    owners = {
        path.name
        for _, path in emulator_files()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"asyncio.create_task", "asyncio.ensure_future", "loop.create_task"}
    }
    assert owners == {"tasks.py"}


def test_only_the_plugin_itself_is_rewritten_by_pytest() -> None:
    for path in (*sources("publican_protocol"), *sources("publican_emulator"), *sources("publican")):
        docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
        assert "PYTEST_DONT_REWRITE" in docstring, f"{path}: pytest would rewrite its asserts in every user's suite"


@pytest.mark.parametrize("room", ["broker", "schemas", "ingestion", "transport", "services", "rpc"])
def test_no_file_holds_two_ideas(room: str) -> None:
    for path in sorted((PACKAGES["publican_emulator"] / room).rglob("*.py")):
        assert len(path.read_text().splitlines()) <= LINES_MAX, path


def test_every_divergence_in_the_code_stands_in_the_docs() -> None:
    documented = set(re.findall(r"^### (.+)$", (ROOT / "docs" / "divergences.md").read_text(), re.MULTILINE))
    in_code = {
        found.strip() for package in PACKAGES for path in sources(package) for found in re.findall(r"# Divergence: ([^\n]+)", path.read_text())
    }
    assert in_code <= documented, in_code - documented


@pytest.mark.parametrize(
    "module", ["publican_protocol.pubsub", "publican_emulator", "publican_emulator.emulator", "publican", "publican.aio", "pytest_publican.plugin"]
)
def test_importing_has_no_effects(module: str) -> None:
    script = (
        "import sys, threading, socket\n"
        "opened = []\n"
        "class Watched(socket.socket):\n"
        "    def __init__(self, *a, **k):\n"
        "        opened.append(a); super().__init__(*a, **k)\n"
        "socket.socket = Watched\n"
        f"import {module}\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
        "assert not opened, opened\n"
        "assert 'grpc' not in sys.modules and 'aiohttp' not in sys.modules and 'hypothesis' not in sys.modules\n"
        "assert not [name for name in sys.modules if name.startswith(('publican_emulator.push.', 'publican_emulator.export.'))]\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("first", ["publican_protocol.pubsub", "google.cloud.pubsub_v1"])
def test_the_private_messages_live_beside_googles_in_either_order(first: str) -> None:
    second = {"publican_protocol.pubsub": "google.cloud.pubsub_v1"}.get(first, "publican_protocol.pubsub")
    script = (
        f"import {first}, {second}\n"
        "from publican_protocol import pubsub\nfrom google.cloud import pubsub_v1\n"
        "ours = pubsub.PubsubMessage(data=b'x', attributes={'a': 'b'}).SerializeToString()\n"
        "theirs = pubsub_v1.types.PubsubMessage.deserialize(ours)\n"
        "assert theirs.data == b'x' and dict(theirs.attributes) == {'a': 'b'}\n"
    )
    ran = subprocess.run([sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
