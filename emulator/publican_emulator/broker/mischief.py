"""Mischief: what the service may legally do to deliveries, and seldom does, on a tester's wish.

Everything here is allowed by at-least-once delivery: an ack that is lost, a lease that ends early, a second copy, another order. Each is counted, so
that a test can say that it has happened. A subscription without mischief pays one look at None.

Source: "At-least-once delivery", cloud.google.com/pubsub/docs/subscription-overview; docs/semantics.md, concurrency.

PYTEST_DONT_REWRITE
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from publican_emulator.broker import ackids, failures
from publican_emulator.broker.events import Kind
from publican_emulator.broker.exactly_once import TransientId
from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.leases import Group, Single, Stage
from publican_protocol.wire import message_id_of

if TYPE_CHECKING:
    from publican_emulator.broker.subscription import Subscription


@dataclass(slots=True)
class Mischief:
    """What is still to be done to one subscription, and what has been."""

    acks_to_lose: int = 0
    acks_lost: int = 0
    acks_to_fail: int = 0
    acks_failed: int = 0
    batches_to_reorder: int = 0
    batches_reordered: int = 0

    def without_lost(self, named: ackids.Named) -> ackids.Named:
        """Take the acks that are to be lost out of a request: their sender is told that all went well."""
        kept = ackids.Named(malformed=named.malformed)
        for head, rests in named.by_head.items():
            lost = min(self.acks_to_lose, len(rests))
            self.acks_to_lose -= lost
            self.acks_lost += lost
            if rests[lost:]:
                kept.by_head[head] = rests[lost:]
        return kept

    def failing(self, named: ackids.Named) -> list[str]:
        """Take the acks that are to fail for a while out of a request, and give their ids."""
        failing: list[str] = []
        for head, rests in list(named.by_head.items()):
            taken = rests[: self.acks_to_fail - len(failing)]
            failing += [TransientId((head + rest).decode()) for rest in taken]
            if len(taken) == len(rests):
                del named.by_head[head]
            else:
                named.by_head[head] = rests[len(taken) :]
        self.acks_to_fail -= len(failing)
        self.acks_failed += len(failing)
        return failing

    def reorder(self, messages: list[bytes]) -> None:
        """Turn a batch of first deliveries round, if one is to be."""
        if self.batches_to_reorder and len(messages) > 1:
            self.batches_to_reorder -= 1
            self.batches_reordered += 1
            messages.reverse()


def lose_acks(subscription: "Subscription", count: int) -> Mischief:
    """Lose the next `count` acks: they succeed and change nothing, so their messages come again."""
    subscription.mischief = subscription.mischief or Mischief()
    subscription.mischief.acks_to_lose += count
    return subscription.mischief


def fail_acks(subscription: "Subscription", count: int) -> Mischief:
    """Let the next `count` acks fail for a while, as exactly-once delivery may: their leases go on, and the same acks may succeed later."""
    subscription.mischief = subscription.mischief or Mischief()
    subscription.mischief.acks_to_fail += count
    return subscription.mischief


def reorder(subscription: "Subscription", batches: int) -> Mischief:
    """Hand out the next batches of first deliveries in the opposite order; messages with an ordering key keep theirs on an ordered subscription."""
    subscription.mischief = subscription.mischief or Mischief()
    subscription.mischief.batches_to_reorder += batches
    return subscription.mischief


def less(subscription: "Subscription", *, acks: int, batches: int) -> None:
    """Take back so much of what is still to be done."""
    if subscription.mischief is not None:
        subscription.mischief.acks_to_lose = max(0, subscription.mischief.acks_to_lose - acks)
        subscription.mischief.batches_to_reorder = max(0, subscription.mischief.batches_to_reorder - batches)


def expire(subscription: "Subscription", message_id: int, now: Nanos) -> int:
    """End the leases of a message now, as if their deadline had passed; give how many there were."""
    ended = 0
    for message, lease in list(subscription.book.unacked()):
        if message_id_of(message) != message_id:
            continue
        single = lease
        if type(lease) is Group and lease.deadline > now:
            slot = ackids.SLOTS[next(place for place, each in enumerate(lease.messages) if each is message)]
            single = subscription.book.detach_leased(lease, slot)
        if type(single) is Single and single.stage is Stage.LEASED:
            subscription.book.end_lease(single)
            single.failures += 1
            failures.fail(subscription, [single], now, Kind.EXPIRED)
            ended += 1
    subscription.rotation.tell()
    return ended


def duplicate(subscription: "Subscription", message_id: int) -> int:
    """Make a second copy of an unacked message available; it is leased and acked by itself. Give how many copies were made (0: no such message)."""
    for message, _ in [*subscription.book.unacked(), *((each, None) for each in subscription.backlog.never_handed_out())]:
        if message_id_of(message) == message_id:
            subscription.backlog.give_back([Single(message)])
            subscription.rotation.tell()
            return 1
    return 0
