"""The settings of the plugin: marker over command line over ini over environment over default.

PYTEST_DONT_REWRITE
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import pytest

BACKENDS: Final = ("inprocess", "subprocess", "docker", "external", "live")
CLOCKS: Final = ("virtual", "real")
HISTORIES: Final = ("failed", "always", "never")
PROJECT: Final = "test-project"
PULL_WAIT_S: Final = 0.1
"""Real seconds after which a Pull that finds nothing says so: "nothing arrives" is the commonest assertion there is."""

_OWN: Final = frozenset({"clock", "strict", "history", "start"})
"""Words of the marker that are about the test; the others are settings of `pubsub_subscription`."""


@dataclass(frozen=True, slots=True)
class Config:
    """Where tests find their Pub/Sub, and how it behaves. Override the fixture `pubsub_config` to change it for a whole suite."""

    backend: str = "inprocess"
    """inprocess, subprocess, docker, external or live."""
    clock: str = "virtual"
    """virtual: time stands still until it is moved. real: it passes."""
    history: str = "failed"
    """When a test's history is shown: failed, always, never."""
    strict: bool = False
    """Fail tests that leave messages leased or streams open, whose acks were refused or whose faults met nothing."""
    project: str = PROJECT
    address: str = ""
    """`HOST:PORT` of the external backend."""
    image: str = "publican"
    """Of the docker backend."""
    pull_wait: float = PULL_WAIT_S
    """Real seconds after which a Pull that finds nothing says so."""
    start: datetime | None = None
    """Where virtual time begins; None: now."""
    wait_max: float = 15.0
    """Real seconds that `advance` waits where time cannot be moved; a longer one skips the test."""
    junit: bool = False
    """Whether the history of a failed test stands in JUnit XML too, as a property."""

    def marked(self, marker: Mapping[str, Any]) -> "Config":
        """Give the settings of one test."""
        return replace(self, **{name: value for name, value in marker.items() if name in _OWN})


def read(config: pytest.Config) -> Config:
    """Give the settings of a session.

    Raises:
        UsageError: an option has a value that means nothing, or the live backend was not asked for in both places.
    """
    default = Config()
    backend = _choice(config, "backend", BACKENDS, default.backend)
    address, project = _one(config, "address", default.address), _one(config, "project", default.project)
    if backend == "external" and not (config.getoption("pubsub_address") or config.getini("pubsub_address")):
        raise pytest.UsageError("pubsub: the external backend needs its address by --pubsub-address or the ini option pubsub_address")
    if backend == "live":
        named = config.getoption("pubsub_project")
        if not named or named != config.getini("pubsub_project"):
            raise pytest.UsageError("pubsub: the live backend uses a real project: name it by --pubsub-project and by the ini option pubsub_project")
    return Config(
        backend=backend,
        clock=_choice(config, "clock", CLOCKS, default.clock),
        history=_choice(config, "history", HISTORIES, default.history),
        strict=_flag(config, "strict"),
        project=project,
        address=address,
        image=_one(config, "image", default.image),
        junit=_flag(config, "junit"),
    )


def of_test(session: Config, node: pytest.Item) -> Config:
    """Give the settings of one test: the session's, changed by its marker."""
    marker = node.get_closest_marker("pubsub")
    return session if marker is None else session.marked(marker.kwargs)


def subscription_settings(node: pytest.Item) -> dict[str, Any]:
    """Give what the marker of a test says of its subscription."""
    marker = node.get_closest_marker("pubsub")
    return {} if marker is None else {name: value for name, value in marker.kwargs.items() if name not in _OWN}


def _one(config: pytest.Config, name: str, default: str) -> str:
    given = config.getoption(f"pubsub_{name}") or config.getini(f"pubsub_{name}")
    return str(given or os.environ.get(f"PYTEST_PUBSUB_{name.upper()}") or default)


def _choice(config: pytest.Config, name: str, choices: tuple[str, ...], default: str) -> str:
    value = _one(config, name, default)
    if value not in choices:
        raise pytest.UsageError(f"pubsub: {name} is {value!r}; it must be one of {', '.join(choices)}")
    return value


def _flag(config: pytest.Config, name: str) -> bool:
    return bool(config.getoption(f"pubsub_{name}") or config.getini(f"pubsub_{name}"))
