"""The book of one subscription's leases: who holds what under which ack id, and what each change costs the holder.

The book keeps three things equal at every moment: the leases that ack ids lead to, their deadlines, and what consumers are charged. It does not
decide anything: subscription.py says what is acked, extended or ended.

PYTEST_DONT_REWRITE
"""

import heapq
from collections.abc import Callable, Iterable, Iterator
from itertools import count

from publican_emulator.broker import ackids
from publican_emulator.broker.consumer import Consumer
from publican_emulator.broker.exactly_once import Retired
from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.leases import Deadlines, Group, Lease, Single, Stage
from publican_protocol.wire import publish_time_of


class LeaseBook:
    """Groups and singles by the heads of their ack ids."""

    __slots__ = ("_ages", "_by_age", "_next_number", "by_head", "deadlines", "retired", "serial", "tracks_retired")

    def __init__(self, serial: int, next_number: Callable[[], int]) -> None:
        self.serial = serial
        self.by_head: dict[bytes, Lease] = {}
        self.deadlines = Deadlines()
        self.retired = Retired()
        self.tracks_retired = False
        """Whether ids of leases that are over are remembered: only exactly-once delivery asks."""
        self._by_age: list[tuple[int, int, Single]] = []  # singles that never were in a group, in publish order
        self._ages = count()
        self._next_number = next_number

    # leasing

    def lease_group(self, messages: list[bytes], deadline: Nanos, consumer: Consumer | None) -> Group:
        """Lease messages that are handed out for the first time."""
        head = ackids.head(ackids.GROUP, self.serial, self._next_number())
        group = Group(head, messages, deadline, consumer)
        self.by_head[head] = group
        self.deadlines.add(group)
        if consumer is not None:
            consumer.charge(len(messages), sum(map(len, messages)) if consumer.max_bytes else 0)
        return group

    def lease_single(self, single: Single, deadline: Nanos, consumer: Consumer | None) -> None:
        """Lease a message by itself, under a new ack id."""
        single.attempts += 1
        if not single.head:
            single.head = ackids.head(ackids.SINGLE, self.serial, self._next_number())
            self.by_head[single.head] = single
            if single.home is None:
                self._note_age(single)
        single.stage = Stage.LEASED
        single.deadline = deadline
        single.consumer = consumer
        self.deadlines.add(single)
        if consumer is not None:
            consumer.charge(1, len(single.message) if consumer.max_bytes else 0)

    def _note_age(self, single: Single) -> None:
        # a second copy has the same message id: the number keeps them apart
        heapq.heappush(self._by_age, (single.message_id, next(self._ages), single))

    def detach_leased(self, group: Group, slot: bytes) -> Single:
        """Give one outstanding message of a group a story of its own; the group's ack id goes on naming its first delivery."""
        single = self._detach(group, slot)
        single.stage = Stage.LEASED
        single.deadline = group.deadline
        single.consumer = group.consumer
        self.deadlines.add(single)
        if not group.count:
            self.deadlines.remove(group)
        return single

    def detach_expired(self, group: Group, slot: bytes) -> Single:
        """Give one message of an expired group a story of its own: it is about to be handed out again."""
        single = self._detach(group, slot)
        single.failures = 1
        return single

    def _detach(self, group: Group, slot: bytes) -> Single:
        group.slots().remove(slot)
        single = Single(group.messages[int(slot)], home=group, slot=slot)
        single.attempts = 1
        single.uncounted = group.uncounted
        group.singles[slot] = single
        return single

    # extending

    def extend_group(self, group: Group, deadline: Nanos) -> None:
        """Give a whole group another deadline."""
        self.deadlines.remove(group)
        group.deadline = deadline
        self.deadlines.add(group)

    def extend_single(self, single: Single, deadline: Nanos) -> None:
        """Give a leased message another deadline."""
        self.deadlines.remove(single)
        single.deadline = deadline
        self.deadlines.add(single)

    # ending

    def drop_slots(self, group: Group, slots: set[bytes], now: Nanos) -> None:
        """Take messages out of a group that nobody acked: their ack ids do not become good."""
        if self.tracks_retired:
            group.superseded = {*(group.superseded or ()), *slots}
        self.finish_slots(group, slots, now)

    def finish_slots(self, group: Group, slots: set[bytes], now: Nanos) -> None:
        """Take acked messages out of a group."""
        live = group.slots()
        if group.deadline > now:
            if group.consumer is not None:
                group.consumer.free(len(slots), group.bytes_of(slots) if group.consumer.max_bytes else 0)
            if len(slots) == len(live):
                self.deadlines.remove(group)
        live -= slots
        self._retire_if_over(group)

    def _retire_if_over(self, group: Group) -> None:
        if group.is_over:
            del self.by_head[group.head]
            if group.superseded:
                self.retired.group_over(group.head, group.superseded)

    def end_lease(self, single: Single) -> None:
        """End the lease of a message: nobody holds it any more."""
        self.deadlines.remove(single)
        self.free(single)
        single.stage = Stage.AVAILABLE

    @staticmethod
    def free(single: Single) -> None:
        """Stop charging a message to its holder."""
        if single.consumer is not None:
            single.consumer.free(1, len(single.message) if single.consumer.max_bytes else 0)
            single.consumer = None

    def finish(self, single: Single, by: tuple[bytes, bytes] | None = None) -> None:
        """Take a message out for good; `by` is the ack id that acked it (None: it was forwarded or dropped)."""
        if single.stage is Stage.LEASED:
            self.end_lease(single)
        single.stage = Stage.ACKED
        if single.head:
            del self.by_head[single.head]
            if self.tracks_retired and by is not None and by[0] == single.head:
                self.retired.single_over(single.head, by[1])
        group = single.home
        if group is not None:
            del group.singles[single.slot]
            if self.tracks_retired and by != (group.head, single.slot):
                group.superseded = {*(group.superseded or ()), single.slot}
            self._retire_if_over(group)

    def take_expired(self, leases: Iterable[Lease]) -> None:
        """Note that leases which `deadlines` has given up are over: their holders are charged no more."""
        for lease in leases:
            consumer = lease.consumer
            if type(lease) is Single:
                if consumer is not None:
                    self.free(lease)
                lease.stage = Stage.AVAILABLE
                lease.failures += 1
            elif consumer is not None and type(lease) is Group:
                size = sum(map(len, lease.live_messages())) if consumer.max_bytes else 0
                consumer.free(lease.count, size)
                lease.consumer = None

    def clear(self) -> None:
        """End every lease at once: a seek, a detachment, a deletion. No ack id from before means anything afterwards."""
        for due_leases in self.deadlines.expire(Nanos(1 << 63)):
            for lease in due_leases[1]:
                if type(lease) is Single:
                    self.free(lease)
                elif lease.consumer is not None and type(lease) is Group:
                    size = sum(map(len, lease.live_messages())) if lease.consumer.max_bytes else 0
                    lease.consumer.free(lease.count, size)
                    lease.consumer = None
        self.by_head.clear()
        self._by_age.clear()
        self.retired.forget_before(self._next_number())

    def restore(self, groups: Iterable[Group], singles: Iterable[Single]) -> None:
        """Enter leases, held or over, of a subscription that is made anew."""
        for group in groups:
            self.by_head[group.head] = group
            if group.deadline:
                self.deadlines.add(group)
        for single in singles:
            if single.head:
                self.by_head[single.head] = single
                if single.home is None:
                    self._note_age(single)
            if single.stage is Stage.LEASED:
                self.deadlines.add(single)

    # looking

    def unacked(self) -> Iterator[tuple[bytes, Lease]]:
        """Give every message that was handed out and is not acked, with its lease."""
        for lease in self.by_head.values():
            if type(lease) is Group:
                for message in lease.live_messages():
                    yield message, lease
                for single in lease.singles.values():
                    yield single.message, single
            elif type(lease) is Single and lease.home is None:
                yield lease.message, lease

    def singles(self) -> list[Single]:
        """Give every message that has a story of its own."""
        return [lease for _, lease in self.unacked() if type(lease) is Single]

    def groups(self) -> Iterator[Group]:
        """Give the groups, in publish order."""
        return (lease for lease in self.by_head.values() if type(lease) is Group)

    # ageing: groups stand in publish order, so the first young one ends the search

    def groups_before(self, time: Nanos) -> list[tuple[Group, set[bytes]]]:
        """Give the live slots of messages published before `time`, by group."""
        old = []
        for group in self.groups():
            if publish_time_of(group.messages[0]) >= time:
                break
            slots = {slot for slot in group.slots() if publish_time_of(group.messages[int(slot)]) < time}
            if slots:
                old.append((group, slots))
        return old

    def singles_before(self, time: Nanos) -> list[Single]:
        """Give the singles whose messages were published before `time`."""
        old = []
        for group in self.groups():
            if publish_time_of(group.messages[0]) >= time:
                break
            old += [single for single in group.singles.values() if publish_time_of(single.message) < time]
        while self._by_age and (self._by_age[0][2].stage is Stage.ACKED or publish_time_of(self._by_age[0][2].message) < time):
            single = heapq.heappop(self._by_age)[2]
            if single.stage is not Stage.ACKED:
                old.append(single)
        return old

    def oldest(self) -> Nanos | None:
        """Give the publish time of the oldest unacked message that was handed out."""
        times = []
        for group in self.groups():
            messages = [*(group.messages[int(slot)] for slot in group.slots()), *(single.message for single in group.singles.values())]
            times.append(min(map(publish_time_of, messages)))
            break
        while self._by_age and self._by_age[0][2].stage is Stage.ACKED:
            heapq.heappop(self._by_age)
        if self._by_age:
            times.append(publish_time_of(self._by_age[0][2].message))
        return Nanos(min(times)) if times else None
