"""StreamingPull: one stream from its first request to its end.

Two things go on at once: requests are applied as they come, and messages are delivered as there is room. A delivery waits for messages first, then
for room on the way out (streams of a connection share one window, so an earlier look is stale), then leases and writes without awaiting in between.

Source: google.pubsub.v1.Subscriber.StreamingPull; docs/semantics.md, streaming-pull.

PYTEST_DONT_REWRITE
"""

import asyncio
from collections.abc import Mapping

from google.protobuf.message import DecodeError

from publican_emulator.broker import ackids, limits
from publican_emulator.broker.ackids import AckIds
from publican_emulator.broker.broker import Broker
from publican_emulator.broker.consumer import Consumer
from publican_emulator.broker.errors import BadArgument, InvalidArgument, Unavailable
from publican_emulator.broker.exactly_once import TransientId
from publican_emulator.broker.settings import check_extension
from publican_emulator.driver import Driver
from publican_emulator.rpc.call import CallInfo, StreamHandler
from publican_emulator.rpc.stream import MessageStream
from publican_emulator.services.messages import check_request_size, malformed
from publican_protocol import pubsub, wire
from publican_protocol.methods import SUBSCRIBER

_ACK_TAG = b"\x12%c" % ackids.ACK_ID_CHARS


class StreamingPull:
    """Opens streams."""

    def __init__(self, driver: Driver, *, max_age_s: float | None = None) -> None:
        """`max_age_s`: after how many real seconds a stream is closed with UNAVAILABLE, as the service does about every half hour; None: never."""
        self._driver = driver
        self._max_age_s = max_age_s

    def handlers(self) -> Mapping[str, StreamHandler]:
        """Give the handler by method path."""
        return {f"/{SUBSCRIBER}/StreamingPull": self.streaming_pull}

    async def streaming_pull(self, stream: MessageStream, info: CallInfo) -> None:
        """Serve one stream; it ends only with an error, by the client's cancellation, or with the server."""
        body = await stream.receive()
        if body is None:
            raise InvalidArgument("The stream was closed before its first request, which must name a subscription.")
        request = _parse(body)
        driver = self._driver
        broker = driver.broker
        consumer, _ = driver.run(
            broker.open_stream,
            request.subscription,
            request.stream_ack_deadline_seconds,
            request.max_outstanding_messages,
            request.max_outstanding_bytes,
            request.client_id,
        )
        served = _Stream(driver, broker, consumer, stream, request.subscription, answers_pings=request.protocol_version >= 1)
        try:
            stream.start()
            await served.apply(request)
            async with asyncio.timeout(self._max_age_s) as age:
                await served.serve()
        except TimeoutError:
            if not age.expired():
                raise
            raise Unavailable("The service was unable to fulfill your request. Please try again. [code=8a75]") from None
        finally:
            driver.run(broker.close, consumer)


def _parse(body: bytes) -> pubsub.StreamingPullRequest:
    check_request_size(body)
    try:
        return pubsub.StreamingPullRequest.FromString(body)
    except DecodeError:
        raise malformed("StreamingPullRequest") from None


class _Stream:
    """One open stream."""

    def __init__(self, driver: Driver, broker: Broker, consumer: Consumer, stream: MessageStream, subscription: str, *, answers_pings: bool) -> None:
        self._driver = driver
        self._broker = broker
        self._consumer = consumer
        self._stream = stream
        self._subscription = subscription
        self._answers_pings = answers_pings

    async def serve(self) -> None:
        """Receive and deliver until one of them ends with an error; a client that half-closes goes on receiving."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._deliver())
                tasks.create_task(self._receive())
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None

    async def _deliver(self) -> None:
        driver, broker, consumer, stream = self._driver, self._broker, self._consumer, self._stream
        while True:
            await driver.ready(consumer)
            if consumer.end is None and stream.room() <= 0:
                driver.run(broker.pass_on, consumer)
                await stream.writable()
                continue
            batch, commit = driver.run(broker.lease, consumer, min(stream.room(), limits.STREAM_RESPONSE_BYTES))
            if batch:
                response = batch.encoded() + self._properties()
                if commit is not None:
                    await commit
                stream.write(response)
            else:  # its transforms left nothing of what there was: others have their turn
                await asyncio.sleep(0)

    def _properties(self) -> bytes:
        settings = self._consumer.subscription.settings
        return wire.subscription_properties(exactly_once=settings.enable_exactly_once_delivery, ordering=settings.enable_message_ordering)

    async def _receive(self) -> None:
        stream = self._stream
        while (body := await stream.receive()) is not None:
            if not body:
                if self._answers_pings:
                    stream.write(b"")
                continue
            check_request_size(body)
            if not self._is_exactly_once and (split := wire.split_ack_ids(body, _ACK_TAG, ackids.ACK_ID_CHARS, ackids.HEAD_CHARS)):
                self._driver.run(self._broker.try_acknowledge, self._subscription, split)
                continue
            request = _parse(body)
            _check_later(request)
            if request.stream_ack_deadline_seconds:
                self._driver.run(self._broker.set_stream_deadline, self._consumer, request.stream_ack_deadline_seconds)
            await self.apply(request)

    @property
    def _is_exactly_once(self) -> bool:
        return self._consumer.subscription.settings.enable_exactly_once_delivery

    async def apply(self, request: pubsub.StreamingPullRequest) -> None:
        """Carry out the acks of a request, then its deadline changes; nothing of it when any part is malformed."""
        ack_ids, by_seconds = list(request.ack_ids), _deadline_changes(request)
        if not ack_ids and not by_seconds:
            return
        driver, broker = self._driver, self._broker
        driver.run(broker.check_ack_ids, self._subscription, [*ack_ids, *request.modify_deadline_ack_ids])
        confirmation = pubsub.StreamingPullResponse()
        commit = None
        if ack_ids:
            refused, commit = driver.run(broker.try_acknowledge, self._subscription, ack_ids)
            _confirm(confirmation.acknowledge_confirmation, ack_ids, refused)
        for seconds, changed in by_seconds.items():
            refused, commit = driver.run(broker.try_modify_ack_deadline, self._subscription, changed, seconds)
            _confirm(confirmation.modify_ack_deadline_confirmation, changed, refused)
        if self._is_exactly_once:
            if commit is not None:
                await commit
            self._stream.write(confirmation.SerializeToString() + self._properties())


def _check_later(request: pubsub.StreamingPullRequest) -> None:
    """Refuse fields that only the first request may set."""
    for field in ("subscription", "max_outstanding_messages", "max_outstanding_bytes", "protocol_version"):
        value = getattr(request, field)
        if value:
            raise BadArgument(field, f"Only the first request on a stream may set it; a later one has {value}.")


def _deadline_changes(request: pubsub.StreamingPullRequest) -> dict[int, list[str]]:
    """Give the ack ids to change by their new seconds; of an id that stands twice the last counts."""
    ack_ids, seconds = request.modify_deadline_ack_ids, request.modify_deadline_seconds
    if len(ack_ids) != len(seconds):
        raise BadArgument("modify_deadline_seconds", f"There are {len(seconds)} of them for {len(ack_ids)} modify_deadline_ack_ids.")
    for value in seconds:
        check_extension(value)
    by_seconds: dict[int, list[str]] = {}
    for ack_id, value in dict(zip(ack_ids, seconds, strict=True)).items():
        by_seconds.setdefault(value, []).append(ack_id)
    return by_seconds


def _confirm(
    confirmation: pubsub.StreamingPullResponse.AcknowledgeConfirmation | pubsub.StreamingPullResponse.ModifyAckDeadlineConfirmation,
    ack_ids: AckIds,
    refused: list[str],
) -> None:
    bad = set(refused)
    for_a_while = [ack_id for ack_id in refused if isinstance(ack_id, TransientId)]
    confirmation.temporary_failed_ack_ids.extend(for_a_while)
    confirmation.ack_ids.extend(dict.fromkeys(ack_id for ack_id in ack_ids if isinstance(ack_id, str) and ack_id not in bad))
    confirmation.invalid_ack_ids.extend(dict.fromkeys(ack_id for ack_id in ack_ids if isinstance(ack_id, str) and ack_id in bad - set(for_a_while)))
