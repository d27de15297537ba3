"""Protocol buffer definitions, and data that fits them or does not."""

import subprocess
import sys

import pytest
from google.protobuf import descriptor_pb2

from publican_emulator.broker.errors import InvalidArgument
from publican_emulator.broker.schema import Mismatch
from publican_emulator.broker.schema_settings import Definition, Encoding, Language
from publican_emulator.schemas.protobuf import ProtobufSchema, compile_text

BINARY, JSON = Encoding.BINARY, Encoding.JSON
PROTO3 = """\
syntax = "proto3";
package shop;
enum Colour { RED = 0; BLUE = 1; }
message Order {
  message Line { string article = 1; uint32 count = 2; }
  string id = 1;
  repeated Line lines = 2;
  map<string, Line> by_name = 3;
  Colour colour = 4;
  Order parent = 5;
}
"""


def schema(text: str) -> ProtobufSchema:
    return ProtobufSchema(Definition(Language.PROTOCOL_BUFFER, text))


@pytest.mark.parametrize("data", [b"", b"\x0a\x01a", b"\x12\x03\x0a\x01x", b"\x20\x01"])
def test_binary_that_fits(data: bytes) -> None:
    schema(PROTO3).check(BINARY, data)


@pytest.mark.parametrize("data", [b"{}", b'{"id": "a", "lines": [{"article": "x", "count": 2}], "colour": "BLUE"}', b'{"by_name": {"k": {}}}'])
def test_json_that_fits(data: bytes) -> None:
    schema(PROTO3).check(JSON, data)


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"", ""),
        (b"[]", ""),
        (b'{"id": 5}', "id"),
        (b'{"lines": [{"count": -1}]}', "lines[0].count"),
        (b'{"colour": "GREEN"}', "colour"),
        (b'{"nope": 1}', ""),
        (b'{"parent":' * 5_000 + b"{}" + b"}" * 5_000, ""),
    ],
)
def test_json_that_does_not_fit_is_told_by_field(data: bytes, where: str) -> None:
    with pytest.raises(Mismatch) as caught:
        schema(PROTO3).check(JSON, data)
    assert caught.value.field_path == where


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b"\x0a\x05a", ""),  # truncated
        (b"\x0a\x01\xff", ""),  # not UTF-8
        (b"\x3a\x01a", "7"),  # a field that the schema has not
        (b"\x12\x02\x18\x01", "lines.3"),
        (b"\x1a\x07\x0a\x01k\x12\x02\x18\x01", "by_name.3"),
        (b"\x2a\x80\x01" * 200, ""),
    ],
)
def test_binary_that_does_not_fit(data: bytes, where: str) -> None:
    with pytest.raises(Mismatch) as caught:
        schema(PROTO3).check(BINARY, data)
    assert caught.value.field_path == where


def test_a_required_field_of_proto2_is_required() -> None:
    proto2 = schema("message A { required string id = 1; optional int32 n = 2; }")
    proto2.check(JSON, b'{"id": "x"}')
    for encoding, data in ((JSON, b'{"n": 1}'), (BINARY, b"\x10\x01")):
        with pytest.raises(Mismatch, match="field id: it is required, and missing"):
            proto2.check(encoding, data)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('syntax = "proto3";', "exactly one top-level message, not 0"),
        ('syntax = "proto3"; message A {} message B {}', "exactly one top-level message, not 2"),
        ('syntax = "proto3"; message A { string a = 1 }', 'line 1 column 45: Expected ";".'),
        ("message A { Nope a = 1; }", "line 1 column"),
        ('syntax = "proto3";\nimport "google/protobuf/timestamp.proto"; message A {}', "line 2 column 1: Import"),
        ('syntax = "proto3"; message A { string a = 1; string b = 1; }', "Field number 1 has already been used"),
        ('syntax = "proto9"; message A {}', "Unrecognized syntax identifier"),
        ("\ufeff\x00\x01", "line 1"),
        ("message A {" * 5_000, "recursion limit"),
    ],
)
def test_a_definition_that_breaks_a_rule_says_which(text: str, why: str) -> None:
    with pytest.raises(InvalidArgument, match="Invalid schema definition: ") as caught:
        schema(text)
    assert why in caught.value.message


def test_a_compiled_definition_says_which_message_is_meant() -> None:
    compiled = descriptor_pb2.FileDescriptorSet(file=[compile_text(PROTO3)]).SerializeToString()
    line = ProtobufSchema(Definition(Language.PROTOCOL_BUFFER, compiled=compiled, root_message="shop.Order.Line"))
    line.check(JSON, b'{"article": "x"}')
    with pytest.raises(Mismatch):
        line.check(JSON, b'{"id": "x"}')


@pytest.mark.parametrize(("compiled", "root"), [(b"\xff", "A"), (b"", "A"), (b"\x0a\x03\x0a\x01x", ""), (b"\x0a\x04\x1a\x02no", "A")])
def test_a_compiled_definition_that_is_none_is_refused(compiled: bytes, root: str) -> None:
    with pytest.raises(InvalidArgument, match="Invalid schema definition: "):
        ProtobufSchema(Definition(Language.PROTOCOL_BUFFER, compiled=compiled, root_message=root))


def test_two_definitions_of_one_name_live_beside_each_other() -> None:
    first, second = schema("message A { optional string a = 1; }"), schema("message A { optional int32 a = 1; }")
    first.check(JSON, b'{"a": "x"}')
    second.check(JSON, b'{"a": 1}')


def test_the_compiler_is_silent_and_brings_neither_grpc_nor_import_hooks() -> None:
    script = (
        "import sys\n"
        "before = list(sys.meta_path)\n"
        "from publican_emulator.broker.schema_settings import Definition, Language\n"
        "from publican_emulator.schemas.compiler import compile_definition\n"
        "compile_definition(Definition(Language.PROTOCOL_BUFFER, '// old\\nmessage A { optional string a = 1; }'))\n"
        "try: compile_definition(Definition(Language.PROTOCOL_BUFFER, 'nonsense'))\n"
        "except Exception: pass\n"
        "assert sys.meta_path == before and 'grpc' not in sys.modules\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
