"""Single values of proto3 JSON."""

import math

import pytest

from publican_protocol import json_values as values


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("", b""),
        ("aGk=", b"hi"),
        ("aGk", b"hi"),
        ("+/+/", b"\xfb\xff\xbf"),
        ("-_-_", b"\xfb\xff\xbf"),
        ("-/+_", b"\xfb\xff\xbf"),
        ("aGVs\nbG8=\r\n", b"hello"),
    ],
)
def test_base64_comes_in_both_alphabets_padded_or_not(text: str, octets: bytes) -> None:
    assert values.octets(text) == octets


@pytest.mark.parametrize("text", ["!!!!", "a", "aGk=a", "aGk==", "a===", "====", "aG k%", "é", "aGVsbG8=="])
def test_base64_junk_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Base64 decoding failed"):
        values.octets(text)


@pytest.mark.parametrize(
    ("value", "number"), [(5, 5), ("5", 5), (5.0, 5), ("-5", -5), (2147483647, 2147483647), (-2147483648, -2147483648), ("007", 7)]
)
def test_an_integer_is_a_number_or_its_text(value: object, number: int) -> None:
    assert values.integer(value, -(2**31), 2**31 - 1) == number


@pytest.mark.parametrize("value", [5.5, "5.0", "", " 5", "five", True, None, 2147483648, -2147483649, "9" * 30, math.inf, "\u0665"])
def test_what_is_no_integer_of_its_size_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        values.integer(value, -(2**31), 2**31 - 1)


@pytest.mark.parametrize(("value", "number"), [(1, 1.0), (1.5, 1.5), ("1.5", 1.5), ("Infinity", math.inf), ("-Infinity", -math.inf)])
def test_a_real_number_may_be_text(value: object, number: float) -> None:
    assert values.real(value) == number


@pytest.mark.parametrize("value", [True, "inf", "nan", "x", None, 10**400])
def test_what_is_no_real_number_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        values.real(value)


@pytest.mark.parametrize(
    ("text", "stamp"),
    [
        ("1970-01-01T00:00:00Z", (0, 0)),
        ("2026-01-02T03:04:05.123Z", (1767323045, 123_000_000)),
        ("2026-01-02T03:04:05.123456789Z", (1767323045, 123_456_789)),
        ("2026-01-02T04:04:05+01:00", (1767323045, 0)),
        ("2026-01-01T21:34:05-05:30", (1767323045, 0)),
        ("2026-01-02t03:04:05z", (1767323045, 0)),
        ("0001-01-01T00:00:00Z", (-62135596800, 0)),
        ("9999-12-31T23:59:59.999999999Z", (253402300799, 999_999_999)),
    ],
)
def test_an_instant_is_read_with_any_offset(text: str, stamp: tuple[int, int]) -> None:
    assert values.timestamp(text) == stamp


@pytest.mark.parametrize(
    "value",
    [
        "",
        "2026-01-02",
        "2026-01-02T03:04:05",
        "2026-13-02T03:04:05Z",
        "2026-02-30T03:04:05Z",
        "2026-01-02T24:00:00Z",
        "2026-01-02T03:04:05.1234567890Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "0000-01-01T00:00:00Z",
        "2026-01-02T03:04:05+25:00",
        1767323045,
        None,
    ],
)
def test_what_is_no_instant_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="Invalid time format"):
        values.timestamp(value)


@pytest.mark.parametrize(
    ("stamp", "text"),
    [
        ((0, 0), "1970-01-01T00:00:00Z"),
        ((1767323045, 123_000_000), "2026-01-02T03:04:05.123Z"),
        ((1767323045, 123_456_000), "2026-01-02T03:04:05.123456Z"),
        ((1767323045, 1), "2026-01-02T03:04:05.000000001Z"),
        ((-62135596800, 0), "0001-01-01T00:00:00Z"),
        ((-1, 500_000_000), "1969-12-31T23:59:59.500Z"),
    ],
)
def test_an_instant_is_written_with_0_3_6_or_9_decimals(stamp: tuple[int, int], text: str) -> None:
    assert values.timestamp_text(*stamp) == text
    assert values.timestamp(text) == stamp


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("600s", (600, 0)),
        ("1.500s", (1, 500_000_000)),
        ("0.000001s", (0, 1_000)),
        ("-0.500s", (0, -500_000_000)),
        ("-3.000000001s", (-3, -1)),
        ("315576000000s", (315576000000, 0)),
    ],
)
def test_a_duration_is_read_and_written(text: str, span: tuple[int, int]) -> None:
    assert values.duration(text) == span
    assert values.duration_text(*span) == text


@pytest.mark.parametrize("value", ["600", "s", "1m", "1.s", "+1s", "1.0000000001s", "315576000001s", " 1s", 600, None, "1e3s"])
def test_what_is_no_duration_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"[Dd]uration"):
        values.duration(value)


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("", []),
        ("labels", ["labels"]),
        ("ackDeadlineSeconds,retryPolicy.minimumBackoff", ["ack_deadline_seconds", "retry_policy.minimum_backoff"]),
        ("ack_deadline_seconds", ["ack_deadline_seconds"]),
    ],
)
def test_a_mask_comes_in_both_spellings(text: str, paths: list[str]) -> None:
    assert values.mask_paths(text) == paths


def test_a_mask_is_written_in_camel_case() -> None:
    assert values.mask_text(["ack_deadline_seconds", "retry_policy.minimum_backoff"]) == "ackDeadlineSeconds,retryPolicy.minimumBackoff"
