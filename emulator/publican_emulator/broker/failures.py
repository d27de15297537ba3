"""Failures: a lease ended without an ack, by a nack or by its deadline. Back-off, backlog, or the dead-letter topic?

Source: google.pubsub.v1.RetryPolicy and DeadLetterPolicy; docs/semantics.md, retry and dead-letters.

PYTEST_DONT_REWRITE
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from publican_emulator.broker.events import Kind
from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.leases import Group, Lease, Single, Stage
from publican_emulator.broker.ordering import OrderedBacklog
from publican_emulator.broker.push import push_backoff

if TYPE_CHECKING:
    from publican_emulator.broker.subscription import Subscription


def fail(subscription: "Subscription", leases: Iterable[Lease], at: Nanos, cause: Kind, why: str = "", *, waits: bool = False) -> None:
    """Take back messages whose leases ended at `at` without an ack: to the dead-letter topic, into back-off, or to the backlog at once.

    `why` is what a carrier says of it. `waits`: they wait a while also where no retry policy says so.
    """
    back: list[Lease] = []
    if subscription.around.listener is None:
        leases = _return_groups(subscription, leases, at, back, waits=waits)
    for lease in leases:
        if type(lease) is Single and lease.stage is Stage.ACKED:
            continue
        failures = lease.failures if type(lease) is Single else 1
        due = _back_at(subscription, failures, at, waits=waits)
        if subscription.around.listener is not None:
            messages = [lease.message] if type(lease) is Single else lease.live_messages() if type(lease) is Group else []
            attempt = lease.attempts if type(lease) is Single else 1
            subscription.state(cause, messages, at, attempt=attempt, until=due, note=why)
        if isinstance(subscription.backlog, OrderedBacklog) and type(lease) is Single:
            subscription.backlog.failed(lease)
        if type(lease) is Single and _forward(subscription, lease, at, why):
            continue
        if due > at:
            subscription.delayed.add(lease, due)
            subscription.around.timers.arm(subscription, due)
        else:
            if type(lease) is Single:
                lease.stage = Stage.AVAILABLE
            back.append(lease)
    subscription.backlog.give_back(back)


def _return_groups(subscription: "Subscription", leases: Iterable[Lease], at: Nanos, back: list[Lease], *, waits: bool) -> list[Lease]:
    """Take back the groups, all of whose messages have failed once, in one go; give the other leases."""
    groups: list[Lease] = []
    others: list[Lease] = []
    for lease in leases:
        (groups if type(lease) is Group else others).append(lease)
    due = _back_at(subscription, 1, at, waits=waits)
    if due <= at:
        back += groups
    elif groups:
        subscription.delayed.add_groups(groups, due)
        subscription.around.timers.arm(subscription, due)
    return others


def _back_at(subscription: "Subscription", failures: int, at: Nanos, *, waits: bool) -> Nanos:
    retry = subscription.settings.retry
    if retry is None:
        # Divergence: a message whose transform fails waits 100 ms to 60 s where no retry policy says how long.
        return Nanos(at + push_backoff(failures)) if waits else at
    return Nanos(at + retry.backoff(failures))


def _forward(subscription: "Subscription", single: Single, at: Nanos, why: str) -> bool:
    """Move a message to the dead-letter topic when it has failed often enough; say whether it has left."""
    policy = subscription.settings.dead_letter
    failures = single.failures - single.uncounted
    if policy is None or failures < policy.max_delivery_attempts:
        return False
    why = why if subscription.settings.export is not None else ""  # the service tells it of exports only
    forwarded_as = subscription.around.dead_letters.forward(single.message, policy.topic, subscription.name, failures, at, why)
    if forwarded_as is None:
        return False
    if subscription.around.listener is not None:
        subscription.state(Kind.FORWARDED, [single.message], at, attempt=single.attempts, note=f"{policy.topic} as {forwarded_as}")
    subscription.retention.acked((single.message,))
    subscription.finish(single)
    return True
