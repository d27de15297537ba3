"""What the machine found, shrunk and named: each was a bug of the broker once, or is seldom met by chance."""

import pytest

from publican_emulator.broker.broker import Broker
from publican_emulator.broker.consumer import Consumer
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.settings import SubscriptionSettings, TopicSettings
from publican_protocol.pool import message_class
from publican_protocol.wire import message_id_of

NOON = 1_700_000_000 * SECOND
TOPIC, NAME = "projects/p/topics/t-one", "projects/p/subscriptions/s-one"


@pytest.fixture
def broker() -> Broker:
    broker = Broker()
    broker.create_topic(TOPIC, TopicSettings(), at(0))
    return broker


def at(seconds: float) -> Nanos:
    return Nanos(NOON + int(seconds * 1000) * (SECOND // 1000))


def publish(broker: Broker, now: float, *texts: str, key: str = "", **attributes: str) -> None:
    wire = [message_class("google.pubsub.v1.PubsubMessage")(data=text.encode(), ordering_key=key, attributes=attributes) for text in texts]
    broker.publish(TOPIC, [message.SerializeToString() for message in wire], at(now))


def pull(broker: Broker, now: float, count: int = 10) -> list[str]:
    """Pull, and give the ack ids."""
    consumer = broker.open_pull(NAME, count, at(now))
    batch = broker.lease(consumer, 10_000_000, at(now))
    broker.close(consumer, at(now))
    return [delivery.ack_id for delivery in batch.deliveries()]


def taken(broker: Broker, consumer: Consumer, now: float) -> list[int]:
    """Lease once more, and give the message ids."""
    return [message_id_of(delivery.message) for delivery in broker.lease(consumer, 10_000_000, at(now)).deliveries()]


TEN_MINUTES = Nanos(600 * SECOND)


def test_late_settling_past_a_lease_and_the_retention(broker: Broker) -> None:
    broker.create_subscription(NAME, TOPIC, SubscriptionSettings(message_retention=TEN_MINUTES), at(0))
    publish(broker, 0, "m")
    broker.modify_ack_deadline(NAME, pull(broker, 1), 600, at(1))
    assert pull(broker, 602) == []


def test_dropped_by_retention_is_not_acked(broker: Broker) -> None:
    broker.create_subscription(NAME, TOPIC, SubscriptionSettings(message_retention=TEN_MINUTES, enable_exactly_once_delivery=True), at(0))
    publish(broker, 0, "m")
    ids = pull(broker, 0)
    assert broker.try_acknowledge(NAME, ids, at(600)) == ids


def test_shorter_retention_after_a_lease_ran_out(broker: Broker) -> None:
    broker.create_subscription(NAME, TOPIC, SubscriptionSettings(message_retention=Nanos(3600 * SECOND)), at(0))
    publish(broker, 0, "m")
    assert len(pull(broker, 600)) == 1
    broker.update_subscription(NAME, SubscriptionSettings(message_retention=TEN_MINUTES), at(620))
    assert pull(broker, 620) == []


def test_bytes_left_over_by_redeliveries_do_not_let_new_ones_pass_them(broker: Broker) -> None:
    broker.create_subscription(NAME, TOPIC, SubscriptionSettings(), at(0))
    publish(broker, 0, "a")
    publish(broker, 0, "b")
    assert [len(pull(broker, 0, 1)) for _ in range(2)] == [1, 1]
    publish(broker, 0, "c")
    stream = broker.open_stream(NAME, 10, 0, 60, "", at(10))
    order = [number for _ in range(3) for number in taken(broker, stream, 10)]
    assert order == sorted(order)


def test_stale_id_beside_the_good_one_is_refused(broker: Broker) -> None:
    broker.create_subscription(NAME, TOPIC, SubscriptionSettings(enable_exactly_once_delivery=True), at(0))
    publish(broker, 0, "m")
    stale: list[str] = []
    for _ in range(2):
        stale = pull(broker, 0)
        broker.modify_ack_deadline(NAME, stale, 0, at(0))
    good = pull(broker, 0)
    assert broker.try_acknowledge(NAME, [*good, *stale], at(0)) == stale


def test_acked_messages_are_kept_from_the_moment_that_is_asked(broker: Broker) -> None:
    broker.create_subscription(NAME, TOPIC, SubscriptionSettings(), at(0))
    publish(broker, 0, "before", "after")
    before, after = pull(broker, 0)
    broker.acknowledge(NAME, [before], at(0))
    broker.update_subscription(NAME, SubscriptionSettings(retain_acked_messages=True), at(0))
    broker.acknowledge(NAME, [after], at(0))
    broker.seek_to_time(NAME, at(-60), at(0))
    assert len(pull(broker, 0)) == 1
