"""The two servers under measurement: how each is started, and what the kernel says about its process.

A `Product` is a command line, a `Running` its live process. CPU comes from /proc in ticks of 10 ms and covers every thread, so a row must
last some tenths of a second before its CPU figure means anything.

PYTEST_DONT_REWRITE
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import messages
from benchmarks.connection import Connection, ConnectionBroken

TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")
START_LIMIT_S: Final = 60.0
JAR_PATTERN: Final = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-*.jar"


@dataclass(frozen=True, slots=True)
class Product:
    """A server that can be started; `command` still lacks its port."""

    name: str
    version: str
    command: tuple[str, ...]

    def command_on(self, port: int) -> list[str]:
        """Return the command line that listens on this port."""
        return [word.replace("{port}", str(port)) for word in self.command]


@dataclass(frozen=True, slots=True)
class Running:
    """A started server that has answered its first CreateTopic."""

    product: Product
    address: str
    process: subprocess.Popen[bytes]
    start_s: float

    @property
    def cpu_s(self) -> float:
        """User and system time of all threads since the start."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * TICK_S

    @property
    def rss_mb(self) -> float:
        """Resident memory now, in units of 10**6 bytes."""
        return self.status_kb("VmRSS") * 1024 / 1e6

    @property
    def rss_peak_mb(self) -> float:
        """The most that was ever resident."""
        return self.status_kb("VmHWM") * 1024 / 1e6

    @property
    def threads(self) -> int:
        """How many threads the process has."""
        return self.status_kb("Threads")

    @property
    def descriptors(self) -> int:
        """How many files and sockets the process holds open."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def status_kb(self, key: str) -> int:
        """Read one number of /proc/PID/status."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(rf"^{key}:\s+(\d+)", text, re.MULTILINE)
        assert found is not None, f"no {key} in /proc/{self.process.pid}/status"
        return int(found[1])


def publican() -> Product:
    """Return this checkout's emulator, run by the present interpreter."""
    command = (sys.executable, "-m", "publican_emulator", "serve", "--host", "127.0.0.1", "--port", "{port}", "--log-level", "warning")
    return Product("publican", _git_version(), command)


def official(jar: Path) -> Product:
    """Return Google's emulator in this jar."""
    with zipfile.ZipFile(jar) as archive:
        manifest = archive.read("META-INF/MANIFEST.MF").decode()
    version = re.search(r"Implementation-Version: (\S+)", manifest)
    command = ("java", "-jar", str(jar), "--host=127.0.0.1", "--port={port}")
    return Product("official", version[1] if version else "unknown", command)


def find_official_jar(named: str | None) -> Path | None:
    """Find the official emulator: the one named, else $PUBSUB_EMULATOR_JAR, else that of the Google Cloud SDK on PATH."""
    if named or (named := os.environ.get("PUBSUB_EMULATOR_JAR")):
        jar = Path(named)
        if not jar.is_file():
            raise FileNotFoundError(f"no official emulator at {jar}")
        return jar
    root = _sdk_root()
    jars = sorted(root.glob(JAR_PATTERN)) if root is not None and shutil.which("java") else []
    return jars[-1] if jars else None


@contextmanager
def started(product: Product) -> Iterator[Running]:
    """Start a server, wait until it has answered a CreateTopic, and end it afterwards."""
    port = _free_port()
    begun = time.perf_counter()
    process = subprocess.Popen(product.command_on(port), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=_environment())
    try:
        address = f"127.0.0.1:{port}"
        _first_answer(process, address, begun + START_LIMIT_S)
        yield Running(product, address, process, time.perf_counter() - begun)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment() -> dict[str, str]:
    """Return the environment as a user has it: where bytecode may not be kept, every start compiles all sources anew, which takes as long again."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _first_answer(process: subprocess.Popen[bytes], address: str, limit: float) -> None:
    """Try every millisecond to create a topic: nothing tells us when a server listens, and start-up is what the row measures."""
    while True:
        try:
            with Connection(address) as connection:
                connection.call(messages.CREATE_TOPIC, messages.topic("projects/bench/topics/first-answer"))
                return
        except (ConnectionRefusedError, ConnectionResetError, ConnectionBroken):
            if process.poll() is not None:
                raise RuntimeError(f"{process.args!r} ended with {process.returncode} before it answered") from None
            if time.perf_counter() > limit:
                raise TimeoutError(f"{process.args!r} did not answer within {START_LIMIT_S:.0f} s") from None
            time.sleep(0.001)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _sdk_root() -> Path | None:
    gcloud = shutil.which("gcloud")
    if gcloud is None:
        return None
    asked = subprocess.run([gcloud, "info", "--format=value(installation.sdk_root)"], capture_output=True, text=True, check=False)
    return Path(asked.stdout.strip()) if asked.returncode == 0 and asked.stdout.strip() else None


def _git_version() -> str:
    asked = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False, cwd=Path(__file__).parent)
    return asked.stdout.strip() or "unknown"
