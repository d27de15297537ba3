"""Partial responses: `fields`."""

import pytest

from publican_emulator.broker.errors import InvalidArgument
from publican_emulator.rpc.partial import parse, select

ANSWER = {
    "topics": [{"name": "a", "labels": {"x": "1", "y": "2"}}, {"name": "b", "kmsKeyName": "k"}],
    "nextPageToken": "t",
}


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ("nextPageToken", {"nextPageToken": "t"}),
        ("topics(name)", {"topics": [{"name": "a"}, {"name": "b"}]}),
        ("topics/name", {"topics": [{"name": "a"}, {"name": "b"}]}),
        ("topics/labels/x", {"topics": [{"labels": {"x": "1"}}, {}]}),
        ("topics(name,labels(y)), nextPageToken", {"topics": [{"name": "a", "labels": {"y": "2"}}, {"name": "b"}], "nextPageToken": "t"}),
        ("*", ANSWER),
        ("topics/*", {"topics": ANSWER["topics"]}),
        ("topics/name,topics/kmsKeyName", {"topics": [{"name": "a"}, {"name": "b", "kmsKeyName": "k"}]}),
        ("absent", {}),
        ("nextPageToken/deeper", {"nextPageToken": "t"}),
    ],
)
def test_only_what_is_asked_for_is_kept(fields: str, kept: object) -> None:
    assert select(ANSWER, parse(fields)) == kept


@pytest.mark.parametrize("fields", ["", ",", "a,", "a(", "a(b", "a)", "a()", "a/", "/a", "a b", "a(b))", "(", "a?b", "(" * 1000, "a/" * 1000 + "a"])
def test_what_is_no_selection_is_refused(fields: str) -> None:
    with pytest.raises(InvalidArgument, match="invalid field selection"):
        parse(fields)
