"""The clock of `pubsub_client`: the emulator's virtual time, in the loop of the test.

The client lives in the test's thread, the emulator in its own. Each timer of the client is a deadline that `advance` visits: its callback is run in
the client's loop, and time stands still until the client has come to rest: no call on its way, no response unread, nothing left to run.

PYTEST_DONT_REWRITE
"""

import asyncio
import contextlib
import heapq
import itertools
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from publican_emulator.broker.instants import Nanos

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from publican.transport.protocol import Connection, MessageStream, Streams, Transport
    from publican_emulator import Emulator
    from publican_protocol import pubsub

TURNS: Final = 10
"""Turns of the client's loop in which nothing may happen before it is at rest."""
CALL_S: Final = 0.25
"""Real seconds that a call of the client's is waited for; one that takes longer waits for virtual time itself."""
LOOP_S: Final = 3.0


class BlockedLoopError(RuntimeError):
    """The client's loop does not run while time is moved."""


class Timer:
    """A call that is to come."""

    __slots__ = ("callback", "is_cancelled", "loop")

    def __init__(self, callback: Callable[[], None], loop: asyncio.AbstractEventLoop) -> None:
        self.callback = callback
        self.loop = loop
        self.is_cancelled = False

    def cancel(self) -> None:
        """Let it not come."""
        self.is_cancelled = True

    def fire(self) -> None:
        """Call, in the client's loop."""
        if not self.is_cancelled:
            self.callback()


class SharedClock:
    """The emulator's time for clients in other loops, and a participant of its `advance`."""

    def __init__(self, emulator: "Emulator") -> None:
        self._emulator = emulator
        self._lock = threading.Lock()
        self._timers: list[tuple[int, int, Timer]] = []
        self._numbers = itertools.count()
        self._loops: set[asyncio.AbstractEventLoop] = set()
        self._clients: set[str] = set()
        self.activity = 0
        """Counts whatever the clients do: unchanged for some turns of their loops, they are at rest."""
        self.calls_out = 0
        """Calls on their way."""
        self.unread: dict[str, WatchedStream] = {}
        """The open stream of each client id and subscription."""

    # the client's clock

    def now(self) -> Any:
        """Give the emulator's instant."""
        return self._emulator.now()

    def call_at(self, instant: int, callback: Callable[[], None]) -> Timer:
        """Call back in the running loop when the emulator's time has come to `instant`; soon, if it has already."""
        loop = asyncio.get_running_loop()
        timer = Timer(callback, loop)
        self.activity += 1
        self._loops.add(loop)
        if instant <= self._emulator.now():
            loop.call_soon(timer.fire)
        else:
            with self._lock:
                heapq.heappush(self._timers, (instant, next(self._numbers), timer))
        return timer

    # the participant, in the emulator's loop

    def next_due(self) -> Nanos | None:
        """Give the next deadline of any client."""
        with self._lock:
            while self._timers and self._timers[0][2].is_cancelled:
                heapq.heappop(self._timers)
            return Nanos(self._timers[0][0]) if self._timers else None

    async def settle(self, now: Nanos) -> None:
        """Run what is due, and return when the clients are at rest."""
        loop = asyncio.get_running_loop()
        give_up = loop.time() + CALL_S
        before = -1
        while True:
            for timer in self._take(now):
                self.activity += 1
                timer.loop.call_soon_threadsafe(timer.fire)
            waits = self.calls_out > self._waiting_pulls() or self._has_unread()
            if before == self.activity and (not waits or loop.time() > give_up):
                return
            if before != self.activity:
                give_up = loop.time() + CALL_S
            before = self.activity
            await self._turns()
            if waits:
                await asyncio.sleep(0.0005)

    def _take(self, now: int) -> list[Timer]:
        taken = []
        with self._lock:
            while self._timers and self._timers[0][0] <= now:
                taken.append(heapq.heappop(self._timers)[2])
        return taken

    async def _turns(self) -> None:
        """Let the clients' loops turn a few times."""
        for loop in [each for each in self._loops if not each.is_closed()]:
            turned = asyncio.get_running_loop().create_future()
            loop.call_soon_threadsafe(_turn, loop, TURNS, turned, asyncio.get_running_loop())
            try:
                async with asyncio.timeout(LOOP_S):
                    await turned
            except TimeoutError:
                if loop.is_running():
                    raise BlockedLoopError(
                        "pubsub_client: its event loop is blocked while time is moved; in an asynchronous test: await pubsub.aio.advance(...)"
                    ) from None

    def _waiting_pulls(self) -> int:
        """Give how many pulls the emulator holds until there is a message: those are not waited for."""
        return sum(each.takes_once for each in self._emulator.control.broker.consumers())

    def _has_unread(self) -> bool:
        handed = {each.client_id: 0 for each in self._emulator.control.broker.consumers()}
        for each in self._emulator.control.broker.consumers():
            handed[each.client_id] += each.handed
        return any(stream.is_reading and handed.get(client_id, 0) > stream.taken for client_id, stream in self.unread.items())

    def is_quiescent(self) -> bool:
        """Whether no client has anything to do at this instant."""
        due = self.next_due()
        return (due is None or due > self._emulator.now()) and not self._has_unread()

    def owns(self, client_id: str) -> bool:
        """Whether a stream is a client's of ours."""
        return client_id in self._clients

    # what it watches

    def watched(self, connection: "Connection") -> "WatchedConnection":
        """Give a connection whose calls and streams are seen by this clock."""
        with contextlib.suppress(RuntimeError):  # made outside of a loop: its first timer tells which one it lives in
            self._loops.add(asyncio.get_running_loop())
        return WatchedConnection(connection, self)

    def opened(self, client_id: str, stream: "WatchedStream") -> None:
        """Note the stream of a client."""
        self._clients.add(client_id)
        self.unread[client_id] = stream

    def closed(self, client_id: str, stream: "WatchedStream") -> None:
        """Forget it."""
        if self.unread.get(client_id) is stream:
            del self.unread[client_id]


def _turn(loop: asyncio.AbstractEventLoop, left: int, turned: "asyncio.Future[None]", asking: asyncio.AbstractEventLoop) -> None:
    if left:
        loop.call_soon(_turn, loop, left - 1, turned, asking)
    else:
        asking.call_soon_threadsafe(_set, turned)


def _set(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


class WatchedConnection:
    """A client's connection, with an eye on what is on its way."""

    def __init__(self, connection: "Connection", clock: SharedClock) -> None:
        self.unary = WatchedTransport(connection.unary, clock)
        self.publishing = WatchedTransport(connection.publishing, clock)
        self.streams = WatchedStreams(connection.streams, clock)
        self._connection = connection

    async def close(self) -> None:
        """Close the connection."""
        await self._connection.close()


class WatchedTransport:
    """Counts the calls on their way."""

    def __init__(self, transport: "Transport", clock: SharedClock) -> None:
        self._transport = transport
        self._clock = clock

    async def unary(self, method: str, request: "Message", *, timeout: float | None) -> Any:  # noqa: ASYNC109  (as the protocol has it)
        """Make a call."""
        self._clock.calls_out += 1
        self._clock.activity += 1
        try:
            return await self._transport.unary(method, request, timeout=timeout)
        finally:
            self._clock.calls_out -= 1
            self._clock.activity += 1

    async def close(self) -> None:
        """Close the transport."""
        await self._transport.close()


class WatchedStreams:
    """Opens streams of which is known what has been read."""

    def __init__(self, streams: "Streams", clock: SharedClock) -> None:
        self._streams = streams
        self._clock = clock

    async def streaming_pull(self, first: "pubsub.StreamingPullRequest") -> "WatchedStream":
        """Open a stream."""
        self._clock.calls_out += 1
        self._clock.activity += 1
        try:
            return WatchedStream(await self._streams.streaming_pull(first), first.client_id, self._clock)
        finally:
            self._clock.calls_out -= 1
            self._clock.activity += 1


class WatchedStream:
    """One stream: how many messages have been taken from it, and whether more would be."""

    def __init__(self, stream: "MessageStream", client_id: str, clock: SharedClock) -> None:
        self._stream = stream
        self._client_id = client_id
        self._clock = clock
        self.taken = 0
        self.is_reading = False
        clock.opened(client_id, self)

    async def read(self, room: int) -> "pubsub.StreamingPullResponse | None":
        """Read the next response."""
        self.is_reading = True
        try:
            response = await self._stream.read(room)
        finally:
            self.is_reading = False
            self._clock.activity += 1
        if response is not None:
            self.taken += len(response.received_messages)
        return response

    async def send(self, request: "pubsub.StreamingPullRequest") -> None:
        """Send a request."""
        self._clock.activity += 1
        await self._stream.send(request)

    async def close(self) -> None:
        """Close the stream."""
        self._clock.closed(self._client_id, self)
        await self._stream.close()
