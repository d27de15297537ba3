"""One topic and its subscriptions for one measurement, and the answer that is checked before it.

h2load counts every HTTP 200 as a success, also `grpc-status: 5`; a whole run was once thrown away for that. So each measurement first
makes its call by the raw driver, where a status other than 0 raises, and makes it once more afterwards.

PYTEST_DONT_REWRITE
"""

import itertools
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from benchmarks import messages
from benchmarks.connection import Connection, Stream

ACK_DEADLINE_S: Final = 600
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Resources:
    """A connection, a topic, and the names of the subscriptions on it."""

    connection: Connection
    topic: str
    subscriptions: tuple[str, ...]

    @property
    def subscription(self) -> str:
        """The first subscription."""
        return self.subscriptions[0]

    def publish(self, payloads: list[bytes]) -> list[str]:
        """Publish one batch and return its message ids."""
        answer = self.connection.call(messages.PUBLISH, messages.publish(self.topic, payloads))
        ids = messages.published_ids(answer)
        assert len(ids) == len(payloads), f"{len(payloads)} messages got {len(ids)} ids"
        return ids

    def fill(self, count: int, payload: bytes, *, batch: int = 1_000) -> None:
        """Publish `count` equal messages in batches, eight requests in flight."""
        request = messages.publish(self.topic, [payload] * batch)
        assert count % batch == 0, f"{count} is no multiple of {batch}"
        in_flight = deque[Stream]()
        for _ in range(count // batch):
            if len(in_flight) == 8:
                in_flight.popleft().answer()
            stream = self.connection.open(messages.PUBLISH)
            stream.send(request, end=True)
            in_flight.append(stream)
        for stream in in_flight:
            stream.answer()


@contextmanager
def resources(address: str, *, subscriptions: int = 1) -> Iterator[Resources]:
    """Create a topic with subscriptions, and delete them afterwards so that the next row starts with little memory in use."""
    number = next(_numbers)
    topic = f"projects/bench/topics/row-{number}"
    names = tuple(f"projects/bench/subscriptions/row-{number}-{index}" for index in range(subscriptions))
    with Connection(address) as connection:
        connection.call(messages.CREATE_TOPIC, messages.topic(topic))
        for name in names:
            connection.call(messages.CREATE_SUBSCRIPTION, messages.subscription(name, topic, ACK_DEADLINE_S))
        yield Resources(connection, topic, names)
        for name in names:
            connection.call(messages.DELETE_SUBSCRIPTION, messages.delete_subscription(name))
        connection.call(messages.DELETE_TOPIC, messages.delete_topic(topic))
