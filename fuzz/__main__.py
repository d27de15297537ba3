"""Run the targets, each for a while: `python -m fuzz [--seconds 30] [TARGET ...]`. Exits with 1 when one found something.

PYTEST_DONT_REWRITE
"""

import argparse
import logging
import pathlib
import subprocess
import sys
import tempfile

from fuzz.targets import TARGETS


def main() -> int:
    """Fuzz each target in a process of its own."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=30, help="for each target")
    parser.add_argument("targets", nargs="*", default=list(TARGETS), help=f"of {', '.join(TARGETS)}")
    options = parser.parse_args()
    found = []
    for name in options.targets:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-c", f"from fuzz.__main__ import one; one({name!r})", f"-max_total_time={options.seconds}", "-max_len=600"]
            command += ["-verbosity=1", f"-artifact_prefix={folder}/", "-timeout=10", "-rss_limit_mb=4096"]
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
            runs = [line for line in ran.stderr.splitlines() if line.startswith("Done ")]
            print(f"{name}: {runs[0] if runs else 'ended early'}")
            if ran.returncode:
                found.append(name)
                print(ran.stdout[-3000:], ran.stderr[-3000:])
                for artifact in pathlib.Path(folder).iterdir():
                    print(f"input: {artifact.read_bytes()!r}")
    return 1 if found else 0


def one(name: str) -> None:
    """Fuzz one target in this process; libFuzzer reads the rest of the command line and ends the process."""
    import atheris

    logging.disable(logging.CRITICAL)
    target = TARGETS[name]
    atheris.instrument_all()
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    raise SystemExit(main())
