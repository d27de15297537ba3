"""The environment variables that clients read: set for a test, for the whole session, or pointed at a guard.

The guard is a server that says no: a client that is pointed at a closed port tries again for minutes, one that is told FAILED_PRECONDITION fails in
milliseconds with the reason in its traceback.

PYTEST_DONT_REWRITE
"""

import os
from typing import TYPE_CHECKING, Any, Final

import pytest

from pytest_publican.config import Config, read

if TYPE_CHECKING:
    from pytest_publican.handle import Pubsub
    from pytest_publican.servers import Server

EMULATOR_HOST: Final = "PUBSUB_EMULATOR_HOST"
PROJECTS: Final = ("PUBSUB_PROJECT_ID", "GOOGLE_CLOUD_PROJECT")
NO_FIXTURE: Final = "This test talks to Pub/Sub without asking for it: give it the fixture `pubsub` (or pubsub_topic, pubsub_subscription)."

_EARLY: Final = pytest.StashKey[Any]()


def set_for(environment: pytest.MonkeyPatch, pubsub: "Pubsub") -> None:
    """Let clients that are made from now on find a Pub/Sub, and no credentials."""
    for name in PROJECTS:
        environment.setenv(name, pubsub.project)
    if pubsub.address:
        environment.setenv(EMULATOR_HOST, pubsub.address)
        environment.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    else:
        environment.delenv(EMULATOR_HOST, raising=False)


def configure(config: pytest.Config) -> None:
    """Start the server before collection, and set the environment for as long as the session lasts."""
    from pytest_publican import servers

    if config.getini("pubsub_env") not in {"fixture", "session"}:
        raise pytest.UsageError(f"pubsub: pubsub_env is {config.getini('pubsub_env')!r}; it must be fixture or session")
    settings = read(config)
    environment = pytest.MonkeyPatch()
    config.add_cleanup(environment.undo)
    if config.getini("pubsub_env") == "session":
        server = config.stash[_EARLY] = servers.start(settings)
        config.add_cleanup(server.close)
        address = server.address
        if config.getini("pubsub_guard") and isinstance(server, servers.InProcess):
            server.guard = NO_FIXTURE
            server.stand_guard()
    else:
        guard = servers.Guard(NO_FIXTURE)
        config.add_cleanup(guard.close)
        address = guard.address
    environment.setenv(EMULATOR_HOST, address)
    for name in PROJECTS:
        environment.setenv(name, settings.project)
    environment.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)


def early_server(config: pytest.Config) -> "Server | None":
    """Give the server that was started before collection, if there is one."""
    return config.stash.get(_EARLY, None)


def header(config: Config, count: int) -> str:
    """Say which Pub/Sub the tests use."""
    words = {
        "inprocess": "in-process emulator",
        "subprocess": "emulator in a process of its own",
        "docker": f"container of {config.image}",
        "external": f"emulator at {config.address}",
        "live": f"the real Pub/Sub, project {config.project}",
    }
    clock = f"{config.clock} clock" if config.backend in {"inprocess", "subprocess", "docker"} else "its own clock"
    outside = os.environ.get(EMULATOR_HOST)
    overridden = f"; {EMULATOR_HOST}={outside} is set outside and overridden in these tests" if outside and outside != config.address else ""
    return f"pubsub: {count} {'test' if count == 1 else 'tests'}, {words[config.backend]}, {clock}{overridden}"
