"""Deliveries: consumers come and go, are handed messages, and ack, extend or return them.

Source: google.pubsub.v1.Subscriber; docs/semantics.md, pull, streams and leases.

PYTEST_DONT_REWRITE
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from publican_emulator.broker import ackids, acks
from publican_emulator.broker.ackids import AckIds
from publican_emulator.broker.batch import Batch
from publican_emulator.broker.consumer import Consumer, a_pull, a_stream
from publican_emulator.broker.errors import BadArgument, InvalidArgument
from publican_emulator.broker.events import Kind
from publican_emulator.broker.exactly_once import refusal
from publican_emulator.broker.exports import ExportState
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.settings import check_ack_deadline, check_extension
from publican_emulator.broker.subscription import Subscription

if TYPE_CHECKING:
    from publican_emulator.broker.broker import Broker


def open_pull(broker: "Broker", subscription: str, max_messages: int, now: Nanos) -> Consumer:
    """Open a consumer that takes up to `max_messages` once.

    Raises:
        InvalidArgument: `max_messages` is not above 0, or the name's form.
        NotFound, FailedPrecondition: the subscription does not exist, or is detached.
    """
    broker.settle(now)
    if max_messages <= 0:
        raise BadArgument("max_messages", f"It must be above 0, not {max_messages}.")
    known = broker.use(subscription, now)
    known.check_pullable()
    return _open(broker, known, a_pull(max_messages))


def open_stream(
    broker: "Broker",
    subscription: str,
    ack_deadline_s: int,
    max_outstanding_messages: int,
    max_outstanding_bytes: int,
    client_id: str,
    now: Nanos,
) -> Consumer:
    """Open a consumer that takes messages until it is closed; limits of 0 or below are no limits.

    Raises:
        InvalidArgument: the deadline is outside 10..600 seconds, or the name's form.
        NotFound, FailedPrecondition: the subscription does not exist, or is detached.
    """
    broker.settle(now)
    broker.subscriptions.check_form(subscription)
    check_ack_deadline(ack_deadline_s)
    known = broker.use(subscription, now, shown=subscription)
    known.check_pullable()
    return _open(broker, known, a_stream(ack_deadline_s, max_outstanding_messages, max_outstanding_bytes, client_id))


def _open(broker: "Broker", subscription: Subscription, opened: Consumer) -> Consumer:
    subscription.open(opened, broker.counters.next_consumer())
    return opened


def set_stream_deadline(broker: "Broker", consumer: Consumer, ack_deadline_s: int, now: Nanos) -> None:
    """Give later deliveries of a stream another deadline.

    Raises:
        InvalidArgument: it is outside 10..600 seconds.
    """
    broker.settle(now)
    check_ack_deadline(ack_deadline_s)
    consumer.lease_for = Nanos(ack_deadline_s * SECOND)


def want(broker: "Broker", consumer: Consumer, now: Nanos) -> None:
    """Say that a consumer asks for messages: it appears in `ready` when there is one for it, or when it will get none any more."""
    broker.settle(now)
    consumer.subscription.want(consumer)


def pass_on(broker: "Broker", consumer: Consumer, now: Nanos) -> None:
    """Say that a consumer which was told to come cannot take anything now: the next one is told."""
    broker.settle(now)
    consumer.subscription.rotation.rest(consumer)
    consumer.subscription.rotation.tell()


def lease(broker: "Broker", consumer: Consumer, max_bytes: int, now: Nanos) -> Batch:
    """Hand a consumer its share of what is available, at most about `max_bytes` on the wire; empty when there is nothing for it.

    Raises:
        PubsubError: it will get nothing any more: why.
    """
    broker.settle(now)
    if consumer.end is None:
        consumer.subscription.last_activity = now
    return consumer.subscription.lease(consumer, max_bytes, now)


def close(broker: "Broker", consumer: Consumer, now: Nanos) -> None:
    """Forget a consumer; its leases stay until their deadlines, and its ack ids stay good."""
    broker.settle(now)
    subscription = consumer.subscription
    if not consumer.takes_once and consumer.end is None:
        subscription.last_activity = now
    if consumer.takes_once and not consumer.handed and consumer.end is None:
        subscription.state(Kind.FOUND_NOTHING, (), now, consumer=consumer.label)
    subscription.rotation.close(consumer)
    subscription.backlog.closed(consumer)


# acks


def acknowledge(broker: "Broker", subscription: str, ack_ids: AckIds, now: Nanos) -> None:
    """Ack deliveries, named by ids or by heads and rests.

    Raises:
        InvalidArgument: there are none, one is malformed (nothing is acked then), or exactly-once delivery refuses some (the others are acked).
        NotFound, FailedPrecondition: the subscription does not exist, or is detached.
    """
    if refused := try_acknowledge(broker, subscription, ack_ids, now):
        raise refusal(refused)


def try_acknowledge(broker: "Broker", subscription: str, ack_ids: AckIds, now: Nanos) -> list[str]:
    """Ack deliveries as `acknowledge`, but give the ids that exactly-once delivery refuses."""
    known, named = _named(broker, subscription, ack_ids, now)
    return acks.acknowledge(known, named, now)


def modify_ack_deadline(broker: "Broker", subscription: str, ack_ids: AckIds, seconds: int, now: Nanos) -> None:
    """Give every named delivery a deadline `seconds` from now; 0 returns it to the backlog at once.

    Raises:
        InvalidArgument: `seconds` is not in 0..600, or as `acknowledge`.
        NotFound, FailedPrecondition: the subscription does not exist, or is detached.
    """
    if refused := try_modify_ack_deadline(broker, subscription, ack_ids, seconds, now):
        raise refusal(refused)


def try_modify_ack_deadline(broker: "Broker", subscription: str, ack_ids: AckIds, seconds: int, now: Nanos) -> list[str]:
    """Change deadlines as `modify_ack_deadline`, but give the ids that exactly-once delivery refuses."""
    known, named = _named(broker, subscription, ack_ids, now)
    check_extension(seconds)
    return acks.modify(known, named, seconds, now)


def check_ack_ids(broker: "Broker", subscription: str, ack_ids: Sequence[str], now: Nanos) -> None:
    """Refuse what `acknowledge` would refuse as malformed, and do nothing else."""
    if ack_ids:
        _named(broker, subscription, ack_ids, now)


def carried(broker: "Broker", consumer: Consumer, ack_ids: Sequence[str], now: Nanos) -> None:
    """Ack what a carrier has brought to its endpoint, or written."""
    broker.settle(now)
    subscription = consumer.subscription
    if subscription.is_over or subscription.detached:
        return
    subscription.last_activity = now
    if subscription.outgoing is not None and subscription.outgoing.consumer is consumer:
        subscription.outgoing.succeeded()
        subscription.outgoing.state = ExportState.ACTIVE
    acks.acknowledge(subscription, ackids.read(ack_ids, subscription.book.by_head), now)


def not_carried(broker: "Broker", consumer: Consumer, ack_ids: Sequence[str], why: str, now: Nanos) -> None:
    """Nack what a carrier could not bring, or write; without a retry policy it rests before it gets anything again."""
    broker.settle(now)
    subscription = consumer.subscription
    if subscription.is_over or subscription.detached:
        return
    outgoing = subscription.outgoing
    if outgoing is not None and outgoing.consumer is consumer:
        outgoing.failed(now, rests=subscription.settings.retry is None)
        broker.timers.arm(subscription, outgoing.next_due())
    acks.modify(subscription, ackids.read(ack_ids, subscription.book.by_head), 0, now, why)


def not_fitting(broker: "Broker", consumer: Consumer, ack_id: str, why: str, now: Nanos) -> None:
    """Nack one message that its target does not take: it waits, the others do not."""
    broker.settle(now)
    subscription = consumer.subscription
    if subscription.is_over or subscription.detached:
        return
    for head, rests in ackids.read([ack_id], subscription.book.by_head).by_head.items():
        for rest in rests:
            acks.give_back(subscription, head, rest, why, now)
    set_export_state(broker, consumer, ExportState.SCHEMA_MISMATCH, now)
    subscription.rotation.tell()


def set_export_state(broker: "Broker", consumer: Consumer, state: ExportState, now: Nanos) -> None:
    """Note how the target of an export stands."""
    broker.settle(now)
    outgoing = consumer.subscription.outgoing
    if outgoing is not None and outgoing.consumer is consumer:
        outgoing.state = state


def _named(broker: "Broker", subscription: str, ack_ids: AckIds, now: Nanos) -> tuple[Subscription, ackids.Named]:
    broker.settle(now)
    known = broker.use(subscription, now)
    if not ack_ids:
        raise InvalidArgument("You have not specified an ack ID in the request.")
    known.check_attached()
    read = ackids.read_split if isinstance(ack_ids, Mapping) else ackids.read
    named = read(ack_ids, known.book.by_head)  # type: ignore[arg-type]  # each gets the form it reads
    if not known.settings.enable_exactly_once_delivery:
        named.refuse_malformed()
    return known, named
