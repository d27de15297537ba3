"""LeaseMachine: a Pub/Sub and a naive model of it, driven by the same steps that Hypothesis invents, and compared after each.

The invariants: every message that passes the filter is delivered until it is acked, and none is lost; none is delivered after an ack that
exactly-once delivery confirmed; within a key, order is that of publishing; a key never has two holders; attempts never skip; what is refused is what
the model refuses; and advancing by a + b is the same as advancing by a, then by b.

PYTEST_DONT_REWRITE
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import cast

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from publican_protocol import pubsub
from pytest_publican.lease_backends import CoreBackend, LeaseBackend, Refused
from pytest_publican.lease_model import FILTERS, MILLISECOND, SECOND, Message, Settings, Subscription, World

TOPIC, DEAD = "projects/p/topics/lively", "projects/p/topics/dead"
SUBSCRIPTIONS = ("projects/p/subscriptions/first", "projects/p/subscriptions/second")
MORGUE = "projects/p/subscriptions/morgue"
SNAPSHOTS = ("projects/p/snapshots/one", "projects/p/snapshots/two")
PREFIX = "CloudPubSubDeadLetterSource"
SNAPSHOT_LIFE = 7 * 86_400 * SECOND

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


class LeaseMachine(RuleBasedStateMachine):
    """Two subscriptions of one topic, with settings of all kinds, and one for what they forward; on the emulator's core, or on another backend.

    `LeaseMachine.TestCase` is a test of the core. `LeaseMachine.on(make).TestCase` is one of what `make()` gives, for each run anew: a LeaseBackend.
    Where the documentation leaves a choice, the choices are Publican's: leases end exactly at their deadlines; what comes again comes before what is
    new, in publish order; without exactly-once delivery any known ack id acks; a message is a dead letter after exactly so many failures.
    """

    def __init__(self) -> None:
        super().__init__()
        self.backend: LeaseBackend
        self.world = World()
        self.now = 0
        self.published = 0
        self.ids: dict[str, list[str]] = {}
        self.message_ids: dict[str, str] = {}

    @classmethod
    def on(cls, make: Callable[[], LeaseBackend]) -> "type[LeaseMachine]":
        """Give the machine for the backends that `make` gives; it is called for each run, and the backend is closed at its end."""
        return cast("type[LeaseMachine]", type(cls.__name__, (cls,), {"new_backend": lambda _: make()}))

    def new_backend(self) -> LeaseBackend:
        """Give a Pub/Sub with nothing in it; override it, or use `on`."""
        return CoreBackend()

    @initialize(settings=st.tuples(SETTINGS, SETTINGS))
    def subscribe(self, settings: tuple[Settings, Settings]) -> None:
        """Begin."""
        self.begin(self.new_backend(), settings)

    def begin(self, backend: LeaseBackend, settings: tuple[Settings, Settings]) -> None:
        """Create topics and subscriptions on a backend."""
        self.backend = backend
        self.now = backend.now()
        for topic in (TOPIC, DEAD):
            self.create_topic(topic)
        for name, chosen in zip(SUBSCRIPTIONS, settings, strict=True):
            self.create(name, TOPIC, chosen)
        self.create(MORGUE, DEAD, Settings(deadline=600, retention=86400))

    def create_topic(self, name: str) -> None:
        """Create a topic in both."""
        self.backend.create_topic(name)
        self.world.create_topic(name)

    def create(self, name: str, topic: str, settings: Settings) -> None:
        """Create a subscription in both."""
        self.backend.create_subscription(name, topic, settings)
        self.world.subscribe(name, topic, settings)
        self.ids[name] = []

    # publish

    @rule(count=st.integers(1, 5), key=KEYS, attributes=ATTRIBUTES)
    def publish(self, count: int, key: str, attributes: dict[str, str]) -> None:
        """Publish messages of one key."""
        self.published += count
        texts = [str(self.published - count + number) for number in range(count)]
        sent = [pubsub.PubsubMessage(data=text.encode(), ordering_key=key, attributes=attributes) for text in texts]
        self.message_ids.update(zip(texts, self.backend.publish(TOPIC, sent), strict=True))
        self.world.publish(self.world.topics[TOPIC], [Message(text, key, attributes) for text in texts], self.now)

    # take

    @rule(name=NAMES, count=st.sampled_from([1, 1, 2, 3, 10]))
    def pull(self, name: str, count: int) -> None:
        """Take some messages."""
        self.take_once(name, count)

    def take_once(self, name: str, count: int) -> int:
        """Pull, and say how many came."""
        received = self.backend.pull(name, count)
        subscription, taker = self.world.subscriptions[name], object()
        available = subscription.available(taker, self.now)
        most = min(count, len(available))
        least = self.fewest(name, most)
        assert least <= len(received) <= most, f"{len(received)} of {count} came, not of {[copy.message.data for copy in available]}"
        self.check(subscription, taker, received, subscription.settings.deadline)
        return len(received)

    def fewest(self, name: str, most: int) -> int:
        """Give how many messages must come of those that may."""
        return most

    def check(self, subscription: Subscription, taker: object, received: Sequence[pubsub.ReceivedMessage], deadline_s: int) -> None:
        """Check each delivery when it is its turn, and take it over."""
        unkeyed = [copy for copy in subscription.available(taker, self.now) if not subscription.is_keyed(copy)]
        for delivery in received:
            read = delivery.message
            attributes = {key: value for key, value in read.attributes.items() if not key.startswith(PREFIX)}
            origin = read.attributes.get(PREFIX + "Subscription", "")
            count = read.attributes.get(PREFIX + "DeliveryCount", "0")
            available = subscription.available(taker, self.now)
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
            assert (read.ordering_key, attributes) == (copy.message.key, copy.message.attributes), f"{read.data!r} is another"
            published = int(read.publish_time.seconds) * SECOND + int(read.publish_time.nanos)
            assert published // MILLISECOND * MILLISECOND == copy.message.time, f"{read.data!r} was published at another time"
            assert origin or read.message_id == self.message_ids[copy.message.data], f"{read.data!r} has another id"
            assert delivery.ack_id not in subscription.by_id, f"{read.data!r} came under an ack id that was used before"
            attempt = subscription.hand_out(copy, delivery.ack_id, taker, self.now + deadline_s * SECOND)
            assert delivery.delivery_attempt == attempt, f"{read.data!r} came as attempt {delivery.delivery_attempt}, not {attempt}"
            self.ids[subscription.name].append(delivery.ack_id)

    # ack

    def picked(self, name: str, picks: list[int]) -> list[str]:
        """Give ack ids, the latest first in line; some are old, some stand there twice, some are of an earlier subscription of that name."""
        ids = self.ids[name] or self.ids_of_all()
        return [ids[-1 - pick % len(ids)] for pick in picks]

    def ids_of_all(self) -> list[str]:
        """Give every ack id that was handed out."""
        return [ack_id for other in SUBSCRIPTIONS for ack_id in self.ids[other]]

    def has_ids(self) -> bool:
        """Say whether an ack id was handed out."""
        return any(self.ids[name] for name in SUBSCRIPTIONS)

    @precondition(has_ids)
    @rule(name=NAMES, picks=PICKS)
    def acknowledge(self, name: str, picks: list[int]) -> None:
        """Ack some deliveries."""
        ids = self.picked(name, picks)
        refused = self.backend.acknowledge(name, ids)
        expected = self.world.subscriptions[name].acknowledge(ids, self.now)
        assert set(refused) == expected, f"acks of {sorted(refused)} were refused, not of {sorted(expected)}"

    @precondition(has_ids)
    @rule(name=NAMES, picks=PICKS)
    def nack(self, name: str, picks: list[int]) -> None:
        """Give some deliveries back."""
        self.modify(name, list(dict.fromkeys(self.picked(name, picks))), 0)

    @precondition(has_ids)
    @rule(name=NAMES, picks=PICKS, seconds=st.sampled_from([1, 5, 30, 600]))
    def extend(self, name: str, picks: list[int], seconds: int) -> None:
        """Give some leases another deadline."""
        self.modify(name, list(dict.fromkeys(self.picked(name, picks))), seconds)

    def modify(self, name: str, ids: list[str], seconds: int) -> None:
        """Change deadlines in both."""
        refused = self.backend.modify_ack_deadline(name, ids, seconds)
        subscription = self.world.subscriptions[name]
        expected, dead = subscription.modify(ids, seconds, self.now)
        self.world.forward(subscription, dead, self.now)
        assert set(refused) == expected, f"deadlines of {sorted(refused)} were refused, not of {sorted(expected)}"

    # administration

    @rule(
        step=st.sampled_from([*["update"] * 4, *["seek"] * 8, *["snapshot"] * 3, "retain", "detach", "delete", "delete topic"]),
        name=NAMES,
        data=st.data(),
    )
    def administer(self, step: str, name: str, data: st.DataObject) -> None:
        """Change what there is."""
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
        """Give a subscription other settings."""
        was = self.world.subscriptions[name].settings
        settings = replace(chosen, ordered=was.ordered, exactly_once=was.exactly_once, filter=was.filter)
        self.backend.update_subscription(name, settings)
        self.world.update(name, settings, self.now)

    def retain(self, retention: int) -> None:
        """Give the topic another retention."""
        self.backend.retain(TOPIC, retention)
        self.world.retain(TOPIC, retention, self.now)

    def delete_and_create(self, name: str, chosen: Settings, *, detaches: bool) -> None:
        """Put another subscription in the place of one; its ack ids live on, and mean nothing."""
        if detaches:
            self.backend.detach_subscription(name)
            with refused("FAILED_PRECONDITION"):
                self.backend.pull(name, 1)
            with refused("FAILED_PRECONDITION"):
                self.backend.acknowledge(name, ["x"])
            self.ended(name, "FAILED_PRECONDITION")
        self.backend.delete_subscription(name)
        with refused("NOT_FOUND"):
            self.backend.pull(name, 1)
        self.ended(name, "NOT_FOUND")
        old = self.ids[name]
        self.create(name, TOPIC, chosen)
        self.ids[name] = old

    def ended(self, name: str, code: str) -> None:
        """Look at what a subscription leaves behind when it is detached or deleted."""

    def delete_topic_and_create(self, topic: str) -> None:
        """Put another topic in the place of one."""
        self.backend.delete_topic(topic)
        self.world.delete_topic(topic, self.now)
        self.create_topic(topic)

    # seek

    def seek_to_time(self, name: str, seconds: float) -> None:
        """Seek to an instant, that many seconds from now."""
        time = self.now + nanos(seconds)
        self.backend.seek_to_time(name, time)
        self.world.seek_to_time(name, time, self.now)

    def snapshot(self, source: str, name: str) -> None:
        """Take a snapshot, in the place of the one before."""
        if name in self.world.snapshots:
            self.backend.delete_snapshot(name)
        expire_time = self.backend.create_snapshot(name, source)
        self.world.snapshot(name, source)
        oldest = min((message.time for message in self.world.snapshots[name].messages), default=self.now)
        assert expire_time == oldest + SNAPSHOT_LIFE, f"the snapshot expires at {expire_time}, not {oldest + SNAPSHOT_LIFE}"

    def seek_to_snapshot(self, name: str, snapshot: str) -> None:
        """Seek to a snapshot; one of another topic is refused."""
        if self.world.seek_to_snapshot(name, snapshot, self.now):
            self.backend.seek_to_snapshot(name, snapshot)
        else:
            with refused("INVALID_ARGUMENT"):
                self.backend.seek_to_snapshot(name, snapshot)

    @rule(name=NAMES, times=st.integers(1, 6), count=st.sampled_from([2, 10, 10]), seconds=st.sampled_from([0, 0, 1, 5, 15]))
    def fail_often(self, name: str, times: int, count: int, seconds: int) -> None:
        """Take and nack everything, again and again: the way to the dead-letter topic."""
        for _ in range(times):
            self.take_once(name, count)
            if held := [copy.ack_id for copy in self.world.subscriptions[name].copies if copy.state == "leased"]:
                self.modify(name, held, 0)
            self.advance([seconds])

    # time

    @rule(steps=st.lists(SECONDS, min_size=1, max_size=2))
    def advance(self, steps: Sequence[float]) -> None:
        """Let time pass, in one or two pieces."""
        for seconds in steps:
            self.backend.advance(nanos(seconds))
            self.now += nanos(seconds)
        self.world.settle(self.now)

    # the end

    def teardown(self) -> None:
        """Let all leases and back-offs pass: what is left comes, and nothing else, until nothing is left."""
        try:
            if sys.exc_info()[0] is None:
                self.advance([601])
                for name in self.world.subscriptions:
                    self.drain(name)
        finally:
            self.backend.close()

    def drain(self, name: str) -> None:
        """Take and ack everything."""
        while self.take_once(name, 1000):
            subscription = self.world.subscriptions[name]
            ids = [copy.ack_id for copy in subscription.unacked() if copy.state == "leased"]
            refused = self.backend.acknowledge(name, ids)
            assert not refused, f"acks of live leases were refused: {sorted(refused)}"
            assert subscription.acknowledge(ids, self.now) == set()


@contextmanager
def refused(code: str) -> Iterator[None]:
    """Check that a call is refused with a code."""
    try:
        yield
    except Refused as error:
        if error.code != code:
            raise AssertionError(f"refused with {error}, not {code}") from error
    else:
        raise AssertionError(f"nothing was refused; {code} was expected")


def nanos(seconds: float) -> int:
    """Give whole milliseconds as nanoseconds."""
    return round(seconds * 1000) * MILLISECOND
