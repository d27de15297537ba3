"""Which permission an RPC needs on which resource: what a test denies by `deny("pubsub.topics.publish", topic)`.

Creating and listing is asked of the project in the service; here the name that is created counts too, and a project stands for all that is in it.

Source: "Required permissions", cloud.google.com/pubsub/docs/access-control.

PYTEST_DONT_REWRITE
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, Final

from google.protobuf.message import DecodeError

from publican_emulator.broker.policies import EVERY_PERMISSION
from publican_protocol.methods import IAM_POLICY, PUBLISHER, SCHEMA_SERVICE, SUBSCRIBER, methods
from publican_protocol.pool import message_class

TopicOf = Callable[[str], str]
"""Gives the topic's name of a subscription ("" when there is none of that name)."""

TOPIC_OF_SUBSCRIPTION: Final = "topic of subscription"

REQUIRED: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    f"/{PUBLISHER}/CreateTopic": (("pubsub.topics.create", "name"), ("pubsub.schemas.attach", "schema_settings.schema")),
    f"/{PUBLISHER}/UpdateTopic": (("pubsub.topics.update", "topic.name"), ("pubsub.schemas.attach", "topic.schema_settings.schema")),
    f"/{PUBLISHER}/Publish": (("pubsub.topics.publish", "topic"),),
    f"/{PUBLISHER}/GetTopic": (("pubsub.topics.get", "topic"),),
    f"/{PUBLISHER}/ListTopics": (("pubsub.topics.list", "project"),),
    f"/{PUBLISHER}/ListTopicSubscriptions": (("pubsub.topics.get", "topic"),),
    f"/{PUBLISHER}/ListTopicSnapshots": (("pubsub.topics.get", "topic"),),
    f"/{PUBLISHER}/DeleteTopic": (("pubsub.topics.delete", "topic"),),
    f"/{PUBLISHER}/DetachSubscription": (("pubsub.topics.detachSubscription", TOPIC_OF_SUBSCRIPTION),),
    f"/{SUBSCRIBER}/CreateSubscription": (("pubsub.subscriptions.create", "name"), ("pubsub.topics.attachSubscription", "topic")),
    f"/{SUBSCRIBER}/GetSubscription": (("pubsub.subscriptions.get", "subscription"),),
    f"/{SUBSCRIBER}/UpdateSubscription": (("pubsub.subscriptions.update", "subscription.name"),),
    f"/{SUBSCRIBER}/ListSubscriptions": (("pubsub.subscriptions.list", "project"),),
    f"/{SUBSCRIBER}/DeleteSubscription": (("pubsub.subscriptions.delete", "subscription"),),
    f"/{SUBSCRIBER}/ModifyAckDeadline": (("pubsub.subscriptions.consume", "subscription"),),
    f"/{SUBSCRIBER}/Acknowledge": (("pubsub.subscriptions.consume", "subscription"),),
    f"/{SUBSCRIBER}/Pull": (("pubsub.subscriptions.consume", "subscription"),),
    f"/{SUBSCRIBER}/StreamingPull": (("pubsub.subscriptions.consume", "subscription"),),
    f"/{SUBSCRIBER}/ModifyPushConfig": (("pubsub.subscriptions.update", "subscription"),),
    f"/{SUBSCRIBER}/GetSnapshot": (("pubsub.snapshots.get", "snapshot"),),
    f"/{SUBSCRIBER}/ListSnapshots": (("pubsub.snapshots.list", "project"),),
    f"/{SUBSCRIBER}/CreateSnapshot": (("pubsub.snapshots.create", "name"), ("pubsub.subscriptions.consume", "subscription")),
    f"/{SUBSCRIBER}/UpdateSnapshot": (("pubsub.snapshots.update", "snapshot.name"),),
    f"/{SUBSCRIBER}/DeleteSnapshot": (("pubsub.snapshots.delete", "snapshot"),),
    f"/{SUBSCRIBER}/Seek": (("pubsub.subscriptions.consume", "subscription"), ("pubsub.snapshots.seek", "snapshot")),
    f"/{SCHEMA_SERVICE}/CreateSchema": (("pubsub.schemas.create", "parent"),),
    f"/{SCHEMA_SERVICE}/GetSchema": (("pubsub.schemas.get", "name"),),
    f"/{SCHEMA_SERVICE}/ListSchemas": (("pubsub.schemas.list", "parent"),),
    f"/{SCHEMA_SERVICE}/ListSchemaRevisions": (("pubsub.schemas.listRevisions", "name"),),
    f"/{SCHEMA_SERVICE}/CommitSchema": (("pubsub.schemas.commit", "name"),),
    f"/{SCHEMA_SERVICE}/RollbackSchema": (("pubsub.schemas.rollback", "name"),),
    f"/{SCHEMA_SERVICE}/DeleteSchemaRevision": (("pubsub.schemas.delete", "name"),),
    f"/{SCHEMA_SERVICE}/DeleteSchema": (("pubsub.schemas.delete", "name"),),
    f"/{SCHEMA_SERVICE}/ValidateSchema": (("pubsub.schemas.validate", "parent"),),
    f"/{SCHEMA_SERVICE}/ValidateMessage": (("pubsub.schemas.validate", "parent"), ("pubsub.schemas.get", "name")),
    f"/{IAM_POLICY}/GetIamPolicy": tuple((f"pubsub.{each}.getIamPolicy", "resource") for each in ("topics", "subscriptions", "snapshots", "schemas")),
    f"/{IAM_POLICY}/SetIamPolicy": tuple((f"pubsub.{each}.setIamPolicy", "resource") for each in ("topics", "subscriptions", "snapshots", "schemas")),
    f"/{IAM_POLICY}/TestIamPermissions": (),  # anybody may ask what they may
}
"""By method path: permissions, each with the field of the request that names the resource."""


def covers(denied: str, resource: str) -> bool:
    """Say whether a denial for `denied` ("": everything; a project: all that is in it) is one for `resource`."""
    return not denied or resource == denied or resource.startswith((f"{denied}/", f"{denied}@"))


def denied_of(path: str, body: bytes, permission: str, denied: str, topic_of: TopicOf) -> str | None:
    """Give the resource on which a call needs `permission`, where the denial covers it; None: it needs none such."""
    for needed, field in REQUIRED.get(path, ()):
        if needed == permission and (resource := _resource(path, body, field, topic_of)) and covers(denied, resource):
            if path.startswith(f"/{IAM_POLICY}/") and f"/{needed.split('.')[1]}/" not in resource:
                continue
            return resource
    return None


def _resource(path: str, body: bytes, field: str, topic_of: TopicOf) -> str:
    try:
        request: Any = message_class(methods()[path].request).FromString(body)
    except DecodeError:
        return ""  # its handler will say so
    if field == TOPIC_OF_SUBSCRIPTION:
        return topic_of(request.subscription)
    return str(functools.reduce(getattr, field.split("."), request))


def check_permission(permission: str) -> None:
    """Refuse a name that no permission has.

    Raises:
        ValueError: it is none; the nearest one is told.
    """
    if permission not in EVERY_PERMISSION:
        import difflib  # for a mistaken name only

        (nearest,) = difflib.get_close_matches(permission, sorted(EVERY_PERMISSION), n=1, cutoff=0.0)
        raise ValueError(f"There is no permission {permission!r}. Did you mean {nearest!r}?")
