"""The well-known types that JSON writes in a form of their own: Timestamp, Duration, FieldMask, Struct, Value and ListValue.

Their classes come from whatever pool the message at hand is of, so they are recognised by name. A reader fills the message and raises
ValueError with the service's words. Depth counts messages, not brackets: a Struct in a Struct is three of them, and protobuf's own
parsers stop at 100. No other message of the API holds itself, so nothing else can be deep.

PYTEST_DONT_REWRITE
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from publican_protocol import json_values as values

DEPTH_MAX: Final = 90
TOO_DEEP: Final = "Message too deep. Max recursion depth reached for key"

Reader = Callable[[object, Any], None]
Writer = Callable[[Any], object]


def _read_timestamp(value: object, message: Any) -> None:
    message.seconds, message.nanos = values.timestamp(value)


def _read_duration(value: object, message: Any) -> None:
    message.seconds, message.nanos = values.duration(value)


def _read_mask(value: object, message: Any) -> None:
    message.paths.extend(values.mask_paths(value))


def _read_struct(value: object, message: Any, depth: int = 0) -> None:
    if not isinstance(value, tuple):
        raise ValueError
    for name, item in value:
        if name in message.fields:
            raise ValueError(f"Repeated map key: '{name}' is already set.")
        _read_value(item, message.fields[values.text(name)], depth + 2)


def _read_list(value: object, message: Any, depth: int = 0) -> None:
    if not isinstance(value, list):
        raise ValueError
    for item in value:
        _read_value(item, message.values.add(), depth + 1)


def _read_value(value: object, message: Any, depth: int = 0) -> None:
    if depth > DEPTH_MAX:
        raise ValueError(TOO_DEEP)
    match value:
        case None:
            message.null_value = 0
        case bool():
            message.bool_value = value
        case int() | float():
            message.number_value = values.real(value)
        case str():
            message.string_value = values.text(value)
        case list():
            message.list_value.SetInParent()
            _read_list(value, message.list_value, depth + 1)
        case _:
            message.struct_value.SetInParent()
            _read_struct(value, message.struct_value, depth + 1)


def _value_tree(message: Any) -> object:
    match message.WhichOneof("kind"):
        case "struct_value":
            return {name: _value_tree(message.struct_value.fields[name]) for name in sorted(message.struct_value.fields)}
        case "list_value":
            return [_value_tree(item) for item in message.list_value.values]
        case "number_value":
            number = message.number_value
            return int(number) if number.is_integer() and abs(number) < 2**53 else values.real_json(number)
        case "string_value":
            return str(message.string_value)
        case "bool_value":
            return bool(message.bool_value)
        case _:
            return None


_WELL_KNOWN: Final = "google.protobuf."

READERS: Final[Mapping[str, Reader]] = {
    _WELL_KNOWN + "Timestamp": _read_timestamp,
    _WELL_KNOWN + "Duration": _read_duration,
    _WELL_KNOWN + "FieldMask": _read_mask,
    _WELL_KNOWN + "Struct": _read_struct,
    _WELL_KNOWN + "ListValue": _read_list,
    _WELL_KNOWN + "Value": _read_value,
}

WRITERS: Final[Mapping[str, Writer]] = {
    _WELL_KNOWN + "Timestamp": lambda message: values.timestamp_text(message.seconds, message.nanos),
    _WELL_KNOWN + "Duration": lambda message: values.duration_text(message.seconds, message.nanos),
    _WELL_KNOWN + "FieldMask": lambda message: values.mask_text(list(message.paths)),
    _WELL_KNOWN + "Struct": lambda message: {name: _value_tree(message.fields[name]) for name in sorted(message.fields)},
    _WELL_KNOWN + "ListValue": lambda message: [_value_tree(item) for item in message.values],
    _WELL_KNOWN + "Value": _value_tree,
}

TEXT_TYPES: Final = frozenset(_WELL_KNOWN + name for name in ("Timestamp", "Duration", "FieldMask"))
"""The message types that JSON writes as one text: a query parameter can carry them."""
