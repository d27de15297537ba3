"""Lines: where a consumer can die. A handler's work is watched line by line, without being changed or wrapped.

A crash can only be seen from outside when it falls between two of the things that the handler does to the world, and these stand on different lines:
so every line that runs is a point, and nobody has to mark any. Wrapping the handler's dependencies instead would put strangers into its hands, which
fail isinstance, json, sqlite3 and C code, and would show the reader a call where this shows the line.

Which lines count: those of the user's own files (what is installed is taken as it is), but not those of the world, which stands for other machines,
nor what runs on its behalf, nor imports. From Python 3.12 on `sys.monitoring` watches, beside coverage and debuggers; before, `sys.settrace`, whose
owner sees nothing of the handler meanwhile.

PYTEST_DONT_REWRITE
"""

import functools
import inspect
import os
import site
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

from pytest_publican.effects import attributes_of

OnLine = Callable[[CodeType, int], None]
"""Called before a line runs, with its code and number; what it raises is raised there."""

_DEFERRED: Final = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
_TOOL_IDS: Final = (4, 3, 5, 2)  # 0 and 1 are the debugger's and coverage's


class Watch:
    """Something that looks at the lines of one thread, when that tells it to."""

    def __init__(self) -> None:
        self.is_looking = False
        self._thread: int | None = None

    def look(self) -> None:
        """Look from now on, at what this thread does."""
        self.is_looking = True
        self._thread = threading.get_ident()

    def look_away(self) -> None:
        """Look no more."""
        self.is_looking = False

    @property
    def sees(self) -> bool:
        """Whether it looks at this thread."""
        return self.is_looking and threading.get_ident() == self._thread


class Places:
    """Which code has points: that of `handler` and of the user's files, without what belongs to `world`."""

    def __init__(self, handler: Callable[..., object], world: object) -> None:
        self._own = {code_of(handler)}
        self._package = _package_of(handler)
        self._world = frozenset(_codes_of_world(world) - self._own)
        self._known: dict[CodeType, bool] = {}

    def has_points(self, code: CodeType) -> bool:
        """Say whether the lines of `code` are points where nothing of the world's stands above."""
        known = self._known.get(code)
        if known is None:
            known = self._known[code] = code in self._own or (code not in self._world and code.co_name != "<module>" and self._is_users(code))
        return known

    def is_point(self, frame: FrameType) -> bool:
        """Say whether nothing of the world's stands between the handler and `frame`."""
        above: FrameType | None = frame
        while above is not None and above.f_code.co_filename != __file__:
            if above.f_code in self._world or above.f_code.co_filename.startswith("<frozen importlib"):
                return False
            if above.f_code in self._own:
                return True
            above = above.f_back
        return True

    def _is_users(self, code: CodeType) -> bool:
        file = code.co_filename
        if file.startswith("<"):
            return False
        return file.startswith(self._package) or not os.path.realpath(file).startswith(_installed())


@functools.cache
def _installed() -> tuple[str, ...]:
    """Give the folders of what is not the user's: the standard library, installed packages, Publican itself."""
    paths = sysconfig.get_paths()
    folders = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")} | {*site.getsitepackages(), site.getusersitepackages()}
    ours = [sys.modules[name].__file__ for name in ("pytest_publican", "publican_emulator", "publican_protocol")]
    folders |= {str(Path(file).parent) for file in ours if file is not None}
    return tuple(os.path.realpath(folder) + os.sep for folder in folders)


def _package_of(handler: Callable[..., object]) -> str | tuple[str, ...]:
    """Give the folder of the handler's package: its code is the user's even when it is installed."""
    module = sys.modules.get(getattr(_unwrapped(handler), "__module__", None) or "")
    top = sys.modules.get(module.__name__.partition(".")[0]) if module is not None else None
    file = getattr(top, "__file__", None)
    if top is None or file is None:
        return ()
    return str(Path(file).parent) + os.sep if hasattr(top, "__path__") else file


def _unwrapped(handler: Any) -> Any:
    while isinstance(handler, functools.partial):
        handler = handler.func
    handler = inspect.unwrap(handler)
    return getattr(handler, "__func__", handler)


def code_of(handler: Any) -> CodeType | None:
    """Give the code of a function, method, partial or callable object."""
    function = _unwrapped(handler)
    code = getattr(function, "__code__", None)
    if code is None and not isinstance(function, type):
        code = getattr(inspect.getattr_static(type(function), "__call__", None), "__code__", None)
    return code


def _codes_of_world(world: object) -> "set[CodeType | None]":
    """Give the code of every method of the objects that make up the world."""
    codes: set[CodeType | None] = set()
    seen: set[int] = set()
    left: list[tuple[object, int]] = [(world, 0)]
    while left:
        each, depth = left.pop()
        if id(each) in seen or depth > 4 or isinstance(each, (type, str, bytes, int, float, type(sys))):
            continue
        seen.add(id(each))
        if callable(each) and (code := code_of(each)) is not None:
            codes.add(code)
        for kind in type(each).__mro__:
            codes.update(_codes_of_class(kind))
        left += [(inner, depth + 1) for inner in _inside(each)]
    return codes


@functools.lru_cache(maxsize=1_000)
def _codes_of_class(kind: type) -> "frozenset[CodeType | None]":
    functions = [
        function
        for member in vars(kind).values()
        for function in (member, getattr(member, "__func__", None), getattr(member, "fget", None), getattr(member, "fset", None))
    ]
    return frozenset(code_of(function) for function in functions if inspect.isfunction(function))


def _inside(each: object) -> list[object]:
    if isinstance(each, dict):
        return list(each.values())
    if isinstance(each, (list, tuple, set, frozenset)):
        return list(each)
    return list(attributes_of(each).values())


def _is_head(code: CodeType, number: int) -> bool:
    """Say whether that is the `async def` of a coroutine, which "runs" when it is called, before anything of it is awaited."""
    return number == code.co_firstlineno and bool(code.co_flags & _DEFERRED)


if sys.version_info >= (3, 12):

    @contextmanager
    def watching(places: Places, on_line: OnLine) -> Iterator[Watch]:
        """Watch the lines of a thread while it looks."""
        monitoring = sys.monitoring
        tool = next(number for number in _TOOL_IDS if monitoring.get_tool(number) is None)
        watch = Watch()
        instrumented: set[CodeType] = set()

        def start(code: CodeType, _: int) -> object:
            if not places.has_points(code):
                return monitoring.DISABLE
            if code not in instrumented:
                instrumented.add(code)
                monitoring.set_local_events(tool, code, monitoring.events.LINE)
            return None

        def line(code: CodeType, number: int) -> None:
            if watch.sees and not _is_head(code, number) and places.is_point(sys._getframe(1)):
                on_line(code, number)

        monitoring.use_tool_id(tool, "publican")
        try:
            monitoring.register_callback(tool, monitoring.events.PY_START, start)
            monitoring.register_callback(tool, monitoring.events.LINE, line)
            monitoring.set_events(tool, monitoring.events.PY_START)
            monitoring.restart_events()
            yield watch
        finally:
            monitoring.set_events(tool, 0)
            for code in instrumented:
                monitoring.set_local_events(tool, code, 0)
            for event in (monitoring.events.PY_START, monitoring.events.LINE):
                monitoring.register_callback(tool, event, None)
            monitoring.free_tool_id(tool)

else:

    @contextmanager
    def watching(places: Places, on_line: OnLine) -> Iterator[Watch]:
        """Watch the lines of a thread while it looks."""
        before = sys.gettrace()

        def line(frame: FrameType, event: str, _: object) -> Any:
            if event == "line" and watch.sees and not _is_head(frame.f_code, frame.f_lineno):
                on_line(frame.f_code, frame.f_lineno)
            return line

        def call(frame: FrameType, _event: str, _: object) -> Any:
            return line if places.has_points(frame.f_code) and places.is_point(frame) else None

        class Traced(Watch):
            """Sets the trace anew each time: Python takes it away when it raises."""

            def look(self) -> None:
                super().look()
                sys.settrace(call)

            def look_away(self) -> None:
                super().look_away()
                sys.settrace(before)

        watch = Traced()
        try:
            yield watch
        finally:
            watch.look_away()
