"""Mischief: lost acks, early expiries, copies and another order; each counted, and nothing lost by it."""

from publican_emulator.broker import mischief
from publican_emulator.broker.broker import Broker
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.settings import DeadLetterPolicy, SubscriptionSettings, TopicSettings
from publican_protocol import pubsub

START = Nanos(1_700_000_000 * SECOND)
TOPIC = "projects/p/topics/abc"
SUBSCRIPTION = "projects/p/subscriptions/abc"


class Bench:
    def __init__(self, **settings: object) -> None:
        self.broker = Broker()
        self.now = START
        self.broker.create_topic(TOPIC, TopicSettings(), self.now)
        self.subscription = self.broker.create_subscription(SUBSCRIPTION, TOPIC, SubscriptionSettings(**settings), self.now)  # type: ignore[arg-type]

    def publish(self, *datas: bytes) -> None:
        self.broker.publish(TOPIC, [pubsub.PubsubMessage(data=data).SerializeToString() for data in datas], self.now)

    def pull(self) -> list[tuple[bytes, str, int]]:
        consumer = self.broker.open_pull(SUBSCRIPTION, 100, self.now)
        batch = self.broker.lease(consumer, 1 << 20, self.now)
        self.broker.close(consumer, self.now)
        return [(pubsub.PubsubMessage.FromString(each.message).data, each.ack_id, each.delivery_attempt) for each in batch.deliveries()]

    def datas(self) -> list[bytes]:
        return [data for data, _, _ in self.pull()]


def test_a_lost_ack_succeeds_and_its_message_comes_again() -> None:
    bench = Bench()
    bench.publish(b"one", b"two", b"three")
    ids = [ack_id for _, ack_id, _ in bench.pull()]
    done = mischief.lose_acks(bench.subscription, 2)
    bench.broker.acknowledge(SUBSCRIPTION, ids, bench.now)
    assert (done.acks_lost, done.acks_to_lose) == (2, 0)
    bench.now = Nanos(bench.now + 10 * SECOND)
    again = bench.pull()
    assert [data for data, _, _ in again] == [b"one", b"two"]
    bench.broker.acknowledge(SUBSCRIPTION, [ack_id for _, ack_id, _ in again], bench.now)
    bench.now = Nanos(bench.now + 10 * SECOND)
    assert bench.datas() == []


def test_a_lease_that_is_ended_counts_as_an_expiry() -> None:
    bench = Bench()
    bench.broker.create_topic("projects/p/topics/dead", TopicSettings(), bench.now)
    settings = SubscriptionSettings(dead_letter=DeadLetterPolicy("projects/p/topics/dead"))
    bench.broker.update_subscription(SUBSCRIPTION, settings, bench.now)
    bench.publish(b"one", b"two")
    bench.pull()
    assert mischief.expire(bench.subscription, 1, bench.now) == 1
    assert [(data, attempt) for data, _, attempt in bench.pull()] == [(b"one", 2)]
    assert mischief.expire(bench.subscription, 1, bench.now) == 1
    assert [(data, attempt) for data, _, attempt in bench.pull()] == [(b"one", 3)]
    assert mischief.expire(bench.subscription, 99, bench.now) == 0


def test_a_copy_is_delivered_beside_the_leased_one_and_acked_by_itself() -> None:
    bench = Bench()
    bench.publish(b"one")
    ((_, first, _),) = bench.pull()
    assert mischief.duplicate(bench.subscription, 1) == 1
    ((data, second, _),) = bench.pull()
    assert data == b"one"
    assert first != second
    bench.broker.acknowledge(SUBSCRIPTION, [first], bench.now)
    bench.now = Nanos(bench.now + 10 * SECOND)
    assert bench.datas() == [b"one"], "the copy has its own ack"
    assert mischief.duplicate(bench.subscription, 99) == 0


def test_a_message_may_have_several_copies_at_once() -> None:
    bench = Bench()
    bench.publish(b"one")
    assert [mischief.duplicate(bench.subscription, 1) for _ in range(2)] == [1, 1]
    got = bench.pull()
    assert [data for data, _, _ in got] == [b"one"] * 3
    bench.broker.acknowledge(SUBSCRIPTION, [ack_id for _, ack_id, _ in got], bench.now)
    bench.now = Nanos(bench.now + 10 * SECOND)
    assert bench.datas() == []


def test_a_batch_may_come_in_the_opposite_order_and_its_acks_still_fit() -> None:
    bench = Bench()
    bench.publish(b"1", b"2", b"3")
    done = mischief.reorder(bench.subscription, 1)
    got = bench.pull()
    assert [data for data, _, _ in got] == [b"3", b"2", b"1"]
    assert (done.batches_reordered, done.batches_to_reorder) == (1, 0)
    bench.broker.acknowledge(SUBSCRIPTION, [got[0][1]], bench.now)
    bench.publish(b"4", b"5")
    assert bench.datas() == [b"4", b"5"]
    bench.now = Nanos(bench.now + 10 * SECOND)
    assert sorted(bench.datas()) == [b"1", b"2", b"4", b"5"]
