"""The backlog: what came back first and in publish order, then what nobody has had."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publican_emulator.broker.backlog import Backlog, Returned
from publican_emulator.broker.consumer import a_pull
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.lease_book import LeaseBook
from publican_emulator.broker.leases import Group, Lease, Single, Stage
from publican_emulator.broker.log import Attic, Log
from publican_protocol import wire

AT = Nanos(10 * SECOND)
PULL = a_pull(1_000)


def stored(count: int, first: int = 1, *, at_s: int = 0, size: int = 3) -> list[bytes]:
    return wire.stamp([b"\x0a" + bytes((size,)) + b"x" * size] * count, first, at_s * SECOND)


def a_book() -> LeaseBook:
    return LeaseBook(5, itertools.count(1).__next__)


def expired_group(book: LeaseBook, count: int, first: int) -> Group:
    group = book.lease_group(stored(count, first), AT, None)
    book.take_expired(book.deadlines.expire_at_once(AT))
    return group


def ids(messages: list[Single] | list[bytes]) -> list[int]:
    return [each.message_id if isinstance(each, Single) else wire.message_id_of(each) for each in messages]


def drained(returned: Returned) -> list[int]:
    taken = []
    while (single := returned.pop()) is not None:
        taken.append(single.message_id)
    return taken


# what came back


def test_groups_and_singles_come_back_in_publish_order() -> None:
    book = a_book()
    returned = Returned(book.detach_expired)
    returned.add([expired_group(book, 2, 7), expired_group(book, 2, 1)])
    returned.add([Single(stored(1, 9)[0])])
    returned.add([Single(stored(1, 4)[0]), Single(stored(1, 3)[0])])
    assert drained(returned) == [1, 2, 3, 4, 7, 8, 9]


def test_a_group_that_came_back_makes_an_object_only_for_what_is_taken() -> None:
    book = a_book()
    returned = Returned(book.detach_expired)
    group = expired_group(book, 100, 1)
    returned.add([group])
    assert returned.next_id() == 1
    assert group.singles == {}
    assert returned.pop() is group.singles[b"0000"]
    assert len(group.singles) == 1


def test_what_was_acked_meanwhile_is_passed_over() -> None:
    book = a_book()
    returned = Returned(book.detach_expired)
    group, alone = expired_group(book, 3, 1), Single(stored(1, 9)[0])
    returned.add([group, alone])
    assert returned.next_id() == 1
    book.finish_slots(group, {b"0000", b"0002"}, AT)
    alone.stage = Stage.ACKED
    assert returned.next_id() == 2
    assert drained(returned) == [2]


def test_nothing_came_back_when_all_of_it_was_acked_before() -> None:
    book = a_book()
    returned = Returned(book.detach_expired)
    group = expired_group(book, 1, 1)
    book.finish_slots(group, {b"0000"}, AT)
    returned.add([group])
    assert returned.next_id() is None
    assert returned.pop() is None


@given(st.lists(st.sampled_from("gs"), max_size=8), st.data())
def test_taking_back_is_a_merge(kinds: list[str], data: st.DataObject) -> None:
    """Whatever comes back when, and is acked when: the earliest published of what is left is next."""
    book, next_id = a_book(), 1
    model: dict[int, Lease] = {}
    returned = Returned(book.detach_expired)
    leases: list[Lease] = []
    for kind in kinds:
        if kind == "g":
            leases.append(expired_group(book, 3, next_id))
            next_id += 3
        else:
            leases.append(Single(stored(1, next_id)[0]))
            next_id += 1
    for lease in data.draw(st.permutations(leases)):
        returned.add([lease])
        for message in lease.messages if isinstance(lease, Group) else [lease.message]:
            model[wire.message_id_of(message)] = lease
        acks: bool = data.draw(st.booleans())
        if model and acks:
            acked = data.draw(st.sampled_from(sorted(model)))
            owner = model.pop(acked)
            if isinstance(owner, Single):
                owner.stage = Stage.ACKED
            else:
                slot = b"%04d" % (acked - owner.first_id)
                book.finish_slots(owner, {slot}, AT)
        if data.draw(st.booleans()):
            taken = returned.pop()
            assert (taken.message_id if taken else None) == min(model, default=None)
            if taken:
                del model[taken.message_id]
    assert drained(returned) == sorted(model)


# the backlog


def backlog_of(messages: list[bytes]) -> tuple[Backlog, LeaseBook, Log]:
    log, book = Log(), a_book()
    backlog = Backlog(log.end(), book.detach_expired)
    log.append(messages)
    return backlog, book, log


def test_an_empty_backlog_has_nothing_for_anybody() -> None:
    backlog, _, _ = backlog_of([])
    assert not backlog.has_more(PULL)
    assert backlog.take_new(10, 1_000) == []
    assert backlog.take_returned(PULL, 10, 1_000) == []
    assert backlog.oldest_waiting() is None


def test_what_came_back_counts_as_there_is_more() -> None:
    backlog, _, _ = backlog_of([])
    backlog.give_back([Single(stored(1)[0])])
    assert backlog.has_more(PULL)
    assert backlog.waiting(10) == 1


@pytest.mark.parametrize(("most", "expected"), [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (4, [1, 2, 3])])
def test_taking_back_stops_at_the_count(most: int, expected: list[int]) -> None:
    backlog, book, _ = backlog_of([])
    backlog.give_back([expired_group(book, 3, 1)])
    assert ids(backlog.take_returned(PULL, most, 1_000_000)) == expected


@pytest.mark.parametrize(("least", "expected"), [(1, 1), (0, 1), (-1, 2)])
def test_taking_back_stops_when_the_bytes_are_used_up_but_gives_one(least: int, expected: int) -> None:
    backlog, book, _ = backlog_of([])
    group = expired_group(book, 3, 1)
    backlog.give_back([group])
    one = wire.received_size(group.messages[0])
    assert len(backlog.take_returned(PULL, 10, one - least)) == expected


def test_dropping_old_messages_leaves_the_young() -> None:
    backlog, _, log = backlog_of(stored(2, 1, at_s=10))
    log.append(stored(2, 3, at_s=20))
    assert ids(backlog.waiting_before(Nanos(20 * SECOND))) == [1, 2]
    backlog.drop_before(Nanos(20 * SECOND), Attic())
    assert ids(list(backlog.never_handed_out())) == [3, 4]
    assert backlog.oldest_waiting() == 20 * SECOND
