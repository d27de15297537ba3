"""Messages as a user makes and receives them: data, without I/O.

A received message knows how to settle itself only where something keeps its lease: then it has a `Settler`. One from `pull()` has none; its `ack()`
and `nack()` leave a mark for whoever pulled it, as in gcloud-aio-pubsub 8.

PYTEST_DONT_REWRITE
"""

import base64
import functools
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Self, cast

from publican.settlement import AckResult, How, Settler

_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")


class PubsubMessage:
    """A message to publish.

    `data` may be text, which is sent as UTF-8. Attributes are the remaining keywords.

    Source: google.pubsub.v1.PubsubMessage.
    """

    __slots__ = ("__dict__", "attributes", "data", "ordering_key")

    def __init__(self, data: bytes | str, ordering_key: str = "", **kwargs: Any) -> None:
        self.data = data
        self.attributes = kwargs
        self.ordering_key = ordering_key

    def __repr__(self) -> str:
        return str(self.to_repr())

    def to_repr(self) -> dict[str, Any]:
        """Give the message as REST takes it."""
        data = self.data
        if isinstance(data, str):
            data = data.encode()
        written: dict[str, Any] = {"data": base64.urlsafe_b64encode(data).decode("ascii"), "attributes": self.attributes}
        if self.ordering_key:
            written["orderingKey"] = self.ordering_key
        return written


class SubscriberMessage:
    """A message as it was received, under the ack id of this delivery."""

    __slots__ = (
        "__dict__",
        "_publish_time",
        "_received",
        "_settler",
        "ack_id",
        "attributes",
        "data",
        "delivery_attempt",
        "force_ack_nack",
        "message_id",
        "ordering_key",
    )

    _received: Any  # the API's ReceivedMessage, of a message from a stream

    def __init__(
        self,
        ack_id: str,
        message_id: str,
        publish_time: datetime,
        data: bytes | None,
        attributes: dict[str, Any] | None,
        delivery_attempt: int | None = None,
        *,
        ordering_key: str = "",
    ) -> None:
        self.ack_id = ack_id
        self.message_id = message_id
        self._publish_time: Any = publish_time
        self.data = data
        self.attributes = attributes
        self.delivery_attempt = delivery_attempt
        self.ordering_key = ordering_key
        self.force_ack_nack: bool | None = None
        self._settler: Settler | None = None

    @classmethod
    def from_repr(cls, received_message: Mapping[str, Any]) -> Self:
        """Read a message as REST gives it: data without any is None, and so are attributes."""
        message = received_message["message"]
        data = message.get("data")
        return cls(
            received_message["ackId"],
            message["messageId"],
            parse_publish_time(message["publishTime"]),
            None if data is None else _octets(data),
            message.get("attributes"),
            received_message.get("deliveryAttempt"),
            ordering_key=message.get("orderingKey", ""),
        )

    @classmethod
    def from_google_cloud(cls, message: Any) -> Self:
        """Read a message of google-cloud-pubsub, which goes on settling it."""
        made = cls(
            message.ack_id,
            str(message.message_id),
            message.publish_time,
            bytes(message.data),
            dict(message.attributes),
            message.delivery_attempt or None,
            ordering_key=str(message.ordering_key),
        )
        made._settler = _GoogleSettler(message)
        return made

    @classmethod
    def from_received(cls, received: Any, settler: Settler | None = None) -> Self:
        """Read a google.pubsub.v1.ReceivedMessage; absent data is empty here, as a stream has always given it."""
        made = cls.__new__(cls)
        made.ack_id = received.ack_id
        made.force_ack_nack = None
        made._settler = settler
        made._received = received
        return made

    def __getattr__(self, name: str) -> Any:
        """Read a field of a message from a stream when it is first asked for: most handlers look at one or two (3 us for all of them)."""
        read = _FIELDS.get(name)
        if read is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
        value = read(self._received)
        setattr(self, name, value)
        return value

    def to_repr(self) -> dict[str, Any]:
        """Give the message as REST would; `json.dumps` takes it."""
        message: dict[str, Any] = {
            "messageId": self.message_id,
            "publishTime": (self.publish_time if self.publish_time.tzinfo is None else self.publish_time.astimezone(UTC)).strftime(
                "%Y-%m-%dT%H:%M:%S.%fZ"
            ),
        }
        if self.attributes is not None:
            message["attributes"] = self.attributes
        if self.data is not None:
            message["data"] = base64.b64encode(self.data).decode("ascii")
        if self.ordering_key:
            message["orderingKey"] = self.ordering_key
        written: dict[str, Any] = {"ackId": self.ack_id, "message": message}
        if self.delivery_attempt is not None:
            written["deliveryAttempt"] = self.delivery_attempt
        return written

    def __repr__(self) -> str:
        data = self.data if self.data is None or len(self.data) <= 50 else self.data[:50] + b"..."
        key = f", ordering_key={self.ordering_key!r}" if self.ordering_key else ""
        return f"SubscriberMessage(message_id={self.message_id!r}, data={data!r}, attributes={self.attributes!r}{key})"

    @property
    def publish_time(self) -> datetime:
        """When the service took the message; aware, in UTC."""
        found = self._publish_time
        if found is not None and not isinstance(found, datetime):
            self._publish_time = found = found.ToDatetime(UTC)
        return cast("datetime", found)  # None only where somebody made the message without

    @publish_time.setter
    def publish_time(self, value: datetime) -> None:
        self._publish_time = value

    @property
    def size(self) -> int:
        """The bytes of the message, as flow control counts them: data, attributes, ordering key."""
        attributes = self.attributes or {}
        text = sum(len(str(key).encode()) + len(str(value).encode()) for key, value in attributes.items())
        return len(self.data or b"") + text + len(self.ordering_key.encode())

    @property
    def is_lease_lost(self) -> bool:
        """Whether the lease is gone: the message will be delivered again, whatever its handler does."""
        return self._settler is not None and self._settler.is_lease_lost(self.ack_id)

    def ack(self) -> None:
        """Take the message: it is not delivered again. Without a lease keeper (`pull()`, `subscribe()`) this marks it."""
        if self.force_ack_nack is None or self._settler is None:
            self.force_ack_nack = True
            if self._settler is not None:
                self._settler.settle(self.ack_id, How.ACK)

    def nack(self) -> None:
        """Give the message back: it is delivered again. Without a lease keeper (`pull()`, `subscribe()`) this marks it."""
        if self.force_ack_nack is None or self._settler is None:
            self.force_ack_nack = False
            if self._settler is not None:
                self._settler.settle(self.ack_id, How.NACK)

    async def ack_with_result(self) -> AckResult:
        """Take the message and give what the service says to it.

        Raises:
            AckFailed: under exactly-once delivery the ack was not accepted; its `result` tells why.
        """
        return await self._settle_with_result(How.ACK)

    async def nack_with_result(self) -> AckResult:
        """Give the message back and give what the service says to it; errors as for `ack_with_result`."""
        return await self._settle_with_result(How.NACK)

    def drop(self) -> None:
        """Forget the message: its place is free, its lease ends by itself, and it is delivered again then."""
        if self._settler is not None:
            self._settler.settle(self.ack_id, How.DROP)

    def modify_ack_deadline(self, seconds: int) -> None:
        """Ask for an ack deadline `seconds` from now; 0 is a nack. Leases kept for you need none of this.

        Raises:
            RuntimeError: nobody keeps this message's lease; use the client's `modify_ack_deadline`.
        """
        self._kept().extend(self.ack_id, seconds)

    async def _settle_with_result(self, how: How) -> AckResult:
        settler = self._kept()
        if self.force_ack_nack is None:
            self.force_ack_nack = how is How.ACK
        return await settler.settle_with_result(self.ack_id, how)

    def _kept(self) -> Settler:
        if self._settler is None:
            raise RuntimeError(f"message {self.message_id} came from pull(): settle it with the client's acknowledge or modify_ack_deadline")
        return self._settler


_FIELDS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "message_id": lambda received: received.message.message_id,
    "_publish_time": lambda received: received.message.publish_time,  # a datetime when somebody asks
    "data": lambda received: received.message.data,
    "attributes": lambda received: dict(received.message.attributes),
    "delivery_attempt": lambda received: received.delivery_attempt or None,
    "ordering_key": lambda received: received.message.ordering_key,
}


class _GoogleSettler:
    """Settles by google's own message object."""

    def __init__(self, message: Any) -> None:
        self._message = message

    def settle(self, ack_id: str, how: How) -> None:
        getattr(self._message, how.value)()

    async def settle_with_result(self, ack_id: str, how: How) -> AckResult:
        raise NotImplementedError("a message made of google's settles through google's client: use its ack_with_response()")

    def extend(self, ack_id: str, seconds: int) -> None:
        self._message.modify_ack_deadline(seconds)

    def is_lease_lost(self, ack_id: str) -> bool:
        return False


def parse_publish_time(publish_time: str) -> datetime:
    """Read the service's timestamps; aware, in UTC."""
    read = _from_text(publish_time)
    return read if read.tzinfo is not None else read.replace(tzinfo=UTC)


@functools.lru_cache(maxsize=256)  # messages of one batch share it
def _from_text(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _octets(text: str) -> bytes:
    """Read base64 of either alphabet, with its padding or without."""
    raw = text.encode("ascii").translate(_URL_SAFE)
    return base64.b64decode(raw + b"=" * (-len(raw) % 4))
