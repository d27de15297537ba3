"""The timeline of messages as text: a head line for each message, under it a line for each thing that happened to it.

    m1  topic=orders  b'{"id": 7}'
      +0.000s   published
      +0.000s   delivered    sub=billing  attempt=1  lease=10s  via Pull #1
      +10.000s  expired      sub=billing  attempt=1  (no ack)

A History is a listener of the broker's facts: hand it to the emulator, ask for `text()`. Offsets count from the first fact. Long values are
cut, with their length; of many messages the newest are shown, and those with which something went wrong. What happened to no message (a Pull that
found nothing, a seek) stands below them.

PYTEST_DONT_REWRITE
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
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

LINES_MAX: Final = 40
"""Lines about one message: of more, the first and the last are shown."""
OTHERS_MAX: Final = 20
"""Lines about what happened to no message: the newest are shown."""

_ODD: Final = frozenset({Kind.EXPIRED, Kind.NACKED, Kind.ACKED_LATE, Kind.ACK_REFUSED, Kind.FORWARDED, Kind.DROPPED})
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
                handed = f"{_short(fact.resource)} has handed out m{wire.message_id_of(message)} {deliveries} times at one instant"
                self.nack_loops.append(
                    f"nack loop: {handed}: its consumer gives it back at once, and no time passes in between (a retry policy would let it)"
                )
                return

    def of_message(self, message_id: int) -> list[tuple[int, Fact]]:
        """Give the facts about one message, with their numbers."""
        return [(number, fact) for number, fact in self.since(0) if any(wire.message_id_of(each) == message_id for each in fact.messages)]

    def text(self, *, messages_max: int = MESSAGES_MAX, standing: Sequence[str] = ()) -> str:
        """Give the timeline, message by message, in the order in which they were first heard of; then the rest, and how things stand."""
        timelines = self._timelines()
        shown = _shown(timelines, messages_max)
        hidden = len(timelines) - len(shown)
        lines = [f"(older messages with which nothing went wrong, not shown: {hidden})"] if hidden else []
        for message in shown:
            lines += self._timeline(message, timelines[message])
        return "\n".join([*lines, *self._others(), *standing])

    def text_of(self, message_id: int) -> str:
        """Give the timeline of one message."""
        for message, facts in self._timelines().items():
            if wire.message_id_of(message) == message_id:
                return "\n".join(self._timeline(message, facts))
        return ""

    def _timeline(self, message: bytes, facts: list[Fact]) -> list[str]:
        hidden = len(facts) - LINES_MAX
        if hidden <= 0:
            return [_head(message, facts[0]), *(f"  {self.line(fact)}" for fact in facts)]
        first, last = facts[: LINES_MAX // 2], facts[-LINES_MAX // 2 :]
        return [
            _head(message, facts[0]),
            *(f"  {self.line(fact)}" for fact in first),
            f"  ({hidden} more in between)",
            *(f"  {self.line(fact)}" for fact in last),
        ]

    def _others(self) -> list[str]:
        others = [fact for fact in self.facts if not fact.messages and fact.kind is not Kind.CREATED]
        if not others:
            return []
        hidden = len(others) - OTHERS_MAX
        lines = [f"  ({hidden} earlier ones)"] if hidden > 0 else []
        return ["besides", *lines, *(f"  {self.line(fact)}" for fact in others[-OTHERS_MAX:])]

    def line(self, fact: Fact) -> str:
        """Give one fact in the columns of the timeline: when, what, and the rest in words."""
        words = "  ".join(self._words(fact))
        return f"{self.offset(fact.at):<{_OFFSET_WIDTH}}  {fact.kind.value:<{_KIND_WIDTH}}  {words}".rstrip()

    def _words(self, fact: Fact) -> Iterator[str]:
        if fact.kind is not Kind.PUBLISHED:
            yield f"{_word_for(fact.resource)}={_short(fact.resource)}"
        if fact.attempt:
            yield f"attempt={fact.attempt}"
        if fact.kind is Kind.DELIVERED and fact.until is not None:
            yield f"lease={spoken(fact.until - fact.at)}"
        elif fact.kind is Kind.EXTENDED and fact.until is not None:
            yield f"lease until {self.offset(fact.until)}" + (f" (was {self.offset(fact.was_until)})" if fact.was_until else "")
        elif fact.until is not None and fact.until > fact.at:
            yield f"back-off until {self.offset(fact.until)}"
        if fact.consumer:
            yield f"via {fact.consumer}"
        if fact.kind is Kind.EXPIRED:
            yield "(no ack)"
        if fact.kind is Kind.FOUND_NOTHING:
            yield "(there was nothing to hand out)"
        if fact.note:
            yield fact.note

    def offset(self, at: Nanos) -> str:
        """Give an instant as seconds since the first fact: `+0.000s`."""
        return f"{(at - (self._start or at)) / SECOND:+.3f}s"

    def _timelines(self) -> dict[bytes, list[Fact]]:
        timelines: dict[bytes, list[Fact]] = {}
        for fact in self.facts:
            for message in fact.messages:
                timelines.setdefault(message, []).append(fact)
        return timelines


def _shown(timelines: dict[bytes, list[Fact]], most: int) -> list[bytes]:
    """Give the messages to show: the newest, and before them those with which something went wrong."""
    messages = list(timelines)
    newest = messages[len(messages) - most :] if len(messages) > most else messages
    odd = [message for message in messages[: len(messages) - len(newest)] if any(fact.kind in _ODD for fact in timelines[message])]
    return [*odd[-most:], *newest]


def _word_for(resource: str) -> str:
    return {"subscriptions": "sub", "topics": "topic", "snapshots": "snapshot"}.get(
        resource.split("/")[2] if resource.count("/") == 3 else "", "name"
    )


def _head(stored: bytes, first: Fact) -> str:
    message = PubsubMessage.FromString(stored)
    words = [f"m{wire.message_id_of(stored)}"]
    if first.kind is Kind.PUBLISHED:
        words.append(f"topic={_short(first.resource)}")
    if message.ordering_key:
        words.append(f"key={_cut(message.ordering_key)}")
    if message.attributes:
        words.append(f"attributes={_cut(repr(dict(message.attributes)))}")
    words.append(_cut(repr(message.data), f"{len(message.data)} bytes"))
    return "  ".join(words)


def _short(name: str) -> str:
    return name.rpartition("/")[2]


def _cut(text: str, size: str = "") -> str:
    return text if len(text) <= VALUE_CHARACTERS_MAX else f"{text[:VALUE_CHARACTERS_MAX]}... ({size or f'{len(text)} characters'})"
