"""What LeaseMachine runs on: the emulator's core in this process, or a Publican at an address, over REST or gRPC; or whatever has these methods.

Names are full resource names, instants are nanoseconds since the epoch, messages are those of the API. A backend has a clock that stands still unless
the machine moves it.

PYTEST_DONT_REWRITE
"""

import http.client
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from publican_emulator.broker.broker import Broker
from publican_emulator.broker.errors import PubsubError
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.settings import DeadLetterPolicy, RetryPolicy, SubscriptionSettings, TopicSettings
from publican_protocol import pubsub
from publican_protocol.json_values import timestamp, timestamp_text
from publican_protocol.methods import PUBLISHER, SUBSCRIBER
from publican_protocol.pool import message_class
from pytest_publican.lease_model import Settings

_START: Final = Nanos(1_700_000_000 * SECOND)
_BATCH_BYTES: Final = 10_000_000
_REFUSED_ACK_IDS: Final = "EXACTLY_ONCE_ACKID_FAILURE"
_CHANGEABLE: Final = ("ack_deadline_seconds", "dead_letter_policy", "retry_policy", "message_retention_duration", "retain_acked_messages")


class Refused(Exception):
    """A call was refused with a status code: NOT_FOUND, FAILED_PRECONDITION, INVALID_ARGUMENT, ..."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class LeaseBackend(Protocol):
    """A Pub/Sub that can be compared with the model. Every operation may raise Refused."""

    def now(self) -> int:
        """Give its time."""

    def advance(self, span: int) -> None:
        """Let so many nanoseconds pass; the machine asks for whole milliseconds."""

    def create_topic(self, topic: str) -> None:
        """Create a topic."""

    def retain(self, topic: str, seconds: int) -> None:
        """Let a topic keep its messages so long; 0: it keeps none."""

    def delete_topic(self, topic: str) -> None:
        """Delete a topic."""

    def create_subscription(self, subscription: str, topic: str, settings: Settings) -> None:
        """Create a subscription."""

    def update_subscription(self, subscription: str, settings: Settings) -> None:
        """Give it other settings; filter, ordering and exactly-once delivery stay as they are."""

    def detach_subscription(self, subscription: str) -> None:
        """Detach it from its topic."""

    def delete_subscription(self, subscription: str) -> None:
        """Delete it."""

    def publish(self, topic: str, messages: Sequence[pubsub.PubsubMessage]) -> list[str]:
        """Publish messages and give their ids."""

    def pull(self, subscription: str, max_messages: int) -> Sequence[pubsub.ReceivedMessage]:
        """Give what is there, up to so many, without waiting for more."""

    def acknowledge(self, subscription: str, ack_ids: Sequence[str]) -> set[str]:
        """Ack deliveries; give the ids that exactly-once delivery refuses."""

    def modify_ack_deadline(self, subscription: str, ack_ids: Sequence[str], seconds: int) -> set[str]:
        """Give leases another deadline, 0 to nack; give the ids that exactly-once delivery refuses."""

    def create_snapshot(self, snapshot: str, subscription: str) -> int:
        """Create a snapshot and give its expire time."""

    def delete_snapshot(self, snapshot: str) -> None:
        """Delete it."""

    def seek_to_time(self, subscription: str, time: int) -> None:
        """Seek to an instant."""

    def seek_to_snapshot(self, subscription: str, snapshot: str) -> None:
        """Seek to a snapshot."""

    def close(self) -> None:
        """End it: the run is over."""


class CoreBackend:
    """The emulator's core: no sockets, no threads, and a new one for each run."""

    def __init__(self, broker: Broker | None = None) -> None:
        self.broker = broker or Broker()
        self._now = _START

    def now(self) -> Nanos:
        """Give its time."""
        return self._now

    def advance(self, span: int) -> None:
        """Let time pass; the core carries out what is due at its next operation."""
        self._now = Nanos(self._now + span)

    def create_topic(self, topic: str) -> None:
        """Create a topic."""
        self._do(self.broker.create_topic, topic, TopicSettings())

    def retain(self, topic: str, seconds: int) -> None:
        """Let a topic keep its messages so long."""
        self._do(self.broker.update_topic, topic, TopicSettings(message_retention=Nanos(seconds * SECOND) if seconds else None))

    def delete_topic(self, topic: str) -> None:
        """Delete a topic."""
        self._do(self.broker.delete_topic, topic)

    def create_subscription(self, subscription: str, topic: str, settings: Settings) -> None:
        """Create a subscription."""
        self._do(self.broker.create_subscription, subscription, topic, _of_core(settings))

    def update_subscription(self, subscription: str, settings: Settings) -> None:
        """Give it other settings."""
        self._do(self.broker.update_subscription, subscription, _of_core(settings))

    def detach_subscription(self, subscription: str) -> None:
        """Detach it."""
        self._do(self.broker.detach_subscription, subscription)

    def delete_subscription(self, subscription: str) -> None:
        """Delete it."""
        self._do(self.broker.delete_subscription, subscription)

    def publish(self, topic: str, messages: Sequence[pubsub.PubsubMessage]) -> list[str]:
        """Publish messages."""
        return [str(number) for number in self._do(self.broker.publish, topic, [message.SerializeToString() for message in messages])]

    def pull(self, subscription: str, max_messages: int) -> Sequence[pubsub.ReceivedMessage]:
        """Give what is there."""
        consumer = self._do(self.broker.open_pull, subscription, max_messages)
        batch = self._do(self.broker.lease, consumer, _BATCH_BYTES)
        self._do(self.broker.close, consumer)
        return pubsub.PullResponse.FromString(batch.encoded()).received_messages

    def acknowledge(self, subscription: str, ack_ids: Sequence[str]) -> set[str]:
        """Ack deliveries."""
        return set(self._do(self.broker.try_acknowledge, subscription, ack_ids))

    def modify_ack_deadline(self, subscription: str, ack_ids: Sequence[str], seconds: int) -> set[str]:
        """Give leases another deadline."""
        return set(self._do(self.broker.try_modify_ack_deadline, subscription, ack_ids, seconds))

    def create_snapshot(self, snapshot: str, subscription: str) -> int:
        """Create a snapshot."""
        return int(self._do(self.broker.create_snapshot, snapshot, subscription, {}).expire_time)

    def delete_snapshot(self, snapshot: str) -> None:
        """Delete it."""
        self._do(self.broker.delete_snapshot, snapshot)

    def seek_to_time(self, subscription: str, time: int) -> None:
        """Seek to an instant."""
        self._do(self.broker.seek_to_time, subscription, Nanos(time))

    def seek_to_snapshot(self, subscription: str, snapshot: str) -> None:
        """Seek to a snapshot."""
        self._do(self.broker.seek_to_snapshot, subscription, snapshot)

    def close(self) -> None:
        """Nothing is open."""

    def _do(self, operation: Any, *arguments: Any) -> Any:
        try:
            return operation(*arguments, self._now)
        except PubsubError as error:
            raise Refused(error.code.name, str(error)) from error


def _of_core(settings: Settings) -> SubscriptionSettings:
    return SubscriptionSettings(
        ack_deadline_s=settings.deadline,
        enable_message_ordering=settings.ordered,
        enable_exactly_once_delivery=settings.exactly_once,
        filter=settings.filter,
        dead_letter=DeadLetterPolicy(settings.dead_letter, settings.attempts) if settings.dead_letter else None,
        retry=RetryPolicy(*(Nanos(seconds * SECOND) for seconds in settings.backoff)) if settings.backoff else None,
        message_retention=Nanos(settings.retention * SECOND),
        retain_acked_messages=settings.keep_acked,
    )


class _Wire:
    """A Publican at an address: every operation is an RPC, and its clock is moved by the admin API. It is emptied at the beginning of each run."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address, timeout=30)
        self._admin("POST", "reset", {"clock": "virtual", "pullWaitSeconds": 0, "why": "Another run of LeaseMachine begins."})

    def now(self) -> int:
        """Give its time."""
        seconds, nanos = timestamp(self._admin("GET", "clock")["now"])
        return seconds * SECOND + nanos

    def advance(self, span: int) -> None:
        """Let time pass."""
        self._admin("POST", "clock/move", {"to": _text(self.now() + span)})

    def create_topic(self, topic: str) -> None:
        """Create a topic."""
        self._call(PUBLISHER, "CreateTopic", pubsub.Topic(name=topic))

    def retain(self, topic: str, seconds: int) -> None:
        """Let a topic keep its messages so long."""
        resource = pubsub.Topic(name=topic)
        if seconds:
            resource.message_retention_duration.seconds = seconds
        request = pubsub.UpdateTopicRequest(topic=resource)
        request.update_mask.paths.append("message_retention_duration")
        self._call(PUBLISHER, "UpdateTopic", request)

    def delete_topic(self, topic: str) -> None:
        """Delete a topic."""
        self._call(PUBLISHER, "DeleteTopic", pubsub.DeleteTopicRequest(topic=topic))

    def create_subscription(self, subscription: str, topic: str, settings: Settings) -> None:
        """Create a subscription."""
        self._call(SUBSCRIBER, "CreateSubscription", _of_api(subscription, topic, settings))

    def update_subscription(self, subscription: str, settings: Settings) -> None:
        """Give it other settings."""
        request = pubsub.UpdateSubscriptionRequest(subscription=_of_api(subscription, "", settings))
        request.update_mask.paths.extend(_CHANGEABLE)
        self._call(SUBSCRIBER, "UpdateSubscription", request)

    def detach_subscription(self, subscription: str) -> None:
        """Detach it."""
        self._call(PUBLISHER, "DetachSubscription", pubsub.DetachSubscriptionRequest(subscription=subscription))

    def delete_subscription(self, subscription: str) -> None:
        """Delete it."""
        self._call(SUBSCRIBER, "DeleteSubscription", pubsub.DeleteSubscriptionRequest(subscription=subscription))

    def publish(self, topic: str, messages: Sequence[pubsub.PubsubMessage]) -> list[str]:
        """Publish messages."""
        return list(self._call(PUBLISHER, "Publish", pubsub.PublishRequest(topic=topic, messages=messages)).message_ids)

    def pull(self, subscription: str, max_messages: int) -> Sequence[pubsub.ReceivedMessage]:
        """Give what is there."""
        request = pubsub.PullRequest(subscription=subscription, max_messages=max_messages, return_immediately=True)
        received: Sequence[pubsub.ReceivedMessage] = self._call(SUBSCRIBER, "Pull", request).received_messages
        return received

    def acknowledge(self, subscription: str, ack_ids: Sequence[str]) -> set[str]:
        """Ack deliveries."""
        return self._refused_of("Acknowledge", pubsub.AcknowledgeRequest(subscription=subscription, ack_ids=ack_ids))

    def modify_ack_deadline(self, subscription: str, ack_ids: Sequence[str], seconds: int) -> set[str]:
        """Give leases another deadline."""
        request = pubsub.ModifyAckDeadlineRequest(subscription=subscription, ack_ids=ack_ids, ack_deadline_seconds=seconds)
        return self._refused_of("ModifyAckDeadline", request)

    def create_snapshot(self, snapshot: str, subscription: str) -> int:
        """Create a snapshot."""
        made = self._call(SUBSCRIBER, "CreateSnapshot", pubsub.CreateSnapshotRequest(name=snapshot, subscription=subscription))
        return int(made.expire_time.seconds) * SECOND + int(made.expire_time.nanos)

    def delete_snapshot(self, snapshot: str) -> None:
        """Delete it."""
        self._call(SUBSCRIBER, "DeleteSnapshot", pubsub.DeleteSnapshotRequest(snapshot=snapshot))

    def seek_to_time(self, subscription: str, time: int) -> None:
        """Seek to an instant."""
        request = pubsub.SeekRequest(subscription=subscription)
        request.time.seconds, request.time.nanos = divmod(time, SECOND)
        self._call(SUBSCRIBER, "Seek", request)

    def seek_to_snapshot(self, subscription: str, snapshot: str) -> None:
        """Seek to a snapshot."""
        self._call(SUBSCRIBER, "Seek", pubsub.SeekRequest(subscription=subscription, snapshot=snapshot))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _call(self, service: str, method: str, request: Any) -> Any:
        raise NotImplementedError

    def _refused_of(self, method: str, request: Any) -> set[str]:
        try:
            self._call(SUBSCRIBER, method, request)
        except _RefusedAckIds as error:
            return error.ack_ids
        return set()

    def _admin(self, verb: str, operation: str, body: Mapping[str, Any] | None = None) -> Any:
        return self._http(verb, f"/_publican/{operation}", None if body is None else json.dumps(body).encode())

    def _http(self, verb: str, target: str, body: bytes | None) -> Any:
        headers = {"Content-Type": "application/json", "X-Publican-Admin": "LeaseMachine"}
        self._connection.request(verb, target, body, headers)
        response = self._connection.getresponse()
        read = json.loads(response.read() or b"{}")
        if response.status >= http.HTTPStatus.BAD_REQUEST:
            error = read["error"]
            for detail in error.get("details", ()):
                if detail.get("reason") == _REFUSED_ACK_IDS:
                    raise _RefusedAckIds(detail["metadata"])
            raise Refused(error["status"], error["message"])
        return read


class RestBackend(_Wire):
    """A Publican at an address (`localhost:8085`), over REST."""

    def _call(self, service: str, method: str, request: Any) -> Any:
        from publican.transport.rest_form import form

        shape = form(f"/{service}/{method}")
        verb, path, body, query, _ = shape.written(request)
        assert query is None, "none of these calls has one"
        return shape.read(json.dumps(self._http(verb, f"/v1/{path}", body)).encode())


class GrpcBackend(_Wire):
    """A Publican at an address, over gRPC: `GrpcBackend(address, grpc.insecure_channel(address))`. The channel is closed with it."""

    def __init__(self, address: str, channel: Any) -> None:
        super().__init__(address)
        self._channel = channel

    def _call(self, service: str, method: str, request: Any) -> Any:
        from publican_protocol.methods import methods

        path = f"/{service}/{method}"
        answer = message_class(methods()[path].response)
        try:
            return self._channel.unary_unary(path, type(request).SerializeToString, answer.FromString)(request, timeout=30)
        except Exception as error:
            if not hasattr(error, "trailing_metadata"):
                raise
            raise _of_grpc(error) from error

    def close(self) -> None:
        """Close the channel and the connection."""
        self._channel.close()
        super().close()


class _RefusedAckIds(Exception):
    def __init__(self, ack_ids: Mapping[str, str]) -> None:
        super().__init__(str(ack_ids))
        self.ack_ids = set(ack_ids)


def _of_grpc(error: Any) -> Exception:
    details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    status: Any = message_class("google.rpc.Status").FromString(details)
    for detail in status.details:
        if detail.type_url.endswith("/google.rpc.ErrorInfo"):
            info: Any = message_class("google.rpc.ErrorInfo").FromString(detail.value)
            if info.reason == _REFUSED_ACK_IDS:
                return _RefusedAckIds(info.metadata)
    return Refused(error.code().name, error.details())


def _of_api(subscription: str, topic: str, settings: Settings) -> pubsub.Subscription:
    made = pubsub.Subscription(
        name=subscription,
        topic=topic,
        ack_deadline_seconds=settings.deadline,
        enable_message_ordering=settings.ordered,
        enable_exactly_once_delivery=settings.exactly_once,
        filter=settings.filter,
        retain_acked_messages=settings.keep_acked,
    )
    made.message_retention_duration.seconds = settings.retention
    if settings.dead_letter:
        made.dead_letter_policy.dead_letter_topic = settings.dead_letter
        made.dead_letter_policy.max_delivery_attempts = settings.attempts
    if settings.backoff:
        least, most = settings.backoff
        made.retry_policy.minimum_backoff.seconds, made.retry_policy.maximum_backoff.seconds = least, most
        made.retry_policy.minimum_backoff.SetInParent()
        made.retry_policy.maximum_backoff.SetInParent()
    return made


def _text(instant: int) -> str:
    return timestamp_text(*divmod(instant, SECOND))
