"""What the client of 2.1.2 does where no loop runs: calls that are done at once, and `run_forever`.

PYTEST_DONT_REWRITE
"""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine, Generator, Iterator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Finished(Coroutine[Any, Any, T], Generic[T]):
    """A coroutine that has already ended: `await`, `asyncio.run` and `run_until_complete` give its result, and nobody has to."""

    def __init__(self, result: T) -> None:
        self._result = result

    def __await__(self) -> Generator[Any, Any, T]:
        yield from ()  # what makes this a generator
        return self._result

    def send(self, value: Any) -> Any:
        """End, with the result."""
        raise StopIteration(self._result)

    def throw(self, *error: Any) -> Any:
        """Raise what is thrown in."""
        raise error[1] if len(error) > 1 and error[1] is not None else error[0]

    def close(self) -> None:
        """Nothing is left to close."""


def is_loop_running() -> bool:
    """Say whether a loop runs in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def run_now(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on a loop of its own, leaving the thread's loop as it is."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(coroutine)


def run_until_done(loop: asyncio.AbstractEventLoop, keep_alive: "asyncio.Future[Any]", *, is_ours: bool) -> None:
    """Run `loop` until SIGTERM, SIGINT or the end of the keep-alive; drain; then end what is ours of the loop.

    Raises:
        BaseException: what ended the keep-alive, unless that was its cancellation.
    """
    try:
        with _signals(loop, keep_alive.cancel):
            loop.run_until_complete(asyncio.wait([keep_alive]))
    finally:
        if is_ours:
            _end(loop)
    if not keep_alive.cancelled() and (error := keep_alive.exception()) is not None:
        raise error


@contextlib.contextmanager
def _signals(loop: asyncio.AbstractEventLoop, cancel: Callable[[], object]) -> Iterator[None]:
    """Let SIGTERM and SIGINT cancel the keep-alive, a second one at once; the handlers of before are back afterwards."""
    before = {}
    for each in (signal.SIGTERM, signal.SIGINT):
        try:
            found = signal.getsignal(each)
            loop.add_signal_handler(each, cancel)
        except (ValueError, RuntimeError, NotImplementedError):
            continue  # not the main thread, or Windows: whoever owns the signals has to cancel the keep-alive
        before[each] = found
    try:
        yield
    finally:
        for each, handler in before.items():
            loop.remove_signal_handler(each)
            signal.signal(each, handler)


def _end(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what runs yet, let it end, close what belongs to the loop, and the loop."""
    try:
        rest = asyncio.all_tasks(loop)
        for task in rest:
            task.cancel()
        if rest:
            loop.run_until_complete(asyncio.wait(rest))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()
