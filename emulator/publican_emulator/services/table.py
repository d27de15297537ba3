"""Which method serves which path: the table that the dispatcher is given.

PYTEST_DONT_REWRITE
"""

from collections.abc import Mapping
from typing import Any, Final

from publican_emulator.driver import Driver
from publican_emulator.rpc.call import CallInfo, Handler, StreamHandler
from publican_emulator.rpc.stream import MessageStream
from publican_emulator.services import health
from publican_emulator.services.answer import handler
from publican_emulator.services.policies import IamPolicy, IsDenied
from publican_emulator.services.publisher import Publisher
from publican_emulator.services.schemas import SchemaService
from publican_emulator.services.snapshots import Snapshots
from publican_emulator.services.subscriber import Subscriber
from publican_protocol.methods import IAM_POLICY, PUBLISHER, SCHEMA_SERVICE, SUBSCRIBER, methods

REFLECTION: Final = (
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
)


def unary(driver: Driver, hot: Mapping[str, Handler], is_denied: IsDenied = lambda permission, resource: False) -> dict[str, Handler]:
    """Give the handler of every unary RPC by its path; `hot` are those on wire bytes (Publish, Pull, ...)."""
    table: dict[str, Handler] = {health.CHECK: health.check}
    for path, served in _on_messages(driver, is_denied).items():
        table[path] = handler(methods()[path].request, served)
    table.update(hot)
    return table


def streaming(hot: Mapping[str, StreamHandler]) -> dict[str, StreamHandler]:
    """Give the handler of every streaming RPC by its path."""
    return {health.WATCH: health.watch, **dict.fromkeys(REFLECTION, _reflect), **hot}


async def _reflect(stream: MessageStream, info: CallInfo) -> None:
    from publican_emulator.services import reflection  # what only a client without the API's definitions asks for

    await reflection.describe(stream)


def _on_messages(driver: Driver, is_denied: IsDenied) -> dict[str, Any]:
    publisher, subscriber, snapshots, schemas = Publisher(driver), Subscriber(driver), Snapshots(driver), SchemaService(driver)
    policies = IamPolicy(driver, is_denied)
    return {
        f"/{PUBLISHER}/CreateTopic": publisher.create_topic,
        f"/{PUBLISHER}/UpdateTopic": publisher.update_topic,
        f"/{PUBLISHER}/GetTopic": publisher.get_topic,
        f"/{PUBLISHER}/ListTopics": publisher.list_topics,
        f"/{PUBLISHER}/ListTopicSubscriptions": publisher.list_topic_subscriptions,
        f"/{PUBLISHER}/ListTopicSnapshots": publisher.list_topic_snapshots,
        f"/{PUBLISHER}/DeleteTopic": publisher.delete_topic,
        f"/{PUBLISHER}/DetachSubscription": publisher.detach_subscription,
        f"/{SUBSCRIBER}/CreateSubscription": subscriber.create_subscription,
        f"/{SUBSCRIBER}/GetSubscription": subscriber.get_subscription,
        f"/{SUBSCRIBER}/UpdateSubscription": subscriber.update_subscription,
        f"/{SUBSCRIBER}/ListSubscriptions": subscriber.list_subscriptions,
        f"/{SUBSCRIBER}/DeleteSubscription": subscriber.delete_subscription,
        f"/{SUBSCRIBER}/ModifyPushConfig": subscriber.modify_push_config,
        f"/{SUBSCRIBER}/Seek": subscriber.seek,
        f"/{SUBSCRIBER}/CreateSnapshot": snapshots.create_snapshot,
        f"/{SUBSCRIBER}/GetSnapshot": snapshots.get_snapshot,
        f"/{SUBSCRIBER}/UpdateSnapshot": snapshots.update_snapshot,
        f"/{SUBSCRIBER}/ListSnapshots": snapshots.list_snapshots,
        f"/{SUBSCRIBER}/DeleteSnapshot": snapshots.delete_snapshot,
        f"/{SCHEMA_SERVICE}/CreateSchema": schemas.create_schema,
        f"/{SCHEMA_SERVICE}/GetSchema": schemas.get_schema,
        f"/{SCHEMA_SERVICE}/ListSchemas": schemas.list_schemas,
        f"/{SCHEMA_SERVICE}/ListSchemaRevisions": schemas.list_schema_revisions,
        f"/{SCHEMA_SERVICE}/CommitSchema": schemas.commit_schema,
        f"/{SCHEMA_SERVICE}/RollbackSchema": schemas.rollback_schema,
        f"/{SCHEMA_SERVICE}/DeleteSchemaRevision": schemas.delete_schema_revision,
        f"/{SCHEMA_SERVICE}/DeleteSchema": schemas.delete_schema,
        f"/{SCHEMA_SERVICE}/ValidateSchema": schemas.validate_schema,
        f"/{SCHEMA_SERVICE}/ValidateMessage": schemas.validate_message,
        f"/{IAM_POLICY}/GetIamPolicy": policies.get_iam_policy,
        f"/{IAM_POLICY}/SetIamPolicy": policies.set_iam_policy,
        f"/{IAM_POLICY}/TestIamPermissions": policies.test_iam_permissions,
    }
