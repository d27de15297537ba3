"""The broker and the model, driven by the same steps, and compared after each.

The invariants: every message that passes the filter is delivered until it is acked, and none is lost; none is delivered after an ack that
exactly-once delivery confirmed; within a key, order is that of publishing; a key never has two holders; attempts never skip; what the broker refuses
is what the model refuses; advancing by a + b is the same as advancing by a, then by b; and a broker that is dumped and loaded gives the same answers.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from publican_emulator.broker.batch import Batch
from publican_emulator.broker.broker import Broker
from publican_emulator.broker.consumer import Consumer, Mood
from publican_emulator.broker.errors import FailedPrecondition, InvalidArgument, NotFound, PubsubError
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.settings import DeadLetterPolicy, RetryPolicy, SubscriptionSettings, TopicSettings
from publican_emulator.broker.state.document import from_bytes, to_bytes
from publican_protocol.pool import message_class
from tests.properties.model import FILTERS, Copy, Message, Settings, Subscription, World

NOON = 1_700_000_000 * SECOND
TOPIC, DEAD = "projects/p/topics/lively", "projects/p/topics/dead"
SUBSCRIPTIONS = ("projects/p/subscriptions/first", "projects/p/subscriptions/second")
MORGUE = "projects/p/subscriptions/morgue"
SNAPSHOTS = ("projects/p/snapshots/one", "projects/p/snapshots/two")
PREFIX = "CloudPubSubDeadLetterSource"
MUCH = 10_000_000


def settings_of(settings: Settings) -> SubscriptionSettings:
    """Say to the broker what the model is told."""
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


SETTINGS = st.builds(
    Settings,
    deadline=st.sampled_from([10, 11, 15]),
    ordered=st.booleans(),
    exactly_once=st.booleans(),
    filter=st.sampled_from(["", "", "", *FILTERS]),
    dead_letter=st.sampled_from(["", "", DEAD]),
    backoff=st.sampled_from([None, None, (0, 0), (1, 4), (5, 5)]),
    retention=st.sampled_from([600, 3600]),
    keep_acked=st.booleans(),
)
KEYS = st.sampled_from(["", "", "k", "l"])
ATTRIBUTES = st.sampled_from([{}, {"a": "x"}, {"a": "y"}, {"b": ""}, {"a": "xy", "b": "z"}])
SECONDS = st.sampled_from([0.001, 0.5, 1, 1, 1, 2, 3, 4, 5, 5, 9.999, 10, 11, 20, 60, 580, 590, 600])
SEEKS = (-3600, -3600, -3600, -600, -60, -10, -1, -0.001, 0, 60)
NAMES = st.sampled_from(SUBSCRIPTIONS)
PICKS = st.lists(st.one_of(st.integers(0, 5), st.integers(0, 60)), min_size=1, max_size=4)


class Machine(RuleBasedStateMachine):
    """Two subscriptions of one topic, with settings of all kinds, and one for what they forward."""

    most_streams = 4

    def __init__(self) -> None:
        super().__init__()
        self.broker = Broker()
        self.world = World()
        self.now = NOON
        self.published = 0
        self.streams: list[tuple[str, Consumer]] = []
        self.ids: dict[str, list[str]] = {}
        self.message_ids: dict[str, str] = {}

    def new_broker(self, *, is_watched: bool) -> Broker:
        """Give the broker to compare; a listener must change nothing."""
        return Broker((lambda _: None) if is_watched else None)

    def create_topic(self, name: str) -> None:
        self.broker.create_topic(name, TopicSettings(), Nanos(self.now))
        self.world.create_topic(name)

    @initialize(settings=st.tuples(SETTINGS, SETTINGS), is_watched=st.booleans())
    def subscribe(self, settings: tuple[Settings, Settings], *, is_watched: bool) -> None:
        self.broker = self.new_broker(is_watched=is_watched)
        for topic in (TOPIC, DEAD):
            self.create_topic(topic)
        for name, chosen in zip(SUBSCRIPTIONS, settings, strict=True):
            self.create(name, TOPIC, chosen)
        self.create(MORGUE, DEAD, Settings(deadline=600, retention=86400))

    def create(self, name: str, topic: str, settings: Settings) -> None:
        self.broker.create_subscription(name, topic, settings_of(settings), Nanos(self.now))
        self.world.subscribe(name, topic, settings)
        self.ids[name] = []

    # publish

    @rule(count=st.integers(1, 5), key=KEYS, attributes=ATTRIBUTES)
    def publish(self, count: int, key: str, attributes: dict[str, str]) -> None:
        self.published += count
        texts = [str(self.published - count + number) for number in range(count)]
        wire = [message_class("google.pubsub.v1.PubsubMessage")(data=text.encode(), ordering_key=key, attributes=attributes) for text in texts]
        ids = self.broker.publish(TOPIC, [message.SerializeToString() for message in wire], Nanos(self.now))
        self.message_ids.update(zip(texts, map(str, ids), strict=True))
        self.world.publish(self.world.topics[TOPIC], [Message(text, key, attributes) for text in texts], self.now)

    # take

    @rule(name=NAMES, count=st.sampled_from([1, 1, 2, 3, 10]))
    def pull(self, name: str, count: int) -> None:
        self.take_once(name, count)

    def take_once(self, name: str, count: int) -> int:
        """Pull, and say how many came."""
        consumer = self.broker.open_pull(name, count, Nanos(self.now))
        batch = self.broker.lease(consumer, MUCH, Nanos(self.now))
        self.broker.close(consumer, Nanos(self.now))
        subscription = self.world.subscriptions[name]
        available = subscription.available(consumer, self.now)
        most = min(count, len(available))
        has_rivals = any(other.mood in (Mood.WAITING, Mood.READY) for theirs, other in self.streams if theirs == name)
        least = min(most, 1) if has_rivals else most  # what is there is shared among those who ask
        assert least <= len(batch) <= most, f"{len(batch)} of {count} came, not of {[copy.message.data for copy in available]}"
        self.check(subscription, consumer, batch, subscription.settings.deadline)
        return len(batch)

    def check(self, subscription: Subscription, consumer: Consumer, batch: Batch, deadline_s: int) -> None:
        """Check each delivery when it is its turn, and take it over."""
        unkeyed = [copy for copy in subscription.available(consumer, self.now) if not subscription.is_keyed(copy)]
        for delivery in batch.deliveries():
            read: Any = message_class("google.pubsub.v1.PubsubMessage").FromString(delivery.message)
            attributes = {key: value for key, value in read.attributes.items() if not key.startswith(PREFIX)}
            origin = read.attributes.get(PREFIX + "Subscription", "")
            count = read.attributes.get(PREFIX + "DeliveryCount", "0")
            available = subscription.available(consumer, self.now)
            copies = [
                c
                for c in available
                if c.message.data == read.data.decode() and (c.message.origin.rpartition("/")[2], str(c.message.count)) == (origin, count)
            ]
            assert copies, f"{read.data!r} came, available are {[copy.message.data for copy in available]}"
            copy = copies[0]
            if subscription.is_keyed(copy):
                first = next(c for c in available if c.message.key == copy.message.key)
                assert first is copy, f"{read.data!r} came before {first.message.data} of its key"
            elif subscription.name != MORGUE:
                assert unkeyed.pop(0) is copy, f"{read.data!r} came out of turn"
            assert (read.ordering_key, attributes) == (copy.message.key, copy.message.attributes)
            assert read.publish_time.seconds * SECOND + read.publish_time.nanos == copy.message.time
            assert origin or read.message_id == self.message_ids[copy.message.data]
            assert delivery.ack_id not in subscription.by_id
            attempt = subscription.hand_out(copy, delivery.ack_id, consumer, self.now + deadline_s * SECOND)
            assert delivery.delivery_attempt == attempt
            self.ids[subscription.name].append(delivery.ack_id)

    # streams

    @precondition(lambda self: len(self.streams) < self.most_streams)
    @rule(name=NAMES, most=st.sampled_from([0, 0, 1, 2, 3]), most_bytes=st.sampled_from([0, 0, 0, 1, 60]))
    def open_stream(self, name: str, most: int, most_bytes: int) -> None:
        self.streams.append((name, self.broker.open_stream(name, 12, most, most_bytes, "", Nanos(self.now))))

    @precondition(lambda self: self.streams)
    @rule(step=st.sampled_from(["lease", "lease", "lease", "want", "want", "want and pass on", "close"]), pick=st.integers(0, 3))
    def stream(self, step: str, pick: int) -> None:
        name, consumer = self.streams[pick % len(self.streams)]
        if step == "lease":
            self.lease(self.world.subscriptions[name], consumer)
        elif step == "close":
            self.broker.close(consumer, Nanos(self.now))
            self.streams.remove((name, consumer))
        else:
            self.broker.want(consumer, Nanos(self.now))
            if step != "want" and consumer.mood is Mood.READY:
                self.broker.pass_on(consumer, Nanos(self.now))

    def lease(self, subscription: Subscription, consumer: Consumer) -> None:
        batch = self.broker.lease(consumer, MUCH, Nanos(self.now))
        self.check(subscription, consumer, batch, 12)
        assert batch or not consumer.has_credit or not subscription.available(consumer, self.now)
        assert not consumer.max_messages or len(self.held(subscription, consumer)) <= consumer.max_messages

    def held(self, subscription: Subscription, consumer: Consumer) -> list[Copy]:
        return [copy for copy in subscription.unacked() if copy.state == "leased" and copy.holder is consumer]

    @invariant()
    def nothing_is_overdue_or_forgotten(self) -> None:
        """Streams are charged what they hold; what happens next is known; a stream that waits for what is there knows that another was told."""
        due, expected = self.broker.next_due(), self.world.next_event(self.now)
        if due is not None and due <= self.now:
            return
        assert expected is None or (due is not None and due <= expected)
        for name, consumer in self.streams:
            subscription = self.world.subscriptions[name]
            assert consumer.outstanding == len(self.held(subscription, consumer))
            if consumer.mood is Mood.WAITING and consumer.has_credit and subscription.available(consumer, self.now):
                assert any(other.mood is Mood.READY for theirs, other in self.streams if theirs == name)

    # ack

    def picked(self, name: str, picks: list[int]) -> list[str]:
        """Give ack ids, the latest first in line; some are old, some stand there twice, some are of an earlier subscription of that name."""
        ids = self.ids[name] or self.ids_of_all()
        return [ids[-1 - pick % len(ids)] for pick in picks]

    def ids_of_all(self) -> list[str]:
        return [ack_id for other in SUBSCRIPTIONS for ack_id in self.ids[other]]

    def has_ids(self) -> bool:
        return any(self.ids[name] for name in SUBSCRIPTIONS)

    @precondition(has_ids)
    @rule(name=NAMES, picks=PICKS)
    def acknowledge(self, name: str, picks: list[int]) -> None:
        ids = self.picked(name, picks)
        refused = self.broker.try_acknowledge(name, ids, Nanos(self.now))
        assert set(refused) == self.world.subscriptions[name].acknowledge(ids, self.now)

    @precondition(has_ids)
    @rule(name=NAMES, picks=PICKS)
    def nack(self, name: str, picks: list[int]) -> None:
        self.modify(name, list(dict.fromkeys(self.picked(name, picks))), 0)

    @precondition(has_ids)
    @rule(name=NAMES, picks=PICKS, seconds=st.sampled_from([1, 5, 30, 600]))
    def extend(self, name: str, picks: list[int], seconds: int) -> None:
        self.modify(name, list(dict.fromkeys(self.picked(name, picks))), seconds)

    def modify(self, name: str, ids: list[str], seconds: int) -> None:
        refused = self.broker.try_modify_ack_deadline(name, ids, seconds, Nanos(self.now))
        subscription = self.world.subscriptions[name]
        expected, dead = subscription.modify(ids, seconds, self.now)
        self.world.forward(subscription, dead, self.now)
        assert set(refused) == expected

    # administration

    @rule(
        step=st.sampled_from([*["update"] * 4, *["seek"] * 8, *["snapshot"] * 3, "retain", "detach", "delete", "delete topic"]),
        name=NAMES,
        data=st.data(),
    )
    def administer(self, step: str, name: str, data: st.DataObject) -> None:
        if step == "update":
            self.update(name, data.draw(SETTINGS))
        elif step == "seek":
            snapshots = sorted(self.world.snapshots)
            if bool(snapshots) and data.draw(st.booleans()):
                self.seek_to_snapshot(name, data.draw(st.sampled_from(snapshots)))
            else:
                self.seek_to_time(name, data.draw(st.sampled_from(SEEKS)))
        elif step == "snapshot":
            self.snapshot(name, data.draw(st.sampled_from(SNAPSHOTS)))
        elif step == "retain":
            self.retain(data.draw(st.sampled_from([0, 600, 1800])))
        elif step == "delete topic":
            self.delete_topic_and_create(data.draw(st.sampled_from([TOPIC, DEAD])))
        else:
            self.delete_and_create(name, data.draw(SETTINGS), detaches=step == "detach")

    def update(self, name: str, chosen: Settings) -> None:
        was = self.world.subscriptions[name].settings
        settings = replace(chosen, ordered=was.ordered, exactly_once=was.exactly_once, filter=was.filter)
        self.broker.update_subscription(name, settings_of(settings), Nanos(self.now))
        self.world.update(name, settings, self.now)

    def retain(self, retention: int) -> None:
        settings = TopicSettings(message_retention=Nanos(retention * SECOND) if retention else None)
        self.broker.update_topic(TOPIC, settings, Nanos(self.now))
        self.world.retain(TOPIC, retention, self.now)

    def delete_and_create(self, name: str, chosen: Settings, *, detaches: bool) -> None:
        streams = [consumer for theirs, consumer in self.streams if theirs == name]
        if detaches:
            self.broker.detach_subscription(name, Nanos(self.now))
            with pytest.raises(FailedPrecondition):
                self.broker.open_stream(name, 10, 0, 0, "", Nanos(self.now))
            with pytest.raises(FailedPrecondition):
                self.broker.acknowledge(name, ["x"], Nanos(self.now))
            self.ended(streams, FailedPrecondition)
        self.broker.delete_subscription(name, Nanos(self.now))
        self.ended(streams, NotFound)
        self.streams = [(theirs, consumer) for theirs, consumer in self.streams if theirs != name]
        old = self.ids[name]
        self.create(name, TOPIC, chosen)
        self.ids[name] = old

    def ended(self, streams: list[Consumer], error: type[PubsubError]) -> None:
        for consumer in streams:
            with pytest.raises(error):
                self.broker.lease(consumer, MUCH, Nanos(self.now))

    def delete_topic_and_create(self, topic: str) -> None:
        self.broker.delete_topic(topic, Nanos(self.now))
        self.world.delete_topic(topic, self.now)
        self.create_topic(topic)

    # seek

    def seek_to_time(self, name: str, seconds: float) -> None:
        time = self.now + int(seconds * 1000) * (SECOND // 1000)
        self.broker.seek_to_time(name, Nanos(time), Nanos(self.now))
        self.world.seek_to_time(name, time, self.now)

    def snapshot(self, source: str, name: str) -> None:
        if name in self.world.snapshots:
            self.broker.delete_snapshot(name, Nanos(self.now))
        made = self.broker.create_snapshot(name, source, {}, Nanos(self.now))
        self.world.snapshot(name, source)
        oldest = min((message.time for message in self.world.snapshots[name].messages), default=self.now)
        assert made.expire_time == oldest + 7 * 86400 * SECOND

    def seek_to_snapshot(self, name: str, snapshot: str) -> None:
        if self.world.seek_to_snapshot(name, snapshot, self.now):
            self.broker.seek_to_snapshot(name, snapshot, Nanos(self.now))
        else:
            with pytest.raises(InvalidArgument):
                self.broker.seek_to_snapshot(name, snapshot, Nanos(self.now))

    @rule(name=NAMES, times=st.integers(1, 6), count=st.sampled_from([2, 10, 10]), seconds=st.sampled_from([0, 0, 1, 5, 15]))
    def fail_often(self, name: str, times: int, count: int, seconds: int) -> None:
        """Take and nack everything, again and again: the way to the dead-letter topic."""
        for _ in range(times):
            self.take_once(name, count)
            if held := [copy.ack_id for copy in self.world.subscriptions[name].copies if copy.state == "leased"]:
                self.modify(name, held, 0)
            self.advance([seconds], settles=False)

    # dump and load

    @rule()
    def restart(self) -> None:
        """Go on with another broker, made of what this one says of itself: streams end, all else stays."""
        for _, consumer in self.streams:
            self.broker.close(consumer, Nanos(self.now))
        self.streams.clear()
        self.reload()

    def reload(self) -> None:
        state = self.broker.dump_state(Nanos(self.now))
        loaded = Broker(self.broker.listener)
        loaded.load_state(from_bytes(to_bytes(state)))
        assert loaded.dump_state(Nanos(self.now)) == state
        self.broker = loaded

    # time

    @rule(steps=st.lists(SECONDS, min_size=1, max_size=2), settles=st.booleans())
    def advance(self, steps: Sequence[float], *, settles: bool) -> None:
        for seconds in steps:
            self.now += int(seconds * 1000) * (SECOND // 1000)
            if settles:
                self.broker.settle(Nanos(self.now))
        self.world.settle(self.now)

    # the end

    def teardown(self) -> None:
        """Let all leases and back-offs pass: what is left comes, and nothing else, until nothing is left."""
        if sys.exc_info()[0] is not None:
            return
        self.now += 601 * SECOND
        self.world.settle(self.now)
        for name in self.world.subscriptions:
            self.drain(name)

    def drain(self, name: str) -> None:
        """Take and ack everything."""
        while self.take_once(name, 1000):
            subscription = self.world.subscriptions[name]
            ids = [copy.ack_id for copy in subscription.unacked() if copy.state == "leased"]
            assert self.broker.try_acknowledge(name, ids, Nanos(self.now)) == []
            assert subscription.acknowledge(ids, self.now) == set()
