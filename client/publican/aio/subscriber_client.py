"""The subscriber as gcloud-aio-pubsub has it: the coroutines of 8.0.0, `subscribe` and `run_forever` of 2.1.2.

They collide in `create_subscription` only, which blocks where no loop runs and is a coroutine where one does. Calls are sent once, without retries;
`subscribe` keeps leases, reconnects and drains, as `Subscriber` (modern.py) does: both stand on one engine.

PYTEST_DONT_REWRITE
"""

import asyncio
import random  # noqa: TID251  (chance spreads retries over time)
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final, Literal, Self

import aiohttp

from publican.aio import calls, forever
from publican.aio.calls import DEFAULT_SCOPES as SCOPES
from publican.aio.calls import init_api_root
from publican.aio.consuming import Delivering, Handling
from publican.aio.engine import Engine
from publican.aio.tasks import detached
from publican.auth import TokenSource
from publican.clock import Clock, SystemClock
from publican.errors import AlreadyExists
from publican.flow import FlowControl, checked
from publican.message import SubscriberMessage
from publican.observe import Guarded, Observer
from publican.receiving import Receiving
from publican.transport import choice

__all__ = ["SCOPES", "FlowControl", "SubscriberClient", "init_api_root"]

CLOSE_TIMEOUT_S: Final = 30
"""How long callbacks that run may go on when the client is closed."""

Callback = Callable[[SubscriberMessage], Awaitable[Any] | Any]


class SubscriberClient:
    """Pulls and settles messages, and keeps subscriptions and snapshots. Errors are those of `publican.errors` and also aiohttp's.

    `loop` is where `subscribe` runs where none is running; without it the client makes one. `transport` is how `subscribe` receives: "grpc" or
    "polling" to insist. The other settings are as for `PublisherClient`.

    Source: cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions.
    """

    project_path = staticmethod(calls.project_path)
    subscription_path = staticmethod(calls.subscription_path)
    topic_path = staticmethod(calls.topic_path)
    snapshot_path = staticmethod(calls.snapshot_path)

    def __init__(
        self,
        *,
        loop: asyncio.AbstractEventLoop | None = None,
        service_file: str | Path | IO[Any] | None = None,
        token: TokenSource | None = None,
        session: aiohttp.ClientSession | None = None,
        api_root: str | None = None,
        api_is_dev: bool | None = None,
        endpoint: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        transport: Literal["auto", "grpc", "polling"] = "auto",
        observer: Observer | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._calls = calls.Calls(
            service_file=service_file,
            session=session,
            token=token,
            api_root=api_root,
            api_is_dev=api_is_dev,
            endpoint=endpoint,
            ssl_context=ssl_context,
        )
        self._transport = transport
        self._observer: Any = None if observer is None else Guarded(observer)
        self._clock = clock or SystemClock()
        self._given_loop = loop
        self._own_loop: asyncio.AbstractEventLoop | None = None
        self._connection: choice.Transports | None = None
        self._engines: list[Engine] = []
        self._message: type[SubscriberMessage] = SubscriberMessage

    @property
    def token(self) -> TokenSource | None:
        """Where tokens come from; None on an emulator."""
        return self._calls.token

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop that was given, else the running one, else the client's own, made when it is first needed."""
        if self._given_loop is not None:
            return self._given_loop
        if forever.is_loop_running():
            return asyncio.get_running_loop()
        if self._own_loop is None or self._own_loop.is_closed():
            self._own_loop = asyncio.new_event_loop()
        return self._own_loop

    # subscriptions

    def create_subscription(
        self,
        subscription: str,
        topic: str,
        body: Mapping[str, Any] | None = None,
        *,
        session: aiohttp.ClientSession | None = None,
        timeout: float = 10,
        **fields: Any,
    ) -> Coroutine[Any, Any, dict[str, Any]]:
        """Create a subscription. `body` holds its settings as REST names them, `fields` as the API does (`ack_deadline_seconds=30`).

        Where a loop runs this is a coroutine, and a subscription that exists is an error. Where none runs it is done when this returns, and one that
        exists is as good, as in gcloud-aio-pubsub 2.1.2; what is returned can be awaited all the same.

        Raises:
            AlreadyExists: the name is taken, and a loop runs.
        """
        settings = {**(body or {}), **fields, "topic": topic}
        sent = self._calls.send("PUT", subscription, settings, about=("CreateSubscription", subscription), session=session, timeout=timeout)
        if forever.is_loop_running():
            return sent
        return forever.Finished(self._now(self._forgiving(sent)))

    async def _forgiving(self, sent: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
        try:
            return await sent
        except AlreadyExists:
            return {}

    def _now(self, coroutine: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
        if self._given_loop is not None:
            return self._given_loop.run_until_complete(coroutine)
        return forever.run_now(coroutine)

    async def patch_subscription(
        self, subscription: str, body: Mapping[str, Any], *, session: aiohttp.ClientSession | None = None, timeout: float = 10
    ) -> dict[str, Any]:
        """Change a subscription; `body` is `{"subscription": {...}, "updateMask": "ackDeadlineSeconds"}`."""
        return await self._calls.send("PATCH", subscription, body, about=("UpdateSubscription", subscription), session=session, timeout=timeout)

    async def delete_subscription(self, subscription: str, *, session: aiohttp.ClientSession | None = None, timeout: float = 10) -> None:
        """Delete a subscription, and what it has not delivered with it."""
        await self._calls.send("DELETE", subscription, about=("DeleteSubscription", subscription), session=session, timeout=timeout)

    async def get_subscription(self, subscription: str, *, session: aiohttp.ClientSession | None = None, timeout: float = 10) -> dict[str, Any]:
        """Give a subscription's settings."""
        return await self._calls.send("GET", subscription, about=("GetSubscription", subscription), session=session, timeout=timeout)

    async def list_subscriptions(
        self, project: str, query_params: Mapping[str, str] | None = None, *, session: aiohttp.ClientSession | None = None, timeout: float = 10
    ) -> dict[str, Any]:
        """Give all subscriptions of a project, `projects/p`; page by page, `timeout` for each."""
        return await self._calls.pages(project, "subscriptions", query_params, method="ListSubscriptions", session=session, timeout=timeout)

    async def seek(self, subscription: str, body: Mapping[str, Any], *, session: aiohttp.ClientSession | None = None, timeout: float = 10) -> None:
        """Move a subscription to a time or a snapshot: `{"time": "2026-01-31T00:00:00Z"}` or `{"snapshot": name}`."""
        await self._calls.send("POST", f"{subscription}:seek", body, about=("Seek", subscription), session=session, timeout=timeout)

    # messages

    async def pull(
        self, subscription: str, max_messages: int, *, session: aiohttp.ClientSession | None = None, timeout: float = 30
    ) -> list[SubscriberMessage]:
        """Give at most `max_messages` messages, as soon as there is one.

        Raises:
            DeadlineExceeded: none came in `timeout` seconds; it is a TimeoutError.
        """
        answer = await self._calls.send(
            "POST", f"{subscription}:pull", {"maxMessages": max_messages}, about=("Pull", subscription), session=session, timeout=timeout
        )
        return [self._message.from_repr(each) for each in answer.get("receivedMessages", ())]

    async def acknowledge(
        self, subscription: str, ack_ids: Sequence[str], *, session: aiohttp.ClientSession | None = None, timeout: float = 10
    ) -> None:
        """Take messages: they are not delivered again."""
        body = {"ackIds": list(ack_ids)}
        await self._calls.send("POST", f"{subscription}:acknowledge", body, about=("Acknowledge", subscription), session=session, timeout=timeout)

    async def modify_ack_deadline(
        self,
        subscription: str,
        ack_ids: Sequence[str],
        ack_deadline_seconds: int,
        *,
        session: aiohttp.ClientSession | None = None,
        timeout: float = 10,
    ) -> None:
        """Give messages a deadline so many seconds from now; 0 gives them back at once."""
        body = {"ackIds": list(ack_ids), "ackDeadlineSeconds": ack_deadline_seconds}
        about = ("ModifyAckDeadline", subscription)
        await self._calls.send("POST", f"{subscription}:modifyAckDeadline", body, about=about, session=session, timeout=timeout)

    # snapshots

    async def create_snapshot(
        self,
        snapshot: str,
        subscription: str,
        body: Mapping[str, Any] | None = None,
        *,
        session: aiohttp.ClientSession | None = None,
        timeout: float = 10,
    ) -> dict[str, Any]:
        """Remember what a subscription has not acknowledged yet."""
        settings = {**(body or {}), "subscription": subscription}
        return await self._calls.send("PUT", snapshot, settings, about=("CreateSnapshot", snapshot), session=session, timeout=timeout)

    async def delete_snapshot(self, snapshot: str, *, session: aiohttp.ClientSession | None = None, timeout: float = 10) -> None:
        """Delete a snapshot."""
        await self._calls.send("DELETE", snapshot, about=("DeleteSnapshot", snapshot), session=session, timeout=timeout)

    async def list_snapshots(
        self, project: str, query_params: Mapping[str, str] | None = None, *, session: aiohttp.ClientSession | None = None, timeout: float = 10
    ) -> dict[str, Any]:
        """Give all snapshots of a project, `projects/p`; page by page, `timeout` for each."""
        return await self._calls.pages(project, "snapshots", query_params, method="ListSnapshots", session=session, timeout=timeout)

    async def get_snapshot(self, snapshot: str, *, session: aiohttp.ClientSession | None = None, timeout: float = 10) -> dict[str, Any]:
        """Give a snapshot."""
        return await self._calls.send("GET", snapshot, about=("GetSnapshot", snapshot), session=session, timeout=timeout)

    # receiving, as 2.1.2 does

    def subscribe(self, subscription: str, callback: Callback, *, flow_control: Sequence[float] = ()) -> "asyncio.Task[Any]":
        """Call `callback` for each message, and give the keep-alive: a task that ends with the subscription.

        `ack()`, `nack()` and `drop()` settle a message; that the callback returns does not, an exception in it is a nack. A plain function runs on
        the loop. Cancelling the keep-alive drains: the callbacks that run may end, what waits is given back.

        Raises:
            ValueError: limits that nothing could meet.
        """
        limits = checked(flow_control)
        return detached(self._receive(subscription, callback, limits), self.loop)

    async def _receive(self, subscription: str, callback: Callback, flow_control: FlowControl) -> Any:
        handling = Handling(subscription, callback, self._observer, on_return=None)
        engine = self._engine(subscription, flow_control, handling.deliver, handling.abandon)
        try:
            return await engine.run()
        finally:
            await handling.close()
            self._engines.remove(engine)

    def _engine(
        self, subscription: str, flow_control: FlowControl, deliver: Delivering, abandon: Delivering, concurrency: int | None = None
    ) -> Engine:
        if self._connection is None:
            self._connection = choice.choose(self._transport, self._calls.transport)
        engine = Engine(
            Receiving(subscription, flow_control, random.random, concurrency=concurrency),
            self._connection.unary,
            self._connection.streams,
            self._clock,
            deliver=deliver,
            abandon=abandon,
            observer=self._observer,
        )
        self._engines.append(engine)
        return engine

    def run_forever(self, keep_alive: "asyncio.Future[Any]") -> None:
        """Run the client's loop until SIGTERM, SIGINT or the end of the keep-alive; drain before returning.

        Raises:
            PubsubError: what has ended the subscription.
            RuntimeError: a loop runs here already; await the keep-alive there.
        """
        if forever.is_loop_running():
            raise RuntimeError("run_forever was called inside a running loop: await the keep-alive instead")
        loop = keep_alive.get_loop()
        forever.run_until_done(loop, keep_alive, is_ours=loop is self._own_loop)

    async def close(self) -> None:
        """Drain the subscriptions of this loop, as cancelling their keep-alives does, and close what is the client's own in it."""
        loop = asyncio.get_running_loop()
        engines = [each for each in self._engines if each.loop is loop]
        for engine in engines:
            engine.close(CLOSE_TIMEOUT_S)
        await asyncio.gather(*(each.ended() for each in engines))
        if self._connection is not None:
            await self._connection.close()
        else:
            await self._calls.transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *args: object) -> None:
        await self.close()
