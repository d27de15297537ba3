"""Runs one subscription on the loop: carries out what `Receiving` decides, tells it what happens, holds the one timer.

What acks within one turn of the loop is looked at once, at its end. Nothing here decides anything about a message.

PYTEST_DONT_REWRITE
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from publican import effects
from publican.aio.tasks import Scope
from publican.clock import SECOND, Clock, Nanos, Timer
from publican.effects import Drained
from publican.errors import AckFailed, PubsubError, Unavailable
from publican.leases import Delivery
from publican.observe import Observer
from publican.receiving import Receiving
from publican.settlement import AckResult, Batch, How, Kind
from publican.transport.protocol import MessageStream, Streams, Transport
from publican_protocol import pubsub
from publican_protocol.methods import SUBSCRIBER

CALL_TIMEOUT_S: Final = 60.0
_ACKNOWLEDGE: Final = f"/{SUBSCRIBER}/Acknowledge"
_MODIFY: Final = f"/{SUBSCRIBER}/ModifyAckDeadline"

_streams_log: Final = logging.getLogger("publican.subscriber-streams")
_expiry_log: Final = logging.getLogger("publican.expiry")
_acks_log: Final = logging.getLogger("publican.slow-ack")


class Engine:
    """One subscription, from `run` to its end."""

    def __init__(
        self,
        receiving: Receiving,
        transport: Transport,
        streams: Streams,
        clock: Clock,
        *,
        deliver: Callable[[list[Delivery]], None],
        abandon: Callable[[list[Delivery]], None],
        observer: Observer | None = None,
        close_timeout_s: float | None = 30,
    ) -> None:
        """`deliver` is given what is handed out, `abandon` what has to be cancelled when the time to close is over."""
        self.receiving = receiving
        self._transport = transport
        self._streams = streams
        self._clock = clock
        self._deliver = deliver
        self._abandon = abandon
        self._observer = observer
        self._close_timeout_s = close_timeout_s
        self.loop = asyncio.get_running_loop()
        self._scope = Scope(self._break)
        self._ended: asyncio.Future[Drained] = self.loop.create_future()
        self._over = asyncio.Event()
        self._is_scheduled = False
        self._timer: Timer | None = None
        self._timer_due: Nanos | None = None
        self._reader: asyncio.Task[None] | None = None
        self._stream: MessageStream | None = None
        self._resumed = asyncio.Event()
        self._results: dict[Delivery, asyncio.Future[AckResult]] = {}
        self._is_silent = False
        self._is_disconnected = False

    # its life

    async def run(self) -> Drained:
        """Receive until closed; cancelling it drains, cancelling it again drains at once.

        Raises:
            PubsubError: the service has ended the subscription.
            asyncio.CancelledError: it was cancelled, and is drained.
        """
        cancelled: asyncio.CancelledError | None = None
        self.receiving.start(self._clock.now())
        self._after()
        try:
            while True:
                try:
                    drained = await asyncio.shield(self._ended)
                    break
                except asyncio.CancelledError as error:
                    if self._ended.cancelled():
                        raise
                    self.close(0 if cancelled else self._close_timeout_s)
                    cancelled = error
        finally:
            if self._timer is not None:
                self._timer.cancel()
            try:
                if self._is_disconnected and self._reader is not None:
                    await asyncio.wait([self._reader])  # a stream made of pulls gives back what the last one brings
            finally:
                await self._scope.close()
                self._end_results()
                self._over.set()
        if cancelled is not None:
            raise cancelled
        return drained

    async def ended(self) -> None:
        """Return when it has ended, however that was."""
        await self._over.wait()

    def close(self, timeout_s: float | None, *, held_is_processed: bool = False) -> None:
        """Begin to drain; `run` returns when that is done."""
        self.receiving.close(self._clock.now(), timeout_s=timeout_s, held="process" if held_is_processed else "nack")
        self._after()

    def _break(self, error: BaseException) -> None:
        """Something of ours is wrong: the subscription ends with its traceback."""
        if not self._ended.done():
            self._ended.set_exception(error)

    def _end_results(self) -> None:
        for waiting in self._results.values():
            if not waiting.done():
                waiting.set_result(AckResult.LEASE_LOST)
        self._results.clear()

    # what messages ask

    def settle(self, delivery: Delivery, how: How) -> None:
        """Settle a message that was handed out."""
        now = self._clock.now()
        if self._observer is not None and delivery.is_live:
            self._observer.settled(self.receiving.subscription, how.value, (now - delivery.handed_at) / SECOND)
        self.receiving.settled(delivery, how, now)
        self._schedule()

    async def settle_with_result(self, delivery: Delivery, how: How) -> AckResult:
        """Settle a message, and wait for the service's word.

        Raises:
            AckFailed: under exactly-once delivery it was not accepted.
        """
        result = delivery.result
        if result is None:
            waiting = self._results.get(delivery)
            if waiting is None:
                waiting = self._results[delivery] = self.loop.create_future()
            delivery.wants_result = True
            self.settle(delivery, how)
            result = await asyncio.shield(waiting)
        if result is not AckResult.SUCCESS and self.receiving.keeper.is_exactly_once:
            raise AckFailed(f"The {how.value} was not accepted: {result.value}.", result, method="Acknowledge", resource=self.receiving.subscription)
        return result

    def extend(self, delivery: Delivery, seconds: int) -> None:
        """Ask for another deadline."""
        self.receiving.extended(delivery, seconds, self._clock.now())
        self._schedule()

    # the machine

    def _schedule(self) -> None:
        if not self._is_scheduled:
            self._is_scheduled = True
            self.loop.call_soon(self._after)

    def _after(self) -> None:
        """Carry out what has been decided, and wait for the next instant."""
        self._is_scheduled = False
        receiving = self.receiving
        if self._ended.done():
            return
        due = receiving.next_due()
        if due is not None and due <= (now := self._clock.now()):
            receiving.settle(now)
        while receiving.has_effects:
            for effect in receiving.take():
                _CARRY_OUT[type(effect)](self, effect)
        self._arm(receiving.next_due())

    def _arm(self, due: Nanos | None) -> None:
        if due is None or (self._timer_due is not None and self._timer_due <= due):
            return  # it fires early, finds nothing and is set anew: cheaper than setting it each time
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due = due
        self._timer = self._clock.call_at(due, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = self._timer_due = None
        self._after()

    # effects

    def _connect(self, effect: effects.Connect) -> None:
        self._reader = self._scope.start(self._read(effect.first, self._reader))

    async def _read(self, first: pubsub.StreamingPullRequest, before: asyncio.Task[None] | None) -> None:
        """Open a stream and read it to its end."""
        receiving, error = self.receiving, None
        if before is not None:
            await asyncio.wait([before])
        self._is_silent = False
        try:
            stream = self._stream = await self._streams.streaming_pull(first)
            try:
                receiving.connected(self._clock.now())
                self._after()
                while (response := await stream.read(await self._room())) is not None:
                    self._received(response)
            finally:
                self._stream = None
                await stream.close()
        except PubsubError as caught:
            error = caught
        except asyncio.CancelledError:
            if not self._is_silent:
                raise
            error = Unavailable("Nothing was heard on the stream, not even an answer to a ping.", method="StreamingPull", resource=first.subscription)
        self._stream_ended(error)

    async def _room(self) -> int:
        outstanding = self.receiving.outstanding
        while not (room := outstanding.room):
            self._resumed.clear()
            await self._resumed.wait()
        return room

    def _received(self, response: pubsub.StreamingPullResponse) -> None:
        messages = response.received_messages
        if self._observer is not None and messages:
            self._observer.received(self.receiving.subscription, len(messages), response.ByteSize())
            self._observer.load(self.receiving.subscription, self.receiving.outstanding.load)
        self.receiving.received(response, self._clock.now())
        self._after()

    def _stream_ended(self, error: PubsubError | None) -> None:
        receiving, now = self.receiving, self._clock.now()
        was_useful = receiving.has_lived(now)
        receiving.stream_ended(error, now)
        code = "OK" if error is None else error.code.name
        if (again := receiving.reconnects_at) is not None:
            level = logging.DEBUG if was_useful else logging.WARNING
            _streams_log.log(level, "%s: the stream has ended (%s); the next opens in %.1f s", receiving.subscription, error, (again - now) / SECOND)
            if self._observer is not None:
                self._observer.reconnected(receiving.subscription, code)
        elif error is not None:
            _streams_log.error("%s: the subscription has ended: %s", receiving.subscription, error)
        self._after()

    def _disconnect(self, effect: effects.Disconnect) -> None:
        if self._reader is not None and not self._reader.done():
            self._is_disconnected = effect.is_final
            self._is_silent = not effect.is_final
            self._reader.cancel()

    def _ping(self, effect: effects.Ping) -> None:
        if self._stream is not None:
            self._scope.start(self._send_ping(self._stream))

    async def _send_ping(self, stream: MessageStream) -> None:
        try:
            await stream.send(pubsub.StreamingPullRequest())
        except PubsubError:
            pass  # the reader learns why

    def _resume(self, effect: effects.Resume) -> None:
        self._resumed.set()

    def _hand(self, effect: effects.Hand) -> None:
        for each in effect.deliveries:
            each.owner = self
        if self._observer is not None:
            for each in effect.deliveries:
                self._observer.handed(self.receiving.subscription, (each.handed_at - each.group.received_at) / SECOND)
        self._deliver(effect.deliveries)

    def _send(self, effect: effects.Send) -> None:
        self._scope.start(self._call(effect.batch))

    async def _call(self, batch: Batch) -> None:
        failure: PubsubError | None = None
        subscription = self.receiving.subscription
        try:
            if batch.kind is Kind.ACK:
                request = pubsub.AcknowledgeRequest(subscription=subscription, ack_ids=batch.ack_ids)
                await self._transport.unary(_ACKNOWLEDGE, request, timeout=CALL_TIMEOUT_S)
            else:
                change = pubsub.ModifyAckDeadlineRequest(subscription=subscription, ack_ids=batch.ack_ids, ack_deadline_seconds=batch.seconds)
                await self._transport.unary(_MODIFY, change, timeout=CALL_TIMEOUT_S)
        except PubsubError as error:
            failure = error
        self.receiving.answered(batch, failure, self._clock.now())
        self._after()

    def _answered(self, effect: effects.Answered) -> None:
        answer, error, subscription = effect.answer, effect.error, self.receiving.subscription
        batch = answer.batch
        if error is not None:
            level = logging.DEBUG if not answer.refused else logging.WARNING
            _acks_log.log(
                level,
                "%s: %s of %d: %s; %d are sent again, %d are given up",
                *(subscription, batch.kind.value, len(batch.deliveries), error, answer.retried, len(answer.refused)),
            )
        if self._observer is not None:
            took_s = (self._clock.now() - batch.sent_at) / SECOND
            self._observer.batch_sent(subscription, batch.kind.value, len(batch.deliveries), took_s)
            if error is not None and answer.retried:
                self._observer.retried(subscription, batch.kind.value, error.code.name)
            if error is None and batch.kind is Kind.MODACK:
                self._observer.lease_extended(subscription, len(batch.deliveries), batch.seconds)

    def _resolved(self, effect: effects.Resolved) -> None:
        waiting = self._results.pop(effect.delivery, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(effect.result)

    def _lost(self, effect: effects.Lost) -> None:
        _expiry_log.warning("%s: %d leases are lost: %s", self.receiving.subscription, len(effect.deliveries), effect.why)
        if self._observer is not None:
            for _ in effect.deliveries:
                self._observer.lease_lost(self.receiving.subscription, effect.why)

    def _half_time(self, effect: effects.HalfTime) -> None:
        for each in effect.deliveries:
            _expiry_log.warning(
                "%s: message %s is not settled yet, and half of max_lease_duration has passed",
                *(self.receiving.subscription, each.received.message.message_id),
            )

    def _abandoned(self, effect: effects.Abandon) -> None:
        self._abandon(effect.deliveries)

    def _end(self, effect: effects.Ended) -> None:
        if self._ended.done():
            return
        if effect.error is not None:
            self._ended.set_exception(effect.error)
        else:
            self._ended.set_result(effect.drained)


_CARRY_OUT: Final[dict[type, Callable[..., None]]] = {
    effects.Connect: Engine._connect,
    effects.Disconnect: Engine._disconnect,
    effects.Ping: Engine._ping,
    effects.Resume: Engine._resume,
    effects.Hand: Engine._hand,
    effects.Send: Engine._send,
    effects.Answered: Engine._answered,
    effects.Resolved: Engine._resolved,
    effects.Lost: Engine._lost,
    effects.HalfTime: Engine._half_time,
    effects.Abandon: Engine._abandoned,
    effects.Ended: Engine._end,
}
