"""`running()`: the fixture `pubsub` without pytest, for unittest, scripts and Hypothesis.

    with publican_emulator.running() as pubsub:
        billing = pubsub.subscription("billing", pubsub.topic("orders"))

It sets the environment as the fixture does, and looks at the same things at the end. An error that leaves the block carries the history as a note.

PYTEST_DONT_REWRITE
"""

import warnings
from contextlib import ExitStack
from datetime import UTC, datetime
from types import TracebackType
from typing import Final

from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.driver import Clock, SystemClock, VirtualClock
from publican_emulator.emulator import Emulator
from publican_emulator.testing import checks
from publican_emulator.testing.environ import environment
from publican_emulator.testing.handle import Pubsub, Seed
from publican_emulator.testing.link import Direct
from publican_emulator.testing.waiting import in_thread

PROJECT: Final = "test-project"
PULL_WAIT_S: Final = 0.1
"""Real seconds after which a Pull that finds nothing says so: "nothing arrives" is the commonest assertion there is."""


class running:  # noqa: N801  (used as a function: `with running() as pubsub`)
    """A Pub/Sub in this process for a block, which may be asynchronous."""

    def __init__(
        self,
        *,
        clock: str = "virtual",
        start: datetime | None = None,
        project: str = PROJECT,
        pull_wait: float = PULL_WAIT_S,
        strict: bool = False,
        seed: Seed | None = None,
        set_environment: bool = True,
    ) -> None:
        """Make one.

        `clock`: "virtual", which begins at `start` (now) and stands still, or "real". `pull_wait`: real seconds after which a Pull that finds nothing
        says so. `strict`: the end of the block fails when messages are leased, streams open, acks refused, faults never hit. `seed`: topics, each
        with its subscriptions. `set_environment`: whether clients made in the block find it by themselves.

        Raises:
            ValueError: `clock` is neither, or `start` has no time zone.
        """
        if clock not in {"virtual", "real"}:
            raise ValueError(f"clock is {clock!r}; it must be virtual or real")
        self._clock: Clock = SystemClock() if clock == "real" else VirtualClock(None if start is None else nanos_of(start))
        self._project = project
        self._pull_wait = pull_wait
        self._strict = strict
        self._seed = seed or {}
        self._sets_environment = set_environment
        self._scope = ExitStack()

    def __enter__(self) -> Pubsub:
        with ExitStack() as scope:
            self._emulator = scope.enter_context(Emulator(clock=self._clock, pull_wait_s=self._pull_wait, history=True))
            self._pubsub = Pubsub(Direct(self._emulator), self._emulator.address, self._project)
            if self._sets_environment:
                scope.enter_context(environment(self._emulator.address, self._project))
            self._pubsub.seed(self._seed)
            self._scope = scope.pop_all()
        return self._pubsub

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._scope:
            if error is None:
                self._look()
            elif isinstance(error, Exception) and (text := self._pubsub.dump()):
                error.add_note(f"pubsub history\n{text}")
            surprises = self._emulator.surprises
            if surprises:
                raise ExceptionGroup("errors inside the emulator: bugs in Publican, not in this test", surprises)

    def _look(self) -> None:
        found = checks.look(self._pubsub, strict=self._strict)
        for each in found.warnings:
            warnings.warn(checks.PubsubWarning(each), stacklevel=3)
        if found.failures:
            raise AssertionError("\n  ".join(["at the end of the block:", *found.failures, "", *self._pubsub.dump().splitlines()]))

    async def __aenter__(self) -> Pubsub:
        return self.__enter__()  # 2 ms

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await in_thread(lambda: self.__exit__(kind, error, trace))  # clients in this loop may have to answer before it ends


def nanos_of(instant: datetime) -> Nanos:
    """Give an instant as the emulator counts it.

    Raises:
        ValueError: it has no time zone.
    """
    if instant.tzinfo is None:
        raise ValueError(f"{instant!r} has no time zone; say which one: datetime(..., tzinfo=UTC)")
    since = instant - datetime(1970, 1, 1, tzinfo=UTC)
    return Nanos((since.days * 86_400 + since.seconds) * SECOND + since.microseconds * 1_000)
