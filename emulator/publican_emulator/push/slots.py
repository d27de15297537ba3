"""How many requests there are at once, over all endpoints: bounded, and none can take what the others need.

An endpoint gets another slot only while it holds fewer than are free: one that stalls ends at half of them, two at a third each, and a newcomer
always finds one. Whoever finds none stands in line, and is served in its turn when slots come free.

PYTEST_DONT_REWRITE
"""

from publican_emulator.broker.consumer import Consumer


class Slots:
    """The slots of one emulator."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: dict[Consumer, int] = {}
        self._used = 0
        self._line: dict[Consumer, None] = {}

    def take(self, consumer: Consumer) -> bool:
        """Take a slot for `consumer`, or put it in line; say whether it got one."""
        held = self._held.get(consumer, 0)
        if held >= self._limit - self._used:
            self._line[consumer] = None
            return False
        self._held[consumer] = held + 1
        self._used += 1
        return True

    def give(self, consumer: Consumer) -> list[Consumer]:
        """Give a slot back, and take from the line those that may try again now."""
        self._used -= 1
        self._held[consumer] -= 1
        if not self._held[consumer]:
            del self._held[consumer]
        free = self._limit - self._used
        served = [waiting for waiting in self._line if self._held.get(waiting, 0) < free][: max(1, free)]
        for waiting in served:
            del self._line[waiting]
        return served

    def forget(self, consumer: Consumer) -> None:
        """Take a consumer out of the line."""
        self._line.pop(consumer, None)
