"""Timers: owners come out in the order of their instants, each at its own instant, and only as long as it stands."""

from hypothesis import given
from hypothesis import strategies as st

from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.timers import Timers


class Owner:
    """Something with instants of its own."""

    def __init__(self, *dues: int) -> None:
        self.dues = sorted(dues)
        self.armed: Nanos | None = None
        self.settled: list[int] = []

    def next_due(self) -> Nanos | None:
        return Nanos(self.dues[0]) if self.dues else None

    def settle(self, now: Nanos) -> None:
        while self.dues and self.dues[0] <= now:
            self.settled.append(self.dues.pop(0))


def test_nothing_is_due_when_nobody_is_armed() -> None:
    timers = Timers()
    assert timers.next_due() is None
    assert timers.earliest() is None
    assert timers.pop_due(Nanos(1 << 62)) is None


def test_owners_come_out_in_order_and_not_before_their_time() -> None:
    timers, late, early = Timers(), Owner(20), Owner(10)
    timers.arm(late, Nanos(20))
    timers.arm(early, Nanos(10))
    assert timers.pop_due(Nanos(9)) is None
    assert timers.pop_due(Nanos(20)) == (10, early)
    assert timers.pop_due(Nanos(19)) is None
    assert timers.pop_due(Nanos(20)) == (20, late)
    assert timers.next_due() is None


def test_an_owner_is_armed_once_at_its_earliest_instant() -> None:
    timers, owner = Timers(), Owner(10)
    for due in (30, 10, 20):
        timers.arm(owner, Nanos(due))
    assert owner.armed == 10
    assert timers.pop_due(Nanos(100)) == (10, owner)
    owner.settle(Nanos(10))
    assert timers.pop_due(Nanos(100)) is None


def test_arming_for_nothing_changes_nothing() -> None:
    timers, owner = Timers(), Owner(10)
    timers.arm(owner, Nanos(10))
    timers.arm(owner, None)
    assert timers.next_due() == 10


def test_an_owner_that_stood_too_early_moves_on_to_its_true_instant() -> None:
    timers, owner = Timers(), Owner(50)
    timers.arm(owner, Nanos(10))
    assert timers.earliest() == 10
    assert timers.pop_due(Nanos(49)) is None
    assert timers.next_due() == timers.earliest() == 50


def test_an_owner_whose_instant_is_gone_is_forgotten() -> None:
    timers, owner = Timers(), Owner(10)
    timers.arm(owner, Nanos(10))
    owner.dues.clear()
    assert timers.next_due() is None
    assert owner.armed is None


def test_a_disarmed_owner_never_comes_out() -> None:
    timers, owner, other = Timers(), Owner(10), Owner(20)
    timers.arm(owner, Nanos(10))
    timers.arm(other, Nanos(20))
    timers.disarm(owner)
    assert timers.earliest() == 20
    assert timers.pop_due(Nanos(100)) == (20, other)


@given(st.lists(st.lists(st.integers(0, 100), max_size=5), max_size=6), st.lists(st.integers(0, 100), max_size=5))
def test_every_instant_of_every_owner_comes_once_and_in_order(dues: list[list[int]], instants: list[int]) -> None:
    owners = [Owner(*each) for each in dues]
    timers = Timers()
    for owner in owners:
        timers.arm(owner, owner.next_due())
    for now in [*sorted(instants), 1_000]:
        seen = []
        while (popped := timers.pop_due(Nanos(now))) is not None:
            due, came = popped
            seen.append(due)
            came.settle(due)
            timers.arm(came, came.next_due())
        assert seen == sorted(seen)
        assert all(due > now for owner in owners for due in owner.dues)
    assert [owner.settled for owner in owners] == [sorted(each) for each in dues]
