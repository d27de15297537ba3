"""The modern surface: `async with Publisher() as publisher` and `async with Subscriber() as subscriber`.

A subscriber has any number of subscriptions and needs no thread for any of them; a publisher any number of topics. Leaving the context loses nothing:
a publisher sends what it has, a subscriber drains (acks what is done, gives back what is not).

PYTEST_DONT_REWRITE
"""

import asyncio
import functools
import random  # noqa: TID251  (chance spreads retries over time)
import uuid
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Final, Literal, Self

from publican.aio.consuming import Delivering, Handler, Handling, Stats, Stream, stats_of
from publican.aio.engine import Engine
from publican.aio.publishing import Publishing, message_of
from publican.aio.tasks import Scope
from publican.batching import BatchSettings
from publican.clock import Clock, SystemClock, nanos
from publican.effects import Drained
from publican.errors import Closed
from publican.flow import FlowControl, checked
from publican.message import PubsubMessage
from publican.observe import Guarded, Observer
from publican.receiving import Receiving
from publican.retry import PUBLISH, Jitter, RetryPolicy
from publican.room import PublishLimits
from publican.transport.protocol import Connection

TransportChoice = Literal["auto", "grpc", "polling"]

_jitter: Final[Jitter] = random.Random().random


def _connected(transport: TransportChoice | Connection, options: dict[str, Any]) -> Connection:
    if not isinstance(transport, str):
        if options:
            raise TypeError(f"a connection of your own is complete: it takes no {', '.join(sorted(options))}")
        return transport
    from publican.aio.connecting import connect  # aiohttp and, perhaps, grpcio: for those who connect

    connection: Connection = connect(transport, **options)
    return connection


class Publisher:
    """Publishes messages in batches, each as soon as its batch is full or its first message has waited `max_latency` seconds.

    `ordering=True` lets messages have ordering keys: a key's messages are accepted in the order of the calls, and after a failure the key is paused
    until `resume`. `limits` bounds what is held. `retry` is how a failed request is repeated. `transport`: "grpc" or "polling" (REST) to insist.
    Further keywords say where the service is and who is asking: `endpoint`, `api_root`, `session`, `service_file`, `token`, `ssl_context`;
    `compress_above`: publish requests of at least so many bytes are gzipped where gRPC carries them.

    Raises:
        ValueError: settings that no request could meet.
    """

    def __init__(
        self,
        *,
        max_messages: int = 100,
        max_bytes: int = 1_000_000,
        max_latency: float = 0.01,
        ordering: bool = False,
        limits: PublishLimits = PublishLimits(),  # noqa: B008  (frozen)
        retry: RetryPolicy = PUBLISH,
        close_timeout: float | None = 30,
        observer: Observer | None = None,
        clock: Clock | None = None,
        transport: TransportChoice | Connection = "auto",
        **connection: Any,
    ) -> None:
        self._batches = BatchSettings(max_messages, max_bytes, max_latency)
        self._ordering = ordering
        self._limits = limits
        self._retry = retry
        self._close_timeout_s = close_timeout
        self._observer: Any = None if observer is None else Guarded(observer)
        self._clock = clock or SystemClock()
        self._connect: Callable[[], Connection] = functools.partial(_connected, transport, connection)
        self._connection: Connection | None = None
        self._publishing: Publishing | None = None

    async def __aenter__(self) -> Self:
        self._open()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    def _open(self) -> Publishing:
        if self._publishing is None:
            self._connection = self._connect()
            self._publishing = Publishing(
                self._connection.publishing,
                self._clock,
                _jitter,
                batches=self._batches,
                limits=self._limits,
                retry=self._retry,
                is_ordering=self._ordering,
                observer=self._observer,
            )
        return self._publishing

    async def submit(self, topic: str, data: bytes | str | PubsubMessage, *, ordering_key: str = "", **attributes: str) -> "asyncio.Future[str]":
        """Take a message into its batch, after waiting for room if there is none; the future is its id, or why it has none.

        Raises:
            MessageTooLarge: no publish request can hold it.
            OrderingKeyPaused: an earlier message of its key has failed.
            PublishLimitReached: there is no room, and `on_limit` is "raise".
            Closed: the publisher is closed.
        """
        return await self._open().submit(topic, message_of(data, ordering_key, attributes, topic, self._observer))

    async def publish(self, topic: str, data: bytes | str | PubsubMessage, *, ordering_key: str = "", **attributes: str) -> str:
        """Publish a message and give its id; cancelling this leaves the message in its batch.

        Raises:
            PubsubError: what the service refused, after the retries; else as `submit`.
        """
        return await (await self.submit(topic, data, ordering_key=ordering_key, **attributes))

    def resume(self, topic: str, ordering_key: str) -> None:
        """Publish a key again after one of its messages has failed; without effect when none has."""
        self._open().resume(topic, ordering_key)

    async def flush(self) -> None:
        """Send what is there without waiting for more, and return when the service has answered for all of it."""
        if self._publishing is not None:
            await self._publishing.flush()

    async def close(self, timeout: float | None = None) -> None:
        """Send what is there, and fail with `Closed` what is not accepted within `timeout` seconds (of `close_timeout`)."""
        publishing = self._open() if self._connection is None else self._publishing
        assert publishing is not None
        await publishing.close(self._close_timeout_s if timeout is None else timeout)
        if self._connection is not None:
            await self._connection.close()


class Subscriber:
    """Receives messages: `stream` to iterate, `run` to handle. Leases are kept as long as a message is in hand.

    `flow_control` bounds what each subscription holds at once. `ack_window`: seconds that acks wait for others to leave with. `close_timeout`:
    seconds that running handlers get when it is closed; None: whatever they need. Further keywords as for `Publisher`.

    Raises:
        ValueError: limits that nothing could meet.
    """

    def __init__(
        self,
        *,
        flow_control: Sequence[float] = FlowControl(),
        ack_window: float = 0.01,
        close_timeout: float | None = 30,
        observer: Observer | None = None,
        clock: Clock | None = None,
        transport: TransportChoice | Connection = "auto",
        **connection: Any,
    ) -> None:
        self._flow_control = checked(flow_control)
        self._window = nanos(ack_window)
        self._close_timeout_s = close_timeout
        self._observer: Any = None if observer is None else Guarded(observer)
        self._clock = clock or SystemClock()
        self._connect: Callable[[], Connection] = functools.partial(_connected, transport, connection)
        self._connection: Connection | None = None
        self._client_id = str(uuid.uuid4())
        self._engines: list[Engine] = []
        self._streams: list[Stream] = []
        self._scope = Scope(_raise)
        self._is_closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    def _engine(
        self, subscription: str, flow_control: Sequence[float] | None, deliver: Delivering, abandon: Delivering, concurrency: int | None = None
    ) -> Engine:
        if self._is_closed:
            raise Closed("The subscriber is closed.", method="StreamingPull", resource=subscription)
        limits = self._flow_control if flow_control is None else checked(flow_control)
        if self._connection is None:
            self._connection = self._connect()
        receiving = Receiving(
            subscription,
            limits,
            _jitter,
            client_id=self._client_id,
            window=self._window,
            concurrency=concurrency,
            close_timeout_s=self._close_timeout_s,
        )
        engine = Engine(
            receiving,
            self._connection.unary,
            self._connection.streams,
            self._clock,
            deliver=deliver,
            abandon=abandon,
            observer=self._observer,
            close_timeout_s=self._close_timeout_s,
        )
        self._engines.append(engine)
        return engine

    def stream(self, subscription: str, *, flow_control: Sequence[float] | None = None) -> Stream:
        """Give the messages of a subscription, to be iterated; whoever takes one settles it.

        An error that ends the subscription (no such subscription, no permission) is raised by the iteration.
        """
        stream = Stream(self._scope, lambda deliver, abandon: self._engine(subscription, flow_control, deliver, abandon))
        self._streams.append(stream)
        return stream

    async def run(
        self, subscription: str, handler: Handler, *, flow_control: Sequence[float] | None = None, concurrency: int | None = None
    ) -> Drained:
        """Call `handler` for each message of a subscription, at most `concurrency` at once (as many as flow control allows).

        Its return acks the message, an exception nacks it; what it has settled itself counts before either. A plain function runs on the loop. Runs
        until the subscriber is closed; cancelling it drains first, cancelling it again takes no time for that.

        Raises:
            PubsubError: the service has ended the subscription.
            asyncio.CancelledError: it was cancelled, and is drained.
        """
        handling = Handling(subscription, handler, self._observer)
        engine = self._engine(subscription, flow_control, handling.deliver, handling.abandon, concurrency)
        try:
            return await engine.run()
        finally:
            await handling.close()
            self._engines.remove(engine)

    def stats(self) -> list[Stats]:
        """Look at each subscription: its load, what is held and running, the oldest message, reconnects."""
        now = self._clock.now()
        return [stats_of(each, now) for each in self._engines]

    async def close(self, timeout: float | None = None, *, held: Literal["nack", "process"] = "nack") -> None:
        """Drain: take nothing more, give back what is held (or hand it out yet: `held="process"`), let handlers finish within `timeout` seconds.

        Acks are flushed and confirmed; what handlers have not finished by then is nacked, and they are cancelled.
        """
        self._is_closed = True
        for stream in self._streams:
            stream.stop()
        for engine in self._engines:
            engine.close(self._close_timeout_s if timeout is None else timeout, held_is_processed=held == "process")
        ending = asyncio.gather(*(each.ended() for each in self._engines))
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError:
            for engine in self._engines:
                engine.close(0)
            await ending
            raise
        finally:
            await self._scope.close()
            if self._connection is not None:
                await self._connection.close()


def _raise(error: BaseException) -> None:
    raise error
