"""Acks, extensions and nacks: what the ack ids of a request do to the leases that they name.

An ack by the id of a delivery that is over still acks, except under exactly-once delivery, where only the newest delivery's id counts and the others
are given back as refused. An extension or a nack counts for the newest delivery alone.

Source: google.pubsub.v1.Subscriber.Acknowledge and ModifyAckDeadline; docs/semantics.md, leases and exactly-once.

PYTEST_DONT_REWRITE
"""

from typing import TYPE_CHECKING

from publican_emulator.broker import ackids, failures
from publican_emulator.broker.events import Kind
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.leases import Group, Single, Stage

if TYPE_CHECKING:
    from publican_emulator.broker.subscription import Subscription


def acknowledge(subscription: "Subscription", named: ackids.Named, now: Nanos) -> list[str]:
    """Ack every named delivery; give the ids that exactly-once delivery refuses (none without it)."""
    refused: list[str] = list(named.malformed)
    if subscription.mischief is not None:
        named = subscription.mischief.without_lost(named)
        if subscription.settings.enable_exactly_once_delivery:
            refused += subscription.mischief.failing(named)
    for head, rests in named.by_head.items():
        lease = subscription.book.by_head.get(head)
        if type(lease) is Group:
            _ack_group(subscription, lease, rests, now, refused)
        elif type(lease) is Single:
            for rest in rests:
                _ack_single(subscription, lease, head, rest, now, refused)
        else:
            _ack_unknown(subscription, head, rests, now, refused)
    subscription.rotation.tell()
    return refused


def _ack_group(subscription: "Subscription", group: Group, rests: list[bytes], now: Nanos, refused: list[str]) -> None:
    is_strict = subscription.settings.enable_exactly_once_delivery
    is_late = group.deadline <= now
    hit = group.slots().intersection(rests)
    if hit and not (is_late and is_strict):
        if subscription.around.listener is not None:
            subscription.state(Kind.ACKED_LATE if is_late else Kind.ACKED, [group.messages[int(slot)] for slot in sorted(hit)], now, attempt=1)
        subscription.retention.acked([group.messages[int(slot)] for slot in hit] if subscription.retention.wants_acked else ())
        subscription.book.finish_slots(group, hit, now)
        if len(hit) == len(rests):
            return
    for rest in rests:
        if (single := group.singles.get(rest)) is not None:
            _ack_single(subscription, single, group.head, rest, now, refused)
        elif is_strict and (is_late if rest in hit else _never_acked_by(group, rest)):
            _refuse(subscription, group.head, rest, now, refused)


def _never_acked_by(group: Group, rest: bytes) -> bool:
    """Say whether a slot that is not live is none, or one whose message ended under another ack id."""
    return int(rest) >= len(group.messages) or (group.superseded is not None and rest in group.superseded)


def _ack_single(subscription: "Subscription", single: Single, head: bytes, rest: bytes, now: Nanos, refused: list[str]) -> None:
    if single.stage is Stage.ACKED:  # a second id of it in one request
        if single.ack_id() != (head, rest) and subscription.settings.enable_exactly_once_delivery:
            _refuse(subscription, head, rest, now, refused)
        return
    is_current = single.stage is Stage.LEASED and single.ack_id() == (head, rest)
    if not is_current and subscription.settings.enable_exactly_once_delivery:
        _refuse(subscription, head, rest, now, refused)
        return
    if head == single.head and ackids.attempt_of(rest) > single.attempts:
        return  # an id that was never given out
    if subscription.around.listener is not None:
        subscription.state(Kind.ACKED if is_current else Kind.ACKED_LATE, [single.message], now, attempt=single.attempts)
    subscription.retention.acked((single.message,))
    subscription.finish(single, (head, rest))


def _ack_unknown(subscription: "Subscription", head: bytes, rests: list[bytes], now: Nanos, refused: list[str]) -> None:
    """Its lease is over: a repeated ack, or a stale one. Without exactly-once delivery both are silently fine."""
    if subscription.settings.enable_exactly_once_delivery:
        for rest in rests:
            if not subscription.book.retired.acked_by(head, rest, subscription.book.serial):
                _refuse(subscription, head, rest, now, refused)


def _refuse(subscription: "Subscription", head: bytes, rest: bytes, now: Nanos, refused: list[str]) -> None:
    ack_id = (head + rest).decode()
    refused.append(ack_id)
    if subscription.around.listener is not None:
        subscription.state(Kind.ACK_REFUSED, (), now, note=ack_id)


# extensions and nacks


def modify(subscription: "Subscription", named: ackids.Named, seconds: int, now: Nanos, why: str = "") -> list[str]:
    """Give every named live delivery a deadline `seconds` from now, 0 to nack it; give the ids that exactly-once delivery refuses.

    `why` is what a carrier says of a nack.
    """
    refused: list[str] = list(named.malformed)
    deadline = Nanos(now + seconds * SECOND)
    for head, each in named.by_head.items():
        lease = subscription.book.by_head.get(head)
        missed = rests = list(dict.fromkeys(each))  # an id that is named twice is nacked once
        if type(lease) is Group:
            missed = _modify_group(subscription, lease, rests, deadline, now, why)
        elif type(lease) is Single:
            missed = [rest for rest in rests if not _modify_single(subscription, lease, (head, rest), deadline, now, why)]
        if missed and subscription.settings.enable_exactly_once_delivery:
            for rest in missed:
                _refuse(subscription, head, rest, now, refused)
    if seconds:
        subscription.around.timers.arm(subscription, deadline)
    subscription.rotation.tell()
    return refused


def _modify_group(subscription: "Subscription", group: Group, rests: list[bytes], deadline: Nanos, now: Nanos, why: str) -> list[bytes]:
    missed = []
    hit = group.slots().intersection(rests) if group.deadline > now else set()
    if hit and len(hit) == group.count and deadline > now:
        was = group.deadline
        subscription.book.extend_group(group, deadline)
        if subscription.around.listener is not None:
            subscription.state(Kind.EXTENDED, group.live_messages(), now, attempt=1, until=deadline, was_until=was)
    else:
        for slot in sorted(hit):
            _modify_single(subscription, subscription.book.detach_leased(group, slot), (group.head, slot), deadline, now, why)
    for rest in rests:
        if rest not in hit:
            single = group.singles.get(rest)
            if single is None or not _modify_single(subscription, single, (group.head, rest), deadline, now, why):
                missed.append(rest)
    return missed


def _modify_single(subscription: "Subscription", single: Single, by: tuple[bytes, bytes], deadline: Nanos, now: Nanos, why: str) -> bool:
    if single.stage is not Stage.LEASED or single.ack_id() != by:
        return False
    if deadline > now:
        was = single.deadline
        subscription.book.extend_single(single, deadline)
        if subscription.around.listener is not None:
            subscription.state(Kind.EXTENDED, [single.message], now, attempt=single.attempts, until=deadline, was_until=was)
    else:
        subscription.book.end_lease(single)
        single.failures += 1
        failures.fail(subscription, [single], now, Kind.NACKED, why)
    return True


def give_back(subscription: "Subscription", head: bytes, rest: bytes, why: str, now: Nanos) -> None:
    """Nack one live delivery that will not go better at once: it waits a while also where no retry policy says so."""
    lease = subscription.book.by_head.get(head)
    if type(lease) is Group:
        is_live = rest in lease.slots() and lease.deadline > now
        lease = subscription.book.detach_leased(lease, rest) if is_live else lease.singles.get(rest)
    if type(lease) is Single and lease.stage is Stage.LEASED and lease.ack_id() == (head, rest):
        subscription.book.end_lease(lease)
        lease.failures += 1
        failures.fail(subscription, [lease], now, Kind.NACKED, why, waits=True)
