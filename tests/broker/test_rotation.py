"""Whose turn it is: one consumer at a time is told, in rotation, and nobody is overlooked."""

import pytest

from publican_emulator.broker.consumer import Consumer, Mood, a_stream
from publican_emulator.broker.errors import NotFound
from publican_emulator.broker.rotation import Rotation


class Scene:
    """A rotation over consumers, with so many messages for everybody."""

    def __init__(self, consumers: int) -> None:
        self.messages = 0
        self.not_for: set[Consumer] = set()
        self.told: list[Consumer] = []
        self.rotation = Rotation(lambda consumer: self.messages > 0 and consumer not in self.not_for, self.told.append)
        self.consumers = [a_stream(10, 0, 0, "") for _ in range(consumers)]
        for consumer in self.consumers:
            self.rotation.consumers[consumer] = None


def test_a_consumer_that_wants_is_told_when_there_is_a_message() -> None:
    scene = Scene(1)
    (one,) = scene.consumers
    scene.rotation.want(one)
    assert (scene.told, one.mood) == ([], Mood.WAITING)
    scene.messages = 1
    scene.rotation.tell()
    assert (scene.told, one.mood) == ([one], Mood.READY)


def test_a_consumer_that_does_not_want_is_not_told() -> None:
    scene = Scene(1)
    scene.messages = 1
    scene.rotation.tell()
    assert scene.told == []


def test_one_message_wakes_one_consumer() -> None:
    scene = Scene(3)
    for consumer in scene.consumers:
        scene.rotation.want(consumer)
    scene.messages = 1
    scene.rotation.tell()
    scene.rotation.tell()
    assert scene.told == scene.consumers[:1]


def test_the_next_is_told_when_the_first_has_taken_its_share() -> None:
    scene = Scene(3)
    scene.messages = 9
    for consumer in scene.consumers:
        scene.rotation.want(consumer)
    for _ in range(7):
        current = scene.told[-1]
        scene.rotation.rest(current)
        scene.rotation.tell()
        scene.rotation.want(current)
    first, second, third = scene.consumers
    assert scene.told == [first, second, third, first, second, third, first, second]


def test_wanting_twice_is_wanting_once() -> None:
    scene = Scene(2)
    first, second = scene.consumers
    for consumer in (first, first, second):
        scene.rotation.want(consumer)
    scene.messages = 1
    scene.rotation.tell()
    scene.rotation.want(first)
    assert scene.told == [first]
    scene.rotation.rest(first)
    scene.rotation.tell()
    assert scene.told == [first, second]


@pytest.mark.parametrize("reason", ["no credit", "nothing for it"])
def test_a_consumer_that_could_take_nothing_is_passed_over_but_not_forgotten(reason: str) -> None:
    scene = Scene(2)
    first, second = scene.consumers
    if reason == "no credit":
        first.max_messages = first.outstanding = 1
    else:
        scene.not_for.add(first)
    scene.messages = 1
    scene.rotation.want(first)
    scene.rotation.want(second)
    assert scene.told == [second]
    first.outstanding = 0
    scene.not_for.clear()
    scene.rotation.rest(second)
    scene.rotation.tell()
    assert scene.told == [second, first]


def test_a_told_consumer_that_closes_passes_its_turn_on() -> None:
    scene = Scene(2)
    first, second = scene.consumers
    scene.messages = 1
    scene.rotation.want(first)
    scene.rotation.want(second)
    scene.rotation.close(first)
    assert scene.told == [first, second]
    assert first.mood is Mood.CLOSED
    assert first not in scene.rotation.consumers


def test_a_closed_consumer_is_never_told_again() -> None:
    scene = Scene(1)
    (one,) = scene.consumers
    scene.rotation.want(one)
    scene.rotation.close(one)
    scene.rotation.want(one)
    scene.rotation.rest(one)
    scene.messages = 1
    scene.rotation.tell()
    assert scene.told == []
    assert one.mood is Mood.CLOSED


def test_rivals_are_the_others_that_wait_and_have_credit() -> None:
    scene = Scene(4)
    first, second, third, _ = scene.consumers
    third.max_messages = third.outstanding = 1
    for consumer in (first, second, third):
        scene.rotation.want(consumer)
    assert scene.rotation.rivals(first) == 1
    assert scene.rotation.rivals(third) == 2
    scene.rotation.rest(second)
    assert scene.rotation.rivals(first) == 0


def test_the_end_is_told_to_all_even_to_those_that_do_not_wait() -> None:
    scene = Scene(3)
    first, second, third = scene.consumers
    scene.rotation.want(first)
    scene.messages = 1
    scene.rotation.want(second)
    scene.rotation.close(third)
    scene.told.clear()
    gone = NotFound("subscription", "s")
    scene.rotation.end_all(gone)
    assert scene.told == [first, second]
    assert {consumer.end for consumer in scene.told} == {gone}
    assert third.end is None


def test_who_wants_after_the_end_is_told_at_once() -> None:
    scene = Scene(1)
    (one,) = scene.consumers
    scene.rotation.end_all(NotFound("subscription", "s"))
    scene.rotation.rest(one)
    scene.told.clear()
    scene.rotation.want(one)
    assert scene.told == [one]


def test_streams_are_told_from_pulls() -> None:
    scene = Scene(1)
    (one,) = scene.consumers
    found = []
    for one.takes_once in (False, True):
        found.append(scene.rotation.has_streams)
    assert found == [True, False]


def test_a_subscription_is_waited_on_while_somebody_wants() -> None:
    scene = Scene(1)
    (one,) = scene.consumers
    waited = [scene.rotation.is_waited_on]
    for move in (scene.rotation.want, scene.rotation.rest):
        move(one)
        waited.append(scene.rotation.is_waited_on)
    assert waited == [False, True, False]
