"""Settings as plain data: what is said of a value makes that value again."""

import enum
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from publican_emulator.broker.instants import DAY, SECOND, Nanos
from publican_emulator.broker.settings import DeadLetterPolicy, RetryPolicy, SubscriptionSettings, TopicSettings
from publican_emulator.broker.state.plain import NotPlain, made, plain
from publican_protocol import pubsub


class Colour(enum.Enum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class File:
    path: str


@dataclass(frozen=True, slots=True)
class Table:
    path: str
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Everything:
    at: Nanos
    raw: bytes
    colour: Colour
    target: File | Table | None
    only: File | None
    pair: tuple[int, str]
    many: tuple[File, ...]
    listed: list[float]
    named: Mapping[str, int]
    chosen: frozenset[str]
    message: pubsub.PubsubMessage
    added_later: str = "default"
    count: int = field(init=False, default=7)


EVERYTHING = Everything(
    Nanos(5),
    b"\x00\xff",
    Colour.RED,
    Table("t", 3),
    None,
    (1, "x"),
    (File("a"), File("b")),
    [0.5],
    {"k": 1},
    frozenset({"c"}),
    pubsub.PubsubMessage(data=b"d"),
)


@pytest.mark.parametrize(
    "value",
    [
        EVERYTHING,
        TopicSettings(),
        TopicSettings(labels={"a": "b"}, message_retention=Nanos(DAY), allowed_regions=("here", "there")),
        SubscriptionSettings(),
        SubscriptionSettings(
            filter="attributes:a",
            dead_letter=DeadLetterPolicy("projects/p/topics/dead", 7),
            retry=RetryPolicy(Nanos(SECOND), Nanos(2 * SECOND)),
            expiration_ttl=None,
        ),
    ],
)
def test_what_is_said_of_a_value_makes_it_again(value: Any) -> None:
    said = json.loads(json.dumps(plain(value)))
    assert made(type(value), said) == value


def test_of_several_kinds_the_right_one_is_made() -> None:
    for target in (File("same"), Table("same")):
        assert type(made(File | Table, {"is": type(target).__name__, **plain(target)})) is type(target)


def test_a_field_of_a_later_version_takes_its_default() -> None:
    said = plain(EVERYTHING)
    del said["added_later"]
    assert made(Everything, said) == EVERYTHING


def test_what_has_no_plain_form_is_refused_by_name() -> None:
    with pytest.raises(NotPlain, match="object has no plain form"):
        plain(object())
    with pytest.raises(NotPlain, match="set"):
        made(set[int], [1])


@pytest.mark.parametrize(("declared", "said"), [(int, "1"), (str, 1), (bytes, "?"), (Colour, "blue"), (File, {"way": "x"})])
def test_what_was_not_said_of_such_a_value_is_refused(declared: Any, said: Any) -> None:
    with pytest.raises((TypeError, ValueError, KeyError)):
        made(declared, said)
