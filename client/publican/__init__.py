"""Publican's client for Google Cloud Pub/Sub: the asyncio names, as in `publican.aio`; `publican.rest` is the blocking twin.

Importing this loads neither aiohttp nor grpcio: names are found when they are first used.

PYTEST_DONT_REWRITE
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from publican.aio import *  # noqa: F403  (the same names)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # 15 ms

        return version("publican")
    if name.startswith("_"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("publican.aio"), name)  # not `from publican import`, which would ask here again


def __dir__() -> list[str]:
    return sorted({*globals(), *importlib.import_module("publican.aio").__all__})
