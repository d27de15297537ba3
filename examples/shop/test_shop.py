"""The shop against Pub/Sub: each test shows something of what the fixtures can do. Run it with `pytest examples/shop`."""

import json
from concurrent.futures import TimeoutError as FutureTimeoutError

import pytest
from google.api_core.exceptions import ServiceUnavailable
from google.cloud import pubsub_v1
from shop import place, start


def orders_of(response):
    """Give the numbers of the orders in a PullResponse."""
    return [json.loads(each.message.data)["order"] for each in response.received_messages]


def pull(subscriber, subscription):
    return subscriber.pull(subscription=subscription, max_messages=10)


def nack(subscriber, subscription, response):
    ack_ids = [each.ack_id for each in response.received_messages]
    subscriber.modify_ack_deadline(subscription=subscription, ack_ids=ack_ids, ack_deadline_seconds=0)


@pytest.fixture
def billing(pubsub_subscriber, pubsub_subscription, shop):
    """Let billing run for the time of a test."""
    future = start(pubsub_subscriber, pubsub_subscription, shop)
    yield future
    future.cancel()
    try:
        future.result(timeout=10)
    except FutureTimeoutError:
        pytest.fail("billing does not stop")


def test_an_order_is_charged(pubsub, pubsub_publisher, pubsub_topic, shop, billing):
    place(pubsub_publisher, pubsub_topic, "A1", 500)
    pubsub.wait_until_acked(pubsub_topic)
    assert shop.bank.charges == [("A1", 500)]


def test_a_lost_ack_does_not_charge_again(pubsub, pubsub_publisher, pubsub_topic, pubsub_subscription, shop, billing):
    lost = pubsub_subscription.lose_acks()
    place(pubsub_publisher, pubsub_topic, "A1", 500)
    pubsub.wait_for(lambda: lost.hits)
    pubsub_subscription.expire("1")
    pubsub.wait_until_acked(pubsub_topic)
    pubsub_subscription.assert_delivered(times=2)
    assert shop.bank.charges == [("A1", 500)]


def test_an_order_that_nobody_acks_comes_back(pubsub, pubsub_publisher, pubsub_subscriber, pubsub_topic, pubsub_subscription):
    place(pubsub_publisher, pubsub_topic, "A1", 500)
    assert orders_of(pull(pubsub_subscriber, pubsub_subscription)) == ["A1"]
    pubsub.advance(11)  # the ack deadline is 10 s
    assert orders_of(pull(pubsub_subscriber, pubsub_subscription)) == ["A1"]
    (message,) = pubsub_subscription.messages
    assert (len(message.deliveries), len(message.expiries), message.state) == (2, 1, "leased")


@pytest.mark.pubsub(strict=True)
def test_a_strict_test_leaves_nothing_leased(pubsub, pubsub_publisher, pubsub_topic, pubsub_subscription, shop, billing):
    place(pubsub_publisher, pubsub_topic, "A1", 500)
    pubsub.wait_until_acked(pubsub_topic)
    pubsub_subscription.assert_acked(times=1)
    assert shop.ledger.paid == {"A1"}


@pytest.mark.pubsub(ack_deadline=60)
def test_a_subscription_may_be_set_by_a_marker(pubsub, pubsub_publisher, pubsub_subscriber, pubsub_topic, pubsub_subscription):
    place(pubsub_publisher, pubsub_topic, "A1", 500)
    pull(pubsub_subscriber, pubsub_subscription)
    pubsub.advance(59)
    assert [each.state for each in pubsub_subscription.peek()] == ["leased"]


def test_an_order_that_fails_five_times_is_a_dead_letter(pubsub, pubsub_publisher, pubsub_subscriber, orders, dead, morgue):
    billing = pubsub.subscription("hopeless", orders, dead_letter=dead)
    place(pubsub_publisher, orders, "A1", 500)
    for _ in range(5):
        nack(pubsub_subscriber, billing, pull(pubsub_subscriber, billing))
    billing.assert_dead_lettered(attempts=5)
    assert orders_of(pull(pubsub_subscriber, morgue)) == ["A1"]


def test_what_fails_waits_longer_each_time(pubsub, pubsub_publisher, pubsub_subscriber, orders, billing_queue):
    place(pubsub_publisher, orders, "A1", 500)
    begin = pubsub.now()
    for wait_s in (10, 20, 40):
        nack(pubsub_subscriber, billing_queue, pull(pubsub_subscriber, billing_queue))
        pubsub.advance(wait_s)
    assert orders_of(pull(pubsub_subscriber, billing_queue)) == ["A1"]
    assert (pubsub.now() - begin).total_seconds() == 70


def test_a_short_outage_is_not_noticed(pubsub, pubsub_publisher, pubsub_topic):
    outage = pubsub.fail("Publish", "UNAVAILABLE", times=1)
    place(pubsub_publisher, pubsub_topic, "A1", 500)  # the client tries again
    assert outage.hits == 1
    assert [message.data for message in pubsub_topic.messages] == [b'{"order": "A1", "pence": 500}']


def test_a_long_outage_is_an_error(pubsub, pubsub_publisher, pubsub_topic):
    with pubsub.offline(), pytest.raises(ServiceUnavailable):
        pubsub_publisher.publish(pubsub_topic, b"{}", retry=None, timeout=5).result()
    assert pubsub_topic.messages == []


def test_orders_of_a_customer_keep_their_order(pubsub, pubsub_subscriber, orders):
    billing = pubsub.subscription("billing", orders, ordering=True)
    options = pubsub_v1.types.PublisherOptions(enable_message_ordering=True)
    with pubsub_v1.PublisherClient(publisher_options=options) as publisher:
        for order in ("A1", "A2", "A3"):
            place(publisher, orders, order, 100, customer="ann")
    first = pull(pubsub_subscriber, billing)
    nack(pubsub_subscriber, billing, first)
    assert orders_of(pull(pubsub_subscriber, billing)) == orders_of(first) == ["A1", "A2", "A3"]


def test_only_orders_are_billed(pubsub, pubsub_subscriber):
    events = pubsub.topic("events")
    billing = pubsub.subscription("billing", events, filter='attributes.kind = "order"')
    events.publish(b'{"order": "A1", "pence": 500}', kind="order")
    events.publish(b"{}", kind="visit")
    assert orders_of(pull(pubsub_subscriber, billing)) == ["A1"]
