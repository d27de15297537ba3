"""Publish: messages come into a topic, from callers and from subscriptions that give one up.

Source: google.pubsub.v1.Publisher.Publish; docs/semantics.md, publish.

PYTEST_DONT_REWRITE
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from publican_emulator.broker.errors import PubsubError
from publican_emulator.broker.events import Fact, Kind
from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.operations.schemas import marked
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
        InvalidArgument, FailedPrecondition: as `Intake.check`, or a message does not fit the topic's schema; nothing is stored then.
        NotFound: there is no such topic.
    """
    broker.settle(now)
    known = broker.topics.find(topic)
    if known is None:
        broker.topics.check_form(topic)
    broker.intake.check_size(messages, request_bytes)
    target = known or broker.topics.get(topic)
    tails = broker.intake.check(messages, request_bytes)
    return _publish(broker, target, *marked(broker, target, messages, tails), now)


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
    """Store a message that a subscription has given up, and give its new id; None: there is no such topic, or its schema takes no such message."""
    known = broker.topics.find(topic)
    if known is None:
        return None
    try:
        messages, tails = marked(broker, known, [message], [tail_of(message)])
    except PubsubError:
        return None
    return str(_publish(broker, known, messages, tails, at)[0])
