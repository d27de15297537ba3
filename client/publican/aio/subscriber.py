"""`subscribe`, the coroutine of gcloud-aio-pubsub 8: pulls, handles, acks; cancelling it drains.

Unlike there, leases are kept while messages wait and while their handlers run, ids are never thrown away, and an error ends it as itself. The pulls
and acks are those of the client that is passed in, so what its class overrides (a `pull` with retries, say) is what is called.

PYTEST_DONT_REWRITE
"""

import logging
import random  # noqa: TID251  (chance spreads retries over time)
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, cast

import aiohttp

from publican.aio.consuming import Handling
from publican.aio.engine import Engine
from publican.clock import SECOND, Clock, SystemClock, nanos
from publican.errors import BY_CODE, PubsubError, Unavailable, code_of
from publican.flow import FlowControl
from publican.message import SubscriberMessage
from publican.observe import Guarded, Observer
from publican.receiving import Receiving
from publican.transport.polling import PollingStreams
from publican_protocol import pubsub

if TYPE_CHECKING:
    from publican.aio.subscriber_client import SubscriberClient
    from publican.leases import Delivery

ApplicationHandler = Callable[[SubscriberMessage], Awaitable[Any]]

log: Final = logging.getLogger("publican.subscriber")
_callback_log: Final = logging.getLogger("publican.callback-exceptions")


class AckDeadlineCache:
    """A subscription's ack deadline, asked for again when it is older than `cache_timeout` seconds; infinite until it is known."""

    def __init__(
        self,
        subscriber_client: "SubscriberClient",
        subscription: str,
        cache_timeout: float,
        ack_deadline: float | None = None,
        *,
        clock: Clock | None = None,
    ) -> None:
        self.subscriber_client = subscriber_client
        self.subscription = subscription
        self.cache_timeout = cache_timeout
        self.ack_deadline = ack_deadline or float("inf")
        self.last_refresh = float("-inf")
        self._clock = clock or SystemClock()

    async def get(self) -> float:
        """Give the deadline in seconds."""
        if self.cache_outdated():
            await self.refresh()
        return self.ack_deadline

    async def refresh(self) -> None:
        """Ask for the deadline; one that cannot be had leaves the last one standing."""
        try:
            found = await self.subscriber_client.get_subscription(self.subscription)
            self.ack_deadline = float(found["ackDeadlineSeconds"])
        except Exception as error:  # noqa: BLE001  (whatever a client raises: the last value is as good as none)
            log.warning("%s: its ack deadline cannot be read: %s", self.subscription, error)
        self.last_refresh = self._clock.now() / SECOND

    def cache_outdated(self) -> bool:
        """Say whether the next `get` asks."""
        return self._clock.now() / SECOND - self.last_refresh > self.cache_timeout or self.ack_deadline == float("inf")


async def subscribe(
    subscription: str,
    handler: ApplicationHandler,
    subscriber_client: "SubscriberClient",
    *,
    num_producers: int = 1,
    max_messages_per_producer: int = 100,
    ack_window: float = 0.3,
    ack_deadline: float | None = None,
    ack_deadline_cache_timeout: float = float("inf"),
    num_tasks_per_consumer: int = 1,
    enable_nack: bool = True,
    nack_window: float = 0.3,
    metrics_client: Any = None,
    graceful_shutdown_timeout: float | None = None,
    extend_leases: bool = True,
    observer: Observer | None = None,
    clock: Clock | None = None,
) -> None:
    """Handle the messages of a subscription until cancelled; then drain, and raise `CancelledError`.

    A handler's return acks its message, an exception nacks it (`enable_nack=False`: leaves it to its deadline); `message.ack()` and
    `message.nack()` decide before either. At most `num_producers` pulls are out, each for `max_messages_per_producer`, and `num_producers *
    num_tasks_per_consumer` handlers run. Acks leave every `ack_window` seconds, nacks every `nack_window`. `graceful_shutdown_timeout`: seconds
    that running handlers get after the cancellation; None: whatever they need.

    `extend_leases=False` leaves each message to the subscription's own deadline, which is `ack_deadline` or is asked for (again after
    `ack_deadline_cache_timeout` seconds); messages that have waited longer here are skipped then, as they are delivered again anyhow.

    Raises:
        PubsubError: what has ended the subscription.
    """
    for name, value in (
        ("num_producers", num_producers),
        ("max_messages_per_producer", max_messages_per_producer),
        ("num_tasks", num_tasks_per_consumer),
    ):
        if value < 1:
            raise ValueError(f"{name} is {value}; it must be at least 1")
    time = clock or SystemClock()
    watching: Any = None if observer is None else Guarded(observer)
    if metrics_client is not None:
        from publican.aio.metrics_agent import MetricsAgentObserver

        agent: Any = MetricsAgentObserver(metrics_client)  # Guarded passes over what it does not watch
        watching = Guarded(agent)
    cache = AckDeadlineCache(subscriber_client, subscription, ack_deadline_cache_timeout, ack_deadline, clock=time)
    marking = _Marking(handler, None if extend_leases else cache, time)
    handling = Handling(subscription, marking, watching, on_return=None)
    transport = _ClientTransport(subscriber_client)
    receiving = Receiving(
        subscription,
        FlowControl(max_messages=num_producers * max_messages_per_producer),
        random.random,
        window=nanos(ack_window),
        nack_window=nanos(nack_window),
        concurrency=num_producers * num_tasks_per_consumer,
        keeps_leases=extend_leases,
        sends_nacks=enable_nack,
        close_timeout_s=graceful_shutdown_timeout,
    )
    engine = Engine(
        receiving,
        transport,
        PollingStreams(transport, pulls=num_producers, messages_max=max_messages_per_producer),
        time,
        deliver=handling.deliver,
        abandon=handling.abandon,
        observer=watching,
        close_timeout_s=graceful_shutdown_timeout,
    )
    try:
        await engine.run()
    finally:
        await handling.close()


class _Marking:
    """A handler's message carries the mark only: how it ends is looked at when the handler has."""

    def __init__(self, handler: ApplicationHandler, deadline: AckDeadlineCache | None, clock: Clock) -> None:
        self._handler = handler
        self._deadline = deadline
        self._clock = clock

    async def __call__(self, message: SubscriberMessage) -> None:
        delivery = cast("Delivery", message._settler)
        if self._deadline is not None:
            waited = (self._clock.now() - delivery.group.received_at) / SECOND
            if waited >= await self._deadline.get():
                message.drop()
                return
        marked = _plain(message)
        is_acked = False
        try:
            await self._handler(marked)
            is_acked = True
        except Exception:  # noqa: BLE001  (whatever it raises is a nack)
            _callback_log.warning("the handler raised for message %s", message.message_id, exc_info=True)
        finally:
            if is_acked if marked.force_ack_nack is None else marked.force_ack_nack:
                message.ack()
            else:
                message.nack()


def _plain(message: SubscriberMessage) -> SubscriberMessage:
    """Give the message as `pull` does."""
    return SubscriberMessage(
        message.ack_id,
        message.message_id,
        message.publish_time,
        message.data or None,
        message.attributes or None,
        message.delivery_attempt,
        ordering_key=message.ordering_key,
    )


class _ClientTransport:
    """Carries what the engine asks by the methods of a SubscriberClient, or of what stands in for one."""

    def __init__(self, client: "SubscriberClient") -> None:
        self._client = client

    async def unary(self, method: str, request: Any, *, timeout: float | None) -> Any:
        """Call the method of that name."""
        name = method.rpartition("/")[2]
        seconds = 60.0 if timeout is None else timeout
        try:
            return await getattr(self, f"_{name}")(request, seconds)
        except PubsubError:
            raise
        except aiohttp.ClientResponseError as error:
            kind = BY_CODE[code_of(error.status)]
            raise kind(error.message, method=name, resource=request.subscription, status=error.status) from error
        except aiohttp.ClientError as error:
            raise Unavailable(str(error), method=name, resource=request.subscription) from error
        except TimeoutError as error:
            raise BY_CODE[code_of(504)](f"No answer within {seconds} s.", method=name, resource=request.subscription) from error

    async def close(self) -> None:
        """The client is its owner's."""

    async def _Pull(self, request: pubsub.PullRequest, timeout: float) -> pubsub.PullResponse:  # noqa: N802  (the RPC's name)
        messages = await self._client.pull(request.subscription, max_messages=request.max_messages, timeout=cast("int", timeout))
        return pubsub.PullResponse(received_messages=[_received(each) for each in messages])

    async def _Acknowledge(self, request: pubsub.AcknowledgeRequest, timeout: float) -> None:  # noqa: N802
        await self._client.acknowledge(request.subscription, ack_ids=list(request.ack_ids))

    async def _ModifyAckDeadline(self, request: pubsub.ModifyAckDeadlineRequest, timeout: float) -> None:  # noqa: N802
        await self._client.modify_ack_deadline(request.subscription, ack_ids=list(request.ack_ids), ack_deadline_seconds=request.ack_deadline_seconds)

    async def _GetSubscription(self, request: pubsub.GetSubscriptionRequest, timeout: float) -> pubsub.Subscription:  # noqa: N802
        found = await self._client.get_subscription(request.subscription)
        return pubsub.Subscription(
            name=request.subscription,
            enable_message_ordering=found.get("enableMessageOrdering", False),
            enable_exactly_once_delivery=found.get("enableExactlyOnceDelivery", False),
        )


def _received(message: SubscriberMessage) -> pubsub.ReceivedMessage:
    inner = pubsub.PubsubMessage(
        data=message.data or b"",
        attributes=message.attributes or {},
        message_id=message.message_id,
        publish_time=message.publish_time,
        ordering_key=message.ordering_key,
    )
    return pubsub.ReceivedMessage(ack_id=message.ack_id, message=inner, delivery_attempt=message.delivery_attempt or 0)
