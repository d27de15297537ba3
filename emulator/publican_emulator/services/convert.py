"""Protobuf resources to the broker's settings and back: what a caller sets, and what every answer shows.

Bounds are the settings' own business; here stands which proto field is which setting, and what an absent field means. Output-only fields in a
request are ignored, as the service does.

Source: the comments of google/pubsub/v1/pubsub.proto.

PYTEST_DONT_REWRITE
"""

from collections.abc import Mapping
from typing import Final

from publican_emulator.broker import limits
from publican_emulator.broker.errors import BadArgument
from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.schema_settings import Encoding, SchemaSettings
from publican_emulator.broker.settings import DeadLetterPolicy, RetryPolicy, SubscriptionSettings, TopicSettings, check_tags
from publican_emulator.broker.snapshot import Snapshot
from publican_emulator.broker.subscription import Subscription
from publican_emulator.broker.topic import Topic
from publican_emulator.services import ingestion, targets, transforms
from publican_emulator.services.stamps import set_span, span
from publican_protocol import pubsub

OUTPUT_ONLY: Final[Mapping[str, frozenset[str]]] = {
    "Topic": frozenset({"satisfies_pzs", "state"}),
    "Subscription": frozenset({"detached", "state", "topic_message_retention_duration", "analytics_hub_subscription_info"}),
}


_ENCODINGS: Final = {1: Encoding.JSON, 2: Encoding.BINARY}
"""By the numbers of google.pubsub.v1.Encoding."""


def topic_settings(topic: pubsub.Topic) -> TopicSettings:
    """Read a topic's settings."""
    check_tags(topic.tags)
    policy = topic.message_storage_policy
    has_policy = topic.HasField("message_storage_policy")
    return TopicSettings(
        labels=dict(topic.labels),
        message_retention=span(topic, "message_retention_duration"),
        kms_key_name=topic.kms_key_name,
        allowed_regions=tuple(policy.allowed_persistence_regions) if has_policy else None,
        enforce_in_transit=policy.enforce_in_transit,
        schema=_schema(topic),
        ingestion=ingestion.settings(topic),
        transforms=transforms.transforms(topic.message_transforms),
    )


def topic_message(topic: Topic) -> pubsub.Topic:
    """Write a topic as every answer shows it."""
    settings = topic.settings
    message = pubsub.Topic(name=topic.name, labels=dict(settings.labels), kms_key_name=settings.kms_key_name)
    if settings.message_retention is not None:
        set_span(message.message_retention_duration, settings.message_retention)
    if settings.allowed_regions is not None:
        policy = message.message_storage_policy
        policy.allowed_persistence_regions.extend(settings.allowed_regions)
        policy.enforce_in_transit = settings.enforce_in_transit
    if settings.ingestion is not None:
        ingestion.write(message, settings.ingestion, topic.ingested.state)
    message.message_transforms.extend(transforms.messages(settings.transforms))
    if settings.schema is not None:
        used = settings.schema
        message.schema_settings.schema = used.schema
        message.schema_settings.encoding = pubsub.Encoding.Value(used.encoding.value)
        message.schema_settings.first_revision_id = used.first_revision_id
        message.schema_settings.last_revision_id = used.last_revision_id
    return message


def _schema(topic: pubsub.Topic) -> SchemaSettings | None:
    if not topic.HasField("schema_settings"):
        return None
    used = topic.schema_settings
    chosen = encoding(used.encoding, "schema_settings.encoding")
    return SchemaSettings(used.schema, chosen, used.first_revision_id, used.last_revision_id)


def encoding(number: int, field: str) -> Encoding:
    """Read an Encoding.

    Raises:
        BadArgument: it is none.
    """
    if number not in _ENCODINGS:
        raise BadArgument(field, "It must be JSON or BINARY.")
    return _ENCODINGS[number]


def subscription_settings(subscription: pubsub.Subscription) -> SubscriptionSettings:
    """Read a subscription's settings; what is absent has the service's default."""
    check_tags(subscription.tags)
    ttl = _expiration_ttl(subscription)
    return SubscriptionSettings(
        ack_deadline_s=subscription.ack_deadline_seconds or limits.ACK_DEADLINE_S_DEFAULT,
        retain_acked_messages=subscription.retain_acked_messages,
        message_retention=_retention(subscription, ttl),
        labels=dict(subscription.labels),
        enable_message_ordering=subscription.enable_message_ordering,
        expiration_ttl=ttl,
        filter=subscription.filter,
        dead_letter=_dead_letter(subscription),
        retry=_retry(subscription),
        enable_exactly_once_delivery=subscription.enable_exactly_once_delivery,
        push=targets.push_config(subscription.push_config),
        bigquery=targets.bigquery(subscription),
        cloud_storage=targets.cloud_storage(subscription),
        bigtable=targets.bigtable(subscription),
        transforms=transforms.transforms(subscription.message_transforms),
    )


def subscription_message(subscription: Subscription) -> pubsub.Subscription:
    """Write a subscription as every answer shows it: with the values in effect, also those nobody sent."""
    settings = subscription.settings
    message = pubsub.Subscription(
        name=subscription.name,
        topic=subscription.topic_name,
        ack_deadline_seconds=settings.ack_deadline_s,
        retain_acked_messages=settings.retain_acked_messages,
        labels=dict(settings.labels),
        enable_message_ordering=settings.enable_message_ordering,
        filter=settings.filter,
        detached=subscription.detached,
        enable_exactly_once_delivery=settings.enable_exactly_once_delivery,
        state=pubsub.Subscription.State.ACTIVE,
    )
    message.push_config.CopyFrom(targets.push_message(settings.push))
    targets.write_export(message, settings, subscription.export_state)
    message.message_transforms.extend(transforms.messages(settings.transforms))
    message.expiration_policy.SetInParent()
    set_span(message.message_retention_duration, settings.message_retention)
    if settings.expiration_ttl is not None:
        set_span(message.expiration_policy.ttl, settings.expiration_ttl)
    if settings.dead_letter is not None:
        message.dead_letter_policy.dead_letter_topic = settings.dead_letter.topic
        message.dead_letter_policy.max_delivery_attempts = settings.dead_letter.max_delivery_attempts
    if settings.retry is not None:
        set_span(message.retry_policy.minimum_backoff, settings.retry.minimum_backoff)
        set_span(message.retry_policy.maximum_backoff, settings.retry.maximum_backoff)
    if subscription.topic_message_retention is not None:
        set_span(message.topic_message_retention_duration, subscription.topic_message_retention)
    return message


def snapshot_message(snapshot: Snapshot) -> pubsub.Snapshot:
    """Write a snapshot as every answer shows it."""
    message = pubsub.Snapshot(name=snapshot.name, topic=snapshot.topic_name, labels=dict(snapshot.labels))
    set_span(message.expire_time, snapshot.expire_time)
    return message


def _retention(subscription: pubsub.Subscription, ttl: Nanos | None) -> Nanos:
    said = span(subscription, "message_retention_duration")
    if said is not None:
        return said
    default = limits.MESSAGE_RETENTION_DEFAULT
    return Nanos(default if ttl is None or ttl < limits.EXPIRATION_TTL_MIN else min(default, ttl))


def _expiration_ttl(subscription: pubsub.Subscription) -> Nanos | None:
    """Read the time to live: absent policy is the default, a policy without one means never."""
    if not subscription.HasField("expiration_policy"):
        return Nanos(limits.EXPIRATION_TTL_DEFAULT)
    return span(subscription.expiration_policy, "ttl")


def _dead_letter(subscription: pubsub.Subscription) -> DeadLetterPolicy | None:
    if not subscription.HasField("dead_letter_policy"):
        return None
    policy = subscription.dead_letter_policy
    return DeadLetterPolicy(policy.dead_letter_topic, policy.max_delivery_attempts or limits.DELIVERY_ATTEMPTS_DEFAULT)


def _retry(subscription: pubsub.Subscription) -> RetryPolicy | None:
    if not subscription.HasField("retry_policy"):
        return None
    policy = subscription.retry_policy
    minimum, maximum = span(policy, "minimum_backoff"), span(policy, "maximum_backoff")
    return RetryPolicy(
        Nanos(limits.MINIMUM_BACKOFF_DEFAULT) if minimum is None else minimum,
        Nanos(limits.MAXIMUM_BACKOFF_DEFAULT) if maximum is None else maximum,
    )
