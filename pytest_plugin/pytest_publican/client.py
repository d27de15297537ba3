"""What `pubsub_client` gives: Publican's publishers and subscribers, on the test's own time.

PYTEST_DONT_REWRITE
"""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pytest_publican.client_clock import SharedClock
from pytest_publican.servers import InProcess, Server

if TYPE_CHECKING:
    from publican.aio import Publisher, Subscriber
    from publican_emulator.testing.handle import Pubsub


class PubsubClient:
    """Makes clients of `pubsub`; each opens its connection in the loop that first uses it.

    Where time is virtual the clients live in it: their leases, batches and retries come to their instants as the test moves the time, and
    `advance` returns when they have done what was due. Nothing waits for others to fill a request, unless the test asks for it.
    """

    def __init__(self, pubsub: "Pubsub", clock: SharedClock | None) -> None:
        self._pubsub = pubsub
        self._clock = clock

    def publisher(self, **settings: Any) -> "Publisher":
        """Make a publisher, with the settings of `publican.Publisher`; `max_latency` is 0 here unless it is given."""
        from publican.aio import Publisher

        return Publisher(**{"max_latency": 0.0, **self._common(settings), **settings})

    def subscriber(self, **settings: Any) -> "Subscriber":
        """Make a subscriber, with the settings of `publican.Subscriber`; `ack_window` and `close_timeout` are 0 here unless they are given.

        Time that nobody moves would never be over: a test that fails inside `async with` must not wait for its handlers.
        """
        from publican.aio import Subscriber

        return Subscriber(**{"ack_window": 0.0, "close_timeout": 0.0, **self._common(settings), **settings})

    def _common(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Give the clock, and a connection that it sees."""
        if self._clock is None:
            return {}
        from publican.aio.connecting import connect

        kind = settings.pop("transport", "auto")
        options = {name: settings.pop(name) for name in ("compress_above", "session", "ssl_context") if name in settings}
        return {"clock": self._clock, "transport": self._clock.watched(connect(kind, **options))}


@contextlib.contextmanager
def made(pubsub: "Pubsub", server: Server) -> Iterator[PubsubClient]:
    """Give the clients of a test, as participants of its time where that is moved in this process."""
    if not isinstance(server, InProcess) or not server.emulator.control.is_virtual:
        yield PubsubClient(pubsub, None)
        return
    clock = SharedClock(server.emulator)
    with server.emulator.joined(clock):
        yield PubsubClient(pubsub, clock)
