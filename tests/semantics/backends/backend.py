"""A way into Publican: what the tests of the semantics may do to it, whatever carries the calls.

Requests and responses are the messages of the API on every way in. Time is virtual and stands still between calls; everything that a call or a
step of time has set off has happened when the method returns.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, Self

from google.protobuf.message import Message

from publican_protocol import pubsub
from publican_protocol.methods import Method, methods

START: Final = 1_700_000_000_000_000_000
"""When every test begins, in nanoseconds since the epoch: a Tuesday night in November 2023."""
LIMIT_S: Final = 30.0
"""How long a test waits for an answer; only a failure reaches it."""

BY_NAME: Final[Mapping[str, Method]] = {method.name: method for method in methods().values()}


@dataclass
class Refused(Exception):
    """A call or a stream that ended with an error; `failed` says, of each ack id that was refused, why."""

    code: str
    text: str
    reason: str = ""
    failed: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"


class Waiting(Protocol):
    """A call that has been made and waits for its answer on the other side."""

    def is_answered(self) -> bool:
        """Say whether the answer is there."""

    def result(self) -> Message:
        """Wait for the answer."""

    def cancel(self) -> None:
        """Go away."""


class Stream(Protocol):
    """A StreamingPull."""

    def send(self, request: pubsub.StreamingPullRequest) -> None:
        """Send another request."""

    def responses(self) -> list[pubsub.StreamingPullResponse]:
        """Give the responses that have come since the last look, all that is on its way included; not the empty ones."""

    def error(self) -> Refused:
        """Wait for the end, and say what it was."""

    def close(self) -> None:
        """End it from this side."""


class Backend(Protocol):
    """One way in."""

    name: str

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc_info: object) -> None: ...

    def reset(self) -> None:
        """Begin again: nothing is there, and the clock stands at START."""

    def check(self) -> None:
        """Fail when something has happened inside that should not."""

    def now(self) -> int:
        """Give the instant, in nanoseconds since the epoch."""

    def advance(self, seconds: float) -> None:
        """Let time pass."""

    def call(self, method: str, request: Message) -> Message:
        """Make a unary call by the name of its method, and give the answer.

        Raises:
            Refused: it was an error.
        """

    def start(self, method: str, request: Message) -> Waiting:
        """Make a Pull that is going to wait, and return when it does, or when it has been answered."""

    def stream(self, request: pubsub.StreamingPullRequest) -> Stream:
        """Open a StreamingPull by its first request; where that is refused, the stream has ended."""
