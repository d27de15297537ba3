"""The backlog of a subscription with ordering: one queue for each key, at most one holder for each key.

The outstanding messages of a key are its *run*: a contiguous sequence handed to one consumer. More of the key may follow to the same stream, in
order; anybody else gets the key only when the run is empty. When a message of a run comes back, the leases of the later ones are ended and they
come back behind it. Messages without a key know no order here and stand in an ordinary backlog.

Keys are offered in publish order of their next message: in one heap for whoever comes, and in one for each stream that holds keys.

Source: "Order messages", cloud.google.com/pubsub/docs/ordering; docs/semantics.md, ordering.

PYTEST_DONT_REWRITE
"""

import heapq
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Final

from publican_emulator.broker.backlog import RECEIVED_OVERHEAD, Backlog
from publican_emulator.broker.consumer import Consumer, a_pull
from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.lease_book import LeaseBook
from publican_emulator.broker.leases import Lease, Single, Stage
from publican_emulator.broker.log import Attic, Log
from publican_protocol.wire import message_id_of, publish_time_of

_GONE: Final = a_pull(1)
"""Stands for holders that did not live through a restart."""


class _Key:
    """One ordering key: what waits, what is outstanding, and with whom."""

    __slots__ = ("_start", "_waiting", "holder", "is_aged", "name", "run")

    def __init__(self, name: str) -> None:
        self.name = name
        self.run: list[Single] = []
        self.holder: Consumer | None = None
        self.is_aged = False
        # a plain list with a start: an empty deque takes 760 bytes, and there may be a million keys
        self._waiting: list[bytes | Single] = []
        self._start = 0

    def restore(self, waiting: list[bytes | Single], run: list[Single]) -> None:
        self._waiting, self.run = waiting, run
        self.holder = _GONE if run else None

    def append(self, message: bytes) -> None:
        self._waiting.append(message)

    def put_back(self, singles: list[Single]) -> None:
        """Put messages that came back before everything that waits."""
        self._waiting[: self._start] = singles
        self._start = 0

    def head(self) -> bytes | Single | None:
        """Give what is next; what was acked while it waited is passed over."""
        while self._start < len(self._waiting):
            first = self._waiting[self._start]
            if isinstance(first, Single) and first.stage is Stage.ACKED:
                self.pop()
            else:
                return first
        return None

    def pop(self) -> bytes | Single:
        first = self._waiting[self._start]
        self._start += 1
        if self._start > 64 and self._start * 2 > len(self._waiting):
            del self._waiting[: self._start]
            self._start = 0
        return first

    def drop_before(self, time: Nanos) -> bool:
        """Forget what nobody has got yet and is too old, if such a message is next; of what was handed out the lease book knows the age."""
        first = self.head()
        if first is None or isinstance(first, Single) or publish_time_of(first) >= time:
            return False
        # behind a message that nobody has got nobody has got any
        end = bisect_left(self._waiting, int(time), lo=self._start, key=lambda message: publish_time_of(_bytes(message)))
        del self._waiting[:end]
        self._start = 0
        return True

    def waiting(self) -> list[bytes | Single]:
        """Give what waits, in order."""
        return self._waiting[self._start :]

    def next_id(self) -> int | None:
        """Give the id of what may be handed out next; None while there is nothing or it waits for its back-off."""
        head = self.head()
        if isinstance(head, Single):
            return head.message_id if head.stage is Stage.AVAILABLE else None
        return None if head is None else message_id_of(head)

    @property
    def is_idle(self) -> bool:
        return not self.run and self.head() is None


def _bytes(waiting: bytes | Single) -> bytes:
    return waiting.message if isinstance(waiting, Single) else waiting


class OrderedBacklog:
    """What a subscription with ordering can hand out now."""

    def __init__(self, book: LeaseBook) -> None:
        self._book = book
        self._keyless_log = Log()
        self.keyless = Backlog(self._keyless_log.end(), book.detach_expired)
        self._keys: dict[str, _Key] = {}
        self._open: list[tuple[int, str]] = []
        self._held: dict[Consumer, list[tuple[int, str]]] = {}
        self._by_age: list[tuple[int, str]] = []  # keys by a lower bound of their first waiting message

    # in

    def feed(self, messages: Iterable[bytes], keys: Iterable[str]) -> None:
        """Take messages in publish order, each with its ordering key."""
        keyless = []
        for message, name in zip(messages, keys, strict=True):
            if not name:
                keyless.append(message)
                continue
            key = self._keys.get(name)
            if key is None:
                key = self._keys[name] = _Key(name)
            was_empty = key.head() is None
            key.append(message)
            if was_empty:
                self._offer(key)
                self._age(key, message_id_of(message))
        if keyless:
            self._keyless_log.append(keyless)

    def _age(self, key: _Key, message_id: int) -> None:
        if not key.is_aged:
            key.is_aged = True
            heapq.heappush(self._by_age, (message_id, key.name))

    def _offer(self, key: _Key) -> None:
        """Enter a key where whoever may have its next message will look."""
        next_id = key.next_id()
        if next_id is None:
            return
        if key.holder is None:
            heapq.heappush(self._open, (next_id, key.name))
        elif key.holder.extends_runs and key.holder in self._held:
            heapq.heappush(self._held[key.holder], (next_id, key.name))

    # out

    def has_more(self, consumer: Consumer) -> bool:
        """Say whether there is a message for `consumer`."""
        return self.keyless.has_more(consumer) or self._next_key(consumer) is not None

    def waiting(self, limit: int) -> int:
        """Count what stands here, up to about `limit`: for fair shares, not for eyes."""
        return min(limit, self.keyless.waiting(limit) + len(self._open))

    def _next_key(self, consumer: Consumer) -> _Key | None:
        best: _Key | None = None
        best_id = 0
        for heap, holder in ((self._held.get(consumer, []), consumer), (self._open, None)):
            while heap:
                message_id, name = heap[0]
                key = self._keys.get(name)
                if key is not None and key.holder is holder and key.next_id() == message_id:
                    if best is None or message_id < best_id:
                        best, best_id = key, message_id
                    break
                heapq.heappop(heap)
        return best

    def take_returned(self, consumer: Consumer, most: int, most_bytes: int) -> list[Single]:
        """Take messages with keys, and those without that came back, within the limits; at least one when any is there."""
        taken = self.keyless.take_returned(consumer, most, most_bytes)
        most_bytes -= sum(len(single.message) + RECEIVED_OVERHEAD for single in taken)
        held = self._held.setdefault(consumer, [])
        while len(taken) < most and (most_bytes > 0 or not taken) and (key := self._next_key(consumer)) is not None:
            heapq.heappop(held if key.holder is consumer else self._open)
            first = key.pop()
            single = first if isinstance(first, Single) else Single(first)
            single.key = key.name
            key.run.append(single)
            key.holder = consumer
            next_id = key.next_id()
            if next_id is not None and consumer.carried_by != "push":  # an endpoint has one message of a key at a time
                heapq.heappush(held, (next_id, key.name))
            taken.append(single)
            most_bytes -= len(single.message) + RECEIVED_OVERHEAD
        if not consumer.extends_runs:
            del self._held[consumer]  # what a pull left of its keys waits until the run is empty
        return taken

    def take_new(self, most: int, most_bytes: int) -> list[bytes]:
        """Take messages without a key that were never handed out."""
        return self.keyless.take_new(most, most_bytes)

    def closed(self, consumer: Consumer) -> None:
        """Forget a stream: the keys it holds move on when their runs are empty."""
        self._held.pop(consumer, None)

    # back

    def finished(self, single: Single) -> None:
        """Note that a message was acked, forwarded or dropped."""
        key = self._keys.get(single.key) if single.key else None
        if key is None:
            return
        if single in key.run:
            key.run.remove(single)
        self._run_changed(key)

    def _run_changed(self, key: _Key) -> None:
        if not key.run:
            key.holder = None
        if key.is_idle:
            del self._keys[key.name]
        else:
            self._offer(key)

    def failed(self, single: Single) -> None:
        """Note that the lease of a message ended without an ack: the later ones of its key come back behind it."""
        key = self._keys.get(single.key) if single.key else None
        if key is None:
            return
        place = key.run.index(single)
        back = key.run[place:]
        del key.run[place:]
        for later in back[1:]:
            if later.stage is Stage.LEASED:
                self._book.end_lease(later)
            later.stage = Stage.AVAILABLE
        key.put_back(back)
        single.stage = Stage.DELAYED  # until `give_back` says that it may be handed out
        if not key.run:
            key.holder = None
        self._age(key, single.message_id)

    def give_back(self, leases: Iterable[Lease]) -> None:
        """Make messages available again whose leases have ended, and whose back-off has passed."""
        keyless: list[Lease] = []
        for lease in leases:
            key = self._keys.get(lease.key) if isinstance(lease, Single) and lease.key else None
            if key is None:
                keyless.append(lease)
            else:
                self._offer(key)
        self.keyless.give_back(keyless)

    def in_expiry_order(self, leases: Iterable[Lease]) -> list[Lease]:
        """Of leases that end at one instant, give those that fail by themselves: the first of each key ends those of the later ones."""
        failing: list[Lease] = []
        seen: set[str] = set()
        singles = [lease for lease in leases if isinstance(lease, Single)]
        failing += [lease for lease in leases if not isinstance(lease, Single)]
        for single in sorted(singles, key=lambda single: single.message_id):
            if not single.key or single.key not in seen:
                failing.append(single)
                seen.add(single.key)
            else:
                self._book.free(single)
                single.stage = Stage.AVAILABLE
        return failing

    # ageing

    def waiting_before(self, time: Nanos) -> list[bytes]:
        """Give the messages published before `time` that nobody has got yet."""
        return [message for message in self.never_handed_out() if publish_time_of(message) < time]

    def drop_before(self, time: Nanos, attic: Attic) -> None:
        """Forget them."""
        self.keyless.drop_before(time, attic)
        while (key := self._oldest_key()) is not None and key.drop_before(time):
            self._run_changed(key)

    def _oldest_key(self) -> _Key | None:
        """Give the key whose first waiting message is the oldest."""
        while self._by_age:
            said, name = self._by_age[0]
            key = self._keys.get(name)
            head = None if key is None else key.head()
            if key is None or head is None:
                heapq.heappop(self._by_age)
                if key is not None:
                    key.is_aged = False
                continue
            truth = message_id_of(_bytes(head))
            if truth == said:
                return key
            heapq.heapreplace(self._by_age, (truth, name))
        return None

    def oldest_waiting(self) -> Nanos | None:
        """Give the publish time of the oldest message that waits."""
        times = [time for time in (self.keyless.oldest_waiting(),) if time is not None]
        key = self._oldest_key()
        head = None if key is None else key.head()
        if head is not None:
            times.append(Nanos(publish_time_of(_bytes(head))))
        return min(times, default=None)

    # looking

    def by_key(self) -> Iterator[tuple[str, list[bytes | Single], list[Single]]]:
        """Give each key with what waits and what is outstanding."""
        for key in self._keys.values():
            yield key.name, [each for each in key.waiting() if isinstance(each, bytes) or each.stage is not Stage.ACKED], key.run

    def restore_key(self, name: str, waiting: list[bytes | Single], run: list[Single]) -> None:
        """Enter a key; whoever holds its run has gone."""
        key = self._keys[name] = _Key(name)
        key.restore(waiting, run)
        head = key.head()
        if head is not None:
            self._offer(key)
            self._age(key, message_id_of(_bytes(head)))

    def never_handed_out(self) -> list[bytes]:
        """Give the messages that nobody has got yet, in publish order."""
        waiting = [*self.keyless.never_handed_out()]
        for key in self._keys.values():
            waiting += [message for message in key.waiting() if isinstance(message, bytes)]
        return sorted(waiting, key=message_id_of)
