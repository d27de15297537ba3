"""Leaves gRPC out when freezegun freezes time, as soon as a suite imports freezegun.

Python's gRPC turns a timeout into an instant by `time.time()`, and its core compares that with the real time: frozen in the past, every call with a
timeout fails at once. freezegun has a list of modules that keep the real time; decorators read it when a test module is imported, so a fixture would
be too late.

PYTEST_DONT_REWRITE
"""

import importlib.util
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final

REAL_TIME: Final = ["grpc", "google.api_core", "google.cloud.pubsub_v1", "google.pubsub_v1"]


def prepare() -> None:
    """Tell freezegun, now or when it is imported."""
    if "freezegun" in sys.modules:
        _tell(sys.modules["freezegun"])
    elif not any(isinstance(each, _OnImport) for each in sys.meta_path):
        sys.meta_path.insert(0, _OnImport())


def forget() -> None:
    """Stop waiting for it."""
    sys.meta_path[:] = [each for each in sys.meta_path if not isinstance(each, _OnImport)]


def _tell(freezegun: Any) -> None:
    freezegun.configure(extend_ignore_list=REAL_TIME)


class _OnImport(MetaPathFinder):
    """Finds one module, once, and adds a line to what its loader does."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Give the spec of freezegun, whose loader tells it."""
        if fullname != "freezegun":
            return None
        forget()
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_and_tell(module: ModuleType) -> None:
            execute(module)
            _tell(module)

        spec.loader.exec_module = execute_and_tell  # type: ignore[method-assign]  # of this one spec's loader
        return spec
