"""The asyncio client.

Each name is loaded with its module when it is first used, so that a publisher does not pay for what receives.

PYTEST_DONT_REWRITE
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from publican.settlement import AckResult as AckResult

_HOMES: Final = {
    "AckResult": "publican.settlement",
}
__all__ = ["AckResult"]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
