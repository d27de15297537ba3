"""Avro's schema resolution, as a question about two definitions: can who reads by one of them read everything that is written by the other?

Source: avro.apache.org/docs/1.12.0/specification, "Schema Resolution".

PYTEST_DONT_REWRITE
"""

from typing import Final

from publican_emulator.schemas.avro_definitions import AvroType, Types, kind

_PROMOTED: Final = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}
"""What a primitive type may be read as, beside itself."""


def problem(reader: Types, writer: Types) -> str:
    """Say why what is written by `writer` cannot always be read by `reader`; "": it can."""
    return _Resolution(reader, writer).problem(reader.root, writer.root, "")


class _Resolution:
    """One question, and the pairs of named types that it is being asked of already."""

    def __init__(self, reader: Types, writer: Types) -> None:
        self._reader = reader
        self._writer = writer
        self._asked: dict[tuple[str, str], str] = {}

    def problem(self, reader: AvroType, writer: AvroType, where: str) -> str:
        read, written = self._reader.resolve(reader), self._writer.resolve(writer)
        if kind(written) == "union":
            return next((found for branch in written if (found := self.problem(read, branch, where))), "")
        if kind(read) == "union":
            if any(not self.problem(branch, written, where) for branch in read):
                return ""
            return f"{_at(where)}{_name(written)} is no branch of the union"
        if kind(read) != kind(written):
            promoted = kind(read) in _PROMOTED.get(kind(written), ())
            return "" if promoted else f"{_at(where)}{_name(written)} cannot be read as {_name(read)}"
        match kind(read):
            case "array":
                return self.problem(read["items"], written["items"], f"{where}[]")
            case "map":
                return self.problem(read["values"], written["values"], f"{where}[]")
            case "record" | "enum" | "fixed":
                return self._named(read, written, where)
        return ""

    def _named(self, read: AvroType, written: AvroType, where: str) -> str:
        if not _is_same(read, written):
            return f"{_at(where)}{written['name']} cannot be read as {read['name']}"
        pair = (read["name"], written["name"])
        if pair not in self._asked:
            self._asked[pair] = ""  # a type that holds itself is asked of while it is being asked of
            self._asked[pair] = self._within(read, written, where)
        return self._asked[pair]

    def _within(self, read: AvroType, written: AvroType, where: str) -> str:
        match kind(read):
            case "enum":
                missing = [symbol for symbol in written["symbols"] if symbol not in read["symbols"]]
                return f"{_at(where)}enum {read['name']} has no symbol {missing[0]}" if missing and "default" not in read else ""
            case "fixed":
                return "" if read["size"] == written["size"] else f"{_at(where)}fixed {read['name']} has another size"
            case _:
                return self._record(read, written, where)

    def _record(self, read: AvroType, written: AvroType, where: str) -> str:
        by_name = {field["name"]: field for field in written["fields"]}
        for field in read["fields"]:
            inner = f"{where}.{field['name']}" if where else field["name"]
            names = [field["name"], *field.get("aliases", ())]
            found = next((by_name[name] for name in names if name in by_name), None)
            if found is None:
                if "default" not in field:
                    return f"field {inner} has no default, and is not in the other revision"
            elif why := self.problem(field["type"], found["type"], inner):
                return why
        return ""


def _is_same(read: AvroType, written: AvroType) -> bool:
    """Say whether two named types are one: by their names without namespaces, or an alias of the reader's."""
    names = {_short(read["name"]), *map(_short, read.get("aliases", ()))}
    return _short(written["name"]) in names


def _short(name: str) -> str:
    return name.rpartition(".")[2]


def _name(each: AvroType) -> str:
    return str(each["name"]) if isinstance(each, dict) and "name" in each else kind(each)


def _at(where: str) -> str:
    return f"field {where}: " if where else ""
