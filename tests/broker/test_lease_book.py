"""The book: ids, deadlines and what consumers are charged are equal at every moment."""

import itertools

import pytest

from publican_emulator.broker import ackids
from publican_emulator.broker.consumer import Consumer, a_stream
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.lease_book import LeaseBook
from publican_emulator.broker.leases import Group, Single, Stage
from publican_protocol import wire

AT = Nanos(10 * SECOND)
LATER = Nanos(20 * SECOND)


@pytest.fixture
def book() -> LeaseBook:
    return LeaseBook(5, itertools.count(1).__next__)


@pytest.fixture
def stream() -> Consumer:
    return a_stream(10, 100, 1_000_000, "")


def stored(count: int, first: int = 1, *, at_s: int = 0) -> list[bytes]:
    return wire.stamp([b"\x0a\x03abc"] * count, first, at_s * SECOND)


def charged(consumer: Consumer) -> tuple[int, int]:
    return consumer.outstanding, consumer.outstanding_bytes


# leasing


def test_a_group_is_found_by_its_head_and_charged_to_its_holder(book: LeaseBook, stream: Consumer) -> None:
    messages = stored(3)
    group = book.lease_group(messages, AT, stream)
    assert book.by_head == {group.head: group}
    assert ackids.decode_head(group.head) == ackids.Head(ackids.GROUP, 5, 1)
    assert book.deadlines.next_due() == AT
    assert charged(stream) == (3, sum(map(len, messages)))


def test_no_two_leases_share_a_head(book: LeaseBook) -> None:
    heads = {book.lease_group(stored(1, number), AT, None).head for number in range(1, 50)}
    assert len(heads) == 49


def test_bytes_are_counted_only_where_they_are_limited(book: LeaseBook) -> None:
    unlimited = a_stream(10, 0, 0, "")
    book.lease_group(stored(3), AT, unlimited)
    assert charged(unlimited) == (3, 0)


def test_a_message_by_itself_gets_a_new_id_at_each_delivery(book: LeaseBook, stream: Consumer) -> None:
    (message,) = stored(1)
    single = Single(message)
    ids = set()
    for attempt in (1, 2, 3):
        book.lease_single(single, AT, stream)
        assert (single.stage, single.attempts) == (Stage.LEASED, attempt)
        assert charged(stream) == (1, len(message))
        ids.add(single.ack_id())
        book.end_lease(single)
        assert charged(stream) == (0, 0)
        assert len(book.deadlines) == 0
    assert len(ids) == 3
    assert book.by_head == {single.head: single}


# leaving a group


def test_a_leased_message_that_leaves_its_group_keeps_deadline_holder_and_id(book: LeaseBook, stream: Consumer) -> None:
    group = book.lease_group(stored(2), AT, stream)
    before = charged(stream)
    single = book.detach_leased(group, b"0001")
    assert (single.stage, single.deadline, single.consumer, single.attempts, single.failures) == (Stage.LEASED, AT, stream, 1, 0)
    assert single.ack_id() == (group.head, b"0001")
    assert group.count == 1
    assert len(book.deadlines) == 2
    assert charged(stream) == before


def test_a_group_whose_last_message_has_left_has_no_deadline(book: LeaseBook) -> None:
    group = book.lease_group(stored(1), AT, None)
    single = book.detach_leased(group, b"0000")
    assert [lease for _, leases in book.deadlines.expire(AT) for lease in leases] == [single]
    assert group.head in book.by_head


def test_a_message_of_an_expired_group_has_failed_once(book: LeaseBook) -> None:
    group = book.lease_group(stored(2), AT, None)
    book.take_expired(book.deadlines.expire_at_once(AT))
    single = book.detach_expired(group, b"0000")
    assert (single.stage, single.attempts, single.failures, single.uncounted) == (Stage.AVAILABLE, 1, 1, 0)


def test_failures_from_before_a_policy_go_with_the_message(book: LeaseBook) -> None:
    group = book.lease_group(stored(1), AT, None)
    group.uncounted = 1
    assert book.detach_expired(group, b"0000").uncounted == 1


# extending


def test_extending_moves_the_deadline_and_nothing_else(book: LeaseBook, stream: Consumer) -> None:
    group = book.lease_group(stored(2), AT, stream)
    before = charged(stream)
    book.extend_group(group, LATER)
    single = book.detach_leased(group, b"0000")
    book.extend_single(single, Nanos(15 * SECOND))
    assert [at for at, _ in book.deadlines.expire(LATER)] == [15 * SECOND, LATER]
    assert charged(stream) == before


# ending


def test_acking_slots_frees_their_holder_and_the_last_one_ends_the_group(book: LeaseBook, stream: Consumer) -> None:
    messages = stored(3)
    group = book.lease_group(messages, AT, stream)
    book.finish_slots(group, {b"0000", b"0002"}, Nanos(0))
    assert charged(stream) == (1, len(messages[1]))
    assert len(book.deadlines) == 1
    book.finish_slots(group, {b"0001"}, Nanos(0))
    assert charged(stream) == (0, 0)
    assert book.by_head == {}
    assert len(book.deadlines) == 0


def test_acking_slots_of_an_expired_group_frees_nobody_twice(book: LeaseBook, stream: Consumer) -> None:
    group = book.lease_group(stored(2), AT, stream)
    book.take_expired(book.deadlines.expire_at_once(AT))
    assert charged(stream) == (0, 0)
    book.finish_slots(group, {b"0000"}, AT)
    assert charged(stream) == (0, 0)
    assert group.head in book.by_head


def test_an_acked_single_is_gone_from_everywhere(book: LeaseBook, stream: Consumer) -> None:
    group = book.lease_group(stored(1), AT, stream)
    single = book.detach_leased(group, b"0000")
    book.finish(single, (group.head, b"0000"))
    assert single.stage is Stage.ACKED
    assert book.by_head == {}
    assert list(book.unacked()) == []
    assert len(book.deadlines) == 0
    assert charged(stream) == (0, 0)


def test_a_redelivered_message_that_is_acked_takes_both_its_ids_along(book: LeaseBook) -> None:
    group = book.lease_group(stored(1), AT, None)
    book.take_expired(book.deadlines.expire_at_once(AT))
    single = book.detach_expired(group, b"0000")
    book.lease_single(single, LATER, None)
    assert set(book.by_head) == {group.head, single.head}
    book.finish(single, single.ack_id())
    assert book.by_head == {}


@pytest.mark.parametrize("tracks", [False, True])
def test_ids_that_did_not_ack_are_remembered_only_for_exactly_once(book: LeaseBook, tracks: bool) -> None:
    book.tracks_retired = tracks
    group = book.lease_group(stored(1), AT, None)
    book.take_expired(book.deadlines.expire_at_once(AT))
    single = book.detach_expired(group, b"0000")
    book.lease_single(single, LATER, None)
    book.finish(single, single.ack_id())
    assert book.retired.acked_by(group.head, b"0000", 5) is not tracks
    assert book.retired.acked_by(single.head, ackids.attempt_rest(2), 5) is tracks


def test_expired_leases_are_charged_to_nobody(book: LeaseBook, stream: Consumer) -> None:
    group = book.lease_group(stored(3), AT, stream)
    single = book.detach_leased(group, b"0001")
    book.take_expired(book.deadlines.expire_at_once(AT))
    assert charged(stream) == (0, 0)
    assert (single.stage, single.failures, single.consumer) == (Stage.AVAILABLE, 1, None)
    assert group.consumer is None


def test_clearing_ends_everything_and_no_id_from_before_is_good(book: LeaseBook, stream: Consumer) -> None:
    book.tracks_retired = True
    group = book.lease_group(stored(3), AT, stream)
    book.detach_leased(group, b"0001")
    book.clear()
    assert charged(stream) == (0, 0)
    assert book.by_head == {}
    assert book.oldest() is None
    assert len(book.deadlines) == 0
    assert not book.retired.acked_by(group.head, b"0000", 5)


# looking


def test_every_unacked_message_is_found_once(book: LeaseBook) -> None:
    group = book.lease_group(stored(3, 1), AT, None)
    detached = book.detach_leased(group, b"0001")
    alone = Single(stored(1, 9)[0])
    book.lease_single(alone, AT, None)
    book.end_lease(detached)
    book.lease_single(detached, AT, None)  # now it has a head of its own
    found = sorted((wire.message_id_of(message), type(lease)) for message, lease in book.unacked())
    assert found == [(1, Group), (2, Single), (3, Group), (9, Single)]
    assert sorted(single.message_id for single in book.singles()) == [2, 9]


@pytest.mark.parametrize(("before_s", "ids"), [(0, []), (10, []), (11, [1, 2]), (20, [1, 2]), (21, [1, 2, 3, 4])])
def test_ageing_finds_what_was_published_before_a_time(book: LeaseBook, before_s: int, ids: list[int]) -> None:
    first = book.lease_group(stored(2, 1, at_s=10), AT, None)
    book.detach_leased(first, b"0001")
    book.lease_group(stored(1, 3, at_s=20), AT, None)
    book.lease_single(Single(stored(1, 4, at_s=20)[0]), AT, None)
    time = Nanos(before_s * SECOND)
    of_groups = [wire.message_id_of(group.messages[int(slot)]) for group, slots in book.groups_before(time) for slot in slots]
    assert sorted(of_groups + [single.message_id for single in book.singles_before(time)]) == ids


def test_the_oldest_is_the_first_that_is_unacked(book: LeaseBook) -> None:
    group = book.lease_group([*stored(1, 1, at_s=10), *stored(1, 2, at_s=12)], AT, None)
    alone = Single(stored(1, 3, at_s=11)[0])
    book.lease_single(alone, AT, None)
    assert book.oldest() == 10 * SECOND
    book.finish_slots(group, {b"0000"}, Nanos(0))
    assert book.oldest() == 11 * SECOND
    book.finish(alone, alone.ack_id())
    assert book.oldest() == 12 * SECOND
    book.finish_slots(group, {b"0001"}, Nanos(0))
    assert book.oldest() is None
