"""The state of a broker as one document of plain data, and a broker of that document.

    {"format": "publican-state", "version": 1, "at": instant, "counters", "topics", "subscriptions", "snapshots", ..., "messages": [base64]}

Instants and spans are nanoseconds. Each chapter has a module, whose head says what stands in it; they refer to messages by id. What another kind of
resource needs to be in it is a line in CHAPTERS: `records(...)` for a shelf of dataclasses, else a pair of functions.

Not in it: consumers, which end with their broker while their leases go on, and facts that were told. Instants are absolute: whatever fell due since
the document was made happens when it is loaded, in its order.

PYTEST_DONT_REWRITE
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from publican_emulator.broker.errors import InvalidArgument
from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.policies import Policy
from publican_emulator.broker.schema import Schema
from publican_emulator.broker.shelf import Shelf
from publican_emulator.broker.state import snapshots, subscriptions, topics
from publican_emulator.broker.state.plain import Plain, bytes_of, made, plain, text_of
from publican_emulator.broker.state.references import Dumping, Loading
from publican_protocol.wire import message_id_of

if TYPE_CHECKING:
    from publican_emulator.broker.broker import Broker

FORMAT: Final = "publican-state"
VERSION: Final = 1

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Chapter:
    """One kind of resource in the document."""

    name: str
    dump: Callable[["Broker", Dumping], Plain]
    load: Callable[["Broker", Plain, Loading], None]
    """Makes the resources in a broker that has none yet; what stands before it in CHAPTERS is there."""


def records(name: str, shelf: Callable[["Broker"], Shelf[Record]], kind: type[Record]) -> Chapter:
    """Give the chapter of a shelf of dataclasses, which refer to nothing but by name."""

    def dump(broker: "Broker", dumping: Dumping) -> Plain:
        return {key: plain(record) for key, record in shelf(broker).items()}

    def load(broker: "Broker", said: Plain, loading: Loading) -> None:
        for key, each in said.items():
            shelf(broker).put(key, made(kind, each))

    return Chapter(name, dump, load)


def _dump_counters(broker: "Broker", dumping: Dumping) -> Plain:
    return plain(broker.counters)


def _load_counters(broker: "Broker", said: Plain, loading: Loading) -> None:
    for name, value in said.items():
        setattr(broker.counters, name, value)


def _dump_policies(broker: "Broker", dumping: Dumping) -> Plain:
    return {shelf.collection: {name: plain(policy) for name, policy in shelf.policies.items()} for shelf in broker.shelves()}


def _load_policies(broker: "Broker", said: Plain, loading: Loading) -> None:
    for shelf in broker.shelves():
        shelf.policies.update({name: made(Policy, each) for name, each in said.get(shelf.collection, {}).items()})


CHAPTERS: Final[tuple[Chapter, ...]] = (
    Chapter("topics", topics.dump, topics.load),
    Chapter("subscriptions", subscriptions.dump, subscriptions.load),
    Chapter("snapshots", snapshots.dump, snapshots.load),
    records("schemas", lambda broker: broker.schemas, Schema),
    Chapter("policies", _dump_policies, _load_policies),
    Chapter("counters", _dump_counters, _load_counters),
)
"""In the order in which they are loaded; the other way round they are written, so that a topic knows what of its log is needed."""


def dump_state(broker: "Broker", now: Nanos) -> dict[str, Any]:
    """Give everything that decides what the broker will answer, as plain data. It changes nothing."""
    broker.settle(now)
    dumping = Dumping(now)
    said = {chapter.name: chapter.dump(broker, dumping) for chapter in reversed(CHAPTERS)}
    messages = [text_of(message) for _, message in sorted(dumping.messages.items())]
    return {
        "format": FORMAT,
        "version": VERSION,
        "at": now,
        **{chapter.name: said[chapter.name] for chapter in CHAPTERS},
        "messages": messages,
    }


def load_state(broker: "Broker", state: Plain) -> None:
    """Make everything that `dump_state` has told of in a broker that is empty; what has fallen due since then happens when it is settled next.

    Raises:
        InvalidArgument: this is not such a document, or of a later version. The broker is of no use then.
    """
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise InvalidArgument(f'This is no state of Publican: it does not say "format": "{FORMAT}".')
    if state.get("version") != VERSION:
        raise InvalidArgument(f"This state is of version {state.get('version')}; this Publican reads version {VERSION}.")
    place = "messages"
    try:
        messages = [bytes_of(text) for text in state["messages"]]
        loading = Loading({message_id_of(message): message for message in messages})
        for chapter in CHAPTERS:
            place = chapter.name
            if place in state:
                chapter.load(broker, state[place], loading)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise InvalidArgument(f"This state cannot be read: {place}: {type(error).__name__}: {error}.") from error


def to_bytes(state: Plain) -> bytes:
    """Give the document as JSON."""
    return json.dumps(state, ensure_ascii=False, separators=(",", ":")).encode()


def from_bytes(text: bytes) -> Plain:
    """Read what `to_bytes` has written.

    Raises:
        InvalidArgument: it is not JSON.
    """
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidArgument(f"This is no state of Publican: it is not JSON ({error}).") from None
