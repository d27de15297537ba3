"""Avro's JSON encoding: does a JSON text fit a definition, and if not, at which field?

A union's value is null, or an object with the branch's name as its one key; bytes and fixed are text of the characters 0..255. The whole is walked by
us since fastavro's reader of JSON checks no types.

Source: avro.apache.org/docs/1.12.0/specification, "JSON Encoding".

PYTEST_DONT_REWRITE
"""

import functools
import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from publican_emulator.broker.schema import Mismatch
from publican_emulator.schemas.avro_definitions import AvroType, Types, branch_name, kind

Check = Callable[[Types, AvroType, Any, str], None]

_SPOKEN: Final = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", int: "a number", float: "a number", type(None): "null"}


def check(types: Types, data: bytes) -> None:
    """Refuse data that is not the JSON form of the definition's record.

    Raises:
        Mismatch: where and why.
    """
    try:
        value = json.loads(data, object_pairs_hook=_once_each, parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise Mismatch("", "the data is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise Mismatch("", f"the data is not JSON: {error.msg} at line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise Mismatch("", "the data is nested too deeply") from None
    except Mismatch:
        raise
    except ValueError:
        raise Mismatch("", "a number in the data has too many digits") from None
    try:
        _check(types, types.root, value, "")
    except RecursionError:
        raise Mismatch("", "the data is nested too deeply") from None


def check_default(types: Types, each: AvroType, value: Any, where: str) -> None:
    """Refuse a field's default that is none of its type: written like data, but for unions, where it is of any branch and stands bare."""
    resolved = types.resolve(each)
    if kind(resolved) != "union":
        _check(types, resolved, value, where, in_default=True)
        return
    for branch in resolved:
        try:
            check_default(types, branch, value, where)
        except Mismatch:
            continue
        return
    raise Mismatch(where, f"{_short(value)} is of no branch of the union")


def _check(types: Types, each: AvroType, value: Any, where: str, *, in_default: bool = False) -> None:
    resolved = types.resolve(each)
    if in_default and kind(resolved) == "union":
        check_default(types, resolved, value, where)
    elif in_default and kind(resolved) == "record":
        _record(types, resolved, value, where, in_default=True)
    else:
        _CHECKS[kind(resolved)](types, resolved, value, where)


def _record(types: Types, each: AvroType, value: Any, where: str, *, in_default: bool = False) -> None:
    if not isinstance(value, dict):
        raise _expected(f"an object for record {each['name']}", value, where)
    known = {field["name"]: field for field in each["fields"]}
    for name, field in known.items():
        inner = f"{where}.{name}" if where else name
        if name in value:
            _check(types, field["type"], value[name], inner, in_default=in_default)
        elif not (in_default and "default" in field):
            raise Mismatch(inner, f"it is missing; record {each['name']} has it")
    for name in value:
        if name not in known:
            raise Mismatch(f"{where}.{name}" if where else name, f"record {each['name']} has no such field")


def _union(types: Types, each: AvroType, value: Any, where: str) -> None:
    branches: Mapping[str, AvroType] = {branch_name(types.resolve(branch)): branch for branch in each}
    wanted = ", ".join(branches)
    if value is None:
        if "null" not in branches:
            raise Mismatch(where, f"it is null, which is no branch of the union ({wanted})")
        return
    if not isinstance(value, dict) or len(value) != 1:
        raise Mismatch(where, f'a union\'s value is written {{"branch": value}}, one of {wanted}; it is {_short(value)}')
    ((name, inner),) = value.items()
    if name not in branches or name == "null":
        raise Mismatch(where, f"{name} is no branch of the union ({wanted})")
    _check(types, branches[name], inner, where)


def _array(types: Types, each: AvroType, value: Any, where: str) -> None:
    if not isinstance(value, list):
        raise _expected("a list", value, where)
    for place, item in enumerate(value):
        _check(types, each["items"], item, f"{where}[{place}]")


def _map(types: Types, each: AvroType, value: Any, where: str) -> None:
    if not isinstance(value, dict):
        raise _expected("an object", value, where)
    for name, item in value.items():
        _check(types, each["values"], item, f"{where}[{json.dumps(name)}]")


def _enum(types: Types, each: AvroType, value: Any, where: str) -> None:
    if not isinstance(value, str) or value not in each["symbols"]:
        raise _expected(f"one of {', '.join(each['symbols'])}", value, where)


def _null(types: Types, each: AvroType, value: Any, where: str) -> None:
    if value is not None:
        raise _expected("null", value, where)


def _boolean(types: Types, each: AvroType, value: Any, where: str) -> None:
    if not isinstance(value, bool):
        raise _expected("a boolean", value, where)


def _integer(bits: int, types: Types, each: AvroType, value: Any, where: str) -> None:
    if isinstance(value, float) and value.is_integer():  # 5.0 and 5e0 are JSON numbers like any
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise _expected("a whole number", value, where)
    if not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
        raise Mismatch(where, f"{_short(value)} is outside {-(2 ** (bits - 1))}..{2 ** (bits - 1) - 1}")


def _real(types: Types, each: AvroType, value: Any, where: str) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _expected("a number", value, where)
    if isinstance(value, float) and not math.isfinite(value):  # 1e999
        raise Mismatch(where, "the number is too large")


def _string(types: Types, each: AvroType, value: Any, where: str) -> None:
    if not isinstance(value, str):
        raise _expected("a text", value, where)
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise Mismatch(where, "the text holds a lone surrogate")


def _bytes(types: Types, each: AvroType, value: Any, where: str) -> None:
    if not isinstance(value, str) or any(char > "\xff" for char in value):
        raise _expected("a text of the characters 0 to 255", value, where)


def _fixed(types: Types, each: AvroType, value: Any, where: str) -> None:
    _bytes(types, each, value, where)
    if len(value) != each["size"]:
        raise Mismatch(where, f"it has {len(value)} bytes; fixed {each['name']} has {each['size']}")


_CHECKS: Final[Mapping[str, Check]] = {
    "record": _record,
    "union": _union,
    "array": _array,
    "map": _map,
    "enum": _enum,
    "fixed": _fixed,
    "null": _null,
    "boolean": _boolean,
    "int": functools.partial(_integer, 32),
    "long": functools.partial(_integer, 64),
    "float": _real,
    "double": _real,
    "bytes": _bytes,
    "string": _string,
}


def _expected(wanted: str, value: Any, where: str) -> Mismatch:
    return Mismatch(where, f"expected {wanted}, not {_SPOKEN[type(value)]}: {_short(value)}")


def _short(value: Any) -> str:
    try:
        written = json.dumps(value)
    except (ValueError, RecursionError):
        return "..."
    return written if len(written) <= 60 else f"{written[:60]}..."


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise Mismatch(name, "it occurs twice")
        found[name] = value
    return found


def _no_constant(name: str) -> Any:
    raise Mismatch("", f"{name} is not JSON")
