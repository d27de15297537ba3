"""A delivery plan: messages, and what befalls their deliveries, one after the other.

    DeliveryPlan("A1", "B2").deliver().crash(before="paid.add(order)").lose_ack()

publishes two messages; their first delivery is undisturbed, the consumer dies during the second, the ack of the third is lost, all later ones are
undisturbed. Deliveries count in the order in which the consumer takes them. The repr of a plan is the Python that makes it.

Only what the service may do can be written down: see `DeliveryPlan`.

PYTEST_DONT_REWRITE
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self, get_args

from publican_emulator.broker import limits
from pytest_publican.message import Payload, message_of

Mischief = Literal["lose_ack", "crash", "duplicate", "expire", "reorder"]
MISCHIEF: Final[tuple[Mischief, ...]] = get_args(Mischief)
ACK: Final = "ack"
"""The point after a handler's last line, before its ack."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What befalls one delivery; `before`: at which line of the handler's work, by its text, or by number: from 1, or back from -1."""

    kind: Mischief | Literal["deliver"]
    before: int | str | None = None

    @property
    def words(self) -> str:
        """The arguments that say so."""
        return "" if self.before is None else f"before={self.before!r}"


@dataclass(frozen=True, slots=True, init=False, repr=False)
class DeliveryPlan:
    """What is published, the subscription's guarantees, and what befalls the deliveries.

    Payloads are messages, or stand for one (see `Payload`). `ordering`: messages with an ordering key keep their order. `exactly_once`: nothing
    comes again that was acked, or while it is leased, so acks are not lost and nothing is duplicated. `dead_letter_after`: deliveries, 5 to 100,
    after which a message is given up.

    Raises:
        ValueError: the service would not do that: a lost ack or a duplicate under exactly-once delivery, a duplicate where order is kept, a
            number of deliveries outside its bounds, a plan without messages.
    """

    payloads: tuple[Payload, ...]
    fates: tuple[Fate, ...]
    ordering: bool
    exactly_once: bool
    dead_letter_after: int | None

    def __init__(self, *payloads: Payload, ordering: bool = False, exactly_once: bool = False, dead_letter_after: int | None = None) -> None:
        low, high = limits.DELIVERY_ATTEMPTS_MIN, limits.DELIVERY_ATTEMPTS_MAX
        if not payloads:
            raise ValueError("A plan needs a message.")
        for payload in payloads:
            message_of(payload)
        if dead_letter_after is not None and not low <= dead_letter_after <= high:
            raise ValueError(f"dead_letter_after: {dead_letter_after} is outside {low}..{high}.")
        given = (payloads, (), ordering, exactly_once, dead_letter_after)
        for each, value in zip(dataclasses.fields(self), given, strict=True):
            object.__setattr__(self, each.name, value)

    def deliver(self, *, times: int = 1) -> Self:
        """Let a delivery be undisturbed; for what stands before a disturbed one."""
        return self._with(Fate("deliver"), times)

    def lose_ack(self, *, times: int = 1) -> Self:
        """Lose the ack of a delivery: it succeeds, and has no effect, so the message comes again."""
        return self._with(Fate("lose_ack"), times)

    def crash(self, before: int | str = 1, *, times: int = 1) -> Self:
        """Let the consumer die while it handles a delivery, and start again; whatever it held comes again when the leases have run out.

        `before`: the line that it does not reach any more, by its text, or by its number among the lines that run, from 1. "ack" is the point after
        the last line; -1 is that too, -2 the last line, and so on. Numbers beyond the other end go round.
        """
        return self._with(Fate("crash", before), times)

    def expire(self, before: int | str = 1, *, times: int = 1) -> Self:
        """Let the lease run out while the handler works: a second consumer handles the message from start to end, then the first goes on."""
        return self._with(Fate("expire", before), times)

    def duplicate(self, *, times: int = 1) -> Self:
        """Deliver a message, and a second copy of it."""
        return self._with(Fate("duplicate"), times)

    def reorder(self) -> Self:
        """Hand out the next batch in the opposite order; messages with an ordering key keep theirs where `ordering` is on."""
        return self._with(Fate("reorder"), 1)

    def with_fates(self, fates: Iterable[Fate]) -> Self:
        """Give the same plan with other fates.

        Raises:
            ValueError: as the class says.
        """
        chosen = tuple(fates)
        for fate in chosen:
            if reason := illegal(fate.kind, ordering=self.ordering, exactly_once=self.exactly_once):
                raise ValueError(reason)
            if fate.before == 0:
                raise ValueError("before: 0 is no line; 1 is the first, -1 the point after the last.")
        made = object.__new__(type(self))
        for each in dataclasses.fields(self):
            object.__setattr__(made, each.name, chosen if each.name == "fates" else getattr(self, each.name))
        return made

    def simpler(self) -> "Iterator[DeliveryPlan]":
        """Give the plans that have one fate or one message less."""
        if len(self.fates) > 1:
            for place in range(len(self.fates)):
                yield self.with_fates((*self.fates[:place], *self.fates[place + 1 :]))
        if len(self.payloads) > 1:
            for place in range(len(self.payloads)):
                fewer = (*self.payloads[:place], *self.payloads[place + 1 :])
                settings: dict[str, Any] = {name: getattr(self, name) for name in ("ordering", "exactly_once", "dead_letter_after")}
                yield DeliveryPlan(*fewer, **settings).with_fates(self.fates)

    def _with(self, fate: Fate, times: int) -> Self:
        return self.with_fates((*self.fates, *[fate] * times))

    def __repr__(self) -> str:
        defaults: dict[str, Any] = {"ordering": False, "exactly_once": False, "dead_letter_after": None}
        words = [repr(payload) for payload in self.payloads]
        words += [f"{name}={getattr(self, name)!r}" for name, default in defaults.items() if getattr(self, name) != default]
        return f"DeliveryPlan({', '.join(words)}){''.join(_calls(self.fates))}"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:  # noqa: FBT001, RUF100  (IPython's protocol, which Hypothesis prints by)
        printer.text(repr(self))


def illegal(kind: str, *, ordering: bool, exactly_once: bool) -> str:
    """Say why the service would not do that to a subscription with these guarantees; empty: it may."""
    if exactly_once and kind in {"lose_ack", "duplicate"}:
        return f"{kind}: under exactly-once delivery nothing comes again that was acked, or while it is leased."
    if ordering and kind == "duplicate":
        return "duplicate: where order is kept, what comes again brings the later messages of its key along; use lose_ack."
    return ""


def _calls(fates: Sequence[Fate]) -> Iterable[str]:
    place = 0
    while place < len(fates):
        fate, times = fates[place], 1
        while fate.kind != "reorder" and fates[place + times : place + times + 1] == (fate,):
            times += 1
        words = [word for word in (fate.words, f"times={times}" if times > 1 else "") if word]
        yield f".{fate.kind}({', '.join(words)})"
        place += times
