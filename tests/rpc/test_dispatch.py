"""The dispatcher: immediate answers stay immediate, what waits ends at the caller's deadline, errors become failures."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from publican_emulator.broker.errors import AlreadyExists, NotFound
from publican_emulator.rpc.call import CallInfo, Handler
from publican_emulator.rpc.dispatch import Dispatcher
from publican_emulator.rpc.status import Failure
from publican_emulator.rpc.stream import MessageStream
from publican_protocol.codes import Code

PATH = "/test.Service/Method"


def info(timeout_s: float | None = None) -> CallInfo:
    return CallInfo(PATH, "grpc", timeout_s=timeout_s)


def dispatcher_of(handler: Handler, **options: Any) -> Dispatcher:
    return Dispatcher({PATH: handler}, **options)


def raising(error: Exception) -> Handler:
    def handle(body: bytes, info: CallInfo) -> bytes:
        raise error

    return handle


def raising_later(error: Exception) -> Handler:
    async def handle(body: bytes, info: CallInfo) -> bytes:
        raise error

    return handle


async def never(body: bytes, info: CallInfo) -> bytes:
    future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    return await future


def outcome(dispatcher: Dispatcher, *, timeout_s: float | None = None) -> bytes | Failure:
    """Call, and wait where there is something to wait for."""
    answer = dispatcher.call(PATH, b"request", info(timeout_s))
    return answer if isinstance(answer, (bytes, Failure)) else asyncio.run(answer)


def test_an_answer_that_is_there_at_once_is_given_at_once() -> None:
    dispatcher = dispatcher_of(lambda body, info: b"answer to " + body)
    assert dispatcher.call(PATH, b"request", info()) == b"answer to request"


def test_an_answer_that_has_to_wait_is_a_coroutine() -> None:
    async def handle(body: bytes, info: CallInfo) -> bytes:
        return b"later"

    answer = dispatcher_of(handle).call(PATH, b"", info())
    assert not isinstance(answer, (bytes, Failure))
    assert asyncio.run(answer) == b"later"


@pytest.mark.parametrize("make", [raising, raising_later])
def test_a_refusal_keeps_its_code_and_words(make: Callable[[Exception], Handler]) -> None:
    failed = outcome(dispatcher_of(make(AlreadyExists("topic", "projects/p/topics/t"))))
    assert isinstance(failed, Failure)
    assert (failed.code, failed.message) == (Code.ALREADY_EXISTS, "Resource already exists in the project (resource=t).")
    assert failed.details is None


def test_an_unknown_method_is_unimplemented() -> None:
    failed = Dispatcher({}).call("/test.Service/Other", b"", info())
    assert isinstance(failed, Failure)
    assert failed.code is Code.UNIMPLEMENTED
    assert "/test.Service/Other" in failed.message


@pytest.mark.parametrize("make", [raising, raising_later])
def test_a_bug_is_internal_and_kept_and_logged_with_its_trace(make: Callable[[Exception], Handler], caplog: pytest.LogCaptureFixture) -> None:
    bug = KeyError("lost")
    dispatcher = dispatcher_of(make(bug))
    failed = outcome(dispatcher)
    assert isinstance(failed, Failure)
    assert failed.code is Code.INTERNAL
    assert dispatcher.surprises == [bug]
    assert "Traceback" in caplog.text


def test_a_timeout_inside_a_handler_is_not_taken_for_the_callers_deadline() -> None:
    dispatcher = dispatcher_of(raising_later(TimeoutError("of ours")))
    failed = outcome(dispatcher, timeout_s=60)
    assert isinstance(failed, Failure)
    assert failed.code is Code.INTERNAL
    assert len(dispatcher.surprises) == 1


def test_what_waits_ends_at_the_callers_deadline() -> None:
    failed = outcome(dispatcher_of(never), timeout_s=0.001)
    assert isinstance(failed, Failure)
    assert failed.code is Code.DEADLINE_EXCEEDED


def test_a_deadline_that_has_passed_stops_the_call_before_its_handler() -> None:
    called: list[bytes] = []

    def handle(body: bytes, info: CallInfo) -> bytes:
        called.append(body)
        return b""

    failed = outcome(dispatcher_of(handle), timeout_s=0)
    assert isinstance(failed, Failure)
    assert failed.code is Code.DEADLINE_EXCEEDED
    assert called == []


def test_cancelling_reaches_the_handler_and_is_not_swallowed() -> None:
    ended: list[str] = []

    async def handle(body: bytes, info: CallInfo) -> bytes:
        try:
            return await never(body, info)
        finally:
            ended.append("cancelled")

    async def cancel() -> None:
        answer = dispatcher_of(handle).call(PATH, b"", info())
        assert not isinstance(answer, (bytes, Failure))
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(answer)
            await asyncio.sleep(0)
            waiting.cancel()
        assert waiting.cancelled()

    asyncio.run(cancel())
    assert ended == ["cancelled"]


@pytest.mark.parametrize(
    ("existing", "hint"),
    [
        ([], "There is no topic yet."),
        (["projects/p/topics/orders"], "Did you mean projects/p/topics/orders?"),
        (["projects/p/topics/a", "projects/p/topics/orders"], "Did you mean projects/p/topics/orders?"),
    ],
)
def test_a_not_found_is_logged_with_the_nearest_existing_name(existing: list[str], hint: str, caplog: pytest.LogCaptureFixture) -> None:
    dispatcher = dispatcher_of(raising(NotFound("topic", "projects/p/topics/order")), existing_names=lambda kind: existing)
    with caplog.at_level(logging.INFO, "publican.rpc"):
        failed = outcome(dispatcher)
    assert isinstance(failed, Failure)
    assert failed.message == "Resource not found (resource=order)."
    assert [(record.levelname, record.message) for record in caplog.records] == [("INFO", f"Resource not found (resource=order). {hint}")]


def test_names_are_not_compared_when_nobody_reads_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def existing(kind: str) -> list[str]:
        raise AssertionError

    with caplog.at_level(logging.WARNING, "publican.rpc"):
        outcome(dispatcher_of(raising(NotFound("topic", "projects/p/topics/t")), existing_names=existing))


class Stream:
    """A stream that nobody reads or writes."""

    async def receive(self) -> bytes | None:
        return None

    def start(self) -> None: ...

    async def writable(self) -> None: ...

    def room(self) -> int:
        return 0

    def write(self, message: bytes) -> None: ...


def run_stream(handler: Callable[[MessageStream, CallInfo], Awaitable[None]], timeout_s: float | None = None) -> Failure | None:
    return asyncio.run(Dispatcher({}, {PATH: handler}).run_stream(PATH, Stream(), info(timeout_s)))


def test_a_stream_that_returns_is_ok() -> None:
    async def serve(stream: MessageStream, info: CallInfo) -> None:
        assert await stream.receive() is None

    assert run_stream(serve) is None


def test_a_stream_that_is_refused_has_a_failure() -> None:
    async def serve(stream: MessageStream, info: CallInfo) -> None:
        raise NotFound("subscription", "projects/p/subscriptions/s")

    failed = run_stream(serve)
    assert failed is not None
    assert failed.code is Code.NOT_FOUND


def test_a_stream_ends_at_its_deadline() -> None:
    async def serve(stream: MessageStream, info: CallInfo) -> None:
        await never(b"", info)

    failed = run_stream(serve, timeout_s=0.001)
    assert failed is not None
    assert failed.code is Code.DEADLINE_EXCEEDED


def test_a_path_without_a_stream_handler_has_none() -> None:
    dispatcher = Dispatcher({})
    assert dispatcher.stream(PATH) is None
    failed = asyncio.run(dispatcher.run_stream(PATH, Stream(), info()))
    assert failed is not None
    assert failed.code is Code.UNIMPLEMENTED
