"""The versions that docs/clients.md names are those of the lock files, and the tests that it names exist."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")] for line in (ROOT / "docs/clients.md").read_text().splitlines() if line.startswith("| ")
][2:]
STRANGERS = ROOT / "tests/strangers"


def locked() -> dict[str, str]:
    """Give the version of each client in the lock files, by the name of its row."""
    found = {
        f"{name} (Python)": version for name, version in re.findall(r"^([\w-]+)==(\S+)$", (ROOT / "requirements/test.txt").read_text(), re.MULTILINE)
    }
    for name, version in re.findall(r"^\t(cloud\.google\.com/go/pubsub/v2) v(\S+)$", (STRANGERS / "go/go.mod").read_text(), re.MULTILINE):
        found[f"{name} (Go)"] = version
    for name, version in re.findall(r"<artifactId>(google-cloud-pubsub)</artifactId>\s*<version>([\d.]+)<", (STRANGERS / "java/pom.xml").read_text()):
        found[f"{name} (Java)"] = version
    packages = json.loads((STRANGERS / "node/package-lock.json").read_text())["packages"]
    found["@google-cloud/pubsub (Node)"] = packages["node_modules/@google-cloud/pubsub"]["version"]
    return found


def test_the_versions_are_those_of_the_lock_files() -> None:
    said = {name: version for name, version, _, _ in ROWS if version}
    assert said == {name: locked()[name] for name in said}
    assert len(said) == 7


def test_the_tests_exist() -> None:
    for row in ROWS:
        for path in re.findall(r"`(tests/[^`]+)`", row[3]):
            assert list(ROOT.glob(path)), path
