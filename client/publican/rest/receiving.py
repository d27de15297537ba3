"""Receiving, blocking: the asynchronous clients' engines, with handlers on threads and iterators that wait.

PYTEST_DONT_REWRITE
"""

import asyncio
import concurrent.futures
import signal
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Final, Protocol, Self

from publican.aio.consuming import Delivering, Stream
from publican.aio.engine import Engine
from publican.aio.tasks import detached
from publican.effects import Drained
from publican.flow import FlowControl, checked
from publican.leases import Delivery
from publican.rest.handlers import HANDLERS_MAX, Handler, StreamingPullFuture, SubscriberMessage, ThreadHandling, message_of
from publican.rest.portal import Portal
from publican.rest.twin import Twin
from publican.settlement import How

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_TURN_S: Final = 0.5  # a main thread that waits without end would never run its signal handlers on some platforms


class Client(Protocol):
    """What receiving needs of an asynchronous client."""

    _observer: Any
    _engines: list[Engine]

    def _engine(
        self, subscription: str, flow_control: FlowControl, deliver: Delivering, abandon: Delivering, concurrency: int | None = None
    ) -> Engine:
        """Make the engine of one subscription."""


def subscribe(
    twin: Twin[Any], subscription: str, handler: Handler, flow_control: Sequence[float], handlers: int | None, *, on_return: How | None
) -> StreamingPullFuture:
    """Handle messages on threads, in the background; the future is the keep-alive."""
    limits = checked(flow_control)
    if handlers is not None and handlers < 1:
        raise ValueError(f"handlers is {handlers}; it must be at least 1")
    count = min(limits.max_messages, HANDLERS_MAX) if handlers is None else handlers
    client, portal = twin.client, twin.enter()
    tasks: list[asyncio.Task[Any]] = []
    future = StreamingPullFuture(lambda: _ignore(portal.post(lambda: [task.cancel() for task in tasks])))
    future.set_running_or_notify_cancel()

    def start() -> None:
        task = detached(_receive(client, portal, subscription, handler, limits, count, on_return), portal.loop)
        tasks.append(task)
        task.add_done_callback(lambda ended: fulfil(future, ended))

    portal.post(start)
    return future


async def _receive(
    client: Client, portal: Portal, subscription: str, handler: Handler, limits: FlowControl, handlers: int, on_return: How | None
) -> Drained:
    handling = ThreadHandling(portal, subscription, handler, handlers, client._observer, on_return=on_return)
    engine = client._engine(subscription, limits, handling.deliver, handling.abandon, handlers)
    try:
        return await engine.run()
    finally:
        handling.close()
        client._engines.remove(engine)


def fulfil(future: "concurrent.futures.Future[Any]", task: "asyncio.Future[Any]") -> None:
    """Give a future what an asyncio one has become."""
    if task.cancelled():
        future.set_exception(concurrent.futures.CancelledError())
    elif (error := task.exception()) is not None:
        future.set_exception(error)
    else:
        future.set_result(task.result())


def _ignore(_: object) -> None:
    pass


def run_forever(keep_alive: StreamingPullFuture) -> None:
    """Wait until SIGTERM, SIGINT or the end of the keep-alive, and for the drain.

    Raises:
        PubsubError: what has ended the subscription.
    """
    before = {}
    try:
        for each in _SIGNALS:
            try:
                before[each] = signal.signal(each, lambda *_: _ignore(keep_alive.cancel()))
            except ValueError:
                break  # not the main thread: whoever owns the signals has to cancel the keep-alive
        while not concurrent.futures.wait([keep_alive], _TURN_S).done:
            pass
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    try:
        keep_alive.result()
    except concurrent.futures.CancelledError:
        pass


class BlockingStream:
    """The messages of one subscription: iterate it, and `with` it to end it before its subscriber ends. Every message has to be settled."""

    def __init__(self, twin: Twin[Any], stream: Stream) -> None:
        self._twin = twin
        self._stream = stream

    def __iter__(self) -> Iterator[SubscriberMessage]:
        return self

    def __next__(self) -> SubscriberMessage:
        found = self._twin.call(lambda _: self._next())
        if found is None:
            raise StopIteration
        return message_of(self._twin.enter(), found)

    async def _next(self) -> Delivery | None:
        received = await anext(self._stream, None)
        if received is None:
            return None
        delivery = received._settler
        assert isinstance(delivery, Delivery)
        return delivery

    def close(self) -> None:
        """End it: what was taken and not settled is nacked, acks are flushed."""
        self._twin.call(lambda _: self._stream.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def stream(twin: Twin[Any], subscription: str, flow_control: Sequence[float] | None) -> BlockingStream:
    """Open a stream."""

    async def opened(client: Any) -> Stream:
        made: Stream = client.stream(subscription, flow_control=flow_control)
        return made

    return BlockingStream(twin, twin.call(opened))


def run(keep_alive: StreamingPullFuture) -> Drained:
    """Wait for the end of a subscription; Ctrl-C drains it."""
    try:
        drained: Drained = keep_alive.result()
    except KeyboardInterrupt:
        keep_alive.cancel()
        concurrent.futures.wait([keep_alive])
        raise
    return drained
