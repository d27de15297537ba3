"""What every blocking class is: an asynchronous one, made in the portal's process, and a way to call it.

PYTEST_DONT_REWRITE
"""

import concurrent.futures
import logging
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any, Final, Generic, TypeVar

from publican.errors import Closed, ForkedProcess
from publican.rest import portal

C = TypeVar("C")
T = TypeVar("T")

log: Final = logging.getLogger("publican.client")
_END: Final[Any] = object()
_left_behind: Final[list[Any]] = []
"""Clients from before a fork: the parent goes on with their connections, and a child must not close them by forgetting them."""


class Twin(Generic[C]):
    """An asynchronous client in the portal; after a fork a new one, made of the same settings."""

    def __init__(self, make: Callable[..., C], settings: dict[str, Any], *, close: Callable[[C], Coroutine[Any, Any, Any]]) -> None:
        _unused(settings.pop("session", None))
        self._make = make
        self._settings = settings
        self._close = close
        self._client = make(**settings)
        self._generation = portal.generation()
        self._is_entered = False
        self._is_closed = False

    @property
    def client(self) -> C:
        """The asynchronous client of this process."""
        if self._generation != portal.generation():
            _left_behind.append(self._client)
            if self._settings.get("transport") == "auto":
                log.warning("this process was forked, and gRPC does not live on in a child: it polls by REST instead")
                self._settings["transport"] = "polling"
            self._client = self._make(**self._settings)
            self._generation = portal.generation()
            self._is_entered = False
        return self._client

    @property
    def is_forked(self) -> bool:
        """Whether the client belongs to a parent process, and no call has been made in this one."""
        return self._generation != portal.generation()

    def enter(self) -> portal.Portal:
        """Give the portal."""
        if self._is_closed:
            raise Closed("The client is closed.")
        self._is_entered = True
        return portal.enter(self)

    def call(self, function: Callable[[C], Coroutine[Any, Any, T]], session: object = None) -> T:
        """Call the client, and wait for the answer."""
        _unused(session)
        client = self.client
        return self.enter().call(lambda: function(client))

    def items(self, function: Callable[[C], AsyncIterator[T]]) -> Iterator[T]:
        """Give each item of an asynchronous iterator, as it is asked for."""
        iterator = function(self.client)
        while (item := self.call(lambda _: _next(iterator))) is not _END:
            yield item

    def close(self, timeout: float | None = None) -> None:
        """Close the client, and leave the portal; the last to leave ends it. `timeout` bounds the wait at the interpreter's end."""
        if self._is_closed:
            return
        if self._is_entered and not self.is_forked:
            client = self._client
            self.enter().call(lambda: self._close(client), timeout)
        self._is_closed = True
        portal.leave(self)


def _unused(session: object) -> None:
    if session is not None:
        warnings.warn("publican.rest has connections of its own: session= is not used", stacklevel=4)


async def _next(iterator: AsyncIterator[T]) -> T:
    return await anext(iterator, _END)


class Result(concurrent.futures.Future[T], Generic[T]):
    """A future that belongs to the process that made it: in a forked child nobody would ever fulfil it."""

    def __init__(self) -> None:
        super().__init__()
        self._generation = portal.generation()

    def result(self, timeout: float | None = None) -> T:
        """Give the result, waiting at most `timeout` seconds.

        Raises:
            ForkedProcess: this is a forked child; the parent has the result.
        """
        self._check()
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Give the error, or None; as `result` otherwise."""
        self._check()
        return super().exception(timeout)

    def _check(self) -> None:
        if self._generation != portal.generation() and not self.done():
            raise ForkedProcess("This began before the process was forked: the parent goes on with it, and only there it has a result.")
