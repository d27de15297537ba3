"""Handlers on threads: the loop keeps their leases, even of one that is stuck in C code.

PYTEST_DONT_REWRITE
"""

import concurrent.futures
import functools
import logging
from collections.abc import Callable
from typing import Any, Final

from publican import message
from publican.leases import Delivery, Stage
from publican.observe import Observer
from publican.rest.portal import Portal
from publican.rest.twin import Result
from publican.settlement import AckResult, How

HANDLERS_MAX: Final = 10
_callback_log: Final = logging.getLogger("publican.callback-exceptions")


class SubscriberMessage(message.SubscriberMessage):
    """A message as it was received; it may be settled from any thread."""

    __slots__ = ()

    def ack_with_result(self) -> AckResult:  # type: ignore[override]  # the blocking twin of a coroutine
        """Take the message, wait for the service, and give what it says.

        Raises:
            AckFailed: under exactly-once delivery the ack was not accepted; its `result` tells why.
        """
        return self._settled(How.ACK)

    def nack_with_result(self) -> AckResult:  # type: ignore[override]
        """Give the message back, wait for the service, and give what it says; errors as for `ack_with_result`."""
        return self._settled(How.NACK)

    def _settled(self, how: How) -> AckResult:
        settler = self._kept()
        if self.force_ack_nack is None:
            self.force_ack_nack = how is How.ACK
        assert isinstance(settler, _Threadsafe)
        return settler.wait(how)


Handler = Callable[[SubscriberMessage], Any]


class _Threadsafe:
    """Settles a delivery from any thread; after the end of the loop its lease is lost, and nothing is said."""

    __slots__ = ("_delivery", "_portal")

    def __init__(self, portal: Portal, delivery: Delivery) -> None:
        self._portal = portal
        self._delivery = delivery

    def settle(self, ack_id: str, how: How) -> None:
        self._portal.post(self._delivery.settle, ack_id, how)

    async def settle_with_result(self, ack_id: str, how: How) -> AckResult:
        return await self._delivery.settle_with_result(ack_id, how)

    def wait(self, how: How) -> AckResult:
        return self._portal.call(lambda: self._delivery.settle_with_result(self._delivery.ack_id, how))

    def extend(self, ack_id: str, seconds: int) -> None:
        self._portal.post(self._delivery.extend, ack_id, seconds)

    def is_lease_lost(self, ack_id: str) -> bool:
        return self._delivery.is_lease_lost(ack_id)


def message_of(portal: Portal, delivery: Delivery) -> SubscriberMessage:
    """Give a delivery as a thread gets it."""
    return SubscriberMessage.from_received(delivery.received, _Threadsafe(portal, delivery))


class StreamingPullFuture(Result[Any]):
    """The keep-alive of a subscription: cancel it to drain, wait for its result to stay alive."""

    def __init__(self, cancel: Callable[[], None]) -> None:
        super().__init__()
        self._drain = cancel

    def cancel(self) -> bool:
        """Begin to drain; it is done when that is, and is cancelled then."""
        if self.done():
            return False
        self._drain()
        return True


class ThreadHandling:
    """Runs a handler on a thread for each message; the asynchronous twin is `publican.aio.consuming.Handling`."""

    def __init__(
        self,
        portal: Portal,
        subscription: str,
        handler: Handler,
        handlers: int,
        observer: Observer | None = None,
        *,
        on_return: How | None,
    ) -> None:
        self._portal = portal
        self._subscription = subscription
        self._handler = handler
        self._observer = observer
        self._on_return = on_return
        self._pool = concurrent.futures.ThreadPoolExecutor(handlers, thread_name_prefix=f"publican-{subscription.rpartition('/')[2]}")
        self._running: dict[Delivery, concurrent.futures.Future[None]] = {}

    def deliver(self, deliveries: list[Delivery]) -> None:
        """Let a thread handle each, as soon as one is free."""
        for each in deliveries:
            future = self._running[each] = self._pool.submit(self._handle, each)
            future.add_done_callback(functools.partial(self._ended, each))

    def _ended(self, delivery: Delivery, _: object) -> None:
        self._portal.post(self._running.pop, delivery, None)

    def abandon(self, deliveries: list[Delivery]) -> None:
        """Let those not begin that have not; a thread that runs cannot be stopped, its message is the service's again."""
        for each in deliveries:
            future = self._running.get(each)
            if future is not None:
                future.cancel()

    def close(self) -> None:
        """Take nothing more; threads that run yet end with their handlers."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _handle(self, delivery: Delivery) -> None:
        if delivery.stage is not Stage.HANDED:
            return  # its lease ended before a thread was free
        received = message_of(self._portal, delivery)
        how: How | None = How.NACK
        try:
            if self._observer is None:
                self._handler(received)
            else:
                with self._observer.processing(self._subscription, received):
                    self._handler(received)
            how = self._on_return
        except Exception:  # noqa: BLE001  (whatever it raises is a nack)
            _callback_log.exception("%s: the handler raised for message %s, which is nacked", self._subscription, received.message_id)
        finally:
            if how is not None:
                self._portal.post(delivery.settle, delivery.ack_id, how)
