"""What an admin request says: the names in its path and the fields of its body or query, read with their types.

PYTEST_DONT_REWRITE
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from publican_emulator.admin import views
from publican_emulator.broker.errors import InvalidArgument
from publican_emulator.broker.instants import Nanos


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. Readers raise InvalidArgument, which names the field and the value."""

    names: Mapping[str, str]
    fields: Mapping[str, Any]

    def text(self, field: str, default: str | None = None) -> str:
        """Give a text."""
        value = self._value(field, default)
        if not isinstance(value, str):
            raise InvalidArgument(f"Invalid {field}: {value!r} is not a text.")
        return value

    def number(self, field: str, default: float | None = None) -> float:
        """Give a number; in a query it is written as text."""
        value = self._value(field, default)
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not math.isfinite(number) or abs(number) > 1e10:
            raise InvalidArgument(f"Invalid {field}: {value!r} is not a number within ten thousand million.")
        return number

    def whole(self, field: str, default: int | None = None) -> int:
        """Give a whole number of 0 or more."""
        number = self.number(field, default)
        if number < 0 or number != int(number):
            raise InvalidArgument(f"Invalid {field}: {number!r} is not a whole number of 0 or more.")
        return int(number)

    def instant(self, field: str) -> Nanos | None:
        """Give an instant in RFC 3339; None: there is none."""
        value = self.fields.get(field)
        if value is None:
            return None
        try:
            return views.nanos_of(value)
        except (ValueError, AttributeError, TypeError, OverflowError) as error:
            raise InvalidArgument(f"Invalid {field}: {value!r} is not an instant in RFC 3339 ({error}).") from None

    def message_id(self) -> int:
        """Give the `messageId`."""
        value = self.text("messageId")
        if not value.isdecimal() or len(value) > 20:
            raise InvalidArgument(f"Invalid messageId: {value[:40]!r} is not one of ours: a decimal number.")
        return int(value)

    def _value(self, field: str, default: object) -> Any:
        value = self.fields.get(field, default)
        if value is None:
            raise InvalidArgument(f"Missing {field}.")
        return value
