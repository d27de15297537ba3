"""What a subscription hands out by itself: to its push endpoint, or to where it exports.

The service is the consumer then. It takes messages as a stream does, within a credit that follows its pace (push.py), and whoever carries them (the
rooms `push` and `export`) says what became of each: carried, or not, and why not. A lease that runs out before that counts as not carried.

PYTEST_DONT_REWRITE
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from publican_emulator.broker.consumer import Consumer, a_carrier
from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.leases import Lease
from publican_emulator.broker.push import Pace
from publican_emulator.broker.settings import SubscriptionSettings


@dataclass(slots=True)
class Outgoing:
    """The service as the consumer of one subscription."""

    consumer: Consumer
    pace: Pace = field(default_factory=Pace)

    def __post_init__(self) -> None:
        self._apply()

    def _apply(self) -> None:
        """Let the consumer's credit follow the pace."""
        if self.consumer.carried_by == "push":
            self.consumer.max_messages = self.pace.window
        self.consumer.is_paused = self.pace.resumes_at is not None

    def succeeded(self) -> None:
        """Note that a message was carried."""
        self.pace.succeeded()
        self._apply()

    def failed(self, now: Nanos, *, rests: bool) -> None:
        """Note that a message was not carried; `rests`: the endpoint as a whole waits."""
        self.pace.failed(now, rests=rests)
        self._apply()

    def holds(self, leases: Iterable[Lease]) -> bool:
        """Say whether one of these leases is this consumer's."""
        return any(lease.consumer is self.consumer for lease in leases)

    def next_due(self) -> Nanos | None:
        """Give the instant when the endpoint may get messages again."""
        return self.pace.resumes_at

    def settle(self, now: Nanos) -> None:
        """End a rest whose time has come."""
        self.pace.settle(now)
        self._apply()


def outgoing(settings: SubscriptionSettings) -> Outgoing | None:
    """Give what carries the messages of a subscription with these settings; None: subscribers come for them."""
    if settings.push is not None:
        return Outgoing(a_carrier("push", "Push"))
    return None
