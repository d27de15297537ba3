"""What the core needs of the outside and does not import itself: libraries that are there, or are not.

PYTEST_DONT_REWRITE
"""

from collections.abc import Callable
from dataclasses import dataclass

from publican_emulator.broker.transforms import Engine, missing_engine


def _nothing_missing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Abilities:
    """What this installation can do; each refuses with FAILED_PRECONDITION, naming the extra, where it cannot."""

    javascript: Callable[[], Engine] = missing_engine
    """Gives what runs JavaScript."""
    check_oidc: Callable[[], None] = _nothing_missing
    """Refuses push tokens where nothing can sign them."""
    check_avro: Callable[[], None] = _nothing_missing
    """Refuses Avro files where nothing can write them."""
