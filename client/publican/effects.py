"""What a subscriber is to do next, as `Receiving` says it: the engine carries these out, in their order.

PYTEST_DONT_REWRITE
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publican.errors import PubsubError
    from publican.leases import Delivery
    from publican.settlement import AckResult, Answer, Batch
    from publican_protocol import pubsub


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a stream with this request, and tell `connected` or `stream_ended`."""

    first: "pubsub.StreamingPullRequest"


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Close the stream: nothing is heard from its peer, or nothing more is wanted."""

    is_final: bool


@dataclass(frozen=True, slots=True)
class Ping:
    """Send an empty request."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Read on: there is room again."""


@dataclass(frozen=True, slots=True)
class Hand:
    """Hand these out."""

    deliveries: "list[Delivery]"


@dataclass(frozen=True, slots=True)
class Send:
    """Make this call, and tell `answered`."""

    batch: "Batch"


@dataclass(frozen=True, slots=True)
class Answered:
    """A call has been answered: for logs and observers."""

    answer: "Answer"
    error: "PubsubError | None"


@dataclass(frozen=True, slots=True)
class Resolved:
    """Somebody waits for what became of this one."""

    delivery: "Delivery"
    result: "AckResult"


@dataclass(frozen=True, slots=True)
class Lost:
    """The leases of these have ended; their handlers go on."""

    deliveries: "list[Delivery]"
    why: str


@dataclass(frozen=True, slots=True)
class HalfTime:
    """Half of `max_lease_duration` has passed for these."""

    deliveries: "list[Delivery]"


@dataclass(frozen=True, slots=True)
class Abandon:
    """Cancel the handlers of these: the time to close is over."""

    deliveries: "list[Delivery]"


@dataclass(frozen=True, slots=True)
class Drained:
    """How a subscription was closed: messages that were still finished, given back unhandled, and taken from running handlers."""

    finished: int
    nacked: int
    abandoned: int


@dataclass(frozen=True, slots=True)
class Ended:
    """Everything is done; with an error, the service has ended the subscription."""

    error: "PubsubError | None"
    drained: Drained


Effect = Connect | Disconnect | Ping | Resume | Hand | Send | Answered | Resolved | Lost | HalfTime | Abandon | Ended
