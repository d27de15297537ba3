"""Subscriptions: create, look at, change, detach, delete and list them.

Source: google.pubsub.v1.Subscriber; docs/semantics.md, subscriptions and lifecycle.

PYTEST_DONT_REWRITE
"""

from typing import TYPE_CHECKING

from publican_emulator.broker import limits
from publican_emulator.broker.errors import BadArgument, NotFound, ResourceExhausted
from publican_emulator.broker.events import Kind
from publican_emulator.broker.exports import BigQueryConfig, CloudStorageConfig
from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.operations.transforms import check_pipeline
from publican_emulator.broker.settings import DeadLetterPolicy, SubscriptionSettings
from publican_emulator.broker.subscription import Subscription
from publican_emulator.broker.topic import Topic
from publican_protocol import names

if TYPE_CHECKING:
    from publican_emulator.broker.broker import Broker


def create_subscription(broker: "Broker", name: str, topic: str, settings: SubscriptionSettings, now: Nanos) -> Subscription:
    """Create a subscription; it gets what is published from now on. An empty name asks for one in the topic's project.

    Raises:
        InvalidArgument: the form of a name.
        NotFound: the topic, or the dead-letter topic, does not exist.
        AlreadyExists: there is one of that name.
        FailedPrecondition: a library that it would need is not installed.
        ResourceExhausted: the project or the topic has as many as it may have.
    """
    broker.settle(now)
    if name:
        broker.subscriptions.check_form(name)
    broker.topics.check_form(topic)
    broker.subscriptions.check_free(name)
    known = broker.topics.get(topic)
    _check_dead_letter_topic(broker, settings.dead_letter)
    _check_able(broker, name, settings)
    _check_topic_schema(known, settings)
    name = name or broker.subscriptions.free_name(names.project_of(topic), broker.counters.next_serial())
    if broker.enforces_quotas:
        _check_quotas(broker, name, known)
    subscription = Subscription(name, broker.counters.next_serial(), known, settings, broker.surroundings, now)
    broker.subscriptions.put(name, subscription)
    known.attach(subscription)
    broker.timers.arm(subscription, subscription.next_due())
    broker.state(Kind.CREATED, name, now, note=f"on {topic}")
    return subscription


def _check_quotas(broker: "Broker", name: str, topic: Topic) -> None:
    broker.subscriptions.check_room(name, limits.SUBSCRIPTIONS)
    if len(topic.subscriptions) >= limits.TOPIC_SUBSCRIPTIONS:
        raise ResourceExhausted(f"The topic {topic.name} has {limits.TOPIC_SUBSCRIPTIONS} subscriptions, as many as the quota allows.")


def _check_dead_letter_topic(broker: "Broker", policy: DeadLetterPolicy | None) -> None:
    if policy is not None and policy.topic != names.DELETED_TOPIC:
        broker.topics.get(policy.topic)


def _check_able(broker: "Broker", name: str, settings: SubscriptionSettings) -> None:
    """Refuse what this installation cannot do, and functions that do not compile."""
    if settings.push is not None and settings.push.oidc is not None:
        broker.abilities.check_oidc()
    if settings.cloud_storage is not None and settings.cloud_storage.output == "avro":
        broker.abilities.check_avro()
    check_pipeline(broker, name, settings.transforms)


def _check_topic_schema(topic: Topic | None, settings: SubscriptionSettings) -> None:
    """Refuse an export by a schema that the topic does not have."""
    export = settings.export
    uses = isinstance(export, BigQueryConfig | CloudStorageConfig) and export.use_topic_schema
    if uses and topic is not None and topic.settings.schema is None:
        field = "bigquery_config" if settings.bigquery is not None else "cloud_storage_config.avro_config"
        raise BadArgument(f"{field}.use_topic_schema", f"The topic {topic.name} has no schema.")


def get_subscription(broker: "Broker", name: str, now: Nanos) -> Subscription:
    """Give a subscription."""
    broker.settle(now)
    return broker.use(name, now)


def update_subscription(broker: "Broker", name: str, settings: SubscriptionSettings, now: Nanos) -> Subscription:
    """Give a subscription other settings; leases keep their deadlines.

    Raises:
        NotFound: it, or its new dead-letter topic, does not exist.
    """
    broker.settle(now)
    subscription = broker.use(name, now)
    if settings.dead_letter != subscription.settings.dead_letter:
        _check_dead_letter_topic(broker, settings.dead_letter)
    _check_able(broker, name, settings)
    if settings.export != subscription.settings.export:
        _check_topic_schema(subscription.topic, settings)
    subscription.reconfigure(settings, now)
    broker.state(Kind.UPDATED, name, now)
    return subscription


def delete_subscription(broker: "Broker", name: str, now: Nanos) -> None:
    """Delete a subscription and its backlog."""
    broker.settle(now)
    _delete(broker, broker.subscriptions.get(name), now)


def _delete(broker: "Broker", subscription: Subscription, now: Nanos, note: str = "") -> None:
    broker.subscriptions.remove(subscription.name)
    if subscription.topic is not None:
        subscription.topic.detach(subscription)
    broker.timers.disarm(subscription)
    subscription.end(NotFound("subscription", subscription.name, shown=subscription.name))
    broker.state(Kind.DELETED, subscription.name, now, note=note)


def expire(broker: "Broker", subscription: Subscription, now: Nanos) -> None:
    """Delete a subscription that nobody has used for its time to live."""
    _delete(broker, subscription, now, "expired: nobody used it")


def detach_subscription(broker: "Broker", name: str, now: Nanos) -> None:
    """Detach a subscription from its topic for good; its backlog is dropped."""
    broker.settle(now)
    subscription = broker.use(name, now)
    if subscription.detached:
        return
    subscription.detached = True
    if subscription.topic is not None:
        subscription.topic.detach(subscription)
    subscription.end(subscription.detached_error())
    broker.state(Kind.DETACHED, name, now)


def list_subscriptions(broker: "Broker", project: str, now: Nanos) -> list[Subscription]:
    """Give the subscriptions of a project (`projects/p`), sorted by name."""
    broker.settle(now)
    return broker.subscriptions.of_project(project)
