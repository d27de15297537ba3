"""The rows of BigQuery subscriptions."""

import datetime
import decimal
from typing import Any

import pytest

from publican_emulator.broker.exports import BigQueryConfig
from publican_emulator.broker.schema import Mismatch
from publican_emulator.export.columns import columns
from publican_emulator.export.exported import Exported, Unfit, exported
from publican_emulator.export.rows import plain, row
from publican_protocol import pubsub, wire

NOON = 1_700_000_000_123_000_000
S = "projects/p/subscriptions/s"


def message(data: bytes = b"hi", key: str = "", **attributes: str) -> Exported:
    text = pubsub.PubsubMessage(data=data, ordering_key=key, attributes=attributes).SerializeToString()
    return exported(wire.stamp([text], 7, NOON)[0], S)


def no_schema(stored: bytes) -> Any:
    raise Mismatch("", "the message was published without a schema")


def made(given: Exported, *, table: Any = None, values: dict[str, object] | None = None, **config: bool) -> dict[str, Any]:
    decode = no_schema if values is None else lambda stored: (None, values)
    return row(given, BigQueryConfig("p.d.t", **config), None if table is None else columns(table), decode)  # type: ignore[arg-type]  # no definition


def test_without_a_schema_a_row_is_the_data() -> None:
    assert made(message()) == {"data": "aGk="}


@pytest.mark.parametrize(("kind", "data", "shown"), [("BYTES", b"\xff", "/w=="), ("STRING", "ü".encode(), "ü"), ("JSON", b'{"a": [1]}', {"a": [1]})])
def test_the_data_has_the_form_of_its_columns_type(kind: str, data: bytes, shown: object) -> None:
    assert made(message(data), table=[{"name": "data", "type": kind}]) == {"data": shown}


@pytest.mark.parametrize(("kind", "data"), [("STRING", b"\xff"), ("JSON", b"{"), ("JSON", b"NaN")])
def test_data_that_has_not_is_refused(kind: str, data: bytes) -> None:
    with pytest.raises(Unfit, match="the data is not"):
        made(message(data), table=[{"name": "data", "type": kind}])


def test_metadata_stands_in_four_columns() -> None:
    given = message(key="k", a="b")
    expected = {"subscription_name": S, "message_id": "7", "publish_time": "2023-11-14 22:13:20.123000+00:00"}
    assert made(given, write_metadata=True) == {"data": "aGk=", **expected, "attributes": {"a": "b", "ordering_key": "k"}}
    table = [{"name": name, "type": "STRING"} for name in ("data", "subscription_name", "message_id", "attributes")]
    shown = made(given, write_metadata=True, table=[*table, {"name": "publish_time", "type": "TIMESTAMP"}])
    assert shown["attributes"] == '{"a": "b", "ordering_key": "k"}'


def test_a_topics_schema_has_a_column_for_each_field() -> None:
    values: dict[str, object] = {"a": 1, "b": b"\xff", "c": {"d": [1.5]}}
    assert made(message(), values=values, use_topic_schema=True) == {"a": 1, "b": "/w==", "c": {"d": [1.5]}}
    table = [{"name": "a", "type": "INTEGER"}]
    assert made(message(), values=values, table=table, use_topic_schema=True, drop_unknown_fields=True) == {"a": 1}
    with pytest.raises(Unfit, match="the table has no column b"):
        made(message(), values=values, table=table, use_topic_schema=True)
    with pytest.raises(Unfit, match="without a schema"):
        made(message(), use_topic_schema=True)


def test_a_tables_schema_takes_json_objects() -> None:
    table = [{"name": "a", "type": "INTEGER"}]
    assert made(message(b'{"a": 5}'), table=table, use_table_schema=True) == {"a": 5}
    assert made(message(b'{"a": 5, "b": 6}'), table=table, use_table_schema=True, drop_unknown_fields=True) == {"a": 5}
    for data, why in (
        (b'{"a": 5, "b": 6}', "no column b"),
        (b"5", "no object"),
        (b"x", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"a": "x"}', "INTEGER"),
    ):
        with pytest.raises(Unfit, match=why):
            made(message(data), table=table, use_table_schema=True)


def test_values_have_the_forms_of_bigquerys_json() -> None:
    moment = datetime.datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=datetime.UTC)
    assert plain({"t": moment, "d": moment.date(), "n": decimal.Decimal("1.50"), "l": [b"a", None, True]}) == {
        "t": "2026-01-02 03:04:05.000678+00:00",
        "d": "2026-01-02",
        "n": "1.50",
        "l": ["YQ==", None, True],
    }
