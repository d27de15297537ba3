"""Google's own client at volume: 100,000 messages to two subscribers that share a subscription, and a subscriber that dies with 10,000 leased."""

import threading

import pytest
from google.cloud import pubsub_v1
from google.cloud.pubsub_v1.subscriber.message import Message

from benchmarks.connection import Connection, Stream
from benchmarks.product import publican, started
from publican_emulator import Emulator
from publican_emulator.driver import VirtualClock
from publican_protocol import pubsub

TOPIC = "projects/p/topics/volume"
SUBSCRIPTION = "projects/p/subscriptions/volume"
LIMIT_S = 120
STREAMING_PULL = "/google.pubsub.v1.Subscriber/StreamingPull"


def received(stream: Stream) -> list[pubsub.ReceivedMessage]:
    response = stream.receive()
    assert response is not None, "the stream has ended"
    return list(pubsub.StreamingPullResponse.FromString(response).received_messages)


def make(monkeypatch: pytest.MonkeyPatch, address: str) -> tuple[pubsub_v1.PublisherClient, pubsub_v1.SubscriberClient]:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", address)
    publisher = pubsub_v1.PublisherClient(batch_settings=pubsub_v1.types.BatchSettings(max_messages=1_000, max_bytes=4_000_000, max_latency=0.05))
    subscriber = pubsub_v1.SubscriberClient()
    publisher.create_topic(name=TOPIC)
    subscriber.create_subscription(name=SUBSCRIPTION, topic=TOPIC, ack_deadline_seconds=60)
    return publisher, subscriber


@pytest.mark.slow  # the client needs 70 us a message
def test_100_000_messages_are_each_seen_and_none_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    with started(publican()) as server:
        publisher, subscriber = make(monkeypatch, server.address)
        before = server.rss_mb
        futures = [publisher.publish(TOPIC, b"%0100d" % place) for place in range(100_000)]
        for future in futures:
            future.result(timeout=LIMIT_S)
        seen: set[bytes] = set()
        done = threading.Event()

        def take(message: Message) -> None:
            seen.add(message.data)
            message.ack()
            if len(seen) == 100_000:
                done.set()

        second = pubsub_v1.SubscriberClient()
        streams = [client.subscribe(SUBSCRIPTION, take) for client in (subscriber, second)]
        assert done.wait(LIMIT_S), f"{len(seen)} seen"
        for stream in streams:
            stream.cancel()
            stream.result(timeout=LIMIT_S)
        assert subscriber.pull(subscription=SUBSCRIPTION, max_messages=1, return_immediately=True).received_messages == []
        assert server.rss_mb <= before + 30
        publisher.stop()
        for client in (subscriber, second):
            client.close()


def test_a_subscriber_that_dies_with_10_000_leased_loses_none_of_them() -> None:
    with Emulator(clock=VirtualClock()) as emulator:
        connection = Connection(emulator.address)
        connection.call("/google.pubsub.v1.Publisher/CreateTopic", pubsub.Topic(name=TOPIC).SerializeToString())
        made = pubsub.Subscription(name=SUBSCRIPTION, topic=TOPIC).SerializeToString()
        connection.call("/google.pubsub.v1.Subscriber/CreateSubscription", made)
        ids = set()
        for _ in range(10):
            batch = pubsub.PublishRequest(topic=TOPIC, messages=[pubsub.PubsubMessage(data=b"x" * 100)] * 1_000)
            answer = connection.call("/google.pubsub.v1.Publisher/Publish", batch.SerializeToString())
            ids.update(pubsub.PublishResponse.FromString(answer).message_ids)
        opening = pubsub.StreamingPullRequest(subscription=SUBSCRIPTION, stream_ack_deadline_seconds=10).SerializeToString()
        dying = Connection(emulator.address)
        stream = dying.open(STREAMING_PULL)
        stream.send(opening)
        leased: set[str] = set()
        while len(leased) < 10_000:
            leased.update(each.message.message_id for each in received(stream))
        dying.close()
        heir = connection.open(STREAMING_PULL)
        heir.send(opening)
        emulator.advance(9.999)
        again: set[str] = set()
        emulator.advance(0.001)
        while len(again) < 10_000:
            again.update(each.message.message_id for each in received(heir))
        assert leased == again == ids
        connection.close()
