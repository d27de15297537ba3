"""Order on the way out: one batch of a key is under way at a time, and a failure stops its key until somebody resumes it.

Another batch that left before the failed one is repaired would overtake it. So what waits behind it fails too, and so does what comes later:
the caller decides what to do with the gap. Batches without a key know no order.

Source: "Ordering messages", cloud.google.com/pubsub/docs/publisher#using_ordering_keys.

PYTEST_DONT_REWRITE
"""

from collections import deque

from publican.batching import PublishBatch

Key = tuple[str, str]


class PublishOrder:
    """The keys of one publisher, each by its topic."""

    def __init__(self) -> None:
        self._under_way: dict[Key, deque[PublishBatch]] = {}
        """Keys of which one batch is under way, and what waits behind it."""
        self._paused: set[Key] = set()

    def is_paused(self, topic: str, key: str) -> bool:
        """Say whether a key has failed and not been resumed."""
        return bool(self._paused) and (topic, key) in self._paused

    def submit(self, batch: PublishBatch) -> bool:
        """Say whether a closed batch may leave now; else it waits here."""
        if not batch.key:
            return True
        waiting = self._under_way.get((batch.topic, batch.key))
        if waiting is not None:
            waiting.append(batch)
            return False
        self._under_way[batch.topic, batch.key] = deque()
        return True

    def accepted(self, batch: PublishBatch) -> PublishBatch | None:
        """A batch has arrived: give the next of its key."""
        if not batch.key:
            return None
        waiting = self._under_way[batch.topic, batch.key]
        if waiting:
            return waiting.popleft()
        del self._under_way[batch.topic, batch.key]
        return None

    def failed(self, batch: PublishBatch) -> list[PublishBatch]:
        """A batch has failed for good: its key is paused; give the batches behind it, which fail with it."""
        if not batch.key:
            return []
        self._paused.add((batch.topic, batch.key))
        return list(self._under_way.pop((batch.topic, batch.key)))

    def resume(self, topic: str, key: str) -> None:
        """Publish a key again."""
        self._paused.discard((topic, key))
