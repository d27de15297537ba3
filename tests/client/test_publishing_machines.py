"""A publisher's decisions: when a batch is closed, what a failed key stops, who gets room."""

import pytest

from publican.batching import REQUEST_BYTES_MAX, Batcher, BatchSettings, Entry, PublishBatch, field_bytes
from publican.clock import MILLISECOND, SECOND, Nanos
from publican.errors import MessageTooLarge
from publican.publish_order import PublishOrder
from publican.room import PublishLimits, Room
from publican_protocol import pubsub

TOPIC = "projects/p/topics/orders"
START = Nanos(1_800_000_000 * SECOND)


def message(size: int) -> pubsub.PubsubMessage:
    return pubsub.PubsubMessage(data=b"x" * size)


def add(batcher: Batcher, size: int, now: int = START, key: str = "", topic: str = TOPIC) -> list[PublishBatch]:
    made = message(size)
    return batcher.add(topic, key, Entry(made, made.ByteSize(), None), made.ByteSize(), Nanos(now))


@pytest.mark.parametrize(("count", "closed"), [(4, 0), (5, 1), (9, 1), (10, 2)])
def test_a_batch_closes_at_its_count(count: int, closed: int) -> None:
    batcher = Batcher(BatchSettings(max_messages=5))
    assert sum(len(add(batcher, 10)) for _ in range(count)) == closed


@pytest.mark.parametrize("size", [0, 1, 100, 125, 126, 127, 128, 16_380, 16_390])
def test_a_batch_knows_the_bytes_of_its_request(size: int) -> None:
    batcher = Batcher(BatchSettings(max_messages=3))
    closed = [*add(batcher, size), *add(batcher, size), *add(batcher, size)]
    request = pubsub.PublishRequest(topic=TOPIC, messages=[each.message for each in closed[0].entries])
    assert closed[0].bytes == request.ByteSize()


def test_a_batch_closes_before_it_would_exceed_its_bytes() -> None:
    batcher = Batcher(BatchSettings(max_bytes=1000))
    assert add(batcher, 400) == []
    assert add(batcher, 400) == []
    [closed] = add(batcher, 400)
    assert len(closed.entries) == 2
    assert closed.bytes <= 1000


def test_a_message_above_the_batch_s_bytes_goes_alone() -> None:
    batcher = Batcher(BatchSettings(max_bytes=1000))
    add(batcher, 10)
    first, second = add(batcher, 5000)
    assert [len(first.entries), len(second.entries)] == [1, 1]


@pytest.mark.parametrize(("over", "fits"), [(-1, True), (0, True), (1, False)])
def test_no_request_is_one_byte_above_ten_megabytes(over: int, fits: bool) -> None:
    size = REQUEST_BYTES_MAX - field_bytes(len(TOPIC)) + over
    inner = size - (field_bytes(size) - size)
    batcher = Batcher(BatchSettings(max_bytes=REQUEST_BYTES_MAX))
    if fits:
        batcher.check(TOPIC, inner)
        closed = [*batcher.add(TOPIC, "", Entry(None, inner, None), inner, START), *batcher.take_all()]
        assert closed[0].bytes == REQUEST_BYTES_MAX + over
    else:
        with pytest.raises(MessageTooLarge, match="10000001 bytes; the service takes at most 10000000"):
            batcher.check(TOPIC, inner)


def test_a_batch_leaves_after_its_latency_counted_from_its_first_message() -> None:
    batcher = Batcher(BatchSettings(max_latency=0.01))
    add(batcher, 1)
    add(batcher, 1, START + 9 * MILLISECOND)
    assert batcher.settle(Nanos(START + 10 * MILLISECOND - 1)) == []
    [closed] = batcher.settle(Nanos(START + 10 * MILLISECOND))
    assert len(closed.entries) == 2
    assert batcher.next_due() is None


def test_topics_and_keys_have_batches_of_their_own() -> None:
    batcher = Batcher(BatchSettings())
    add(batcher, 1)
    add(batcher, 1, key="k")
    add(batcher, 1, topic=TOPIC + "2")
    assert [(each.topic, each.key) for each in batcher.take_all()] == [(TOPIC, ""), (TOPIC, "k"), (TOPIC + "2", "")]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"max_messages": 0}, "max_messages is 0; a publish request has 1..1000"),
        ({"max_messages": 1001}, "max_messages is 1001"),
        ({"max_bytes": 10_000_001}, "max_bytes is 10000001"),
        ({"max_latency": -1.0}, "max_latency is -1"),
    ],
)
def test_settings_that_no_request_could_meet_are_refused(settings: dict[str, float], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        BatchSettings(**settings)  # type: ignore[arg-type]  # that is what is tried


# order


def batch(key: str = "k") -> PublishBatch:
    return PublishBatch(TOPIC, key, START)


def test_one_batch_of_a_key_is_under_way_and_the_next_follows() -> None:
    order = PublishOrder()
    first, second, third = batch(), batch(), batch()
    assert [order.submit(each) for each in (first, second, third)] == [True, False, False]
    assert order.submit(batch("other"))
    assert order.accepted(first) is second
    assert order.accepted(second) is third
    assert order.accepted(third) is None
    assert order.submit(batch())


def test_batches_without_a_key_know_no_order() -> None:
    order = PublishOrder()
    assert [order.submit(batch("")) for _ in range(3)] == [True] * 3
    assert order.failed(batch("")) == []
    assert not order.is_paused(TOPIC, "")


def test_a_failure_pauses_its_key_and_takes_what_is_behind_with_it() -> None:
    order = PublishOrder()
    first, second = batch(), batch()
    order.submit(first)
    order.submit(second)
    order.submit(batch("other"))
    assert order.failed(first) == [second]
    assert order.is_paused(TOPIC, "k")
    assert not order.is_paused(TOPIC, "other")
    order.resume(TOPIC, "k")
    assert not order.is_paused(TOPIC, "k")
    assert order.submit(batch())


# room


def test_room_is_bounded_by_count_and_by_bytes() -> None:
    room = Room(PublishLimits(max_messages=2, max_bytes=100))
    assert [room.enter(10), room.enter(10), room.enter(10)] == [True, True, False]
    room = Room(PublishLimits(max_messages=10, max_bytes=100))
    assert [room.enter(60), room.enter(40), room.enter(1)] == [True, True, False]


def test_a_large_message_is_not_starved_by_small_ones() -> None:
    room = Room(PublishLimits(max_bytes=100))
    assert room.enter(60)
    assert not room.enter(80)
    room.wait(80, "large")
    assert not room.enter(1), "it would fit, but the large one was here first"
    room.wait(1, "small")
    assert room.leave(1, 60) == ["large", "small"]


def test_one_that_is_larger_than_the_whole_limit_passes_alone() -> None:
    room = Room(PublishLimits(max_bytes=100))
    assert room.enter(1)
    assert not room.enter(5000)
    room.wait(5000, "giant")
    assert room.leave(1, 1) == ["giant"]
    assert not room.enter(1)


def test_whoever_gives_up_lets_the_next_in() -> None:
    room = Room(PublishLimits(max_bytes=100))
    room.enter(60)
    room.wait(80, "large")
    room.wait(30, "small")
    assert room.give_up("large") == ["small"]


def test_ignore_has_no_limit_and_raise_refuses_a_giant() -> None:
    assert all(Room(PublishLimits(max_messages=1, on_limit="ignore")).enter(10**9) for _ in range(5))
    assert not Room(PublishLimits(max_bytes=100, on_limit="raise")).enter(101)


@pytest.mark.parametrize(("settings", "words"), [({"max_messages": 0}, "max_messages is 0"), ({"on_limit": "block"}, "on_limit is 'block'")])
def test_limits_that_mean_nothing_are_refused(settings: dict[str, int], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        PublishLimits(**settings)  # type: ignore[arg-type]  # that is what is tried
