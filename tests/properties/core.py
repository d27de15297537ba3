"""The machine on the core, looked into: streams, what is due next, who is told to come, and a broker made of another one's state."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from publican_emulator.broker.broker import Broker
from publican_emulator.broker.consumer import Consumer, Mood
from publican_emulator.broker.errors import PubsubError
from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.state.document import from_bytes, to_bytes
from publican_protocol import pubsub
from pytest_publican.lease_backends import CoreBackend
from pytest_publican.lease_machine import NAMES, SETTINGS, LeaseMachine
from pytest_publican.lease_model import Copy, Settings, Subscription

MUCH = 10_000_000
STREAM_DEADLINE_S = 12
MOST_STREAMS = 4


class CoreMachine(LeaseMachine):
    """LeaseMachine and what only the core can show."""

    backend: CoreBackend

    def __init__(self) -> None:
        super().__init__()
        self.streams: list[tuple[str, Consumer]] = []

    @property
    def broker(self) -> Broker:
        return self.backend.broker

    @property
    def instant(self) -> Nanos:
        return self.backend.now()

    @initialize(settings=st.tuples(SETTINGS, SETTINGS), is_watched=st.booleans())
    def subscribe(self, settings: tuple[Settings, Settings], *, is_watched: bool = False) -> None:
        """Begin; a listener must change nothing."""
        self.begin(CoreBackend(Broker((lambda _: None) if is_watched else None)), settings)

    def fewest(self, name: str, most: int) -> int:
        """Give all, or one where others ask too: what is there is shared among them."""
        has_rivals = any(other.mood in (Mood.WAITING, Mood.READY) for theirs, other in self.streams if theirs == name)
        return min(most, 1) if has_rivals else most

    @precondition(lambda self: len(self.streams) < MOST_STREAMS)
    @rule(name=NAMES, most=st.sampled_from([0, 0, 1, 2, 3]), most_bytes=st.sampled_from([0, 0, 0, 1, 60]))
    def open_stream(self, name: str, most: int, most_bytes: int) -> None:
        self.streams.append((name, self.broker.open_stream(name, STREAM_DEADLINE_S, most, most_bytes, "", self.instant)))

    @precondition(lambda self: self.streams)
    @rule(step=st.sampled_from(["lease", "lease", "lease", "want", "want", "want and pass on", "close"]), pick=st.integers(0, 3))
    def stream(self, step: str, pick: int) -> None:
        name, consumer = self.streams[pick % len(self.streams)]
        if step == "lease":
            self.lease(self.world.subscriptions[name], consumer)
        elif step == "close":
            self.broker.close(consumer, self.instant)
            self.streams.remove((name, consumer))
        else:
            self.broker.want(consumer, self.instant)
            if step != "want" and consumer.mood is Mood.READY:
                self.broker.pass_on(consumer, self.instant)

    def lease(self, subscription: Subscription, consumer: Consumer) -> None:
        batch = self.broker.lease(consumer, MUCH, self.instant)
        self.check(subscription, consumer, pubsub.PullResponse.FromString(batch.encoded()).received_messages, STREAM_DEADLINE_S)
        assert batch or not consumer.has_credit or not subscription.available(consumer, self.now)
        assert not consumer.max_messages or len(self.held(subscription, consumer)) <= consumer.max_messages

    def held(self, subscription: Subscription, consumer: Consumer) -> list[Copy]:
        return [copy for copy in subscription.unacked() if copy.state == "leased" and copy.holder is consumer]

    def ended(self, name: str, code: str) -> None:
        """See every stream of a subscription end with that code."""
        for theirs, consumer in self.streams:
            if theirs == name:
                with pytest.raises(PubsubError) as refused:
                    self.broker.lease(consumer, MUCH, self.instant)
                assert refused.value.code.name == code
        if code == "NOT_FOUND":
            self.streams = [(theirs, consumer) for theirs, consumer in self.streams if theirs != name]

    @rule()
    def settle(self) -> None:
        """Let happen what is due; without it, the next operation does."""
        self.broker.settle(self.instant)

    @rule()
    def restart(self) -> None:
        """Go on with another broker, made of what this one says of itself: streams end, all else stays."""
        for _, consumer in self.streams:
            self.broker.close(consumer, self.instant)
        self.streams.clear()
        state = self.broker.dump_state(self.instant)
        loaded = Broker(self.broker.listener)
        loaded.load_state(from_bytes(to_bytes(state)))
        assert loaded.dump_state(self.instant) == state
        self.backend.broker = loaded

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
