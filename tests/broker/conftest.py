"""A bench for each test of the core."""

import pytest

from tests.broker.bench import Bench


@pytest.fixture
def bench() -> Bench:
    """Give a broker with a topic and a subscription."""
    bench = Bench()
    bench.subscription()
    return bench


@pytest.fixture
def empty() -> Bench:
    """Give a broker without anything in it."""
    return Bench()
