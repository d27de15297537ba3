"""What people will install: the wheel, in an environment that has nothing of ours, and the image."""

import json
import os
import pathlib
import re
import subprocess
import sys
import time
import urllib.request
import zipfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


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
def test_the_image_serves_without_root_and_on_a_read_only_file_system() -> None:
    docker = pytest.importorskip("docker")
    if "DOCKER_HOST" not in os.environ and not pathlib.Path("/var/run/docker.sock").exists():
        pytest.skip("the image is NOT tested: no docker daemon is here")
    engine = docker.from_env()
    image, _ = engine.images.build(path=str(ROOT), tag="publican-test", rm=True)
    container = engine.containers.run(image, detach=True, read_only=True, ports={"8085/tcp": ("127.0.0.1", None)})
    try:
        for _ in range(100):
            container.reload()
            if container.attrs["State"].get("Health", {}).get("Status") == "healthy":
                break
            time.sleep(0.1)  # the daemon's own clock: nothing to wait on but its answer
        assert container.attrs["State"]["Health"]["Status"] == "healthy", container.logs().decode()
        port = container.ports["8085/tcp"][0]["HostPort"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/projects/p/topics", timeout=10) as answer:
            assert json.load(answer) == {}
        assert container.exec_run(["id", "-u"]).output.strip() == b"65532"
    finally:
        container.remove(force=True)
        engine.images.remove("publican-test", force=True)


def test_the_compose_file_publishes_on_loopback_only() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    assert re.findall(r'- "([^"]+:8085)"', text) == ["127.0.0.1:8085:8085"]
    assert "read_only: true" in text


def test_the_image_runs_as_nobody_and_checks_its_health() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert re.search(r"^USER (?!root|0)", text, re.MULTILINE)
    assert "HEALTHCHECK" in text
    assert "amd64" not in text
    assert "x86" not in text
