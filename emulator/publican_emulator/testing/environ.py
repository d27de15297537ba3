"""The environment variables that clients read, set for as long as a test lasts: an emulator's address, a project, and no credentials.

PYTEST_DONT_REWRITE
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

EMULATOR_HOST: Final = "PUBSUB_EMULATOR_HOST"
PROJECTS: Final = ("PUBSUB_PROJECT_ID", "GOOGLE_CLOUD_PROJECT")
CREDENTIALS: Final = "GOOGLE_APPLICATION_CREDENTIALS"


@contextmanager
def environment(address: str, project: str) -> Iterator[None]:
    """Let clients that are made in the block find a Pub/Sub; an empty address is the real service's, with the credentials that there are."""
    wanted: dict[str, str | None] = dict.fromkeys(PROJECTS, project)
    wanted |= {EMULATOR_HOST: address, CREDENTIALS: None} if address else {EMULATOR_HOST: None}
    before = {name: os.environ.get(name) for name in wanted}
    _set(wanted)
    try:
        yield
    finally:
        _set(before)


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
