"""What holds for every history: a subscriber's and a publisher's machines against a service that loses, delays and repeats."""

import itertools
from collections import deque
from typing import Any

import hypothesis
import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from publican import effects
from publican.batching import Batcher, BatchSettings, Entry, PublishBatch
from publican.clock import MILLISECOND, SECOND, Nanos
from publican.errors import InvalidArgument, NotFound, PubsubError, Unavailable
from publican.flow import FlowControl, Outstanding
from publican.leases import Delivery, Stage
from publican.publish_order import PublishOrder
from publican.receiving import Phase, Receiving
from publican.retry import Backoff, RetryPolicy
from publican.room import PublishLimits, Room
from publican.settlement import Batch, How, Kind
from publican_protocol import pubsub
from publican_protocol.codes import Code
from tests.client.driven import START, SUBSCRIPTION, ack_failures

KEYS = ("", "a", "b")


class Service(RuleBasedStateMachine):
    """A subscriber's machine, and a service that answers calls late, wrongly or not at all.

    The service's side of a lease is modelled: granted when an extension is accepted, over when its time has passed, ended by ack and nack.
    """

    @initialize(
        max_messages=st.integers(1, 6),
        max_bytes=st.integers(20, 400),
        ordered=st.booleans(),
        exactly_once=st.booleans(),
        maximum=st.sampled_from([0, 10]),
        jitter=st.sampled_from([0.0, 0.5, 1.0]),
    )
    def begin(self, max_messages: int, max_bytes: int, ordered: bool, exactly_once: bool, maximum: int, jitter: float) -> None:
        self.limits = FlowControl(max_bytes, max_messages, 300, maximum)
        self.machine = Receiving(SUBSCRIPTION, self.limits, lambda: jitter)
        self.now = START
        self.ordered, self.exactly_once = ordered, exactly_once
        self.numbers = itertools.count(1)
        self.deliveries = itertools.count(1)
        self.calls: list[Batch] = []
        self.out: dict[str, Delivery] = {}
        self.granted: dict[str, int] = {}
        self.refused: set[str] = set()
        self.ended: dict[str, str] = {}
        self.received: set[str] = set()
        self.acked: list[str] = []
        self.published: dict[str, list[int]] = {key: [] for key in KEYS}
        self.steps = 0
        self.started: dict[str, list[int]] = {key: [] for key in KEYS}
        self.failed_at: dict[str, list[int]] = {key: [] for key in KEYS}
        self.end: effects.Ended | None = None
        self.machine.start(self.now)
        self.look()

    def look(self) -> None:
        while self.machine.has_effects:
            for effect in self.machine.take():
                match effect:
                    case effects.Connect():
                        self.machine.connected(self.now)
                    case effects.Hand(deliveries):
                        for each in deliveries:
                            assert each.ack_id not in self.out
                            self.out[each.ack_id] = each
                            if self.ordered and each.key:
                                self.hand_in_order(each)
                    case effects.Send(batch):
                        assert 1 <= len(batch.deliveries) <= 1000
                        self.calls.append(batch)
                    case effects.Lost(deliveries):
                        for each in deliveries:
                            self.ended[each.ack_id] = "lost"
                            self.failed(each)
                    case effects.Abandon(deliveries):
                        for each in deliveries:
                            self.ended[each.ack_id] = "abandoned"
                    case effects.Ended():
                        self.end = effect

    def failed(self, delivery: Delivery) -> None:
        if self.ordered and delivery.key:
            self.failed_at[delivery.key].append(int(delivery.received.message.message_id))

    def hand_in_order(self, delivery: Delivery) -> None:
        """One of a key is out at a time, and none overtakes: a key goes on with its next, or back to one that has failed."""
        assert [each for each in self.out.values() if each.key == delivery.key and each.stage is Stage.HANDED] == [delivery]
        number = int(delivery.received.message.message_id)
        before = self.started[delivery.key]
        if before and not self.failed_at[delivery.key]:
            assert number > before[-1], "an earlier message came after a later one, and nothing had failed"
        if self.failed_at[delivery.key]:
            assert number <= max(self.failed_at[delivery.key]) or number in before, "a later message overtook one that failed"
            self.failed_at[delivery.key].clear()
        before.append(number)

    # what happens

    @precondition(lambda self: self.machine.phase is Phase.OPEN and self.end is None)
    @rule(key=st.sampled_from(KEYS), sizes=st.lists(st.integers(0, 150), min_size=1, max_size=5))
    def messages_come(self, key: str, sizes: list[int]) -> None:
        if self.ordered and key and self.failed_at[key]:
            return  # the service begins the key again first: `the_key_comes_again`
        response = self.response()
        for size in sizes:
            self.published[key].append(next(self.numbers))
            self.add(response, self.published[key][-1], key, size)
        self.machine.received(response, self.now)
        self.look()

    @precondition(lambda self: self.machine.phase is Phase.OPEN and self.end is None and self.ordered and any(self.failed_at.values()))
    @rule(key=st.sampled_from(KEYS[1:]))
    def the_key_comes_again(self, key: str) -> None:
        """A failed key is redelivered whole, in order, once: not while its redelivery is leased, confirmed or not."""
        if not (self.ordered and self.failed_at[key]) or any(each.key == key for each in self.machine.keeper.live()):
            return
        first = min(self.failed_at[key])
        response = self.response()
        for number in self.published[key]:
            if number >= first:
                self.add(response, number, key, 10)
        self.machine.received(response, self.now)
        self.look()

    def response(self) -> pubsub.StreamingPullResponse:
        response = pubsub.StreamingPullResponse()
        response.subscription_properties.message_ordering_enabled = self.ordered
        response.subscription_properties.exactly_once_delivery_enabled = self.exactly_once
        return response

    def add(self, response: pubsub.StreamingPullResponse, number: int, key: str, size: int) -> None:
        ack_id = f"{number}/{next(self.deliveries)}"
        message = pubsub.PubsubMessage(message_id=str(number), data=b"x" * size, ordering_key=key)
        response.received_messages.append(pubsub.ReceivedMessage(ack_id=ack_id, message=message))
        self.received.add(ack_id)
        self.granted[ack_id] = self.now + 60 * SECOND

    @precondition(lambda self: self.end is None and bool(self.out))
    @rule(data=st.data(), how=st.sampled_from([How.ACK, How.ACK, How.NACK, How.DROP]))
    def a_handler_ends(self, data: st.DataObject, how: How) -> None:
        ack_id = data.draw(st.sampled_from(sorted(self.out)))
        delivery = self.out.pop(ack_id)
        was_live = delivery.is_live
        self.machine.settled(delivery, how, self.now)
        if was_live:
            self.ended.setdefault(ack_id, how.value)
            if how is not How.ACK:
                self.failed(delivery)
        self.look()

    @precondition(lambda self: self.end is None and bool(self.calls))
    @rule(data=st.data(), how=st.sampled_from(["accept", "accept", "accept", "unavailable", "invalid", "one"]))
    def a_call_is_answered(self, data: st.DataObject, how: str) -> None:
        batch = self.calls.pop(data.draw(st.integers(0, len(self.calls) - 1)))
        error: PubsubError | None = None
        if how == "unavailable":
            error = Unavailable("not now")
        elif how == "invalid":
            error = InvalidArgument("one of them is bad")
        elif how == "one" and self.exactly_once:
            error = ack_failures({batch.ack_ids[0]: "PERMANENT_FAILURE_INVALID_ACK_ID"})
        if error is None:
            self.accept(batch)
        elif batch.kind is Kind.MODACK:
            self.refused |= set(batch.ack_ids)
        self.machine.answered(batch, error, self.now)
        self.look()

    def accept(self, batch: Batch) -> None:
        for ack_id in batch.ack_ids:
            if batch.kind is Kind.ACK:
                assert self.ended.get(ack_id) == "ack", "an ack that no handler gave"
                assert ack_id not in self.acked, "a message was acked twice"
                self.acked.append(ack_id)
            elif batch.kind is Kind.NACK:
                assert self.ended.get(ack_id) != "ack", "a nack of what was acked"
            else:
                self.granted[ack_id] = max(self.granted[ack_id], batch.sent_at + batch.seconds * SECOND)

    @precondition(lambda self: self.end is None)
    @rule(seconds=st.sampled_from([0.01, 1, 7, 30, 100]))
    def time_passes(self, seconds: float) -> None:
        """Calls that are out are accepted before time goes on: a service that is merely slow is met by the other rules."""
        end = Nanos(self.now + int(seconds * SECOND))
        while True:
            while self.calls:
                batch = self.calls.pop(0)
                self.accept(batch)
                self.machine.answered(batch, None, self.now)
                self.look()
            due = self.machine.next_due()
            if due is None or due > end or self.end is not None:
                break
            assert due >= self.now or self.machine.settlements.next_due() == due
            self.now = max(due, self.now)
            self.machine.settle(self.now)
            self.look()
            self.no_lease_has_lapsed()
        self.now = end

    @precondition(lambda self: self.machine.phase is Phase.OPEN)
    @rule(clean=st.booleans())
    def the_stream_breaks(self, clean: bool) -> None:
        self.machine.stream_ended(None if clean else Unavailable("gone"), self.now)
        self.look()

    @precondition(lambda self: self.end is not None)
    @rule()
    def it_is_over(self) -> None:
        self.machine.settle(self.now)
        assert not self.machine.has_effects

    @precondition(lambda self: self.machine.phase is not Phase.ENDED and self.steps > 25)
    @rule(timeout=st.sampled_from([0, 10, 60]), held=st.sampled_from(["nack", "process"]))
    def it_is_closed(self, timeout: float, held: Any) -> None:
        self.machine.close(self.now, timeout_s=timeout, held=held)
        self.look()

    # what holds

    @invariant()
    def steps_are_counted(self) -> None:
        self.steps = getattr(self, "steps", 0) + 1

    @invariant()
    def what_is_handed_out_never_exceeds_the_limits(self) -> None:
        if not hasattr(self, "machine"):
            return
        handed = [each for each in self.out.values() if each.stage is Stage.HANDED]
        assert len(handed) <= self.limits.max_messages
        assert sum(each.size for each in handed) <= self.limits.max_bytes or len(handed) == 1
        assert self.machine.outstanding.handed_count == len(handed)
        assert self.machine.outstanding.handed_bytes == sum(each.size for each in handed)
        assert 0 <= self.machine.outstanding.handed_count <= self.machine.outstanding.count

    @invariant()
    def what_is_counted_is_what_is_live(self) -> None:
        if hasattr(self, "machine"):
            live = self.machine.keeper.live()
            assert self.machine.outstanding.count == len(live)
            assert self.machine.outstanding.bytes == sum(each.size for each in live)

    def no_lease_has_lapsed(self) -> None:
        for ack_id, delivery in self.out.items():
            if delivery.is_live and ack_id not in self.refused:
                assert self.granted[ack_id] > self.now, f"{ack_id} has lapsed in its handler"

    @invariant()
    def after_the_end_nothing_is_outstanding(self) -> None:
        if getattr(self, "end", None) is not None:
            assert self.machine.outstanding.count == 0
            assert self.machine.next_due() is None
            assert not [each for each in self.out.values() if each.is_live]

    def teardown(self) -> None:
        if not hasattr(self, "machine") or self.end is not None:
            return
        self.machine.close(self.now, timeout_s=0)
        self.look()
        self.time_passes(100)
        assert self.machine.phase is Phase.ENDED
        assert self.machine.outstanding.count == 0


Service.TestCase.settings = hypothesis.settings(max_examples=40, stateful_step_count=40, deadline=None)
TestASubscribersMachine = Service.TestCase


# smaller machines


@hypothesis.settings(max_examples=60, deadline=None)
@hypothesis.given(st.integers(1, 20), st.integers(1, 500), st.lists(st.tuples(st.booleans(), st.integers(0, 200)), max_size=60))
def test_pausing_is_what_the_guide_says(max_messages: int, max_bytes: int, steps: list[tuple[bool, int]]) -> None:
    outstanding = Outstanding(FlowControl(max_bytes, max_messages))
    held: list[int] = []
    paused = False
    for comes, size in steps:
        if comes:
            held.append(size)
            outstanding.add(1, size)
        elif held:
            outstanding.remove(held.pop(), was_handed=False)
        load = max(len(held) / max_messages, sum(held) / max_bytes)
        if load >= 1.0:
            paused = True
        elif load < 0.8:
            paused = False
        assert outstanding.is_paused is paused
        assert outstanding.load == load


@hypothesis.settings(max_examples=60, deadline=None)
@hypothesis.given(
    st.lists(st.tuples(st.sampled_from(KEYS), st.integers(0, 400), st.integers(0, 20)), max_size=80), st.integers(1, 9), st.integers(60, 1500)
)
def test_every_message_is_in_exactly_one_batch_and_no_batch_exceeds_its_bounds(
    steps: list[tuple[str, int, int]], max_messages: int, max_bytes: int
) -> None:
    batcher = Batcher(BatchSettings(max_messages, max_bytes, 0.01))
    now, closed, made = int(START), [], []
    for key, size, wait_ms in steps:
        now += wait_ms * MILLISECOND
        closed += batcher.settle(Nanos(now))
        message = pubsub.PubsubMessage(data=b"x" * size, ordering_key=key)
        entry = Entry(message, message.ByteSize(), None)
        made.append(entry)
        closed += batcher.add("t", key, entry, message.ByteSize(), Nanos(now))
        due = batcher.next_due()
        assert due is None or now <= due <= now + 10 * MILLISECOND
    closed += batcher.take_all()
    assert sorted(id(entry) for batch in closed for entry in batch.entries) == sorted(map(id, made))
    for batch in closed:
        request = pubsub.PublishRequest(topic="t", messages=[each.message for each in batch.entries])
        assert batch.bytes == request.ByteSize()
        assert len(batch.entries) <= max_messages
        assert batch.bytes <= max_bytes or len(batch.entries) == 1
    for key in KEYS:
        order = [entry for batch in closed if batch.key == key for entry in batch.entries]
        assert order == [entry for entry in made if entry.message.ordering_key == key]


@hypothesis.settings(max_examples=60, deadline=None)
@hypothesis.given(st.data())
def test_a_keys_batches_arrive_in_order_and_none_after_a_failure(data: st.DataObject) -> None:
    order = PublishOrder()
    numbers = itertools.count()
    made: dict[int, PublishBatch] = {}
    under_way: list[int] = []
    arrived: list[int] = []
    by_batch: dict[int, int] = {}
    for _ in range(data.draw(st.integers(1, 30))):
        if len(under_way) > 0 and data.draw(st.booleans()):
            number = under_way.pop(0)
            if data.draw(st.integers(0, 4)) == 0:
                order.failed(made[number])
                assert order.is_paused("t", "k")
                order.resume("t", "k")
            else:
                arrived.append(number)
                following = order.accepted(made[number])
                if following is not None:
                    under_way.append(by_batch[id(following)])
        else:
            number = next(numbers)
            made[number] = PublishBatch("t", "k", START)
            by_batch[id(made[number])] = number
            if order.submit(made[number]):
                under_way.append(number)
        assert len(under_way) <= 1
    assert arrived == sorted(arrived)


@hypothesis.settings(max_examples=60, deadline=None)
@hypothesis.given(st.data(), st.integers(1, 5), st.integers(1, 100))
def test_room_is_never_exceeded_and_given_in_order(data: st.DataObject, max_messages: int, max_bytes: int) -> None:
    room = Room(PublishLimits(max_messages, max_bytes))
    inside: list[int] = []
    waiting: deque[tuple[int, int]] = deque()
    numbers = itertools.count()
    for _ in range(data.draw(st.integers(1, 40))):
        if len(inside) > 0 and data.draw(st.booleans()):
            size = inside.pop(data.draw(st.integers(0, len(inside) - 1)))
            for who in room.leave(1, size):
                expected, its_size = waiting.popleft()
                assert who == expected
                inside.append(its_size)
        else:
            size = data.draw(st.integers(0, 150))
            if room.enter(size):
                assert not waiting
                inside.append(size)
            else:
                waiting.append((next(numbers), size))
                room.wait(size, waiting[-1][0])
        assert (room.count, room.bytes) == (len(inside), sum(inside))
        assert len(inside) <= max_messages
        assert sum(inside) <= max_bytes or len(inside) == 1
        assert inside or not waiting


@hypothesis.settings(max_examples=60, deadline=None)
@hypothesis.given(st.floats(0.01, 5), st.floats(1, 4), st.floats(1, 100), st.floats(1, 1000), st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_retries_never_pass_the_total_and_no_delay_its_bound(
    initial: float, multiplier: float, maximum: float, total: float, chances: list[float]
) -> None:
    chance = itertools.cycle(chances)
    policy = RetryPolicy(initial, multiplier, maximum, total, frozenset({Code.UNAVAILABLE}))
    backoff = Backoff(policy, lambda: next(chance), START)
    now = START
    for attempt in range(200):
        again = backoff.again_at(Unavailable("not now"), now)
        if again is None:
            break
        assert now <= again <= START + total * SECOND + 1
        assert again - now <= min(maximum, initial * multiplier**attempt) * SECOND + 1
        now = again
    assert backoff.again_at(NotFound("never"), now) is None


@hypothesis.settings(max_examples=40, deadline=None)
@hypothesis.given(st.lists(st.integers(1, 400), min_size=1, max_size=30), st.integers(0, 2))
def test_time_cut_in_pieces_gives_the_same_decisions(pieces: list[int], maximum: int) -> None:
    from tests.client.driven import Driven

    limits = FlowControl(max_messages=3, max_lease_duration=200, max_duration_per_lease_extension=maximum * 10)
    whole, cut = Driven(flow_control=limits, jitter=0.5), Driven(flow_control=limits, jitter=0.5)
    for driven in (whole, cut):
        driven.receive(1, 2, 3, 4)
    for piece in pieces:
        cut.advance(piece)
    whole.advance(sum(pieces))
    assert [(each.kind, each.ack_ids, each.sent_at) for each in cut.sent] == [(each.kind, each.ack_ids, each.sent_at) for each in whole.sent]
    assert [each.ack_id for each in cut.lost] == [each.ack_id for each in whole.lost]
