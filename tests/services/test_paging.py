"""Pages of a list."""

import base64

import pytest

from publican_emulator.broker.errors import BadArgument
from publican_emulator.services.paging import page

NAMES = [f"projects/p/topics/t{number:04}" for number in range(1500)]


def topics(page_size: int = 0, page_token: str = "", names: list[str] | None = None, parent: str = "projects/p") -> tuple[list[str], str]:
    here, token = page(NAMES if names is None else names, "topics", parent, page_size=page_size, page_token=page_token, name_of=str)
    return list(here), token


@pytest.mark.parametrize(("page_size", "count"), [(0, 100), (1, 1), (999, 999), (1000, 1000), (1001, 1000), (2**31 - 1, 1000)])
def test_a_page_has_the_size_asked_for_up_to_a_thousand(page_size: int, count: int) -> None:
    here, token = topics(page_size)
    assert here == NAMES[:count]
    assert token


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(BadArgument, match=r"\(argument=page_size\)"):
        topics(-1)


@pytest.mark.parametrize("page_size", [1, 2, 3, 4, 5, 6])
def test_the_pages_together_are_the_list(page_size: int) -> None:
    names = NAMES[:5]
    seen: list[str] = []
    token = ""
    for _ in range(6):
        here, token = topics(page_size, token, names)
        seen += here
        if not token:
            break
    assert seen == names
    assert token == ""


def test_the_last_page_has_no_token_also_when_it_is_full() -> None:
    assert topics(5, names=NAMES[:5]) == (NAMES[:5], "")
    assert topics(5, names=[]) == ([], "")


def test_what_is_deleted_and_created_between_pages_neither_skips_nor_repeats() -> None:
    _, token = topics(2, names=["a1", "b1", "c1", "d1"])
    assert topics(9, token, names=["a0", "a1", "c0", "c1", "d1"]) == (["c0", "c1", "d1"], "")


def test_a_token_is_opaque() -> None:
    _, token = topics(1)
    assert "topics" not in token
    assert token.isascii()


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "é",
        "a=b",
        "not a token",
        base64.urlsafe_b64encode(b"topics\nprojects/p").decode(),
        base64.urlsafe_b64encode(b"\xff\n\n").decode(),
    ],
)
def test_a_malformed_token_is_refused(token: str) -> None:
    with pytest.raises(BadArgument, match=r"\(argument=page_token\)"):
        topics(1, token)


def test_a_token_of_another_list_is_refused() -> None:
    _, token = topics(1)
    with pytest.raises(BadArgument, match="page_token"):
        topics(1, token, parent="projects/q")
    with pytest.raises(BadArgument, match="page_token"):
        page(NAMES, "snapshots", "projects/p", page_size=1, page_token=token, name_of=str)
