"""Filters: the forms that the documentation names, the ones it forbids, and any tree at all against an evaluator of five lines."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from publican_emulator.broker.filters import FilterError, parse

KEYS = ("name", "lang", "a-b", "_x", "iana.org/language_tag", "みな", "AND", "")
VALUES = ("", "c", "co", "com", 'say "hi"', "back\\slash", "two\nlines", "みんな", "AND")


@pytest.mark.parametrize(
    ("text", "passes", "stays_out"),
    [
        ("", [{}, {"a": "b"}], []),
        (" \t\r\n ", [{}, {"a": "b"}], []),
        ('attributes.name = "com"', [{"name": "com"}], [{}, {"name": "co"}, {"name": "COM"}, {"name": "com "}, {"Name": "com"}]),
        ('attributes.name="com"', [{"name": "com"}], [{}]),
        ('attributes.name != "com"', [{}, {"name": "co"}, {"name": ""}, {"other": "com"}], [{"name": "com"}]),
        ('hasPrefix(attributes.name, "co")', [{"name": "co"}, {"name": "com"}], [{}, {"name": "c"}, {"name": "Com"}]),
        ('hasPrefix ( attributes.name , "" )', [{"name": ""}, {"name": "x"}], [{}]),
        ("attributes:name", [{"name": ""}, {"name": "x"}], [{}, {"Name": "x"}, {"names": "x"}]),
        ('attributes : "name"', [{"name": ""}], [{}]),
        ("NOT attributes:name", [{}, {"lang": "jp"}], [{"name": ""}]),
        ("-attributes:name", [{}, {"lang": "jp"}], [{"name": ""}]),
        ('(NOT attributes:name) OR attributes.name = "co"', [{}, {"name": "co"}], [{"name": "com"}]),
        ('NOT (attributes:name OR attributes.lang = "jp")', [{}, {"lang": "en"}], [{"name": ""}, {"lang": "jp"}]),
        ("-(attributes:a)", [{}], [{"a": ""}]),
        ('attributes.name = "com" AND -attributes:"lang"', [{"name": "com"}], [{}, {"name": "com", "lang": "jp"}]),
        (r'attributes:"\u307F\u3093\u306A"', [{"みんな": ""}], [{}]),
        ('attributes.みんな = "x"', [{"みんな": "x"}], [{}]),
        ('attributes."iana.org/language_tag" = "en"', [{"iana.org/language_tag": "en"}], [{}]),
        ("attributes:a-b", [{"a-b": ""}], [{"a": ""}]),
        ("attributes:a AND attributes:b AND attributes:c", [{"a": "", "b": "", "c": ""}], [{"a": "", "b": ""}]),
        ("attributes:a OR attributes:b OR attributes:c", [{"c": ""}], [{}]),
        ("(attributes:a AND attributes:b) OR attributes:c", [{"a": "", "b": ""}, {"c": ""}], [{"a": ""}]),
        ("attributes:a AND (attributes:b OR attributes:c)", [{"a": "", "b": ""}], [{"c": ""}]),
        ("NOT attributes:a AND attributes:b", [{"b": ""}], [{"a": "", "b": ""}, {}]),
        ("( ( attributes:a ) )", [{"a": ""}], [{}]),
        ("attributes:a\n\tAND\r\n  attributes:b", [{"a": "", "b": ""}], [{"a": ""}]),
        (r'attributes.a = "\"\\\'\?\`\a\b\f\n\r\t\v"', [{"a": "\"\\'?`\a\b\f\n\r\t\v"}], [{"a": "x"}]),
        (r'attributes.a = "\101\x42\u0043\U00000044"', [{"a": "ABCD"}], [{"a": "ABC"}]),
    ],
)
def test_what_a_filter_lets_pass(text: str, passes: list[dict[str, str]], stays_out: list[dict[str, str]]) -> None:
    understood = parse(text)
    assert understood.text == text
    assert [attributes for attributes in passes if not understood.matches(attributes)] == []
    assert [attributes for attributes in stays_out if understood.matches(attributes)] == []


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("attributes.name = com", 19),
        ("attributes.name = 5", 19),
        ("attributes.name = 'com'", 19),
        ("attributes.name = attributes.lang", 19),
        ('name = "x"', 1),
        ('data = "x"', 1),
        ("attributes:a AND attributes:b OR attributes:c", 31),
        ("attributes:a OR attributes:b AND attributes:c", 30),
        ("attributes:a and attributes:b", 14),
        ("attributes:a or attributes:b", 14),
        ("not attributes:a", 1),
        ("attributes.a", 13),
        ("attributes", 11),
        ("attributes:", 12),
        ('attributes .a = "x"', 12),
        ('attributes. a = "x"', 12),
        ('attributes.a.b = "x"', 13),
        ('attributes.a > "x"', 14),
        ('attributes.a == "x"', 15),
        ("attributes:a*", 13),
        ("attributes:1a", 12),
        ("()", 2),
        ("( )", 3),
        ("(attributes:a", 14),
        ("attributes:a)", 13),
        ("attributes:a attributes:b", 14),
        ("attributes:a AND", 17),
        ("attributes:a AND ", 18),
        ("attributes:a ANDattributes:b", 14),
        ("attributes:a AND(attributes:b)", 17),
        ("(attributes:a)AND attributes:b", 15),
        ("AND attributes:a", 1),
        ("NOT", 4),
        ("NOT(attributes:a)", 4),
        ("NOT NOT attributes:a", 5),
        ("NOT -attributes:a", 5),
        ("--attributes:a", 2),
        ("- attributes:a", 2),
        ('attributes.a = "x', 16),
        ('attributes:"a', 12),
        (r'attributes.a = "\q"', 18),
        (r'attributes.a = "\x4"', 18),
        (r'attributes.a = "\u12"', 18),
        (r'attributes.a = "\U00110000"', 18),
        (r'attributes.a = "\8"', 18),
        (r'attributes.a = "\12"', 18),
        (r'attributes.a = "\٣٣٣"', 18),
        (r'attributes.a = "\x٣٣"', 18),
        ('attributes.a = "\\', 18),
        ("hasPrefix(attributes.a)", 23),
        ('hasPrefix(attributes:a, "x")', 21),
        ('hasPrefix("x", attributes.a)', 11),
        ("hasPrefix(attributes.a, x)", 25),
        ('hasSuffix(attributes.a, "x")', 1),
    ],
)
def test_an_error_points_at_its_column(text: str, position: int) -> None:
    with pytest.raises(FilterError, match=rf"at position {position}$") as raised:
        parse(text)
    assert raised.value.position == position


def test_any_nesting_that_fits_into_256_bytes_is_understood() -> None:
    depth = (256 - len("attributes:a")) // 2
    nested = parse("(" * depth + "attributes:a" + ")" * depth)
    assert nested.matches({"a": ""})
    assert not nested.matches({})


@pytest.mark.parametrize("text", ["(" * 100_000, "-(" * 50_000, "NOT (" * 20_000])
def test_nesting_beyond_that_is_an_error_of_the_filter(text: str) -> None:
    with pytest.raises(FilterError, match="nested too deeply"):
        parse(text)


# any tree


@dataclass(frozen=True)
class Tree:
    """A filter before it is text: an operator and what it is applied to."""

    operator: str
    parts: tuple["Tree", ...] = ()
    key: str = ""
    value: str = ""

    def holds(self, attributes: Mapping[str, str]) -> bool:
        match self.operator:
            case "has":
                return self.key in attributes
            case "=":
                return self.key in attributes and attributes[self.key] == self.value
            case "!=":
                return self.key not in attributes or attributes[self.key] != self.value
            case "prefix":
                return self.key in attributes and attributes[self.key].startswith(self.value)
            case "NOT":
                return not self.parts[0].holds(attributes)
            case "AND":
                return all(part.holds(attributes) for part in self.parts)
        return any(part.holds(attributes) for part in self.parts)


LEAVES = st.builds(Tree, st.sampled_from(["has", "=", "!=", "prefix"]), st.just(()), st.sampled_from(KEYS), st.sampled_from(VALUES))
TREES = st.recursive(
    LEAVES,
    lambda parts: (
        st.builds(lambda part: Tree("NOT", (part,)), parts)
        | st.builds(lambda operator, them: Tree(operator, tuple(them)), st.sampled_from(["AND", "OR"]), st.lists(parts, min_size=2, max_size=4))
    ),
    max_leaves=8,
)
BLANKS = st.sampled_from(["", "", " ", "\t", "\n", " \r\n "])


def written(draw: st.DrawFn, tree: Tree, *, is_operand: bool) -> str:
    """Write a tree as somebody might: blanks where they are free, parentheses where they are needed and sometimes where not."""

    def ws() -> str:
        return draw(BLANKS)

    def ws1() -> str:
        return draw(BLANKS) or " "

    key = tree.key if tree.key.replace("-", "_").isidentifier() and draw(st.booleans()) else json.dumps(tree.key, ensure_ascii=draw(st.booleans()))
    value = json.dumps(tree.value, ensure_ascii=draw(st.booleans()))
    match tree.operator:
        case "has":
            text = f"attributes{ws()}:{ws()}{key}"
        case "=" | "!=":
            text = f"attributes.{key}{ws()}{tree.operator}{ws()}{value}"
        case "prefix":
            text = f"hasPrefix{ws()}({ws()}attributes.{key}{ws()},{ws()}{value}{ws()})"
        case "NOT":
            sign = draw(st.sampled_from(["NOT" + ws1(), "-"]))
            inner = tree.parts[0]
            part = written(draw, inner, is_operand=True)
            text = sign + (f"({part})" if inner.operator == "NOT" else part)
        case _:
            text = f"{ws1()}{tree.operator}{ws1()}".join(written(draw, part, is_operand=True) for part in tree.parts)
            return f"({ws()}{text}{ws()})" if is_operand or draw(st.booleans()) else text
    return f"({ws()}{text}{ws()})" if draw(st.integers(0, 9)) == 0 else text


@st.composite
def trees_and_texts(draw: st.DrawFn) -> tuple[Tree, str]:
    tree = draw(TREES)
    return tree, draw(BLANKS) + written(draw, tree, is_operand=False) + draw(BLANKS)


@given(trees_and_texts(), st.lists(st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES)), min_size=1, max_size=6))
def test_a_filter_means_what_its_tree_means(made: tuple[Tree, str], messages: list[dict[str, str]]) -> None:
    tree, text = made
    understood = parse(text)
    assert [understood.matches(attributes) for attributes in messages] == [tree.holds(attributes) for attributes in messages]


@given(st.text(alphabet='atributes:."\\()=!-NOTANDOR hasPrefix,xu0123456789\n\x00é', max_size=256))
@example('attributes.a = "')
@example("attributes:a AND")
def test_any_other_text_is_understood_or_refused_within_its_length(text: str) -> None:
    assert 1 <= position_of_error(text) <= len(text) + 1


def position_of_error(text: str) -> int:
    try:
        parse(text)
    except FilterError as error:
        return error.position
    return 1
