"""Avro's binary encoding: does a datum fit a definition, to the last byte, and if not, at which field?

Walked by us: fastavro names no field, lets bytes that follow and numbers that overflow pass, and hostile data (a record in a record, a million
times, a trillion nulls in eight bytes) ends its process or never ends (both seen).

Source: avro.apache.org/docs/1.12.0/specification, "Binary Encoding".

PYTEST_DONT_REWRITE
"""

from collections.abc import Callable, Mapping
from typing import Final

from publican_emulator.broker.schema import Mismatch
from publican_emulator.schemas.avro_definitions import AvroType, Types, kind

DEPTH_MAX: Final = 200
_EMPTY_ITEMS_MAX: Final = 100_000
"""How many items of no bytes at all (nulls) may stand in one datum."""


def check(types: Types, data: bytes) -> None:
    """Refuse data that is not the binary form of the definition's record, nothing less and nothing more.

    Raises:
        Mismatch: where and why.
    """
    walk = _Walk(types, data)
    walk.value(types.root, "", 0)
    if walk.at < len(data):
        raise Mismatch("", f"{len(data) - walk.at} bytes follow the end of the record")


class _Walk:
    """One way through one datum."""

    def __init__(self, types: Types, data: bytes) -> None:
        self._types = types
        self._data = data
        self._empty_items = 0
        self.at = 0

    def value(self, each: AvroType, where: str, depth: int) -> None:
        if depth > DEPTH_MAX:
            raise Mismatch(where, f"it is nested more than {DEPTH_MAX} levels deep")
        resolved = self._types.resolve(each)
        _READERS[kind(resolved)](self, resolved, where, depth)

    def a_record(self, each: AvroType, where: str, depth: int) -> None:
        for field in each["fields"]:
            self.value(field["type"], f"{where}.{field['name']}" if where else field["name"], depth + 1)

    def a_union(self, each: AvroType, where: str, depth: int) -> None:
        place = self._number(where, 64)
        if not 0 <= place < len(each):
            raise Mismatch(where, f"branch {place} of a union that has {len(each)}")
        self.value(each[place], where, depth + 1)

    def an_enum(self, each: AvroType, where: str, depth: int) -> None:
        place = self._number(where, 32)
        if not 0 <= place < len(each["symbols"]):
            raise Mismatch(where, f"symbol {place} of enum {each['name']}, which has {len(each['symbols'])}")

    def an_array(self, each: AvroType, where: str, depth: int) -> None:
        self._blocks(where, lambda place: self.value(each["items"], f"{where}[{place}]", depth + 1))

    def a_map(self, each: AvroType, where: str, depth: int) -> None:
        def entry(place: int) -> None:
            self.a_string(each, f"{where}[{place}].key", depth)
            self.value(each["values"], f"{where}[{place}].value", depth + 1)

        self._blocks(where, entry)

    def _blocks(self, where: str, item: Callable[[int], None]) -> None:
        place = 0
        while (count := self._number(where, 64)) != 0:
            end = None
            if count < 0:
                count = -count
                size = self._number(where, 64)
                end = self.at + size
                if size < 0 or end > len(self._data):
                    raise Mismatch(where, f"a block of {size} bytes, but {len(self._data) - self.at} are left")
            for _ in range(count):
                before = self.at
                item(place)
                place += 1
                if self.at == before:
                    self._count_empty(where)
            if end is not None and self.at != end:
                raise Mismatch(where, "a block's size is not that of its items")

    def _count_empty(self, where: str) -> None:
        self._empty_items += 1
        if self._empty_items > _EMPTY_ITEMS_MAX:
            raise Mismatch(where, f"more than {_EMPTY_ITEMS_MAX} items of no bytes")

    def a_null(self, each: AvroType, where: str, depth: int) -> None:
        pass

    def a_boolean(self, each: AvroType, where: str, depth: int) -> None:
        if (found := self._take(1, where)[0]) > 1:
            raise Mismatch(where, f"a boolean is the byte 0 or 1, not {found}")

    def an_int(self, each: AvroType, where: str, depth: int) -> None:
        self._number(where, 32)

    def a_long(self, each: AvroType, where: str, depth: int) -> None:
        self._number(where, 64)

    def a_float(self, each: AvroType, where: str, depth: int) -> None:
        self._take(4, where)

    def a_double(self, each: AvroType, where: str, depth: int) -> None:
        self._take(8, where)

    def a_bytes(self, each: AvroType, where: str, depth: int) -> None:
        self._sized(where)

    def a_string(self, each: AvroType, where: str, depth: int) -> None:
        try:
            self._sized(where).decode()
        except UnicodeDecodeError:
            raise Mismatch(where, "the text is not UTF-8") from None

    def a_fixed(self, each: AvroType, where: str, depth: int) -> None:
        self._take(each["size"], where)

    def _sized(self, where: str) -> bytes:
        size = self._number(where, 64)
        if size < 0:
            raise Mismatch(where, f"a length of {size}")
        return self._take(size, where)

    def _take(self, size: int, where: str) -> bytes:
        taken = self._data[self.at : self.at + size]
        if len(taken) < size:
            raise Mismatch(where, f"{size} bytes are wanted, but {len(taken)} are left")
        self.at += size
        return taken

    def _number(self, where: str, bits: int) -> int:
        """Read a zigzag varint."""
        value = shift = 0
        while True:
            byte = self._take(1, where)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
            if shift > 63:
                raise Mismatch(where, "a number of more than 10 bytes")
        number = (value >> 1) ^ -(value & 1)
        if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
            raise Mismatch(where, f"{number} is outside {-(2 ** (bits - 1))}..{2 ** (bits - 1) - 1}")
        return number


_READERS: Final[Mapping[str, Callable[[_Walk, AvroType, str, int], None]]] = {
    "record": _Walk.a_record,
    "union": _Walk.a_union,
    "enum": _Walk.an_enum,
    "array": _Walk.an_array,
    "map": _Walk.a_map,
    "null": _Walk.a_null,
    "boolean": _Walk.a_boolean,
    "int": _Walk.an_int,
    "long": _Walk.a_long,
    "float": _Walk.a_float,
    "double": _Walk.a_double,
    "bytes": _Walk.a_bytes,
    "string": _Walk.a_string,
    "fixed": _Walk.a_fixed,
}
