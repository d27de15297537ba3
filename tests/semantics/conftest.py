"""One fixture for every way in: `pubsub` runs a test against the core, over gRPC and over REST, or over those that `@backends` names."""

from collections.abc import Iterator

import pytest

from tests.semantics.backends.backend import Backend
from tests.semantics.backends.core import CoreBackend
from tests.semantics.backends.over_grpc import GrpcBackend
from tests.semantics.backends.over_rest import RestBackend
from tests.semantics.pubsub import Pubsub

BACKENDS: dict[str, type[CoreBackend | GrpcBackend | RestBackend]] = {"core": CoreBackend, "grpc": GrpcBackend, "rest": RestBackend}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "backends(*names): the ways in over which the test runs")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "way_in" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("backends")
        metafunc.parametrize("way_in", marker.args if marker else list(BACKENDS))


@pytest.fixture(scope="session")
def running() -> Iterator[dict[str, Backend]]:
    """Keep what has been started: an emulator is reset between tests, not restarted."""
    started: dict[str, Backend] = {}
    yield started
    for backend in started.values():
        backend.__exit__(None, None, None)


@pytest.fixture
def pubsub(way_in: str, running: dict[str, Backend]) -> Iterator[Pubsub]:
    """Give an empty Pub/Sub at START."""
    if way_in not in running:
        running[way_in] = BACKENDS[way_in]().__enter__()
    backend = running[way_in]
    backend.reset()
    made = Pubsub(backend)
    yield made
    made.close()
    backend.check()
