"""The environment of a session: set before collection, or pointed at a guard; and the line that tells of it.

The guard is a server that says no: a client that is pointed at a closed port tries again for minutes, one that is told FAILED_PRECONDITION fails in
milliseconds with the reason in its traceback.

PYTEST_DONT_REWRITE
"""

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

import pytest

from publican_emulator.testing.environ import EMULATOR_HOST, environment
from pytest_publican.config import Config, read

if TYPE_CHECKING:
    from pytest_publican.servers import Server

NO_FIXTURE: Final = "This test talks to Pub/Sub without asking for it: give it the fixture `pubsub` (or pubsub_topic, pubsub_subscription)."

_EARLY: Final = pytest.StashKey[Any]()
_OUTSIDE: Final = pytest.StashKey[str]()


def configure(config: pytest.Config) -> None:
    """Start the server before collection, and set the environment for as long as the session lasts."""
    from pytest_publican import servers

    if config.getini("pubsub_env") not in {"fixture", "session"}:
        raise pytest.UsageError(f"pubsub: pubsub_env is {config.getini('pubsub_env')!r}; it must be fixture or session")
    if getattr(config.option, "dist", "no") != "no" and not hasattr(config, "workerinput"):
        return  # xdist: the workers run the tests, and each has its own
    settings = read(config)
    config.stash[_OUTSIDE] = os.environ.get(EMULATOR_HOST, "")
    if config.getini("pubsub_env") == "session":
        server = config.stash[_EARLY] = servers.start(settings)
        config.add_cleanup(server.close)
        address = server.address
        guard(config, server)
    else:
        refusing = servers.Guard(NO_FIXTURE)
        config.add_cleanup(refusing.close)
        address = refusing.address
    scope = ExitStack()
    scope.enter_context(environment(address, settings.project))
    config.add_cleanup(scope.close)


def guard(config: pytest.Config, server: "Server") -> None:
    """Let the server of the session refuse whoever asks between tests, when that is wanted and clients would find it there."""
    if config.getini("pubsub_guard") and config.getini("pubsub_env") == "session":
        from pytest_publican import servers

        servers.stand_guard(server, NO_FIXTURE)


def early_server(config: pytest.Config) -> "Server | None":
    """Give the server that was started before collection, if there is one."""
    return config.stash.get(_EARLY, None)


def header(pytest_config: pytest.Config, count: int) -> str:
    """Say which Pub/Sub the tests use."""
    config = read(pytest_config)
    is_shared = config.backend == "external" and bool(config.worker)
    words = {
        "inprocess": "in-process emulator",
        "subprocess": "emulator in a process of its own",
        "docker": f"container of {config.image}",
        "external": f"emulator at {config.address}" + (", shared by workers" if is_shared else ""),
        "live": f"the real Pub/Sub, project {config.project}",
    }
    clock = f"{config.clock} clock" if config.backend in {"inprocess", "subprocess", "docker"} else "its own clock"
    return f"pubsub: {count} {'test' if count == 1 else 'tests'}, {words[config.backend]}, {clock}{_overridden(pytest_config, config)}"


def _overridden(pytest_config: pytest.Config, config: Config) -> str:
    outside = pytest_config.stash.get(_OUTSIDE, os.environ.get(EMULATOR_HOST, ""))
    if not outside or outside == config.address:
        return ""
    what = "ignored" if config.backend == "live" else "overridden"
    return f"; {EMULATOR_HOST}={outside} is set outside and {what} in these tests"
