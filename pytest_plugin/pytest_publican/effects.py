"""Effects: what a handler did to the world, as plain values that can be compared and shown.

Without a word from the user everything in the world counts: its attributes, and theirs, as deep as they go. Lists are compared as bags, because a
list in a fake is nearly always a log (charges, mails), and unordered messages write it in any order; a scalar that depends on order still shows.

PYTEST_DONT_REWRITE
"""

import sys
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

_ATOMS: Final = (type(None), bool, int, float, complex, str, bytes, bytearray)
_CHARACTERS_MAX: Final = 200
_SILENT: Final = frozenset({"_thread", "threading", "logging"})
_OPAQUE: Final = "nothing can be seen of it"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it is after exactly one delivery."""

    path: str
    """Where in the world: `bank.charges`."""
    found: str
    expected: str

    def __str__(self) -> str:
        subject = f"{self.path} is " if self.path else "the effect is "
        return f"{subject}{_cut(self.found)}; after exactly one delivery {'it is ' if self.path else ''}{_cut(self.expected)}"


def _cut(text: str) -> str:
    return text if len(text) <= _CHARACTERS_MAX else f"{text[:_CHARACTERS_MAX]}... ({len(text)} characters)"


def state_of(world: object) -> object:
    """Give what can be seen of an object, as plain values; lists as sorted bags.

    Raises:
        TypeError: it holds something of which nothing can be seen; then the user has to say what the effect is.
    """
    return _state(world, "the world", ())


def _state(each: object, path: str, above: tuple[int, ...]) -> object:
    if isinstance(each, _ATOMS):
        return each
    if id(each) in above:
        return "(itself)"
    above = (*above, id(each))
    if isinstance(each, Mapping):
        return {key: _state(value, f"{path}[{key!r}]", above) for key, value in each.items()}
    if isinstance(each, (list, deque, set, frozenset)):
        return sorted((_state(item, f"{path}[...]", above) for item in each), key=repr)
    if isinstance(each, tuple):
        return tuple(_state(item, f"{path}[...]", above) for item in each)
    if (calls := _calls_of_mock(each)) is not None:
        return calls
    attributes = attributes_of(each)
    if attributes and not _is_value(each):
        return {name: _state(value, f"{path}.{name}", above) for name, value in attributes.items() if not _is_no_state(value)}
    if _is_value(each) or hasattr(each, "__dict__"):
        return each if _is_value(each) else {}
    raise TypeError(f"{path} is a {type(each).__name__}: {_OPAQUE}. Say what the effect is: survives(..., effect=lambda world: ...)")


def _calls_of_mock(each: object) -> list[str] | None:
    mock = sys.modules.get("unittest.mock")
    if mock is None or not isinstance(each, mock.NonCallableMock):
        return None
    return sorted(repr(call).removeprefix("call.").removeprefix("call") for call in each.mock_calls)


def _is_value(each: object) -> bool:
    """Say whether it knows by itself what equals it, and is no mere collection of fields."""
    return type(each).__eq__ is not object.__eq__ and not hasattr(each, "__dataclass_fields__")


def _is_no_state(value: object) -> bool:
    """Say whether it is code, a lock or a logger."""
    return isinstance(value, (type, ModuleType)) or type(value).__module__ in _SILENT or (callable(value) and not attributes_of(value))


def attributes_of(each: object) -> dict[str, Any]:
    """Give an object's own attributes: of its dictionary and its slots."""
    found: dict[str, Any] = {}
    for kind in type(each).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if not name.startswith("__") and hasattr(each, name):
                found[name] = getattr(each, name)
    return found | getattr(each, "__dict__", {})


def differences(found: object, expected: object, path: str = "") -> Iterator[Difference]:
    """Give what differs, as deep in the two values as they are alike."""
    if isinstance(found, dict) and isinstance(expected, dict):
        for key in sorted({*found, *expected}, key=repr):
            if key not in found or key not in expected:
                where = _join(path, key)
                yield Difference(where, repr(found.get(key, _ABSENT)), repr(expected.get(key, _ABSENT)))
            elif found[key] != expected[key]:
                yield from differences(found[key], expected[key], _join(path, key))
    elif found != expected:
        yield Difference(path, repr(found), repr(expected))


class _Absent:
    def __repr__(self) -> str:
        return "absent"


_ABSENT: Final = _Absent()


def _join(path: str, key: object) -> str:
    if isinstance(key, str) and key.isidentifier():
        return f"{path}.{key}" if path else key
    return f"{path}[{key!r}]"
