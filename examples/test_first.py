"""A first test: a message that nobody acks comes back, without waiting for it. Run it with `pytest examples/test_first.py`."""

from google.cloud import pubsub_v1


def test_a_message_that_nobody_acks_comes_back(pubsub, pubsub_topic, pubsub_subscription):
    with pubsub_v1.PublisherClient() as publisher, pubsub_v1.SubscriberClient() as subscriber:
        publisher.publish(pubsub_topic, b"hello").result()
        first = subscriber.pull(subscription=pubsub_subscription, max_messages=10)
        assert [each.message.data for each in first.received_messages] == [b"hello"]
        pubsub.advance(11)  # the ack deadline is 10 s; nobody waits for it
        again = subscriber.pull(subscription=pubsub_subscription, max_messages=10)
        assert [each.message.data for each in again.received_messages] == [b"hello"]
