"""Peeking: every unacked message, as it stands, and nothing changes by looking."""

from publican_emulator.broker.broker import Broker
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.peek import peek
from publican_emulator.broker.settings import RetryPolicy, SubscriptionSettings, TopicSettings
from publican_protocol import pubsub, wire

TOPIC = "projects/p/topics/orders"
SUBSCRIPTION = "projects/p/subscriptions/billing"
START = Nanos(1_700_000_000 * SECOND)


def at(seconds: float) -> Nanos:
    return Nanos(START + round(seconds * SECOND))


def broker_with(count: int, settings: SubscriptionSettings | None = None, *, key: str = "") -> Broker:
    broker = Broker()
    broker.create_topic(TOPIC, TopicSettings(), START)
    broker.create_subscription(SUBSCRIPTION, TOPIC, settings or SubscriptionSettings(), START)
    for number in range(count):
        broker.publish(TOPIC, [pubsub.PubsubMessage(data=b"%d" % number, ordering_key=key).SerializeToString()], START)
    return broker


def pull(broker: Broker, count: int, now: Nanos) -> list[str]:
    consumer = broker.open_pull(SUBSCRIPTION, count, now)
    batch = broker.lease(consumer, 1 << 20, now)
    broker.close(consumer, now)
    return [each.ack_id for each in pubsub.PullResponse.FromString(batch.encoded()).received_messages]


def seen(broker: Broker, now: Nanos) -> list[tuple[int, bool, float | None, int]]:
    """Give id, whether leased, until (in seconds from the start), and attempts."""
    broker.settle(now)
    return sorted(
        (wire.message_id_of(each.message), each.is_leased, None if each.until is None else (each.until - START) / SECOND, each.attempts)
        for each in peek(broker.get_subscription(SUBSCRIPTION, now), now)
    )


def test_what_waits_and_what_is_leased() -> None:
    broker = broker_with(3)
    first, _ = pull(broker, 2, START)
    assert seen(broker, at(1)) == [(1, True, 10.0, 1), (2, True, 10.0, 1), (3, False, None, 0)]
    broker.acknowledge(SUBSCRIPTION, [first], at(1))
    assert seen(broker, at(1)) == [(2, True, 10.0, 1), (3, False, None, 0)]
    assert seen(broker, at(10)) == [(2, False, None, 1), (3, False, None, 0)]
    pull(broker, 1, at(11))
    assert seen(broker, at(11)) == [(2, True, 21.0, 2), (3, False, None, 0)]


def test_what_waits_for_its_back_off() -> None:
    broker = broker_with(1, SubscriptionSettings(retry=RetryPolicy(Nanos(30 * SECOND), Nanos(60 * SECOND))))
    broker.modify_ack_deadline(SUBSCRIPTION, pull(broker, 1, START), 0, at(2))
    assert seen(broker, at(3)) == [(1, False, 32.0, 1)]
    assert seen(broker, at(32)) == [(1, False, None, 1)]


def test_ordered_subscriptions() -> None:
    broker = broker_with(2, SubscriptionSettings(enable_message_ordering=True), key="k")
    assert seen(broker, START) == [(1, False, None, 0), (2, False, None, 0)]
    pull(broker, 1, START)
    assert seen(broker, START) == [(1, True, 10.0, 1), (2, False, None, 0)]


def test_looking_changes_nothing() -> None:
    broker = broker_with(2)
    seen(broker, START)
    assert len(pull(broker, 2, START)) == 2
    assert seen(broker, at(5)) == seen(broker, at(5))
