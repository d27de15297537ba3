"""Partial responses: the `fields` query parameter, `topics(name),nextPageToken` or `topics/name`, applied to a JSON answer.

A selection is a tree of names; an empty one keeps everything below it, `*` stands for any name, and lists are looked through.

Source: developers.google.com/discovery/v1/performance#partial-response.

PYTEST_DONT_REWRITE
"""

import re
from typing import Final

from publican_emulator.broker.errors import InvalidArgument

Selection = dict[str, "Selection"]

_TOKEN: Final = re.compile(r"\s*([A-Za-z0-9_*@.]+|[(),/])")
_DEPTH_MAX: Final = 50


def parse(text: str) -> Selection:
    """Read a `fields` parameter.

    Raises:
        InvalidArgument: it is not one.
    """
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != "".join(text.split()):
        raise _invalid(text)
    selection, rest = _names(tokens, text, 0)
    if rest:
        raise _invalid(text)
    return selection


def select(value: object, selection: Selection) -> object:
    """Give what `selection` keeps of a JSON value."""
    if not selection:
        return value
    if isinstance(value, list):
        return [select(item, selection) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for name, item in value.items():
        below = selection.get(name, selection.get("*"))
        if below is not None:
            kept[name] = select(item, below)
    return kept


def _names(tokens: list[str], text: str, depth: int) -> tuple[Selection, list[str]]:
    selection: Selection = {}
    while True:
        name, below, tokens = _name(tokens, text, depth)
        selection.setdefault(name, {}).update(below)
        if not tokens or tokens[0] != ",":
            return selection, tokens
        tokens = tokens[1:]


def _name(tokens: list[str], text: str, depth: int) -> tuple[str, Selection, list[str]]:
    if not tokens or tokens[0] in {"(", ")", ",", "/"} or depth > _DEPTH_MAX:
        raise _invalid(text)
    name, tokens = tokens[0], tokens[1:]
    if tokens[:1] == ["/"]:
        inner, below, tokens = _name(tokens[1:], text, depth + 1)
        return name, {inner: below}, tokens
    if tokens[:1] == ["("]:
        selection, tokens = _names(tokens[1:], text, depth + 1)
        if tokens[:1] != [")"]:
            raise _invalid(text)
        return name, selection, tokens[1:]
    return name, {}, tokens


def _invalid(text: str) -> InvalidArgument:
    return InvalidArgument(f"Request contains an invalid argument: invalid field selection {text[:100]}")
