"""The fake service: `from publican_emulator import Emulator`.

emulator.py puts the rooms together; broker/ is what the service means. Importing the package costs nothing: names load when they are asked
for.

PYTEST_DONT_REWRITE
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from publican_emulator.driver import Clock, SystemClock, VirtualClock
    from publican_emulator.emulator import Emulator
    from publican_emulator.testing.running import running

__all__ = ["Clock", "Emulator", "SystemClock", "VirtualClock", "__version__", "running"]

_HOMES = {"Clock": "driver", "Emulator": "emulator", "SystemClock": "driver", "VirtualClock": "driver", "running": "testing.running"}


def __getattr__(name: str) -> Any:
    import importlib  # only who asks pays

    if name == "__version__":
        from importlib.metadata import version  # 15 ms

        return version("publican")
    if name in _HOMES:
        return getattr(importlib.import_module(f"publican_emulator.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
