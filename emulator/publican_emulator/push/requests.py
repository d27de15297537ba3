"""What a push request looks like: a message as headers and a body, to the letter.

Wrapped, the body is JSON about the message; unwrapped, it is the message's data, and what is known about it may stand in headers. No socket here.

Source: "Push subscriptions" and "Payload unwrapping", cloud.google.com/pubsub/docs/push; google.pubsub.v1.PushConfig.

PYTEST_DONT_REWRITE
"""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from publican_emulator.broker.batch import Delivery
from publican_emulator.broker.push import PushConfig
from publican_protocol import pubsub
from publican_protocol.json_values import timestamp_text

ACKED_BY: Final = frozenset({102, 200, 201, 202, 204})
"""The statuses that ack a message; any other, and no answer at all, is a nack."""

_HEADERS: Final = {
    "User-Agent": "CloudPubSub-Google",
    "From": "noreply@google.com",
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate, br",
}
_RESERVED: Final = frozenset(
    {
        *(name.lower() for name in _HEADERS),
        "authorization",
        "connection",
        "content-length",
        "cookie",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_RESERVED_PREFIXES: Final = ("x-goog-", "proxy-", "x-forwarded-")
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\x20-\x7e]*")


@dataclass(frozen=True, slots=True)
class PushRequest:
    """One POST, but for its token."""

    headers: Mapping[str, str]
    body: bytes


def push_request(delivery: Delivery, subscription: str, config: PushConfig) -> PushRequest:
    """Give the request that hands a delivery to the endpoint of `subscription`."""
    message = pubsub.PubsubMessage.FromString(delivery.message)
    if config.is_wrapped:
        tree = _wrapped_v1beta1(message) if config.version == "v1beta1" else _wrapped(message, delivery.delivery_attempt)
        tree["subscription"] = subscription
        body = json.dumps(tree, ensure_ascii=False).encode()
        return PushRequest({**_HEADERS, "Content-Type": "application/json"}, body)
    headers = {**_HEADERS, "Content-Type": "application/octet-stream"}
    if config.write_metadata:
        headers.update(_metadata(message, subscription, delivery.delivery_attempt))
    return PushRequest(headers, message.data)


def _wrapped(message: pubsub.PubsubMessage, attempt: int) -> dict[str, Any]:
    time = _time(message)
    inner: dict[str, Any] = {}
    if message.attributes:
        inner["attributes"] = dict(message.attributes)
    if message.data:
        inner["data"] = base64.b64encode(message.data).decode()
    inner |= {"messageId": message.message_id, "message_id": message.message_id}
    if message.ordering_key:
        inner["orderingKey"] = message.ordering_key
    inner |= {"publishTime": time, "publish_time": time}
    return {"deliveryAttempt": attempt, "message": inner} if attempt else {"message": inner}


def _wrapped_v1beta1(message: pubsub.PubsubMessage) -> dict[str, Any]:
    # Divergence: the body of v1beta1 is no longer documented; ours has its message with `label` for attributes.
    labels = [{"key": key, "strValue": value} for key, value in message.attributes.items()]
    return {"message": {"data": base64.b64encode(message.data).decode(), "label": labels, "messageId": message.message_id}}


def _metadata(message: pubsub.PubsubMessage, subscription: str, attempt: int) -> dict[str, str]:
    # Divergence: attributes that are no legal header, or one of the request's own, are not sent by an unwrapped push.
    headers = {
        ("Content-Type" if name.lower() == "content-type" else name): value
        for name, value in message.attributes.items()
        if is_header(name, value) and not is_reserved(name)
    }
    about = {
        "x-goog-pubsub-subscription-name": subscription,
        "x-goog-pubsub-message-id": message.message_id,
        "x-goog-pubsub-publish-time": _time(message),
        "x-goog-pubsub-ordering-key": message.ordering_key,
        "x-goog-pubsub-delivery-attempt": str(attempt) if attempt else "",
    }
    return headers | {name: value for name, value in about.items() if value and is_header(name, value)}


def is_header(name: str, value: str) -> bool:
    """Say whether a name and a value can stand in a header as they are."""
    return _NAME.fullmatch(name) is not None and _VALUE.fullmatch(value) is not None and value == value.strip()


def is_reserved(name: str) -> bool:
    """Say whether a header is the request's own business, and not a message's."""
    name = name.lower()
    return name in _RESERVED or name.startswith(_RESERVED_PREFIXES)


def _time(message: pubsub.PubsubMessage) -> str:
    stamp: Any = message.publish_time
    return timestamp_text(stamp.seconds, stamp.nanos)
