"""Pages of a list: sorted by name, cut by page_size, continued behind the last name that was seen.

A token is opaque to callers: it holds what was listed, of which parent, and the last name, so that what is created or deleted between two
pages neither skips nor repeats anything else, and a token of one list is refused by another.

PYTEST_DONT_REWRITE
"""

import base64
import binascii
from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from publican_emulator.broker import limits
from publican_emulator.broker.errors import BadArgument

Item = TypeVar("Item")

_SEPARATOR: Final = "\n"  # in no resource name


def page(
    items: Sequence[Item], listed: str, parent: str, *, page_size: int, page_token: str, name_of: Callable[[Item], str]
) -> tuple[Sequence[Item], str]:
    """Give one page of `items`, which are sorted by name, and the token of the next page ("" when this is the last)."""
    if page_size < 0:
        raise BadArgument("page_size", f"{page_size} is negative; 0 asks for the default of {limits.PAGE_SIZE_DEFAULT}.")
    size = min(page_size or limits.PAGE_SIZE_DEFAULT, limits.PAGE_SIZE_MAX)
    start = bisect_right(items, _last_seen(page_token, listed, parent), key=name_of) if page_token else 0
    here = items[start : start + size]
    if start + size >= len(items):
        return here, ""
    return here, _token(listed, parent, name_of(here[-1]))


def _token(listed: str, parent: str, last: str) -> str:
    return base64.urlsafe_b64encode(_SEPARATOR.join((listed, parent, last)).encode()).decode().rstrip("=")


def _last_seen(token: str, listed: str, parent: str) -> str:
    try:
        plain = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode()
        token_listed, token_parent, last = plain.split(_SEPARATOR)
    except (binascii.Error, ValueError):
        raise BadArgument("page_token", "It is not a next_page_token of this server.") from None
    if (token_listed, token_parent) != (listed, parent):
        raise BadArgument("page_token", f"It continues a list of {token_listed} of {token_parent}, not of {listed} of {parent}.")
    return last
