"""Google's Go, Java and Node clients: one small program each, built from its lock file and run against an emulator.

A program creates a topic and a subscription, publishes 50 messages, receives them on a stream, nacks one of them once, acknowledges, deletes,
prints a line of JSON and ends with 0. Where its toolchain is missing the test says which one and skips. Builds stay beside their sources (ignored
by git) and are made again when a source is newer.
"""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.strangers.builds import is_older, missing, run_tool

HERE = Path(__file__).parent
RUN_LIMIT_S = 60

pytestmark = pytest.mark.clients


def build_go(folder: Path) -> list[str]:
    """Compile the Go program; the go command keeps its own cache."""
    program = folder / "target" / "strangers-go"
    run_tool(folder, "go", "build", "-mod=readonly", "-o", str(program), ".")
    return [str(program)]


def build_java(folder: Path) -> list[str]:
    """Compile the Java program and copy its dependencies beside it."""
    jar = folder / "target" / "strangers-java.jar"
    if is_older(jar, folder / "pom.xml", *folder.glob("src/**/*.java")):
        run_tool(folder, "mvn", "-q", "-B", "package")
    return ["java", "-jar", str(jar)]


def build_node(folder: Path) -> list[str]:
    """Install what the lock file names."""
    installed = folder / "node_modules" / ".package-lock.json"
    if is_older(installed, folder / "package-lock.json"):
        run_tool(folder, "npm", "ci")
    return ["node", str(folder / "main.mjs")]


@pytest.mark.parametrize(
    ("language", "tools", "build"),
    [("go", ["go"], build_go), ("java", ["java", "mvn"], build_java), ("node", ["node", "npm"], build_node)],
    ids=["go", "java", "node"],
)
def test_the_official_client_goes_round(language: str, tools: list[str], build: Callable[[Path], list[str]], address: str, project: str) -> None:
    if absent := missing(*tools):
        pytest.skip(f"the {language} client is NOT tested: no {absent} on PATH")
    command = build(HERE / language)
    # The client libraries would otherwise look for a Google machine's metadata server first.
    environment = {
        **os.environ,
        "PUBSUB_EMULATOR_HOST": address,
        "PUBSUB_PROJECT_ID": project,
        "METADATA_SERVER_DETECTION": "none",
        "NO_GCE_CHECK": "true",
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=RUN_LIMIT_S, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert json.loads(done.stdout) == {"client": language, "published": 50, "seen": 50, "nacked": 1}
