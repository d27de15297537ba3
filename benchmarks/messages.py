"""Requests as bytes and the response classes of the drivers, from google-cloud-pubsub's own descriptors.

Google's classes, not publican_protocol's: the yardstick must not share a mistake with what it measures. proto-plus wraps every message in
Python; `pb()` takes the plain upb class out of the wrapper.

PYTEST_DONT_REWRITE
"""

import json
import struct
from base64 import b64encode
from typing import Any, Final

from google.pubsub_v1 import types

CREATE_TOPIC: Final = "/google.pubsub.v1.Publisher/CreateTopic"
DELETE_TOPIC: Final = "/google.pubsub.v1.Publisher/DeleteTopic"
PUBLISH: Final = "/google.pubsub.v1.Publisher/Publish"
CREATE_SUBSCRIPTION: Final = "/google.pubsub.v1.Subscriber/CreateSubscription"
DELETE_SUBSCRIPTION: Final = "/google.pubsub.v1.Subscriber/DeleteSubscription"
PULL: Final = "/google.pubsub.v1.Subscriber/Pull"
ACKNOWLEDGE: Final = "/google.pubsub.v1.Subscriber/Acknowledge"
STREAMING_PULL: Final = "/google.pubsub.v1.Subscriber/StreamingPull"

# Any: proto-plus gives its classes no types; the functions below are the typed border.
_PublishRequest: Any = types.PublishRequest.pb()
_PublishResponse: Any = types.PublishResponse.pb()
_PubsubMessage: Any = types.PubsubMessage.pb()
_Topic: Any = types.Topic.pb()
_Subscription: Any = types.Subscription.pb()
_DeleteTopic: Any = types.DeleteTopicRequest.pb()
_DeleteSubscription: Any = types.DeleteSubscriptionRequest.pb()
_PullRequest: Any = types.PullRequest.pb()
_PullResponse: Any = types.PullResponse.pb()
_AcknowledgeRequest: Any = types.AcknowledgeRequest.pb()
_StreamingPullRequest: Any = types.StreamingPullRequest.pb()
_StreamingPullResponse: Any = types.StreamingPullResponse.pb()


def topic(name: str) -> bytes:
    """Encode CreateTopic's request."""
    return bytes(_Topic(name=name).SerializeToString())


def subscription(name: str, topic_name: str, ack_deadline_s: int) -> bytes:
    """Encode CreateSubscription's request."""
    return bytes(_Subscription(name=name, topic=topic_name, ack_deadline_seconds=ack_deadline_s).SerializeToString())


def delete_topic(name: str) -> bytes:
    """Encode DeleteTopic's request."""
    return bytes(_DeleteTopic(topic=name).SerializeToString())


def delete_subscription(name: str) -> bytes:
    """Encode DeleteSubscription's request."""
    return bytes(_DeleteSubscription(subscription=name).SerializeToString())


def publish(topic_name: str, payloads: list[bytes]) -> bytes:
    """Encode Publish's request."""
    messages = [_PubsubMessage(data=payload) for payload in payloads]
    return bytes(_PublishRequest(topic=topic_name, messages=messages).SerializeToString())


def published_ids(response: bytes) -> list[str]:
    """Return the message ids of Publish's answer."""
    return list(_PublishResponse.FromString(response).message_ids)


def pull(subscription_name: str, max_messages: int, *, wait: bool = True) -> bytes:
    """Encode Pull's request; without `wait` it answers at once, with what there is."""
    request = _PullRequest(subscription=subscription_name, max_messages=max_messages, return_immediately=not wait)
    return bytes(request.SerializeToString())


def pulled(response: bytes) -> Any:
    """Return the received messages of Pull's answer, as upb gives them."""
    return _PullResponse.FromString(response).received_messages


def acknowledge(subscription_name: str, ack_ids: list[str]) -> bytes:
    """Encode Acknowledge's request."""
    return bytes(_AcknowledgeRequest(subscription=subscription_name, ack_ids=ack_ids).SerializeToString())


def open_stream(subscription_name: str, ack_deadline_s: int, *, max_outstanding: int = 0) -> bytes:
    """Encode the first request of a StreamingPull; with protocol version 1 the server answers an empty request by an empty response."""
    request = _StreamingPullRequest(
        subscription=subscription_name,
        stream_ack_deadline_seconds=ack_deadline_s,
        max_outstanding_messages=max_outstanding,
        protocol_version=1,
    )
    return bytes(request.SerializeToString())


def stream_acks(ack_ids: list[str]) -> bytes:
    """Encode a later request of a StreamingPull, which acknowledges."""
    return bytes(_StreamingPullRequest(ack_ids=ack_ids).SerializeToString())


def streamed(response: bytes) -> Any:
    """Return the received messages of one StreamingPull response, as upb gives them."""
    return _StreamingPullResponse.FromString(response).received_messages


def grpc_frame(message: bytes) -> bytes:
    """Put gRPC's five bytes before a message: the body of a unary request."""
    return struct.pack(">BI", 0, len(message)) + message


def publish_json(payloads: list[bytes]) -> bytes:
    """Encode the REST form of Publish's request."""
    return json.dumps({"messages": [{"data": b64encode(payload).decode()} for payload in payloads]}).encode()
