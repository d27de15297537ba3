"""Our client against the official emulator: the Google Cloud SDK's, or the one that $PUBSUB_EMULATOR_JAR names. Slow: it starts a Java process."""

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from benchmarks.product import find_official_jar, official, started
from publican import errors
from publican.aio import (
    AckResult,
    Api,
    Publisher,
    PublisherClient,
    PubsubMessage,
    Subscriber,
    SubscriberClient,
    SubscriberMessage,
    subscribe,
    types,
)

pytestmark = pytest.mark.slow
LIMIT_S = 60.0
_projects = itertools.count(1)


@pytest.fixture(scope="module")
def official_address() -> Iterator[str]:
    jar = find_official_jar(None)
    if jar is None:
        pytest.skip("the official emulator is not here: install the Google Cloud SDK's pubsub-emulator, or set PUBSUB_EMULATOR_JAR")
    with started(official(jar)) as running:
        yield running.address


@pytest.fixture
def names(official_address: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Point the clients at it, and create a topic and a subscription."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", official_address)
    project = f"official-{next(_projects)}"
    topic, subscription = f"projects/{project}/topics/orders", f"projects/{project}/subscriptions/billing"

    async def create() -> None:
        async with Api() as api:
            await api.create_topic(name=topic)
            await api.create_subscription(name=subscription, topic=topic, enable_message_ordering=True)

    run(create)
    return topic, subscription


def run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), LIMIT_S))


def test_the_dialect(names: tuple[str, str]) -> None:
    topic, subscription = names

    async def story() -> None:
        async with PublisherClient() as publisher, SubscriberClient() as subscriber:
            ids = (await publisher.publish(topic, [PubsubMessage(b"\xfb\xff", kind="new"), PubsubMessage("text")]))["messageIds"]
            taken: list[SubscriberMessage] = []
            while len(taken) < 2:
                taken += await subscriber.pull(subscription, 10)
            assert {message.message_id for message in taken} == set(ids)
            assert {message.data for message in taken} == {b"\xfb\xff", b"text"}
            await subscriber.modify_ack_deadline(subscription, [taken[0].ack_id], 30)
            await subscriber.acknowledge(subscription, [message.ack_id for message in taken])
            with pytest.raises(errors.AlreadyExists):
                await subscriber.create_subscription(subscription, topic)
            with pytest.raises(errors.NotFound):
                await publisher.publish(f"{topic}-2", [PubsubMessage("x")])

    run(story)


@pytest.mark.parametrize("transport", ["grpc", "polling"])
def test_publish_and_receive(names: tuple[str, str], transport: Any) -> None:
    topic, subscription = names

    async def story() -> None:
        received: list[int] = []
        async with Publisher(ordering=True, transport=transport) as publisher:
            futures = [await publisher.submit(topic, b"%d" % n, ordering_key="k") for n in range(50)]
            assert len(set(await asyncio.gather(*futures))) == 50
        async with Subscriber(transport=transport) as subscriber, subscriber.stream(subscription) as stream:
            async for message in stream:
                received.append(int(message.data or b""))
                assert await message.ack_with_result() is AckResult.SUCCESS
                if len(received) == 50:
                    break
        assert received == sorted(received)

    run(story)


def test_subscribe_of_the_dialect(names: tuple[str, str]) -> None:
    topic, subscription = names

    async def story() -> None:
        handled: list[bytes | None] = []
        done = asyncio.Event()

        async def handler(message: SubscriberMessage) -> None:
            handled.append(message.data)
            if len(handled) == 1:
                raise ValueError("once")
            done.set()

        async with PublisherClient() as publisher, SubscriberClient() as subscriber:
            await publisher.publish(topic, [PubsubMessage("one")])
            task = asyncio.ensure_future(subscribe(subscription, handler, subscriber, ack_window=0.05, nack_window=0.05))
            await done.wait()
            task.cancel()
            await asyncio.wait([task])
        assert handled == [b"one", b"one"]

    run(story)


def test_resources(names: tuple[str, str]) -> None:
    topic, subscription = names
    project = topic.rpartition("/topics/")[0]

    async def story() -> None:
        async with Api() as api:
            assert [each.name async for each in api.list_topics(project=project)] == [topic]
            await api.create_snapshot(name=f"{project}/snapshots/before", subscription=subscription)
            await api.seek(subscription=subscription, snapshot=f"{project}/snapshots/before")
            changed = await api.update_subscription(
                subscription=types.Subscription(name=subscription, ack_deadline_seconds=77), update_mask=["ack_deadline_seconds"]
            )
            assert changed.ack_deadline_seconds == 77
            await api.delete_topic(topic=topic)
            assert (await api.get_subscription(subscription=subscription)).topic == "_deleted-topic_"

    run(story)
