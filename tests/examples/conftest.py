"""An emulator for examples that talk to one."""

from collections.abc import Iterator

import pytest

from publican_emulator import Emulator


@pytest.fixture
def emulated(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Run an emulator and point clients at it, as a user's shell does."""
    with Emulator() as emulator:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", emulator.address)
        monkeypatch.setattr("publican.transport.polling.CLOSE_WAIT_S", 0.05)
        yield emulator
