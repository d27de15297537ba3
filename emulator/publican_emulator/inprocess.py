"""An event loop on a thread of its own, and the one bridge into it.

Test suites freeze time and forbid sockets, and a loop must survive both. freezegun replaces `time.monotonic` wherever a module holds it, and
a loop that reads a frozen clock never wakes again; default arguments it leaves alone, so that is where ours keeps the real one. pytest-socket
puts a class that refuses in the place of `socket.socket`: the loop starts with the real one back, and accepts through a class that does not
ask there.

Whatever another thread wants of the emulator goes through `LoopThread.call`.

PYTEST_DONT_REWRITE
"""

import asyncio
import contextlib
import functools
import inspect
import os
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Final, ParamSpec, Self, TypeVar, overload

P = ParamSpec("P")
T = TypeVar("T")

_SWAP: Final = threading.Lock()

if sys.platform == "win32":
    _monotonic = time.monotonic
else:
    _monotonic = functools.partial(time.clock_gettime, time.CLOCK_MONOTONIC)  # real even when this is first imported while time is frozen

_Socket: type[socket.socket] = next(each for each in socket.socket.__mro__ if each.__module__ == "socket")  # likewise, under pytest-socket


class Loop(asyncio.SelectorEventLoop):
    """An event loop that frozen time does not stop, and that accepts while sockets are forbidden."""

    def time(self, monotonic: Callable[[], float] = _monotonic) -> float:
        """Give the loop's time."""
        return monotonic()

    async def create_server(self, *args: Any, sock: socket.socket | None = None, **kwargs: Any) -> asyncio.Server:
        """Listen, as in asyncio; a socket that was handed in accepts whatever stands in the place of `socket.socket`."""
        return await super().create_server(*args, sock=sock and _Listening(fileno=sock.detach()), **kwargs)


class _Listening(_Socket):  # type: ignore[misc,valid-type]  # mypy cannot follow a base class that is looked up
    """A listening socket. The inherited `accept` looks up `socket.socket` each time (pytest-socket#540)."""

    def accept(self) -> tuple[socket.socket, Any]:
        descriptor, address = self._accept()
        accepted = _Socket(self.family, self.type, self.proto, fileno=descriptor)
        return accepted, address


@contextlib.contextmanager
def real_sockets() -> Iterator[None]:
    """Put the real `socket.socket` back for as long as a loop starts and begins to listen: its own wake-up pipe is a pair of sockets."""
    with _SWAP:
        found = socket.socket
        socket.socket = _Socket  # type: ignore[misc]  # that is the point
        try:
            yield
        finally:
            socket.socket = found  # type: ignore[misc]


class LoopThread:
    """A running event loop on its own thread, between `__enter__` and `__exit__`; nothing of it is left afterwards."""

    def __init__(self) -> None:
        # A daemon, because whoever forgets the exit should not wait for ever at the end of the interpreter.
        self._thread = threading.Thread(target=self._run, name="publican", daemon=True)
        self._pid = os.getpid()
        self._started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    def __enter__(self) -> Self:
        self._thread.start()
        self._loop, self._stopping = self._started.result()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    @overload
    def call(self, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T: ...
    @overload
    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T: ...
    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call `function` in the loop, await what it gives if that can be awaited, and give the result to the calling thread.

        An interrupted caller (Ctrl-C) cancels what it was waiting for.

        Raises:
            RuntimeError: called from the loop's own thread, which would wait for itself, or after the end of the loop.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("LoopThread.call: this is the loop's own thread, call the function directly")
        if os.getpid() != self._pid:
            raise RuntimeError("a forked process does not have the emulator's thread: let it ask by the address, or use the subprocess backend")
        coroutine = _awaited(function, args, kwargs)
        try:
            answer = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError:
            coroutine.close()
            raise
        try:
            return answer.result()
        finally:
            answer.cancel()  # without effect on one that is done

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=Loop) as runner:
                runner.run(self._until_stopped())
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)

    async def _until_stopped(self) -> None:
        stopping = asyncio.Event()
        self._started.set_result((asyncio.get_running_loop(), stopping))
        await stopping.wait()


async def _awaited(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    answer = function(*args, **kwargs)
    return await answer if inspect.isawaitable(answer) else answer
