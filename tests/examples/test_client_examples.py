"""The client's examples, as a user writes them."""

import asyncio
import os
import signal
import sys

import aiohttp
import pytest

import publican.rest
from publican.aio import (
    AckResult,
    Api,
    FlowControl,
    Publisher,
    PublisherClient,
    PubsubMessage,
    Subscriber,
    SubscriberClient,
    SubscriberMessage,
    subscribe,
    types,
)
from publican_emulator import Emulator

P = "my-gcp-project"
T, S = f"projects/{P}/topics/my-topic-name", f"projects/{P}/subscriptions/my-subscription"
OTHER, SNAPSHOT = f"projects/{P}/topics/another", f"projects/{P}/snapshots/before"


@pytest.fixture(autouse=True)
def _topic(emulated: Emulator) -> None:
    with publican.rest.PublisherClient() as publisher:
        publisher.create_topic(T)


@pytest.fixture
def subscribed() -> None:
    with publican.rest.SubscriberClient() as subscriber:
        subscriber.create_subscription(S, T)


def send(*data: str) -> None:
    with publican.rest.PublisherClient() as publisher:
        publisher.publish(T, [PubsubMessage(each) for each in data])


async def example_1() -> None:
    async with aiohttp.ClientSession() as session:
        client = PublisherClient(session=session)
        topic = client.topic_path("my-gcp-project", "my-topic-name")
        response = await client.publish(
            topic, [PubsubMessage(b"payload", attribute="value"), PubsubMessage(b"other payload", other_attribute="whatever")]
        )
        assert response == {"messageIds": ["1", "2"]}


def example_2() -> None:
    def handle(message: SubscriberMessage) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    client = SubscriberClient()
    client.create_subscription(S, T)  # type: ignore[unused-coroutine]  # it is done
    send("one")

    async def message_callback(message: SubscriberMessage) -> None:
        try:
            handle(message)
        except Exception:  # noqa: BLE001  (as printed)
            message.nack()
        else:
            message.ack()

    keep_alive = client.subscribe(
        S,
        message_callback,
        flow_control=FlowControl(max_bytes=100 * 1024 * 1024, max_messages=1, max_lease_duration=10, max_duration_per_lease_extension=0),
    )
    client.run_forever(keep_alive)


async def example_3() -> None:
    client = SubscriberClient()
    await client.create_subscription(S, T, {"ackDeadlineSeconds": 30})
    async with PublisherClient() as publisher:
        await publisher.publish(T, [PubsubMessage("one")])
    messages = await client.pull(S, max_messages=10)
    await client.acknowledge(S, [m.ack_id for m in messages])
    assert len(messages) == 1


async def example_4() -> None:
    async def handler(message: SubscriberMessage) -> None:
        handled.set()

    handled = asyncio.Event()
    async with PublisherClient() as publisher:
        await SubscriberClient().create_subscription(S, T)
        await publisher.publish(T, [PubsubMessage("one")])
    task = asyncio.create_task(
        subscribe(
            S,
            handler,
            SubscriberClient(),
            num_producers=1,
            max_messages_per_producer=100,
            ack_window=0.3,
            num_tasks_per_consumer=1,
            enable_nack=True,
            nack_window=0.3,
        )
    )
    await handled.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def example_5() -> None:
    from publican.rest import PublisherClient, PubsubMessage

    with PublisherClient() as client:
        assert len(client.publish(T, [PubsubMessage("text")])["messageIds"]) == 1


async def example_6() -> None:
    async with Publisher(ordering=True) as publisher, asyncio.TaskGroup() as group:
        for n in range(9):
            group.create_task(publisher.publish(T, b"%d" % n, ordering_key="k"))


async def example_7() -> None:
    async with Api() as api:
        await api.create_subscription(name=S, topic=T, enable_exactly_once_delivery=True)
    async with PublisherClient() as client:
        await client.publish(T, [PubsubMessage("one")])
    async with Subscriber() as subscriber:
        async for message in subscriber.stream(S, flow_control=FlowControl(max_messages=10)):
            assert await message.ack_with_result() is AckResult.SUCCESS
            break


async def example_8() -> None:
    await SubscriberClient().create_subscription(S, T)
    async with Api() as api:
        await api.create_topic(types.Topic(name=OTHER))
        await api.create_snapshot(name=SNAPSHOT, subscription=S)
        await api.seek(subscription=S, snapshot=SNAPSHOT)
        assert OTHER in [topic.name async for topic in api.list_topics(project=f"projects/{P}")]


@pytest.mark.parametrize("number", range(1, 9))
def test_the_example_runs_as_written(number: int) -> None:
    module = sys.modules[__name__]
    if number in {2, 5}:
        getattr(module, f"example_{number}")()
    else:
        asyncio.run(asyncio.wait_for(getattr(module, f"example_{number}")(), 20))
