"""What the end of a test says: the history under a failing one, and what strictness finds.

PYTEST_DONT_REWRITE
"""

import sys
import warnings
from typing import Final

import pytest

from publican_emulator.testing import checks
from publican_emulator.testing.checks import PubsubWarning
from publican_emulator.testing.handle import Pubsub
from pytest_publican.config import Config

__all__ = ["PubsubWarning"]

TITLE: Final = "pubsub history"
HANDLE: Final = pytest.StashKey[Pubsub]()
CONFIG: Final = pytest.StashKey[Config]()
FAILED: Final = pytest.StashKey[bool]()
"""Set when the test itself has failed: then its end looks for nothing more."""
LAST: Final = pytest.StashKey[str]()
"""The history as it was when the test's end found something wrong: the emulator has begun anew by the time of the report."""

_COLOURS: Final = {
    "expired": "yellow",
    "nacked": "yellow",
    "acked late": "yellow",
    "ack refused": "red",
    "dropped": "red",
    "forwarded": "purple",
    "acked": "green",
}
_TRAVELLED: Final = (
    "note: time-machine was in use, and a gRPC call ended DEADLINE_EXCEEDED. Python's gRPC compares the time that it is shown with the real one: "
    "travel with tick=True to now or later, or use REST."
)


def add_history(item: pytest.Item, report: pytest.TestReport) -> None:
    """Put the history of a test under its report, when it is wanted there."""
    config = item.stash.get(CONFIG, None)
    if report.failed and report.when == "call":
        item.stash[FAILED] = True
    if config is None or config.history == "never" or not _is_wanted(config, report):
        return
    text = item.stash.get(LAST, "") if report.when == "teardown" else _text(item.stash.get(HANDLE, None))
    if report.failed and "time_machine" in sys.modules and "DEADLINE_EXCEEDED" in report.longreprtext.upper().replace(" ", "_"):
        text = f"{text}\n{_TRAVELLED}".lstrip()
    if not text:
        return
    report.sections.append((f"{TITLE} ({config.clock} clock)", text))
    if config.junit:
        item.user_properties.append(("pubsub_history", text))
        report.user_properties = list(item.user_properties)


def _is_wanted(config: Config, report: pytest.TestReport) -> bool:
    return report.failed or (config.history == "always" and report.when == "call")


def _text(pubsub: Pubsub | None) -> str:
    if pubsub is None or not pubsub.link.is_publican:
        return ""
    try:
        return pubsub.dump()
    except Exception as error:  # noqa: BLE001  (an emulator that is gone must not hide why the test failed)
        return f"(there is none: {error})"


def coloured(text: str) -> str:
    """Give a history in colours, by what happened in each line."""
    from _pytest._io import TerminalWriter

    writer = TerminalWriter()
    writer.hasmarkup = True
    return "\n".join(writer.markup(line, **dict.fromkeys(_markup(line), True)) for line in text.splitlines())


def _markup(line: str) -> tuple[str, ...]:
    if line.startswith("  "):
        colour = _COLOURS.get(line[10:].strip().partition("  ")[0])
        return (colour,) if colour else ()
    return ("bold",) if line.startswith("m") else ("yellow",) if line.startswith(("still open", "note:")) else ()


def check(item: pytest.Item, pubsub: Pubsub, config: Config) -> None:
    """Fail for what a strict test must not leave behind, and for a nack loop; warn of faults that met nothing and of streams left open.

    Raises:
        Failed: there is something; without a traceback, which would show only us.
    """
    if FAILED in item.stash:  # what it has not come to is no news
        return
    found = checks.look(pubsub, strict=config.strict)
    if found.failures or found.warnings:  # which fail the test where warnings are errors
        item.stash[LAST] = _text(pubsub)
    path, line, _ = item.reportinfo()
    for each in found.warnings:
        warnings.warn_explicit(PubsubWarning(each), None, str(path), (line or 0) + 1)
    if found.failures:
        first, *others = found.failures
        pytest.fail("\n  ".join([f"at the end of the test: {first}", *others]), pytrace=False)
