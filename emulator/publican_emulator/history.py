"""The timeline of messages as text: a head line for each message, under it a line for each thing that happened to it.

    m1  topic=orders  b'{"id": 7}'
      +0.000s   published
      +0.000s   delivered    sub=billing  attempt=1  lease=10s  via Pull #1
      +10.000s  expired      sub=billing  attempt=1  (no ack)

A History is a listener of the broker's facts: hand it to the emulator, ask for `text()`. Offsets count from the first fact. Long values are
cut, with their length; of many messages the newest are shown.

PYTEST_DONT_REWRITE
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from publican_emulator.broker.events import Fact, Kind
from publican_emulator.broker.instants import SECOND, Nanos, spoken
from publican_protocol import wire
from publican_protocol.pubsub import PubsubMessage

FACTS_MAX: Final = 100_000
MESSAGES_MAX: Final = 100
VALUE_CHARACTERS_MAX: Final = 60
NACK_LOOP: Final = 1_000
"""So many deliveries of one message at one instant are a mistake of its consumer."""

_OFFSET_WIDTH: Final = 8
_KIND_WIDTH: Final = max(len(kind.value) for kind in Kind)


class History:
    """The facts of a broker, oldest first; the newest FACTS_MAX of them."""

    def __init__(self) -> None:
        self.facts: deque[Fact] = deque(maxlen=FACTS_MAX)
        self.count = 0
        """How many facts there have been; those that are still kept have the highest numbers, up to this one."""
        self.nack_loops: list[str] = []
        """Deliveries that were made again and again without any time passing, in words."""
        self.heard: Callable[[], None] | None = None
        """Called after each fact."""
        self._start: Nanos | None = None

    def __call__(self, fact: Fact) -> None:
        """Take a fact: this is what a broker calls its listener with."""
        if self._start is None:
            self._start = fact.at
        self.count += 1
        self.facts.append(fact)
        if fact.kind is Kind.DELIVERED and fact.attempt and fact.attempt % NACK_LOOP == 0:
            self._look_for_a_loop(fact)
        if self.heard is not None:
            self.heard()

    def since(self, number: int) -> Iterator[tuple[int, Fact]]:
        """Give the facts after the one of that number, each with its own."""
        first = self.count - len(self.facts) + 1
        for place in range(max(0, number + 1 - first), len(self.facts)):
            yield first + place, self.facts[place]

    def clear(self) -> None:
        """Forget everything: a new broker begins."""
        self.facts.clear()
        self.count = 0
        self.nack_loops.clear()
        self._start = None

    def _look_for_a_loop(self, fact: Fact) -> None:
        message = fact.messages[0]
        deliveries = 0
        for each in reversed(self.facts):
            if each.at != fact.at:
                return
            deliveries += each.kind is Kind.DELIVERED and each.resource == fact.resource and message in each.messages
            if deliveries >= NACK_LOOP:
                self.nack_loops.append(
                    f"nack loop: {fact.resource} has handed out message {wire.message_id_of(message)} {deliveries} times at one instant"
                )
                return

    def text(self, *, messages_max: int = MESSAGES_MAX) -> str:
        """Give the timeline, message by message, in the order in which they were first heard of."""
        timelines = self._timelines()
        hidden = max(0, len(timelines) - messages_max)
        lines = [f"(older messages that are not shown: {hidden})"] if hidden else []
        for message, facts in list(timelines.items())[hidden:]:
            lines.append(_head(message, facts[0]))
            lines += [f"  {self.line(fact)}" for fact in facts]
        return "\n".join(lines)

    def line(self, fact: Fact) -> str:
        """Give one fact in the columns of the timeline: when, what, and the rest in words."""
        words = "  ".join(self._words(fact))
        return f"{self._offset(fact.at):<{_OFFSET_WIDTH}}  {fact.kind.value:<{_KIND_WIDTH}}  {words}".rstrip()

    def _words(self, fact: Fact) -> Iterator[str]:
        if fact.kind is not Kind.PUBLISHED:
            yield f"sub={_short(fact.resource)}"
        if fact.attempt:
            yield f"attempt={fact.attempt}"
        if fact.kind is Kind.DELIVERED and fact.until is not None:
            yield f"lease={spoken(fact.until - fact.at)}"
        elif fact.kind is Kind.EXTENDED and fact.until is not None:
            yield f"lease until {self._offset(fact.until)}" + (f", before {self._offset(fact.was_until)}" if fact.was_until else "")
        elif fact.until is not None and fact.until > fact.at:
            yield f"back-off until {self._offset(fact.until)}"
        if fact.consumer:
            yield f"via {fact.consumer}"
        if fact.kind is Kind.EXPIRED:
            yield "(no ack)"
        if fact.note:
            yield fact.note

    def _offset(self, at: Nanos) -> str:
        return f"{(at - (self._start or at)) / SECOND:+.3f}s"

    def _timelines(self) -> dict[bytes, list[Fact]]:
        timelines: dict[bytes, list[Fact]] = {}
        for fact in self.facts:
            for message in fact.messages:
                timelines.setdefault(message, []).append(fact)
        return timelines


def _head(stored: bytes, first: Fact) -> str:
    message = PubsubMessage.FromString(stored)
    words = [f"m{wire.message_id_of(stored)}"]
    if first.kind is Kind.PUBLISHED:
        words.append(f"topic={_short(first.resource)}")
    if message.ordering_key:
        words.append(f"key={_cut(message.ordering_key)}")
    if message.attributes:
        words.append(f"attributes={_cut(repr(dict(message.attributes)))}")
    words.append(_cut(repr(message.data)))
    return "  ".join(words)


def _short(name: str) -> str:
    return name.rpartition("/")[2]


def _cut(text: str) -> str:
    return text if len(text) <= VALUE_CHARACTERS_MAX else f"{text[:VALUE_CHARACTERS_MAX]}... ({len(text)} characters)"
