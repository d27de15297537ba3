"""A client and an emulator in one loop, on one virtual clock, with nothing in between: calls are function calls, time moves by hand.

What the client's engine does is all there but the bytes; the transports have tests of their own, and tests/client/test_wire.py has both together.
"""

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from google.protobuf.message import Message

from publican import errors
from publican.aio.modern import Publisher, Subscriber
from publican.clock import SECOND, Nanos, Timer
from publican.observe import Observer
from publican_emulator import Emulator, VirtualClock
from publican_emulator.broker.broker import Broker
from publican_emulator.broker.errors import ErrorInfo
from publican_emulator.broker.settings import SubscriptionSettings, TopicSettings
from publican_emulator.rpc.call import CallInfo
from publican_emulator.rpc.status import Failure
from publican_protocol import pubsub
from publican_protocol.methods import SUBSCRIBER, methods
from publican_protocol.pool import message_class

TOPIC, SUBSCRIPTION = "projects/p/topics/orders", "projects/p/subscriptions/billing"
START = Nanos(1_800_000_000 * SECOND)
TURNS = 25


class HandClock:
    """The client's clock: the emulator's instant, and timers that fire when the emulator's time has come to them."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._timers: list[tuple[Nanos, int, Callable[[], None] | None, _Timer]] = []
        self._numbers = itertools.count()
        self.activity = 0

    def now(self) -> Nanos:
        return Nanos(self._now())

    def call_at(self, instant: Nanos, callback: Callable[[], None]) -> Timer:
        timer = _Timer()
        heapq.heappush(self._timers, (instant, next(self._numbers), callback, timer))
        return timer

    # as a participant

    def next_due(self) -> Any:
        while self._timers and self._timers[0][3].is_cancelled:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    async def settle(self, now: int) -> None:
        quiet = 0
        while quiet < TURNS:
            before = self.activity
            while (due := self.next_due()) is not None and due <= now:
                callback = heapq.heappop(self._timers)[2]
                self.activity += 1
                assert callback is not None
                callback()
            await asyncio.sleep(0)
            quiet = 0 if self.activity != before else quiet + 1

    def is_quiescent(self) -> bool:
        due = self.next_due()
        return due is None or due > self._now()

    def owns(self, client_id: str) -> bool:
        return True


class _Timer:
    def __init__(self) -> None:
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class InMemory:
    """The client's transport and streams: straight into the emulator's dispatcher."""

    def __init__(self, emulator: Emulator, clock: HandClock) -> None:
        self.emulator = emulator
        self._clock = clock
        self.made: list[tuple[str, Any]] = []
        self.opened: list[pubsub.StreamingPullRequest] = []
        self.open: list[InMemoryStream] = []

    async def unary(self, method: str, request: Message, *, timeout: float | None) -> Any:
        self.made.append((method.rpartition("/")[2], request))
        self._clock.activity += 1
        await asyncio.sleep(0)
        answer = self.emulator._dispatcher.call(method, request.SerializeToString(), CallInfo(method, "grpc"))
        if not isinstance(answer, bytes | Failure):
            answer = await answer
        await asyncio.sleep(0)
        self._clock.activity += 1
        if isinstance(answer, Failure):
            raise error_of(answer, method)
        return message_class(methods()[method].response).FromString(answer)

    async def close(self) -> None:
        pass

    async def streaming_pull(self, first: pubsub.StreamingPullRequest) -> "InMemoryStream":
        self.opened.append(first)
        stream = InMemoryStream(self, first)
        self.open.append(stream)
        return stream

    def of(self, method: str) -> list[Any]:
        return [request for name, request in self.made if name == method]


class Direct:
    """A connection that is one object."""

    def __init__(self, transport: InMemory) -> None:
        self.unary = self.publishing = self.streams = transport

    async def close(self) -> None:
        pass


class InMemoryStream:
    """Both ends of one stream."""

    def __init__(self, world: InMemory, first: pubsub.StreamingPullRequest) -> None:
        self._world = world
        self._requests: deque[bytes] = deque([first.SerializeToString()])
        self._responses: deque[bytes] = deque()
        self._changed = asyncio.Event()
        self._end: tuple[Failure | None] | None = None
        path = f"/{SUBSCRIBER}/StreamingPull"
        self._serving = asyncio.ensure_future(world.emulator._dispatcher.run_stream(path, self, CallInfo(path, "grpc")))
        self._serving.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[Failure | None]") -> None:
        self._end = (None if task.cancelled() else task.result(),)
        self._changed.set()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    # the server's end

    async def receive(self) -> bytes | None:
        while not self._requests:
            await self._change()
        self._world._clock.activity += 1
        return self._requests.popleft()

    def start(self) -> None:
        pass

    async def writable(self) -> None:
        pass

    def room(self) -> int:
        return 1_000_000

    def write(self, message: bytes) -> None:
        self._responses.append(message)
        self._changed.set()

    # the client's end

    async def read(self, room: int) -> pubsub.StreamingPullResponse | None:
        assert room >= 1
        while not self._responses:
            if self._end is not None:
                if self._end[0] is not None:
                    raise error_of(self._end[0], "/StreamingPull")
                return None
            await self._change()
        self._world._clock.activity += 1
        return pubsub.StreamingPullResponse.FromString(self._responses.popleft())

    async def send(self, request: pubsub.StreamingPullRequest) -> None:
        self._world._clock.activity += 1
        self._requests.append(request.SerializeToString())
        self._changed.set()

    async def close(self) -> None:
        self._serving.cancel()
        await asyncio.wait([self._serving])


def error_of(failure: Failure, method: str) -> errors.PubsubError:
    told = failure.error.details if failure.error is not None else ()
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "metadata": dict(each.metadata)} for each in told if isinstance(each, ErrorInfo)]
    return errors.BY_CODE[failure.code](failure.message, method=method.rpartition("/")[2], details=details)


class World:
    """One emulator, one clock, and clients of them."""

    def __init__(self, *, start: Nanos = START, observer: Observer | None = None, history: bool = True) -> None:
        self._history = history
        self.emulator = self._emulator(start)
        self.clock = HandClock(lambda: self.emulator.now())
        self._observer = observer

    def _emulator(self, now: Nanos) -> Emulator:
        return Emulator(clock=VirtualClock(now), history=self._history)  # type: ignore[arg-type]  # nanoseconds are nanoseconds

    async def stop_and_start_again(self, away_s: float) -> None:
        """Dump the state, stop the emulator, let time pass without any, and start another with the same state."""
        state = self.emulator.dump_state()
        now = Nanos(self.clock.now() + round(away_s * SECOND))
        await self.emulator.__aexit__(None, None, None)
        assert self.emulator.surprises == []
        for _ in range(TURNS):
            await asyncio.sleep(0)
        self.emulator = self._emulator(now)
        await self.emulator.__aenter__()
        self.emulator.control.participants.append(self.clock)
        self.emulator.load_state(state)
        self.transport.emulator = self.emulator

    async def __aenter__(self) -> Self:
        await self.emulator.__aenter__()
        self.transport = InMemory(self.emulator, self.clock)
        self.emulator.control.participants.append(self.clock)
        self.emulator.run(Broker.create_topic, TOPIC, TopicSettings())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.emulator.__aexit__(kind, error, trace)
        if error is None:
            assert self.emulator.surprises == []

    def subscriber(self, **settings: Any) -> Subscriber:
        return Subscriber(clock=self.clock, transport=Direct(self.transport), observer=self._observer, **settings)

    def publisher(self, **settings: Any) -> Publisher:
        return Publisher(clock=self.clock, transport=Direct(self.transport), observer=self._observer, **settings)

    def subscription(self, name: str = SUBSCRIPTION, **settings: Any) -> str:
        self.emulator.run(Broker.create_subscription, name, TOPIC, SubscriptionSettings(**settings))
        return name

    def publish(self, *data: bytes, key: str = "") -> None:
        messages = [pubsub.PubsubMessage(data=each, ordering_key=key).SerializeToString() for each in data]
        self.emulator.run(Broker.publish, TOPIC, messages)

    async def advance(self, seconds: float) -> None:
        await self.emulator.control.advance(seconds)

    async def rest(self) -> None:
        """Let everything happen that can happen now."""
        await self.advance(0)

    def history(self) -> str:
        return self.emulator.history.text()
