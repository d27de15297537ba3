"""Who takes a subscription's messages: a stream that is iterated, or handlers that are run. Both stand on the same engine.

A stream hands out and its reader settles; a handler settles by how it ends.

PYTEST_DONT_REWRITE
"""

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

from publican.aio.engine import Engine
from publican.aio.tasks import Scope, start
from publican.clock import SECOND, Nanos
from publican.leases import Delivery, Stage
from publican.message import SubscriberMessage
from publican.observe import Observer
from publican.settlement import How

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


def stats_of(engine: Engine, now: Nanos) -> Stats:
    """Look at a subscription."""
    receiving = engine.receiving
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


Delivering = Callable[[list[Delivery]], None]
MakeEngine = Callable[[Delivering, Delivering], Engine]
"""Makes the engine of a subscription from where its messages go, and from what cancels their handlers."""


class Stream:
    """The messages of one subscription: iterate it, and `async with` it to end it before its subscriber ends.

    Every message has to be settled by whoever takes it: `message.ack()` or `message.nack()`. Leases are kept until then. What was taken and never
    settled is nacked when the stream is closed.
    """

    def __init__(self, scope: Scope, make_engine: MakeEngine) -> None:
        self._queue: deque[Delivery] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._error: BaseException | None = None
        self._is_closed = False
        self.engine = make_engine(self._put, lambda _: None)
        self._task = scope.start(self._run())

    async def _run(self) -> None:
        try:
            await self.engine.run()
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

    def stop(self) -> None:
        """Hand out nothing more, and begin to nack what is not settled."""
        if not self._is_closed:
            self._is_closed = True
            self.engine.close(0)
            self._wake()

    async def close(self) -> None:
        """End it: what was taken and not settled is nacked, acks are flushed."""
        self.stop()
        await asyncio.wait([self._task])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()


class Handling:
    """Runs a handler for each message: an exception is a nack, its return an ack (`on_return`; None: it settles nothing), and what it settled itself
    counts before either.
    """

    def __init__(self, subscription: str, handler: Handler, observer: Observer | None = None, *, on_return: How | None = How.ACK) -> None:
        self._subscription = subscription
        self._handler = handler
        self._observer = observer
        self._on_return = on_return
        self._is_coroutine = inspect.iscoroutinefunction(handler)
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
        how: How | None = How.NACK
        try:
            if self._observer is not None:
                with self._observer.processing(self._subscription, message):
                    await self._call(message)
            elif self._is_coroutine:
                await self._handler(message)
            else:
                await self._call(message)
            how = self._on_return
        except Exception:  # noqa: BLE001  (whatever it raises is a nack)
            _callback_log.exception("%s: the handler raised for message %s, which is nacked", self._subscription, message.message_id)
        finally:
            self._running.pop(delivery, None)
            if how is not None:
                delivery.owner.settle(delivery, how)

    async def _call(self, message: SubscriberMessage) -> None:
        answer = self._handler(message)
        if inspect.isawaitable(answer):
            await answer

    async def close(self) -> None:
        """Cancel what runs yet, and wait for its end."""
        while self._running:
            tasks = list(self._running.values())
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
