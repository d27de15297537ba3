"""What a Publish may bring: the checks of its messages, on bytes, memoised.

A message's *tail* is what stands behind its data: attributes, ordering key. Batches repeat their tails, so each tail is parsed once and remembered;
a check on message objects would be a third of the cost of a publish (docs/performance.md).

Source: google.pubsub.v1.PubsubMessage; cloud.google.com/pubsub/quotas; docs/semantics.md, publish.

PYTEST_DONT_REWRITE
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from publican_emulator.broker import limits
from publican_emulator.broker.errors import BadArgument, FailedPrecondition, InvalidArgument, OutOfBounds
from publican_protocol import pubsub
from publican_protocol.wire import tail_of

_MEMO_TAILS: Final = 10_000
_MEMO_TAIL_BYTES: Final = 512
EMPTY_MESSAGE: Final = (
    "One or more messages in the publish request is empty. Each message must contain either non-empty data, or at least one attribute."
)
MIXED_KEYS: Final = "In a single publish request, all messages must have no ordering key or they must all have the same ordering key. [code=539b]"


@dataclass(slots=True, frozen=True)
class Tail:
    """What a tail says."""

    attributes: Mapping[str, str]
    ordering_key: str
    has_data: bool
    """Whether data stands in the tail itself (a message that does not begin with its data)."""


class Intake:
    """Checks messages and remembers tails."""

    def __init__(self) -> None:
        self._memo: dict[bytes, Tail] = {}

    def check(self, messages: Sequence[bytes]) -> list[bytes]:
        """Give the tails of messages that may be published together, in their order; `check_size` comes before it.

        Raises:
            InvalidArgument: an empty message, an attribute or key outside its bounds.
            FailedPrecondition: different ordering keys in one request.
        """
        if len(messages) == 1:
            return self._check_one(messages[0])
        tails = list(map(tail_of, messages))
        keys, bare = set(), set()
        for tail in set(tails):
            said = self._checked(tail)
            keys.add(said.ordering_key)
            if not said.has_data and not said.attributes:
                bare.add(tail)
        if len(keys) > 1:
            raise FailedPrecondition(MIXED_KEYS)
        # data of length 0 leaves at most two bytes before the tail; where no tail could make a message empty, nobody is asked
        if bare and min(map(len, messages)) <= 2 + max(map(len, bare)):
            for message, tail in zip(messages, tails, strict=True):
                if tail in bare and len(message) - len(tail) <= 2:
                    raise InvalidArgument(EMPTY_MESSAGE)
        return tails

    def _check_one(self, message: bytes) -> list[bytes]:
        tail = tail_of(message)
        said = self._checked(tail)
        if len(message) - len(tail) <= 2 and not said.has_data and not said.attributes:
            raise InvalidArgument(EMPTY_MESSAGE)
        return [tail]

    @staticmethod
    def check_size(messages: Sequence[bytes], request_bytes: int | None) -> None:
        """Refuse a request by its size and its count, before the topic is looked at."""
        size = sum(map(len, messages)) if request_bytes is None else request_bytes
        if size > limits.PUBLISH_PAYLOAD_BYTES:
            raise InvalidArgument(f"Request payload size exceeds the limit: {limits.PUBLISH_PAYLOAD_BYTES} bytes.")
        if size > limits.PUBLISH_BYTES:
            raise OutOfBounds("request_size", size, high=limits.PUBLISH_BYTES)
        if not messages:
            raise OutOfBounds("message_count", 0, low=1)
        if len(messages) > limits.PUBLISH_MESSAGES:
            raise OutOfBounds("message_count", len(messages), high=limits.PUBLISH_MESSAGES)

    def _checked(self, tail: bytes) -> Tail:
        said = self._memo.get(tail)
        if said is None:
            said = _checked(tail)
            if len(tail) <= _MEMO_TAIL_BYTES:
                if len(self._memo) >= _MEMO_TAILS:
                    self._memo.clear()
                self._memo[tail] = said
        return said

    def read(self, tail: bytes) -> Tail:
        """Give what a tail says, which has been checked, or comes from the service itself and may have more attributes than a publisher's."""
        return self._memo.get(tail) or _read(pubsub.PubsubMessage.FromString(tail))


def _read(message: pubsub.PubsubMessage) -> Tail:
    return Tail(dict(message.attributes), message.ordering_key, bool(message.data))


def _checked(tail: bytes) -> Tail:
    message = pubsub.PubsubMessage.FromString(tail)
    said = _read(message)
    attributes = said.attributes
    if len(attributes) > limits.ATTRIBUTES:
        raise OutOfBounds("attribute_count", len(attributes), high=limits.ATTRIBUTES)
    for key, value in attributes.items():
        _check_attribute(key, value)
    key_bytes = len(message.ordering_key.encode())
    if key_bytes > limits.ORDERING_KEY_BYTES:
        raise OutOfBounds("ordering_key_size", key_bytes, high=limits.ORDERING_KEY_BYTES)
    if len(message.data) > limits.MESSAGE_DATA_BYTES:
        raise OutOfBounds("message_size", len(message.data), high=limits.MESSAGE_DATA_BYTES)
    return said


def _check_attribute(key: str, value: str) -> None:
    key_bytes, value_bytes = len(key.encode()), len(value.encode())
    if not key_bytes:
        raise BadArgument("attributes", "An attribute's key must not be empty.")
    if key_bytes > limits.ATTRIBUTE_KEY_BYTES:
        raise OutOfBounds("attribute_key_size", key_bytes, high=limits.ATTRIBUTE_KEY_BYTES)
    if value_bytes > limits.ATTRIBUTE_VALUE_BYTES:
        raise OutOfBounds("attribute_value_size", value_bytes, high=limits.ATTRIBUTE_VALUE_BYTES)
    # the official libraries' trace context begins with googclient_ and is accepted by the service
    if key.startswith("goog") and not key.startswith("googclient_"):
        raise BadArgument("attributes", f'The attribute key "{key}" must not begin with "goog".')
