"""Topics: create, look at, change, delete and list them.

Source: google.pubsub.v1.Publisher; docs/semantics.md, lifecycle.

PYTEST_DONT_REWRITE
"""

from typing import TYPE_CHECKING

from publican_emulator.broker import limits
from publican_emulator.broker.events import Kind
from publican_emulator.broker.ingestion import Ingested
from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.operations.schemas import check_schema_settings
from publican_emulator.broker.operations.transforms import check_pipeline
from publican_emulator.broker.retention import span_of
from publican_emulator.broker.settings import TopicSettings
from publican_emulator.broker.topic import Topic

if TYPE_CHECKING:
    from publican_emulator.broker.broker import Broker


def create_topic(broker: "Broker", name: str, settings: TopicSettings, now: Nanos) -> Topic:
    """Create a topic.

    Raises:
        InvalidArgument: the name's form, or a function that does not compile.
        AlreadyExists: there is one of that name.
        FailedPrecondition: nothing here runs JavaScript.
        NotFound: its schema, or a revision of it, does not exist.
        ResourceExhausted: the project has as many as it may have.
    """
    broker.settle(now)
    broker.topics.check_form(name)
    broker.topics.check_free(name)
    if broker.enforces_quotas:
        broker.topics.check_room(name, limits.TOPICS)
    check_schema_settings(broker, settings.schema)
    check_pipeline(broker, name, settings.transforms)
    topic = Topic(name, settings, broker.attic)
    broker.topics.put(name, topic)
    if settings.ingestion is not None:
        broker.on_ingestion()
    broker.state(Kind.CREATED, name, now)
    return topic


def get_topic(broker: "Broker", name: str, now: Nanos) -> Topic:
    """Give a topic.

    Raises:
        InvalidArgument: the name's form.
        NotFound: there is none of that name.
    """
    broker.settle(now)
    return broker.topics.get(name)


def update_topic(broker: "Broker", name: str, settings: TopicSettings, now: Nanos) -> Topic:
    """Give a topic other settings.

    Raises:
        NotFound: it, its new schema, or a revision of that does not exist.
    """
    broker.settle(now)
    topic = broker.topics.get(name)
    if settings.schema != topic.settings.schema:
        check_schema_settings(broker, settings.schema)
    if settings.transforms != topic.settings.transforms:
        check_pipeline(broker, name, settings.transforms)
    if settings.ingestion != topic.settings.ingestion:
        topic.ingested = Ingested()
    topic.retain(settings)
    if settings.ingestion is not None:
        broker.on_ingestion()
    topic.settle(now)
    broker.timers.arm(topic, topic.next_due())
    for subscription in topic.subscriptions.values():
        subscription.retention.span = span_of(topic, subscription.settings)
        subscription.rearm(now)
    broker.state(Kind.UPDATED, name, now)
    return topic


def delete_topic(broker: "Broker", name: str, now: Nanos) -> None:
    """Delete a topic; its subscriptions keep what they have, and get nothing more."""
    broker.settle(now)
    topic = broker.topics.get(name)
    broker.topics.remove(name)
    topic.keep_no_more()
    broker.timers.disarm(topic)
    for subscription in [each for each in broker.subscriptions if each.topic is topic]:
        subscription.topic = None
        subscription.retention.span = span_of(None, subscription.settings)
        subscription.rearm(now)
    for snapshot_name in topic.snapshots:
        broker.snapshots.get(snapshot_name).topic = None
    for subscription in broker.subscriptions:
        subscription.on_topic_deleted(name)
    broker.state(Kind.DELETED, name, now)


def list_topics(broker: "Broker", project: str, now: Nanos) -> list[Topic]:
    """Give the topics of a project (`projects/p`), sorted by name."""
    broker.settle(now)
    return broker.topics.of_project(project)


def list_topic_subscriptions(broker: "Broker", topic: str, now: Nanos) -> list[str]:
    """Give the names of the subscriptions attached to a topic, sorted."""
    broker.settle(now)
    return sorted(broker.topics.get(topic).subscriptions)


def list_topic_snapshots(broker: "Broker", topic: str, now: Nanos) -> list[str]:
    """Give the names of a topic's snapshots, sorted."""
    broker.settle(now)
    return sorted(broker.topics.get(topic).snapshots)
