"""What the shop's tests share."""

import pytest
from fakes import FakeShop

from pytest_publican import subscription_fixture, topic_fixture

orders = topic_fixture("orders")
dead = topic_fixture("dead")
billing_queue = subscription_fixture("billing", topic="orders", retry=(10, 600))
morgue = subscription_fixture("morgue", topic="dead")


@pytest.fixture
def shop() -> FakeShop:
    """Give a shop that has sold nothing yet."""
    return FakeShop()
