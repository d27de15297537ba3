"""The transports, against the emulator: calls, streams, errors, time-outs, loops that come and go."""

import asyncio
import os
import pickle
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import freezegun
import pytest

from publican import endpoint as endpoints
from publican import errors, types
from publican.transport import per_loop
from publican.transport.choice import Transports, choose
from publican.transport.rest import RestTransport
from publican_protocol.methods import PUBLISHER, SUBSCRIBER

LIMIT_S = 20.0
PUBLISH, GET_TOPIC, CREATE_TOPIC = f"/{PUBLISHER}/Publish", f"/{PUBLISHER}/GetTopic", f"/{PUBLISHER}/CreateTopic"
CREATE_SUBSCRIPTION, PULL, ACK = f"/{SUBSCRIBER}/CreateSubscription", f"/{SUBSCRIBER}/Pull", f"/{SUBSCRIBER}/Acknowledge"


@pytest.fixture(params=["grpc", "polling"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@asynccontextmanager
async def transports(kind: str, **settings: int) -> AsyncIterator[Transports]:
    chosen = choose(kind, RestTransport(endpoints.find(os.environ)), **settings)  # type: ignore[arg-type]
    async with asyncio.timeout(LIMIT_S):
        try:
            yield chosen
        finally:
            await chosen.close()


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


def test_messages_go_out_and_come_back(kind: str, topic: str, subscription: str) -> None:
    async def story() -> None:
        async with transports(kind) as by:
            await by.unary.unary(CREATE_TOPIC, types.Topic(name=topic), timeout=5)
            await by.unary.unary(CREATE_SUBSCRIPTION, types.Subscription(name=subscription, topic=topic, enable_message_ordering=True), timeout=5)
            sent = types.PublishRequest(topic=topic, messages=[types.PubsubMessage(data=b"\x00\xff", attributes={"a": "ü"}, ordering_key="k")])
            [message_id] = (await by.publishing.unary(PUBLISH, sent, timeout=5)).message_ids
            stream = await by.streams.streaming_pull(types.StreamingPullRequest(subscription=subscription, stream_ack_deadline_seconds=10))
            received: list[types.ReceivedMessage] = []
            properties = None
            while not received:
                response = await stream.read(10)
                assert response is not None
                if response.HasField("subscription_properties"):
                    properties = response.subscription_properties
                received += response.received_messages
            assert properties is not None
            assert properties.message_ordering_enabled
            [delivery] = received
            message = delivery.message
            assert (message.message_id, message.data, dict(message.attributes), message.ordering_key) == (message_id, b"\x00\xff", {"a": "ü"}, "k")
            assert message.publish_time.seconds > 1_700_000_000
            await by.unary.unary(ACK, types.AcknowledgeRequest(subscription=subscription, ack_ids=[delivery.ack_id]), timeout=5)
            await stream.close()

    run(story)


def test_an_error_is_one_of_the_family_and_names_method_and_resource(kind: str, topic: str) -> None:
    async def story() -> None:
        async with transports(kind) as by:
            with pytest.raises(errors.NotFound) as refused:
                await by.publishing.unary(PUBLISH, types.PublishRequest(topic=topic, messages=[types.PubsubMessage(data=b"x")]), timeout=5)
            error = refused.value
            assert (error.code.name, error.status, error.method, error.resource, error.retryable) == ("NOT_FOUND", 404, "Publish", topic, False)
            assert str(error).startswith("Resource not found")
            assert topic in str(error)
            assert str(pickle.loads(pickle.dumps(error))) == str(error)

    run(story)


def test_a_stream_of_nothing_says_why(kind: str, topic: str, subscription: str) -> None:
    async def story() -> None:
        async with transports(kind) as by:

            async def read_one() -> None:
                stream = await by.streams.streaming_pull(types.StreamingPullRequest(subscription=subscription, stream_ack_deadline_seconds=10))
                await stream.read(1)

            with pytest.raises(errors.NotFound) as refused:
                await read_one()
            assert refused.value.resource == subscription

    run(story)


def test_rest_errors_are_also_those_of_aiohttp(topic: str) -> None:
    async def story() -> None:
        async with transports("polling") as by:
            with pytest.raises(aiohttp.ClientResponseError) as refused:
                await by.unary.unary(GET_TOPIC, types.GetTopicRequest(topic=topic), timeout=5)
            error: Any = refused.value
            assert type(error).__mro__.index(errors.NotFound) == 1
            assert error.status == 404
            assert error.message.startswith("Not Found: {")
            assert error.headers is not None
            assert "application/json" in error.headers["Content-Type"]
            assert repr(error).startswith("NotFound(")

    run(story)


def test_a_place_where_nobody_listens_is_unavailable(monkeypatch: pytest.MonkeyPatch, unused_port: int, topic: str) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{unused_port}")

    async def story() -> None:
        async with transports("polling") as by:
            with pytest.raises(errors.Unavailable) as failed:
                await by.unary.unary(GET_TOPIC, types.GetTopicRequest(topic=topic), timeout=5)
            assert isinstance(failed.value, aiohttp.ClientConnectorError)
            assert failed.value.retryable
            assert failed.value.method == "GetTopic"

    run(story)


def test_a_call_that_is_not_answered_in_time_is_a_timeout_and_its_task_is_not_cancelled(topic: str, subscription: str) -> None:
    async def story() -> None:
        async with transports("polling") as by:
            await by.unary.unary(CREATE_TOPIC, types.Topic(name=topic), timeout=5)
            await by.unary.unary(CREATE_SUBSCRIPTION, types.Subscription(name=subscription, topic=topic), timeout=5)
            for timeout in (0.05, 0.1, 0.05):
                with pytest.raises(TimeoutError) as late:
                    await by.unary.unary(PULL, types.PullRequest(subscription=subscription, max_messages=1), timeout=timeout)
                assert isinstance(late.value, errors.DeadlineExceeded)
            task = asyncio.current_task()
            assert task is not None
            assert not task.cancelling()

    run(story)


def test_a_cancelled_call_is_cancelled_and_no_timeout(topic: str, subscription: str) -> None:
    async def story() -> None:
        async with transports("polling") as by:
            await by.unary.unary(CREATE_TOPIC, types.Topic(name=topic), timeout=5)
            await by.unary.unary(CREATE_SUBSCRIPTION, types.Subscription(name=subscription, topic=topic), timeout=5)
            with pytest.raises(TimeoutError) as late:
                async with asyncio.timeout(0.05):  # the caller's own, before ours
                    await by.unary.unary(PULL, types.PullRequest(subscription=subscription, max_messages=1), timeout=5)
            assert not isinstance(late.value, errors.DeadlineExceeded)

    run(story)


@pytest.mark.parametrize("forgets", [False, True])
def test_39_a_client_used_in_two_loops_one_after_the_other(kind: str, topic: str, *, forgets: bool) -> None:
    chosen = choose(kind, RestTransport(endpoints.find(os.environ)))  # type: ignore[arg-type]

    async def create() -> None:
        with pytest.raises(errors.NotFound):
            await chosen.unary.unary(GET_TOPIC, types.GetTopicRequest(topic=topic), timeout=5)
        with pytest.raises(errors.NotFound):
            await chosen.publishing.unary(PUBLISH, types.PublishRequest(topic=topic, messages=[types.PubsubMessage(data=b"x")]), timeout=5)
        if not forgets:
            await chosen.close()

    for _ in range(3):
        asyncio.run(create())


def test_38_polling_never_asks_for_more_than_the_room() -> None:
    asked: list[int] = []

    class Transport:
        async def unary(self, method: str, request: Any, *, timeout: float | None) -> Any:
            if method.endswith("GetSubscription"):
                return types.Subscription()
            asked.append(request.max_messages)
            return types.PullResponse(received_messages=[types.ReceivedMessage(ack_id="a")])

        async def close(self) -> None: ...

    async def story() -> None:
        from publican.transport.polling import PollingStreams

        stream = await PollingStreams(Transport()).streaming_pull(types.StreamingPullRequest(subscription="s"))
        await stream.read(1)  # the properties
        for room in (1, 7, 5000):
            await stream.read(room)
        await stream.close()

    run(story)
    assert asked == [1, 7, 1000]


def test_38_a_pull_that_is_out_at_close_is_nacked() -> None:
    nacked: list[str] = []
    answer: asyncio.Future[types.PullResponse]

    class Transport:
        async def unary(self, method: str, request: Any, *, timeout: float | None) -> Any:
            if method.endswith("GetSubscription"):
                return types.Subscription()
            if method.endswith("ModifyAckDeadline"):
                assert request.ack_deadline_seconds == 0
                nacked.extend(request.ack_ids)
                return None
            return await answer

        async def close(self) -> None: ...

    async def story() -> None:
        nonlocal answer
        from publican.transport.polling import PollingStreams

        answer = asyncio.get_running_loop().create_future()
        stream = await PollingStreams(Transport()).streaming_pull(types.StreamingPullRequest(subscription="s"))
        await stream.read(1)
        reading = asyncio.ensure_future(stream.read(10))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        reading.cancel()
        await asyncio.wait([reading])
        closing = asyncio.ensure_future(stream.close())
        await asyncio.sleep(0)
        answer.set_result(types.PullResponse(received_messages=[types.ReceivedMessage(ack_id="late")]))
        await closing

    run(story)
    assert nacked == ["late"]


def test_42_clients_opened_and_closed_leave_no_task_and_no_socket(kind: str, topic: str) -> None:
    async def story() -> None:
        tasks = asyncio.all_tasks()
        for _ in range(30):
            async with transports(kind) as by:
                with pytest.raises(errors.NotFound):
                    await by.publishing.unary(PUBLISH, types.PublishRequest(topic=topic, messages=[types.PubsubMessage(data=b"x")]), timeout=5)
        for _ in range(1000):
            await choose(kind, RestTransport(endpoints.find(os.environ))).close()  # type: ignore[arg-type]
        assert asyncio.all_tasks() == tasks
        assert not per_loop._alive

    opened = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    run(story)
    if opened and kind == "polling":  # grpcio keeps what it polls with
        assert len(os.listdir("/proc/self/fd")) <= opened


def test_44_with_time_held_still_and_a_loop_that_is_not(topic: str, subscription: str) -> None:
    async def story() -> None:
        async with transports("polling") as by:
            await by.unary.unary(CREATE_TOPIC, types.Topic(name=topic), timeout=5)
            await by.unary.unary(CREATE_SUBSCRIPTION, types.Subscription(name=subscription, topic=topic), timeout=5)
            await by.unary.unary(PUBLISH, types.PublishRequest(topic=topic, messages=[types.PubsubMessage(data=b"x")]), timeout=5)
            pulled = await by.unary.unary(PULL, types.PullRequest(subscription=subscription, max_messages=1), timeout=5)
            assert len(pulled.received_messages) == 1
            with pytest.raises(errors.DeadlineExceeded):
                await by.unary.unary(PULL, types.PullRequest(subscription=subscription, max_messages=1), timeout=0.1)

    with freezegun.freeze_time("2020-01-01", real_asyncio=True):
        run(story)
