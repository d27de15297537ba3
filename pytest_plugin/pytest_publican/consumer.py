"""The consumer of a rehearsal: a process that handles one message at a time, can die at any line, and starts again with nothing in its memory.

PYTEST_DONT_REWRITE
"""

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Final

from pytest_publican.lines import Watch
from pytest_publican.message import ReceivedMessage

Handle = Callable[[ReceivedMessage], object]
_MORTAL: Final = (KeyboardInterrupt, SystemExit)


class ConsumerDied(BaseException):
    """Ends a handler where its consumer dies; not an Exception, so that no handler takes it for a failure of its own."""


class Consumer:
    """One process after another. `start` gives a handler; it is called at the beginning and after each death."""

    def __init__(self, start: Callable[[], Handle]) -> None:
        self.is_dead = False
        self._start = start
        self._handle: Handle | None = None
        self._runner: asyncio.Runner | None = None

    def handle(self, message: ReceivedMessage, watch: Watch | None) -> Exception | None:
        """Let the handler work on a message, under the eyes of `watch`; give the error that it raised by itself.

        What comes out of a handler whose consumer died in it is not an error of its own, whatever it made of that.
        """
        try:
            if _is_in_a_loop():
                _in_a_thread(lambda: self._work(message, watch))
            else:
                self._work(message, watch)
        except _MORTAL:
            raise
        except Exception as error:
            if not self.is_dead and type(error).__module__.partition(".")[0] == "hypothesis":
                raise  # `assume()` in a handler
            return None if self.is_dead else error
        except BaseException:
            if not self.is_dead:
                raise
        return None

    def restart(self) -> None:
        """Start again, after a death."""
        self.close()
        self.is_dead = False

    def close(self) -> None:
        """End the process."""
        self._handle = None
        if self._runner is not None:
            runner, self._runner = self._runner, None
            runner.close()

    def _work(self, message: ReceivedMessage, watch: Watch | None) -> None:
        if self._handle is None:
            self._handle = self._start()
        if watch is not None:
            watch.look()
        try:
            returned = self._handle(message)
            if inspect.isawaitable(returned):
                self._await(returned)
        finally:
            if watch is not None:
                watch.look_away()

    def _await(self, awaitable: Awaitable[object]) -> None:
        async def awaited() -> None:
            await awaitable

        if threading.current_thread() is threading.main_thread():
            self._runner = self._runner or asyncio.Runner()
            self._runner.run(awaited())
        else:
            asyncio.run(awaited())


def _is_in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _in_a_thread(work: Callable[[], None]) -> None:
    """Do something in a thread of its own, which may run an event loop while this one stands still."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            context.run(work)
        except BaseException as error:  # noqa: BLE001  (it is raised where it was asked for)
            raised.append(error)

    context: Any = contextvars.copy_context()
    thread = threading.Thread(target=run, name="publican-consumer")
    thread.start()
    thread.join()
    if raised:
        raise raised[0]
