"""What a test may do to the emulator beside calling it: move the time, cut streams, begin again.

Time moves from deadline to deadline, in order: at each one everything that is due happens at its own instant, and whoever waits for messages
gets them, before time goes on. So `advance(20)` is `advance(10); advance(10)`, and a lease of 10 s is seen to expire twice in it. A client that
has been handed messages at a deadline gets a moment of real time to answer before the next one.

Whoever runs on this clock beside the emulator takes part: a client in the same process joins as a Participant, its own deadlines are visited in the
same order, and time goes on only when it has done everything that was due.

All of this runs in the emulator's loop; `Emulator` offers the same to other threads.

PYTEST_DONT_REWRITE
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from publican_emulator.broker.broker import Broker
from publican_emulator.broker.errors import FailedPrecondition, PubsubError, Unavailable
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.state import document
from publican_emulator.driver import Clock, Driver, VirtualClock
from publican_emulator.rpc.faults import Faults

SETTLE_S: Final = 0.05
"""Real seconds that clients get, at each deadline, to settle what they were handed there."""

PARTICIPANT_S: Final = 5.0
"""Real seconds that a participant gets, at each instant, to come to rest."""

_ROUNDS_MAX: Final = 1_000
"""So often participants and emulator may set each other to work at one instant: more is a loop in one of them."""

_TURNS: Final = 5
"""Turns of the loop after the last consumer has come: one for its call to end, the others for its bytes to leave."""


class NotVirtual(RuntimeError):
    """The clock is the system's: it moves by itself, and nobody moves it."""


class Participant(Protocol):
    """Somebody who runs on the emulator's clock beside it: a client that keeps leases, flushes batches, backs off.

    All of it is called in the emulator's loop, which is another thread's for whoever lives in the test: it must be thread-safe and must not block.
    """

    def next_due(self) -> Nanos | None:
        """Give the instant at which something of its own is due next; None: nothing is."""

    async def settle(self, now: Nanos) -> None:
        """Carry out what is due at `now`; return when nothing is left to do at this instant, calls to the emulator included."""

    def is_quiescent(self) -> bool:
        """Whether it has nothing to do at this instant: what the emulator has sent it meanwhile may have set it to work again."""

    def owns(self, client_id: str) -> bool:
        """Whether the streams of this client id are its own: `settle` is waited for then, instead of a moment of real time for their acks."""


class RestlessError(RuntimeError):
    """A participant did not come to rest at one instant."""


async def _nothing() -> None:
    pass


class Control:
    """One emulator, by hand."""

    def __init__(
        self,
        driver: Driver,
        faults: Faults,
        make_broker: Callable[[], Broker],
        forget: Callable[[], None],
        drop_connections: Callable[[], Awaitable[None]] = _nothing,
    ) -> None:
        """`make_broker` gives what a reset begins with, `forget` clears what was noted before it; `drop_connections` ends those there are."""
        self._driver = driver
        self._make_broker = make_broker
        self._forget = forget
        self._drop_connections = drop_connections
        self.faults = faults
        self.participants: list[Participant] = []
        """Who runs on this clock too, in the order in which they joined."""

    @property
    def broker(self) -> Broker:
        """The broker of now; a reset exchanges it."""
        return self._driver.broker

    def now(self) -> Nanos:
        """Give the instant."""
        return self._driver.clock.now()

    @property
    def is_virtual(self) -> bool:
        """Whether time moves by hand."""
        return isinstance(self._driver.clock, VirtualClock)

    async def advance(self, seconds: float) -> None:
        """Let `seconds` pass.

        Raises:
            NotVirtual: the emulator runs in real time.
            ValueError: `seconds` is negative.
        """
        await self.move_to(Nanos(self.now() + round(seconds * SECOND)))

    async def move_to(self, instant: Nanos) -> None:
        """Let time pass until `instant`, from deadline to deadline.

        Raises:
            NotVirtual: the emulator runs in real time.
            ValueError: `instant` lies in the past.
        """
        clock = self._clock()
        if instant < clock.now():
            raise ValueError(f"time does not run backwards: {instant} is {(clock.now() - instant) / SECOND} s ago")
        await self.settle()
        while await self.step(instant):
            pass
        clock.move_to(instant)
        await self._settle()

    async def step(self, limit: Nanos) -> bool:
        """Let time pass until the next deadline, if that is not after `limit`; say whether there was one.

        Raises:
            NotVirtual: the emulator runs in real time.
        """
        clock = self._clock()
        due = self.next_due()
        if due is None or due > limit:
            return False
        clock.move_to(max(due, clock.now()))
        await self._settle()
        return True

    def next_due(self) -> Nanos | None:
        """Give the next instant at which something is due, in the emulator or with a participant; None: nothing is."""
        dues = [self._driver.next_due(), *(each.next_due() for each in self.participants)]
        return min((due for due in dues if due is not None), default=None)

    def _clock(self) -> VirtualClock:
        if not isinstance(self._driver.clock, VirtualClock):
            raise NotVirtual("only a virtual clock can be moved: make the emulator with Emulator(clock=VirtualClock())")
        return self._driver.clock

    async def _settle(self) -> None:
        """Let what is due happen, with the emulator and with every participant, until all are at rest."""
        for _ in range(_ROUNDS_MAX):
            await self._settle_streams()
            if not self.participants:
                return
            before = self._driver.operations
            for each in list(self.participants):
                await self._settle_participant(each)
            await self.drain()
            if self._driver.operations == before and all(self._is_at_rest(each) for each in self.participants):
                return
        raise RestlessError(f"the emulator and {self.participants!r} set each other to work without end at one instant")

    def _is_at_rest(self, participant: Participant) -> bool:
        due = participant.next_due()
        return participant.is_quiescent() and (due is None or due > self.now())

    async def _settle_participant(self, participant: Participant) -> None:
        try:
            async with asyncio.timeout(PARTICIPANT_S):
                await participant.settle(self.now())
        except TimeoutError:
            raise RestlessError(f"{participant!r} did not come to rest within {PARTICIPANT_S} real seconds") from None

    async def _settle_streams(self) -> None:
        """Let what is due happen, whoever waits for it take it, and the streams that took it settle it."""
        loop = asyncio.get_running_loop()
        handed_before = self._stream_load()[1]
        self._driver.settle()
        await self.drain()
        held, handed = self._stream_load()
        settled = held - (handed - handed_before)
        give_up = loop.time() + SETTLE_S
        while self._stream_load()[0] > settled and (left_s := give_up - loop.time()) > 0:
            await self._driver.operated(left_s)
            await self.drain()

    def _stream_load(self) -> tuple[int, int]:
        """Give how many deliveries streams hold, and how many they have been handed."""
        others = (each for each in self.broker.consumers() if not any(participant.owns(each.client_id) for participant in self.participants))
        load = [(each.outstanding, each.handed) for each in others]
        return sum(held for held, _ in load), sum(handed for _, handed in load)

    async def drain(self) -> None:
        """Let whoever has been woken take what it was woken for, and the bytes leave."""
        while self._driver.has_woken:  # noqa: ASYNC110  (they come within the next turns of the loop: no time passes)
            await asyncio.sleep(0)
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    async def settle(self) -> None:
        """Let what is due now happen, and whoever waits for it take it."""
        self._driver.settle()
        await self.drain()
        if self.participants:
            await self._settle()

    async def operated(self, limit_s: float) -> None:
        """Return after the next operation, or after so many real seconds."""
        await self._driver.operated(limit_s)

    def break_streams(self, subscription: str | None = None, error: PubsubError | None = None) -> int:
        """Cut the open streams and waiting pulls of one subscription, or of all, with UNAVAILABLE; give how many there were. Leases stay.

        Raises:
            NotFound: there is no such subscription.
        """
        broker = self.broker
        names = broker.existing_names("subscription") if subscription is None else [subscription]
        cut = [broker.get_subscription(name, self.now()) for name in names]
        count = sum(len(each.rotation.consumers) for each in cut)
        broker.end_consumers(error or Unavailable("The stream was cut, as the test has wished."), cut)
        self._driver.settle()
        return count

    async def restart(self) -> None:
        """End every stream with UNAVAILABLE and close every connection, as a server does that is started anew; topics, messages and leases stay."""
        self.break_streams(error=Unavailable("The emulator is restarting."))
        await self.drain()
        await self._drop_connections()

    def reset(self, why: str = "The emulator was reset.", *, clock: Clock | None = None) -> None:
        """Go on with an empty broker: message ids start at 1 again, and what waits on the old one ends FAILED_PRECONDITION, with `why`.

        Faults are taken back. The time stays what it is, unless another clock is given.
        """
        self._driver.clock = clock or self._driver.clock
        self.faults.clear()
        self._forget()
        self._driver.swap(self._make_broker(), FailedPrecondition(why))

    def dump_state(self) -> bytes:
        """Give all resources, messages and leases as a document (JSON; docs/running.md), for `load_state` of this or another emulator."""
        state, _ = self._driver.run(self.broker.dump_state)
        return document.to_bytes(state)

    def load_state(self, state: bytes) -> None:
        """Go on with what `dump_state` has told of, in place of all there is; streams and waiting pulls end UNAVAILABLE.

        A virtual clock that is behind the document's time moves to it. What fell due between that time and now happens now, in its order. Faults and
        the history go on.

        Raises:
            InvalidArgument: this is not such a document; nothing has changed.
        """
        said = document.from_bytes(state)
        broker = self._make_broker()
        broker.load_state(said)
        clock = self._driver.clock
        if isinstance(clock, VirtualClock) and clock.now() < said["at"]:
            clock.move_to(Nanos(said["at"]))
        self._driver.swap(broker, Unavailable("The emulator goes on with another state."))
        self._driver.settle()
