"""gcloud-aio-pubsub 8: publish, pull, acknowledge, nack and `subscribe()`, over REST from an event loop."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import aiohttp
import pytest
from gcloud.aio.pubsub import PublisherClient, PubsubMessage, SubscriberClient, SubscriberMessage, subscribe

LIMIT_S = 20.0


def run_with_clients(story: Callable[[PublisherClient, SubscriberClient], Awaitable[None]]) -> None:
    """Run a coroutine function with both clients on one session."""

    async def told() -> None:
        async with aiohttp.ClientSession() as session, asyncio.timeout(LIMIT_S):
            # The library's stubs name the session of its threaded twin, for which the same source is used.
            publisher = PublisherClient(session=session)  # type: ignore[arg-type]
            await story(publisher, SubscriberClient(session=session))  # type: ignore[arg-type]

    asyncio.run(told())


def test_publish_pull_acknowledge(environment: str, project: str) -> None:
    async def story(publisher: PublisherClient, subscriber: SubscriberClient) -> None:
        topic = publisher.topic_path(project, "orders")
        subscription = subscriber.subscription_path(project, "billing")
        assert (await publisher.create_topic(topic))["name"] == topic
        assert (await subscriber.create_subscription(subscription, topic))["topic"] == topic
        answer = await publisher.publish(topic, [PubsubMessage(b"one", kind="new"), PubsubMessage(b"\x00\xff")])
        first, second = await subscriber.pull(subscription, 10)
        assert [first.message_id, second.message_id] == answer["messageIds"]
        assert (first.data, first.attributes) == (b"one", {"kind": "new"})
        assert (second.data, second.attributes) == (b"\x00\xff", None)
        await subscriber.modify_ack_deadline(subscription, [second.ack_id], 0)
        await subscriber.acknowledge(subscription, [first.ack_id])
        [again] = await subscriber.pull(subscription, 10)
        assert again.message_id == second.message_id
        await subscriber.acknowledge(subscription, [again.ack_id])

    run_with_clients(story)


def test_resources_are_listed_and_deleted(environment: str, project: str) -> None:
    async def story(publisher: PublisherClient, subscriber: SubscriberClient) -> None:
        topic = publisher.topic_path(project, "orders")
        subscription = subscriber.subscription_path(project, "billing")
        await publisher.create_topic(topic, {"labels": {"team": "billing"}})
        await subscriber.create_subscription(subscription, topic, {"ackDeadlineSeconds": 42})
        listed = await publisher.list_topics(publisher.project_path(project))
        assert [(each["name"], each["labels"]) for each in listed["topics"]] == [(topic, {"team": "billing"})]
        listed = await subscriber.list_subscriptions(subscriber.project_path(project))
        assert [each["name"] for each in listed["subscriptions"]] == [subscription]
        assert (await subscriber.get_subscription(subscription))["ackDeadlineSeconds"] == 42
        body = {"subscription": {"ackDeadlineSeconds": 60}, "updateMask": "ackDeadlineSeconds"}
        assert (await subscriber.patch_subscription(subscription, body))["ackDeadlineSeconds"] == 60
        await subscriber.delete_subscription(subscription)
        await publisher.delete_topic(topic)
        with pytest.raises(aiohttp.ClientResponseError) as refused:
            await subscriber.get_subscription(subscription)
        assert refused.value.status == 404

    run_with_clients(story)


def test_subscribe_acks_what_its_handler_takes_and_brings_back_what_it_refuses(environment: str, project: str) -> None:
    handled: list[bytes] = []
    everything = asyncio.Event()

    async def handler(message: SubscriberMessage) -> None:
        assert message.data is not None
        handled.append(message.data)
        if handled.count(message.data) == 1 and message.data == b"2":
            raise RuntimeError("the first time this one fails, which nacks it")
        if len(handled) == 6:
            everything.set()

    async def story(publisher: PublisherClient, subscriber: SubscriberClient) -> None:
        topic = publisher.topic_path(project, "orders")
        subscription = subscriber.subscription_path(project, "billing")
        await publisher.create_topic(topic)
        await subscriber.create_subscription(subscription, topic)
        consumer = asyncio.ensure_future(subscribe(subscription, handler, subscriber, ack_window=0.01, nack_window=0.01))
        await publisher.publish(topic, [PubsubMessage(str(number).encode()) for number in range(5)])
        await everything.wait()
        consumer.cancel()
        with suppress(asyncio.CancelledError):
            await consumer

    run_with_clients(story)
    assert sorted(handled) == [b"0", b"1", b"2", b"2", b"3", b"4"]


def test_the_publisher_snippet_of_its_readme() -> None:
    """The README promises `{'messageIds': ['1', '2']}`: message ids are counters from 1."""
    from publican_emulator import Emulator

    async def snippet(address: str) -> None:
        async with aiohttp.ClientSession() as session:
            client = PublisherClient(session=session, api_root=f"http://{address}/v1")  # type: ignore[arg-type]  # as above

            topic = client.topic_path("my-gcp-project", "my-topic-name")
            await client.create_topic(topic)

            messages = [
                PubsubMessage(b"payload", attribute="value"),
                PubsubMessage(b"other payload", other_attribute="whatever", more_attributes="something else"),
            ]
            response = await client.publish(topic, messages)
            assert response == {"messageIds": ["1", "2"]}

    with Emulator() as emulator:
        asyncio.run(snippet(emulator.address))
