"""An emulator in virtual time and a push endpoint, both real."""

from collections.abc import Iterator

import pytest

from publican_emulator import Emulator
from publican_emulator.driver import VirtualClock
from tests.push.bench import PushBench
from tests.push.endpoint import Endpoint, serving


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving() as endpoint:
        yield endpoint


@pytest.fixture
def bench(endpoint: Endpoint) -> Iterator[PushBench]:
    with Emulator(clock=VirtualClock(), history=True) as emulator:
        yield PushBench(emulator, endpoint)
        assert emulator.surprises == []
