"""Protocol buffer schemas: one message, compiled by protoc itself, inside this process (grpcio-tools), into a pool of its own.

protoc is asked for its errors as objects first, since its command line writes them to the process's standard error. Data is read by protobuf, and
its JSON form by the reader of the API's own JSON, which names the field.

Source: cloud.google.com/pubsub/docs/schemas; protobuf.dev/programming-guides/json.

PYTEST_DONT_REWRITE
"""

import pathlib
import re
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from publican_emulator.broker.errors import InvalidArgument
from publican_emulator.broker.schema import Compiled, Mismatch
from publican_emulator.broker.schema_settings import Definition, Encoding
from publican_emulator.schemas import protobuf_changes
from publican_protocol import json_form

_FILE: Final = "schema.proto"
_SAYS_SYNTAX: Final = re.compile(r"(?:\s|//[^\n]*+\n|/\*(?s:.)*?\*/)*+(?:syntax|edition)\s*+=")
_OLD_SYNTAX: Final = 'syntax = "proto2"; '
"""What protoc takes a file for that does not say; said on its behalf, since it warns on the process's standard error."""


class ProtobufSchema:
    """A message type that data is checked against, in protobuf's binary or JSON form."""

    def __init__(self, definition: Definition) -> None:
        """Read a definition.

        Raises:
            InvalidArgument: where it breaks which rule.
        """
        if definition.compiled is None:
            files = [compile_text(definition.text)]
            root = _only_message(files[0])
        else:
            files = list(_file_set(definition.compiled).file)
            root = definition.root_message
        self._class = _message_class(files, root)

    def check(self, encoding: Encoding, data: bytes) -> None:
        """Refuse data that does not fit.

        Raises:
            Mismatch: where and why.
        """
        self._read(encoding, data)

    def values(self, encoding: Encoding, data: bytes) -> Mapping[str, object]:
        """Give what data says, by field; what has no presence and is not there has its default.

        Raises:
            Mismatch: it does not fit.
        """
        return _values(self._read(encoding, data))

    def _read(self, encoding: Encoding, data: bytes) -> Any:
        message: Any = self._class()  # what it knows beyond the stubs: what is missing in it
        try:
            if encoding is Encoding.BINARY:
                self._read_binary(message, data)
            else:
                self._read_json(message, data)
        except RecursionError:
            raise Mismatch("", "the data is nested too deeply") from None
        if missing := message.FindInitializationErrors():
            raise Mismatch(missing[0], "it is required, and missing")
        return message

    def incompatible_with(self, older: Compiled) -> str:
        """Say what this definition changes of an older one that it may not; "": nothing."""
        assert isinstance(older, ProtobufSchema)
        new: Any = self._class.DESCRIPTOR  # upb's, which its stubs do not call a Descriptor
        old: Any = older._class.DESCRIPTOR
        return protobuf_changes.problem(new, old)

    def _read_json(self, message: Message, data: bytes) -> None:
        if not data.strip():
            raise Mismatch("", "the data is empty; the JSON of an empty message is {}")
        try:
            json_form.parse(data, message)
        except json_form.JsonFormError as error:
            where, what = error.violations[0]
            raise Mismatch(where, what) from None

    def _read_binary(self, message: Message, data: bytes) -> None:
        try:
            message.MergeFromString(data)
        except DecodeError:
            raise Mismatch("", f"the data is no {message.DESCRIPTOR.full_name} in protocol buffer wire format") from None
        # Divergence: a protocol buffer message may hold no field that its schema does not know.
        for where, number in _unknown(message, ""):
            raise Mismatch(f"{where}{number}", f"the schema has no field of number {number} there")


def compile_text(text: str) -> descriptor_pb2.FileDescriptorProto:
    """Compile a .proto text.

    Raises:
        InvalidArgument: what protoc says, with line and column.
    """
    from grpc_tools import _protoc_compiler as protoc  # the module protoc.py would add finders to sys.meta_path

    head = "" if _SAYS_SYNTAX.match(text) else _OLD_SYNTAX
    with tempfile.TemporaryDirectory(prefix="publican-") as name:
        folder = pathlib.Path(name)
        (folder / _FILE).write_text(head + text, encoding="utf-8", newline="")
        try:
            protoc.get_protos(_FILE.encode(), [name.encode()])
        except protoc.ProtocErrors as errors:
            raise _refusal(errors.errors(), len(head)) from None
        arguments = [b"protoc", f"-I{name}".encode(), f"--descriptor_set_out={folder / 'set'}".encode(), _FILE.encode()]
        if protoc.run_main(arguments) != 0:
            raise invalid("the compiler refused it.")
        return descriptor_pb2.FileDescriptorSet.FromString((folder / "set").read_bytes()).file[0]


def invalid(why: str) -> InvalidArgument:
    """Give the refusal of a definition."""
    return InvalidArgument(f"Invalid schema definition: {why}")


def _refusal(errors: list[Any], head: int) -> InvalidArgument:
    said = []
    for error in errors[:5]:
        column = error.column - (head if error.line == 0 else 0)
        message = error.message.decode(errors="replace") if isinstance(error.message, bytes) else str(error.message)
        said.append(f"line {error.line + 1} column {column + 1}: {message}" if error.line >= 0 else message)
    return invalid(" ".join(said))


def _only_message(file: descriptor_pb2.FileDescriptorProto) -> str:
    if file.dependency:
        raise invalid(f"it imports {file.dependency[0]}; a schema stands for itself.")
    if len(file.message_type) != 1:
        raise invalid(f"it must define exactly one top-level message, not {len(file.message_type)}.")
    return f"{file.package}.{file.message_type[0].name}" if file.package else file.message_type[0].name


def _file_set(compiled: bytes) -> descriptor_pb2.FileDescriptorSet:
    try:
        return descriptor_pb2.FileDescriptorSet.FromString(compiled)
    except DecodeError:
        raise invalid("compiled_proto_schema.compiled_bytes is no serialized FileDescriptorSet.") from None


def _message_class(files: list[descriptor_pb2.FileDescriptorProto], root: str) -> type[Message]:
    pool = descriptor_pool.DescriptorPool()
    try:
        for file in files:
            pool.Add(file)
        found = pool.FindMessageTypeByName(root.removeprefix("."))
    except KeyError:
        raise invalid(f"root_message: there is no message {root!r} in the definition.") from None
    except TypeError as error:
        raise invalid(f"{error}.") from None
    return message_factory.GetMessageClass(found)


def _values(message: Any) -> dict[str, object]:
    """Give a message as plain values, by field."""
    fields = [field for field in message.DESCRIPTOR.fields if not field.has_presence or message.HasField(field.name)]
    return {field.name: _value(field, getattr(message, field.name)) for field in fields}


def _value(field: Any, value: Any) -> object:
    if not field.is_repeated:
        return _one(field, value)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return {str(key): _one(field.message_type.fields_by_name["value"], each) for key, each in value.items()}
    return [_one(field, each) for each in value]


def _one(field: Any, value: Any) -> object:
    if field.message_type is not None:
        return _values(value)
    if field.enum_type is not None:
        named = field.enum_type.values_by_number.get(value)
        return value if named is None else named.name
    return value


def _unknown(message: Any, where: str) -> Iterator[tuple[str, int]]:
    """Give the places and numbers of the fields that the schema does not have."""
    unknown_fields: Any = UnknownFieldSet(message)
    for unknown in unknown_fields:
        yield where, unknown.field_number
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        at = f"{where}{field.name}."
        if field.is_repeated:
            is_map = field.message_type.GetOptions().map_entry
            if is_map and field.message_type.fields_by_name["value"].message_type is None:
                continue
            for each in value.values() if is_map else value:
                yield from _unknown(each, at)
        else:
            yield from _unknown(value, at)
