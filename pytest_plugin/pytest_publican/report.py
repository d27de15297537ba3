"""What the end of a test says: the history under a failing one, and what strictness finds.

PYTEST_DONT_REWRITE
"""

import warnings
from typing import Final

import pytest

from publican_emulator.broker.errors import PubsubError
from pytest_publican.config import Config
from pytest_publican.handle import Pubsub
from pytest_publican.link import ADMIN

TITLE: Final = "pubsub history"
HANDLE: Final = pytest.StashKey[Pubsub]()
CONFIG: Final = pytest.StashKey[Config]()

_COLOURS: Final = {
    "expired": "yellow",
    "nacked": "yellow",
    "acked late": "yellow",
    "ack refused": "red",
    "dropped": "red",
    "forwarded": "purple",
    "acked": "green",
}


class PubsubWarning(UserWarning):
    """Something that a test left behind in Pub/Sub, or wished for in vain."""


def add_history(item: pytest.Item, report: pytest.TestReport) -> None:
    """Put the history of a test under its report, when it is wanted there."""
    pubsub, config = item.stash.get(HANDLE, None), item.stash.get(CONFIG, None)
    if (
        pubsub is None
        or config is None
        or not getattr(pubsub.link, "is_publican", True)
        or report.when != "call"
        or config.history == "never"
        or (report.passed and config.history != "always")
    ):
        return
    try:
        text = pubsub.dump()
    except Exception as error:  # noqa: BLE001  (an emulator that is gone must not hide why the test failed)
        text = f"(there is none: {error})"
    if not text:
        return
    report.sections.append((f"{TITLE} ({config.clock} clock)", text))
    if config.junit:
        item.user_properties.append(("pubsub_history", text))


def coloured(text: str) -> str:
    """Give a history in colours, by what happened in each line."""
    from _pytest._io import TerminalWriter

    writer = TerminalWriter()
    writer.hasmarkup = True
    lines = []
    for line in text.splitlines():
        kind = line[10:].strip().partition("  ")[0] if line.startswith("  ") else ""
        lines.append(writer.markup(line, **{_COLOURS[kind]: True}) if kind in _COLOURS else line)
    return "\n".join(lines)


def check(pubsub: Pubsub, config: Config) -> None:
    """Fail for what a strict test must not leave behind, and for a nack loop; warn of faults that met nothing.

    Raises:
        AssertionError: there is something.
    """
    if not getattr(pubsub.link, "is_publican", True):
        return
    found = [*pubsub.link.ask("GET", f"{ADMIN}/surprises")["nackLoops"]]
    vain = [f"never hit: {each}" for each in pubsub.never_hit()]
    if config.strict:
        found += [*vain, *_left_behind(pubsub)]
    else:
        for each in vain:
            warnings.warn(PubsubWarning(f"{each}: the test wished for a fault that nothing has met"), stacklevel=2)
    if found:
        raise AssertionError("at the end of the test:\n" + "\n".join(f"  {each}" for each in found))


def _left_behind(pubsub: Pubsub) -> list[str]:
    found = []
    for message in pubsub.messages:
        found += [f"still leased: m{message.id} by {name.rpartition('/')[2]}" for name, state in message.states.items() if state == "leased"]
    found += [f"still open: {each['label']} on {each['subscription'].rpartition('/')[2]}" for each in consumers(pubsub)]
    found += [f"ack refused: {each.note} on {each.resource.rpartition('/')[2]}" for each in pubsub.events if each.kind == "ack refused"]
    return found


def consumers(pubsub: Pubsub) -> list[dict[str, str]]:
    """Give the open streams and waiting pulls."""
    try:
        found: list[dict[str, str]] = pubsub.link.ask("GET", f"{ADMIN}/consumers")["consumers"]
    except PubsubError:
        return []
    return found
