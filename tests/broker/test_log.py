"""A topic's log: one list that many cursors read, and that forgets what all of them have left."""

import gc
import weakref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.log import SEGMENT_BYTES, SEGMENT_MESSAGES, Attic, Cursor, Log, Segment
from publican_protocol import wire
from publican_protocol.wire import message_id_of


def stored(first: int, count: int, *, at_s: int = 1_700_000_000, size: int = 1) -> list[bytes]:
    return wire.stamp([b"\x0a\x01x" + b"\x12\x00" * size] * count, first, at_s * SECOND)


def log_of(*batches: list[bytes]) -> tuple[Log, Cursor]:
    log = Log()
    start = log.end()
    for batch in batches:
        log.append(batch)
    return log, start


def ids(messages: object) -> list[int]:
    return [wire.message_id_of(message) for message in messages]  # type: ignore[attr-defined]


def segments(cursor: Cursor) -> int:
    count = 0
    segment: Segment | None = cursor.segment
    while segment is not None:
        count += 1
        segment = segment.next
    return count


def test_a_cursor_at_the_end_sees_only_what_comes_later() -> None:
    log, _ = log_of(stored(1, 3))
    cursor = log.end()
    assert not cursor.has_more()
    assert cursor.peek() is None
    log.append(stored(4, 2))
    assert ids(cursor.messages()) == [4, 5]


def test_cursors_are_independent() -> None:
    _, first = log_of(stored(1, 3))
    second = first.copy()
    first.take(2, 1_000_000, 0)
    assert ids(first.messages()) == [3]
    assert ids(second.messages()) == [1, 2, 3]


def test_looking_does_not_move_a_cursor() -> None:
    _, cursor = log_of(stored(1, 3))
    for _ in range(2):
        assert ids([cursor.peek()]) == [1]
        assert ids(cursor.messages()) == [1, 2, 3]


@pytest.mark.parametrize(("second", "expected"), [(SEGMENT_MESSAGES - 2, 1), (SEGMENT_MESSAGES - 1, 1), (SEGMENT_MESSAGES, 2)])
def test_a_segment_holds_so_many_messages(second: int, expected: int) -> None:
    _, cursor = log_of(stored(1, 1), stored(2, second))
    assert segments(cursor) == expected
    assert len(list(cursor.messages())) == second + 1


@pytest.mark.parametrize(("over", "expected"), [(-1, 1), (0, 1), (1, 2)])
def test_a_segment_holds_so_many_bytes(over: int, expected: int) -> None:
    first = b"x" * 1_000
    log = Log()
    cursor = log.end()
    log.append([first])
    log.append([b"y" * (SEGMENT_BYTES - len(first) + over)])
    assert segments(cursor) == expected


def test_a_batch_larger_than_a_segment_stays_whole() -> None:
    _, cursor = log_of(stored(1, SEGMENT_MESSAGES + 10))
    assert segments(cursor) == 1


def test_a_segment_is_forgotten_when_the_last_cursor_has_left_it() -> None:
    log, cursor = log_of(stored(1, SEGMENT_MESSAGES), stored(5_000, 2))

    class Watched(Segment):
        __slots__ = ("__weakref__",)

    watched = Watched(cursor.segment.messages, cursor.segment.next)
    cursor.segment = watched
    other = cursor.copy()
    gone = weakref.ref(watched)
    del watched
    for each in (cursor, other):
        assert gone() is not None
        while each.peek() is not None and wire.message_id_of(each.peek() or b"") < 5_000:
            each.take(1_000, 10_000_000, 0)
    gc.collect()
    assert gone() is None
    assert log.end().peek() is None


# taking

OVERHEAD = 48


@given(
    st.lists(st.lists(st.integers(0, 300), min_size=1, max_size=8), min_size=1, max_size=4),
    st.integers(1, 20),
    st.integers(0, 1_500),
)
def test_taking_gives_each_message_once_in_order_and_within_the_limits(batches: list[list[int]], most: int, most_bytes: int) -> None:
    log = Log()
    cursor = log.end()
    published: list[bytes] = []
    for batch in batches:
        messages = [b"m" * size for size in batch]
        log.append(messages)
        log.start_segment()
        published += messages
    taken: list[bytes] = []
    while batch_taken := cursor.take(most, most_bytes, OVERHEAD):
        assert len(batch_taken) <= most
        assert len(batch_taken) == 1 or sum(len(message) + OVERHEAD for message in batch_taken) <= most_bytes
        taken += batch_taken
    assert taken == published


@pytest.mark.parametrize(("most_bytes", "expected"), [(199, 1), (200, 2), (201, 2), (299, 2), (300, 3), (1_000, 3)])
def test_taking_counts_each_message_with_its_overhead(most_bytes: int, expected: int) -> None:
    log = Log()
    cursor = log.end()
    log.append([b"m" * 60] * 3)
    assert len(cursor.take(10, most_bytes, 40)) == expected


def test_a_message_above_the_limit_is_given_alone() -> None:
    log = Log()
    cursor = log.end()
    log.append([b"m" * 100, b"n"])
    assert cursor.take(10, 1, 0) == [b"m" * 100]


@pytest.mark.parametrize("most", [0, -1])
def test_taking_nothing_gives_nothing(most: int) -> None:
    _, cursor = log_of(stored(1, 3))
    assert cursor.take(most, 1_000, 0) == []
    assert len(list(cursor.messages())) == 3


# counting and searching


@pytest.mark.parametrize(("limit", "least", "most"), [(1, 1, 8), (3, 3, 8), (8, 8, 8), (100, 8, 8)])
def test_waiting_counts_up_to_about_its_limit(limit: int, least: int, most: int) -> None:
    log, cursor = log_of(stored(1, 5))
    log.start_segment()
    log.append(stored(6, 4))
    cursor.take(1, 1_000, 0)
    assert least <= cursor.waiting(limit) <= most


@pytest.mark.parametrize(("at_s", "left"), [(0, [1, 2, 3, 4, 5]), (10, [1, 2, 3, 4, 5]), (11, [3, 4, 5]), (20, [3, 4, 5]), (30, [5]), (31, [])])
def test_skipping_to_a_time_leaves_what_was_published_at_it_or_later(at_s: int, left: list[int]) -> None:
    log, cursor = log_of(stored(1, 2, at_s=10))
    log.append(stored(3, 2, at_s=20))
    log.start_segment()
    log.append(stored(5, 1, at_s=30))
    assert ids(cursor.before(Nanos(at_s * SECOND))) == [each for each in range(1, 6) if each not in left]
    cursor.skip_before(Nanos(at_s * SECOND), Attic())
    assert ids(cursor.messages()) == left


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.integers(0, 70), st.integers(0, 12), st.integers(1, 4))
def test_skipping_is_a_search_over_publish_times(steps: list[int], until: int, taken: int, cut: int) -> None:
    log = Log()
    cursor = log.end()
    at, times = 0, []
    for number, step in enumerate(steps, 1):
        at += step
        times.append(at)
        log.append(stored(number, 1, at_s=at))
        if number % cut == 0:
            log.start_segment()
    before = 0
    while before < taken and (some := cursor.take(taken - before, 100_000, 0)):
        before += len(some)
    skipped = cursor.before(Nanos(until * SECOND))
    cursor.skip_before(Nanos(until * SECOND), Attic())
    assert ids(skipped) == [number for number, time in enumerate(times, 1) if number > before and time < until]
    assert ids(cursor.messages()) == [number for number, time in enumerate(times, 1) if number > before and time >= until]


def test_segments_that_were_left_are_let_go_a_few_at_a_time() -> None:
    log = Log()
    cursor = log.end()
    for number in range(1, 41):
        log.append(stored(number, 1, at_s=number))
        log.start_segment()
    attic, left = Attic(), []
    cursor.skip_before(Nanos(41 * SECOND), attic)
    while attic.chains:
        left.append(message_id_of(attic.chains[0][0].messages[0]))
        attic.sweep()
    assert left == [1, 9, 17, 25, 33]


def test_segments_that_somebody_still_reads_stay() -> None:
    log, cursor = log_of(stored(1, 2, at_s=1))
    log.start_segment()
    log.append(stored(3, 2, at_s=2))
    reader, attic = cursor.copy(), Attic()
    cursor.skip_before(Nanos(2 * SECOND), attic)
    while attic.chains:
        attic.sweep()
    assert ids(reader.messages()) == [1, 2, 3, 4]
