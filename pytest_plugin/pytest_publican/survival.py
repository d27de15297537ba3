"""`survives`: does a handler do the same under a delivery plan as under exactly one delivery?

PYTEST_DONT_REWRITE
"""

import inspect
import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast, overload

from pytest_publican.consumer import Handle
from pytest_publican.effects import Difference, differences, state_of
from pytest_publican.lines import Places
from pytest_publican.plan import ACK, DeliveryPlan, Fate
from pytest_publican.rehearsal import VAIN_MAX, Outcome, Rehearsal

World = TypeVar("World")
Handler: TypeAlias = "Callable[[Any], object] | Callable[[World, Any], object] | restartable[World]"
_CUTS_MAX: Final = 1_000
_DIFFERENCES_MAX: Final = 5


class NotSurvived(AssertionError):
    """A handler did something else under a legal delivery than under exactly one; the text shows what, the delivery, and how to keep it as a test."""

    __module__ = "pytest_publican"


@dataclass(frozen=True, slots=True)
class restartable(Generic[World]):  # noqa: N801  (it is used as a word: survives(restartable(Billing), plan))
    """A consumer with a memory of its own: `start(world)` gives its handler, at the beginning and again after each crash."""

    start: Callable[[World], Callable[[Any], object]]


@overload
def survives(
    handler: "Handler[World]",
    plan: DeliveryPlan,
    *,
    world: Callable[[], AbstractContextManager[World]],
    effect: Callable[[World], object] | None = None,
) -> None: ...


@overload
def survives(
    handler: "Handler[World]", plan: DeliveryPlan, *, world: Callable[[], World], effect: Callable[[World], object] | None = None
) -> None: ...


def survives(handler: Any, plan: DeliveryPlan, *, world: Callable[[], Any], effect: Callable[[Any], object] | None = None) -> None:
    """Check that `handler` has the effect of exactly one delivery, in publish order, when it is delivered to as `plan` says.

    `world()` makes what outlives a crash of the consumer, with nothing in it yet: its database, the services that it calls, as fakes. It is called
    twice or more, and `handler` is run against each: `handler(message)`, `handler(world, message)`, or what `restartable(start)` gives; a function
    or a coroutine function. What is made with contextlib (a function under `@contextmanager`, `closing(...)`) is entered, and left afterwards.
    `effect(world)` is what must be equal; without it everything in the world counts, lists in any order.

    A handler that acks or nacks settles its messages itself; for any other, returning is acking and raising is nacking. Messages that are
    dead-lettered may have been handled once, in part, or not at all.

    Raises:
        NotSurvived: the effect is another, or a message is never acked.
        ValueError: the plan names a line that never runs, or the effect is another each time, although nothing disturbs the handler.
        TypeError: something in the world cannot be compared, and there is no `effect`.
        Exception: what the handler raises when it is not disturbed at all.
    """
    __tracebackhide__ = True
    stage = _Stage(handler, world, effect)
    verdict = _judge(stage, plan)
    while verdict is not None and (simpler := _simpler(stage, verdict.plan)) is not None:
        verdict = simpler
    if verdict is not None:
        raise NotSurvived(verdict.text) from verdict.cause


@dataclass(frozen=True, slots=True)
class _Verdict:
    """A plan that was not survived, and what there is to say of it."""

    plan: DeliveryPlan
    text: str
    cause: Exception | None = None


def _judge(stage: "_Stage", plan: DeliveryPlan) -> _Verdict | None:
    """Rehearse a plan; None: it is survived."""
    undisturbed, expected = stage.run(plan.with_fates(()))
    _check_undisturbed(undisturbed, plan)
    outcome, found = stage.run(plan, undisturbed)
    _check_lines(plan, undisturbed, outcome)
    if outcome.never_acked is not None:
        words = [f"m{outcome.never_acked} is never acked: it is delivered again and again"]
        return _verdict(words, plan, outcome, outcome.errors.get(outcome.never_acked))
    if found == expected or found in stage.cut_short(plan, undisturbed, outcome.dead_letters):
        return None
    _check_repeatable(expected, stage.run(plan.with_fates(()), undisturbed)[1])
    may_be_dead = bool(outcome.dead_letters - undisturbed.dead_letters)
    return _verdict(_told(found, expected, is_everything=stage.sees_everything, may_be_dead=may_be_dead), plan, outcome)


def _simpler(stage: "_Stage", plan: DeliveryPlan) -> _Verdict | None:
    """Find the same failure without one of the fates or messages: Hypothesis shrinks well, but not always to the end."""
    for candidate in plan.simpler():
        try:
            verdict = _judge(stage, candidate)
        except Exception:  # noqa: BLE001, S112, RUF100  (it says nothing of the plan that was asked about)
            continue
        if verdict is not None:
            return verdict
    return None


class _Stage:
    """Where plans are rehearsed: each run gets a world of its own."""

    def __init__(self, handler: Any, world: Callable[[], Any], effect: Callable[[Any], object] | None) -> None:
        self._handler = handler
        self._world = world
        self._effect = effect or state_of
        self.sees_everything = effect is None
        self._takes_world = not isinstance(handler, restartable) and _takes_two(handler)

    def run(self, plan: DeliveryPlan, undisturbed: Outcome | None = None, cut: dict[int, int] | None = None) -> tuple[Outcome, object]:
        """Rehearse a plan, and give what came of it and the effect."""
        made = self._world()
        if type(made).__module__ != "contextlib":
            made = nullcontext(made)  # a database's connection is a context manager too, and means something else by it
        with made as world:
            return self._run(world, plan, undisturbed, cut)

    def _run(self, world: Any, plan: DeliveryPlan, undisturbed: Outcome | None, cut: dict[int, int] | None) -> tuple[Outcome, object]:
        handler = self._handler

        def start() -> Handle:
            if isinstance(handler, restartable):
                return cast("Handle", handler.start(world))
            return (lambda message: handler(world, message)) if self._takes_world else cast("Handle", handler)

        places = Places(handler.start if isinstance(handler, restartable) else handler, world)
        outcome = Rehearsal(plan, start, places, undisturbed, cut).run()
        return outcome, self._effect(world)

    def cut_short(self, plan: DeliveryPlan, undisturbed: Outcome, dead_letters: set[int]) -> Iterator[object]:
        """Give the effects that are right when some messages were given up: each of them handled once, cut short before any of its lines."""
        letters = sorted(dead_letters)
        points = [range(undisturbed.lines.get(letter, 0) + 1, 0, -1) for letter in letters]
        for cuts in itertools.islice(itertools.product(*points) if letters else (), _CUTS_MAX):
            yield self.run(plan.with_fates(()), undisturbed, dict(zip(letters, cuts, strict=True)))[1]


def _takes_two(handler: Callable[..., object]) -> bool:
    """Say whether a handler takes the world beside the message."""
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [each for each in inspect.signature(handler).parameters.values() if each.kind in positional and each.default is each.empty]
    if len(needed) not in {1, 2}:
        raise TypeError(f"A handler takes a message, or the world and a message; {handler!r} takes {len(needed)} arguments.")
    return len(needed) == 2


def _check_undisturbed(undisturbed: Outcome, plan: DeliveryPlan) -> None:
    for message_id, error in undisturbed.errors.items():
        if message_id not in undisturbed.dead_letters:
            error.add_note(f"The handler raises this at an undisturbed delivery of m{message_id}, {plan.payloads[message_id - 1]!r}.")
            raise error
    if undisturbed.never_acked is not None:
        payload = plan.payloads[undisturbed.never_acked - 1]
        raise NotSurvived(f"m{undisturbed.never_acked}, {payload!r}, is never acked, although nothing disturbs its delivery")


def _check_repeatable(expected: object, again: object) -> None:
    for each in differences(again, expected):
        where = each.path or "the effect"
        raise ValueError(
            f"{where} is another each time, although nothing disturbs the handler: {each.expected}, then {each.found}. Leave it out of `effect`."
        )


def _check_lines(plan: DeliveryPlan, undisturbed: Outcome, outcome: Outcome) -> None:
    ran = undisturbed.texts | outcome.texts | {ACK}
    for fate in plan.fates:
        if isinstance(fate.before, str) and fate.before not in ran:
            raise ValueError(f"No line of the handler reads {fate.before!r}: the plan is older than the code. Name another line, or drop the plan.")


def _told(found: object, expected: object, *, is_everything: bool, may_be_dead: bool) -> list[str]:
    different = list(differences(found, expected))
    if len(different) > _DIFFERENCES_MAX:
        different = [Difference("", repr(found), repr(expected))]
    lines = [str(each) for each in different]
    if not is_everything and _differ_in_order_only(found, expected):
        lines.append("(they differ in order only: if that does not matter, let `effect` sort)")
    if may_be_dead:
        lines.append("(dead-lettered messages may have been handled once, in part or not at all; it is none of these either)")
    return lines


def _differ_in_order_only(found: object, expected: object) -> bool:
    try:
        return state_of(found) == state_of(expected)
    except TypeError:
        return False


def _verdict(words: list[str], plan: DeliveryPlan, outcome: Outcome, cause: Exception | None = None) -> _Verdict:
    """Say what happened, with the plan in the words of the code: lines by their texts, and nothing that came after."""
    fates = list(outcome.fates)
    while fates and fates[-1] == Fate("deliver"):
        fates.pop()
    rows = [str(row) for row in outcome.rows]
    if outcome.never_acked is not None:
        rows[-(VAIN_MAX - 2) :] = ["  and so on"]
    told = plan.with_fates(fates)
    return _Verdict(told, "\n".join([*words, *rows, f"@example({told!r})"]), cause)
