"""What a type checker makes of the client: read by mypy and pyright, never run."""

import asyncio
import concurrent.futures
import datetime
from collections.abc import AsyncIterator, Iterator
from typing import Any, assert_type

from publican import rest, types
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
)


async def asynchronous(topic: str, subscription: str) -> None:
    async with PublisherClient(endpoint="us-east1-pubsub.googleapis.com") as client:
        assert_type(await client.publish(topic, [PubsubMessage(b"x", kind="new")]), dict[str, Any])
    async with SubscriberClient() as receiver:
        assert_type(await receiver.create_subscription(subscription, topic, ack_deadline_seconds=30), dict[str, Any])
        assert_type(await receiver.pull(subscription, 10), list[SubscriberMessage])
        assert_type(receiver.subscribe(subscription, print, flow_control=FlowControl(max_messages=1)), asyncio.Task[Any])

        async def handler(message: SubscriberMessage) -> None:
            assert_type(message.data, bytes | None)
            assert_type(message.publish_time, datetime.datetime)

        await subscribe(subscription, handler, receiver)
    async with Publisher(ordering=True) as publisher:
        assert_type(await publisher.publish(topic, b"x", ordering_key="k", colour="red"), str)
        assert_type(await publisher.submit(topic, "text"), asyncio.Future[str])
    async with Subscriber() as subscriber:
        async for message in subscriber.stream(subscription):
            assert_type(message, SubscriberMessage)
            assert_type(await message.ack_with_result(), AckResult)
    async with Api() as api:
        assert_type(await api.create_topic(name=topic, message_retention_duration=datetime.timedelta(days=1)), types.Topic)
        assert_type(api.list_topics(project="projects/p"), AsyncIterator[types.Topic])
        await api.seek(subscription=subscription, time=datetime.datetime.now(datetime.UTC))


def blocking(topic: str, subscription: str) -> None:
    with rest.PublisherClient() as client:
        assert_type(client.publish(topic, [PubsubMessage("text")]), dict[str, Any])
    with rest.SubscriberClient() as receiver:
        assert_type(receiver.create_subscription(subscription, topic), dict[str, Any])
        assert_type(receiver.pull(subscription, 10), list[rest.SubscriberMessage])
        assert_type(receiver.subscribe(subscription, print), rest.StreamingPullFuture)
    with rest.Publisher() as publisher, rest.Subscriber() as subscriber, rest.Api() as api:
        assert_type(publisher.submit(topic, b"x"), concurrent.futures.Future[str])
        for message in subscriber.stream(subscription):
            assert_type(message, rest.SubscriberMessage)
            assert_type(message.ack_with_result(), AckResult)
        assert_type(api.list_topics(project="projects/p"), Iterator[types.Topic])
