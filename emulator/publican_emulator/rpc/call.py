"""One call: what a handler is told beside the request's bytes, and the shape that handlers have.

A unary handler takes the request's bytes and gives the response's: at once, or as an awaitable when it has to wait (a Pull's long poll, a
commit point that has not passed). Whoever calls it asks `type(answer) is bytes` first, so that a Publish never becomes a task.

PYTEST_DONT_REWRITE
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from publican_emulator.rpc.stream import MessageStream


@dataclass(slots=True)
class CallInfo:
    """What is known about a call beside its message."""

    path: str
    carrier: str
    """`grpc` or `rest`."""
    metadata: Sequence[tuple[bytes, bytes]] = ()
    timeout_s: float | None = None
    """Seconds that the caller will wait, from its `grpc-timeout`; None: for ever."""
    peer: str = ""


Handler = Callable[[bytes, CallInfo], bytes | Awaitable[bytes]]
"""Answers one unary call; raises PubsubError to refuse it."""

StreamHandler = Callable[[MessageStream, CallInfo], Awaitable[None]]
"""Serves one stream until it returns (OK) or raises PubsubError."""
