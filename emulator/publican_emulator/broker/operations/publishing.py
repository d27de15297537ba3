"""Publish: messages come into a topic, from callers and from subscriptions that give one up.

Source: google.pubsub.v1.Publisher.Publish; docs/semantics.md, publish.

PYTEST_DONT_REWRITE
"""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from publican_emulator.broker.errors import PubsubError
from publican_emulator.broker.events import Fact, Kind
from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.operations.schemas import marked
from publican_emulator.broker.operations.transforms import state_dropped, transformed
from publican_emulator.broker.topic import Topic
from publican_protocol.wire import tail_of

if TYPE_CHECKING:
    from publican_emulator.broker.broker import Broker


def publish(broker: "Broker", topic: str, messages: Sequence[bytes], now: Nanos) -> range:
    """Store messages (serialized PubsubMessage each) and give their ids, consecutive from the first; see `publish_request`."""
    return broker.publish_request(topic, messages, None, now)


def publish_request(broker: "Broker", topic: str, messages: Sequence[bytes], request_bytes: int | None, now: Nanos) -> range:
    """Store the messages of a request of `request_bytes` (None: as many as they have) and give their ids, consecutive from the first.

    Raises:
        InvalidArgument, FailedPrecondition: as `Intake.check`, or the topic's transforms fail, or a message does not fit its schema; then
            nothing is stored.
        NotFound: there is no such topic.
    """
    broker.settle(now)
    known = broker.topics.find(topic)
    if known is None:
        broker.topics.check_form(topic)
    broker.intake.check_size(messages, request_bytes)
    target = known or broker.topics.get(topic)
    tails = broker.intake.check(messages)
    return _accept(broker, target, messages, tails, now)


def _accept(broker: "Broker", topic: Topic, messages: Sequence[bytes], tails: Sequence[bytes], now: Nanos) -> range:
    """Take messages through the topic's transforms and its schema, and store them."""
    if not topic.settings.transforms:
        return _publish(broker, topic, *marked(broker, topic, messages, tails), now)
    first_id = broker.counters.message_id + 1
    done = transformed(broker, topic, messages, first_id, now)
    kept = [message for message in done if message is not None]
    stored = iter(zip(*marked(broker, topic, kept, list(map(tail_of, kept))), strict=True))
    for is_dropped, run in itertools.groupby(zip(messages, done, strict=True), lambda pair: pair[1] is None):
        published = [message for message, _ in run]
        if is_dropped:
            state_dropped(broker, topic, published, broker.counters.message_id + 1, now)
            broker.counters.message_id += len(published)
        else:
            texts, ends = zip(*itertools.islice(stored, len(published)), strict=True)
            _publish(broker, topic, texts, ends, now)
    return range(first_id, broker.counters.message_id + 1)


def _publish(broker: "Broker", topic: Topic, messages: Sequence[bytes], tails: Sequence[bytes], now: Nanos) -> range:
    first_id = broker.counters.message_id + 1
    stored = topic.publish(messages, tails, broker.intake, first_id, now, is_heard=broker.listener is not None)
    broker.counters.message_id += len(messages)
    if topic.kept is not None and topic.armed is None:
        broker.timers.arm(topic, topic.next_due())
    if broker.listener is not None:
        broker.listener(Fact(now, Kind.PUBLISHED, topic.name, tuple(stored), note="" if topic.is_read else "nobody reads it"))
    topic.tell()
    return range(first_id, broker.counters.message_id + 1)


def publish_dead_letter(broker: "Broker", topic: str, message: bytes, at: Nanos) -> str | None:
    """Store a message that a subscription has given up, and give its new id; None: there is no such topic, or it does not take it."""
    known = broker.topics.find(topic)
    if known is None:
        return None
    try:
        return str(_accept(broker, known, [message], [tail_of(message)], at)[0])
    except PubsubError:
        return None
