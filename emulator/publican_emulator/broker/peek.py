"""Looking at what is not acked without taking it: nothing changes by it, no lease begins, nothing is counted.

PYTEST_DONT_REWRITE
"""

from collections.abc import Iterator
from dataclasses import dataclass

from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.leases import Group, Stage
from publican_emulator.broker.subscription import Subscription


@dataclass(frozen=True, slots=True)
class Peeked:
    """One unacked message of one subscription."""

    message: bytes
    """As it is stored."""
    is_leased: bool
    """Whether somebody holds it; else it waits."""
    until: Nanos | None
    """The end of its lease, or of its back-off; None: it can be taken now."""
    attempts: int
    """How often it has been handed out."""


def peek(subscription: Subscription, now: Nanos) -> Iterator[Peeked]:
    """Give every unacked message: first those that were handed out before, then those that nobody has got yet, in publish order."""
    returning = subscription.delayed.dues()
    for message, lease in subscription.book.unacked():
        if isinstance(lease, Group):
            is_leased, attempts = lease.deadline > now and lease not in returning, 1
        else:
            is_leased, attempts = lease.stage is Stage.LEASED, lease.attempts
        yield Peeked(message, is_leased, lease.deadline if is_leased else returning.get(lease), attempts)
    for message in subscription.backlog.never_handed_out():
        yield Peeked(message, is_leased=False, until=None, attempts=0)
