"""What pytest loads: the fixtures. It imports nothing but pytest, so that a suite without Pub/Sub pays nothing for it.

    pubsub_server         session   a running emulator on a free port, one per xdist worker
    pubsub                function  that emulator with an empty broker, virtual time, and the environment variables set
    pubsub_seed           session   what every empty broker starts with; override it
    pubsub_topic          function  a topic, named after the test
    pubsub_subscription   function  a subscription on it

All are synchronous: they work in plain, asyncio, anyio and unittest tests alike.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from publican_emulator import Emulator
    from pytest_publican.handle import Pubsub, Seed
    from pytest_publican.names import Subscription, Topic

PROJECT: Final = "test-project"
PULL_WAIT_S: Final = 0.1
"""Real seconds after which a Pull that finds nothing says so: "nothing arrives" is the commonest assertion there is."""

_ID_MAX: Final = 255


@pytest.fixture(scope="session")
def pubsub_server() -> "Iterator[Emulator]":
    """Give a running emulator for the session: `.address`; tests want `pubsub`, which empties it."""
    from publican_emulator import Emulator, VirtualClock  # loaded by the first test that wants it

    with Emulator(clock=VirtualClock(), pull_wait_s=PULL_WAIT_S, history=True) as emulator:
        yield emulator


@pytest.fixture(scope="session")
def pubsub_seed() -> "Seed":
    """Give the topics, each with its subscriptions, that every test finds: `{"orders": ["billing", "audit"]}`. Override it."""
    return {}


@pytest.fixture
def pubsub(request: pytest.FixtureRequest, pubsub_server: "Emulator", pubsub_seed: "Seed") -> "Iterator[Pubsub]":
    """Give a Pub/Sub that only this test uses; PUBSUB_EMULATOR_HOST, PUBSUB_PROJECT_ID and GOOGLE_CLOUD_PROJECT name it."""
    from publican_emulator import VirtualClock
    from pytest_publican.handle import Pubsub
    from pytest_publican.link import Direct

    pubsub_server.reset(clock=VirtualClock())
    handle = Pubsub(Direct(pubsub_server), pubsub_server.address, PROJECT)
    handle.seed(pubsub_seed)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PUBSUB_EMULATOR_HOST", handle.address)
        environment.setenv("PUBSUB_PROJECT_ID", PROJECT)
        environment.setenv("GOOGLE_CLOUD_PROJECT", PROJECT)
        yield handle
    surprises = list(pubsub_server.surprises)
    pubsub_server.reset(f"The test {request.node.nodeid} is over; whoever asks here was left running by it.")
    if surprises:
        raise ExceptionGroup("errors inside the emulator: bugs in Publican, not in this test", surprises)


@pytest.fixture
def pubsub_topic(request: pytest.FixtureRequest, pubsub: "Pubsub") -> "Topic":
    """Give a topic, which is its full name, named after the test."""
    return pubsub.topic(_resource_id(request.node.name))


@pytest.fixture
def pubsub_subscription(request: pytest.FixtureRequest, pubsub: "Pubsub", pubsub_topic: "Topic") -> "Subscription":
    """Give a subscription on `pubsub_topic`, which is its full name, named after the test."""
    return pubsub.subscription(_resource_id(request.node.name), pubsub_topic)


def _resource_id(test_name: str) -> str:
    """Give a valid resource id (3 to 255 characters, a letter first, not `goog`) that reads like the name of the test."""
    name = re.sub(r"[^A-Za-z0-9_.]+", "-", test_name).strip("-")
    if not name[:1].isalpha() or name.startswith("goog") or len(name) < 3:
        name = f"test-{name}"
    if len(name) > _ID_MAX:
        import hashlib  # few tests have such names

        name = f"{name[: _ID_MAX - 9]}-{hashlib.sha256(test_name.encode()).hexdigest()[:8]}"
    return name
