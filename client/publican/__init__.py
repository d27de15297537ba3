"""Publican's client for Google Cloud Pub/Sub: the asyncio names, as in `publican.aio`; `publican.rest` is the blocking twin.

Importing this loads neither aiohttp nor grpcio: names are found when they are first used.

PYTEST_DONT_REWRITE
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from publican.aio import *  # noqa: F403  (the same names)


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from publican import aio

    return getattr(aio, name)


def __dir__() -> list[str]:
    from publican import aio

    return sorted({*globals(), *aio.__all__})
