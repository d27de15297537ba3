"""Assertions about messages. One that fails names the nearest miss, with everything that happened to it: most tests need no more to be mended.

    orders: no message was published with data=b'{"id": 7}'
    nearest miss: m3, whose data differs: b'{"id": 8}'
    m3  topic=orders  b'{"id": 8}'
      +0.000s   published

Plain `assert` on `subscription.messages` does for whatever is not here.

`__tracebackhide__` keeps pytest's traceback at the line of the test.

PYTEST_DONT_REWRITE
"""

import difflib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NoReturn

from publican_emulator.testing.link import ADMIN
from publican_emulator.testing.records import MessageRecord

if TYPE_CHECKING:
    from publican_emulator.testing.handle import Pubsub
    from publican_emulator.testing.names import Subscription, Topic

Wanted = bytes | str | MessageRecord | Mapping[str, str] | Callable[[MessageRecord], object] | None
"""Which messages: data, an id, a record, attributes (at least these), a function that says yes, or any."""

_SHOWN_CHARACTERS = 60


def published(topic: "Topic", wanted: Wanted, times: int | None) -> list[MessageRecord]:
    """See `Topic.assert_published`."""
    __tracebackhide__ = True
    messages = topic.messages
    found = _matching(topic.pubsub, topic.id, messages, wanted, "was published")
    if times is not None and len(found) != times:
        _fail(topic.pubsub, f"{topic.id}: {len(found)} messages were published{_like(wanted)}, not {times}", found[-1:])
    return found


def acked(subscription: "Subscription", wanted: Wanted, times: int | None) -> list[MessageRecord]:
    """See `Subscription.assert_acked`."""
    __tracebackhide__ = True
    found = _of(subscription, wanted)
    done = [each for each in found if each.states.get(subscription) == "acked"]
    missed = [each for each in found if each not in done]
    if times is None:
        _each(subscription, missed, "is not acked", wanted)
        return done
    if len(done) != times:
        _fail(subscription.pubsub, f"{subscription.id}: {len(done)} messages{_like(wanted)} were acked, not {times}", (missed or done)[:1])
    return done


def delivered(subscription: "Subscription", wanted: Wanted, times: int | None) -> list[MessageRecord]:
    """See `Subscription.assert_delivered`."""
    __tracebackhide__ = True
    found = _of(subscription, wanted)
    if times is None:
        _each(subscription, [each for each in found if not each.deliveries], "was handed to nobody", wanted)
    for each in found:
        if times is not None and len(each.deliveries) != times:
            _fail(subscription.pubsub, f"{subscription.id}: m{each.id} was handed out {len(each.deliveries)} times, not {times}", [each])
    return found


def not_redelivered(subscription: "Subscription", wanted: Wanted, after: float) -> list[MessageRecord]:
    """See `Subscription.assert_not_redelivered`."""
    __tracebackhide__ = True
    before = {each.id: len(each.deliveries) for each in _of(subscription, wanted)}
    subscription.pubsub.advance(after)
    found = [each for each in subscription.messages if each.id in before]
    for each in found:
        more = len(each.deliveries) - before[each.id]
        if more:
            _fail(subscription.pubsub, f"{subscription.id}: m{each.id} was handed out again within {after:g} s, {more} times", [each])
        if each.deliveries and not each.is_settled and each.states.get(subscription) != "leased":
            _fail(subscription.pubsub, f"{subscription.id}: m{each.id} came back within {after:g} s, and waits to be handed out again", [each])
    return found


def dead_lettered(subscription: "Subscription", wanted: Wanted, attempts: int | None) -> list[MessageRecord]:
    """See `Subscription.assert_dead_lettered`."""
    __tracebackhide__ = True
    found = _of(subscription, wanted)
    _each(subscription, [each for each in found if each.states.get(subscription) != "dead-lettered"], "is not dead-lettered", wanted)
    for each in found:
        if attempts is not None and len(each.deliveries) != attempts:
            words = f"m{each.id} was dead-lettered after {len(each.deliveries)} deliveries, not {attempts}"
            _fail(subscription.pubsub, f"{subscription.id}: {words}", [each])
    return found


def _of(subscription: "Subscription", wanted: Wanted) -> list[MessageRecord]:
    __tracebackhide__ = True
    return _matching(subscription.pubsub, subscription.id, subscription.messages, wanted, "was published for it")


def _matching(pubsub: "Pubsub", where: str, messages: list[MessageRecord], wanted: Wanted, what: str) -> list[MessageRecord]:
    __tracebackhide__ = True
    found = [each for each in messages if _differences(each, wanted) == []]
    if not found:
        text = f"{where}: no message{_like(wanted)} {what}"
        if not messages:
            _fail(pubsub, f"{text}, nor any other", [])
        nearest = max(messages, key=lambda each: _nearness(each, wanted))
        differs = "; ".join(_differences(nearest, wanted))
        _fail(pubsub, f"{text}\nnearest miss: m{nearest.id}, {differs}", [nearest])
    return found


def _each(subscription: "Subscription", missed: list[MessageRecord], what: str, wanted: Wanted) -> None:
    __tracebackhide__ = True
    if missed:
        more = f" (and {len(missed) - 1} more)" if len(missed) > 1 else ""
        state = missed[0].states.get(subscription, "unread") if missed[0].deliveries else "unread"
        words = {"leased": "it is still leased", "waiting": "it waits to be handed out", "unread": "nobody has taken it yet"}.get(
            state, f"it is {state}"
        )
        _fail(subscription.pubsub, f"{subscription.id}: m{missed[0].id}{_like(wanted)} {what}: {words}{more}", missed[:1])


def _differences(message: MessageRecord, wanted: Wanted) -> list[str]:
    """Say how a message differs from what is wanted; nothing: it does not."""
    match wanted:
        case None:
            return []
        case bytes():
            return [] if message.data == wanted else [f"whose data differs: {_cut(message.data)}"]
        case str() | MessageRecord():
            wanted_id = wanted if isinstance(wanted, str) else wanted.id
            return [] if message.id == wanted_id else [f"which is not m{wanted_id}"]
        case Mapping():
            return [
                f"whose attribute {name} is {message.attributes[name]!r}" if name in message.attributes else f"which has no attribute {name}"
                for name, value in wanted.items()
                if message.attributes.get(name) != value
            ]
        case _:
            return [] if wanted(message) else ["for which the function said no"]


def _nearness(message: MessageRecord, wanted: Wanted) -> float:
    if isinstance(wanted, bytes):
        return difflib.SequenceMatcher(None, message.data[:1000], wanted[:1000], autojunk=False).ratio()
    return -len(_differences(message, wanted))


def _like(wanted: Wanted) -> str:
    match wanted:
        case None:
            return ""
        case bytes():
            return f" with data={_cut(wanted)}"
        case str() | MessageRecord():
            return f" with id {wanted if isinstance(wanted, str) else wanted.id}"
        case Mapping():
            return f" with attributes={dict(wanted)}"
        case _:
            return f" for which {getattr(wanted, '__name__', 'the function')} says yes"


def _cut(data: bytes) -> str:
    text = repr(data)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}... ({len(data)} bytes)"


def _fail(pubsub: "Pubsub", words: str, shown: list[MessageRecord]) -> NoReturn:
    __tracebackhide__ = True
    timelines = [pubsub.link.ask("GET", f"{ADMIN}/history?messageId={each.id}") for each in shown]
    raise AssertionError("\n".join([words, *timelines]))
