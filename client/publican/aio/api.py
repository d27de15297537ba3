"""Every RPC of the API, with types. Made by scripts/make_clients.py; do not edit.

PYTEST_DONT_REWRITE
"""

import datetime
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, Self

from google.protobuf.message import Message

from publican import types
from publican.aio.calling import TIMEOUT_S, Calling, path_of, request_of
from publican.aio.connecting import connect
from publican.clock import Clock, SystemClock
from publican.transport.protocol import Connection


class Api:
    """Topics, subscriptions, snapshots, schemas and policies: every call of the API, retried as the service's own clients do.

    Keywords build the request, or a request is passed in whole. Times are `datetime`, spans `timedelta`, masks lists of field names. Lists are
    asynchronous iterators that ask for further pages as they are needed. `timeout`: seconds for each attempt.

    Receiving has classes of its own (`Subscriber`), because StreamingPull is more than a call. Settings are those of `Publisher`.
    """

    def __init__(
        self, *, clock: Clock | None = None, transport: Literal["auto", "grpc", "polling"] | Connection = "polling", **connection: Any
    ) -> None:
        self._connection = connect(transport, **connection) if isinstance(transport, str) else transport
        self._calling = Calling(self._connection.unary, clock or SystemClock())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Close what is open in the running loop."""
        await self._connection.close()

    async def call(self, method: str, request: Message, *, timeout: float | None = TIMEOUT_S) -> Any:
        """Call a method by its full name, `google.pubsub.v1.Publisher/CreateTopic`: for one that has no method here yet.

        Raises:
            ValueError: no such method.
        """
        return await self._calling.call(path_of(method), request, timeout=timeout)

    async def create_topic(
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
        answer: types.Topic = await self._calling.call(
            "/google.pubsub.v1.Publisher/CreateTopic",
            request_of(
                "google.pubsub.v1.Topic",
                request,
                {
                    "name": name,
                    "labels": labels,
                    "message_storage_policy": message_storage_policy,
                    "kms_key_name": kms_key_name,
                    "schema_settings": schema_settings,
                    "satisfies_pzs": satisfies_pzs,
                    "message_retention_duration": message_retention_duration,
                    "state": state,
                    "ingestion_data_source_settings": ingestion_data_source_settings,
                    "message_transforms": message_transforms,
                    "tags": tags,
                },
            ),
            timeout=timeout,
        )
        return answer

    async def delete_topic(
        self,
        request: types.DeleteTopicRequest | None = None,
        *,
        topic: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> None:
        """google.pubsub.v1.Publisher.DeleteTopic."""
        await self._calling.call(
            "/google.pubsub.v1.Publisher/DeleteTopic", request_of("google.pubsub.v1.DeleteTopicRequest", request, {"topic": topic}), timeout=timeout
        )

    async def detach_subscription(
        self,
        request: types.DetachSubscriptionRequest | None = None,
        *,
        subscription: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.DetachSubscriptionResponse:
        """google.pubsub.v1.Publisher.DetachSubscription."""
        answer: types.DetachSubscriptionResponse = await self._calling.call(
            "/google.pubsub.v1.Publisher/DetachSubscription",
            request_of("google.pubsub.v1.DetachSubscriptionRequest", request, {"subscription": subscription}),
            timeout=timeout,
        )
        return answer

    async def get_topic(
        self,
        request: types.GetTopicRequest | None = None,
        *,
        topic: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Topic:
        """google.pubsub.v1.Publisher.GetTopic."""
        answer: types.Topic = await self._calling.call(
            "/google.pubsub.v1.Publisher/GetTopic", request_of("google.pubsub.v1.GetTopicRequest", request, {"topic": topic}), timeout=timeout
        )
        return answer

    def list_topic_snapshots(
        self,
        request: types.ListTopicSnapshotsRequest | None = None,
        *,
        topic: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> AsyncIterator[str]:
        """google.pubsub.v1.Publisher.ListTopicSnapshots."""
        return self._calling.pages(
            "/google.pubsub.v1.Publisher/ListTopicSnapshots",
            request_of("google.pubsub.v1.ListTopicSnapshotsRequest", request, {"topic": topic, "page_size": page_size, "page_token": page_token}),
            "snapshots",
            timeout=timeout,
        )

    def list_topic_subscriptions(
        self,
        request: types.ListTopicSubscriptionsRequest | None = None,
        *,
        topic: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> AsyncIterator[str]:
        """google.pubsub.v1.Publisher.ListTopicSubscriptions."""
        return self._calling.pages(
            "/google.pubsub.v1.Publisher/ListTopicSubscriptions",
            request_of("google.pubsub.v1.ListTopicSubscriptionsRequest", request, {"topic": topic, "page_size": page_size, "page_token": page_token}),
            "subscriptions",
            timeout=timeout,
        )

    def list_topics(
        self,
        request: types.ListTopicsRequest | None = None,
        *,
        project: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> AsyncIterator[types.Topic]:
        """google.pubsub.v1.Publisher.ListTopics."""
        return self._calling.pages(
            "/google.pubsub.v1.Publisher/ListTopics",
            request_of("google.pubsub.v1.ListTopicsRequest", request, {"project": project, "page_size": page_size, "page_token": page_token}),
            "topics",
            timeout=timeout,
        )

    async def publish(
        self,
        request: types.PublishRequest | None = None,
        *,
        topic: str | None = None,
        messages: Sequence[types.PubsubMessage] | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.PublishResponse:
        """google.pubsub.v1.Publisher.Publish."""
        answer: types.PublishResponse = await self._calling.call(
            "/google.pubsub.v1.Publisher/Publish",
            request_of("google.pubsub.v1.PublishRequest", request, {"topic": topic, "messages": messages}),
            timeout=timeout,
        )
        return answer

    async def update_topic(
        self,
        request: types.UpdateTopicRequest | None = None,
        *,
        topic: types.Topic | None = None,
        update_mask: Sequence[str] | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Topic:
        """google.pubsub.v1.Publisher.UpdateTopic."""
        answer: types.Topic = await self._calling.call(
            "/google.pubsub.v1.Publisher/UpdateTopic",
            request_of("google.pubsub.v1.UpdateTopicRequest", request, {"topic": topic, "update_mask": update_mask}),
            timeout=timeout,
        )
        return answer

    async def acknowledge(
        self,
        request: types.AcknowledgeRequest | None = None,
        *,
        subscription: str | None = None,
        ack_ids: Sequence[str] | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> None:
        """google.pubsub.v1.Subscriber.Acknowledge."""
        await self._calling.call(
            "/google.pubsub.v1.Subscriber/Acknowledge",
            request_of("google.pubsub.v1.AcknowledgeRequest", request, {"subscription": subscription, "ack_ids": ack_ids}),
            timeout=timeout,
        )

    async def create_snapshot(
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
        answer: types.Snapshot = await self._calling.call(
            "/google.pubsub.v1.Subscriber/CreateSnapshot",
            request_of(
                "google.pubsub.v1.CreateSnapshotRequest", request, {"name": name, "subscription": subscription, "labels": labels, "tags": tags}
            ),
            timeout=timeout,
        )
        return answer

    async def create_subscription(
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
        answer: types.Subscription = await self._calling.call(
            "/google.pubsub.v1.Subscriber/CreateSubscription",
            request_of(
                "google.pubsub.v1.Subscription",
                request,
                {
                    "name": name,
                    "topic": topic,
                    "push_config": push_config,
                    "bigquery_config": bigquery_config,
                    "cloud_storage_config": cloud_storage_config,
                    "bigtable_config": bigtable_config,
                    "ack_deadline_seconds": ack_deadline_seconds,
                    "retain_acked_messages": retain_acked_messages,
                    "message_retention_duration": message_retention_duration,
                    "labels": labels,
                    "enable_message_ordering": enable_message_ordering,
                    "expiration_policy": expiration_policy,
                    "filter": filter,
                    "dead_letter_policy": dead_letter_policy,
                    "retry_policy": retry_policy,
                    "detached": detached,
                    "enable_exactly_once_delivery": enable_exactly_once_delivery,
                    "topic_message_retention_duration": topic_message_retention_duration,
                    "state": state,
                    "analytics_hub_subscription_info": analytics_hub_subscription_info,
                    "message_transforms": message_transforms,
                    "tags": tags,
                },
            ),
            timeout=timeout,
        )
        return answer

    async def delete_snapshot(
        self,
        request: types.DeleteSnapshotRequest | None = None,
        *,
        snapshot: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> None:
        """google.pubsub.v1.Subscriber.DeleteSnapshot."""
        await self._calling.call(
            "/google.pubsub.v1.Subscriber/DeleteSnapshot",
            request_of("google.pubsub.v1.DeleteSnapshotRequest", request, {"snapshot": snapshot}),
            timeout=timeout,
        )

    async def delete_subscription(
        self,
        request: types.DeleteSubscriptionRequest | None = None,
        *,
        subscription: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> None:
        """google.pubsub.v1.Subscriber.DeleteSubscription."""
        await self._calling.call(
            "/google.pubsub.v1.Subscriber/DeleteSubscription",
            request_of("google.pubsub.v1.DeleteSubscriptionRequest", request, {"subscription": subscription}),
            timeout=timeout,
        )

    async def get_snapshot(
        self,
        request: types.GetSnapshotRequest | None = None,
        *,
        snapshot: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Snapshot:
        """google.pubsub.v1.Subscriber.GetSnapshot."""
        answer: types.Snapshot = await self._calling.call(
            "/google.pubsub.v1.Subscriber/GetSnapshot",
            request_of("google.pubsub.v1.GetSnapshotRequest", request, {"snapshot": snapshot}),
            timeout=timeout,
        )
        return answer

    async def get_subscription(
        self,
        request: types.GetSubscriptionRequest | None = None,
        *,
        subscription: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Subscription:
        """google.pubsub.v1.Subscriber.GetSubscription."""
        answer: types.Subscription = await self._calling.call(
            "/google.pubsub.v1.Subscriber/GetSubscription",
            request_of("google.pubsub.v1.GetSubscriptionRequest", request, {"subscription": subscription}),
            timeout=timeout,
        )
        return answer

    def list_snapshots(
        self,
        request: types.ListSnapshotsRequest | None = None,
        *,
        project: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> AsyncIterator[types.Snapshot]:
        """google.pubsub.v1.Subscriber.ListSnapshots."""
        return self._calling.pages(
            "/google.pubsub.v1.Subscriber/ListSnapshots",
            request_of("google.pubsub.v1.ListSnapshotsRequest", request, {"project": project, "page_size": page_size, "page_token": page_token}),
            "snapshots",
            timeout=timeout,
        )

    def list_subscriptions(
        self,
        request: types.ListSubscriptionsRequest | None = None,
        *,
        project: str | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> AsyncIterator[types.Subscription]:
        """google.pubsub.v1.Subscriber.ListSubscriptions."""
        return self._calling.pages(
            "/google.pubsub.v1.Subscriber/ListSubscriptions",
            request_of("google.pubsub.v1.ListSubscriptionsRequest", request, {"project": project, "page_size": page_size, "page_token": page_token}),
            "subscriptions",
            timeout=timeout,
        )

    async def modify_ack_deadline(
        self,
        request: types.ModifyAckDeadlineRequest | None = None,
        *,
        subscription: str | None = None,
        ack_ids: Sequence[str] | None = None,
        ack_deadline_seconds: int | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> None:
        """google.pubsub.v1.Subscriber.ModifyAckDeadline."""
        await self._calling.call(
            "/google.pubsub.v1.Subscriber/ModifyAckDeadline",
            request_of(
                "google.pubsub.v1.ModifyAckDeadlineRequest",
                request,
                {"subscription": subscription, "ack_ids": ack_ids, "ack_deadline_seconds": ack_deadline_seconds},
            ),
            timeout=timeout,
        )

    async def modify_push_config(
        self,
        request: types.ModifyPushConfigRequest | None = None,
        *,
        subscription: str | None = None,
        push_config: types.PushConfig | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> None:
        """google.pubsub.v1.Subscriber.ModifyPushConfig."""
        await self._calling.call(
            "/google.pubsub.v1.Subscriber/ModifyPushConfig",
            request_of("google.pubsub.v1.ModifyPushConfigRequest", request, {"subscription": subscription, "push_config": push_config}),
            timeout=timeout,
        )

    async def pull(
        self,
        request: types.PullRequest | None = None,
        *,
        subscription: str | None = None,
        return_immediately: bool | None = None,
        max_messages: int | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.PullResponse:
        """google.pubsub.v1.Subscriber.Pull."""
        answer: types.PullResponse = await self._calling.call(
            "/google.pubsub.v1.Subscriber/Pull",
            request_of(
                "google.pubsub.v1.PullRequest",
                request,
                {"subscription": subscription, "return_immediately": return_immediately, "max_messages": max_messages},
            ),
            timeout=timeout,
        )
        return answer

    async def seek(
        self,
        request: types.SeekRequest | None = None,
        *,
        subscription: str | None = None,
        time: datetime.datetime | None = None,
        snapshot: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.SeekResponse:
        """google.pubsub.v1.Subscriber.Seek."""
        answer: types.SeekResponse = await self._calling.call(
            "/google.pubsub.v1.Subscriber/Seek",
            request_of("google.pubsub.v1.SeekRequest", request, {"subscription": subscription, "time": time, "snapshot": snapshot}),
            timeout=timeout,
        )
        return answer

    async def update_snapshot(
        self,
        request: types.UpdateSnapshotRequest | None = None,
        *,
        snapshot: types.Snapshot | None = None,
        update_mask: Sequence[str] | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Snapshot:
        """google.pubsub.v1.Subscriber.UpdateSnapshot."""
        answer: types.Snapshot = await self._calling.call(
            "/google.pubsub.v1.Subscriber/UpdateSnapshot",
            request_of("google.pubsub.v1.UpdateSnapshotRequest", request, {"snapshot": snapshot, "update_mask": update_mask}),
            timeout=timeout,
        )
        return answer

    async def update_subscription(
        self,
        request: types.UpdateSubscriptionRequest | None = None,
        *,
        subscription: types.Subscription | None = None,
        update_mask: Sequence[str] | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Subscription:
        """google.pubsub.v1.Subscriber.UpdateSubscription."""
        answer: types.Subscription = await self._calling.call(
            "/google.pubsub.v1.Subscriber/UpdateSubscription",
            request_of("google.pubsub.v1.UpdateSubscriptionRequest", request, {"subscription": subscription, "update_mask": update_mask}),
            timeout=timeout,
        )
        return answer

    async def commit_schema(
        self,
        request: types.CommitSchemaRequest | None = None,
        *,
        name: str | None = None,
        schema: types.Schema | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Schema:
        """google.pubsub.v1.SchemaService.CommitSchema."""
        answer: types.Schema = await self._calling.call(
            "/google.pubsub.v1.SchemaService/CommitSchema",
            request_of("google.pubsub.v1.CommitSchemaRequest", request, {"name": name, "schema": schema}),
            timeout=timeout,
        )
        return answer

    async def create_schema(
        self,
        request: types.CreateSchemaRequest | None = None,
        *,
        parent: str | None = None,
        schema: types.Schema | None = None,
        schema_id: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Schema:
        """google.pubsub.v1.SchemaService.CreateSchema."""
        answer: types.Schema = await self._calling.call(
            "/google.pubsub.v1.SchemaService/CreateSchema",
            request_of("google.pubsub.v1.CreateSchemaRequest", request, {"parent": parent, "schema": schema, "schema_id": schema_id}),
            timeout=timeout,
        )
        return answer

    async def delete_schema(
        self,
        request: types.DeleteSchemaRequest | None = None,
        *,
        name: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> None:
        """google.pubsub.v1.SchemaService.DeleteSchema."""
        await self._calling.call(
            "/google.pubsub.v1.SchemaService/DeleteSchema",
            request_of("google.pubsub.v1.DeleteSchemaRequest", request, {"name": name}),
            timeout=timeout,
        )

    async def delete_schema_revision(
        self,
        request: types.DeleteSchemaRevisionRequest | None = None,
        *,
        name: str | None = None,
        revision_id: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Schema:
        """google.pubsub.v1.SchemaService.DeleteSchemaRevision."""
        answer: types.Schema = await self._calling.call(
            "/google.pubsub.v1.SchemaService/DeleteSchemaRevision",
            request_of("google.pubsub.v1.DeleteSchemaRevisionRequest", request, {"name": name, "revision_id": revision_id}),
            timeout=timeout,
        )
        return answer

    async def get_schema(
        self,
        request: types.GetSchemaRequest | None = None,
        *,
        name: str | None = None,
        view: int | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Schema:
        """google.pubsub.v1.SchemaService.GetSchema."""
        answer: types.Schema = await self._calling.call(
            "/google.pubsub.v1.SchemaService/GetSchema",
            request_of("google.pubsub.v1.GetSchemaRequest", request, {"name": name, "view": view}),
            timeout=timeout,
        )
        return answer

    def list_schema_revisions(
        self,
        request: types.ListSchemaRevisionsRequest | None = None,
        *,
        name: str | None = None,
        view: int | None = None,
        page_size: int | None = None,
        page_token: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> AsyncIterator[types.Schema]:
        """google.pubsub.v1.SchemaService.ListSchemaRevisions."""
        return self._calling.pages(
            "/google.pubsub.v1.SchemaService/ListSchemaRevisions",
            request_of(
                "google.pubsub.v1.ListSchemaRevisionsRequest", request, {"name": name, "view": view, "page_size": page_size, "page_token": page_token}
            ),
            "schemas",
            timeout=timeout,
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
    ) -> AsyncIterator[types.Schema]:
        """google.pubsub.v1.SchemaService.ListSchemas."""
        return self._calling.pages(
            "/google.pubsub.v1.SchemaService/ListSchemas",
            request_of(
                "google.pubsub.v1.ListSchemasRequest", request, {"parent": parent, "view": view, "page_size": page_size, "page_token": page_token}
            ),
            "schemas",
            timeout=timeout,
        )

    async def rollback_schema(
        self,
        request: types.RollbackSchemaRequest | None = None,
        *,
        name: str | None = None,
        revision_id: str | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Schema:
        """google.pubsub.v1.SchemaService.RollbackSchema."""
        answer: types.Schema = await self._calling.call(
            "/google.pubsub.v1.SchemaService/RollbackSchema",
            request_of("google.pubsub.v1.RollbackSchemaRequest", request, {"name": name, "revision_id": revision_id}),
            timeout=timeout,
        )
        return answer

    async def validate_message(
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
        answer: types.ValidateMessageResponse = await self._calling.call(
            "/google.pubsub.v1.SchemaService/ValidateMessage",
            request_of(
                "google.pubsub.v1.ValidateMessageRequest",
                request,
                {"parent": parent, "name": name, "schema": schema, "message": message, "encoding": encoding},
            ),
            timeout=timeout,
        )
        return answer

    async def validate_schema(
        self,
        request: types.ValidateSchemaRequest | None = None,
        *,
        parent: str | None = None,
        schema: types.Schema | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.ValidateSchemaResponse:
        """google.pubsub.v1.SchemaService.ValidateSchema."""
        answer: types.ValidateSchemaResponse = await self._calling.call(
            "/google.pubsub.v1.SchemaService/ValidateSchema",
            request_of("google.pubsub.v1.ValidateSchemaRequest", request, {"parent": parent, "schema": schema}),
            timeout=timeout,
        )
        return answer

    async def set_iam_policy(
        self,
        request: types.SetIamPolicyRequest | None = None,
        *,
        resource: str | None = None,
        policy: types.Policy | None = None,
        update_mask: Sequence[str] | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Policy:
        """google.iam.v1.IAMPolicy.SetIamPolicy."""
        answer: types.Policy = await self._calling.call(
            "/google.iam.v1.IAMPolicy/SetIamPolicy",
            request_of("google.iam.v1.SetIamPolicyRequest", request, {"resource": resource, "policy": policy, "update_mask": update_mask}),
            timeout=timeout,
        )
        return answer

    async def get_iam_policy(
        self,
        request: types.GetIamPolicyRequest | None = None,
        *,
        resource: str | None = None,
        options: types.GetPolicyOptions | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.Policy:
        """google.iam.v1.IAMPolicy.GetIamPolicy."""
        answer: types.Policy = await self._calling.call(
            "/google.iam.v1.IAMPolicy/GetIamPolicy",
            request_of("google.iam.v1.GetIamPolicyRequest", request, {"resource": resource, "options": options}),
            timeout=timeout,
        )
        return answer

    async def test_iam_permissions(
        self,
        request: types.TestIamPermissionsRequest | None = None,
        *,
        resource: str | None = None,
        permissions: Sequence[str] | None = None,
        timeout: float | None = TIMEOUT_S,
    ) -> types.TestIamPermissionsResponse:
        """google.iam.v1.IAMPolicy.TestIamPermissions."""
        answer: types.TestIamPermissionsResponse = await self._calling.call(
            "/google.iam.v1.IAMPolicy/TestIamPermissions",
            request_of("google.iam.v1.TestIamPermissionsRequest", request, {"resource": resource, "permissions": permissions}),
            timeout=timeout,
        )
        return answer
