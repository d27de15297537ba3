"""The two calls about message transforms that only REST has: to check one, and to say what some make of a message.

Source: they are in no public description of the API; this is what `gcloud pubsub message-transforms` sends.

PYTEST_DONT_REWRITE
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from publican_emulator.broker.errors import InvalidArgument
from publican_emulator.broker.transforms import Transform
from publican_emulator.driver import Driver
from publican_emulator.services.transforms import transforms
from publican_protocol import json_form, pubsub


class TransformCalls:
    """`projects/*:validateMessageTransform` and `projects/*:testMessageTransforms`."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def verbs(self) -> Mapping[str, Callable[[bytes], object]]:
        """Give what answers each verb: the body in, a JSON value out."""
        return {"validateMessageTransform": self.validate, "testMessageTransforms": self.test}

    def validate(self, body: bytes) -> object:
        """Check one transform."""
        asked = _object(body, "messageTransform")
        self._driver.run(self._driver.broker.validate_transforms, _read([asked.get("messageTransform", {})]))
        return {}

    def test(self, body: bytes) -> object:
        """Say what transforms, or those of a topic or subscription, make of a message."""
        asked = _object(body, "message", "messageTransforms", "topic", "subscription")
        broker = self._driver.broker
        match [name for name in ("messageTransforms", "topic", "subscription") if name in asked]:
            case ["messageTransforms"]:
                given = asked["messageTransforms"]
                chosen = _read(given.get("messageTransforms", []) if isinstance(given, dict) else given)
            case ["topic"]:
                chosen = self._driver.run(broker.get_topic, str(asked["topic"]))[0].settings.transforms
            case ["subscription"]:
                chosen = self._driver.run(broker.get_subscription, str(asked["subscription"]))[0].settings.transforms
            case _:
                raise InvalidArgument("A test needs exactly one of messageTransforms, topic and subscription.")
        message = pubsub.PubsubMessage()
        json_form.parse(_text(asked.get("message", {})), message)
        seen, _ = self._driver.run(broker.try_transforms, chosen, message.SerializeToString())
        return {"transformedMessages": list(map(_result, seen))}


def _result(seen: bytes | str | None) -> object:
    if seen is None:
        return {"filtered": {}}
    if isinstance(seen, str):
        return {"transformationFailure": {"errorMessage": seen}}
    return {"transformedMessage": json_form.tree(pubsub.PubsubMessage.FromString(seen))}


def _object(body: bytes, *names: str) -> dict[str, Any]:
    """Read a JSON object that has no other members than `names`."""
    try:
        asked = json.loads(body or b"{}")
    except ValueError as error:
        raise InvalidArgument(f"Invalid JSON payload received. {error}") from None
    if not isinstance(asked, dict):
        raise InvalidArgument("Invalid JSON payload received. The body must be an object.")
    if unknown := [name for name in asked if name not in names]:
        raise InvalidArgument(f'Invalid JSON payload received. Unknown name "{unknown[0]}": Cannot find field.')
    return asked


def _read(given: Any) -> tuple[Transform, ...]:
    if not isinstance(given, list):
        raise InvalidArgument('Invalid JSON payload received. "messageTransforms" must be a list of message transforms.')
    read = []
    for each in given:
        message = pubsub.MessageTransform()
        json_form.parse(_text(each), message)
        read.append(message)
    return transforms(read)


def _text(value: Any) -> bytes:
    return json.dumps(value).encode()
