"""The settings of the plugin: marker over command line over ini over environment over default.

PYTEST_DONT_REWRITE
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest

from publican_emulator.testing.handle import Seed
from publican_emulator.testing.running import PROJECT, PULL_WAIT_S

BACKENDS: Final = ("inprocess", "subprocess", "docker", "external", "live")
CLOCKS: Final = ("virtual", "real")
HISTORIES: Final = ("failed", "always", "never")

_OWN: Final = frozenset({"clock", "strict", "history", "start", "pull_wait", "project"})
"""Words of the marker that are about the test; the others are settings of `pubsub_subscription`."""

_OF_SUBSCRIPTIONS: Final = frozenset({"ack_deadline", "ordering", "filter", "exactly_once", "dead_letter", "retry", "retention", "retain_acked"})
_OF_SESSIONS: Final = frozenset({"backend", "address", "image", "junit", "seed", "wait_max"})


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
    """The project of short ids, and of PUBSUB_PROJECT_ID."""
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
    seed: Seed = field(default_factory=dict)
    """What `pubsub_seed` gives unless it is overridden; `--pubsub-seed` names a JSON file of it."""
    worker: str = ""
    """The xdist worker that this is; empty: there are none."""

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
        project=_one(config, "project", default.project),
        address=_one(config, "address", default.address),
        image=_one(config, "image", default.image),
        junit=_flag(config, "junit"),
        seed=_seed(config, _one(config, "seed", "")),
        worker=getattr(config, "workerinput", {}).get("workerid", ""),
    )


def of_test(session: Config, node: pytest.Item) -> Config:
    """Give the settings of one test: the session's, changed by its markers, the nearest last.

    Raises:
        UsageError: a marker says what means nothing.
    """
    for marker in reversed(list(node.iter_markers("pubsub"))):
        _check(marker, node)
        session = session.marked(marker.kwargs)
    if session.clock not in CLOCKS or session.history not in HISTORIES:
        raise pytest.UsageError(f"{node.nodeid}: the marker pubsub says clock={session.clock!r}, history={session.history!r}: one means nothing")
    return session


def subscription_settings(node: pytest.Item) -> dict[str, Any]:
    """Give what the markers of a test say of its subscription, the nearest last."""
    found: dict[str, Any] = {}
    for marker in reversed(list(node.iter_markers("pubsub"))):
        found |= {name: value for name, value in marker.kwargs.items() if name not in _OWN}
    return found


def _check(marker: pytest.Mark, node: pytest.Item) -> None:
    if marker.args:
        raise pytest.UsageError(f"{node.nodeid}: the marker pubsub takes words with values, as in pubsub(ack_deadline=30), not {marker.args[0]!r}")
    from publican_protocol.pubsub import Subscription

    for word in marker.kwargs:
        if word in _OF_SESSIONS:
            raise pytest.UsageError(f"{node.nodeid}: {word} is the whole session's: say it on the command line, in the ini file or in pubsub_config")
        if word not in _OWN | _OF_SUBSCRIPTIONS and word not in Subscription.DESCRIPTOR.fields_by_camelcase_name:
            import difflib

            near = difflib.get_close_matches(word, [*_OWN, *_OF_SUBSCRIPTIONS], n=1)
            raise pytest.UsageError(f"{node.nodeid}: the marker pubsub does not know {word}{f'; did you mean {near[0]}?' if near else ''}")


def _one(config: pytest.Config, name: str, default: str) -> str:
    given = config.getoption(f"pubsub_{name}") or config.getini(f"pubsub_{name}")
    return str(given or os.environ.get(f"PYTEST_PUBSUB_{name.upper()}") or default)


def _choice(config: pytest.Config, name: str, choices: tuple[str, ...], default: str) -> str:
    value = _one(config, name, default)
    if value not in choices:
        raise pytest.UsageError(f"pubsub: {name} is {value!r}; it must be one of {', '.join(choices)}")
    return value


def _flag(config: pytest.Config, name: str) -> bool:
    value = _one(config, name, "").lower()
    if value not in {"", "0", "1", "false", "true", "no", "yes", "off", "on"}:
        raise pytest.UsageError(f"pubsub: {name} is {value!r}; it must be true or false")
    return value in {"1", "true", "yes", "on"}


def _seed(config: pytest.Config, path: str) -> Seed:
    if not path:
        return {}
    import json

    try:
        told = json.loads((config.rootpath / Path(path)).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise pytest.UsageError(f"pubsub: the seed {path} cannot be read: {error}") from None
    if not isinstance(told, dict) or not all(isinstance(each, (list, dict)) for each in told.values()):
        raise pytest.UsageError(
            f'pubsub: the seed {path} must look like {{"orders": ["billing"]}} or {{"orders": {{"billing": {{"ack_deadline": 30}}}}}}'
        )
    return told
