"""Fixtures for more than one topic and subscription: assign what these give to a name in a conftest.py or a test module.

    orders = topic_fixture("orders")
    billing = subscription_fixture("billing", topic="orders", ack_deadline=30)

PYTEST_DONT_REWRITE
"""

from typing import Any

import pytest

__all__ = ["subscription_fixture", "topic_fixture"]


def topic_fixture(topic_id: str, **settings: Any) -> Any:
    """Give a fixture that makes a topic with this id for each test; settings as `pubsub.topic` takes them."""

    @pytest.fixture
    def topic(pubsub: Any) -> Any:
        return pubsub.topic(topic_id, **settings)

    return topic


def subscription_fixture(subscription_id: str, *, topic: str, **settings: Any) -> Any:
    """Give a fixture that makes a subscription for each test on the topic of the fixture called `topic`; settings as of `pubsub.subscription`."""

    @pytest.fixture
    def subscription(request: pytest.FixtureRequest, pubsub: Any) -> Any:
        return pubsub.subscription(subscription_id, request.getfixturevalue(topic), **settings)

    return subscription
