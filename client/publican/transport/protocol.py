"""What the engine asks of a transport: unary calls, and a stream of deliveries.

Both take and give the API's own message objects, and raise the family of `publican.errors` only: whatever a connection, a proxy or a peer does is
one of them, with its code. Neither retries: when to try again is the engine's decision.

PYTEST_DONT_REWRITE
"""

from typing import Any, Protocol

from google.protobuf.message import Message

from publican_protocol import pubsub


class Transport(Protocol):
    """Carries unary calls, any number at once."""

    async def unary(self, method: str, request: Message, *, timeout: float | None) -> Any:
        """Send one request and give the method's response message. `method` is the gRPC path; `timeout`: seconds in all, None: no bound.

        Raises:
            PubsubError: what the service refused, or why it was not reached.
        """

    async def close(self) -> None:
        """Close the connections that are the transport's own."""


class MessageStream(Protocol):
    """One StreamingPull, or what stands for one."""

    async def read(self, room: int) -> pubsub.StreamingPullResponse | None:
        """Give the next response; None: the peer ended the stream without an error.

        `room` is how many more messages are wanted (at least 1). A stream whose server keeps to the limits of the first request may pass it over; one
        made of pulls must not ask for more. Cancelling a read loses no message: it is given by the next read, or nacked by `close`.

        Raises:
            PubsubError: why the stream ended.
        """

    async def send(self, request: pubsub.StreamingPullRequest) -> None:
        """Send a later request: extensions, or an empty one as a sign of life.

        Raises:
            PubsubError: the stream has ended.
        """

    async def close(self) -> None:
        """End the stream; what was read from the peer and never given by `read` is nacked, or is left to its deadline on the peer."""


class Streams(Protocol):
    """Opens streams."""

    async def streaming_pull(self, first: pubsub.StreamingPullRequest) -> MessageStream:
        """Open a stream with its first request; it names the subscription, the deadline of leases and the limits.

        Raises:
            PubsubError: why it cannot be opened. A stream may also say so at its first `read`.
        """


class Connection(Protocol):
    """The ways to one service that a client holds, for as long as it is open."""

    @property
    def unary(self) -> Transport:
        """What carries everything that is asked once, acks among it: each request has its own result, whatever becomes of a stream."""

    @property
    def publishing(self) -> Transport:
        """What publishes: gRPC where that is installed."""

    @property
    def streams(self) -> Streams:
        """What receives."""

    async def close(self) -> None:
        """Close what is the connection's own."""
