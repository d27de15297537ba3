"""The broker: all resources, the order of what is due, and the one door to every operation of the service.

What an operation does stands in operations/, by subject; here it gets its name: `broker.create_topic(...)` is `operations.topics.create_topic(broker,
...)`. Operations check everything before they change anything, and settle what is due first, so no result depends on whether a timer has fired.
`now` never runs backwards. `ready` collects the consumers that should come for messages: whoever runs operations drains it after each.

PYTEST_DONT_REWRITE
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from publican_emulator.broker.abilities import Abilities
from publican_emulator.broker.consumer import Consumer
from publican_emulator.broker.dead_letters import DeadLetters
from publican_emulator.broker.errors import PubsubError
from publican_emulator.broker.events import Fact, Kind, Listener
from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.intake import Intake
from publican_emulator.broker.log import Attic
from publican_emulator.broker.operations import deliveries, ingestion, policies, publishing, schemas, snapshots, subscriptions, topics, transforms
from publican_emulator.broker.schema import Compile, Schema, SchemaBook, no_compiler
from publican_emulator.broker.shelf import AnyShelf, Shelf
from publican_emulator.broker.snapshot import Snapshot
from publican_emulator.broker.state import document
from publican_emulator.broker.subscription import Subscription
from publican_emulator.broker.surroundings import Surroundings
from publican_emulator.broker.timers import Timers
from publican_emulator.broker.topic import Topic
from publican_emulator.broker.transforms import Pipelines


@dataclass(slots=True)
class Counters:
    """Numbers that are never given twice."""

    message_id: int = 0
    """The last message's."""
    serial: int = 0
    """The last one of subscriptions, leases and names that nobody chose."""
    consumer: int = 0
    """The last consumer's."""

    def next_serial(self) -> int:
        """Give a serial number."""
        self.serial += 1
        return self.serial

    def next_consumer(self) -> int:
        """Give a consumer's number."""
        self.consumer += 1
        return self.consumer


def _nobody() -> None:
    """Hear of ingestion settings where nobody reads anything."""


class Broker:
    """All topics, subscriptions, snapshots and schemas of all projects."""

    def __init__(
        self,
        listener: Listener | None = None,
        *,
        compile_schema: Compile = no_compiler,
        abilities: Abilities | None = None,
        enforces_quotas: bool = False,
    ) -> None:
        """`listener` is told every fact; `compile_schema` reads the definitions of schemas; `abilities`: what else is installed here.

        `enforces_quotas`: whether the numbers of resources are bounded as a project's are.
        """
        self.ready: list[Consumer] = []
        self.listener = listener
        self.enforces_quotas = enforces_quotas
        self.on_ingestion: Callable[[], None] = _nobody
        """Called when a topic is given ingestion settings."""
        self.abilities = abilities or Abilities()
        self.pipelines = Pipelines(self.abilities.javascript)
        self.intake = Intake()
        self.counters = Counters()
        self.topics: Shelf[Topic] = Shelf("topic")
        self.subscriptions: Shelf[Subscription] = Shelf("subscription")
        self.snapshots: Shelf[Snapshot] = Shelf("snapshot")
        self.schemas: Shelf[Schema] = Shelf("schema")
        self.schema_book = SchemaBook(compile_schema)
        self.timers = Timers()
        self.attic = Attic()
        self.surroundings = Surroundings(
            self.timers,
            self.counters.next_serial,
            self.counters.next_consumer,
            self.ready.append,
            DeadLetters(partial(publishing.publish_dead_letter, self)),
            partial(subscriptions.expire, self),
            self.pipelines,
            self.attic,
            listener,
        )

    # topics

    create_topic = topics.create_topic
    get_topic = topics.get_topic
    update_topic = topics.update_topic
    delete_topic = topics.delete_topic
    list_topics = topics.list_topics
    list_topic_subscriptions = topics.list_topic_subscriptions
    list_topic_snapshots = topics.list_topic_snapshots

    publish = publishing.publish
    publish_request = publishing.publish_request

    validate_transforms = transforms.validate_transforms
    try_transforms = transforms.try_transforms

    # subscriptions

    create_subscription = subscriptions.create_subscription
    get_subscription = subscriptions.get_subscription
    update_subscription = subscriptions.update_subscription
    delete_subscription = subscriptions.delete_subscription
    detach_subscription = subscriptions.detach_subscription
    list_subscriptions = subscriptions.list_subscriptions

    # deliveries

    open_pull = deliveries.open_pull
    open_stream = deliveries.open_stream
    set_stream_deadline = deliveries.set_stream_deadline
    want = deliveries.want
    pass_on = deliveries.pass_on
    lease = deliveries.lease
    close = deliveries.close
    acknowledge = deliveries.acknowledge
    try_acknowledge = deliveries.try_acknowledge
    modify_ack_deadline = deliveries.modify_ack_deadline
    try_modify_ack_deadline = deliveries.try_modify_ack_deadline
    check_ack_ids = deliveries.check_ack_ids
    carried = deliveries.carried
    not_carried = deliveries.not_carried
    not_fitting = deliveries.not_fitting
    set_export_state = deliveries.set_export_state
    schema_values = schemas.schema_values

    # snapshots and seeks

    create_snapshot = snapshots.create_snapshot
    get_snapshot = snapshots.get_snapshot
    update_snapshot = snapshots.update_snapshot
    delete_snapshot = snapshots.delete_snapshot
    list_snapshots = snapshots.list_snapshots
    seek_to_time = snapshots.seek_to_time
    seek_to_snapshot = snapshots.seek_to_snapshot

    # schemas

    create_schema = schemas.create_schema
    get_schema = schemas.get_schema
    list_schemas = schemas.list_schemas
    list_schema_revisions = schemas.list_schema_revisions
    commit_schema = schemas.commit_schema
    rollback_schema = schemas.rollback_schema
    delete_schema_revision = schemas.delete_schema_revision
    delete_schema = schemas.delete_schema
    validate_schema = schemas.validate_schema
    validate_message = schemas.validate_message

    # policies

    get_policy = policies.get_policy
    set_policy = policies.set_policy
    test_permissions = policies.test_permissions

    # ingestion

    ingesting_topics = ingestion.ingesting_topics
    note_ingestion = ingestion.note_ingestion

    # the whole of it

    dump_state = document.dump_state
    load_state = document.load_state

    # time

    def next_due(self) -> Nanos | None:
        """Give the instant of the next thing that happens by itself; None: nothing will."""
        return self.timers.next_due()

    def earliest_due(self) -> Nanos | None:
        """Give an instant at or before `next_due`, at less cost: for setting a timer after each operation."""
        return self.timers.earliest()

    def settle(self, now: Nanos) -> None:
        """Let everything happen that is due at `now`, in the order of its instants."""
        while (popped := self.timers.pop_due(now)) is not None:
            due, owner = popped
            owner.settle(now if isinstance(owner, Subscription) and owner.settles_alone else due)
            self.timers.arm(owner, owner.next_due())
        if self.attic.chains:
            self.attic.sweep()

    # what operations share

    def use(self, subscription: str, now: Nanos, *, shown: str | None = None) -> Subscription:
        """Give a subscription that somebody uses: that keeps it from expiring. `shown` is how an error names it; None: by its id.

        Raises:
            InvalidArgument: the name's form.
            NotFound: there is none of that name.
        """
        known = self.subscriptions.get(subscription, shown=shown)
        known.last_activity = now
        return known

    def state(self, kind: Kind, resource: str, now: Nanos, note: str = "") -> None:
        """State a fact about a resource, if somebody listens."""
        if self.listener is not None:
            self.listener(Fact(now, kind, resource, note=note))

    # what others may ask, and do to all

    def consumers(self) -> list[Consumer]:
        """Give every consumer that is open."""
        return [consumer for subscription in self.subscriptions for consumer in subscription.rotation.consumers]

    def end_consumers(self, error: PubsubError, subscriptions: Iterable[Subscription] | None = None) -> None:
        """Tell every consumer, or the clients of some subscriptions, that it will get nothing any more."""
        for subscription in self.subscriptions if subscriptions is None else subscriptions:
            subscription.rotation.end_all(error)
            if subscriptions is None and subscription.outgoing is not None:
                subscription.rotation.end(subscription.outgoing.consumer, error)

    def shelves(self) -> tuple[AnyShelf, ...]:
        """Give the topics, subscriptions, snapshots and schemas."""
        return self.topics, self.subscriptions, self.snapshots, self.schemas

    def existing_names(self, kind: str) -> list[str]:
        """Give the names of all topics, subscriptions, snapshots or schemas ("topic", ...): for saying which one was meant."""
        return [name for shelf in self.shelves() if shelf.kind == kind for name in shelf.names()]
