"""Slots: requests are bounded over all endpoints, and nobody's take what the others need."""

import pytest

from publican_emulator.broker.consumer import Consumer, a_carrier
from publican_emulator.push.slots import REQUESTS_MAX, REQUESTS_MIN, Slots, requests_max


def endpoints(count: int) -> list[Consumer]:
    return [a_carrier("push", "Push") for _ in range(count)]


def test_one_endpoint_gets_half_and_the_next_finds_room() -> None:
    slots, (first, second, third) = Slots(12), endpoints(3)
    assert [slots.take(first) for _ in range(8)].count(True) == 6
    assert [slots.take(second) for _ in range(8)].count(True) == 3
    assert slots.take(third)


def test_there_are_never_more_than_the_limit() -> None:
    slots, many = Slots(10), endpoints(30)
    assert sum(slots.take(each) for each in many) == 10
    assert not slots.take(many[0])


def test_whoever_found_none_is_served_in_turn_when_one_comes_free() -> None:
    slots, many = Slots(2), endpoints(5)
    assert [slots.take(each) for each in many] == [True, True, False, False, False]
    assert slots.give(many[0]) == [many[2]]
    assert slots.take(many[2])
    slots.forget(many[3])
    assert slots.give(many[1]) == [many[4]]
    assert slots.give(many[2]) == []


def test_large_messages_count_by_their_bytes() -> None:
    slots, (first, second, third) = Slots(1_000, 12), endpoints(3)
    assert slots.take(first)
    slots.charge(first, 7)
    assert not slots.take(first)
    assert slots.take(second)
    slots.charge(second, 9)
    assert not slots.take(third)
    assert slots.give(second, 9) == [third]
    assert slots.give(first, 7) == [first]
    assert slots.take(first)
    assert slots.take(third)


def test_there_are_no_more_requests_than_a_quarter_of_the_files_that_may_be_open(monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    for soft, expected in ((resource.RLIM_INFINITY, REQUESTS_MAX), (1_024, 256), (64, REQUESTS_MIN), (10**6, REQUESTS_MAX)):
        monkeypatch.setattr(resource, "getrlimit", lambda which, soft=soft: (soft, soft))
        assert requests_max() == expected
