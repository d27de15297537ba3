"""What people will install: the wheel, in an environment that has nothing of ours, and the image."""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD_ARGUMENTS = {"PYTHON_IMAGE": os.environ["PYTHON_IMAGE"]} if "PYTHON_IMAGE" in os.environ else {}
"""The base image, where the usual one cannot be pulled: any that has python3 with venv."""


@pytest.fixture(scope="module")
def engine() -> Iterator[Any]:
    """Give the docker daemon; without one the test is skipped aloud."""
    import docker

    if "DOCKER_HOST" not in os.environ and not pathlib.Path("/var/run/docker.sock").exists():
        pytest.skip("the image is NOT tested: no docker daemon is here")
    with contextlib.closing(docker.from_env(timeout=600)) as client:
        yield client


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    made = tmp_path_factory.mktemp("dist")
    # the build backend is among the locked requirements: nothing is downloaded for it
    subprocess.run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(made), str(ROOT)], check=True, capture_output=True)
    return next(made.glob("*.whl"))


def test_the_wheel_holds_the_packages_their_types_and_the_licence(wheel: pathlib.Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for package in ("publican_protocol", "publican_emulator", "publican", "pytest_publican"):
        assert f"{package}/__init__.py" in names
        assert f"{package}/py.typed" in names
    assert {"publican_protocol/api.binpb", "publican_protocol/pubsub.pyi"} <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.endswith("licenses/NOTICE") for name in names)
    assert not any(name.startswith(("tests/", "benchmarks/", "scripts/")) for name in names)


@pytest.mark.slow  # installs the dependencies into an empty environment
def test_the_wheel_serves_in_an_empty_environment(wheel: pathlib.Path, tmp_path: pathlib.Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    scripts = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin")
    subprocess.run([str(scripts / "python"), "-m", "pip", "install", "--quiet", str(wheel)], check=True)
    listed = subprocess.run([str(scripts / "python"), "-m", "pip", "list", "--format=json"], check=True, capture_output=True).stdout
    assert not {"grpcio", "google-cloud-pubsub", "pytest"} & {each["name"] for each in json.loads(listed)}
    serving = subprocess.Popen([str(scripts / "publican"), "serve", "--port", "0"], stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    try:
        assert serving.stdout is not None
        said = ""
        while not (found := re.search(r"PUBSUB_EMULATOR_HOST=(\S+)", said)):
            line = serving.stdout.readline()
            assert line, f"publican serve ended: {said}"
            said += line
        url = f"http://{found[1]}/v1/projects/p/topics/abc"
        with urllib.request.urlopen(urllib.request.Request(url, data=b"{}", method="PUT"), timeout=10) as answer:
            assert json.load(answer) == {"name": "projects/p/topics/abc"}
    finally:
        serving.terminate()
        began = time.monotonic()
        assert serving.wait(timeout=10) == 0
        assert time.monotonic() - began < 2
        assert serving.stdout is not None
        serving.stdout.close()


@pytest.mark.slow  # pulls a base image and builds
def test_the_image_serves_without_root_and_on_a_read_only_file_system(engine: Any) -> None:
    image, _ = engine.images.build(path=str(ROOT), tag="publican-test", rm=True, buildargs=BUILD_ARGUMENTS)
    container = engine.containers.run(image, detach=True, read_only=True, ports={"8085/tcp": ("127.0.0.1", None)})
    try:
        assert health(container) == "healthy", container.logs().decode()
        port = container.ports["8085/tcp"][0]["HostPort"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/projects/p/topics", timeout=10) as answer:
            assert json.load(answer) == {}
        assert container.exec_run(["id", "-u"]).output.strip() == b"65532"
        began = time.monotonic()
        container.stop()
        assert time.monotonic() - began < 5, "the first signal must end it, not the second"
        assert container.wait()["StatusCode"] == 0
    finally:
        container.remove(force=True)
        engine.images.remove("publican-test", force=True)


@pytest.mark.slow  # the same, by the compose file
def test_compose_brings_it_up_for_a_client_outside_and_leaves_nothing(engine: Any) -> None:
    def compose(*arguments: str) -> None:
        done = subprocess.run(["docker", "compose", "-p", "publican-test", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    if BUILD_ARGUMENTS:
        compose("build", *(f"--build-arg={name}={value}" for name, value in BUILD_ARGUMENTS.items()), "emulator")
    try:
        compose("up", "emulator", "--wait")
        made = urllib.request.Request("http://127.0.0.1:8085/v1/projects/p/topics/abc", data=b"{}", method="PUT")
        with urllib.request.urlopen(made, timeout=10) as answer:
            assert json.load(answer) == {"name": "projects/p/topics/abc"}
        with urllib.request.urlopen("http://127.0.0.1:8085/_publican/info", timeout=10) as answer:
            assert json.load(answer)["name"] == "publican"
    finally:
        compose("down", "--rmi", "local", "--volumes")
    assert not engine.containers.list(all=True, filters={"label": "com.docker.compose.project=publican-test"})
    assert not engine.networks.list(filters={"label": "com.docker.compose.project=publican-test"})


def health(container: Any) -> str:
    """Ask the daemon until its own checks have an answer."""
    for _ in range(100):
        container.reload()
        said = str(container.attrs["State"].get("Health", {}).get("Status"))
        if said == "healthy":
            break
        time.sleep(0.1)  # the daemon's own clock: nothing to wait on but its answer
    return said


def test_the_compose_file_publishes_on_loopback_only() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert '"--admin"' in text, "tests on the host reach its admin API"
    assert re.findall(r'- "([^"]+:8085)"', text) == ["127.0.0.1:8085:8085"]
    assert "read_only: true" in text


def test_the_image_runs_as_nobody_and_checks_its_health() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER (?!root|0)", text, re.MULTILINE)
    assert "HEALTHCHECK" in text
    assert "amd64" not in text
    assert "x86" not in text
