"""The fixture `pubsub_`: the same steps in the field's words over every way in; `@spec("leases/2")` names a rule of docs/semantics.md."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from publican_protocol import known, pubsub
from tests.rules.ways import BACKENDS, Backend

TOPIC = "projects/p/topics/orders"
SUBSCRIPTION = "projects/p/subscriptions/billing"


@dataclass(frozen=True)
class Received:
    """One delivery."""

    ack_id: str
    data: bytes
    attempt: int
    message: pubsub.PubsubMessage


class Pubsub:
    """Steps of a test."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.call: Callable[[str, Any], Any] = backend.call
        self.advance = backend.advance

    def topic(self, name: str = TOPIC, **fields: Any) -> str:
        self.call("CreateTopic", pubsub.Topic(name=name, **fields))
        return name

    def subscription(self, name: str = SUBSCRIPTION, topic: str = TOPIC, **fields: Any) -> str:
        self.call("CreateSubscription", pubsub.Subscription(name=name, topic=topic, **fields))
        return name

    def both(self, **fields: Any) -> str:
        self.topic()
        return self.subscription(**fields)

    def publish(self, *messages: bytes | pubsub.PubsubMessage, topic: str = TOPIC) -> list[str]:
        made = [message if isinstance(message, pubsub.PubsubMessage) else pubsub.PubsubMessage(data=message) for message in messages]
        return list(self.call("Publish", pubsub.PublishRequest(topic=topic, messages=made)).message_ids)

    def pull(self, most: int = 100, subscription: str = SUBSCRIPTION) -> list[Received]:
        request = pubsub.PullRequest(subscription=subscription, max_messages=most, return_immediately=True)
        got = self.call("Pull", request).received_messages
        return [Received(each.ack_id, each.message.data, each.delivery_attempt, each.message) for each in got]

    def datas(self, most: int = 100, subscription: str = SUBSCRIPTION) -> list[bytes]:
        return [received.data for received in self.pull(most, subscription)]

    def ack(self, *received: Received | str, subscription: str = SUBSCRIPTION) -> None:
        ids = [each if isinstance(each, str) else each.ack_id for each in received]
        self.call("Acknowledge", pubsub.AcknowledgeRequest(subscription=subscription, ack_ids=ids))

    def modack(self, seconds: int, *received: Received | str, subscription: str = SUBSCRIPTION) -> None:
        ids = [each if isinstance(each, str) else each.ack_id for each in received]
        self.call("ModifyAckDeadline", pubsub.ModifyAckDeadlineRequest(subscription=subscription, ack_ids=ids, ack_deadline_seconds=seconds))

    def nack(self, *received: Received | str, subscription: str = SUBSCRIPTION) -> None:
        self.modack(0, *received, subscription=subscription)

    def get(self, name: str = SUBSCRIPTION) -> pubsub.Subscription:
        found: pubsub.Subscription = self.call("GetSubscription", pubsub.GetSubscriptionRequest(subscription=name))
        return found

    def update(self, *paths: str, name: str = SUBSCRIPTION, **fields: Any) -> pubsub.Subscription:
        mask = known.FieldMask(paths=paths)
        changed: pubsub.Subscription = self.call(
            "UpdateSubscription", pubsub.UpdateSubscriptionRequest(subscription=pubsub.Subscription(name=name, **fields), update_mask=mask)
        )
        return changed


@pytest.fixture(params=BACKENDS)
def pubsub_(request: pytest.FixtureRequest) -> Iterator[Pubsub]:
    backend = BACKENDS[request.param]()
    yield Pubsub(backend)
    backend.close()


def spec(*rules: str) -> pytest.MarkDecorator:
    """Name the rules that a test holds."""
    return pytest.mark.spec(*rules)


def message(data: Any = b"x", key: Any = "", **attributes: str) -> pubsub.PubsubMessage:
    return pubsub.PubsubMessage(data=data, ordering_key=key, attributes=attributes)
