"""The modern subscriber: `async with Subscriber()`, then `async for message in subscriber.stream(...)` or `await subscriber.run(..., handler)`.

Both stand on the same engine. A stream hands out and the caller settles; `run` settles by how the handler ends. A subscriber may have any number of
subscriptions, and needs no thread for any of them.

PYTEST_DONT_REWRITE
"""

import asyncio
import inspect
import logging
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

from publican.aio.engine import Engine
from publican.aio.tasks import Scope, start
from publican.clock import SECOND, Clock, Nanos, nanos
from publican.effects import Drained
from publican.flow import FlowControl, checked
from publican.leases import Delivery, Stage
from publican.message import SubscriberMessage
from publican.observe import Observer
from publican.receiving import Receiving
from publican.retry import Jitter
from publican.settlement import How
from publican.transport.protocol import Streams, Transport

Handler = Callable[[SubscriberMessage], Awaitable[Any] | Any]

_callback_log: Final = logging.getLogger("publican.callback-exceptions")


@dataclass(frozen=True, slots=True)
class Stats:
    """One look at a subscription, to tell stuck from idle. Spans are seconds; None: there is none."""

    subscription: str
    phase: str
    load: float
    """The larger share of the flow control's limits; 1.0 and above: nothing more is taken."""
    held: int
    """Messages that wait for room, or for their turn in their key."""
    running: int
    """Messages that handlers have."""
    oldest_s: float | None
    """How long ago the oldest message that is not settled came."""
    last_response_s: float | None
    reconnects: int
    late: int
    """Messages settled after their lease was lost."""
    given_up: int
    """Acks and nacks that the service never accepted."""


class Consumer:
    """What one subscription of a subscriber is made of, whoever takes its messages."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.engine = engine
        self._clock = clock

    def stats(self) -> Stats:
        """Look at it."""
        receiving, now = self.engine.receiving, self._clock.now()
        return Stats(
            subscription=receiving.subscription,
            phase=receiving.phase.value,
            load=receiving.outstanding.load,
            held=receiving.held,
            running=receiving.outstanding.handed_count,
            oldest_s=_since(receiving.keeper.oldest(), now),
            last_response_s=_since(receiving.last_response, now),
            reconnects=receiving.reconnects,
            late=receiving.late,
            given_up=receiving.settlements.given_up,
        )


def _since(instant: Nanos | None, now: Nanos) -> float | None:
    return None if instant is None else (now - instant) / SECOND


class Stream:
    """The messages of one subscription: iterate it, and `async with` it to end it before its subscriber ends.

    Every message has to be settled by whoever takes it: `message.ack()` or `message.nack()`. Leases are kept until then. What was taken and never
    settled is nacked when the stream is closed.
    """

    def __init__(self, scope: Scope, make_engine: Callable[[Callable[[list[Delivery]], None], Callable[[list[Delivery]], None]], Engine]) -> None:
        self._queue: deque[Delivery] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._error: BaseException | None = None
        self._is_closed = False
        self.engine = make_engine(self._put, lambda _: None)
        self._task = scope.start(self._run())

    async def _run(self) -> None:
        try:
            await self.engine.run()
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  (it is the reader's: raised by the next __anext__)
            self._error = error
        finally:
            self._is_closed = True
            self._wake()

    def _put(self, deliveries: list[Delivery]) -> None:
        self._queue += deliveries
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SubscriberMessage:
        while True:
            while self._queue and not self._is_closed:
                delivery = self._queue.popleft()
                if delivery.stage is Stage.HANDED:  # its lease may have ended while nobody asked
                    return SubscriberMessage.from_received(delivery.received, delivery)
            if self._error is not None:
                error, self._error = self._error, None
                raise error
            if self._is_closed:
                raise StopAsyncIteration
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    async def close(self) -> None:
        """End it: what was taken and not settled is nacked, acks are flushed."""
        if not self._is_closed:
            self._is_closed = True
            self.engine.close(0)
            self._wake()
        await asyncio.wait([self._task])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()


class Handling:
    """Runs a handler for each message: its return is an ack, an exception a nack, and what it settled itself counts before either."""

    def __init__(self, subscription: str, handler: Handler) -> None:
        self._subscription = subscription
        self._handler = handler
        self._running: dict[Delivery, asyncio.Task[None]] = {}
        self._loop = asyncio.get_running_loop()

    def deliver(self, deliveries: list[Delivery]) -> None:
        """Start a handler for each."""
        for each in deliveries:
            task = start(self._handle(each), self._loop)
            if not task.done():
                self._running[each] = task

    def abandon(self, deliveries: list[Delivery]) -> None:
        """Cancel the handlers of these."""
        for each in deliveries:
            task = self._running.get(each)
            if task is not None:
                task.cancel()

    async def _handle(self, delivery: Delivery) -> None:
        message = SubscriberMessage.from_received(delivery.received, delivery)
        how = How.NACK
        try:
            answer = self._handler(message)
            if inspect.isawaitable(answer):
                await answer
            how = How.ACK
        except Exception:  # noqa: BLE001  (whatever it raises is a nack)
            _callback_log.exception("%s: the handler raised for message %s, which is nacked", self._subscription, message.message_id)
        finally:
            self._running.pop(delivery, None)
            delivery.settle(delivery.ack_id, how)

    async def close(self) -> None:
        """Cancel what runs yet, and wait for its end."""
        while self._running:
            tasks = list(self._running.values())
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


class Receiver:
    """What subscriptions have in common: the way to the service, the time, chance."""

    def __init__(self, transport: Transport, streams: Streams, clock: Clock, jitter: Jitter, observer: Observer | None) -> None:
        self.transport = transport
        self.streams = streams
        self.clock = clock
        self.jitter = jitter
        self.observer = observer
        self.client_id = str(uuid.uuid4())

    def engine(
        self,
        subscription: str,
        flow_control: FlowControl,
        deliver: Callable[[list[Delivery]], None],
        abandon: Callable[[list[Delivery]], None],
        *,
        window_s: float = 0.01,
        concurrency: int | None = None,
        keeps_leases: bool = True,
        sends_nacks: bool = True,
        close_timeout_s: float | None = 30,
    ) -> Engine:
        """Make the engine of one subscription."""
        receiving = Receiving(
            subscription,
            flow_control,
            self.jitter,
            client_id=self.client_id,
            window=nanos(window_s),
            concurrency=concurrency,
            keeps_leases=keeps_leases,
            sends_nacks=sends_nacks,
            close_timeout_s=close_timeout_s,
        )
        return Engine(
            receiving,
            self.transport,
            self.streams,
            self.clock,
            deliver=deliver,
            abandon=abandon,
            observer=self.observer,
            close_timeout_s=close_timeout_s,
        )


async def consume(
    receiver: Receiver, subscription: str, handler: Handler, flow_control: Sequence[float], started: Callable[[Engine], None], **settings: Any
) -> Drained:
    """Run a handler for each message of a subscription until cancelled or closed; see `Subscriber.run`."""
    handling = Handling(subscription, handler)
    engine = receiver.engine(subscription, checked(flow_control), handling.deliver, handling.abandon, **settings)
    started(engine)
    try:
        return await engine.run()
    finally:
        await handling.close()
