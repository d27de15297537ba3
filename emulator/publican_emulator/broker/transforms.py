"""Single message transforms: what may be set, and what they do to a message.

A topic's transforms run in their order when a message is published, before its limits and its schema are checked; a subscription's run when it
hands the message out, behind its filter, and the stored message stays what it was. A function that returns null drops the message; one that fails
refuses the publish, or nacks the delivery. No engine here: what runs JavaScript is passed in (javascript.py), and loaded when the first function is
set.

Source: "Single Message Transforms", cloud.google.com/pubsub/docs/smts; google.pubsub.v1.MessageTransform; docs/transforms.md.

PYTEST_DONT_REWRITE
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from publican_emulator.broker import limits
from publican_emulator.broker.compression import Algorithm, Mode, check_algorithm, compressed, decompressed
from publican_emulator.broker.errors import BadArgument, FailedPrecondition, InvalidArgument, OutOfBounds, PubsubError
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.intake import Intake
from publican_protocol import pubsub, wire
from publican_protocol.json_values import timestamp_text

_NAME: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_ENDPOINT: Final = re.compile(r"projects/[^/]+/locations/[^/]+/(endpoints/[^/]+|publishers/[^/]+/models/[^/]+)")
_KEPT: Final = 200


# what may be set


@dataclass(frozen=True, slots=True)
class JavaScript:
    """A function `function_name(message, metadata)` in `code`."""

    function_name: str
    code: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.function_name):
            raise BadArgument("javascript_udf.function_name", f'"{self.function_name}" is not the name of a JavaScript function.')
        size = len(self.code.encode())
        if not self.code.strip():
            raise BadArgument("javascript_udf.code", "It is empty.")
        if size > limits.UDF_BYTES:
            raise BadArgument("javascript_udf.code", f"It has {size} bytes, the maximum is {limits.UDF_BYTES}.")


@dataclass(frozen=True, slots=True)
class Compression:
    """The data compressed, or decompressed."""

    algorithm: Algorithm
    mode: Mode

    def __post_init__(self) -> None:
        check_algorithm(self.algorithm)


@dataclass(frozen=True, slots=True)
class Inference:
    """A model's answer about the message: stored and shown; the message passes as it is, since nothing local runs the model."""

    endpoint: str
    unstructured: bytes | None = None
    """The serialized `unstructured_inference`; None: there is none."""
    service_account_email: str = ""

    def __post_init__(self) -> None:
        if not _ENDPOINT.fullmatch(self.endpoint):
            raise BadArgument(
                "ai_inference.endpoint",
                f'"{self.endpoint}" is neither projects/*/locations/*/endpoints/* nor projects/*/locations/*/publishers/*/models/*.',
            )


@dataclass(frozen=True, slots=True)
class Transform:
    """One transform; a disabled one is checked and does nothing. `enabled` is deprecated, and kept as it was sent."""

    does: JavaScript | Compression | Inference
    disabled: bool = False
    enabled: bool = False

    @property
    def label(self) -> str:
        """What errors call it."""
        match self.does:
            case JavaScript(function_name=name):
                return f"JavaScript function {name}"
            case Compression(algorithm=algorithm, mode=mode):
                return f"{algorithm} {mode.lower()}"
            case Inference(endpoint=endpoint):
                return f"inference by {endpoint}"


def check_transforms(transforms: Iterable[Transform]) -> None:
    """Refuse more functions than a resource may have, and two of one name."""
    functions = [each.does.function_name for each in transforms if isinstance(each.does, JavaScript)]
    if len(functions) > limits.UDFS:
        raise BadArgument("message_transforms", f"There are {len(functions)} JavaScript functions, the maximum is {limits.UDFS}.")
    if twice := [name for name in functions if functions.count(name) > 1]:
        raise BadArgument("message_transforms", f'The function name "{twice[0]}" stands twice; names must be unique within the resource.')


# what runs them


class Function(Protocol):
    """A compiled function: the JSON of a message and of its metadata in, the JSON of what it returned out.

    Raises:
        ScriptError: it threw, returned something else than a message or null, or used up its time or memory.
    """

    def __call__(self, message: str, metadata: str, /) -> str:
        """Run it once."""
        ...


class Engine(Protocol):
    """Runs JavaScript."""

    def compile(self, code: str, function_name: str) -> Function:
        """Give the function of that name.

        Raises:
            ScriptError: the code does not compile, or has no such function.
        """
        ...

    def begin(self) -> None:
        """Begin an operation: what its functions take together is bounded too."""

    @property
    def is_spent(self) -> bool:
        """Whether this operation has used up its time."""
        ...


class ScriptError(Exception):
    """JavaScript that failed; the text is the engine's."""


class TransformFailed(InvalidArgument):
    """A transform that could not be applied to a message."""

    def __init__(self, transform: Transform, why: str) -> None:
        super().__init__(f"The message transform failed ({transform.label}): {why}")
        self.why = why


def missing_engine() -> Engine:
    """Say that nothing here runs JavaScript.

    Raises:
        FailedPrecondition: always.
    """
    raise FailedPrecondition("javascript_udf needs a JavaScript engine, which is not installed here: pip install 'publican[transforms]'.")


class Pipeline:
    """The transforms of one resource, in order; functions are compiled when they are first needed, or checked."""

    def __init__(self, transforms: Iterable[Transform], engine: Callable[[], Engine]) -> None:
        self._transforms = list(transforms)
        self._engine = engine
        self._functions: dict[int, Function] = {}

    def check(self) -> None:
        """Compile every function, the disabled ones too.

        Raises:
            InvalidArgument: one does not compile.
            FailedPrecondition: nothing here runs JavaScript.
        """
        for place, transform in enumerate(self._transforms):
            if isinstance(transform.does, JavaScript):
                try:
                    self._function(place, transform.does)
                except ScriptError as error:
                    raise BadArgument("message_transforms", f"{transform.label}: {error}") from None

    def _function(self, place: int, does: JavaScript) -> Function:
        function = self._functions.get(place)
        if function is None:
            function = self._functions[place] = self._engine().compile(does.code, does.function_name)
        return function

    def apply(self, message: bytes, message_id: int, publish_time: Nanos) -> bytes | None:
        """Give a message as the transforms leave it; None when one drops it.

        Raises:
            TransformFailed: one failed, or made a message that may not be.
        """
        for step in self.steps(message, message_id, publish_time):
            if step is None:
                return None
            message = step
        return message

    def steps(self, message: bytes, message_id: int, publish_time: Nanos) -> Iterable[bytes | None]:
        """Give the message after each transform that is not disabled; None, and then nothing more, when one drops it."""
        for place, transform in enumerate(self._transforms):
            if transform.disabled:
                continue
            try:
                done = self._step(place, transform, message, message_id, publish_time)
            except ScriptError as error:
                raise TransformFailed(transform, str(error)) from None
            except PubsubError as error:
                raise TransformFailed(transform, error.message) from None
            yield done
            if done is None:
                return
            message = done

    def tried(self, message: bytes, now: Nanos) -> list[bytes | str | None]:
        """Give what `steps` gives, and instead of an error its text; the message has id 0 and is published now."""
        seen: list[bytes | str | None] = []
        try:
            seen.extend(self.steps(message, 0, now))  # what came before an error stays
        except TransformFailed as error:
            seen.append(error.message)
        return seen

    def _step(self, place: int, transform: Transform, message: bytes, message_id: int, publish_time: Nanos) -> bytes | None:
        does = transform.does
        if isinstance(does, Inference):
            # Divergence: nothing local runs a model, so messages pass an `ai_inference` as they are.
            return message
        known = pubsub.PubsubMessage.FromString(message)
        if isinstance(does, Compression):
            known.data = (compressed if does.mode == "COMPRESS" else decompressed)(known.data, does.algorithm)
        elif not _run(self._function(place, does), known, message_id, publish_time):
            return None
        return _checked(known)


def _run(function: Function, known: pubsub.PubsubMessage, message_id: int, publish_time: Nanos) -> bool:
    """Change a message as a function says; False when it drops it."""
    try:
        data = known.data.decode()
    except UnicodeDecodeError as error:
        raise ScriptError(f"the data is not UTF-8, which a function needs ({error})") from None
    message = {"data": data, "attributes": dict(known.attributes)}
    metadata = {"message_id": str(message_id), "publish_time": timestamp_text(publish_time // SECOND, 0)}
    if known.ordering_key:
        metadata["ordering_key"] = known.ordering_key
    returned: Any = json.loads(function(json.dumps(message), json.dumps(metadata)))
    if returned is None:
        return False
    try:
        known.data = returned["data"].encode()
        if "attributes" in returned:
            known.ClearField("attributes")
            for name, value in returned["attributes"].items():
                known.attributes[name] = value
    except UnicodeError:
        raise ScriptError("it returned a string with a lone surrogate, which no text has") from None
    return True


def _checked(known: pubsub.PubsubMessage) -> bytes:
    """Give the bytes of a message that a transform has made.

    Raises:
        InvalidArgument: it is empty, or outside the limits of a message.
    """
    if len(known.data) > limits.MESSAGE_DATA_BYTES:
        raise OutOfBounds("message_size", len(known.data), high=limits.MESSAGE_DATA_BYTES)
    message = known.SerializeToString()
    Intake().check([message])
    return message


class Pipelines:
    """The pipelines of all resources: compiled once, and remembered for those that were used last."""

    def __init__(self, engine: Callable[[], Engine] = missing_engine) -> None:
        self._find = engine
        self._engine: Engine | None = None
        self._kept: dict[tuple[str, tuple[Transform, ...]], Pipeline] = {}

    def of(self, resource: str, transforms: tuple[Transform, ...]) -> Pipeline:
        """Give the pipeline of a resource."""
        key = (resource, transforms)
        pipeline = self._kept.pop(key, None) or Pipeline(transforms, self._loaded)
        self._kept[key] = pipeline
        if len(self._kept) > _KEPT:
            del self._kept[next(iter(self._kept))]
        return pipeline

    def _loaded(self) -> Engine:
        if self._engine is None:
            self._engine = self._find()
        return self._engine

    def begin(self) -> None:
        """Begin an operation: its functions have a bounded time together."""
        if self._engine is not None:
            self._engine.begin()

    @property
    def is_spent(self) -> bool:
        """Whether this operation has used up its time."""
        return self._engine is not None and self._engine.is_spent

    def delivered(self, resource: str, transforms: tuple[Transform, ...], stored: bytes) -> bytes | None:
        """Give a stored message as a subscription hands it out; None when its transforms drop it.

        Raises:
            TransformFailed: one failed.
        """
        message_id, time = wire.message_id_of(stored), Nanos(wire.publish_time_of(stored))
        plain = pubsub.PubsubMessage.FromString(wire.unstamped(stored))
        plain.ClearField("message_id")
        plain.ClearField("publish_time")
        done = self.of(resource, transforms).apply(plain.SerializeToString(), message_id, time)
        return None if done is None else wire.stamp([done], message_id, time)[0]
