"""Hypothesis strategies: what may be published, how subscriptions may be set, and how the service may deliver.

PYTEST_DONT_REWRITE
"""

import string
from collections.abc import Collection
from typing import Any, Final

from hypothesis import strategies as st

from publican_emulator.broker import limits
from pytest_publican import survival as survival  # so that no first example pays for loading it
from pytest_publican.message import Message, Payload
from pytest_publican.plan import MISCHIEF, DeliveryPlan, Fate, Mischief, illegal

__all__ = ["attributes", "delivery_plans", "filters", "messages", "ordering_keys", "subscription_settings"]

_WORDS: Final = st.text(string.ascii_lowercase, min_size=1, max_size=8)
_SHORT: Final = st.integers(-24, -1)
_LINES: Final = st.one_of(_SHORT, _SHORT, _SHORT, st.integers(-1_000, -1))
"""Numbers of lines, which go round. From the end: there a crash and a lease that runs out find the same mistakes, so the crash is what is shown."""
_FATES_MAX: Final = 5


def _texts(most_bytes: int, *, least: int = 0) -> st.SearchStrategy[str]:
    """Give texts of at most so many bytes of UTF-8, without surrogates, which have none."""
    plain = st.characters(exclude_categories=["Cs"])
    return st.one_of(st.text(plain, min_size=least, max_size=16), st.text(plain, min_size=least, max_size=most_bytes // 4))


def attributes(*, max_size: int = 4) -> st.SearchStrategy[dict[str, str]]:
    """Give attributes as the service takes them: up to 100, keys of 1 to 256 bytes that do not begin with `goog`, values of up to 1,024 bytes."""
    keys = _texts(limits.ATTRIBUTE_KEY_BYTES, least=1).filter(lambda key: not key.lower().startswith("goog"))
    return st.dictionaries(keys, _texts(limits.ATTRIBUTE_VALUE_BYTES), max_size=min(max_size, limits.ATTRIBUTES))


def ordering_keys() -> st.SearchStrategy[str]:
    """Give ordering keys: mostly one of a few, so that messages share them; up to 1,024 bytes."""
    return st.one_of(st.sampled_from(["a", "b", ""]), _texts(limits.ORDERING_KEY_BYTES))


@st.composite
def messages(
    draw: st.DrawFn,
    *,
    data: st.SearchStrategy[bytes] | None = None,
    attributes: st.SearchStrategy[dict[str, str]] | None = None,
    ordering_key: st.SearchStrategy[str] | None = None,
) -> Message:
    """Give messages that may be published: with data, attributes, or both, and without an ordering key unless there is a strategy for it."""
    drawn = Message(
        draw(st.binary(max_size=64) if data is None else data),
        draw(_any_attributes() if attributes is None else attributes),
        draw(st.just("") if ordering_key is None else ordering_key),
    )
    return drawn if drawn.data or drawn.attributes else Message(b"0", drawn.attributes, drawn.ordering_key)


_any_attributes = attributes


def filters(names: Collection[str] = ("kind", "region"), values: Collection[str] = ("new", "old")) -> st.SearchStrategy[str]:
    """Give filters on some attributes, in the service's language, of at most 256 bytes."""
    name, value = st.sampled_from(sorted(names)), st.sampled_from(sorted(values)).map(_quoted)
    term = st.one_of(
        st.builds("attributes:{}".format, name.map(_name)),
        st.builds("attributes.{} = {}".format, name.map(_name), value),
        st.builds("attributes.{} != {}".format, name.map(_name), value),
        st.builds("hasPrefix(attributes.{}, {})".format, name.map(_name), value),
    )

    def joined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        several = st.lists(inner.map("({})".format), min_size=2, max_size=3)
        return st.one_of(inner.map("NOT ({})".format), several.map(" AND ".join), several.map(" OR ".join))

    return st.recursive(term, joined, max_leaves=4).filter(lambda text: len(text.encode()) <= limits.FILTER_BYTES)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _name(text: str) -> str:
    return text if text.isidentifier() and text.isascii() else _quoted(text)


def subscription_settings(*, dead_letter: str | None = None) -> st.SearchStrategy[dict[str, Any]]:
    """Give settings as `pubsub.subscription(name, topic, **settings)` takes them; with a dead-letter policy only where its topic is named."""
    backoffs = st.tuples(st.integers(0, 600), st.integers(0, 600)).map(sorted).map(tuple)
    optional: dict[str, st.SearchStrategy[Any]] = {
        "ack_deadline": st.integers(limits.ACK_DEADLINE_S_MIN, limits.ACK_DEADLINE_S_MAX),
        "ordering": st.booleans(),
        "exactly_once": st.booleans(),
        "filter": filters(),
        "retry": backoffs,
        "retention": st.integers(600, 31 * 86_400),
        "retain_acked": st.booleans(),
    }
    if dead_letter is not None:
        optional["dead_letter"] = st.tuples(st.just(dead_letter), st.integers(limits.DELIVERY_ATTEMPTS_MIN, limits.DELIVERY_ATTEMPTS_MAX))
    return st.fixed_dictionaries({}, optional=optional)


def delivery_plans(
    payloads: st.SearchStrategy[Payload] | st.SearchStrategy[bytes] | st.SearchStrategy[str] | None = None,
    *,
    max_messages: int = 3,
    ordering: bool = False,
    exactly_once: bool = False,
    dead_letter_after: int | None = None,
    without: Collection[Mischief] = (),
) -> st.SearchStrategy[DeliveryPlan]:
    """Give plans of what the service may do when 1 to `max_messages` messages are published: see `survives`.

    `payloads` are messages, or what stands for one: data, text, or a dictionary for JSON; without it, any message. `ordering`, `exactly_once` and
    `dead_letter_after` are the subscription's settings; nothing is generated that they rule out. `without` leaves out more: "lose_ack", "crash",
    "duplicate", "expire", "reorder".

    Raises:
        ValueError: `without` names something else, or a setting is out of bounds.
    """
    if unknown := set(without) - set(MISCHIEF):
        raise ValueError(f"without: {sorted(unknown)} is none of {', '.join(MISCHIEF)}.")
    DeliveryPlan("", ordering=ordering, exactly_once=exactly_once, dead_letter_after=dead_letter_after)  # raises where it must
    kinds = [kind for kind in MISCHIEF if kind not in without and not illegal(kind, ordering=ordering, exactly_once=exactly_once)]
    one = st.one_of(st.just(Fate("deliver")), *(fate for kind in kinds for fate in _fates(kind)))
    fates: st.SearchStrategy[list[Fate]] = st.lists(one, min_size=1, max_size=_FATES_MAX)
    if dead_letter_after is not None:
        doom = one.map(lambda fate: [fate] * dead_letter_after)
        fates = st.one_of(fates, st.builds(lambda before, doomed: [*before, *doomed], st.lists(one, max_size=1), doom))
    published = messages(ordering_key=ordering_keys() if ordering else None) if payloads is None else payloads

    @st.composite
    def plans(draw: st.DrawFn) -> DeliveryPlan:
        chosen: list[Any] = draw(st.lists(published, min_size=1, max_size=max_messages))
        befalling = draw(fates)
        while befalling and befalling[-1].kind == "deliver":
            befalling = befalling[:-1]
        made = DeliveryPlan(*chosen, ordering=ordering, exactly_once=exactly_once, dead_letter_after=dead_letter_after)
        return made.with_fates(befalling)

    return plans()


def _fates(kind: Mischief) -> list[st.SearchStrategy[Fate]]:
    """Give a mischief as a choice among others; a crash is three of them, since it may happen at any line and is the plainest to read."""
    if kind == "crash":
        return [st.builds(Fate, st.just(kind), _LINES)] * 3
    return [st.builds(Fate, st.just(kind), _LINES) if kind == "expire" else st.just(Fate(kind))]
