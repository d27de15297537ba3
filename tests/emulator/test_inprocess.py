"""The loop thread: one bridge in, errors come out of it, frozen time and forbidden sockets do not stop it, nothing is left."""

import asyncio
import contextlib
import gc
import socket
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from publican_emulator import inprocess
from publican_emulator.inprocess import Loop, LoopThread, real_sockets


@pytest.fixture
def thread() -> Iterator[LoopThread]:
    with LoopThread() as running:
        yield running


async def _now_plus(seconds: float) -> float:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await asyncio.Event().wait()
    return seconds


def test_a_function_runs_in_the_loop_and_its_result_comes_back(thread: LoopThread) -> None:
    assert thread.call(threading.current_thread).name == "publican"
    assert thread.call(sorted, [2, 1], reverse=True) == [2, 1]


def test_a_coroutine_is_awaited(thread: LoopThread) -> None:
    assert thread.call(_now_plus, 0.001) == 0.001


def test_an_error_comes_back_to_the_caller(thread: LoopThread) -> None:
    with pytest.raises(ZeroDivisionError):
        thread.call(lambda: 1 / 0)
    assert thread.call(int) == 0


def test_an_error_at_the_start_comes_back_to_the_caller_and_leaves_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    before = threading.enumerate()

    def refuse() -> Loop:
        raise OSError("no more descriptors")

    monkeypatch.setattr(inprocess, "Loop", refuse)
    with pytest.raises(OSError, match="no more descriptors"), LoopThread():
        pass
    assert threading.enumerate() == before


def test_the_loop_does_not_wait_for_itself(thread: LoopThread) -> None:
    with pytest.raises(RuntimeError, match="own thread"):
        thread.call(thread.call, int)


def test_after_the_end_a_call_is_refused_and_nothing_warns() -> None:
    with LoopThread() as thread:
        pass
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(RuntimeError, match="closed"):
            thread.call(int)
        gc.collect()
    assert not caught


def test_what_an_interrupted_caller_waited_for_is_cancelled(thread: LoopThread) -> None:
    cancelled = threading.Event()
    entered = threading.Event()

    async def wait_for_ever() -> None:
        entered.set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    class Interrupted:
        """Stands in for the future whose `result` a Ctrl-C interrupts."""

        def __init__(self, future: object) -> None:
            self._future = future

        def result(self) -> None:
            entered.wait()
            raise KeyboardInterrupt

        def cancel(self) -> None:
            self._future.cancel()  # type: ignore[attr-defined]  # a concurrent future

    start = asyncio.run_coroutine_threadsafe
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(asyncio, "run_coroutine_threadsafe", lambda *args: Interrupted(start(*args)))
        with pytest.raises(KeyboardInterrupt):
            thread.call(wait_for_ever)
    assert cancelled.wait(5)


def test_tasks_that_are_left_end_with_the_loop() -> None:
    ended = threading.Event()
    tasks = []

    async def wait_for_ever() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.set()

    async def leave_a_task() -> None:
        tasks.append(asyncio.ensure_future(wait_for_ever()))
        await asyncio.sleep(0)

    with LoopThread() as thread:
        thread.call(leave_a_task)
    assert ended.is_set()


def test_threads_and_descriptors_are_given_back() -> None:
    descriptors = Path("/proc/self/fd")
    with LoopThread():
        pass
    threads, open_files = threading.enumerate(), len(list(descriptors.iterdir()))
    for _ in range(20):
        with LoopThread() as thread:
            thread.call(int)
    assert threading.enumerate() == threads
    assert len(list(descriptors.iterdir())) == open_files


FREEZE = 'import freezegun; freezegun.freeze_time("2020-01-01").start()'
IMPORT = "from publican_emulator.inprocess import LoopThread"
WAIT = """
import asyncio

async def wait():
    try:
        async with asyncio.timeout(0.01):
            await asyncio.Event().wait()
    except TimeoutError:
        print("time went on")

with LoopThread() as thread:
    thread.call(wait)
"""


@pytest.mark.parametrize("order", [(IMPORT, FREEZE), (FREEZE, IMPORT)], ids=["imported first", "frozen first"])
def test_frozen_time_does_not_stop_the_loop(order: tuple[str, str]) -> None:
    program = textwrap.dedent("\n".join([*order, WAIT]))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=False)
    assert done.stdout == "time went on\n", done.stderr


@pytest.fixture
def forbidden_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What pytest-socket does."""

    class Forbidden(socket.socket):
        def __new__(cls, *args: object, **kwargs: object) -> "Forbidden":
            raise RuntimeError("A test tried to use socket.socket.")

    monkeypatch.setattr(socket, "socket", Forbidden)


def test_a_loop_starts_and_accepts_while_sockets_are_forbidden(forbidden_sockets: None) -> None:
    real = socket.socket.__mro__[1]
    greeted = threading.Event()

    class Greeter(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            greeted.set()
            transport.close()

    async def listen() -> tuple[asyncio.Server, tuple[str, int]]:
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        server = await asyncio.get_running_loop().create_server(Greeter, sock=listening)
        return server, server.sockets[0].getsockname()

    with contextlib.ExitStack() as scope:
        with real_sockets():
            thread = scope.enter_context(LoopThread())
            server, address = thread.call(listen)
        caller = real()
        scope.callback(caller.close)
        caller.connect(address)
        assert caller.recv(1) == b""
        assert greeted.is_set()
        thread.call(server.close)
    with pytest.raises(RuntimeError, match="tried to use"):
        socket.socket()


def test_a_forked_process_is_told_that_the_thread_did_not_come_along(thread: LoopThread, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thread, "_pid", -1)
    with pytest.raises(RuntimeError, match="use the subprocess backend"):
        thread.call(sorted, [])
