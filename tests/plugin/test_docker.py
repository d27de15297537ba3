"""The docker backend: with a docker SDK whose containers are processes, and with a real one where there is a daemon."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import uuid

import pytest

from tests.plugin.suites import INTERRUPTIBLE, run
from tests.plugin.test_backends import BACKEND_TEST

pytest_plugins = ["pytester"]

FAKE = pathlib.Path(__file__).parent / "fake_docker"


@pytest.fixture
def store(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """Give the daemon's memory: containers, and images that were pulled."""
    made = tmp_path / "store"
    made.mkdir()
    monkeypatch.setenv("FAKE_DOCKER", str(made))
    monkeypatch.setenv("PYTHONPATH", str(FAKE), prepend=os.pathsep)
    return made


def containers(store: pathlib.Path) -> list[str]:
    return [path.name for path in store.iterdir() if path.suffix == ""]


def test_a_container_is_pulled_driven_and_removed(suite: pytest.Pytester, store: pathlib.Path) -> None:
    result = run(suite, f"from client import call, publish, pull\n{BACKEND_TEST}", "--pubsub-backend=docker", "--pubsub-image=acme/publican")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["pubsub: 3 tests, container of acme/publican, virtual clock"])
    assert (store / "acme_publican.image").exists()
    assert containers(store) == []


def test_what_a_crashed_machine_has_left_is_removed(suite: pytest.Pytester, store: pathlib.Path) -> None:
    left = {"image": "publican", "command": [], "labels": {"publican.pytest": "1"}, "status": "exited", "port": "", "pid": 0, "log": ""}
    (store / uuid.uuid4().hex).write_text(json.dumps(left))
    (store / "foreign").write_text(json.dumps(left | {"labels": {}}))
    run(suite, "def test_it(pubsub): pubsub.topic('orders')", "--pubsub-backend=docker").assert_outcomes(passed=1)
    assert containers(store) == ["foreign"]


def test_the_official_emulator_in_a_container_has_no_virtual_time(suite: pytest.Pytester, store: pathlib.Path) -> None:
    result = run(
        suite,
        """
def test_it(pubsub, pubsub_topic):
    assert pubsub.project != "test-project"
    assert pubsub_topic.publish(b"one").id
def test_long(pubsub): pubsub.advance(600)
""",
        "--pubsub-backend=docker",
        "--pubsub-image=google/cloud-sdk:emulators",
        "-rs",
    )
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["*time cannot be moved on the emulator at*"])


def test_a_container_that_does_not_come_up_shows_its_log(suite: pytest.Pytester, store: pathlib.Path) -> None:
    result = run(suite, "def test_it(pubsub): pass", "--pubsub-backend=docker", "--pubsub-image=broken")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*the emulator in the container did not come up; its log ends:*", "*exec format error*"])
    assert containers(store) == []


def test_an_image_that_is_nowhere_is_said(suite: pytest.Pytester, store: pathlib.Path) -> None:
    result = run(suite, "def test_it(pubsub): pass", "--pubsub-backend=docker", "--pubsub-image=nowhere/at-all")
    result.stdout.fnmatch_lines(["*there is no image 'nowhere/at-all' here, and it cannot be pulled: pull access denied*"])


def test_a_daemon_that_is_not_there_is_said(suite: pytest.Pytester, store: pathlib.Path) -> None:
    (store / "stopped.daemon").touch()
    result = run(suite, "def test_it(pubsub): pass", "--pubsub-backend=docker")
    result.stdout.fnmatch_lines(["*no docker daemon answers (Error while fetching server API version): start it, or choose another backend"])


@pytest.mark.parametrize("signal", ["SIGKILL", "SIGINT"])
def test_no_container_is_left_when_the_tests_are_killed(
    suite: pytest.Pytester, store: pathlib.Path, monkeypatch: pytest.MonkeyPatch, signal: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as told:
        told.settimeout(30)
        monkeypatch.setenv("FAKE_DOCKER_TELL", str(told.getsockname()[1]))
        killed = f"import os, signal\n{INTERRUPTIBLE}\ndef test_it(pubsub): os.kill(os.getpid(), signal.{signal})"
        assert run(suite, killed, "--pubsub-backend=docker").ret != 0
        connection, _ = told.accept()
        with connection:
            assert connection.recv(100).startswith(b"removed ")
    assert containers(store) == []


def test_a_real_container(suite: pytest.Pytester) -> None:
    # In a process of its own: the SDK leaves its socket open when nobody answers, and some later test would be told.
    asked = subprocess.run([sys.executable, "-c", "import docker; docker.from_env().ping()"], capture_output=True, text=True, check=False)
    if asked.returncode:
        pytest.skip(f"no docker daemon answers here, so the real docker backend is not tested: {asked.stderr.strip().splitlines()[-1]}")
    run(suite, f"from client import call, publish, pull\n{BACKEND_TEST}", "--pubsub-backend=docker").assert_outcomes(passed=3)
