"""Single values of proto3 JSON: scalars and the well-known types that JSON writes as text, both ways.

A reader takes what `json.loads` gave and returns the field's value, or raises ValueError with the part of the service's text that follows
the field's type ("Base64 decoding failed for ..."); an empty text stands for the value itself. json_form.py walks messages and knows
where we are.

Source: protobuf.dev/programming-guides/json; the texts are those of Google's JSON transcoder (protobuf's util/converter).

PYTEST_DONT_REWRITE
"""

import binascii
import math
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor

_SECONDS_PER_DAY: Final = 86_400
_EPOCH: Final = date(1970, 1, 1).toordinal()
_TIMESTAMP_S_MIN: Final = -62_135_596_800  # 0001-01-01
_TIMESTAMP_S_MAX: Final = 253_402_300_799  # 9999-12-31
_DURATION_S_MAX: Final = 315_576_000_000  # 10,000 years, the documented bound
_TIMESTAMP: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))", re.ASCII)
_DURATION: Final = re.compile(r"(-?)(\d{1,12})(?:\.(\d{1,9}))?s", re.ASCII)
_INTEGER: Final = re.compile(r"-?\d{1,20}", re.ASCII)
_URL_SAFE: Final = str.maketrans("-_", "+/", " \t\r\n\f\v")


def integer(value: object, low: int, high: int) -> int:
    """Read an integer: a number without a fraction, or its decimal text."""
    if (isinstance(value, str) and _INTEGER.fullmatch(value)) or (isinstance(value, float) and value.is_integer()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError
    return value


def real(value: object) -> float:
    """Read a floating-point number, which JSON may also give as text (`"NaN"`, `"-Infinity"`, `"1.5"`)."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError
    try:
        read = float(value)
    except (ValueError, OverflowError):
        raise ValueError from None
    if isinstance(value, str) and not math.isfinite(read) and value not in {"NaN", "Infinity", "-Infinity"}:
        raise ValueError
    return read


def boolean(value: object) -> bool:
    """Read a boolean; the service takes the texts `"true"` and `"false"` too."""
    if isinstance(value, bool):
        return value
    if value in {"true", "false"}:
        return value == "true"
    raise ValueError


def text(value: object) -> str:
    """Read a string that UTF-8 can carry."""
    if not isinstance(value, str):
        raise ValueError
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("The string has a lone surrogate, which UTF-8 cannot carry") from None
    return value


def octets(value: object) -> bytes:
    """Read base64: both alphabets, with the right padding or none; white space is skipped, as the service does."""
    if not isinstance(value, str):
        raise ValueError
    plain = value.translate(_URL_SAFE)
    if "=" not in plain:
        plain += "=" * (-len(plain) % 4)
    try:
        return binascii.a2b_base64(plain, strict_mode=True)
    except ValueError:  # binascii.Error is one, and so is what a character outside ASCII raises
        raise ValueError(f'Base64 decoding failed for "{_short(value)}"') from None


def enum_number(value: object, enum: EnumDescriptor) -> int:
    """Read an enum value: its name, or any number that fits (proto3 enums are open)."""
    if isinstance(value, str) and value in enum.values_by_name:
        return int(enum.values_by_name[value].number)
    return integer(value, -(2**31), 2**31 - 1)


def timestamp(value: object) -> tuple[int, int]:
    """Read an RFC 3339 instant with any offset: seconds and nanoseconds since the epoch."""
    found = _TIMESTAMP.fullmatch(value) if isinstance(value, str) else None
    seconds = None if found is None else _seconds(found)
    if found is None or seconds is None or not _TIMESTAMP_S_MIN <= seconds <= _TIMESTAMP_S_MAX:
        raise ValueError(f'Invalid time format: Failed to parse input "{_short(value)}"')
    return seconds, _nanos(found.group(7))


def duration(value: object) -> tuple[int, int]:
    """Read `"600.5s"`: seconds and nanoseconds of the same sign."""
    if not isinstance(value, str) or not value.endswith("s"):
        raise ValueError("Illegal duration format; duration must end with 's'")
    found = _DURATION.fullmatch(value)
    if found is None:
        raise ValueError("Invalid duration format, failed to parse seconds")
    seconds, nanos = int(found[2]), _nanos(found[3])
    if seconds > _DURATION_S_MAX:
        raise ValueError("Duration value exceeds limits")
    return (-seconds, -nanos) if found[1] else (seconds, nanos)


def mask_paths(value: object) -> list[str]:
    """Read a field mask: paths in camelCase or snake_case, separated by commas; the stored form is snake_case."""
    if not isinstance(value, str):
        raise ValueError
    return [re.sub("[A-Z]", lambda found: "_" + found[0].lower(), text(path)) for path in value.split(",")] if value else []


def timestamp_text(seconds: int, nanos: int) -> str:
    """Write an instant: always `Z`, with 0, 3, 6 or 9 decimals."""
    days, second = divmod(seconds, _SECONDS_PER_DAY)
    minute, second = divmod(second, 60)
    hour, minute = divmod(minute, 60)
    return f"{date.fromordinal(days + _EPOCH).isoformat()}T{hour:02}:{minute:02}:{second:02}{_fraction(nanos)}Z"


def duration_text(seconds: int, nanos: int) -> str:
    """Write a duration: `600s`, `1.500s`, `-0.000001s`."""
    return f"{'-' if seconds < 0 or nanos < 0 else ''}{abs(seconds)}{_fraction(abs(nanos))}s"


def mask_text(paths: list[str]) -> str:
    """Write a field mask: camelCase paths, separated by commas."""
    return ",".join(re.sub("_([a-z])", lambda found: found[1].upper(), path) for path in paths)


def real_json(value: float) -> float | str:
    """Write a floating-point number; JSON has no literals for what is not finite."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _seconds(found: re.Match[str]) -> int | None:
    year, month, day, hour, minute, second = map(int, found.group(1, 2, 3, 4, 5, 6))
    offset_hour, offset_minute = int(found.group(9) or 0), int(found.group(10) or 0)
    if hour > 23 or minute > 59 or second > 59 or offset_hour > 23 or offset_minute > 59:
        return None
    try:
        days = date(year, month, day).toordinal() - _EPOCH
    except ValueError:
        return None
    offset = (offset_hour * 60 + offset_minute) * 60
    return days * _SECONDS_PER_DAY + hour * 3600 + minute * 60 + second + (offset if found.group(8) == "-" else -offset)


def _short(value: object) -> str:
    written = str(value)
    return written if len(written) <= 100 else written[:100] + "..."


def _nanos(digits: str | None) -> int:
    return int((digits or "").ljust(9, "0"))


def _fraction(nanos: int) -> str:
    if nanos == 0:
        return ""
    digits = f"{nanos:09}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return "." + digits


def _int32(value: object) -> int:
    return integer(value, -(2**31), 2**31 - 1)


def _int64(value: object) -> int:
    return integer(value, -(2**63), 2**63 - 1)


def _uint32(value: object) -> int:
    return integer(value, 0, 2**32 - 1)


def _uint64(value: object) -> int:
    return integer(value, 0, 2**64 - 1)


SCALARS: Final[Mapping[int, tuple[str, Callable[[object], Any]]]] = {
    FieldDescriptor.TYPE_DOUBLE: ("TYPE_DOUBLE", real),
    FieldDescriptor.TYPE_FLOAT: ("TYPE_FLOAT", real),
    FieldDescriptor.TYPE_INT64: ("TYPE_INT64", _int64),
    FieldDescriptor.TYPE_SINT64: ("TYPE_SINT64", _int64),
    FieldDescriptor.TYPE_SFIXED64: ("TYPE_SFIXED64", _int64),
    FieldDescriptor.TYPE_UINT64: ("TYPE_UINT64", _uint64),
    FieldDescriptor.TYPE_FIXED64: ("TYPE_FIXED64", _uint64),
    FieldDescriptor.TYPE_INT32: ("TYPE_INT32", _int32),
    FieldDescriptor.TYPE_SINT32: ("TYPE_SINT32", _int32),
    FieldDescriptor.TYPE_SFIXED32: ("TYPE_SFIXED32", _int32),
    FieldDescriptor.TYPE_UINT32: ("TYPE_UINT32", _uint32),
    FieldDescriptor.TYPE_FIXED32: ("TYPE_FIXED32", _uint32),
    FieldDescriptor.TYPE_BOOL: ("TYPE_BOOL", boolean),
    FieldDescriptor.TYPE_STRING: ("TYPE_STRING", text),
    FieldDescriptor.TYPE_BYTES: ("TYPE_BYTES", octets),
}
"""How each scalar type is read, and its name in the service's texts."""

LONG_INTEGERS: Final = frozenset(
    {
        FieldDescriptor.TYPE_INT64,
        FieldDescriptor.TYPE_SINT64,
        FieldDescriptor.TYPE_SFIXED64,
        FieldDescriptor.TYPE_UINT64,
        FieldDescriptor.TYPE_FIXED64,
    }
)
"""Written as decimal text, because JavaScript's numbers would lose digits."""
