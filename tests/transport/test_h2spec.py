"""h2spec, the conformance suite for HTTP/2 servers (github.com/summerwind/h2spec), built from its Go module; skipped aloud without Go."""

import pathlib
import re
import subprocess
import urllib.request

import pytest

from publican_emulator import Emulator
from tests.strangers.builds import is_older, missing, run_tool

MODULE = pathlib.Path(__file__).parent / "h2spec"
DELIBERATE = {
    # The first bytes decide: what is no HTTP/2 preface is taken as HTTP/1, and answered by it (docs/transport.md).
    "Sends invalid connection preface",
}
CASES_MIN = 140
"""A suite that stops half-way says so by its number only."""

pytestmark = pytest.mark.clients


def h2spec() -> pathlib.Path:
    """Build the program where that has not been done."""
    if absent := missing("go"):
        pytest.skip(f"HTTP/2 is NOT checked by h2spec: no {absent} on PATH")
    program = MODULE / "target" / "h2spec"
    if is_older(program, MODULE / "go.sum"):
        run_tool(MODULE, "go", "build", "-mod=readonly", "-o", str(program), "github.com/summerwind/h2spec/cmd/h2spec")
    return program


def test_every_section_holds_but_for_what_is_deliberate() -> None:
    program = h2spec()
    with Emulator() as emulator:
        made = urllib.request.Request(f"http://{emulator.address}/v1/projects/p/topics/long-enough", data=b"{}", method="PUT")
        urllib.request.urlopen(made, timeout=20).close()  # cases about windows need an answer of some length, else they are skipped
        command = [str(program), "-h", "127.0.0.1", "-p", str(emulator.port), "-P", "/v1/projects/p/topics", "generic", "http2", "hpack"]
        said = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False).stdout
    plain = re.sub(r"\x1b\[[0-9;]*m", "", said)
    counted = re.search(r"(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed", plain)
    assert counted is not None, plain[-500:]
    cases, _, skipped, failures = map(int, counted.groups())
    assert cases >= CASES_MIN, plain[-500:]
    assert skipped == 0, plain[-500:]
    failed = set(re.findall(r"× \d+: (.+)", plain))
    assert failed <= DELIBERATE, failed - DELIBERATE
    assert failures <= len(DELIBERATE), plain[-500:]
