"""Avro definitions: what stands in one, with every name resolved, and every rule of the Avro specification that fastavro lets pass.

fastavro reads the definition and resolves names; it accepts bad and repeated names, records without fields and defaults of other types, so those are
checked here. A definition may be deep, but not deeper than fastavro's own stack (it ends the process there: seen).

Source: avro.apache.org/docs/1.12.0/specification, "Schema Declaration"; cloud.google.com/pubsub/docs/schemas.

PYTEST_DONT_REWRITE
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import fastavro

from publican_emulator.broker.errors import InvalidArgument

DEPTH_MAX: Final = 64
PRIMITIVES: Final = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
NAMED: Final = frozenset({"record", "enum", "fixed", "error"})
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FULL_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")

AvroType = Any
"""A type as fastavro gives it: a name, a list (a union) or a dict."""


class Types:
    """A read definition: its root and its named types."""

    def __init__(self, root: AvroType, named: Mapping[str, AvroType]) -> None:
        self.root = root
        self.named = named

    def resolve(self, each: AvroType) -> AvroType:
        """Give what a name stands for; a primitive's name and everything else stand for themselves."""
        if isinstance(each, str) and each not in PRIMITIVES:
            return self.named[each]
        return each


def kind(each: AvroType) -> str:
    """Give the kind of a resolved type: a primitive's name, "union", "record", "enum", "fixed", "array" or "map"."""
    if isinstance(each, str):
        return each
    if isinstance(each, list):
        return "union"
    found: str = each["type"]
    return "record" if found == "error" else found


def branch_name(each: AvroType) -> str:
    """Give the name by which a branch of a union is told in JSON and must be unique: full for named types, else the kind."""
    if isinstance(each, dict) and each["type"] in NAMED:
        return str(each["name"])
    return each if isinstance(each, str) else kind(each)


def invalid(why: str) -> InvalidArgument:
    """Give the refusal of a definition."""
    return InvalidArgument(f"Invalid schema definition: {why}")


def read(text: str) -> Types:
    """Read a definition.

    Raises:
        InvalidArgument: where it breaks which rule.
    """
    try:
        parsed = json.loads(text)
    except json.JSONDecodeError as error:
        raise invalid(f"it is not JSON: {error.msg} at line {error.lineno} column {error.colno}.") from None
    except (RecursionError, ValueError):
        raise invalid("it is nested too deeply, or holds a number of too many digits.") from None
    _check(parsed, "", 0)
    if not isinstance(parsed, dict) or parsed.get("type") != "record":
        raise invalid("the top-level type must be a record.")
    named: dict[str, Any] = {}
    try:
        root = fastavro.parse_schema(parsed, named_schemas=named)
    except Exception as error:  # noqa: BLE001  (whatever fastavro thinks of a definition that we let through)
        raise invalid(f"{error or type(error).__name__}.") from None
    types = Types(root, named)
    _check_unions(types)
    _check_defaults(types)
    return types


def _check(each: Any, where: str, depth: int) -> None:
    """Check the form of a type before fastavro sees it."""
    if depth > DEPTH_MAX:
        raise invalid(f"it is nested more than {DEPTH_MAX} levels deep.")
    match each:
        case str():
            if each not in PRIMITIVES and not _FULL_NAME.fullmatch(each):
                raise invalid(f"{_at(where)}{each!r} is no type.")
        case list():
            if not each:
                raise invalid(f"{_at(where)}a union needs at least one branch.")
            for branch in each:
                if isinstance(branch, list):
                    raise invalid(f"{_at(where)}a union may not stand directly in a union.")
                _check(branch, where, depth + 1)
        case {"type": _}:
            _check_complex(each, where, depth)
        case dict():
            raise invalid(f'{_at(where)}there is no "type".')
        case _:
            raise invalid(f"{_at(where)}a type is a name, an object or a list, not {json.dumps(each)[:50]}.")


def _check_complex(each: dict[str, Any], where: str, depth: int) -> None:
    named = each["type"]
    if isinstance(named, (dict, list)):  # {"type": {...}}, which some writers make
        _check(named, where, depth + 1)
    elif not isinstance(named, str):
        raise invalid(f"{_at(where)}a type is a name, an object or a list, not {json.dumps(named)[:50]}.")
    elif named in NAMED:
        _check_named(each, where, depth)
    elif named in {"array", "map"}:
        inner = {"array": "items", "map": "values"}[named]
        if inner not in each:
            raise invalid(f'{_at(where)}{named} without "{inner}".')
        _check(each[inner], where, depth + 1)
    else:
        _check(named, where, depth + 1)


def _check_named(each: dict[str, Any], where: str, depth: int) -> None:
    name = each.get("name")
    if not isinstance(name, str) or not _FULL_NAME.fullmatch(name):
        raise invalid(f"{_at(where)}{each['type']} has no valid name: {json.dumps(name)}.")
    space = each.get("namespace")
    if space is not None and (not isinstance(space, str) or (space and not _FULL_NAME.fullmatch(space))):
        raise invalid(f"{_at(where)}{json.dumps(space)} is no valid namespace.")
    match each["type"]:
        case "enum":
            _check_enum(each, name)
        case "fixed":
            size = each.get("size")
            if not isinstance(size, int) or isinstance(size, bool) or size < 0:
                raise invalid(f"{_at(where)}the size of fixed {name} must be a number of bytes, not {json.dumps(size)}.")
        case _:
            _check_record(each, name, depth)


def _check_enum(each: dict[str, Any], name: str) -> None:
    symbols = each.get("symbols")
    if not isinstance(symbols, list) or not all(isinstance(symbol, str) and _NAME.fullmatch(symbol) for symbol in symbols):
        raise invalid(f"the symbols of enum {name} must be a list of names.")
    if len(set(symbols)) < len(symbols):
        raise invalid(f"enum {name} has a symbol twice.")
    if "default" in each and each["default"] not in symbols:
        raise invalid(f"the default of enum {name} is none of its symbols.")


def _check_record(each: dict[str, Any], name: str, depth: int) -> None:
    fields = each.get("fields")
    if not isinstance(fields, list):
        raise invalid(f'record {name} has no "fields".')
    seen = set()
    for field in fields:
        if not isinstance(field, dict) or "type" not in field:
            raise invalid(f'a field of record {name} is not an object with "name" and "type".')
        field_name = field.get("name")
        if not isinstance(field_name, str) or not _NAME.fullmatch(field_name):
            raise invalid(f"record {name} has a field with no valid name: {json.dumps(field_name)}.")
        if field_name in seen:
            raise invalid(f"record {name} has the field {field_name} twice.")
        seen.add(field_name)
        _check(field["type"], f"{name}.{field_name}", depth + 1)


def _at(where: str) -> str:
    return f"field {where}: " if where else ""


def _check_unions(types: Types) -> None:
    for _, each in _walk(types):
        if isinstance(each, list):
            names = [branch_name(types.resolve(branch)) for branch in each]
            if len(set(names)) < len(names):
                raise invalid(f"a union has two branches of one type: {', '.join(names)}.")


def _check_defaults(types: Types) -> None:
    from publican_emulator.broker.schema import Mismatch
    from publican_emulator.schemas import avro_json

    for _, each in _walk(types):
        if isinstance(each, dict) and kind(each) == "record":
            for field in each["fields"]:
                if "default" in field:
                    try:
                        avro_json.check_default(types, field["type"], field["default"], f"{each['name']}.{field['name']}")
                    except Mismatch as mismatch:
                        raise invalid(f"the default of {mismatch}.") from None


def _walk(types: Types) -> Iterator[tuple[str, AvroType]]:
    """Give every type that stands in a definition once, with its kind."""
    waiting = [types.root]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            continue
        yield kind(each), each
        if isinstance(each, list):
            waiting += each
            continue
        waiting += [field["type"] for field in each.get("fields", ())]
        waiting += [each[inner] for inner in ("items", "values") if inner in each]
