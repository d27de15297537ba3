"""What the shop's tests share."""

import pytest
from fakes import FakeShop


@pytest.fixture
def shop() -> FakeShop:
    """Give a shop that has sold nothing yet."""
    return FakeShop()
