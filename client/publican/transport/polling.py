"""A stream of deliveries made of long-poll pulls: for where gRPC is not installed, or no proxy lets it through.

A pull asks for the room that is left and waits long, because a pull given up on this side may already have been answered on the other: its messages
would stay leased to a connection that nobody reads. So a read that is cancelled leaves its pull out for the next one, and `close` waits a moment for
what is still out and nacks what it brings.

PYTEST_DONT_REWRITE
"""

import asyncio
import logging
from collections import deque
from typing import Final

from publican.errors import DeadlineExceeded, PermissionDenied, PubsubError
from publican.transport.protocol import Transport
from publican_protocol import pubsub
from publican_protocol.methods import SUBSCRIBER

PULL_TIMEOUT_S: Final = 90.0
CLOSE_WAIT_S: Final = 5.0
MESSAGES_MAX: Final = 1000
_PULL: Final = f"/{SUBSCRIBER}/Pull"
_GET: Final = f"/{SUBSCRIBER}/GetSubscription"
_MODIFY: Final = f"/{SUBSCRIBER}/ModifyAckDeadline"
_CALL_TIMEOUT_S: Final = 10.0
_QUICK_S: Final = 0.1  # an empty answer before that was no long poll
_PAUSE_S_MAX: Final = 1.0

log = logging.getLogger("publican.subscriber-streams")


class PollingStreams:
    """Opens streams made of pulls."""

    def __init__(self, transport: Transport, *, pulls: int = 1, messages_max: int = MESSAGES_MAX, close_wait_s: float | None = None) -> None:
        """`pulls`: how many may be out at once, each for at most `messages_max` messages."""
        self._transport = transport
        self._pulls = pulls
        self._messages_max = min(messages_max, MESSAGES_MAX)
        self._close_wait_s = CLOSE_WAIT_S if close_wait_s is None else close_wait_s

    async def streaming_pull(self, first: pubsub.StreamingPullRequest) -> "PollingStream":
        """Open a stream; one GetSubscription tells what a real stream would: ordering and exactly-once."""
        request = pubsub.GetSubscriptionRequest(subscription=first.subscription)
        properties = pubsub.StreamingPullResponse.SubscriptionProperties()
        try:
            found = await self._transport.unary(_GET, request, timeout=_CALL_TIMEOUT_S)
        except PermissionDenied:
            log.warning(
                "%s: its settings may not be read (pubsub.subscriptions.get), so it is taken as neither ordered nor exactly-once", first.subscription
            )
        else:
            properties.message_ordering_enabled = found.enable_message_ordering
            properties.exactly_once_delivery_enabled = found.enable_exactly_once_delivery
        opening = pubsub.StreamingPullResponse(subscription_properties=properties)
        return PollingStream(self._transport, first.subscription, opening, self._pulls, self._messages_max, self._close_wait_s)


class PollingStream:
    """One subscription, pulled."""

    def __init__(
        self, transport: Transport, subscription: str, opening: pubsub.StreamingPullResponse, pulls: int, messages_max: int, close_wait_s: float
    ) -> None:
        self._transport = transport
        self._subscription = subscription
        self._pulls = pulls
        self._messages_max = messages_max
        self._close_wait_s = close_wait_s
        self._ready: deque[pubsub.StreamingPullResponse] = deque([opening])
        self._out: dict[asyncio.Task[pubsub.PullResponse], int] = {}
        self._is_closed = False
        self._pause_s = 0.0

    async def read(self, room: int) -> pubsub.StreamingPullResponse | None:
        """Give the messages of the next pull that brings any; together all pulls ask for no more than `room`."""
        while not self._ready:
            if self._is_closed:
                return None
            self._ask(room)
            done, _ = await asyncio.wait(self._out, return_when=asyncio.FIRST_COMPLETED)
            self._take(done)
        return self._ready.popleft()

    async def send(self, request: pubsub.StreamingPullRequest) -> None:
        """Pulls need no sign of life; extensions have calls of their own."""

    async def close(self) -> None:
        """Wait a moment for what is out, and nack what was never read."""
        self._is_closed = True
        try:
            if self._out:
                await asyncio.wait(self._out, timeout=self._close_wait_s)
        finally:
            late = [task for task in self._out if not task.done()]
            for task in late:
                task.cancel()
            brought: list[pubsub.PullResponse] = [
                task.result() for task in self._out if task.done() and not task.cancelled() and task.exception() is None
            ]
            self._out.clear()
            if late:
                await asyncio.wait(late)
        deliveries = [*(each.received_messages for each in self._ready), *(each.received_messages for each in brought)]
        unread = [each.ack_id for some in deliveries for each in some]
        self._ready.clear()
        if unread:
            await self._nack(unread)

    def _ask(self, room: int) -> None:
        """Send pulls for the room that no pull out there asks for yet."""
        loop = asyncio.get_running_loop()
        free = room - sum(self._out.values())
        while free > 0 and len(self._out) < self._pulls:
            share = min(-(-free // (self._pulls - len(self._out))), self._messages_max)
            self._out[loop.create_task(self._pull(share))] = share
            free -= share

    async def _pull(self, messages: int) -> pubsub.PullResponse:
        if self._pause_s:
            await asyncio.sleep(self._pause_s)  # a server that does not long-poll is not asked without end
        loop = asyncio.get_running_loop()
        began = loop.time()
        request = pubsub.PullRequest(subscription=self._subscription, max_messages=messages)
        try:
            response: pubsub.PullResponse = await self._transport.unary(_PULL, request, timeout=PULL_TIMEOUT_S)
        except DeadlineExceeded:
            response = pubsub.PullResponse()  # nothing came: that is no error
        is_hurried = not response.received_messages and loop.time() - began < _QUICK_S
        self._pause_s = min(_PAUSE_S_MAX, self._pause_s * 2 or 0.01) if is_hurried else 0.0
        return response

    def _take(self, done: set[asyncio.Task[pubsub.PullResponse]]) -> None:
        failure: BaseException | None = None
        for task in done:
            del self._out[task]
            if (error := task.exception()) is not None:
                failure = failure or error
            elif task.result().received_messages:
                self._ready.append(pubsub.StreamingPullResponse(received_messages=task.result().received_messages))
        if failure is not None:
            raise failure  # what other pulls brought stays ready: `close` gives it back

    async def _nack(self, ack_ids: list[str]) -> None:
        for start in range(0, len(ack_ids), MESSAGES_MAX):
            request = pubsub.ModifyAckDeadlineRequest(subscription=self._subscription, ack_ids=ack_ids[start : start + MESSAGES_MAX])
            try:
                await self._transport.unary(_MODIFY, request, timeout=_CALL_TIMEOUT_S)
            except PubsubError as error:
                log.warning("%s: %d messages of the last pull come back only at their deadline: %s", self._subscription, len(ack_ids) - start, error)
                return
