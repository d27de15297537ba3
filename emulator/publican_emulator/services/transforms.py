"""Message transforms from protobuf and back, and the two calls about them that only REST has.

Source: google.pubsub.v1.MessageTransform. The calls are in no public description of the API; they are what `gcloud pubsub message-transforms` sends.

PYTEST_DONT_REWRITE
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from publican_emulator.broker.compression import Algorithm, Mode
from publican_emulator.broker.errors import BadArgument, InvalidArgument
from publican_emulator.broker.transforms import Compression, Inference, JavaScript, Transform
from publican_emulator.driver import Driver
from publican_protocol import json_form, pubsub

_ALGORITHMS: Final[Mapping[int, Algorithm]] = {1: "ZLIB", 3: "ZSTD"}
_MODES: Final[Mapping[int, Mode]] = {1: "COMPRESS", 2: "DECOMPRESS"}


def transforms(messages: Iterable[pubsub.MessageTransform]) -> tuple[Transform, ...]:
    """Read the transforms of a resource."""
    return tuple(Transform(_does(message), message.disabled, message.enabled) for message in messages)


def _does(message: pubsub.MessageTransform) -> JavaScript | Compression | Inference:
    match message.WhichOneof("transform"):
        case "javascript_udf":
            return JavaScript(message.javascript_udf.function_name, message.javascript_udf.code)
        case "compression":
            algorithm = _ALGORITHMS.get(message.compression.compression_algorithm)
            mode = _MODES.get(message.compression.compression_mode)
            if algorithm is None:
                raise BadArgument("compression.compression_algorithm", f"It must be {' or '.join(_ALGORITHMS.values())}.")
            if mode is None:
                raise BadArgument("compression.compression_mode", f"It must be {' or '.join(_MODES.values())}.")
            return Compression(algorithm, mode)
        case "ai_inference":
            asked = message.ai_inference
            unstructured = None
            if asked.HasField("unstructured_inference"):
                unstructured = asked.unstructured_inference.SerializeToString(deterministic=True)
            return Inference(asked.endpoint, unstructured, asked.service_account_email)
        case _:
            raise BadArgument("message_transforms", "Each needs a javascript_udf, a compression or an ai_inference.")


def messages(of: Iterable[Transform]) -> list[pubsub.MessageTransform]:
    """Write the transforms of a resource."""
    return [_message(each) for each in of]


def _message(transform: Transform) -> pubsub.MessageTransform:
    message = pubsub.MessageTransform(disabled=transform.disabled, enabled=transform.enabled)
    match transform.does:
        case JavaScript(function_name=name, code=code):
            message.javascript_udf.function_name = name
            message.javascript_udf.code = code
        case Compression(algorithm=algorithm, mode=mode):
            message.compression.compression_algorithm = next(number for number, name in _ALGORITHMS.items() if name == algorithm)
            message.compression.compression_mode = next(number for number, name in _MODES.items() if name == mode)
        case Inference(endpoint=endpoint, unstructured=unstructured, service_account_email=email):
            message.ai_inference.endpoint = endpoint
            message.ai_inference.service_account_email = email
            if unstructured is not None:
                message.ai_inference.unstructured_inference.CopyFrom(pubsub.AIInference.UnstructuredInference.FromString(unstructured))
    return message


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
