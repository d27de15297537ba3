"""Make what others decide: `aio/api.py` from the API's methods, `rest/clients.py` from the signatures of the asynchronous classes.

python scripts/make_clients.py [--check]
"""

import argparse
import pathlib
import re
import subprocess
import sys

import api_source
import twin_source

PACKAGE = pathlib.Path(__file__).resolve().parent.parent / "client" / "publican"


def outputs() -> dict[pathlib.Path, str]:
    """Give every generated file with its text, formatted as the rest is."""
    texts = {PACKAGE / "aio" / "api.py": api_source.source(), PACKAGE / "rest" / "clients.py": twin_source.source()}
    return {path: _formatted(text) for path, text in texts.items()}


def _formatted(text: str) -> str:
    ruff = pathlib.Path(sys.executable).with_name("ruff")
    settings = ["--config", str(PACKAGE.parent.parent / "pyproject.toml"), "--stdin-filename", "made.py"]
    sorted_text = subprocess.run(
        [ruff, "check", "--select=I,F401", "--fix-only", "--quiet", *settings, "-"], input=text, capture_output=True, text=True, check=True
    )
    made = subprocess.run([ruff, "format", *settings, "-"], input=sorted_text.stdout, capture_output=True, text=True, check=True)
    return re.sub(r"\n{3,}(?=    )", "\n\n", made.stdout)


def main() -> int:
    """Write the files, or with --check say which differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when a file differs")
    check = parser.parse_args().check
    stale = [(path, text) for path, text in outputs().items() if not path.exists() or path.read_text() != text]
    for path, text in stale:
        sys.stdout.write(f"{path.name} {'differs' if check else 'rebuilt'}\n")
        if not check:
            path.write_text(text)
    return 1 if stale and check else 0


if __name__ == "__main__":
    raise SystemExit(main())
