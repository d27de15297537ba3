"""Publish and receive with google-cloud-pubsub, as against the real service.

$ publican serve
$ PUBSUB_EMULATOR_HOST=localhost:8085 python examples/quickstart.py
"""

import os
import threading

from google.cloud import pubsub_v1
from google.cloud.pubsub_v1.subscriber.message import Message

assert "PUBSUB_EMULATOR_HOST" in os.environ, "this example is for an emulator: set PUBSUB_EMULATOR_HOST"

PROJECT = "demo"


def main() -> None:
    """Create a topic and a subscription, publish three messages, receive and ack them, and tidy up."""
    with pubsub_v1.PublisherClient() as publisher, pubsub_v1.SubscriberClient() as subscriber:
        topic = publisher.create_topic(name=publisher.topic_path(PROJECT, "orders")).name
        subscription = subscriber.create_subscription(name=subscriber.subscription_path(PROJECT, "billing"), topic=topic).name

        for number in range(3):
            message_id = publisher.publish(topic, f"order {number}".encode(), kind="new").result()
            print(f"published message {message_id}")

        received: list[bytes] = []
        all_received = threading.Event()

        def receive(message: Message) -> None:
            received.append(message.data)
            message.ack_with_response().result()
            print(f"received {message.data.decode()!r}, {dict(message.attributes)}")
            if len(received) == 3:
                all_received.set()

        listening = subscriber.subscribe(subscription, receive)
        all_received.wait()
        listening.cancel()
        listening.result()

        subscriber.delete_subscription(subscription=subscription)
        publisher.delete_topic(topic=topic)


if __name__ == "__main__":
    main()
