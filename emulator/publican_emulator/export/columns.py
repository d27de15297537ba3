"""The columns of a BigQuery table, and whether values fit them: names without regard to case, types, REQUIRED and REPEATED.

Source: cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema.

PYTEST_DONT_REWRITE
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from publican_emulator.export.exported import Unfit

_SYNONYMS: Final = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN", "STRUCT": "RECORD", "DECIMAL": "NUMERIC", "BIGDECIMAL": "BIGNUMERIC"}
_INTEGER: Final = re.compile(r"[+-]?\d{1,19}")
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_DATE: Final = re.compile(r"\d{1,4}-\d{1,2}-\d{1,2}")
_TIME: Final = re.compile(r"\d{1,2}:\d{1,2}:\d{1,2}(\.\d{1,6})?")
_DATETIME: Final = re.compile(_DATE.pattern + "([T ]" + _TIME.pattern + ")?")
_TIMESTAMP: Final = re.compile(_DATETIME.pattern + r" ?(Z|UTC|[+-]\d{1,2}(:\d{2})?)?")


@dataclass(frozen=True, slots=True)
class Column:
    """One column, or a field of a record."""

    name: str
    type: str
    mode: str = "NULLABLE"
    fields: tuple["Column", ...] = ()


def columns(said: Any) -> tuple[Column, ...]:
    """Read columns as BigQuery's JSON has them: a list of `{"name", "type", "mode", "fields"}`, or an object with that list under "fields".

    Raises:
        ValueError: these are none.
    """
    if isinstance(said, Mapping):
        said = said.get("fields", [])
    if not isinstance(said, list):
        raise ValueError("the columns of a table are a list")
    return tuple(_column(each) for each in said)


def _column(said: Any) -> Column:
    if not isinstance(said, Mapping) or not isinstance(said.get("name"), str) or not isinstance(said.get("type"), str):
        raise ValueError(f'a column has a "name" and a "type", not {said!r}')
    kind = said["type"].upper()
    return Column(said["name"], _SYNONYMS.get(kind, kind), str(said.get("mode") or "NULLABLE").upper(), columns(said.get("fields", [])))


def fitted(values: Mapping[str, Any], known: Sequence[Column], *, is_dropping: bool, where: str = "") -> dict[str, Any]:
    """Give values under the names of their columns; `is_dropping`: what has no column is left out.

    Raises:
        Unfit: a value has no column, or not its column's type, or a required one is missing.
    """
    by_name = {column.name.lower(): column for column in known}
    row: dict[str, Any] = {}
    for name, value in values.items():
        column = by_name.get(name.lower())
        if column is not None:
            row[column.name] = _value(value, column, is_dropping=is_dropping, where=f"{where}{column.name}")
        elif not is_dropping:
            raise Unfit(f"the table has no column {where}{name}; drop_unknown_fields would leave it out")
    for column in known:
        if column.mode == "REQUIRED" and row.get(column.name) is None:
            raise Unfit(f"the column {where}{column.name} is required, and missing")
    return row


def _value(value: Any, column: Column, *, is_dropping: bool, where: str) -> Any:
    if column.mode != "REPEATED":
        return None if value is None else _single(value, column, is_dropping=is_dropping, where=where)
    if not isinstance(value, list):
        raise Unfit(f"the column {where} is repeated: its value must be a list, not {_short(value)}")
    if None in value:
        raise Unfit(f"the column {where} is repeated: none of its values may be null")
    return [_single(each, column, is_dropping=is_dropping, where=f"{where}[{place}]") for place, each in enumerate(value)]


def _single(value: Any, column: Column, *, is_dropping: bool, where: str) -> Any:
    if column.type == "RECORD":
        if not isinstance(value, Mapping):
            raise Unfit(f"the column {where} is a RECORD: its value must be an object, not {_short(value)}")
        return fitted(value, column.fields, is_dropping=is_dropping, where=f"{where}.")
    fits = _FITS.get(column.type)
    if fits is not None and not fits(value):
        raise Unfit(f"the column {where} is of type {column.type}, and {_short(value)} is none")
    return value


def _is_base64(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error:
        return False
    return True


def _is_number(value: Any) -> bool:
    return (isinstance(value, int | float) and not isinstance(value, bool)) or _matches(_NUMBER, value)


def _is_integer(value: Any) -> bool:
    if isinstance(value, int) and not isinstance(value, bool):
        return -(2**63) <= value < 2**63
    return _matches(_INTEGER, value) or (isinstance(value, float) and value.is_integer())


def _is_timestamp(value: Any) -> bool:
    return (isinstance(value, int | float) and not isinstance(value, bool)) or _matches(_TIMESTAMP, value)


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


_FITS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "STRING": lambda value: isinstance(value, str),
    "BYTES": _is_base64,
    "INTEGER": _is_integer,
    "FLOAT": lambda value: _is_number(value) or value in ("NaN", "Infinity", "-Infinity"),
    "NUMERIC": _is_number,
    "BIGNUMERIC": _is_number,
    "BOOLEAN": lambda value: isinstance(value, bool) or (isinstance(value, str) and value.lower() in ("true", "false")),
    "TIMESTAMP": _is_timestamp,
    "DATETIME": lambda value: _matches(_DATETIME, value),
    "DATE": lambda value: _matches(_DATE, value),
    "TIME": lambda value: _matches(_TIME, value),
}
"""By type; a type that does not stand here (JSON, GEOGRAPHY, INTERVAL, RANGE) takes every value."""


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
