"""Type stubs for the message classes of the private pool: one `.pyi` text per module of publican_protocol."""

from collections.abc import Iterator

from google.protobuf import descriptor_pb2

Field = descriptor_pb2.FieldDescriptorProto

MODULES = {
    "pubsub.pyi": ("google.pubsub.v1",),
    "iam.pyi": ("google.iam.v1", "google.type"),
    "rpc_status.pyi": ("google.rpc",),
    "known.pyi": ("google.protobuf",),
    "reflection.pyi": ("grpc.reflection.v1",),
}
KNOWN = {"Timestamp", "Duration", "FieldMask", "Empty", "Struct", "Value", "ListValue", "NullValue", "Any"}
MODULE_OF = {package: name.removesuffix(".pyi") for name, packages in MODULES.items() for package in packages}
SCALARS = {
    Field.TYPE_DOUBLE: "float",
    Field.TYPE_FLOAT: "float",
    Field.TYPE_INT64: "int",
    Field.TYPE_UINT64: "int",
    Field.TYPE_INT32: "int",
    Field.TYPE_UINT32: "int",
    Field.TYPE_BOOL: "bool",
    Field.TYPE_STRING: "str",
    Field.TYPE_BYTES: "bytes",
}
ALSO_TAKES = {"Timestamp": "datetime.datetime", "Duration": "datetime.timedelta"}
EXTRAS = {
    "Timestamp": ["def ToNanoseconds(self) -> int: ...", "def FromNanoseconds(self, nanos: int) -> None: ...", "def ToJsonString(self) -> str: ..."],
    "Duration": ["def ToNanoseconds(self) -> int: ...", "def FromNanoseconds(self, nanos: int) -> None: ...", "def ToJsonString(self) -> str: ..."],
    "FieldMask": ["def ToJsonString(self) -> str: ...", "def FromJsonString(self, value: str) -> None: ..."],
    "Any": ["def Pack(self, msg: Message) -> None: ...", "def Unpack(self, msg: Message) -> bool: ..."],
}


def stubs(files: descriptor_pb2.FileDescriptorSet) -> dict[str, str]:
    """Give the stub texts by file name."""
    return {name: _module(name, packages, files) for name, packages in MODULES.items()}


def _module(name: str, packages: tuple[str, ...], files: descriptor_pb2.FileDescriptorSet) -> str:
    writer = _Writer(name.removesuffix(".pyi"))
    body: list[str] = []
    for file in files.file:
        if file.package in packages:
            for enum in file.enum_type:
                if name != "known.pyi" or enum.name in KNOWN:
                    body += [*writer.enum(enum, ""), ""]
            for message in file.message_type:
                if name != "known.pyi" or message.name in KNOWN:
                    body += [*writer.message(message, file.package, ""), ""]
    head = ["# Made by scripts/rebuild_protocol.py; do not edit.", ""]
    imports = [
        "import datetime",
        "from collections.abc import Iterable, Mapping, MutableMapping",
        "from typing import Any as _Any",
        "",
        "from google.protobuf.message import Message",
    ]
    others = sorted(writer.others)
    if others:
        imports += ["", f"from publican_protocol import {', '.join(others)}"]
    return "\n".join([*head, *imports, "", *body]).rstrip() + "\n"


class _Writer:
    """Writes the stubs of one module and notes which other modules it refers to."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.others: set[str] = set()

    def enum(self, enum: descriptor_pb2.EnumDescriptorProto, indent: str) -> list[str]:
        values = [f"{indent}{value.name}: int" for value in enum.value]
        return [
            f"{indent}class {enum.name}:",
            f"{indent}    @staticmethod",
            f"{indent}    def Name(number: int) -> str: ...",
            f"{indent}    @staticmethod",
            f"{indent}    def Value(name: str) -> int: ...",
            *(f"    {value}" for value in values),
            "",
            *values,
        ]

    def message(self, message: descriptor_pb2.DescriptorProto, scope: str, indent: str) -> list[str]:
        inner = f"{indent}    "
        full = f"{scope}.{message.name}"
        lines = [f"{indent}class {message.name}(Message):"]
        entries = {nested.name: nested for nested in message.nested_type if nested.options.map_entry}
        for enum in message.enum_type:
            lines += self.enum(enum, inner)
        for nested in message.nested_type:
            if not nested.options.map_entry:
                lines += self.message(nested, full, inner)
        arguments = []
        for field in message.field:
            lines += self._attribute(field, entries, inner)
            arguments.append(f"{field.name}: {self._argument(field, entries)} | None = ...")
        if arguments:
            lines.append(f"{inner}def __init__(self, *, {', '.join(arguments)}) -> None: ...")
        else:
            lines.append(f"{inner}def __init__(self) -> None: ...")
        lines += [f"{inner}{extra}" for extra in EXTRAS.get(message.name, [])]
        return lines

    def _attribute(self, field: Field, entries: dict[str, descriptor_pb2.DescriptorProto], indent: str) -> Iterator[str]:
        entry = entries.get(field.type_name.rpartition(".")[2])
        if entry is not None:
            key, value = (self._type(part) for part in entry.field)
            yield f"{indent}@property"
            yield f"{indent}def {field.name}(self) -> MutableMapping[{key}, {value}]: ..."
        elif field.label == Field.LABEL_REPEATED:
            yield f"{indent}@property"
            yield f"{indent}def {field.name}(self) -> list[{self._type(field)}]: ..."
        elif field.type == Field.TYPE_MESSAGE:
            yield f"{indent}@property"
            yield f"{indent}def {field.name}(self) -> {self._type(field)}: ..."
            also = ALSO_TAKES.get(field.type_name.rpartition(".")[2])
            if also and field.type_name.startswith(".google.protobuf."):
                yield f"{indent}@{field.name}.setter"
                yield f"{indent}def {field.name}(self, value: {also}) -> None: ..."
        else:
            yield f"{indent}{field.name}: {self._type(field)}"

    def _argument(self, field: Field, entries: dict[str, descriptor_pb2.DescriptorProto]) -> str:
        entry = entries.get(field.type_name.rpartition(".")[2])
        if entry is not None:
            key, value = (self._type(part) for part in entry.field)
            return f"Mapping[{key}, {value}]"
        if field.label == Field.LABEL_REPEATED:
            return f"Iterable[{self._type(field)}]"
        said = self._type(field)
        also = ALSO_TAKES.get(field.type_name.rpartition(".")[2]) if field.type_name.startswith(".google.protobuf.") else None
        return f"{said} | {also}" if also else said

    def _type(self, field: Field) -> str:
        if field.type == Field.TYPE_ENUM:
            return "int"
        if field.type != Field.TYPE_MESSAGE:
            return SCALARS[field.type]
        full = field.type_name.lstrip(".")
        for package in sorted(MODULE_OF, key=len, reverse=True):
            if full.startswith(f"{package}."):
                module, name = MODULE_OF[package], full.removeprefix(f"{package}.")
                if module == self.module:
                    return name
                self.others.add(module)
                return f"{module}.{name}"
        return "Message"
