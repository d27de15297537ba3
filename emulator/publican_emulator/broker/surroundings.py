"""What a subscription needs of its broker.

PYTEST_DONT_REWRITE
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from publican_emulator.broker.consumer import Consumer
from publican_emulator.broker.dead_letters import DeadLetters
from publican_emulator.broker.events import Listener
from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.log import Attic
from publican_emulator.broker.timers import Timers
from publican_emulator.broker.transforms import Pipelines

if TYPE_CHECKING:
    from publican_emulator.broker.subscription import Subscription


@dataclass(slots=True)
class Surroundings:
    """The broker as its subscriptions see it."""

    timers: Timers
    next_number: Callable[[], int]
    """Serial numbers for leases: never used twice."""
    next_consumer: Callable[[], int]
    """Numbers for consumers."""
    on_ready: Callable[[Consumer], None]
    dead_letters: DeadLetters
    on_expired: Callable[["Subscription", Nanos], None]
    """Called when a subscription has been inactive for its time to live."""
    pipelines: Pipelines
    """The message transforms of every resource."""
    attic: Attic
    listener: Listener | None = None
