"""Task queues on Pub/Sub, unmodified: dramatiq-gcpubsub's own tests, kombu's transport, a Celery worker.

Slow, and dependent on other people's releases: they are installed into an environment of their own, on top of this one's packages.
"""

import os
import signal
import subprocess
import sys
import sysconfig
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from publican_emulator import Emulator

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent / "task_queues"
PACKAGES = ("dramatiq==2.2.1", "dramatiq-gcpubsub==0.1.0", "celery==5.7.0", "kombu==5.7.0", "google-cloud-monitoring==2.32.0")
LIMIT_S = 120.0


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Make an environment with the task queues in it, and give its interpreter."""
    home = tmp_path_factory.mktemp("task-queues")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home)], check=True)
    (site,) = home.glob("lib/python*/site-packages")
    (site / "outer.pth").write_text(sysconfig.get_path("purelib") + "\n")
    interpreter = str(home / "bin" / "python")
    quiet = ["--quiet", "--disable-pip-version-check"]
    installed = subprocess.run([interpreter, "-m", "pip", "install", *quiet, *PACKAGES], capture_output=True, text=True, check=False)
    if installed.returncode:
        pytest.skip(f"the task queues cannot be installed here: {installed.stderr[-300:]}")
    return interpreter


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    with Emulator() as emulator:
        yield {**os.environ, "PUBSUB_EMULATOR_HOST": emulator.address, "PYTHONPATH": str(HERE)}


def test_the_tests_of_dramatiq_gcpubsub_pass(python: str, environment: dict[str, str], tmp_path: Path) -> None:
    fetch = [python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation", "--no-binary=:all:", "dramatiq-gcpubsub==0.1.0"]
    subprocess.run([*fetch, "-d", str(tmp_path)], check=True, capture_output=True)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as source:
        source.extractall(tmp_path, filter="data")
    options = ["-q", "-o", "addopts=", "-p", "no:randomly", "-p", "no:publican", "-p", "no:cacheprovider", "-W", "ignore"]
    (root,) = tmp_path.glob("dramatiq*/tests")
    ran = subprocess.run(
        [python, "-m", "pytest", *options, str(root)], cwd=root.parent, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "skipped" not in ran.stdout


@pytest.mark.parametrize("story", ["requeued", "fanned out"])
def test_kombus_transport(story: str, python: str, environment: dict[str, str]) -> None:
    command = [python, "-W", "ignore", str(HERE / "kombu_round_trip.py"), story]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_celery_worker_runs_a_task_and_retries_it(python: str, environment: dict[str, str], tmp_path: Path) -> None:
    written = tmp_path / "written"
    send = f"import celery_tasks; celery_tasks.write.delay({str(written)!r}, 'done')"
    subprocess.run([python, "-W", "ignore", "-c", send], env=environment, check=True, capture_output=True, timeout=LIMIT_S)
    command = [python, "-W", "ignore", "-m", "celery", "-A", "celery_tasks", "worker", "--pool=solo", "--loglevel=warning"]
    with subprocess.Popen(command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as worker:
        end = time.monotonic() + LIMIT_S
        while not written.exists() and worker.poll() is None and time.monotonic() < end:
            try:
                worker.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
        worker.send_signal(signal.SIGTERM)
        try:
            said, _ = worker.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            worker.kill()
            said, _ = worker.communicate()
    assert written.exists(), said
    assert written.read_text() == "done"
