"""docs/semantics.md, concurrency: who gets a message when several ask, and in which order."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from publican_protocol import pubsub as api
from tests.semantics.backends.backend import Refused
from tests.semantics.backends.over_rest import RestBackend, exchange
from tests.semantics.pubsub import Pubsub
from tests.semantics.spec import backends, spec


@spec("concurrency/1")
def test_each_subscription_has_its_own_copy(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    acks, nacks, seeks, waits = (pubsub.subscription(topic) for _ in range(4))
    (message_id,) = topic.publish(b"m")
    acks.take().ack()
    nacks.take().nack()
    seeks.seek_to(pubsub.now() + 10**9)
    assert acks.take_data() == []
    assert seeks.take_data() == []
    for subscription in (nacks, waits):
        delivery = subscription.take()
        assert (delivery.id, delivery.data) == (message_id, b"m")


@spec("concurrency/2")
def test_pulls_share_the_backlog(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(*[b"%d" % number for number in range(10)])
    got = [data for _ in range(5) for data in subscription.take_data(3)]
    assert got == [b"%d" % number for number in range(10)]


@spec("concurrency/2")
@pytest.mark.parametrize("ordered", [False, True])
def test_pulls_that_wait_share_it_too(pubsub: Pubsub, ordered: bool) -> None:
    topic, subscription = pubsub.pair(enable_message_ordering=ordered)
    waiting = [subscription.waiting_pull(1) for _ in range(3)]
    for number in range(3):
        topic.publish(b"%d" % number, key=f"k{number}")
    assert sorted(data for each in waiting for data in each.data()) == [b"0", b"1", b"2"]
    assert subscription.take_data() == []


@backends("core", "grpc")  # REST has no streams
@spec("concurrency/2")
def test_streams_and_pulls_share_it(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    stream = subscription.stream(max_outstanding_messages=2)
    topic.publish(*[b"%d" % number for number in range(5)])
    held = stream.data()
    assert len(held) == 2
    assert sorted(held + subscription.take_data()) == [b"0", b"1", b"2", b"3", b"4"]
    assert stream.data() == []


@spec("concurrency/3")
def test_first_deliveries_come_in_publish_order_and_what_came_back_before_them(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    for number in range(6):
        topic.publish(b"%d" % number)
    zero, one, two, _ = subscription.pull(4)
    two.nack()
    zero.nack()
    one.ack()
    assert subscription.take_data(3) == [b"0", b"2", b"4"]
    pubsub.advance(10)
    topic.publish(b"6")
    assert subscription.take_data() == [b"0", b"2", b"3", b"4", b"5", b"6"]


@spec("concurrency/4")
def test_nothing_comes_again_by_itself(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(ack_deadline_seconds=600)
    topic.publish(*[b"%d" % number for number in range(100)])
    assert len(subscription.pull()) == 100
    for _ in range(5):
        pubsub.advance(100)
        topic.publish(b"new")
        assert subscription.take_data() == [b"new"]


@backends("rest")  # a thread and a connection for each; the others run one operation at a time
@spec("concurrency/5")
@pytest.mark.parametrize("kind", ["topic", "subscription", "snapshot"])
def test_of_creations_at_the_same_time_one_succeeds(pubsub: Pubsub, kind: str) -> None:
    topic, subscription = pubsub.pair()
    name = f"projects/p/{kind}s/contested"
    method, request = {
        "topic": ("CreateTopic", api.Topic(name=name)),
        "subscription": ("CreateSubscription", api.Subscription(name=name, topic=topic.name)),
        "snapshot": ("CreateSnapshot", api.CreateSnapshotRequest(name=name, subscription=subscription.name)),
    }[kind]
    backend = pubsub.backend
    assert isinstance(backend, RestBackend)

    def create(_: int) -> str:
        connection = backend.connection()
        try:
            exchange(connection, method, request)
        except Refused as refused:
            return refused.code
        finally:
            connection.close()
        return "OK"

    with ThreadPoolExecutor(8) as threads:
        assert sorted(threads.map(create, range(8))) == ["ALREADY_EXISTS"] * 7 + ["OK"]


@spec("concurrency/6")
def test_of_a_nack_and_an_ack_both_count_as_they_come(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"a", b"b")
    a, b = subscription.pull()
    a.nack()
    a.ack()
    b.ack()
    b.nack()
    pubsub.advance(600)
    assert subscription.take_data() == []


@spec("concurrency/7")
def test_what_an_administrative_call_changes_is_changed_when_it_is_answered(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    for number in range(5):
        subscription = pubsub.subscription(topic)
        topic.publish(b"%d" % number)
        assert subscription.take_data() == [b"%d" % number]
        subscription.update("ack_deadline_seconds", ack_deadline_seconds=10 + number)
        assert subscription.get().ack_deadline_seconds == 10 + number
        subscription.delete()
        assert topic.subscriptions() == []
