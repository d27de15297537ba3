"""Google's Go, Java and Node clients: one small program each, built from its lock file and run against an emulator, scenario by scenario.

A scenario uses one feature as its users do, prints what it saw as a line of JSON, which has to be the same in every language, and ends with 0. Where
a toolchain is missing the test says which one and skips. Builds stay beside their sources (ignored by git) and are made again when a source is newer.
"""

import json
import os
import subprocess
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


BUILDS = {"go": (["go"], build_go), "java": (["java", "mvn"], build_java), "node": (["node", "npm"], build_node)}

SEEN: dict[str, dict[str, object]] = {
    "round": {"published": 50, "seen": 50, "nacked": 1},
    "ordering": {"keys": 3, "in_order": 61, "paused": True},
    "exactly_once": {"confirmed": 3, "stale": "PERMANENT_FAILURE_INVALID_ACK_ID"},
    "dead_letter": {"attempts": [1, 2, 3, 4, 5], "data": "poison", "source": "billing", "count": "5"},
    "schema": {"data": '{"id":7}', "encoding": "JSON", "marked": True, "refused": "InvalidArgument"},
    "seek": {"rounds": [2, 2, 2]},
    "push": {"data": "one", "refusals": 1, "mine": True, "has_id": True},
}


@pytest.fixture(scope="module", params=BUILDS)
def command(request: pytest.FixtureRequest) -> list[str]:
    """Build the program of a language, and give the command that runs it."""
    tools, build = BUILDS[request.param]
    if absent := missing(*tools):
        pytest.skip(f"the {request.param} client is NOT tested: no {absent} on PATH")
    return build(HERE / request.param)


@pytest.mark.parametrize("scenario", SEEN)
def test_an_official_client_sees_what_the_service_does(command: list[str], scenario: str, address: str, project: str) -> None:
    # The client libraries would otherwise look for a Google machine's metadata server first.
    environment = {
        **os.environ,
        "PUBSUB_EMULATOR_HOST": address,
        "PUBSUB_PROJECT_ID": project,
        "METADATA_SERVER_DETECTION": "none",
        "NO_GCE_CHECK": "true",
    }
    done = subprocess.run([*command, scenario], env=environment, capture_output=True, text=True, timeout=RUN_LIMIT_S, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    seen = json.loads(done.stdout)
    if scenario == "schema":
        seen["data"] = seen["data"].replace(" ", "")  # JSON is written with and without
    assert seen == SEEN[scenario]
