"""What is looked at when a test ends: nack loops, faults that met nothing, and what it has left behind.

PYTEST_DONT_REWRITE
"""

from dataclasses import dataclass

from publican_emulator.testing.handle import Pubsub
from publican_emulator.testing.link import ADMIN

LEAVING_S = 0.3
"""Real seconds that streams which a test has just closed get to be gone."""


class PubsubWarning(UserWarning):
    """Something that a test left behind in Pub/Sub, or wished for in vain."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, in words."""

    failures: list[str]
    """Each fails the test."""
    warnings: list[str]
    """Each is a warning, unless the test is strict."""


def look(pubsub: Pubsub, *, strict: bool) -> Found:
    """Look at how a test leaves its Pub/Sub."""
    if not pubsub.link.is_publican:
        return Found([], [])
    told = pubsub.link.ask("GET", f"{ADMIN}/ending?waitSeconds={LEAVING_S}")
    failures = [each for each in told["nackLoops"] if each not in pubsub.told_loops]
    warnings = [f"never hit: {each}: the test wished for it, and nothing has met it" for each in pubsub.never_hit()]
    warnings += [f"still open: {each['label']} on {_short(each['subscription'])}: the test has not ended it" for each in told["consumers"]]
    if not strict:
        return Found(failures, warnings)
    leased = [
        f"still leased: m{message.id} on {_short(name)}" for message in pubsub.messages for name, state in message.states.items() if state == "leased"
    ]
    refused = [f"ack refused: {each.note} on {_short(each.resource)}" for each in pubsub.events if each.kind == "ack refused"]
    return Found([*failures, *leased, *refused, *warnings], [])


def _short(name: str) -> str:
    return name.rpartition("/")[2]
