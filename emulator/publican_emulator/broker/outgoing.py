"""What a subscription hands out by itself: to its push endpoint, or to where it exports.

The service is the consumer then. It takes messages as a stream does, within a credit that follows its pace (push.py), and whoever carries them (the
rooms `push` and `export`) says what became of each: carried, or not, and why not. A lease that runs out before that counts as not carried.

PYTEST_DONT_REWRITE
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from publican_emulator.broker import limits
from publican_emulator.broker.consumer import Consumer, a_carrier
from publican_emulator.broker.exports import ExportState
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.leases import Lease
from publican_emulator.broker.push import Pace
from publican_emulator.broker.settings import SubscriptionSettings

_WRITING: Final = limits.ACK_DEADLINE_S_MAX * SECOND


@dataclass(slots=True)
class Outgoing:
    """The service as the consumer of one subscription."""

    consumer: Consumer
    pace: Pace = field(default_factory=Pace)
    state: ExportState = ExportState.ACTIVE
    """How the target of an export stands."""

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
    if settings.cloud_storage is not None:
        # an open file holds its messages; the service too keeps them longer than the ack deadline says
        return Outgoing(a_carrier("export", "Export", Nanos(settings.cloud_storage.duration + _WRITING)))
    if settings.export is not None:
        return Outgoing(a_carrier("export", "Export"))
    return None
