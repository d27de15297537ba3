"""The blocking classes: those of `publican.aio`, method by method. Made by scripts/make_clients.py; do not edit.

PYTEST_DONT_REWRITE
"""

import concurrent.futures
import datetime
import ssl
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, Self

from google.protobuf.message import Message

from publican import types
from publican.aio import calls
from publican.aio.api import Api as AsyncApi
from publican.aio.calling import TIMEOUT_S
from publican.aio.consuming import Stats
from publican.aio.modern import Publisher as AsyncPublisher
from publican.aio.modern import Subscriber as AsyncSubscriber
from publican.aio.publisher_client import PublisherClient as AsyncPublisherClient
from publican.aio.subscriber_client import SubscriberClient as AsyncSubscriberClient
from publican.auth import TokenSource
from publican.clock import Clock
from publican.effects import Drained
from publican.flow import FlowControl
from publican.message import PubsubMessage
from publican.observe import Observer
from publican.rest import receiving
from publican.rest.handlers import Handler, StreamingPullFuture, SubscriberMessage
from publican.rest.twin import Result, Twin
from publican.retry import PUBLISH, RetryPolicy
from publican.room import PublishLimits
from publican.settlement import How
from publican.transport.protocol import Connection

TransportChoice = Literal["auto", "grpc", "polling"]


class PublisherClient:
    """Publishes, and keeps topics. Errors are those of `publican.errors` and also aiohttp's.

    `endpoint` names a region (`us-east1-pubsub.googleapis.com`); `api_root`
    a whole root, without authentication unless `api_is_dev=False`. `timeout` is always seconds in all.

    Source: cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics.
    """

    project_path = staticmethod(calls.project_path)
    subscription_path = staticmethod(calls.subscription_path)
    topic_path = staticmethod(calls.topic_path)

    def __init__(
        self,
        *,
        service_file: str | Path | IO[Any] | None = None,
        session: Any = None,
        token: TokenSource | None = None,
        api_root: str | None = None,
        api_is_dev: bool | None = None,
        endpoint: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._twin: Twin[AsyncPublisherClient] = Twin(
            AsyncPublisherClient,
            {
                "service_file": service_file,
                "session": session,
                "token": token,
                "api_root": api_root,
                "api_is_dev": api_is_dev,
                "endpoint": endpoint,
                "ssl_context": ssl_context,
            },
            close=lambda client: client.close(),
        )

    def list_topics(self, project: str, query_params: Mapping[str, str] | None = None, *, session: Any = None, timeout: float = 10) -> dict[str, Any]:
        """Give one page of a project's topics, `projects/p`; `pageToken` in `query_params` asks for the next. No topics: `{}`."""
        return self._twin.call(lambda client: client.list_topics(project, query_params, timeout=timeout), session)

    def create_topic(self, topic: str, body: Mapping[str, Any] | None = None, *, session: Any = None, timeout: float = 10) -> dict[str, Any]:
        """Create a topic; `body` holds its settings as REST names them.

        Raises:
            AlreadyExists: the name is taken.
        """
        return self._twin.call(lambda client: client.create_topic(topic, body, timeout=timeout), session)

    def delete_topic(self, topic: str, *, session: Any = None, timeout: float = 10) -> None:
        """Delete a topic; its subscriptions stay, without one."""
        self._twin.call(lambda client: client.delete_topic(topic, timeout=timeout), session)

    def publish(self, topic: str, messages: Sequence[PubsubMessage], session: Any = None, timeout: float = 10) -> dict[str, Any]:
        """Publish at once, in one request without retries, and give `{"messageIds": [...]}`; for no messages `{}`, without a request."""
        return self._twin.call(lambda client: client.publish(topic, messages, timeout=timeout), session)

    def close(self) -> None:
        """Close the connections."""
        self._twin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class SubscriberClient:
    """Pulls and settles messages, and keeps subscriptions and snapshots. Errors are those of `publican.errors` and also aiohttp's.

    `transport` is how `subscribe` receives: "grpc" or
    "polling" to insist. The other settings are as for `PublisherClient`.

    Source: cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions.
    """

    project_path = staticmethod(calls.project_path)
    subscription_path = staticmethod(calls.subscription_path)
    topic_path = staticmethod(calls.topic_path)
    snapshot_path = staticmethod(calls.snapshot_path)

    def __init__(
        self,
        *,
        service_file: str | Path | IO[Any] | None = None,
        token: TokenSource | None = None,
        session: Any = None,
        api_root: str | None = None,
        api_is_dev: bool | None = None,
        endpoint: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        transport: TransportChoice = "auto",
        observer: Observer | None = None,
        clock: Clock | None = None,
    ) -> None:

        def made(**settings: Any) -> AsyncSubscriberClient:
            client = AsyncSubscriberClient(**settings)
            client._message = SubscriberMessage
            return client

        self._twin: Twin[AsyncSubscriberClient] = Twin(
            made,
            {
                "service_file": service_file,
                "token": token,
                "session": session,
                "api_root": api_root,
                "api_is_dev": api_is_dev,
                "endpoint": endpoint,
                "ssl_context": ssl_context,
                "transport": transport,
                "observer": observer,
                "clock": clock,
            },
            close=lambda client: client.close(),
        )

    def patch_subscription(self, subscription: str, body: Mapping[str, Any], *, session: Any = None, timeout: float = 10) -> dict[str, Any]:
        """Change a subscription; `body` is `{"subscription": {...}, "updateMask": "ackDeadlineSeconds"}`."""
        return self._twin.call(lambda client: client.patch_subscription(subscription, body, timeout=timeout), session)

    def delete_subscription(self, subscription: str, *, session: Any = None, timeout: float = 10) -> None:
        """Delete a subscription, and what it has not delivered with it."""
        self._twin.call(lambda client: client.delete_subscription(subscription, timeout=timeout), session)

    def get_subscription(self, subscription: str, *, session: Any = None, timeout: float = 10) -> dict[str, Any]:
        """Give a subscription's settings."""
        return self._twin.call(lambda client: client.get_subscription(subscription, timeout=timeout), session)

    def list_subscriptions(
        self, project: str, query_params: Mapping[str, str] | None = None, *, session: Any = None, timeout: float = 10
    ) -> dict[str, Any]:
        """Give all subscriptions of a project, `projects/p`; page by page, `timeout` for each."""
        return self._twin.call(lambda client: client.list_subscriptions(project, query_params, timeout=timeout), session)

    def seek(self, subscription: str, body: Mapping[str, Any], *, session: Any = None, timeout: float = 10) -> None:
        """Move a subscription to a time or a snapshot: `{"time": "2026-01-31T00:00:00Z"}` or `{"snapshot": name}`."""
        self._twin.call(lambda client: client.seek(subscription, body, timeout=timeout), session)

    def pull(self, subscription: str, max_messages: int, *, session: Any = None, timeout: float = 30) -> list[SubscriberMessage]:
        """Give at most `max_messages` messages, as soon as there is one.

        Raises:
            DeadlineExceeded: none came in `timeout` seconds; it is a TimeoutError.
        """
        messages: Any = self._twin.call(lambda client: client.pull(subscription, max_messages, timeout=timeout), session)
        pulled: list[SubscriberMessage] = messages
        return pulled

    def acknowledge(self, subscription: str, ack_ids: Sequence[str], *, session: Any = None, timeout: float = 10) -> None:
        """Take messages: they are not delivered again."""
        self._twin.call(lambda client: client.acknowledge(subscription, ack_ids, timeout=timeout), session)

    def modify_ack_deadline(
        self, subscription: str, ack_ids: Sequence[str], ack_deadline_seconds: int, *, session: Any = None, timeout: float = 10
    ) -> None:
        """Give messages a deadline so many seconds from now; 0 gives them back at once."""
        self._twin.call(lambda client: client.modify_ack_deadline(subscription, ack_ids, ack_deadline_seconds, timeout=timeout), session)

    def create_snapshot(
        self, snapshot: str, subscription: str, body: Mapping[str, Any] | None = None, *, session: Any = None, timeout: float = 10
    ) -> dict[str, Any]:
        """Remember what a subscription has not acknowledged yet."""
        return self._twin.call(lambda client: client.create_snapshot(snapshot, subscription, body, timeout=timeout), session)

    def delete_snapshot(self, snapshot: str, *, session: Any = None, timeout: float = 10) -> None:
        """Delete a snapshot."""
        self._twin.call(lambda client: client.delete_snapshot(snapshot, timeout=timeout), session)

    def list_snapshots(
        self, project: str, query_params: Mapping[str, str] | None = None, *, session: Any = None, timeout: float = 10
    ) -> dict[str, Any]:
        """Give all snapshots of a project, `projects/p`; page by page, `timeout` for each."""
        return self._twin.call(lambda client: client.list_snapshots(project, query_params, timeout=timeout), session)

    def get_snapshot(self, snapshot: str, *, session: Any = None, timeout: float = 10) -> dict[str, Any]:
        """Give a snapshot."""
        return self._twin.call(lambda client: client.get_snapshot(snapshot, timeout=timeout), session)

    def create_subscription(
        self, subscription: str, topic: str, body: Mapping[str, Any] | None = None, *, session: Any = None, timeout: float = 10, **fields: Any
    ) -> dict[str, Any]:
        """Create a subscription; one that exists is as good, as in gcloud-rest-pubsub 2.1.2, and `{}` is given then.

        `body` holds its settings as REST names them, `fields` as the API does (`ack_deadline_seconds=30`).
        """
        return self._twin.call(
            lambda client: client._forgiving(client.create_subscription(subscription, topic, body, timeout=timeout, **fields)), session
        )

    def subscribe(
        self, subscription: str, callback: Handler, *, flow_control: Sequence[float] = (), handlers: int | None = None
    ) -> StreamingPullFuture:
        """Call `callback` on a thread for each message, and give the keep-alive: its result is waited for, cancelling it drains.

        `ack()`, `nack()` and `drop()` settle a message; that the callback returns does not, an exception in it is a nack. `handlers` is the number of
        threads: as many as `max_messages`, at most ten, where it is not given.
        """
        return receiving.subscribe(self._twin, subscription, callback, flow_control, handlers, on_return=None)

    def run_forever(self, keep_alive: StreamingPullFuture) -> None:
        """Wait until SIGTERM, SIGINT or the end of the keep-alive, and for the drain.

        Raises:
            PubsubError: what has ended the subscription.
        """
        receiving.run_forever(keep_alive)

    def close(self) -> None:
        """Drain the subscriptions of this loop, as cancelling their keep-alives does, and close what is the client's own in it."""
        self._twin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class Publisher:
    """Publishes messages in batches, each as soon as its batch is full or its first message has waited `max_latency` seconds.

    `ordering=True` lets messages have ordering keys: a key's messages are accepted in the order of the calls, and after a failure the key is paused
    until `resume`. `limits` bounds what is held. `retry` is how a failed request is repeated. `transport`: "grpc" or "polling" (REST) to insist.
    Further keywords say where the service is and who is asking: `endpoint`, `api_root`, `session`, `service_file`, `token`, `ssl_context`;
    `compress_above`: publish requests of at least so many bytes are gzipped where gRPC carries them.

    Raises:
        ValueError: settings that no request could meet.
    """

    def __init__(
        self,
        *,
        max_messages: int = 100,
        max_bytes: int = 1000000,
        max_latency: float = 0.01,
        ordering: bool = False,
        limits: PublishLimits = PublishLimits(),
        retry: RetryPolicy = PUBLISH,
        close_timeout: float | None = 30,
        observer: Observer | None = None,
        clock: Clock | None = None,
        transport: TransportChoice | Connection = "auto",
        **connection: Any,
    ) -> None:
        self._twin: Twin[AsyncPublisher] = Twin(
            AsyncPublisher,
            {
                "max_messages": max_messages,
                "max_bytes": max_bytes,
                "max_latency": max_latency,
                "ordering": ordering,
                "limits": limits,
                "retry": retry,
                "close_timeout": close_timeout,
                "observer": observer,
                "clock": clock,
                "transport": transport,
                **connection,
            },
            close=lambda client: client.close(),
        )

    def publish(self, topic: str, data: bytes | str | PubsubMessage, *, ordering_key: str = "", **attributes: str) -> str:
        """Publish a message and give its id; cancelling this leaves the message in its batch.

        Raises:
            PubsubError: what the service refused, after the retries; else as `submit`.
        """
        return self._twin.call(lambda client: client.publish(topic, data, ordering_key=ordering_key, **attributes))

    def flush(
        self,
    ) -> None:
        """Send what is there without waiting for more, and return when the service has answered for all of it."""
        self._twin.call(lambda client: client.flush())

    def submit(self, topic: str, data: bytes | str | PubsubMessage, *, ordering_key: str = "", **attributes: str) -> "concurrent.futures.Future[str]":
        """Take a message into its batch, after waiting for room if there is none; the future is its id, or why it has none.

        Raises:
            MessageTooLarge, OrderingKeyPaused, PublishLimitReached, Closed: as for `publican.aio.Publisher.submit`.
        """

        async def submitted(client: AsyncPublisher) -> "concurrent.futures.Future[str]":
            result: Result[str] = Result()
            waiting = await client.submit(topic, data, ordering_key=ordering_key, **attributes)
            waiting.add_done_callback(lambda ended: receiving.fulfil(result, ended))
            return result

        return self._twin.call(submitted)

    def resume(self, topic: str, ordering_key: str) -> None:
        """Publish a key again after one of its messages has failed; without effect when none has."""

        async def resumed(client: AsyncPublisher) -> None:
            client.resume(topic, ordering_key)

        self._twin.call(resumed)

    def close(self) -> None:
        """Send what is there, and fail with `Closed` what is not accepted within `timeout` seconds (of `close_timeout`)."""
        self._twin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class Subscriber:
    """Receives messages: `stream` to iterate, `run` and `subscribe` to handle on threads. Leases are kept as long as a message is in hand.

    `flow_control` bounds what each subscription holds at once. `ack_window`: seconds that acks wait for others to leave with. `close_timeout`:
    seconds that running handlers get when it is closed; None: whatever they need. Further keywords as for `Publisher`.

    Raises:
        ValueError: limits that nothing could meet.
    """

    def __init__(
        self,
        *,
        flow_control: Sequence[float] = FlowControl(),
        ack_window: float = 0.01,
        close_timeout: float | None = 30,
        observer: Observer | None = None,
        clock: Clock | None = None,
        transport: TransportChoice | Connection = "auto",
        **connection: Any,
    ) -> None:
        self._twin: Twin[AsyncSubscriber] = Twin(
            AsyncSubscriber,
            {
                "flow_control": flow_control,
                "ack_window": ack_window,
                "close_timeout": close_timeout,
                "observer": observer,
                "clock": clock,
                "transport": transport,
                **connection,
            },
            close=lambda client: client.close(),
        )

    def subscribe(
        self, subscription: str, handler: Handler, *, flow_control: Sequence[float] = FlowControl(), handlers: int | None = None
    ) -> StreamingPullFuture:
        """Call `handler` on a thread for each message, in the background: its return acks the message, an exception nacks it.

        The future is the keep-alive: its result is waited for, cancelling it drains. `handlers` is the number of threads: as many as `max_messages`, at
        most ten, where it is not given.
        """
        return receiving.subscribe(self._twin, subscription, handler, flow_control, handlers, on_return=How.ACK)

    def run(self, subscription: str, handler: Handler, *, flow_control: Sequence[float] = FlowControl(), handlers: int | None = None) -> Drained:
        """Do as `subscribe`, and wait for the end; Ctrl-C drains first.

        Raises:
            PubsubError: the service has ended the subscription.
        """
        return receiving.run(self.subscribe(subscription, handler, flow_control=flow_control, handlers=handlers))

    def stream(self, subscription: str, *, flow_control: Sequence[float] | None = None) -> receiving.BlockingStream:
        """Give the messages of a subscription, to be iterated; whoever takes one settles it, on any thread."""
        return receiving.stream(self._twin, subscription, flow_control)

    def stats(self) -> list[Stats]:
        """Look at each subscription: its load, what is held and running, the oldest message, reconnects."""

        async def looked_at(client: AsyncSubscriber) -> list[Stats]:
            return client.stats()

        return self._twin.call(looked_at)

    def close(self) -> None:
        """Drain: take nothing more, give back what is held (or hand it out yet: `held="process"`), let handlers finish within `timeout` seconds.

        Acks are flushed and confirmed; what handlers have not finished by then is nacked, and they are cancelled.
        """
        self._twin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class Api:
    """Topics, subscriptions, snapshots, schemas and policies: every call of the API, retried as the service's own clients do.

    Keywords build the request, or a request is passed in whole. Times are `datetime`, spans `timedelta`, masks lists of field names. Lists are
    iterators that ask for further pages as they are needed. `timeout`: seconds for each attempt.

    Receiving has classes of its own (`Subscriber`), because StreamingPull is more than a call. Settings are those of `Publisher`.
    """

    def __init__(self, *, clock: Clock | None = None, transport: TransportChoice | Connection = "polling", **connection: Any) -> None:
        self._twin: Twin[AsyncApi] = Twin(AsyncApi, {"clock": clock, "transport": transport, **connection}, close=lambda client: client.close())

    def close(self) -> None:
        """Close the connections."""
        self._twin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def call(self, method: str, request: Message, *, timeout: float | None = TIMEOUT_S) -> Any:
        """Call a method by its full name, `google.pubsub.v1.Publisher/CreateTopic`: for one that has no method here yet.

        Raises:
            ValueError: no such method.
        """
        return self._twin.call(lambda client: client.call(method, request, timeout=timeout))

    def create_topic(
        self,
        request: types.Topic | None = None,
        *,
        name: str | None = None,
        labels: Mapping[str, str] | None = None,
        message_storage_policy: types.MessageStoragePolicy | None = None,
        kms_key_name: str | None = None,
        schema_settings: types.SchemaSettings | None = None,
        satisfies_pzs: bool | None = None,
        message_retention_duration: datetime.timedelta | None = None,
        state: int | None = None,
        ingestion_data_source_settings: types.IngestionDataSourceSettings | None = None,
        message_transforms: Sequence[types.MessageTransform] | None = None,
        tags: Mapping[str, str] | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Topic:
        """google.pubsub.v1.Publisher.CreateTopic."""
        return self._twin.call(
            lambda client: client.create_topic(
                request,
                name=name,
                labels=labels,
                message_storage_policy=message_storage_policy,
                kms_key_name=kms_key_name,
                schema_settings=schema_settings,
                satisfies_pzs=satisfies_pzs,
                message_retention_duration=message_retention_duration,
                state=state,
                ingestion_data_source_settings=ingestion_data_source_settings,
                message_transforms=message_transforms,
                tags=tags,
                timeout=timeout,
            )
        )

    def delete_topic(
        self,
        request: types.DeleteTopicRequest | None = None,
        *,
        topic: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> None:
        """google.pubsub.v1.Publisher.DeleteTopic."""
        self._twin.call(lambda client: client.delete_topic(request, topic=topic, timeout=timeout))

    def detach_subscription(
        self,
        request: types.DetachSubscriptionRequest | None = None,
        *,
        subscription: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.DetachSubscriptionResponse:
        """google.pubsub.v1.Publisher.DetachSubscription."""
        return self._twin.call(lambda client: client.detach_subscription(request, subscription=subscription, timeout=timeout))

    def get_topic(
        self,
        request: types.GetTopicRequest | None = None,
        *,
        topic: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Topic:
        """google.pubsub.v1.Publisher.GetTopic."""
        return self._twin.call(lambda client: client.get_topic(request, topic=topic, timeout=timeout))

    def list_topic_snapshots(
        self,
        request: types.ListTopicSnapshotsRequest | None = None,
        *,
        topic: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> Iterator[str]:
        """google.pubsub.v1.Publisher.ListTopicSnapshots."""
        return self._twin.items(
            lambda client: client.list_topic_snapshots(request, topic=topic, page_size=page_size, page_token=page_token, timeout=timeout)
        )

    def list_topic_subscriptions(
        self,
        request: types.ListTopicSubscriptionsRequest | None = None,
        *,
        topic: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> Iterator[str]:
        """google.pubsub.v1.Publisher.ListTopicSubscriptions."""
        return self._twin.items(
            lambda client: client.list_topic_subscriptions(request, topic=topic, page_size=page_size, page_token=page_token, timeout=timeout)
        )

    def list_topics(
        self,
        request: types.ListTopicsRequest | None = None,
        *,
        project: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> Iterator[types.Topic]:
        """google.pubsub.v1.Publisher.ListTopics."""
        return self._twin.items(
            lambda client: client.list_topics(request, project=project, page_size=page_size, page_token=page_token, timeout=timeout)
        )

    def publish(
        self,
        request: types.PublishRequest | None = None,
        *,
        topic: str | None = None,
        messages: Sequence[types.PubsubMessage] | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.PublishResponse:
        """google.pubsub.v1.Publisher.Publish."""
        return self._twin.call(lambda client: client.publish(request, topic=topic, messages=messages, timeout=timeout))

    def update_topic(
        self,
        request: types.UpdateTopicRequest | None = None,
        *,
        topic: types.Topic | None = None,
        update_mask: Sequence[str] | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Topic:
        """google.pubsub.v1.Publisher.UpdateTopic."""
        return self._twin.call(lambda client: client.update_topic(request, topic=topic, update_mask=update_mask, timeout=timeout))

    def acknowledge(
        self,
        request: types.AcknowledgeRequest | None = None,
        *,
        subscription: str | None = None,
        ack_ids: Sequence[str] | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> None:
        """google.pubsub.v1.Subscriber.Acknowledge."""
        self._twin.call(lambda client: client.acknowledge(request, subscription=subscription, ack_ids=ack_ids, timeout=timeout))

    def create_snapshot(
        self,
        request: types.CreateSnapshotRequest | None = None,
        *,
        name: str | None = None,
        subscription: str | None = None,
        labels: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Snapshot:
        """google.pubsub.v1.Subscriber.CreateSnapshot."""
        return self._twin.call(
            lambda client: client.create_snapshot(request, name=name, subscription=subscription, labels=labels, tags=tags, timeout=timeout)
        )

    def create_subscription(
        self,
        request: types.Subscription | None = None,
        *,
        name: str | None = None,
        topic: str | None = None,
        push_config: types.PushConfig | None = None,
        bigquery_config: types.BigQueryConfig | None = None,
        cloud_storage_config: types.CloudStorageConfig | None = None,
        bigtable_config: types.BigtableConfig | None = None,
        ack_deadline_seconds: int | None = None,
        retain_acked_messages: bool | None = None,
        message_retention_duration: datetime.timedelta | None = None,
        labels: Mapping[str, str] | None = None,
        enable_message_ordering: bool | None = None,
        expiration_policy: types.ExpirationPolicy | None = None,
        filter: str | None = None,
        dead_letter_policy: types.DeadLetterPolicy | None = None,
        retry_policy: types.RetryPolicy | None = None,
        detached: bool | None = None,
        enable_exactly_once_delivery: bool | None = None,
        topic_message_retention_duration: datetime.timedelta | None = None,
        state: int | None = None,
        analytics_hub_subscription_info: types.Subscription.AnalyticsHubSubscriptionInfo | None = None,
        message_transforms: Sequence[types.MessageTransform] | None = None,
        tags: Mapping[str, str] | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Subscription:
        """google.pubsub.v1.Subscriber.CreateSubscription."""
        return self._twin.call(
            lambda client: client.create_subscription(
                request,
                name=name,
                topic=topic,
                push_config=push_config,
                bigquery_config=bigquery_config,
                cloud_storage_config=cloud_storage_config,
                bigtable_config=bigtable_config,
                ack_deadline_seconds=ack_deadline_seconds,
                retain_acked_messages=retain_acked_messages,
                message_retention_duration=message_retention_duration,
                labels=labels,
                enable_message_ordering=enable_message_ordering,
                expiration_policy=expiration_policy,
                filter=filter,
                dead_letter_policy=dead_letter_policy,
                retry_policy=retry_policy,
                detached=detached,
                enable_exactly_once_delivery=enable_exactly_once_delivery,
                topic_message_retention_duration=topic_message_retention_duration,
                state=state,
                analytics_hub_subscription_info=analytics_hub_subscription_info,
                message_transforms=message_transforms,
                tags=tags,
                timeout=timeout,
            )
        )

    def delete_snapshot(
        self,
        request: types.DeleteSnapshotRequest | None = None,
        *,
        snapshot: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> None:
        """google.pubsub.v1.Subscriber.DeleteSnapshot."""
        self._twin.call(lambda client: client.delete_snapshot(request, snapshot=snapshot, timeout=timeout))

    def delete_subscription(
        self,
        request: types.DeleteSubscriptionRequest | None = None,
        *,
        subscription: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> None:
        """google.pubsub.v1.Subscriber.DeleteSubscription."""
        self._twin.call(lambda client: client.delete_subscription(request, subscription=subscription, timeout=timeout))

    def get_snapshot(
        self,
        request: types.GetSnapshotRequest | None = None,
        *,
        snapshot: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Snapshot:
        """google.pubsub.v1.Subscriber.GetSnapshot."""
        return self._twin.call(lambda client: client.get_snapshot(request, snapshot=snapshot, timeout=timeout))

    def get_subscription(
        self,
        request: types.GetSubscriptionRequest | None = None,
        *,
        subscription: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Subscription:
        """google.pubsub.v1.Subscriber.GetSubscription."""
        return self._twin.call(lambda client: client.get_subscription(request, subscription=subscription, timeout=timeout))

    def list_snapshots(
        self,
        request: types.ListSnapshotsRequest | None = None,
        *,
        project: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> Iterator[types.Snapshot]:
        """google.pubsub.v1.Subscriber.ListSnapshots."""
        return self._twin.items(
            lambda client: client.list_snapshots(request, project=project, page_size=page_size, page_token=page_token, timeout=timeout)
        )

    def list_subscriptions(
        self,
        request: types.ListSubscriptionsRequest | None = None,
        *,
        project: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> Iterator[types.Subscription]:
        """google.pubsub.v1.Subscriber.ListSubscriptions."""
        return self._twin.items(
            lambda client: client.list_subscriptions(request, project=project, page_size=page_size, page_token=page_token, timeout=timeout)
        )

    def modify_ack_deadline(
        self,
        request: types.ModifyAckDeadlineRequest | None = None,
        *,
        subscription: str | None = None,
        ack_ids: Sequence[str] | None = None,
        ack_deadline_seconds: int | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> None:
        """google.pubsub.v1.Subscriber.ModifyAckDeadline."""
        self._twin.call(
            lambda client: client.modify_ack_deadline(
                request, subscription=subscription, ack_ids=ack_ids, ack_deadline_seconds=ack_deadline_seconds, timeout=timeout
            )
        )

    def modify_push_config(
        self,
        request: types.ModifyPushConfigRequest | None = None,
        *,
        subscription: str | None = None,
        push_config: types.PushConfig | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> None:
        """google.pubsub.v1.Subscriber.ModifyPushConfig."""
        self._twin.call(lambda client: client.modify_push_config(request, subscription=subscription, push_config=push_config, timeout=timeout))

    def pull(
        self,
        request: types.PullRequest | None = None,
        *,
        subscription: str | None = None,
        return_immediately: bool | None = None,
        max_messages: int | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.PullResponse:
        """google.pubsub.v1.Subscriber.Pull."""
        return self._twin.call(
            lambda client: client.pull(
                request, subscription=subscription, return_immediately=return_immediately, max_messages=max_messages, timeout=timeout
            )
        )

    def seek(
        self,
        request: types.SeekRequest | None = None,
        *,
        subscription: str | None = None,
        time: datetime.datetime | None = None,
        snapshot: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.SeekResponse:
        """google.pubsub.v1.Subscriber.Seek."""
        return self._twin.call(lambda client: client.seek(request, subscription=subscription, time=time, snapshot=snapshot, timeout=timeout))

    def update_snapshot(
        self,
        request: types.UpdateSnapshotRequest | None = None,
        *,
        snapshot: types.Snapshot | None = None,
        update_mask: Sequence[str] | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Snapshot:
        """google.pubsub.v1.Subscriber.UpdateSnapshot."""
        return self._twin.call(lambda client: client.update_snapshot(request, snapshot=snapshot, update_mask=update_mask, timeout=timeout))

    def update_subscription(
        self,
        request: types.UpdateSubscriptionRequest | None = None,
        *,
        subscription: types.Subscription | None = None,
        update_mask: Sequence[str] | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Subscription:
        """google.pubsub.v1.Subscriber.UpdateSubscription."""
        return self._twin.call(
            lambda client: client.update_subscription(request, subscription=subscription, update_mask=update_mask, timeout=timeout)
        )

    def commit_schema(
        self,
        request: types.CommitSchemaRequest | None = None,
        *,
        name: str | None = None,
        schema: types.Schema | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Schema:
        """google.pubsub.v1.SchemaService.CommitSchema."""
        return self._twin.call(lambda client: client.commit_schema(request, name=name, schema=schema, timeout=timeout))

    def create_schema(
        self,
        request: types.CreateSchemaRequest | None = None,
        *,
        parent: str | None = None,
        schema: types.Schema | None = None,
        schema_id: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Schema:
        """google.pubsub.v1.SchemaService.CreateSchema."""
        return self._twin.call(lambda client: client.create_schema(request, parent=parent, schema=schema, schema_id=schema_id, timeout=timeout))

    def delete_schema(
        self,
        request: types.DeleteSchemaRequest | None = None,
        *,
        name: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> None:
        """google.pubsub.v1.SchemaService.DeleteSchema."""
        self._twin.call(lambda client: client.delete_schema(request, name=name, timeout=timeout))

    def delete_schema_revision(
        self,
        request: types.DeleteSchemaRevisionRequest | None = None,
        *,
        name: str | None = None,
        revision_id: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Schema:
        """google.pubsub.v1.SchemaService.DeleteSchemaRevision."""
        return self._twin.call(lambda client: client.delete_schema_revision(request, name=name, revision_id=revision_id, timeout=timeout))

    def get_schema(
        self,
        request: types.GetSchemaRequest | None = None,
        *,
        name: str | None = None,
        view: int | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Schema:
        """google.pubsub.v1.SchemaService.GetSchema."""
        return self._twin.call(lambda client: client.get_schema(request, name=name, view=view, timeout=timeout))

    def list_schema_revisions(
        self,
        request: types.ListSchemaRevisionsRequest | None = None,
        *,
        name: str | None = None,
        view: int | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> Iterator[types.Schema]:
        """google.pubsub.v1.SchemaService.ListSchemaRevisions."""
        return self._twin.items(
            lambda client: client.list_schema_revisions(request, name=name, view=view, page_size=page_size, page_token=page_token, timeout=timeout)
        )

    def list_schemas(
        self,
        request: types.ListSchemasRequest | None = None,
        *,
        parent: str | None = None,
        view: int | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> Iterator[types.Schema]:
        """google.pubsub.v1.SchemaService.ListSchemas."""
        return self._twin.items(
            lambda client: client.list_schemas(request, parent=parent, view=view, page_size=page_size, page_token=page_token, timeout=timeout)
        )

    def rollback_schema(
        self,
        request: types.RollbackSchemaRequest | None = None,
        *,
        name: str | None = None,
        revision_id: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Schema:
        """google.pubsub.v1.SchemaService.RollbackSchema."""
        return self._twin.call(lambda client: client.rollback_schema(request, name=name, revision_id=revision_id, timeout=timeout))

    def validate_message(
        self,
        request: types.ValidateMessageRequest | None = None,
        *,
        parent: str | None = None,
        name: str | None = None,
        schema: types.Schema | None = None,
        message: bytes | None = None,
        encoding: int | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.ValidateMessageResponse:
        """google.pubsub.v1.SchemaService.ValidateMessage."""
        return self._twin.call(
            lambda client: client.validate_message(
                request, parent=parent, name=name, schema=schema, message=message, encoding=encoding, timeout=timeout
            )
        )

    def validate_schema(
        self,
        request: types.ValidateSchemaRequest | None = None,
        *,
        parent: str | None = None,
        schema: types.Schema | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.ValidateSchemaResponse:
        """google.pubsub.v1.SchemaService.ValidateSchema."""
        return self._twin.call(lambda client: client.validate_schema(request, parent=parent, schema=schema, timeout=timeout))

    def set_iam_policy(
        self,
        request: types.SetIamPolicyRequest | None = None,
        *,
        resource: str | None = None,
        policy: types.Policy | None = None,
        update_mask: Sequence[str] | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Policy:
        """google.iam.v1.IAMPolicy.SetIamPolicy."""
        return self._twin.call(
            lambda client: client.set_iam_policy(request, resource=resource, policy=policy, update_mask=update_mask, timeout=timeout)
        )

    def get_iam_policy(
        self,
        request: types.GetIamPolicyRequest | None = None,
        *,
        resource: str | None = None,
        options: types.GetPolicyOptions | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Policy:
        """google.iam.v1.IAMPolicy.GetIamPolicy."""
        return self._twin.call(lambda client: client.get_iam_policy(request, resource=resource, options=options, timeout=timeout))

    def test_iam_permissions(
        self,
        request: types.TestIamPermissionsRequest | None = None,
        *,
        resource: str | None = None,
        permissions: Sequence[str] | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.TestIamPermissionsResponse:
        """google.iam.v1.IAMPolicy.TestIamPermissions."""
        return self._twin.call(lambda client: client.test_iam_permissions(request, resource=resource, permissions=permissions, timeout=timeout))
