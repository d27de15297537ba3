"""Leases: the order in which they end, what a group knows of its slots, and the table of legal moves."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publican_emulator.broker import ackids
from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.leases import NEXT, Cause, Deadlines, Group, Lease, Single, Stage
from publican_protocol import wire

MS = 1_000_000


def single(number: int, deadline: int = 0) -> Single:
    lease = Single(b"", message_id=number)
    lease.deadline = Nanos(deadline)
    return lease


def group(count: int, *, first: int = 1, deadline: int = 0) -> Group:
    return Group(ackids.head(ackids.GROUP, 1, first), wire.stamp([b"\x0a\x01x"] * count, first, 0), Nanos(deadline), None)


# deadlines


@given(st.lists(st.tuples(st.integers(0, 60 * MS), st.booleans()), max_size=60), st.lists(st.integers(0, 70 * MS), max_size=6))
def test_deadlines_are_a_sorted_list(steps: list[tuple[int, bool]], instants: list[int]) -> None:
    deadlines, model = Deadlines(), []
    for number, (deadline, stays) in enumerate(steps):
        lease = single(number, deadline)
        deadlines.add(lease)
        if stays:
            model.append(lease)
        else:
            deadlines.remove(lease)
        assert deadlines.next_due() == min((each.deadline for each in model), default=None)
    for now in sorted(instants):
        due = sorted((each for each in model if each.deadline <= now), key=lambda lease: (lease.deadline, lease.message_id))
        ended = list(deadlines.expire(Nanos(now)))
        assert [at for at, _ in ended] == sorted({lease.deadline for lease in due})
        assert [lease for _, leases in ended for lease in leases] == due
        model = [each for each in model if each not in due]
        assert len(deadlines) == len(model)


@given(st.lists(st.integers(0, 60 * MS), max_size=60), st.lists(st.integers(0, 70 * MS), max_size=6))
def test_ending_bucket_by_bucket_ends_the_same_leases(ends: list[int], instants: list[int]) -> None:
    one_by_one, at_once = Deadlines(), Deadlines()
    for number, deadline in enumerate(ends):
        lease = single(number, deadline)
        one_by_one.add(lease)
        at_once.add(lease)
    for now in sorted(instants):
        expected = [lease for _, leases in one_by_one.expire(Nanos(now)) for lease in leases]
        assert at_once.expire_at_once(Nanos(now)) == expected
        assert len(at_once) == len(one_by_one)


@pytest.mark.parametrize(("now", "ended"), [(9_999_999, False), (10_000_000, True), (10_000_001, True)])
def test_a_lease_ends_exactly_at_its_deadline_though_buckets_are_10_ms_wide(now: int, ended: bool) -> None:
    for expire in (Deadlines.expire, Deadlines.expire_at_once):
        deadlines = Deadlines()
        deadlines.add(single(1, 10 * MS))
        assert bool(list(expire(deadlines, Nanos(now)))) is ended


def test_the_end_of_a_bucket_is_not_ended_with_its_beginning() -> None:
    early, late = single(1, 10 * MS), single(2, 20 * MS - 1)
    deadlines = Deadlines()
    deadlines.add(early)
    deadlines.add(late)
    assert deadlines.expire_at_once(Nanos(20 * MS - 2)) == [early]
    assert deadlines.next_due() == 20 * MS - 1
    assert deadlines.expire_at_once(Nanos(20 * MS - 1)) == [late]


# groups


def test_a_group_makes_its_set_of_slots_only_when_one_leaves() -> None:
    three = group(3)
    assert three.live is None
    assert three.count == 3
    assert three.live_messages() is three.messages
    three.slots().discard(b"0001")
    assert three.count == 2
    assert [wire.message_id_of(message) for message in three.live_messages()] == [1, 3]


def test_a_group_is_over_when_no_slot_and_no_single_is_left() -> None:
    one = group(1)
    assert not one.is_over
    one.slots().clear()
    one.singles[b"0000"] = Single(one.messages[0], home=one, slot=b"0000")
    assert not one.is_over
    one.singles.clear()
    assert one.is_over


# ack ids of single messages


def test_the_first_delivery_of_a_message_from_a_group_answers_to_the_groups_id() -> None:
    home = group(2)
    own = Single(home.messages[1], home=home, slot=b"0001")
    own.head = ackids.head(ackids.SINGLE, 1, 9)
    own.attempts = 1
    assert own.ack_id() == (home.head, b"0001")
    own.attempts = 2
    assert own.ack_id() == (own.head, ackids.attempt_rest(2))


def test_a_message_without_a_group_has_its_own_id_from_the_first_delivery() -> None:
    alone = single(1)
    alone.head = ackids.head(ackids.SINGLE, 1, 9)
    alone.attempts = 1
    assert alone.ack_id() == (alone.head, ackids.attempt_rest(1))


# the table


def test_every_stage_can_be_left_and_reached() -> None:
    assert {stage for stage, _ in NEXT} == set(Stage)
    assert set(NEXT.values()) == set(Stage)
    assert {cause for _, cause in NEXT} == set(Cause)


@pytest.mark.parametrize(("stage", "cause"), [pair for pair in itertools.product(Stage, Cause) if pair not in NEXT])
def test_what_is_not_in_the_table_would_be_a_move_of_a_message_that_has_no_lease_or_is_gone(stage: Stage, cause: Cause) -> None:
    """A message that is not outstanding cannot be nacked, expire or be forwarded; one that is acked moves only by a seek."""
    impossible = {
        Stage.AVAILABLE: {Cause.NACK, Cause.EXPIRE, Cause.FORWARD, Cause.BACKOFF_OVER, Cause.SEEK_BACK},
        Stage.DELAYED: {Cause.NACK, Cause.EXPIRE, Cause.FORWARD, Cause.DELIVER, Cause.SEEK_BACK},
        Stage.LEASED: {Cause.DELIVER, Cause.BACKOFF_OVER, Cause.SEEK_BACK},
        Stage.ACKED: set(Cause) - {Cause.SEEK_BACK},
    }
    assert cause in impossible[stage]


def test_leases_have_the_two_forms_that_the_code_tells_apart_by_type() -> None:
    assert Lease == Group | Single
