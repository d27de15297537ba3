"""From a path and bytes to bytes or a failure: the one door behind gRPC and REST.

What can be answered at once is answered at once: `call` gives bytes or a Failure, and a coroutine only when the handler has to wait, so
that no Publish costs a task. The caller's deadline ends what waits. The faults that a test has wished for are met first. A PubsubError is an
answer; anything else is a bug of ours, which becomes INTERNAL with its stack trace in the log and is kept in `surprises`, where a test's
teardown finds it.

PYTEST_DONT_REWRITE
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from typing import Any, Final, TypeVar

from publican_emulator.broker.errors import DeadlineExceeded, Internal, NotFound, PubsubError, Unimplemented
from publican_emulator.rpc.call import CallInfo, Handler, StreamHandler
from publican_emulator.rpc.faults import Faults
from publican_emulator.rpc.status import Failure, failure
from publican_emulator.rpc.stream import Begun, MessageStream

T = TypeVar("T")

logger = logging.getLogger("publican.rpc")

ExistingNames = Callable[[str], Iterable[str]]
"""Gives the full names that exist of one kind of resource ("topic", "subscription", ...)."""

_SURPRISES_MAX: Final = 100
_COMPARED_NAMES_MAX: Final = 1_000


class Dispatcher:
    """The table of callables, by gRPC path, and what holds for every call."""

    def __init__(
        self,
        unary: Mapping[str, Handler],
        streaming: Mapping[str, StreamHandler] | None = None,
        *,
        existing_names: ExistingNames | None = None,
        faults: Faults | None = None,
    ) -> None:
        self._unary = unary
        self._faults = faults or Faults()
        self._streaming = streaming or {}
        self._existing_names = existing_names
        self.surprises: list[Exception] = []
        """Errors that were bugs of ours, oldest first; the first hundred."""

    def call(self, path: str, body: bytes, info: CallInfo) -> bytes | Failure | Coroutine[Any, Any, bytes | Failure]:
        """Answer a unary call: at once where possible, else by a coroutine for the caller to await or to cancel."""
        handler = self._unary.get(path)
        if handler is None:
            return self._no_such_method(path)
        if info.timeout_s is not None and info.timeout_s <= 0:
            return _too_late()
        try:
            if self._faults.wished and (delay_s := self._faults.meet(path, body, info)):
                return self._in_time(path, self._later(delay_s, handler, body, info), info)
            answer = handler(body, info)
        except PubsubError as error:
            return self._refused(error)
        except Exception as error:  # noqa: BLE001  (the one place: a bug must not take the connection with it)
            return self.surprised(path, error)
        return answer if isinstance(answer, bytes) else self._wait_for(path, answer, info)

    def stream(self, path: str) -> StreamHandler | None:
        """Give the handler of a streaming method; None when `path` names none."""
        return self._streaming.get(path)

    async def run_stream(self, path: str, stream: MessageStream, info: CallInfo) -> Failure | None:
        """Serve one stream to its end; None means OK."""
        handler = self._streaming.get(path)
        if handler is None:
            return self._no_such_method(path)
        ended = await self._in_time(path, self._served(path, handler, stream, info) if self._faults.wished else handler(stream, info), info)
        return ended if isinstance(ended, Failure) else None

    def surprised(self, path: str, error: Exception) -> Failure:
        """Keep and log a bug of ours; give what its caller is told."""
        logger.error("%s failed unexpectedly; this is a bug in Publican", path, exc_info=error)
        if len(self.surprises) < _SURPRISES_MAX:
            self.surprises.append(error)
        return failure(Internal(f"Internal error encountered. {type(error).__name__}: {error} (a bug in Publican; its log has the trace)"))

    async def _later(self, delay_s: float, handler: Handler, body: bytes, info: CallInfo) -> bytes:
        await self._faults.sleep(delay_s)
        answer = handler(body, info)
        return answer if isinstance(answer, bytes) else await answer

    async def _served(self, path: str, handler: StreamHandler, stream: MessageStream, info: CallInfo) -> None:
        first = await stream.receive()
        if delay_s := self._faults.meet(path, first or b"", info):
            await self._faults.sleep(delay_s)
        await handler(Begun(stream, first), info)

    async def _wait_for(self, path: str, answer: Awaitable[bytes], info: CallInfo) -> bytes | Failure:
        return await self._in_time(path, answer, info)

    async def _in_time(self, path: str, answer: Awaitable[T], info: CallInfo) -> T | Failure:
        deadline = asyncio.timeout(info.timeout_s)
        try:
            async with deadline:
                return await answer
        except PubsubError as error:
            return self._refused(error)
        except TimeoutError as error:
            return _too_late() if deadline.expired() else self.surprised(path, error)
        except Exception as error:  # noqa: BLE001  (as in call)
            return self.surprised(path, error)

    def _refused(self, error: PubsubError) -> Failure:
        if isinstance(error, NotFound) and logger.isEnabledFor(logging.INFO):
            logger.info("%s%s", error.message, self._nearest(error))
        return failure(error)

    def _nearest(self, error: NotFound) -> str:
        if self._existing_names is None:
            return ""
        import difflib  # 10 ms that only a mistaken name needs
        import itertools

        names = list(itertools.islice(self._existing_names(error.kind), _COMPARED_NAMES_MAX))
        if not names:
            return f" There is no {error.kind} yet."
        return f" Did you mean {difflib.get_close_matches(error.name, names, n=1, cutoff=0.0)[0]}?"

    def _no_such_method(self, path: str) -> Failure:
        return failure(Unimplemented(f"Method not found: {path}."))


def _too_late() -> Failure:
    return failure(DeadlineExceeded("Deadline exceeded: the caller's timeout passed before there was an answer."))
