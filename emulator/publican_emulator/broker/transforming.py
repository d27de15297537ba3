"""Handing out through transforms: what a subscription's transforms make of each delivery.

A message that they drop counts as acked. One that they fail on counts as nacked, so it is tried again, and goes to the dead-letter topic as it was
published; without a retry policy it waits as a push endpoint would rest, since nothing but time can help it.

Source: "Single Message Transforms", cloud.google.com/pubsub/docs/smts; docs/transforms.md.

PYTEST_DONT_REWRITE
"""

import dataclasses
from typing import TYPE_CHECKING

from publican_emulator.broker import acks, limits
from publican_emulator.broker.ackids import Named
from publican_emulator.broker.batch import Batch, Part
from publican_emulator.broker.consumer import Consumer
from publican_emulator.broker.events import Kind
from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.transforms import TransformFailed

if TYPE_CHECKING:
    from publican_emulator.broker.subscription import Subscription


def lease(subscription: "Subscription", consumer: Consumer, most_bytes: int, now: Nanos) -> Batch:
    """Hand out as `Subscription.lease` does, one message at a time, until the functions have used up the time of one operation."""
    parts: list[Part] = []
    most = consumer.max_messages if consumer.takes_once else limits.PULL_MESSAGES
    pipelines = subscription.around.pipelines
    pipelines.begin()
    while len(parts) < most and (most_bytes > 0 or not parts) and not pipelines.is_spent:
        if not consumer.has_credit or not subscription.backlog.has_more(consumer):
            break
        for part in subscription.lease_some(consumer, most_bytes, now, most=1).parts:
            if (done := _transformed(subscription, part, now)) is not None:
                parts.append(done)
                most_bytes -= len(done.messages[0])
    return Batch(parts)


def _transformed(subscription: "Subscription", part: Part, now: Nanos) -> Part | None:
    """Give the delivery of one message as it is to be seen; None when it is not."""
    (stored,) = part.messages
    try:
        done = subscription.around.pipelines.delivered(subscription.name, subscription.settings.transforms, stored)
    except TransformFailed as error:
        acks.give_back(subscription, part.head, part.rests[0], error.message, now)
        return None
    if done is None:
        subscription.state(Kind.DROPPED, part.messages, now, note="by a message transform")
        acks.acknowledge(subscription, Named({part.head: list(part.rests)}), now)
        return None
    return dataclasses.replace(part, messages=(done,))
