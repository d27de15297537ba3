"""What the tests of other people's clients share: an emulator per module, a project per test, Google's clients as their users make them.

STRANGERS_ADDRESS=host:port runs the same tests against another server (the official emulator, say); those that need a virtual clock skip
then. Nothing here waits for a time: futures and queues are waited for, with a limit that only a failure reaches.
"""

import itertools
import os
import queue
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.cloud import pubsub_v1

LIMIT_S = 20.0
_projects = itertools.count(1)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Run an emulator and give its address."""
    if other := os.environ.get("STRANGERS_ADDRESS"):
        yield other
        return
    from publican_emulator import Emulator

    with Emulator() as emulator:
        yield emulator.address


@pytest.fixture
def environment(address: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Point every client that is made from here on at the emulator, as a user's shell does."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", address)
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    return address


@pytest.fixture
def project() -> str:
    """Name a project that no other test uses."""
    return f"strangers-{os.getpid()}-{next(_projects)}"


@pytest.fixture
def publisher(environment: str) -> Iterator[pubsub_v1.PublisherClient]:
    """Give Google's publisher."""
    client = pubsub_v1.PublisherClient()
    yield client
    client.stop()
    client.transport.close()


@pytest.fixture
def subscriber(environment: str) -> Iterator[pubsub_v1.SubscriberClient]:
    """Give Google's subscriber."""
    with pubsub_v1.SubscriberClient() as client:
        yield client


@pytest.fixture
def another_subscriber(environment: str) -> Iterator[pubsub_v1.SubscriberClient]:
    """Give a second subscriber with a connection of its own; name it before `stream`, which must end first."""
    with pubsub_v1.SubscriberClient() as client:
        yield client


@pytest.fixture
def topic(publisher: pubsub_v1.PublisherClient, project: str) -> str:
    """Create a topic."""
    name = f"projects/{project}/topics/orders"
    publisher.create_topic(name=name)
    return name


@pytest.fixture
def subscription(subscriber: pubsub_v1.SubscriberClient, topic: str, project: str) -> str:
    """Create a subscription on the topic, with the service's defaults."""
    name = f"projects/{project}/subscriptions/billing"
    subscriber.create_subscription(name=name, topic=topic)
    return name


class Inbox(queue.SimpleQueue[Any]):
    """What a callback received, in the order it came; a test takes from it and waits no longer than LIMIT_S."""

    def take(self) -> Any:
        """Wait for the next message."""
        return self.get(timeout=LIMIT_S)

    def take_and_ack(self, count: int) -> list[bytes]:
        """Wait for `count` messages, acknowledge each, and return their data."""
        taken = []
        for _ in range(count):
            message = self.take()
            message.ack()
            taken.append(message.data)
        return taken


@pytest.fixture
def stream(subscriber: pubsub_v1.SubscriberClient) -> Iterator[Callable[..., Inbox]]:
    """Open Google's streaming pulls; give for each the inbox that its callback fills. All end with the test."""
    futures = []

    def open_one(
        subscription: str,
        *,
        client: pubsub_v1.SubscriberClient = subscriber,
        callback: Callable[[Any], object] | None = None,
        **flow: int,
    ) -> Inbox:
        inbox = Inbox()
        future = client.subscribe(subscription, callback=callback or inbox.put, flow_control=pubsub_v1.types.FlowControl(**flow))
        futures.append(future)
        return inbox

    yield open_one
    for future in futures:
        future.cancel()
    for future in futures:
        future.result(timeout=LIMIT_S)
