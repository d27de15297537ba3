"""Message transforms from protobuf and back; transform_calls.py has the calls about them.

Source: google.pubsub.v1.MessageTransform.

PYTEST_DONT_REWRITE
"""

from collections.abc import Iterable, Mapping
from typing import Final

from publican_emulator.broker.compression import Algorithm, Mode
from publican_emulator.broker.errors import BadArgument
from publican_emulator.broker.transforms import Compression, Inference, JavaScript, Transform
from publican_protocol import pubsub

CALLS: Final = ("validateMessageTransform", "testMessageTransforms")
"""The verbs of `projects/*` that transform_calls.py answers."""

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
