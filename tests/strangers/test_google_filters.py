"""google-cloud-pubsub with filters: a subscription gets what its filter matches, and never what it does not."""

from collections.abc import Callable
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import pubsub_v1

LIMIT_S = 20.0


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('attributes.colour = "red"', {b"red apple", b"red car"}),
        ('attributes:size AND NOT attributes.colour = "red"', {b"green tree"}),
        ('hasPrefix(attributes.kind, "fr")', {b"red apple", b"green pear"}),
    ],
)
def test_a_filter_lets_through_what_it_matches(
    publisher: pubsub_v1.PublisherClient,
    subscriber: pubsub_v1.SubscriberClient,
    topic: str,
    project: str,
    stream: Callable[..., Any],
    expression: str,
    expected: set[bytes],
) -> None:
    name = f"projects/{project}/subscriptions/filtered"
    subscriber.create_subscription(request={"name": name, "topic": topic, "filter": expression})
    inbox = stream(name)
    publisher.publish(topic, b"red apple", colour="red", kind="fruit").result(timeout=LIMIT_S)
    publisher.publish(topic, b"red car", colour="red", kind="vehicle", size="4 m").result(timeout=LIMIT_S)
    publisher.publish(topic, b"green pear", colour="green", kind="fruit").result(timeout=LIMIT_S)
    publisher.publish(topic, b"green tree", colour="green", kind="plant", size="9 m").result(timeout=LIMIT_S)
    assert set(inbox.take_and_ack(len(expected))) == expected
    assert inbox.empty()


def test_a_filter_that_cannot_be_read_is_refused(subscriber: pubsub_v1.SubscriberClient, topic: str, project: str) -> None:
    name = f"projects/{project}/subscriptions/filtered"
    with pytest.raises(exceptions.InvalidArgument):
        subscriber.create_subscription(request={"name": name, "topic": topic, "filter": "attributes.colour == red"})
