"""The timeline: one line a fact, in words that a reader of the documentation knows."""

from collections.abc import Callable
from typing import Any

import pytest

from publican_emulator import history
from publican_emulator.broker.broker import Broker
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.settings import RetryPolicy, SubscriptionSettings, TopicSettings
from publican_emulator.history import History
from publican_protocol import pubsub

TOPIC = "projects/p/topics/orders"
SUBSCRIPTION = "projects/p/subscriptions/billing"


class Story:
    """A broker with a history, told in seconds."""

    def __init__(self, settings: SubscriptionSettings) -> None:
        self.history = History()
        self.broker = Broker(self.history)
        self.broker.create_topic(TOPIC, TopicSettings(), self.at(0))
        self.broker.create_subscription(SUBSCRIPTION, TOPIC, settings, self.at(0))

    @staticmethod
    def at(seconds: float) -> Nanos:
        return Nanos(round((1_000 + seconds) * SECOND))

    def publish(self, seconds: float, **fields: Any) -> None:
        self.broker.publish(TOPIC, [pubsub.PubsubMessage(**fields).SerializeToString()], self.at(seconds))

    def pull(self, seconds: float) -> str:
        consumer = self.broker.open_pull(SUBSCRIPTION, 1, self.at(seconds))
        (delivery,) = self.broker.lease(consumer, 1_000_000, self.at(seconds)).deliveries()
        self.broker.close(consumer, self.at(seconds))
        return delivery.ack_id

    @property
    def lines(self) -> list[str]:
        return self.history.text().splitlines()


@pytest.fixture
def story() -> Callable[..., Story]:
    return lambda **settings: Story(SubscriptionSettings(**settings))


def test_a_life_from_publish_to_ack(story: Callable[..., Story]) -> None:
    told = story()
    told.publish(0, data=b"hello", attributes={"kind": "new"})
    ack_id = told.pull(1)
    told.broker.modify_ack_deadline(SUBSCRIPTION, [ack_id], 60, told.at(4))
    told.broker.settle(told.at(64))
    told.broker.acknowledge(SUBSCRIPTION, [told.pull(65)], told.at(66.25))
    assert told.lines == [
        "m1  topic=orders  attributes={'kind': 'new'}  b'hello'",
        "  +0.000s   published",
        "  +1.000s   delivered    sub=billing  attempt=1  lease=10s  via Pull #1",
        "  +4.000s   modack       sub=billing  attempt=1  lease until +64.000s (was +11.000s)",
        "  +64.000s  expired      sub=billing  attempt=1  (no ack)",
        "  +65.000s  delivered    sub=billing  attempt=2  lease=10s  via Pull #2",
        "  +66.250s  acked        sub=billing  attempt=2",
    ]


def test_a_nack_with_a_retry_policy_tells_when_the_wait_ends(story: Callable[..., Story]) -> None:
    told = story(retry=RetryPolicy(Nanos(10 * SECOND), Nanos(20 * SECOND)))
    told.publish(0, data=b"hello")
    told.broker.modify_ack_deadline(SUBSCRIPTION, [told.pull(1)], 0, told.at(2))
    assert told.lines[-1] == "  +2.000s   nacked       sub=billing  attempt=1  back-off until +12.000s"


def test_each_message_has_its_own_lines_in_the_order_of_publishing(story: Callable[..., Story]) -> None:
    told = story()
    told.publish(0, data=b"one")
    told.publish(0, data=b"two", ordering_key="k")
    told.pull(1)
    assert [line for line in told.lines if line.startswith("m")] == ["m1  topic=orders  b'one'", "m2  topic=orders  key=k  b'two'"]
    assert len(told.lines) == 2 + 3


@pytest.mark.parametrize(("size", "shown"), [(57, "b'" + "x" * 57 + "'"), (58, "b'" + "x" * 58 + "... (58 bytes)")])
def test_a_long_value_is_cut_and_says_how_long_it_was(story: Callable[..., Story], size: int, shown: str) -> None:
    told = story()
    told.publish(0, data=b"x" * size)
    assert told.lines[0] == f"m1  topic=orders  {shown}"


def test_of_many_messages_the_newest_are_shown(story: Callable[..., Story]) -> None:
    told = story()
    for _ in range(3):
        told.publish(0, data=b"x")
    assert told.history.text(messages_max=3).splitlines()[0].startswith("m1 ")
    assert told.history.text(messages_max=2).splitlines()[0] == "(older messages with which nothing went wrong, not shown: 1)"
    assert told.history.text(messages_max=2).splitlines()[1].startswith("m2 ")


def test_the_newest_facts_are_kept(story: Callable[..., Story], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "FACTS_MAX", 4)
    told = story()
    for _ in range(5):
        told.publish(0, data=b"x")
    assert len(told.history.facts) == 4
    assert told.lines[0].startswith("m2 ")
