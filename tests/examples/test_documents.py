"""What the documents say is so: every block of Python runs, every command and option exists, every link leads somewhere.

A Python block that defines tests is a test module, one that says `# conftest.py` is just that, any other is a program; it finds an emulator
on PUBSUB_EMULATOR_HOST. Console blocks are read, not run: they name what the Makefile and the command line must have.
"""

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from publican_emulator import Emulator, cli
from publican_emulator.services import coverage
from publican_protocol.methods import methods

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
FAILS = re.compile(r"# (\w+)\.py: this test fails, and says why\n")
"""How a block begins whose test fails on purpose; the next block of text is what is printed."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a document."""

    where: str
    language: str
    text: str


def blocks(language: str) -> list[Block]:
    """Give every block of one language."""
    found = []
    for document in DOCUMENTS:
        if document.exists():
            text = document.read_text()
            for match in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
                line = text.count("\n", 0, match.start()) + 1
                found.append(Block(f"{document.relative_to(ROOT)}:{line}", match[1], match[2]))
    return [block for block in found if block.language == language]


def text_after(block: Block) -> str:
    """Give the block of text that follows a block of Python."""
    document, _, _ = block.where.partition(":")
    return (ROOT / document).read_text().partition(block.text)[2].partition("```text\n")[2].partition("```")[0]


def named(block: Block) -> str:
    """Give a block's place, as the name of its test."""
    return block.where


def run_program(path: Path, address: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PUBSUB_EMULATOR_HOST": address, "PYTHONWARNINGS": "error"}
    return subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=60, check=False, env=environment)


def test_there_are_documents_to_read() -> None:
    assert len(blocks("python")) >= 10
    assert len(blocks("console")) >= 5


OPTIONS = ("-W", "error", "-p", "no:asyncio", "--hypothesis-profile=ci")  # the profile: no deadlines, and the same examples each time
TEST = re.compile(r"^ *(?:async )?def test_|^Test\w+ = ", re.MULTILINE)  # a class of unittest's has them as methods, a state machine none


def is_suite(block: Block) -> bool:
    """Say whether a block is tests that pass."""
    return TEST.search(block.text) is not None and not block.text.startswith("# conftest.py") and FAILS.match(block.text) is None


SUITES = sorted({block.where.partition(":")[0] for block in blocks("python") if is_suite(block)})


@pytest.mark.parametrize("document", SUITES)
def test_the_tests_of_a_document_pass(document: str, pytester: pytest.Pytester) -> None:
    suites = [block for block in blocks("python") if is_suite(block) and block.where.startswith(f"{document}:")]
    pytester.makepyfile(**{f"test_line_{block.where.rpartition(':')[2]}": block.text for block in suites})
    result = pytester.runpytest_subprocess(*OPTIONS)
    result.assert_outcomes(passed=sum(len(TEST.findall(block.text)) for block in suites))


@pytest.mark.parametrize("block", [block for block in blocks("python") if not is_suite(block)], ids=named)
def test_a_block_of_python_runs(block: Block, pytester: pytest.Pytester) -> None:
    if block.text.startswith("# conftest.py"):
        pytester.makeconftest(block.text)
        pytester.makepyfile("def test_it(pubsub): pass")
        pytester.runpytest_subprocess(*OPTIONS).assert_outcomes(passed=1)
    elif fails := FAILS.match(block.text):
        pytester.makepyfile(**{fails[1]: block.text.rstrip("\n")})
        result = pytester.runpytest_subprocess(*OPTIONS)
        result.assert_outcomes(failed=1)
        printed = "\n".join(line.removeprefix("E").strip() for line in result.outlines)
        assert [line for line in text_after(block).splitlines() if line.strip() not in printed] == []
    else:
        with Emulator() as emulator:
            done = run_program(pytester.makepyfile(program=block.text), emulator.address)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_example_runs(example: Path, pytester: pytest.Pytester) -> None:
    if example.name.startswith("test_"):
        pytester.makepyfile(example.read_text())
        assert pytester.runpytest_subprocess("-W", "error", "-p", "no:asyncio").ret == 0
    else:
        with Emulator() as emulator:
            done = run_program(example, emulator.address)
        assert done.returncode == 0, done.stderr


def commands() -> list[tuple[str, list[str]]]:
    """Give every line of the console blocks that stands behind a prompt, with its place, in words."""
    lines = [(block.where, line) for block in blocks("console") for line in block.text.splitlines()]
    return [(where, shlex.split(line[2:], comments=True)) for where, line in lines if line.startswith("$ ")]


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    asked = {target for _, words in commands() if words[0] == "make" for target in words[1:] if "=" not in target}
    assert {"serve", "test"} <= asked <= targets


def test_every_command_line_that_is_shown_is_one() -> None:
    ours = [words for _, words in commands() if words[0].rpartition("/")[2] == "publican"]
    assert ours
    for words in ours:
        cli.parser().parse_args(words[1:])  # exits on what it does not know


def test_every_option_of_serve_is_told() -> None:
    told = set(re.findall(r"^\| `(--[\w-]+)", (ROOT / "docs/running.md").read_text(), re.MULTILINE))
    asked = subprocess.run(
        [sys.executable, "-m", "publican_emulator", "serve", "--help"], capture_output=True, text=True, timeout=20, check=True
    ).stdout
    assert told == set(re.findall(r"^  (--[\w-]+)", asked, re.MULTILINE))


def test_every_file_that_a_command_names_exists() -> None:
    named_files = {words[at + 1] for _, words in commands() for at, word in enumerate(words) if word == "-r"}
    assert named_files
    assert all((ROOT / name).is_file() for name in named_files)


@pytest.mark.parametrize("document", [path for path in DOCUMENTS if path.exists()], ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_the_table_of_the_readme_is_honest() -> None:
    table = (ROOT / "README.md").read_text().partition("## What works")[2].partition("\n## ")[0]
    said: dict[str, str] = {}
    for part in re.findall(r"(complete|but for a part|not yet): ([^;|(]+)", table):
        said |= dict.fromkeys(re.findall(r"\w+", part[1]), "partial" if part[0] == "but for a part" else part[0])
    assert said == {method.name: coverage.status(path) for path, method in methods().items()}


def test_the_readme_shows_the_first_example() -> None:
    (first,) = [block.text for block in blocks("python") if block.where.startswith("README.md") and "pubsub_topic" in block.text]
    assert (ROOT / "examples/test_first.py").read_text().endswith(first)


def test_the_output_that_is_shown_is_what_comes() -> None:
    (shown,) = [block.text for block in blocks("text") if block.where.startswith("docs/index.md")]
    done = subprocess.run([sys.executable, "-m", "publican_emulator", "demo"], capture_output=True, text=True, timeout=20, check=True)
    assert shown in done.stdout
