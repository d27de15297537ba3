"""h2spec, the conformance suite for HTTP/2 servers (github.com/summerwind/h2spec); skipped aloud where it is not installed."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from publican_emulator import Emulator

DELIBERATE = {
    # The first bytes decide: what is no HTTP/2 preface is taken as HTTP/1, and answered by it (docs/transport.md).
    "Sends invalid connection preface",
}


def h2spec() -> str | None:
    at_home = pathlib.Path(os.environ.get("GOPATH", pathlib.Path.home() / "go")) / "bin" / "h2spec"
    return shutil.which("h2spec") or (str(at_home) if at_home.exists() else None)


def test_every_section_holds_but_for_what_is_deliberate() -> None:
    program = h2spec()
    if program is None:
        pytest.skip("HTTP/2 is NOT checked by h2spec: it is not installed")
    with Emulator() as emulator:
        command = [program, "-h", "127.0.0.1", "-p", str(emulator.port), "-P", "/v1/projects/p/topics", "generic", "http2", "hpack"]
        said = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False).stdout
    plain = re.sub(r"\x1b\[[0-9;]*m", "", said)
    assert re.search(r"14\d tests, 14\d passed", plain), plain[-500:]
    failed = set(re.findall(r"× \d+: (.+)", plain))
    assert failed <= DELIBERATE, failed - DELIBERATE
