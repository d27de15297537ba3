"""One event loop on a thread of its own, for all blocking clients of a process: started by the first call, ended when the last client closes.

`Portal.call` is the one bridge into it. What a forgotten client has not sent yet is sent when the interpreter ends, within a bound. A fork leaves the
thread behind: the child starts anew, and what was under way stays the parent's.

PYTEST_DONT_REWRITE
"""

import asyncio
import atexit
import concurrent.futures
import logging
import os
import threading
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol, TypeVar

from publican.aio.tasks import detached
from publican.clock import SECOND, SystemClock

T = TypeVar("T")

INTERRUPTED_WAIT_S: Final = 5.0
EXIT_WAIT_S: Final = 10.0
log: Final = logging.getLogger("publican.client")
_clock: Final = SystemClock()


class _Loop(asyncio.SelectorEventLoop):
    """A loop that goes on while a test holds the time still."""

    def time(self) -> float:
        return _clock.now() / SECOND


class Portal:
    """A running loop, and the way into it."""

    def __init__(self) -> None:
        self._started: concurrent.futures.Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = concurrent.futures.Future()
        # A daemon: whoever forgets to close should not wait for ever at the end. _at_exit drains it first.
        self._thread = threading.Thread(target=self._run, name="publican-portal", daemon=True)
        self._thread.start()
        self.loop, self._stopping = self._started.result()

    def call(self, function: Callable[[], Coroutine[Any, Any, T]], timeout: float | None = None) -> T:
        """Run a coroutine to its end in the loop, and give its result here, waiting at most `timeout` seconds for it.

        Ctrl-C cancels it, waits a moment for its end, and goes on.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("a blocking call on the portal's own thread would wait for itself: use publican.aio in coroutines and callbacks of it")
        done: concurrent.futures.Future[T] = concurrent.futures.Future()
        tasks: list[asyncio.Task[T]] = []

        def start() -> None:
            task = detached(function(), self.loop)
            tasks.append(task)
            task.add_done_callback(lambda ended: _copy(ended, done))

        self.loop.call_soon_threadsafe(start)
        try:
            return done.result(timeout)
        except KeyboardInterrupt:
            if not done.done():
                self.loop.call_soon_threadsafe(lambda: [task.cancel() for task in tasks])
                concurrent.futures.wait([done], INTERRUPTED_WAIT_S)
            raise

    def post(self, function: Callable[..., Any], *args: Any) -> bool:
        """Call a plain function in the loop, soon; False: the loop has ended, and nothing was called."""
        try:
            self.loop.call_soon_threadsafe(function, *args)
        except RuntimeError:
            return False
        return True

    def stop(self) -> None:
        """End the loop: what runs in it is cancelled and may end."""
        self.post(self._stopping.set)
        self._thread.join(EXIT_WAIT_S)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=_Loop) as runner:
                runner.run(self._until_stopped())
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)

    async def _until_stopped(self) -> None:
        stopping = asyncio.Event()
        self._started.set_result((asyncio.get_running_loop(), stopping))
        await stopping.wait()


class User(Protocol):
    """Who uses the portal."""

    def close(self, timeout: float | None = None) -> None:
        """Close it, and leave."""


class _Process:
    """The portal of this process, and who uses it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.portal: Portal | None = None
        self.users: weakref.WeakSet[User] = weakref.WeakSet()
        self.generation = 0
        """How many forks there are between the first process and this one."""
        self.has_hooks = False

    def forked(self) -> None:
        """Begin anew in a child: its copy of the portal has no thread."""
        self.lock = threading.Lock()
        self.portal = None
        self.users.clear()
        self.generation += 1


_process: Final = _Process()


def generation() -> int:
    """Give a number that a fork changes."""
    return _process.generation


def enter(user: User) -> Portal:
    """Give the portal, which lives until its last user has left.

    Raises:
        RuntimeError: a loop runs in this thread; it would stand still.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        raise RuntimeError("publican.rest blocks, and an event loop runs in this thread: use publican.aio here")
    process = _process
    with process.lock:
        if not process.has_hooks:
            process.has_hooks = True
            atexit.register(_at_exit)
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(after_in_child=process.forked)
        if process.portal is None:
            process.portal = Portal()
        process.users.add(user)
        return process.portal


def leave(user: User) -> None:
    """Say that `user` is closed; the last one ends the portal."""
    process = _process
    with process.lock:
        process.users.discard(user)
        if process.users or process.portal is None:
            return
        portal, process.portal = process.portal, None
    portal.stop()


def _at_exit() -> None:
    """Close what was forgotten: acks and batches that wait are sent yet."""
    for user in list(_process.users):
        try:
            user.close(EXIT_WAIT_S)
        except Exception:
            log.exception("a client that was not closed could not be closed at the end either")
    with _process.lock:
        portal, _process.portal = _process.portal, None
    if portal is not None:
        portal.stop()


def _copy(task: "asyncio.Task[T]", done: "concurrent.futures.Future[T]") -> None:
    if task.cancelled():
        done.set_exception(concurrent.futures.CancelledError())
    elif (error := task.exception()) is not None:
        done.set_exception(error)
    else:
        done.set_result(task.result())
