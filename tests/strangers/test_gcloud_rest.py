"""gcloud-rest-pubsub 8: the threaded twin of gcloud-aio-pubsub, on requests."""

import requests
from gcloud.rest.pubsub import PublisherClient, PubsubMessage, SubscriberClient


def test_publish_pull_acknowledge(environment: str, project: str) -> None:
    with requests.Session() as session:
        publisher, subscriber = PublisherClient(session=session), SubscriberClient(session=session)
        topic = publisher.topic_path(project, "orders")
        subscription = subscriber.subscription_path(project, "billing")
        publisher.create_topic(topic)
        subscriber.create_subscription(subscription, topic)
        answer = publisher.publish(topic, [PubsubMessage(b"one", kind="new"), PubsubMessage(b"two")])
        received = subscriber.pull(subscription, 10)
        assert [each.message_id for each in received] == answer["messageIds"]
        assert [each.data for each in received] == [b"one", b"two"]
        subscriber.modify_ack_deadline(subscription, [received[0].ack_id], 0)
        subscriber.acknowledge(subscription, [received[1].ack_id])
        [again] = subscriber.pull(subscription, 10)
        assert again.data == b"one"
        subscriber.acknowledge(subscription, [again.ack_id])
        subscriber.delete_subscription(subscription)
        publisher.delete_topic(topic)
