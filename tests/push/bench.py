"""An emulator with a topic and push subscriptions to one endpoint, in the words of the field."""

from dataclasses import dataclass
from typing import Any

from publican_emulator import Emulator
from publican_emulator.broker.broker import Broker
from publican_emulator.broker.events import Kind
from publican_emulator.broker.push import PushConfig
from publican_emulator.broker.settings import SubscriptionSettings, TopicSettings
from publican_protocol import json_form, pubsub
from tests.push.endpoint import Endpoint

TOPIC = "projects/p/topics/orders"
SUBSCRIPTION = "projects/p/subscriptions/billing"


@dataclass
class PushBench:
    emulator: Emulator
    endpoint: Endpoint

    def __post_init__(self) -> None:
        self.topic(TOPIC)

    def topic(self, name: str) -> str:
        self.emulator.run(Broker.create_topic, name, TopicSettings())
        return name

    def subscription(self, name: str = SUBSCRIPTION, *, path: str = "/push", config: dict[str, Any] | None = None, **settings: Any) -> str:
        push = PushConfig(self.endpoint.url + path, **(config or {}))
        self.emulator.run(Broker.create_subscription, name, settings.pop("topic", TOPIC), SubscriptionSettings(push=push, **settings))
        return name

    def publish(self, *data: str, topic: str = TOPIC, key: str = "", **attributes: str) -> list[int]:
        messages = [pubsub.PubsubMessage(data=each.encode(), ordering_key=key, attributes=attributes).SerializeToString() for each in data]
        return list(self.emulator.run(Broker.publish, topic, messages))

    def advance(self, seconds: float) -> None:
        self.emulator.advance(seconds)

    def data(self) -> list[str]:
        return [each.data for each in self.endpoint.received]

    def facts(self, kind: Kind) -> list[str]:
        return [fact.note for fact in self.emulator.history.facts if fact.kind is kind]

    def pull(self, name: str) -> list[str]:
        """Pull what is there over the port, without waiting."""
        answer = self.emulator.ask("POST", f"/v1/{name}:pull", b'{"maxMessages": 100, "returnImmediately": true}')
        assert answer.status == 200, answer.body
        return [each.message.data.decode() for each in _response(answer.body).received_messages]


def _response(body: bytes) -> Any:
    response = pubsub.PullResponse()
    json_form.parse(body, response)
    return response
