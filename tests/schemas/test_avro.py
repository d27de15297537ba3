"""Avro definitions, and data that fits them or does not: at which field, and why."""

import io
import json
from typing import Any

import fastavro
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publican_emulator.broker.errors import InvalidArgument
from publican_emulator.broker.schema import Mismatch
from publican_emulator.broker.schema_settings import Encoding
from publican_emulator.schemas.avro import AvroSchema

BINARY, JSON = Encoding.BINARY, Encoding.JSON


def record(*fields: Any, **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": "Order", "fields": [{"name": name, "type": kind} for name, kind in fields], **more}


STATE = record(
    ("id", "string"),
    ("count", "int"),
    ("note", ["null", "string"]),
    ("tags", {"type": "array", "items": "string"}),
    ("prices", {"type": "map", "values": "double"}),
    ("colour", {"type": "enum", "name": "Colour", "symbols": ["RED", "BLUE"]}),
    ("hash", {"type": "fixed", "name": "Hash", "size": 2}),
    ("next", ["null", "Order"]),
)
GOOD: dict[str, Any] = {
    "id": "a",
    "count": 3,
    "note": None,
    "tags": ["x", "y"],
    "prices": {"x": 1.5},
    "colour": "BLUE",
    "hash": b"ab",
    "next": None,
}


def schema(definition: Any) -> AvroSchema:
    return AvroSchema(json.dumps(definition))


def record_json(text: str) -> str:
    return f'{{"type": "record", "name": "R", "fields": [{{"name": "a", "type": {text}}}]}}'


def defaulting(kind: Any, default: Any) -> str:
    return json.dumps({"type": "record", "name": "R", "fields": [{"name": "a", "type": kind, "default": default}]})


def binary(definition: Any, datum: Any) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(definition), datum)
    return out.getvalue()


def as_json(definition: Any, datum: Any) -> bytes:
    out = io.StringIO()
    fastavro.json_writer(out, fastavro.parse_schema(definition), [datum])
    return out.getvalue().encode()


def test_what_another_library_writes_fits() -> None:
    nested = {**GOOD, "next": {**GOOD, "note": "n"}}
    for datum in (GOOD, nested):
        schema(STATE).check(BINARY, binary(STATE, datum))
        schema(STATE).check(JSON, as_json(STATE, datum))


@pytest.mark.parametrize(
    ("change", "where", "why"),
    [
        ({"count": "3"}, "count", 'expected a whole number, not a text: "3"'),
        ({"count": 3.5}, "count", "expected a whole number, not a number: 3.5"),
        ({"count": True}, "count", "expected a whole number, not a boolean: true"),
        ({"count": 2**31}, "count", "2147483648 is outside -2147483648..2147483647"),
        ({"id": None}, "id", "expected a text, not null: null"),
        ({"note": "bare"}, "note", """a union's value is written {"branch": value}, one of null, string; it is "bare\""""),
        ({"note": {"int": 1}}, "note", "int is no branch of the union (null, string)"),
        ({"note": {"string": 1}}, "note", "expected a text, not a number: 1"),
        ({"tags": "x"}, "tags", 'expected a list, not a text: "x"'),
        ({"tags": ["x", 1]}, "tags[1]", "expected a text, not a number: 1"),
        ({"prices": {"x": "1"}}, 'prices["x"]', 'expected a number, not a text: "1"'),
        ({"colour": "GREEN"}, "colour", 'expected one of RED, BLUE, not a text: "GREEN"'),
        ({"hash": "abc"}, "hash", "it has 3 bytes; fixed Hash has 2"),
        ({"hash": "aЖ"}, "hash", 'expected a text of the characters 0 to 255, not a text: "a\\u0416"'),
        ({"next": {"Order": {}}}, "next.id", "it is missing; record Order has it"),
        ({"more": 1}, "more", "record Order has no such field"),
    ],
)
def test_json_that_does_not_fit_is_told_by_field_and_reason(change: dict[str, Any], where: str, why: str) -> None:
    good = json.loads(as_json(STATE, GOOD))
    with pytest.raises(Mismatch) as caught:
        schema(STATE).check(JSON, json.dumps({**good, **change}).encode())
    assert caught.value.field_path == where
    assert str(caught.value) == f"field {where}: {why}"


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"null", b"{} {}", b'{"id": "a", "id": "b"}', b'{"id": NaN}', b"[" * 100_000])
def test_what_is_no_json_object_does_not_fit(data: bytes) -> None:
    with pytest.raises(Mismatch):
        schema(STATE).check(JSON, data)


@pytest.mark.parametrize(
    ("definition", "data", "where"),
    [
        (record(("a", "string")), b"\x04a", "a"),  # a byte short
        (record(("a", "string")), b"\x02aX", ""),  # a byte more
        (record(("a", "string")), b"\x02\xff", "a"),  # not UTF-8
        (record(("a", "string")), b"\x01", "a"),  # a length of -1
        (record(("a", "int")), b"\x80\x80\x80\x80\x10", "a"),  # 2**31
        (record(("a", "long")), b"\xff" * 10 + b"\x01", "a"),
        (record(("a", "boolean")), b"\x02", "a"),
        (record(("a", "double")), b"\x00" * 7, "a"),
        (record(("a", ["null", "int"])), b"\x04", "a"),
        (record(("a", {"type": "enum", "name": "E", "symbols": ["X"]})), b"\x02", "a"),
        (record(("a", {"type": "array", "items": "int"})), b"\x04\x02", "a[1]"),
        (record(("a", {"type": "array", "items": "int"})), b"\x03\x06\x02\x02\x00", "a"),  # a block that is shorter than it says
        (record(("a", {"type": "map", "values": "int"})), b"\x02\x02k", "a[0].value"),
    ],
)
def test_binary_that_does_not_fit_is_told_by_field(definition: Any, data: bytes, where: str) -> None:
    with pytest.raises(Mismatch) as caught:
        schema(definition).check(BINARY, data)
    assert caught.value.field_path == where


def test_sized_blocks_fit() -> None:
    schema(record(("a", {"type": "array", "items": "int"}))).check(BINARY, b"\x03\x04\x02\x02\x00")


def test_hostile_binary_ends_soon_and_harmlessly() -> None:
    endless = record(("next", ["null", "Order"]))
    with pytest.raises(Mismatch, match="levels deep"):
        schema(endless).check(BINARY, b"\x02" * 1_000_000)
    nulls = record(("a", {"type": "array", "items": "null"}))
    with pytest.raises(Mismatch, match="items of no bytes"):
        schema(nulls).check(BINARY, b"\x80\x80\x80\x80\x80\x80\x01\x00")


@pytest.mark.parametrize(
    ("definition", "why"),
    [
        ("{", "it is not JSON"),
        ('"string"', "the top-level type must be a record"),
        ('["null", "string"]', "the top-level type must be a record"),
        ('{"type": "enum", "name": "E", "symbols": ["A"]}', "the top-level type must be a record"),
        ('{"type": "record", "name": "R"}', 'record R has no "fields"'),
        ('{"type": "record", "fields": []}', "record has no valid name: null"),
        ('{"type": "record", "name": "1x", "fields": []}', 'record has no valid name: "1x"'),
        (json.dumps(record(("1x", "int"))), 'record Order has a field with no valid name: "1x"'),
        (json.dumps(record(("a", "int"), ("a", "int"))), "record Order has the field a twice"),
        (json.dumps(record(("a", "integer"))), "integer"),
        (json.dumps(record(("a", "no such"))), "field Order.a: 'no such' is no type"),
        (json.dumps(record(("a", []))), "a union needs at least one branch"),
        (json.dumps(record(("a", ["int", ["null"]]))), "a union may not stand directly in a union"),
        (json.dumps(record(("a", ["int", "int"]))), "a union has two branches of one type: int, int"),
        (json.dumps(record(("a", {"type": "array"}))), 'array without "items"'),
        (json.dumps(record(("a", {"type": "fixed", "name": "F", "size": -1}))), "size of fixed F"),
        (json.dumps(record(("a", {"type": "enum", "name": "E", "symbols": ["A", "A"]}))), "enum E has a symbol twice"),
        (json.dumps(record(("a", {"type": "enum", "name": "E", "symbols": ["a b"]}))), "the symbols of enum E"),
        (json.dumps(record(("a", 5))), "a type is a name, an object or a list, not 5"),
        ('{"type": "record", "name": "R", "fields": [{"name": "a", "type": "int", "default": "x"}]}', "Default value <x>"),
        (defaulting("int", 2**31), "the default of field R.a: 2147483648 is outside"),
        (defaulting({"type": "array", "items": "int"}, ["x"]), "the default of field R.a[0]: expected a whole number"),
        (defaulting({"type": "record", "name": "Q", "fields": [{"name": "b", "type": "int"}]}, {}), "the default of field R.a.b: it is missing"),
        ('{"type": "record", "name": "R", "fields": [{"name": "a", "type": ["null", "int"], "default": "x"}]}', "Default value <x>"),
    ],
)
def test_a_definition_that_breaks_a_rule_says_which(definition: str, why: str) -> None:
    with pytest.raises(InvalidArgument, match="Invalid schema definition: ") as caught:
        AvroSchema(definition)
    assert why in caught.value.message


@pytest.mark.parametrize("default", [None, 3])
def test_the_default_of_a_union_is_of_any_branch(default: object) -> None:
    AvroSchema(defaulting(["null", "int"], default))


def test_a_definition_may_be_deep() -> None:
    AvroSchema(record_json('{"type": "array", "items": ' * 60 + '"int"' + "}" * 60))


@pytest.mark.parametrize("levels", [65, 100_000])
def test_a_deep_definition_is_refused_and_not_followed(levels: int) -> None:
    with pytest.raises(InvalidArgument, match="nested"):
        AvroSchema(record_json('{"type": "array", "items": ' * levels + '"int"' + "}" * levels))


TYPES: st.SearchStrategy[tuple[Any, Any]] = st.recursive(
    st.sampled_from(
        [
            ("null", st.none()),
            ("boolean", st.booleans()),
            ("int", st.integers(-(2**31), 2**31 - 1)),
            ("long", st.integers(-(2**63), 2**63 - 1)),
            ("double", st.floats(allow_nan=False, allow_infinity=False)),
            ("bytes", st.binary(max_size=5)),
            ("string", st.text(max_size=5)),
        ]
    ),
    lambda inner: st.one_of(
        inner.map(lambda each: ({"type": "array", "items": each[0]}, st.lists(each[1], max_size=3))),
        inner.map(lambda each: ({"type": "map", "values": each[0]}, st.dictionaries(st.text(min_size=1, max_size=3), each[1], max_size=3))),
    ),
    max_leaves=4,
)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_fastavro_writes_fits_and_a_byte_more_or_less_does_not(data: st.DataObject) -> None:
    kinds = data.draw(st.lists(TYPES, min_size=1, max_size=4))
    definition = record(*((f"f{place}", kind) for place, (kind, _) in enumerate(kinds)))
    datum = {f"f{place}": data.draw(values) for place, (_, values) in enumerate(kinds)}
    fits = schema(definition)
    written = binary(definition, datum)
    fits.check(BINARY, written)
    fits.check(JSON, as_json(definition, datum))
    with pytest.raises(Mismatch):
        fits.check(BINARY, written + b"\0")
    if written:
        with pytest.raises(Mismatch):
            fits.check(BINARY, written[:-1])


@given(st.binary(max_size=40))
@settings(max_examples=100, deadline=None)
def test_random_bytes_fit_or_do_not_and_nothing_else(data: bytes) -> None:
    for encoding in Encoding:
        try:
            schema(STATE).check(encoding, data)
        except Mismatch:
            continue
