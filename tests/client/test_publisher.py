"""A publisher against the emulator, in virtual time."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from publican.errors import Closed, MessageTooLarge, NotFound, OrderingKeyPaused, PublishLimitReached, Unavailable
from publican.message import PubsubMessage
from publican.retry import RetryPolicy
from publican.room import PublishLimits
from publican_protocol.codes import Code
from tests.client.world import SUBSCRIPTION, TOPIC, World


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


def data_of(world: World) -> list[list[bytes]]:
    """Give the data of each publish request that was made."""
    return [[each.data for each in request.messages] for request in world.transport.of("Publish")]


def test_neighbours_leave_in_one_request_after_the_latency() -> None:
    async def test() -> None:
        async with World() as world, world.publisher() as publisher:
            futures = [await publisher.submit(TOPIC, b"%d" % n) for n in range(5)]
            await world.advance(0.009)
            assert data_of(world) == []
            await world.advance(0.001)
            assert data_of(world) == [[b"0", b"1", b"2", b"3", b"4"]]
            assert [await each for each in futures] == ["1", "2", "3", "4", "5"]

    run(test())


def test_text_attributes_keys_and_message_objects_are_taken() -> None:
    async def test() -> None:
        async with World() as world, world.publisher(max_messages=1, ordering=True) as publisher:
            await publisher.publish(TOPIC, "é", ordering_key="k", colour="red")
            await publisher.publish(TOPIC, PubsubMessage(b"x", ordering_key="l", size="9"))
            first, second = (request.messages[0] for request in world.transport.of("Publish"))
            assert (first.data, first.ordering_key, dict(first.attributes)) == ("é".encode(), "k", {"colour": "red"})
            assert (second.data, second.ordering_key, dict(second.attributes)) == (b"x", "l", {"size": "9"})

    run(test())


def test_a_full_batch_leaves_at_once() -> None:
    async def test() -> None:
        async with World() as world, world.publisher(max_messages=2) as publisher:
            futures = [await publisher.submit(TOPIC, b"x") for _ in range(5)]
            await asyncio.gather(*futures[:4])
            assert [len(each) for each in data_of(world)] == [2, 2]
            assert not futures[4].done()

    run(test())


def test_a_key_is_published_in_order_though_its_requests_are_delayed() -> None:
    async def test() -> None:
        async with World() as world, world.publisher(max_messages=1, ordering=True) as publisher:
            world.subscription(enable_message_ordering=True)
            world.emulator.faults.fail("Publish", "UNAVAILABLE", times=2)
            futures = [await publisher.submit(TOPIC, b"%d" % n, ordering_key="k") for n in range(4)]
            await world.advance(1)
            assert [await each for each in futures] == ["1", "2", "3", "4"]
            assert [each[0] for each in data_of(world)] == [b"0", b"0", b"0", b"1", b"2", b"3"]

    run(test())


def test_a_failed_key_is_paused_until_it_is_resumed_and_others_go_on() -> None:
    async def test() -> None:
        async with World() as world, world.publisher(max_messages=1, ordering=True) as publisher:
            world.emulator.faults.fail("Publish", "PERMISSION_DENIED", "no", times=1)
            first, second = [await publisher.submit(TOPIC, each, ordering_key="k") for each in (b"1", b"2")]
            other = await publisher.submit(TOPIC, b"3", ordering_key="other")
            await world.advance(1)
            with pytest.raises(Exception, match="no"):
                await first
            with pytest.raises(OrderingKeyPaused, match=r"'k' failed.* until resume"):
                await second
            assert await other
            with pytest.raises(OrderingKeyPaused):
                await publisher.submit(TOPIC, b"4", ordering_key="k")
            publisher.resume(TOPIC, "k")
            assert await publisher.publish(TOPIC, b"4", ordering_key="k")

    run(test())


def test_a_failed_key_takes_its_open_batch_with_it() -> None:
    async def test() -> None:
        async with World() as world, world.publisher(max_messages=2, ordering=True) as publisher:
            world.emulator.faults.fail("Publish", "PERMISSION_DENIED", "no", times=1)
            futures = [await publisher.submit(TOPIC, b"x", ordering_key="k") for _ in range(3)]
            await world.advance(1)
            with pytest.raises(OrderingKeyPaused):
                await futures[2]
            assert len(data_of(world)) == 1

    run(test())


def test_a_key_without_ordering_is_refused() -> None:
    async def test() -> None:
        async with World() as world, world.publisher() as publisher:
            with pytest.raises(ValueError, match=r"ordering key 'k'.*ordering=True"):
                await publisher.publish(TOPIC, b"x", ordering_key="k")

    run(test())


def test_whoever_comes_at_the_limit_waits_in_line() -> None:
    async def test() -> None:
        async with World() as world, world.publisher(limits=PublishLimits(max_messages=2), max_messages=1) as publisher:
            world.emulator.faults.delay("Publish", 5, times=2)
            callers = [asyncio.create_task(publisher.publish(TOPIC, b"%d" % n)) for n in range(4)]
            await world.advance(4)
            assert [each[0] for each in data_of(world)] == [b"0", b"1"]
            await world.advance(2)
            assert [await each for each in callers] == ["1", "2", "3", "4"]
            assert [each[0] for each in data_of(world)] == [b"0", b"1", b"2", b"3"]

    run(test())


def test_at_the_limit_it_may_raise_instead() -> None:
    async def test() -> None:
        async with World() as world, world.publisher(limits=PublishLimits(max_messages=1, on_limit="raise")) as publisher:
            waiting = await publisher.submit(TOPIC, b"1")
            with pytest.raises(PublishLimitReached, match="holds 1 messages, 3 bytes; with 3 bytes more it would exceed its limits of 1 messages"):
                await publisher.submit(TOPIC, b"2")
            await world.advance(1)
            assert await waiting
            assert not (await publisher.submit(TOPIC, b"3")).done()

    run(test())


def test_a_cancelled_caller_leaves_its_batch_whole() -> None:
    async def test() -> None:
        async with World() as world, world.publisher() as publisher:
            callers = [asyncio.create_task(publisher.publish(TOPIC, b"%d" % n)) for n in range(3)]
            await asyncio.sleep(0)
            callers[1].cancel()
            await world.advance(1)
            assert data_of(world) == [[b"0", b"1", b"2"]]
            assert [await callers[0], await callers[2]] == ["1", "3"]
            assert callers[1].cancelled()

    run(test())


def test_a_caller_cancelled_while_it_waits_for_room_takes_none() -> None:
    async def test() -> None:
        async with World() as world, world.publisher(limits=PublishLimits(max_messages=1), max_messages=1) as publisher:
            world.emulator.faults.delay("Publish", 5)
            callers = [asyncio.create_task(publisher.publish(TOPIC, b"%d" % n)) for n in range(3)]
            await world.advance(1)
            callers[1].cancel()
            await world.advance(5)
            assert [await callers[0], await callers[2]] == ["1", "2"]

    run(test())


def test_failures_for_now_are_repeated_by_the_table() -> None:
    async def test() -> None:
        async with World() as world, world.publisher(max_latency=0) as publisher:
            for code in ("UNAVAILABLE", "ABORTED", "INTERNAL", "UNKNOWN", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "CANCELLED"):
                world.emulator.faults.fail("Publish", code, times=1)
            future = await publisher.submit(TOPIC, b"x")
            await world.advance(400)
            assert await future == "1"
            assert len(data_of(world)) == 8

    run(test())


def test_the_total_time_of_the_retries_is_kept() -> None:
    async def test() -> None:
        async with World() as world, world.publisher(max_latency=0, retry=RetryPolicy(total=10, codes=frozenset({Code.UNAVAILABLE}))) as publisher:
            world.emulator.faults.fail("Publish", "UNAVAILABLE", "gone", times=None)
            future = await publisher.submit(TOPIC, b"x")
            await world.advance(11)
            with pytest.raises(Unavailable, match="gone"):
                await future

    run(test())


def test_a_topic_that_is_not_there_fails_its_messages() -> None:
    async def test() -> None:
        async with World() as world, world.publisher(max_latency=0) as publisher:
            future = await publisher.submit("projects/p/topics/nowhere", b"x")
            await world.advance(0)
            with pytest.raises(NotFound, match="nowhere"):
                await future

    run(test())


def test_a_message_that_no_request_can_hold_is_refused_where_it_is_brought() -> None:
    async def test() -> None:
        async with World() as world, world.publisher() as publisher:
            with pytest.raises(MessageTooLarge, match="at most 10000000"):
                await publisher.submit(TOPIC, b"x" * 10_000_000)
            assert data_of(world) == []

    run(test())


def test_closing_sends_what_is_there_and_takes_nothing_more() -> None:
    async def test() -> None:
        async with World() as world:
            publisher = world.publisher(max_latency=100)
            async with publisher:
                future = await publisher.submit(TOPIC, b"x")
            assert await future == "1"
            with pytest.raises(Closed):
                await publisher.publish(TOPIC, b"y")

    run(test())


def test_closing_gives_up_after_its_time_and_fails_the_rest() -> None:
    async def test() -> None:
        async with World() as world:
            world.emulator.faults.fail("Publish", "UNAVAILABLE", times=None)
            publisher = world.publisher(ordering=True, max_messages=1, limits=PublishLimits(max_messages=2), max_latency=0)
            futures = [await publisher.submit(TOPIC, b"%d" % n, ordering_key="k") for n in range(2)]
            waiting = asyncio.create_task(publisher.publish(TOPIC, b"2", ordering_key="k"))
            await world.advance(1)
            closing = asyncio.create_task(publisher.close(5))
            await world.advance(4)
            assert not closing.done()
            await world.advance(2)
            await closing
            for each in (*futures, waiting):
                with pytest.raises(Closed):
                    await each

    run(test())


def test_flush_waits_for_the_answers() -> None:
    async def test() -> None:
        async with World() as world, world.publisher(max_latency=100) as publisher:
            world.subscription()
            future = await publisher.submit(TOPIC, b"x")
            await publisher.flush()
            assert future.done()
            await publisher.flush()
            assert SUBSCRIPTION

    run(test())
