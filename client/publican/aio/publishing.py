"""The modern publisher: batches by topic and key, order by key, room, retries.

`publish` waits for the message's id, `submit` for room only. A caller that is cancelled leaves its message where it is: in its batch.

PYTEST_DONT_REWRITE
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from publican.aio.tasks import Scope
from publican.batching import Batcher, BatchSettings, Entry, PublishBatch
from publican.clock import SECOND, Clock, Nanos, Timer, nanos
from publican.errors import Closed, OrderingKeyPaused, PublishLimitReached, PubsubError
from publican.message import PubsubMessage
from publican.observe import Observer
from publican.publish_order import PublishOrder
from publican.retry import Backoff, Jitter, RetryPolicy
from publican.room import PublishLimits, Room
from publican.transport.protocol import Transport
from publican_protocol import pubsub
from publican_protocol.methods import PUBLISHER

CALL_TIMEOUT_S: Final = 60.0
_PUBLISH: Final = f"/{PUBLISHER}/Publish"


class Publishing:
    """Everything of a publisher but the way to its service; `Publisher` is the whole."""

    def __init__(
        self,
        transport: Transport,
        clock: Clock,
        jitter: Jitter,
        *,
        batches: BatchSettings,
        limits: PublishLimits,
        retry: RetryPolicy,
        is_ordering: bool,
        observer: Observer | None = None,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._jitter = jitter
        self._batcher = Batcher(batches)
        self._order = PublishOrder()
        self._room = Room(limits)
        self._limits = limits
        self._retry = retry
        self._is_ordering = is_ordering
        self._observer = observer
        self._loop = asyncio.get_running_loop()
        self._scope = Scope(self._break)
        self._timer: Timer | None = None
        self._timer_due: Nanos | None = None
        self._is_closed = False
        self._under_way: set[PublishBatch] = set()
        self._idle: asyncio.Future[None] | None = None

    # in

    async def submit(self, topic: str, message: pubsub.PubsubMessage) -> "asyncio.Future[str]":
        """Wait for room, and give the future of the message's id."""
        key = message.ordering_key
        if key and not self._is_ordering:
            raise ValueError(f"the message has the ordering key {key!r}, and this publisher keeps no order: make it with Publisher(ordering=True)")
        size = message.ByteSize()
        self._batcher.check(topic, size)
        self._refuse(topic, key)
        entry = Entry(message, size, self._loop.create_future())
        if self._room.enter(size):
            self._add(topic, key, entry)
        else:
            await self._wait_for_room(topic, key, entry)
        return entry.waiting  # type: ignore[no-any-return]  # made above

    def _refuse(self, topic: str, key: str) -> None:
        if self._is_closed:
            raise Closed("The publisher is closed.", method="Publish", resource=topic)
        if key and self._order.is_paused(topic, key):
            raise _paused(topic, key)

    def _add(self, topic: str, key: str, entry: Entry) -> None:
        for batch in self._batcher.add(topic, key, entry, entry.size, self._clock.now()):
            self._closed(batch)
        if self._timer_due is None:
            self._arm()

    async def _wait_for_room(self, topic: str, key: str, entry: Entry) -> None:
        if self._limits.on_limit == "raise":
            limits = f"{self._limits.max_messages} messages and {self._limits.max_bytes} bytes"
            held = f"{self._room.count} messages, {self._room.bytes} bytes"
            words = f"The publisher holds {held}; with {entry.size} bytes more it would exceed its limits of {limits}."
            raise PublishLimitReached(words, method="Publish", resource=topic)
        waiting = _Waiting(topic, key, entry, self._loop.create_future())
        self._room.wait(entry.size, waiting)
        try:
            await waiting.entered
        except asyncio.CancelledError:
            self._let_in(self._room.give_up(waiting))  # one that was let in this very turn stays in its batch
            raise

    def _leave(self, count: int, size: int) -> None:
        self._let_in(self._room.leave(count, size))

    def _let_in(self, entered: "list[_Waiting]") -> None:
        """Put into their batches those who waited, at once: one who comes now must not overtake them."""
        for each in entered:
            try:
                self._refuse(each.topic, each.key)
            except PubsubError as error:
                if not each.entered.done():
                    each.entered.set_exception(error)
                self._leave(1, each.entry.size)
            else:
                self._add(each.topic, each.key, each.entry)
                if not each.entered.done():
                    each.entered.set_result(None)

    # batches

    def _arm(self) -> None:
        due = self._batcher.next_due()
        if due is not None:
            self._timer_due = due
            self._timer = self._clock.call_at(due, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = self._timer_due = None
        for batch in self._batcher.settle(self._clock.now()):
            self._closed(batch)
        self._arm()

    def _closed(self, batch: PublishBatch) -> None:
        self._under_way.add(batch)
        if self._order.submit(batch):
            self._scope.start(self._send(batch))

    async def _send(self, batch: PublishBatch) -> None:
        """Send a batch until it is accepted, or has failed for good."""
        began = self._clock.now()
        backoff = Backoff(self._retry, self._jitter, began)
        request = pubsub.PublishRequest(topic=batch.topic, messages=[each.message for each in batch.entries])
        while True:
            try:
                response = await self._transport.unary(_PUBLISH, request, timeout=CALL_TIMEOUT_S)
            except PubsubError as error:
                again = backoff.again_at(error, self._clock.now())
                if again is None:
                    self._failed(batch, error)
                    return
                if self._observer is not None:
                    self._observer.retried(batch.topic, "publish", error.code.name)
                await self._until(again)
            else:
                break
        if self._observer is not None:
            self._observer.batch_sent(batch.topic, "publish", len(batch.entries), (self._clock.now() - began) / SECOND)
        self._accepted(batch, response.message_ids)

    async def _until(self, instant: Nanos) -> None:
        come: asyncio.Future[None] = self._loop.create_future()
        timer = self._clock.call_at(instant, lambda: _set(come))
        try:
            await come
        finally:
            timer.cancel()

    def _accepted(self, batch: PublishBatch, message_ids: Any) -> None:
        size = 0
        for entry, message_id in zip(batch.entries, message_ids, strict=True):
            size += entry.size
            if not entry.waiting.done():
                entry.waiting.set_result(message_id)
        following = self._order.accepted(batch)
        self._over(batch, size)
        if following is not None:
            self._scope.start(self._send(following))

    def _failed(self, batch: PublishBatch, error: BaseException) -> None:
        """Fail a batch, and with it what would overtake it."""
        behind = self._order.failed(batch)
        self._fail(batch, error)
        if batch.key:
            opened = self._batcher.take(batch.topic, batch.key)
            for each in (*behind, *([] if opened is None else [opened])):
                self._fail(each, _paused(batch.topic, batch.key))

    def _fail(self, batch: PublishBatch, error: BaseException) -> None:
        for entry in batch.entries:
            if not entry.waiting.done():
                entry.waiting.set_exception(error)
                entry.waiting.exception()  # whoever does not look at it does not care
        self._over(batch, sum(entry.size for entry in batch.entries))

    def _over(self, batch: PublishBatch, size: int) -> None:
        self._under_way.discard(batch)
        self._leave(len(batch.entries), size)
        if not self._under_way and self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    def _break(self, error: BaseException) -> None:
        """Something of ours is wrong: nobody waits for ever because of it."""
        for batch in list(self._under_way):
            self._fail(batch, error)

    def resume(self, topic: str, key: str) -> None:
        """Publish a key again after a failure."""
        self._order.resume(topic, key)

    # out

    async def flush(self) -> None:
        """Send what is there, and return when the service has answered for all of it."""
        for batch in self._batcher.take_all():
            self._closed(batch)
        while self._under_way:
            if self._idle is None or self._idle.done():
                self._idle = self._loop.create_future()
            await asyncio.shield(self._idle)

    async def close(self, timeout_s: float | None) -> None:
        """Take nothing more, send what is there, and fail what is not accepted within `timeout_s`."""
        if self._is_closed:
            return
        self._is_closed = True
        timers = []
        try:
            for each in self._room.empty():
                if not each.entered.done():
                    each.entered.set_exception(Closed("The publisher was closed while the message waited for room.", method="Publish"))
            flushing = self._scope.start(self.flush())
            if timeout_s is not None:
                timers.append(self._clock.call_at(Nanos(self._clock.now() + nanos(timeout_s)), lambda: _cancel(flushing)))
            await asyncio.wait([flushing])
        finally:
            for timer in (*timers, *([] if self._timer is None else [self._timer])):
                timer.cancel()
            flushing.cancel()
            await self._scope.close()
            for batch in list(self._under_way):
                self._fail(batch, Closed("The publisher was closed before the message was accepted.", method="Publish", resource=batch.topic))


class _Waiting:
    """A message that waits for room, and its caller."""

    __slots__ = ("entered", "entry", "key", "topic")

    def __init__(self, topic: str, key: str, entry: Entry, entered: "asyncio.Future[None]") -> None:
        self.topic = topic
        self.key = key
        self.entry = entry
        self.entered = entered


def _set(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()


def message_of(data: "bytes | str | PubsubMessage", ordering_key: str, attributes: Mapping[str, Any], topic: str, observer: Observer | None) -> Any:
    """Give the API's message of what a caller gave."""
    if isinstance(data, PubsubMessage):
        attributes = {**data.attributes, **attributes}
        ordering_key = ordering_key or data.ordering_key
        data = data.data
    if isinstance(data, str):
        data = data.encode()
    if observer is not None:
        attributes = dict(attributes)
        observer.publishing(topic, attributes)
    return pubsub.PubsubMessage(data=data, attributes=attributes, ordering_key=ordering_key)


def _paused(topic: str, key: str) -> OrderingKeyPaused:
    words = f"An earlier message of the ordering key {key!r} failed: nothing of it is published until resume(topic, key)."
    return OrderingKeyPaused(words, method="Publish", resource=topic)
