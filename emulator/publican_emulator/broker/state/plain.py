"""Frozen settings as plain data, and back, by their declared types: a new field, or a new dataclass, needs no line here.

Plain data is what JSON has: dict, list, str, int, float, bool, None. Bytes become base64 text, a mapping an object, an enum its value, a message of
protobuf its bytes. A field that is absent takes its default, so a document of an older version can be read. Where a type is one of several
dataclasses, the object says which under "is".

PYTEST_DONT_REWRITE
"""

import binascii
import dataclasses
import enum
import types
import typing
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from google.protobuf.message import Message

Plain = Any
"""What JSON can say."""


class NotPlain(TypeError):
    """A value, or a declared type, that has no plain form here."""


def text_of(data: bytes) -> str:
    """Give bytes as text."""
    return binascii.b2a_base64(data, newline=False).decode()


def bytes_of(text: str) -> bytes:
    """Give the bytes that `text_of` made text of."""
    return binascii.a2b_base64(text, strict_mode=True)


def plain(value: object) -> Plain:
    """Say a value as plain data.

    Raises:
        NotPlain: it is of a type that has no plain form.
    """
    if value is None or isinstance(value, str | int | float | bool):
        return value.value if isinstance(value, enum.Enum) else value
    if isinstance(value, bytes):
        return text_of(value)
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Message):
        return text_of(value.SerializeToString())
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, Sequence | set | frozenset):
        return [plain(each) for each in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kinds = _types(type(value))
        return {each.name: _told(getattr(value, each.name), kinds[each.name]) for each in dataclasses.fields(value) if each.init}
    raise NotPlain(f"{type(value).__name__} has no plain form: {value!r}")


def _told(value: object, declared: object) -> Plain:
    said = plain(value)
    return {"is": type(value).__name__, **said} if value is not None and len(_dataclasses_in(declared)) > 1 else said


def made(declared: Any, said: Plain) -> Any:
    """Make a value of a declared type from what `plain` said of it.

    Raises:
        NotPlain: the type has no plain form.
        TypeError, ValueError, KeyError: this was not said of such a value.
    """
    declared = _bare(declared)
    origin, arguments = typing.get_origin(declared), typing.get_args(declared)
    if origin in (typing.Union, types.UnionType):
        return None if said is None else made(_alternative(arguments, said), said)
    if origin is typing.Literal:
        return _one_of(arguments, said)
    if isinstance(declared, type) and dataclasses.is_dataclass(declared):
        return _made_dataclass(declared, said)
    if isinstance(declared, type) and issubclass(declared, enum.Enum):
        return declared(said)
    if isinstance(declared, type) and issubclass(declared, Message):
        return declared.FromString(bytes_of(said))
    if declared is bytes:
        return bytes_of(said)
    if declared in (str, int, float, bool):
        if not isinstance(said, declared):
            raise TypeError(f"{said!r} is no {declared.__name__}")
        return said
    return _made_many(origin, arguments, said, declared)


def _one_of(choices: tuple[Any, ...], said: Plain) -> Any:
    if said not in choices:
        raise ValueError(f"{said!r} is none of {choices}")
    return said


def _made_many(origin: Any, arguments: tuple[Any, ...], said: Plain, declared: object) -> Any:
    if origin is not None and isinstance(origin, type):
        if issubclass(origin, Mapping):
            return {key: made(arguments[1], each) for key, each in said.items()}
        if issubclass(origin, tuple) and len(arguments) == 2 and arguments[1] is not Ellipsis:
            return tuple(made(kind, each) for kind, each in zip(arguments, said, strict=True))
        if issubclass(origin, Sequence):
            return (list if origin is list else tuple)(made(arguments[0], each) for each in said)
        if issubclass(origin, frozenset):
            return frozenset(made(arguments[0], each) for each in said)
    raise NotPlain(f"{declared} has no plain form")


def _made_dataclass(declared: Any, said: Plain) -> Any:
    kinds = _types(declared)
    return declared(**{name: made(kinds[name], each) for name, each in said.items() if name != "is"})


def _bare(declared: Any) -> Any:
    while isinstance(declared, typing.NewType):
        declared = declared.__supertype__
    return declared


def _dataclasses_in(declared: Any) -> list[Any]:
    return [kind for kind in typing.get_args(declared) if isinstance(kind, type) and dataclasses.is_dataclass(kind)]


def _alternative(kinds: tuple[Any, ...], said: Plain) -> Any:
    """Give the member of a union that something was said of."""
    others = [kind for kind in kinds if kind is not type(None)]
    if len(others) == 1:
        return others[0]
    if isinstance(said, dict) and "is" in said:
        return next(kind for kind in others if getattr(kind, "__name__", "") == said["is"])
    return next(kind for kind in others if isinstance(kind, type) and type(said) is kind)


@cache
def _types(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)
