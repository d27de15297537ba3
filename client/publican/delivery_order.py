"""Order within a key: which received message of a key may be handed out.

One message of a key is out at a time; the next follows when it is acked. When one fails (nack, lost lease) the messages of its key that wait
here are given up with it, the failed one first, and the service begins the key again from there. What it had sent before it knew arrives in between:
a message that was not seen in this failure is given up once, a message that was is the key beginning again. So nothing overtakes, no instant
has to be guessed, and nothing is given up twice.

Messages without a key never wait.

Source: "Order messages", cloud.google.com/pubsub/docs/ordering.

PYTEST_DONT_REWRITE
"""

from collections import deque
from typing import Final

from publican.leases import Delivery

FAILED_KEYS_MAX: Final = 10_000
"""Keys that wait for their redelivery; it may come to another subscriber, so the oldest is forgotten then."""


class DeliveryOrder:
    """The keys of one subscription."""

    def __init__(self) -> None:
        self._out: dict[str, deque[Delivery]] = {}
        """Keys of which one message is out, and what waits behind it."""
        self._failed: dict[str, set[str]] = {}
        """Keys that wait for their redelivery, and the ids of messages given up in this failure."""

    def offer(self, delivery: Delivery) -> list[Delivery] | None:
        """Take in a delivery; give what may be handed out (it, or nothing yet). None: give it up, the service has sent it too early."""
        key = delivery.key
        seen = self._failed.get(key) if self._failed else None
        if seen is not None:
            message_id = delivery.received.message.message_id
            if message_id not in seen:
                seen.add(message_id)
                return None
            del self._failed[key]
        waiting = self._out.get(key)
        if waiting is not None:
            waiting.append(delivery)
            return []
        self._out[key] = deque()
        return [delivery]

    def acked(self, delivery: Delivery) -> Delivery | None:
        """The message that was out is done: give the next one of its key."""
        waiting = self._out.get(delivery.key)
        if waiting is None:
            return None
        if waiting:
            return waiting.popleft()
        del self._out[delivery.key]
        return None

    def failed(self, delivery: Delivery) -> list[Delivery]:
        """A message is the service's again, whether it was out or waited: give those behind it, which have to be given up, too."""
        waiting = self._out.get(delivery.key)
        if waiting is None:
            return []
        if delivery in waiting:
            at = waiting.index(delivery)
            behind = list(waiting)[at + 1 :]
            while len(waiting) > at:
                waiting.pop()
        else:
            behind = list(self._out.pop(delivery.key))
        self._failed[delivery.key] = {each.received.message.message_id for each in (delivery, *behind)}
        if len(self._failed) > FAILED_KEYS_MAX:
            del self._failed[next(iter(self._failed))]
        return behind
