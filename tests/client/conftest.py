"""An emulator for the client's tests, and the environment as its users have it."""

import itertools
import os
from collections.abc import Iterator

import pytest

from publican_emulator import Emulator

_projects = itertools.count(1)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """Run an emulator in real time."""
    with Emulator() as running:
        yield running


@pytest.fixture
def environment(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> str:
    """Point every client that is made from here on at the emulator."""
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", emulator.address)
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    return emulator.address


@pytest.fixture
def project() -> str:
    """Name a project that no other test uses."""
    return f"client-{os.getpid()}-{next(_projects)}"


@pytest.fixture
def topic(environment: str, project: str, emulator: Emulator) -> str:
    """Name a topic that nobody has created."""
    return f"projects/{project}/topics/orders"


@pytest.fixture
def subscription(project: str) -> str:
    """Name a subscription that nobody has created."""
    return f"projects/{project}/subscriptions/billing"


@pytest.fixture
def unused_port() -> int:
    """Give a port where nobody listens."""
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(autouse=True)
def _the_last_pull_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let polling streams close at once: the emulator sees that the connection of an open pull is gone, and leases it nothing."""
    monkeypatch.setattr("publican.transport.polling.CLOSE_WAIT_S", 0.05)
