"""Resource names: the form of full names, and the rule for ids."""

import pytest

from publican_protocol import names


@pytest.mark.parametrize(
    ("resource_id", "is_valid"),
    [
        ("abc", True),
        ("ab", False),
        ("a" * 255, True),
        ("a" * 256, False),
        ("Abc", True),
        ("1bc", False),
        ("-bc", False),
        ("a-_.~+%9", True),
        ("a/b", False),
        ("a b", False),
        ("goog", False),
        ("google", False),
        ("GOOGle", True),
        ("agoog", True),
        ("übel", False),
        ("abc\n", False),
    ],
)
def test_an_id_has_3_to_255_characters_begins_with_a_letter_and_not_with_goog(resource_id: str, is_valid: bool) -> None:
    assert names.is_valid_id(resource_id) is is_valid
    for collection in names.COLLECTIONS:
        assert names.matches(collection, f"projects/p/{collection}/{resource_id}") is is_valid


@pytest.mark.parametrize(
    "name",
    ["", "abc", "projects/p/topics", "projects//topics/abc", "projects/p/subscriptions/abc", "/projects/p/topics/abc", "projects/p/topics/abc/"],
)
def test_what_is_no_full_name_of_a_topic(name: str) -> None:
    assert not names.matches("topics", name)


@pytest.mark.parametrize("project", ["p", "my_project", "123456", "example.com:proj"])
def test_any_project_will_do(project: str) -> None:
    name = names.full_name(project, "topics", "abc")
    assert names.matches("topics", name)
    assert names.project_of(name) == project
    assert names.short_id(name) == "abc"


def test_a_schema_may_be_named_at_a_revision() -> None:
    assert names.split_revision("projects/p/schemas/abc@c7cfa2a8") == ("projects/p/schemas/abc", "c7cfa2a8")
    assert names.split_revision("projects/p/schemas/abc") == ("projects/p/schemas/abc", "")
    assert names.split_revision("projects/p/schemas/abc@XYZ") == ("projects/p/schemas/abc@XYZ", "")
