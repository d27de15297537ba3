"""Proto3 JSON both ways, as strict as Google's front ends: what is not understood is refused, never skipped.

`parse` reads a body into a message and collects everything wrong with it into one JsonFormError; `bind` does the same for a query
parameter or a path field; `dump` writes a message. The trick: `json.loads` gives objects as tuples of pairs (arrays stay lists), so a
name that occurs twice is seen, also when it is once camelCase and once snake_case. google.protobuf.Any is only written: no request has
one.

Why not google.protobuf.json_format: it takes base64 junk as empty bytes, lets the last of two spellings win, and words its errors its own
way.

Source: protobuf.dev/programming-guides/json; the texts are those of Google's JSON transcoder.

PYTEST_DONT_REWRITE
"""

import base64
import functools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from publican_protocol import json_known as known
from publican_protocol import json_values as values

_EXCERPT: Final = 40
_VIOLATIONS_MAX: Final = 50


class JsonFormError(ValueError):
    """A body or parameter that is not what the method takes; `violations` are pairs of where and what."""

    def __init__(self, *violations: tuple[str, str]) -> None:
        super().__init__("\n".join(what for _, what in violations))
        self.violations = violations


def parse(body: bytes, message: Message) -> None:
    """Read a JSON object into `message`; an empty body is the empty object.

    Raises:
        JsonFormError: with every violation that was found.
    """
    if body.strip():
        reader = _Reader()
        reader.message(load(body), message, "")
        reader.finish()


def bind(message: Message, path: str, texts: Sequence[str]) -> None:
    """Set the field at the dotted `path` from a query parameter: one text, or several for a repeated field."""
    *parents, last = path.split(".")
    for name in parents:
        field = _fields(message.DESCRIPTOR).get(name)
        if field is None or field.is_repeated or field.message_type is None:
            raise unbound(path, f"Field '{name}' could not be found in request message.")
        message = getattr(message, field.name)
    field = _fields(message.DESCRIPTOR).get(last)
    if field is None:
        raise unbound(path, f"Field '{last}' could not be found in request message.")
    if field.message_type is not None and field.message_type.full_name not in known.TEXT_TYPES:
        raise unbound(path, f"'{last}' is a message type. Parameters can only be bound to primitive types.")
    if len(texts) > 1 and not field.is_repeated:
        raise unbound(path, f"'{last}' is not repeated, but occurs {len(texts)} times.")
    reader = _Reader()
    reader.field(list(texts) if field.is_repeated else texts[0], message, field, path)
    reader.finish()


def unbound(path: str, why: str) -> JsonFormError:
    """Give the error for a query parameter that no field takes."""
    return JsonFormError((path, f'Invalid JSON payload received. Unknown name "{path}": Cannot bind query parameter. {why}'))


def load(body: bytes) -> object:
    """Read JSON with objects as tuples of pairs; refuse what is not JSON (NaN, a stray comma, more than one value)."""
    try:
        return json.loads(body.decode(), object_pairs_hook=tuple, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise JsonFormError(("", f"Invalid JSON payload received. It is not UTF-8 at byte {error.start}.")) from None
    except json.JSONDecodeError as error:
        raise JsonFormError(("", f"Invalid JSON payload received. {error.msg}.\n{_excerpt(error.doc, error.pos)}")) from None
    except RecursionError:
        raise JsonFormError(("", "Invalid JSON payload received. Message too deep.")) from None
    except _NoConstantError as error:
        raise JsonFormError(("", f"Invalid JSON payload received. Unexpected token {error}.")) from None
    except ValueError:  # a number of thousands of digits, which Python does not convert
        raise JsonFormError(("", "Invalid JSON payload received. A number has too many digits.")) from None


def dump(message: Message, *, pretty: bool = True, enum_as_int: bool = False) -> bytes:
    """Write `message` as JSON; `pretty` is the service's default form, indented by two spaces and ended by a newline."""
    return write(tree(message, enum_as_int=enum_as_int), pretty=pretty)


def write(value: object, *, pretty: bool) -> bytes:
    """Write what `tree` gave."""
    if pretty:
        return json.dumps(value, indent=2, ensure_ascii=False).encode() + b"\n"
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def tree(message: Message, *, enum_as_int: bool = False) -> object:
    """Give `message` as the objects that `json.dumps` writes."""
    special = known.WRITERS.get(message.DESCRIPTOR.full_name)
    if special is not None:
        return special(message)
    written: dict[str, object] = {}
    for field, value in message.ListFields():
        write_one = functools.partial(_written, field, enum_as_int=enum_as_int)
        if _is_map(field):
            written[field.json_name] = _written_map(field, value, enum_as_int=enum_as_int)
        elif field.is_repeated:
            written[field.json_name] = [write_one(item) for item in value]
        else:
            written[field.json_name] = write_one(value)
    return written


class _Reader:
    """Fills messages from JSON and collects what is wrong."""

    def __init__(self) -> None:
        self._violations: list[tuple[str, str]] = []

    def finish(self) -> None:
        if self._violations:
            raise JsonFormError(*self._violations)

    def message(self, value: object, message: Message, where: str) -> None:
        descriptor = message.DESCRIPTOR
        special = known.READERS.get(descriptor.full_name)
        if special is not None:
            self._special(special, value, message, where)
        elif not isinstance(value, tuple):
            self._not_an_object(value, descriptor.full_name, where)
        else:
            self._members(value, message, where)

    def _members(self, members: tuple[tuple[str, object], ...], message: Message, where: str) -> None:
        fields = _fields(message.DESCRIPTOR)
        seen: set[str] = set()
        for name, value in members:
            field = fields.get(name)
            if field is None:
                self._unknown(name, where, "Cannot find field.")
            elif value is None:
                continue
            elif field.name in seen:
                self._unknown(name, where, f"The field {field.name} is already set.")
            else:
                seen.add(field.name)
                self._member(value, message, field, f"{where}.{field.name}" if where else field.name)

    def _member(self, value: object, message: Message, field: FieldDescriptor, where: str) -> None:
        oneof = field.containing_oneof
        if oneof is not None and (other := message.WhichOneof(oneof.name)) is not None and other != field.name:
            self._violate(where, f"Invalid value at '{where}' (oneof), oneof field '{oneof.name}' is already set. Cannot set '{field.json_name}'")
        else:
            self.field(value, message, field, where)

    def field(self, value: object, message: Message, field: FieldDescriptor, where: str) -> None:
        if _is_map(field):
            self._map(value, message, field, where)
        elif field.is_repeated:
            self._list(value, message, field, where)
        elif field.message_type is not None:
            child = getattr(message, field.name)
            child.SetInParent()
            self.message(value, child, where)
        else:
            self._scalar(value, field, where, functools.partial(setattr, message, field.name))

    def _list(self, value: object, message: Message, field: FieldDescriptor, where: str) -> None:
        if not isinstance(value, list):
            self._violate(where, f"Invalid value at '{where}' (List), {_quoted(value)}")
            return
        items = getattr(message, field.name)
        for index, item in enumerate(value):
            if field.message_type is not None:
                self.message(item, items.add(), f"{where}[{index}]")
            else:
                self._scalar(item, field, f"{where}[{index}]", items.append)

    def _map(self, value: object, message: Message, field: FieldDescriptor, where: str) -> None:
        if not isinstance(value, tuple):
            self._violate(where, f"Invalid value at '{where}' (Map), Cannot bind a list to map for field '{field.json_name}'.")
            return
        entry = _entry_fields(field)
        entries = getattr(message, field.name)
        for index, (name, item) in enumerate(value):
            at = f"{where}[{index}]"
            keys: list[Any] = []
            self._scalar(name, entry["key"], f"{at}.key", keys.append)
            if not keys:
                continue
            if keys[0] in entries:
                self._violate(at, f"Repeated map key: '{name}' is already set.")
            elif entry["value"].message_type is not None:
                self.message(item, entries[keys[0]], f"{at}.value")
            else:
                self._scalar(item, entry["value"], f"{at}.value", functools.partial(entries.__setitem__, keys[0]))

    def _scalar(self, value: object, field: FieldDescriptor, where: str, take: Callable[[Any], object]) -> None:
        enum = field.enum_type
        kind = f"type.googleapis.com/{enum.full_name}" if enum is not None else values.SCALARS[field.type][0]
        if isinstance(value, (tuple, list)):
            reason = "Starting an object on a scalar field" if isinstance(value, tuple) else "Starting a list on a scalar field"
            self._violate(where, f"Invalid value at '{where}' ({kind}), {reason}")
            return
        try:
            take(values.enum_number(value, enum) if enum is not None else values.SCALARS[field.type][1](value))
        except ValueError as error:
            self._violate(where, f"Invalid value at '{where}' ({kind}), {str(error) or _quoted(value)}")

    def _special(self, read: known.Reader, value: object, message: Message, where: str) -> None:
        kind = f"type.googleapis.com/{message.DESCRIPTOR.full_name}"
        try:
            read(value, message)
        except ValueError as error:
            self._violate(where, f"Invalid value at '{where}' ({kind}), {str(error) or _quoted(value)}")

    def _not_an_object(self, value: object, message_name: str, where: str) -> None:
        if not where:
            self._violate("", 'Invalid JSON payload received. Unknown name "": Root element must be a message.')
        elif isinstance(value, list):
            name = where.rpartition(".")[2]
            self._violate(where, f'Invalid JSON payload received. Unknown name "{name}": Proto field is not repeating, cannot start list.')
        else:
            self._violate(where, f"Invalid value at '{where}' (type.googleapis.com/{message_name}), {_quoted(value)}")

    def _unknown(self, name: str, where: str, why: str) -> None:
        at = f" at '{where}'" if where else ""
        self._violate(where, f'Invalid JSON payload received. Unknown name "{name}"{at}: {why}')

    def _violate(self, where: str, what: str) -> None:
        if len(self._violations) < _VIOLATIONS_MAX:
            self._violations.append((where, what.encode(errors="replace").decode()))  # a name may hold a lone surrogate


@functools.cache
def _fields(descriptor: Descriptor) -> Mapping[str, FieldDescriptor]:
    """Give the fields of a message by their JSON names and by their proto names."""
    return {name: field for field in descriptor.fields for name in (field.name, field.json_name)}


def _entry_fields(field: FieldDescriptor) -> Mapping[str, FieldDescriptor]:
    """Give the fields `key` and `value` of a map field's entries."""
    assert field.message_type is not None
    return field.message_type.fields_by_name


def _is_map(field: FieldDescriptor) -> bool:
    return field.is_repeated and field.message_type is not None and field.message_type.GetOptions().map_entry


class _NoConstantError(ValueError):
    """NaN or Infinity, which Python reads and JSON does not know."""


def _no_constant(name: str) -> object:
    raise _NoConstantError(name)


def _excerpt(document: str, position: int) -> str:
    start = max(0, position - _EXCERPT // 2)
    line = "".join(char if char.isprintable() else " " for char in document[start : start + _EXCERPT])
    return f"{line}\n{' ' * (position - start)}^"


def _quoted(value: object) -> str:
    written = json.dumps(_plain(value), ensure_ascii=False)
    return written if len(written) <= 100 else written[:100] + "..."


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return {name: _plain(item) for name, item in value}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _written(field: FieldDescriptor, value: Any, *, enum_as_int: bool) -> object:
    if field.message_type is not None:
        return tree(value, enum_as_int=enum_as_int)
    if field.enum_type is not None:
        known = field.enum_type.values_by_number.get(value)
        return int(value) if enum_as_int or known is None else known.name
    if field.type == FieldDescriptor.TYPE_BYTES:
        return base64.b64encode(value).decode()
    if field.type in values.LONG_INTEGERS:
        return str(value)
    return values.real_json(value) if isinstance(value, float) else value


def _written_map(field: FieldDescriptor, entries: Any, *, enum_as_int: bool) -> dict[str, object]:
    value_field = _entry_fields(field)["value"]
    return {
        str(key).lower() if isinstance(key, bool) else str(key): _written(value_field, entries[key], enum_as_int=enum_as_int)
        for key in sorted(entries)  # protobuf keeps no order; the same answer always reads the same
    }
