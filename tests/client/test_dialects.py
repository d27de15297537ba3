"""The dialects of gcloud-aio-pubsub 2.1.2 and 8.0.0, against the emulator."""

import asyncio
import json
import logging
import os
import signal
import threading
from collections.abc import Callable, Coroutine
from datetime import UTC
from typing import Any

import aiohttp
import pytest

from publican import errors
from publican.aio import FlowControl, PublisherClient, PubsubMessage, SubscriberClient, SubscriberMessage, subscribe
from publican_emulator import Emulator

LIMIT_S = 20.0


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(LIMIT_S):
            await story()

    asyncio.run(limited())


async def publish(topic: str, *data: bytes) -> list[str]:
    async with PublisherClient() as publisher:
        ids: list[str] = (await publisher.publish(topic, [PubsubMessage(each) for each in data]))["messageIds"]
        return ids


@pytest.fixture
def created(topic: str, subscription: str) -> tuple[str, str]:
    async def story() -> None:
        async with PublisherClient() as publisher, SubscriberClient() as subscriber:
            await publisher.create_topic(topic)
            await subscriber.create_subscription(subscription, topic)

    run(story)
    return topic, subscription


def test_create_subscription_is_done_at_once_and_forgives_where_no_loop_runs(topic: str, subscription: str) -> None:
    async def create_topic() -> None:
        async with PublisherClient() as publisher:
            await publisher.create_topic(topic)

    run(create_topic)
    client = SubscriberClient()
    first = client.create_subscription(subscription, topic, ack_deadline_seconds=42)
    second = client.create_subscription(subscription, topic)
    assert asyncio.run(second) == {}
    assert asyncio.run(first)["ackDeadlineSeconds"] == 42


def test_create_subscription_is_a_coroutine_that_raises_where_a_loop_runs(created: tuple[str, str]) -> None:
    topic, subscription = created

    async def story() -> None:
        async with SubscriberClient() as client:
            with pytest.raises(aiohttp.ClientResponseError, match="Resource already exists") as refused:
                await client.create_subscription(subscription, topic)
            assert refused.value.status == 409
            with pytest.raises(errors.AlreadyExists):
                await client.create_subscription(subscription, topic)

    run(story)


@pytest.mark.parametrize("transport", ["grpc", "polling"])
def test_run_forever_ends_with_sigterm_and_has_acked(created: tuple[str, str], transport: Any, emulator: Emulator) -> None:
    topic, subscription = created
    asyncio.run(publish(topic, b"one", b"two"))
    client = SubscriberClient(transport=transport)
    handled: list[bytes | None] = []

    async def callback(message: SubscriberMessage) -> None:
        handled.append(message.data)
        await asyncio.sleep(0)
        message.ack()
        if len(handled) == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    signals = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(each, lambda *_: None) for each in signals]
    mine = [signal.getsignal(each) for each in signals]
    try:
        keep_alive = client.subscribe(subscription, callback, flow_control=FlowControl(max_messages=1))
        client.run_forever(keep_alive)
        assert [signal.getsignal(each) for each in signals] == mine
    finally:
        for each, handler in zip(signals, before, strict=True):
            signal.signal(each, handler)
    assert keep_alive.cancelled()
    assert sorted(each or b"" for each in handled) == [b"one", b"two"]

    async def nothing_is_left() -> None:
        async with SubscriberClient() as again:
            await again.seek(subscription, {"time": "2000-01-01T00:00:00Z"})  # acked messages are not kept: nothing comes back
            with pytest.raises(TimeoutError):
                await again.pull(subscription, 1, timeout=0.2)

    run(nothing_is_left)


def test_run_forever_raises_what_ended_the_keep_alive(subscription: str, environment: str) -> None:
    client = SubscriberClient()
    keep_alive = client.subscribe(subscription, lambda message: message.ack())
    with pytest.raises(errors.NotFound):
        client.run_forever(keep_alive)


def test_run_forever_inside_a_loop_says_so(subscription: str, environment: str) -> None:
    async def story() -> None:
        client = SubscriberClient()
        task = asyncio.ensure_future(asyncio.sleep(0))
        with pytest.raises(RuntimeError, match="await the keep-alive"):
            client.run_forever(task)
        await task

    run(story)


def test_a_plain_function_runs_on_the_loop_and_returning_settles_nothing(created: tuple[str, str]) -> None:
    topic, subscription = created

    async def story() -> None:
        await publish(topic, b"one")
        client = SubscriberClient()
        seen: asyncio.Queue[tuple[SubscriberMessage, threading.Thread]] = asyncio.Queue()
        keep_alive = client.subscribe(subscription, lambda message: seen.put_nowait((message, threading.current_thread())))
        message, thread = await seen.get()
        assert thread is threading.current_thread()
        assert message.force_ack_nack is None
        message.nack()
        again, _ = await seen.get()
        assert again.message_id == message.message_id
        again.ack()
        keep_alive.cancel()
        with pytest.raises(asyncio.CancelledError):
            await keep_alive
        await client.close()

    run(story)


def test_a_plain_tuple_is_a_flow_control_and_an_impossible_one_is_refused(environment: str, subscription: str) -> None:
    client = SubscriberClient()
    with pytest.raises(ValueError, match=r"flow_control.max_messages is 0"):
        client.subscribe(subscription, print, flow_control=(100, 0))
    assert FlowControl()[:4] == (100 * 1024 * 1024, 1000, 3600, 0)


@pytest.mark.parametrize("fails", [False, True])
def test_subscribe_acks_a_return_and_nacks_an_exception(created: tuple[str, str], *, fails: bool) -> None:
    topic, subscription = created

    async def story() -> None:
        await publish(topic, b"one")
        handled: list[SubscriberMessage] = []
        done = asyncio.Event()

        async def handler(message: SubscriberMessage) -> None:
            handled.append(message)
            if fails and len(handled) == 1:
                raise ValueError("once")
            done.set()

        async with SubscriberClient() as client:
            task = asyncio.ensure_future(subscribe(subscription, handler, client, ack_window=0.01, nack_window=0.01))
            await done.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert len(handled) == (2 if fails else 1)
            with pytest.raises(TimeoutError):
                await client.pull(subscription, 1, timeout=0.2)

    run(story)


def test_subscribe_calls_what_the_clients_class_overrides(created: tuple[str, str]) -> None:
    topic, subscription = created
    pulled: list[int] = []

    class Retrying(SubscriberClient):
        async def pull(self, *args: Any, **kwargs: Any) -> list[SubscriberMessage]:
            pulled.append(kwargs["max_messages"])
            return await super().pull(*args, **kwargs)

    async def story() -> None:
        await publish(topic, b"one")
        done = asyncio.Event()

        async def handler(message: SubscriberMessage) -> None:
            assert message.attributes is None
            done.set()

        async with Retrying() as client:
            task = asyncio.ensure_future(subscribe(subscription, handler, client, max_messages_per_producer=7, ack_window=0.0))
            await done.wait()
            task.cancel()
            await asyncio.wait([task])

    run(story)
    assert pulled[0] == 7


def test_subscribe_ends_with_its_error(environment: str, subscription: str) -> None:
    async def story() -> None:
        async def handler(message: SubscriberMessage) -> None: ...

        async with SubscriberClient() as client:
            with pytest.raises(errors.NotFound):
                await subscribe(subscription, handler, client)

    run(story)


def test_43_lists_of_an_empty_project_and_the_callers_parameters(environment: str, project: str, topic: str) -> None:
    async def story() -> None:
        name = f"projects/{project}"
        async with PublisherClient() as publisher, SubscriberClient() as subscriber:
            assert await subscriber.list_subscriptions(name) == {"subscriptions": []}
            assert await subscriber.list_snapshots(name) == {"snapshots": []}
            assert await publisher.list_topics(name) == {}
            await publisher.create_topic(topic)
            for each in ("one", "two", "three"):
                await subscriber.create_subscription(f"{name}/subscriptions/{each}", topic)
            asked = {"pageSize": "1"}
            listed = await subscriber.list_subscriptions(name, asked)
            assert asked == {"pageSize": "1"}
            assert len(listed["subscriptions"]) == 3

    run(story)


def test_the_ordering_key_survives_receipt_and_to_repr_is_json(created: tuple[str, str]) -> None:
    topic, subscription = created

    async def story() -> None:
        async with PublisherClient() as publisher, SubscriberClient() as subscriber:
            await publisher.publish(topic, [PubsubMessage(b"\xfb\xff", ordering_key="k", kind="new")])
            await publisher.publish(topic, [PubsubMessage("", other="x")])
            first, second = await subscriber.pull(subscription, 10)
            assert (first.ordering_key, first.data, first.attributes) == ("k", b"\xfb\xff", {"kind": "new"})
            assert first.publish_time.tzinfo is UTC
            assert second.data is None
            again = SubscriberMessage.from_repr(json.loads(json.dumps(first.to_repr())))
            assert (again.ack_id, again.data, again.ordering_key, again.publish_time) == (first.ack_id, first.data, "k", first.publish_time)
            with pytest.raises(RuntimeError, match="came from pull"):
                first.modify_ack_deadline(10)
            first.ack()
            first.nack()
            assert first.force_ack_nack is False
            await subscriber.acknowledge(subscription, [first.ack_id, second.ack_id])

    run(story)


def test_publish_of_nothing_sends_nothing(monkeypatch: pytest.MonkeyPatch, unused_port: int) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{unused_port}")

    async def story() -> None:
        async with PublisherClient() as publisher:
            assert await publisher.publish("projects/p/topics/orders", []) == {}

    run(story)


def test_an_api_root_means_no_authentication_and_says_so(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST", raising=False)
    with caplog.at_level(logging.INFO, "publican.client"):
        assert PublisherClient(api_root="http://localhost:1/v1").token is None
    assert "not authenticated" in caplog.text
    assert PublisherClient(api_root="https://pubsub.example/v1", api_is_dev=False).token is not None


def test_resources_of_the_second_dialect(created: tuple[str, str], project: str) -> None:
    topic, subscription = created

    async def story() -> None:
        async with SubscriberClient() as client:
            body = {"subscription": {"ackDeadlineSeconds": 60}, "updateMask": "ackDeadlineSeconds"}
            assert (await client.patch_subscription(subscription, body))["ackDeadlineSeconds"] == 60
            assert (await client.get_subscription(subscription))["topic"] == topic
            snapshot = client.snapshot_path(project, "before")
            assert (await client.create_snapshot(snapshot, subscription, {"labels": {"a": "b"}}))["labels"] == {"a": "b"}
            assert (await client.get_snapshot(snapshot))["topic"] == topic
            assert [each["name"] for each in (await client.list_snapshots(client.project_path(project)))["snapshots"]] == [snapshot]
            assert await client.seek(subscription, {"snapshot": snapshot}) is None  # type: ignore[func-returns-value]
            assert await client.delete_snapshot(snapshot) is None  # type: ignore[func-returns-value]
            await client.delete_subscription(subscription)
            with pytest.raises(errors.NotFound):
                await client.get_subscription(subscription)

    run(story)


@pytest.mark.parametrize("transport", ["grpc", "polling"])
def test_closing_a_client_drains_its_subscriptions(created: tuple[str, str], transport: Any) -> None:
    topic, subscription = created

    async def story() -> None:
        await publish(topic, b"one")
        handling, go_on = asyncio.Event(), asyncio.Event()

        async def callback(message: SubscriberMessage) -> None:
            handling.set()
            await go_on.wait()
            message.ack()

        client = SubscriberClient(transport=transport)
        keep_alive = client.subscribe(subscription, callback)
        await handling.wait()
        closing = asyncio.ensure_future(client.close())
        await asyncio.sleep(0)
        assert not closing.done()
        go_on.set()
        await closing
        assert (await keep_alive).finished == 1
        async with SubscriberClient() as again:
            with pytest.raises(TimeoutError):
                await again.pull(subscription, 1, timeout=0.2)

    run(story)
