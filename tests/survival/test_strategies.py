"""Strategies make only what the service takes, and Hypothesis knows them without being told."""

import itertools
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publican_emulator.broker.broker import Broker
from publican_emulator.broker.filters import parse
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.settings import TopicSettings
from publican_emulator.testing.handle import Pubsub
from publican_protocol.pubsub import PubsubMessage
from pytest_publican import DeliveryPlan, Message, strategies

BRIEFLY = settings(database=None, deadline=None, max_examples=30)
NOON = Nanos(1_700_000_000 * SECOND)
TOPIC = "projects/p/topics/abc"


@BRIEFLY
@given(strategies.messages(ordering_key=strategies.ordering_keys()))
def test_every_message_may_be_published(message: Message) -> None:
    broker = Broker()
    broker.create_topic(TOPIC, TopicSettings(), NOON)
    wire = PubsubMessage(data=message.data, attributes=dict(message.attributes), ordering_key=message.ordering_key)
    assert list(broker.publish(TOPIC, [wire.SerializeToString()], NOON)) == [1]


@BRIEFLY
@given(strategies.filters())
def test_every_filter_parses(text: str) -> None:
    parse(text)
    assert len(text.encode()) <= 256


@BRIEFLY
@given(strategies.filters(names=["a b", 'say "x"'], values=["\\", '"']))
def test_strange_names_and_values_are_quoted(text: str) -> None:
    parse(text)


def test_settings_are_what_the_fixture_takes(pubsub: Pubsub) -> None:
    topic, seen = pubsub.topic("abc"), set[str]()
    pubsub.topic("dead")
    names = itertools.count()

    @settings(BRIEFLY, derandomize=True)
    @given(strategies.subscription_settings(dead_letter="dead"))
    def subscribe(chosen: dict[str, Any]) -> None:
        seen.update(chosen)
        pubsub.subscription(f"sub-{next(names)}", topic, **chosen)

    subscribe()
    assert seen == {"ack_deadline", "ordering", "exactly_once", "filter", "retry", "retention", "retain_acked", "dead_letter"}


def test_hypothesis_knows_our_types_by_its_entry_point() -> None:
    program = (
        "from hypothesis import Phase, find, settings, strategies as st\n"
        "import sys\n"
        "assert 'pytest_publican.strategies' not in sys.modules\n"
        "from pytest_publican import DeliveryPlan, Message\n"
        "once = settings(database=None, max_examples=1, phases=[Phase.generate])\n"
        "print(find(st.from_type(Message), lambda _: True, settings=once), find(st.from_type(DeliveryPlan), lambda _: True, settings=once))\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, f"{ran.stderr}\n(an older installation knows no entry point: `make .venv/.test`)"
    assert ran.stdout == "Message(b'0') DeliveryPlan(Message(b'0'))\n"


def test_what_needs_no_hypothesis_does_not_load_it() -> None:
    program = "import sys; from pytest_publican import DeliveryPlan, Message, survives; assert 'hypothesis' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


@pytest.mark.parametrize("kind", [Message, DeliveryPlan])
def test_types_are_enough_for_a_property(kind: type[Any]) -> None:
    @BRIEFLY
    @given(st.from_type(kind))
    def check(made: object) -> None:
        assert type(made) is kind

    check()
