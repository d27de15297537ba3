"""A rehearsal: one run of a handler under one plan.

The consumer takes a batch, works through it, and takes the next; the plan's fates befall the deliveries as they are handled. When the consumer dies,
the rest of its batch dies with it, and comes again when the leases have run out. A lease that runs out in mid-work lets a second consumer handle the
message from start to end right there, inside the first one's pause: so every interleaving is one of this thread, and the same each time.

PYTEST_DONT_REWRITE
"""

import linecache
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import Final

from publican_emulator.history import VALUE_CHARACTERS_MAX
from pytest_publican.consumer import Consumer, ConsumerDied, Handle
from pytest_publican.lines import Places, watching
from pytest_publican.message import ReceivedMessage
from pytest_publican.plan import ACK, DeliveryPlan, Fate
from pytest_publican.service import Handed, Service

VAIN_MAX: Final = 5
"""So many undisturbed deliveries in vain are enough to say that a message is never acked."""
_UNDISTURBED: Final = Fate("deliver")


@dataclass(slots=True)
class Row:
    """One line of the timeline: when, which message, what happened, and how that ended."""

    at_s: float
    message: str
    what: str
    words: list[str]

    def __str__(self) -> str:
        return f"  {f'{self.at_s:+.3f}s':<9} {self.message:<3} {self.what:<15}  {', '.join(self.words)}".rstrip()


@dataclass(slots=True)
class Outcome:
    """What came of a rehearsal."""

    rows: list[Row] = field(default_factory=list)
    fates: list[Fate] = field(default_factory=list)
    """The fates that came about, with the text of their lines where that says it all."""
    lines: dict[int, int] = field(default_factory=dict)
    """How many lines ran in the first delivery of each message."""
    texts: set[str] = field(default_factory=set)
    """Every line that ran."""
    dead_letters: set[int] = field(default_factory=set)
    errors: dict[int, Exception] = field(default_factory=dict)
    """What the handler last raised by itself, by message."""
    never_acked: int | None = None
    """A message that was given up, because its undisturbed deliveries remained in vain."""
    settles_itself: bool = False
    """Whether the handler acks or nacks; if not, returning is acking."""


@dataclass(slots=True)
class _Work:
    """One delivery, while it is being handled."""

    handed: Handed
    fate: Fate
    before: int | str | None
    row: Row
    seen: list[str] = field(default_factory=list)
    """The points that it has come to, by their texts."""
    met: int | None = None
    """The number of the point at which its fate befell it."""
    settled: str = ""


class Rehearsal:
    """Runs one plan: `run` gives the outcome.

    `undisturbed` is the outcome of the same plan without mischief, if there was one: it tells how many lines there are, and who acks. `cut`: messages
    that are not delivered again after the consumer has died before that line of theirs.
    """

    def __init__(
        self,
        plan: DeliveryPlan,
        start: Callable[[], Handle],
        places: Places,
        undisturbed: Outcome | None = None,
        cut: Mapping[int, int] | None = None,
    ) -> None:
        self._plan = plan
        self._places = places
        self._undisturbed = undisturbed
        self._cut = cut or {}
        self._fates = list(plan.fates)
        self._service = Service(plan)
        self._start = start
        self._consumer = Consumer(start)
        self._outcome = Outcome(settles_itself=undisturbed is not None and undisturbed.settles_itself)
        self._inbox: list[Handed] = []
        self._work: _Work | None = None
        self._vain: dict[int, int] = {}

    def run(self) -> Outcome:
        """Deliver until nothing is left, or a message is never acked."""
        with watching(self._places, self._on_line) as self._watch:
            try:
                while self._outcome.never_acked is None and (self._take() or self._wait()):
                    while self._inbox and self._outcome.never_acked is None:
                        handed = self._inbox.pop(0)
                        self._deliver(handed, self._next_fate(handed))
            finally:
                self._consumer.close()
        self._outcome.dead_letters = self._service.dead_letters
        return self._outcome

    def _take(self) -> bool:
        self._turn_round()
        self._inbox = self._service.take()
        return bool(self._inbox)

    def _wait(self) -> bool:
        """Let the time pass until something comes again; say what ended as a dead letter instead."""
        before = set(self._service.dead_letters)
        is_more = self._service.wait()
        for message_id in sorted(self._service.dead_letters - before):
            self._outcome.rows.append(Row(self._service.elapsed_s, f"m{message_id}", "dead-lettered", []))
        return is_more

    def _turn_round(self) -> None:
        while self._fates and self._fates[0].kind == "reorder":
            self._service.reorder()
            self._outcome.fates.append(self._fates.pop(0))

    def _next_fate(self, handed: Handed) -> Fate:
        self._turn_round()
        if handed.message_id in self._cut:
            return Fate("crash", self._cut[handed.message_id])
        return self._fates.pop(0) if self._fates else _UNDISTURBED

    # one delivery

    def _deliver(self, handed: Handed, fate: Fate, second: Consumer | None = None) -> None:
        is_first = handed.message_id not in self._vain
        self._vain.setdefault(handed.message_id, 0)
        work = _Work(handed, fate, self._before(fate, handed), self._row(handed, is_first=is_first, by_second=second is not None))
        if fate.kind == "duplicate":
            self._service.duplicate(handed.message_id)
            work.row.words.append("in two copies")
        outer, self._work = self._work, work
        error = second.handle(self._message(work), None) if second else self._consumer.handle(self._message(work), self._watch)
        if error is None and not self._consumer.is_dead:
            error = self._come_to_the_end(work)
        self._work = outer
        if is_first:
            self._outcome.lines[handed.message_id] = len(work.seen) - (ACK in work.seen)
        self._end(work, error)
        if second is None:
            self._outcome.fates.append(_told(work))
            self._look_for_progress(work)

    def _before(self, fate: Fate, handed: Handed) -> int | str | None:
        """Give the point at which a fate befalls a delivery; numbers go round, and those below 0 count from the end."""
        if not isinstance(fate.before, int) or self._undisturbed is None:
            return fate.before
        points = self._undisturbed.lines.get(handed.message_id, 0) + 1
        return (fate.before - 1 if fate.before > 0 else fate.before) % points + 1

    def _row(self, handed: Handed, *, is_first: bool, by_second: bool) -> Row:
        words = [_cut(repr(self._plan.payloads[handed.message_id - 1]))] if is_first else []
        words += ["by a second consumer"] if by_second else []
        words += [f"attempt {handed.attempt}"] if handed.attempt > 1 else []
        return self._say(handed, "delivered" if is_first else "delivered again", *words)

    def _say(self, handed: Handed, what: str, *words: str) -> Row:
        row = Row(self._service.elapsed_s, f"m{handed.message_id}", what, list(words))
        self._outcome.rows.append(row)
        return row

    def _message(self, work: _Work) -> ReceivedMessage:
        handed = work.handed
        published = self._service.messages[handed.message_id]

        def settle(seconds: int | None) -> bool:
            return self._settle(work, seconds)

        def is_lost() -> bool:
            return self._service.is_lost(handed)

        return ReceivedMessage(published, str(handed.message_id), handed.ack_id, self._service.publish_time, handed.attempt or None, settle, is_lost)

    def _come_to_the_end(self, work: _Work) -> Exception | None:
        """Let happen what happens after the last line; then returning is acking, for a handler that never acks by itself."""
        if isinstance(work.before, int):
            work.before = min(work.before, len(work.seen) + 1)
        try:
            self._point(work, ACK, "the ack")
        except ConsumerDied:
            return None
        if not work.settled and not self._outcome.settles_itself:
            work.settled = self._service.ack(work.handed, is_lost=work.fate.kind == "lose_ack")
        return None

    def _end(self, work: _Work, error: Exception | None) -> None:
        """Say how a delivery ended; give back what failed, as the clients do; start again after a death."""
        handed = work.handed
        if self._consumer.is_dead:
            self._consumer.restart()
            self._inbox.clear()
            if handed.message_id in self._cut:
                self._service.ack(handed)
            return
        words = [work.settled or ("not acked" if error is None else "")]
        if error is not None:
            self._outcome.errors[handed.message_id] = error
            words.insert(0, f"raises {type(error).__name__}: {error}".removesuffix(": "))
            if not work.settled:
                self._give_back(handed)
        if handed.message_id in self._service.dead_letters:
            words.append("dead-lettered")
        if self._outcome.rows[-1] is not work.row:
            work.row = self._say(handed, "first goes on")
        work.row.words += filter(None, words)

    def _look_for_progress(self, work: _Work) -> None:
        handed = work.handed
        if self._fates or work.fate != _UNDISTURBED or self._plan.dead_letter_after is not None or handed.message_id not in self._service.unacked():
            self._vain[handed.message_id] = 0
            return
        self._vain[handed.message_id] += 1
        if self._vain[handed.message_id] >= VAIN_MAX:
            self._outcome.never_acked = handed.message_id

    # what happens at a point

    def _on_line(self, code: CodeType, number: int) -> None:
        if self._work is None:
            return
        if self._consumer.is_dead:
            raise ConsumerDied  # none of its lines runs any more, not in a finally either
        text = linecache.getline(code.co_filename, number).strip()
        self._outcome.texts.add(text)
        self._point(self._work, text, f"{Path(code.co_filename).name}:{number}: {text}")

    def _point(self, work: _Work, text: str, place: str) -> None:
        """Come to a point: before a line, or after the last one."""
        work.seen.append(text)
        if work.met is not None or work.before not in {len(work.seen), text}:
            return
        work.met = len(work.seen)
        if work.fate.kind == "crash":
            self._consumer.is_dead = True
            self._say(work.handed, "consumer dies", f"before {place}")
            raise ConsumerDied
        self._say(work.handed, "lease runs out", f"before {place}")
        self._service.expire(work.handed.message_id)
        second = Consumer(self._start)
        for handed in self._service.take(1):
            self._deliver(handed, _UNDISTURBED, second)
        second.close()

    def _settle(self, work: _Work, seconds: int | None) -> bool:
        """Ack (None), nack (0) or extend, as the handler asked; the dead settle nothing."""
        handed = work.handed
        if self._consumer.is_dead:
            return False
        if seconds:
            return self._service.extend(handed, seconds)
        self._outcome.settles_itself = True
        if seconds is None:
            work.settled = self._service.ack(handed, is_lost=work.fate.kind == "lose_ack")
            return work.settled != "the ack is refused"
        work.settled = "nacked"
        return self._give_back(handed)

    def _give_back(self, handed: Handed) -> bool:
        """Nack; what the consumer holds of that key goes back with it, since it comes again behind."""
        key = self._service.key_of(handed.message_id)
        self._inbox = [other for other in self._inbox if not key or self._service.key_of(other.message_id) != key]
        return self._service.nack(handed)


def _cut(text: str) -> str:
    return text if len(text) <= VALUE_CHARACTERS_MAX else f"{text[:VALUE_CHARACTERS_MAX]}... ({len(text)} characters)"


def _told(work: _Work) -> Fate:
    """Give a fate with the text of its point, where the first point of that text is meant."""
    if work.met is None:
        return work.fate
    text = work.seen[work.met - 1]
    return Fate(work.fate.kind, text if work.seen.index(text) + 1 == work.met else work.met)
