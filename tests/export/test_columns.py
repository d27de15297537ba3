"""Whether values fit the columns of a BigQuery table."""

from typing import Any

import pytest

from publican_emulator.export.columns import Column, columns, fitted
from publican_emulator.export.exported import Unfit

TABLE = columns(
    {
        "fields": [
            {"name": "Name", "type": "STRING", "mode": "REQUIRED"},
            {"name": "tags", "type": "STRING", "mode": "REPEATED"},
            {"name": "place", "type": "STRUCT", "fields": [{"name": "lat", "type": "FLOAT64"}, {"name": "lon", "type": "float"}]},
        ]
    }
)


def test_columns_are_read_as_bigquery_has_them() -> None:
    assert TABLE[0] == Column("Name", "STRING", "REQUIRED")
    assert TABLE[2] == Column("place", "RECORD", "NULLABLE", (Column("lat", "FLOAT"), Column("lon", "FLOAT")))
    for wrong in ("x", 5, [5], [{"name": "a"}], [{"name": 1, "type": "STRING"}]):
        with pytest.raises(ValueError, match="column"):
            columns(wrong)


def test_a_row_has_its_columns_names() -> None:
    values = {"NAME": "x", "tags": ["a"], "place": {"LAT": 1, "lon": "2.5"}}
    assert fitted(values, TABLE, is_dropping=False) == {"Name": "x", "tags": ["a"], "place": {"lat": 1, "lon": "2.5"}}
    assert fitted({"name": "x", "place": None}, TABLE, is_dropping=False) == {"Name": "x", "place": None}


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({}, "the column Name is required, and missing"),
        ({"name": None}, "the column Name is required, and missing"),
        ({"name": 5}, "the column Name is of type STRING, and 5 is none"),
        ({"name": "x", "other": 1}, "the table has no column other; drop_unknown_fields would leave it out"),
        ({"name": "x", "place": {"alt": 1}}, "the table has no column place.alt"),
        ({"name": "x", "place": 5}, "the column place is a RECORD: its value must be an object, not 5"),
        ({"name": "x", "place": {"lat": "north"}}, "the column place.lat is of type FLOAT, and 'north' is none"),
        ({"name": "x", "tags": "a"}, "the column tags is repeated: its value must be a list, not 'a'"),
        ({"name": "x", "tags": ["a", 5]}, "the column tags[1] is of type STRING"),
        ({"name": "x", "tags": ["a", None]}, "none of its values may be null"),
    ],
)
def test_a_value_that_does_not_fit_is_told_by_its_place(values: dict[str, Any], why: str) -> None:
    with pytest.raises(Unfit) as error:
        fitted(values, TABLE, is_dropping=False)
    assert why in str(error.value)


def test_what_has_no_column_is_dropped_when_that_is_asked_for() -> None:
    assert fitted({"name": "x", "other": 1, "place": {"alt": 1}}, TABLE, is_dropping=True) == {"Name": "x", "place": {}}


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("INT64", [1, -(2**63), "12", 3.0], [2**63, "1.5", True, 1.5, "x"]),
        ("NUMERIC", [1, 1.5, "1.5", "-1e3"], ["x", True, ""]),
        ("FLOAT", [1, "NaN"], ["x", []]),
        ("BOOL", [True, "false"], [1, "yes"]),
        ("BYTES", ["aGk=", ""], ["?", 5]),
        ("TIMESTAMP", ["2026-01-02 03:04:05.123 UTC", "2026-01-02T03:04:05Z", 1.5, "2026-01-02"], ["now", True]),
        ("DATE", ["2026-01-02"], ["2026-01-02 03:04", 5]),
        ("TIME", ["03:04:05.5"], ["3"]),
        ("DATETIME", ["2026-01-02T03:04:05"], ["2026-01-02T03:04:05Z"]),
        ("JSON", [{"a": 1}, "x", 5], []),
    ],
)
def test_each_type_takes_its_own_forms(kind: str, good: list[object], bad: list[object]) -> None:
    column = columns([{"name": "c", "type": kind}])
    for value in good:
        assert fitted({"c": value}, column, is_dropping=False) == {"c": value}
    for value in bad:
        with pytest.raises(Unfit):
            fitted({"c": value}, column, is_dropping=False)
