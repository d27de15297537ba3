"""Order within a key: which received message of a key may be handed out.

The messages of a key stand in line from the moment they come, for under exactly-once delivery their receipts may be confirmed in any order. The first
has its turn; the next follows when it is acked. When one fails (nack, lost lease, refused receipt) the messages behind it are given up with it, the
failed one first, and the service begins the key again from there. What it had sent before it knew arrives in between:
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
        self._lines: dict[str, deque[Delivery]] = {}
        """What is not done yet of each key, in the order in which it came; the first has its turn."""
        self._failed: dict[str, set[str]] = {}
        """Keys that wait for their redelivery, and the ids of messages given up in this failure."""

    @property
    def is_idle(self) -> bool:
        """Whether nothing stands in line."""
        return not self._lines

    def came(self, delivery: Delivery) -> bool:
        """Put a delivery that has just come in line; False: give it up, the service has sent it too early."""
        key = delivery.key
        seen = self._failed.get(key) if self._failed else None
        if seen is not None:
            message_id = delivery.received.message.message_id
            if message_id not in seen:
                seen.add(message_id)
                return False
            del self._failed[key]
        line = self._lines.get(key)
        if line is None:
            self._lines[key] = deque((delivery,))
        else:
            line.append(delivery)
        return True

    def has_turn(self, delivery: Delivery) -> bool:
        """Say whether nothing of its key is before it."""
        line = self._lines.get(delivery.key)
        return line is not None and line[0] is delivery

    def acked(self, delivery: Delivery) -> Delivery | None:
        """The message that was out is done: give the next one of its key."""
        if not self.has_turn(delivery):
            return None
        line = self._lines[delivery.key]
        line.popleft()
        if line:
            return line[0]
        del self._lines[delivery.key]
        return None

    def failed(self, delivery: Delivery) -> list[Delivery]:
        """A message is the service's again, whether it was out or waited: give those behind it, which have to be given up, too."""
        line = self._lines.get(delivery.key)
        if line is None or delivery not in line:
            return []
        behind: list[Delivery] = []
        while (last := line.pop()) is not delivery:
            behind.append(last)
        behind.reverse()
        if not line:
            del self._lines[delivery.key]
        self._failed[delivery.key] = {each.received.message.message_id for each in (delivery, *behind)}
        if len(self._failed) > FAILED_KEYS_MAX:
            del self._failed[next(iter(self._failed))]
        return behind
