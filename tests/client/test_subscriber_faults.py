"""A subscriber through trouble: broken streams, refused calls, shutdown, cancellation. Against the emulator, in virtual time."""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest

from publican.aio.modern import Subscriber
from publican.errors import AckFailed, Closed, NotFound, PermissionDenied
from publican.flow import FlowControl
from publican.message import SubscriberMessage
from publican.settlement import AckResult
from tests.client.world import SUBSCRIPTION, World


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


@contextlib.asynccontextmanager
async def handled(
    world: World, handler: Any, *, concurrency: int | None = None, **settings: Any
) -> AsyncIterator[tuple[Subscriber, "asyncio.Task[Any]"]]:
    """Run a handler, and leave whatever way the test has left it."""
    subscriber = world.subscriber(**settings)
    running = asyncio.create_task(subscriber.run(SUBSCRIPTION, handler, concurrency=concurrency))
    await world.rest()
    try:
        yield subscriber, running
    finally:
        closing = asyncio.create_task(subscriber.close(0))
        await world.advance(6)
        await closing
        await asyncio.wait([running])
        if not running.cancelled():
            running.exception()


async def acked(world: World) -> int:
    await world.rest()
    return world.history().count(" acked ")


def test_acks_outlive_a_broken_stream() -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription()
            world.publish(b"x")
            finish = asyncio.Event()
            async with handled(world, lambda _: finish.wait()):
                world.emulator.break_streams()
                await world.rest()
                finish.set()
                await world.advance(0.5)
                assert await acked(world) == 1
                assert len(world.transport.opened) == 2

    run(test())


def test_leases_outlive_a_broken_stream() -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription()
            world.publish(b"x")
            seen: list[str] = []
            finish = asyncio.Event()

            async def handler(message: SubscriberMessage) -> None:
                seen.append(message.message_id)
                await finish.wait()

            async with handled(world, handler):
                for _ in range(10):
                    await world.advance(29)
                    world.emulator.break_streams()
                finish.set()
                await world.advance(1)
                assert seen == ["1"]
                assert await acked(world) == 1

    run(test())


@pytest.mark.parametrize("hours", [6, pytest.param(7 * 24, marks=pytest.mark.slow)])
def test_a_stream_that_ends_every_half_hour_for_a_week_loses_nothing_and_warns_of_nothing(hours: int, caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription()
            seen: Counter[bytes | None] = Counter()

            async def handler(message: SubscriberMessage) -> None:
                seen[message.data] += 1

            async with handled(world, handler) as (subscriber, _):
                for number in range(2 * hours):
                    world.publish(b"%d" % number)
                    await world.advance(1800)
                    world.emulator.break_streams()
                await world.advance(1)
                assert seen == Counter(b"%d" % number for number in range(2 * hours))
                assert subscriber.stats()[0].reconnects == 2 * hours
        assert [each for each in caplog.records if each.levelno >= logging.WARNING and each.name.startswith("publican.s")] == []

    with caplog.at_level(logging.DEBUG):
        run(test())


def test_a_stream_that_cannot_be_opened_is_warned_of_and_tried_again_ever_more_slowly(caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription()
            world.emulator.faults.fail("StreamingPull", "UNAVAILABLE", "gone", times=None)
            async with handled(world, print):
                await world.advance(3600)
                assert 100 < len(world.transport.opened) < 2000
                world.emulator.faults.clear()
                world.publish(b"x")
                await world.advance(31)
                assert await acked(world) == 1
        assert "the stream has ended (gone" in caplog.text

    run(test())


@pytest.mark.parametrize(("code", "kind"), [("PERMISSION_DENIED", PermissionDenied), ("NOT_FOUND", NotFound)])
def test_a_permanent_error_ends_the_subscription_loudly(code: str, kind: type[Exception], caplog: pytest.LogCaptureFixture) -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription()
            async with handled(world, print) as (_, running):
                world.emulator.faults.fail("StreamingPull", code, "not for you", times=None)
                world.emulator.break_streams()
                await world.advance(1)
                with pytest.raises(kind, match="not for you"):
                    await running
        assert "the subscription has ended: not for you" in caplog.text

    run(test())


def test_a_deleted_subscription_ends_its_subscriber_and_running_handlers_may_finish() -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription()
            world.publish(b"x")
            finished = asyncio.Event()

            async def handler(message: SubscriberMessage) -> None:
                world.emulator.run(lambda broker, now: broker.delete_subscription(SUBSCRIPTION, now))
                await asyncio.sleep(0)
                finished.set()

            async with handled(world, handler) as (_, running):
                await world.advance(10)
                with pytest.raises(NotFound):
                    await running
                assert finished.is_set()

    run(test())


def test_draining_finishes_what_runs_and_gives_back_what_is_held() -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription()
            world.publish(*(b"%d" % number for number in range(5)))
            finish = asyncio.Event()
            cancelled: list[str] = []

            async def handler(message: SubscriberMessage) -> None:
                if message.data == b"0":
                    await finish.wait()
                    return
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    cancelled.append(message.message_id)
                    raise

            async with handled(world, handler, concurrency=1) as (subscriber, running):
                assert subscriber.stats()[0].running == 1
                assert subscriber.stats()[0].held == 4
                closing = asyncio.create_task(subscriber.close(30))
                await world.advance(1)
                assert world.history().count("nacked") == 4
                finish.set()
                await world.advance(1)
                await closing
                drained = await running
                assert (drained.finished, drained.nacked, drained.abandoned) == (1, 4, 0)
                assert await acked(world) == 1
                assert cancelled == []

    run(test())


def test_at_the_time_out_late_messages_are_nacked_and_their_handlers_cancelled() -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription()
            world.publish(b"1", b"2")
            cancelled: list[str] = []

            async def handler(message: SubscriberMessage) -> None:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    cancelled.append(message.message_id)
                    raise

            async with handled(world, handler, close_timeout=30) as (_, running):
                running.cancel()
                await world.advance(29)
                assert not running.done()
                assert "expired" not in world.history()
                await world.advance(1)
                with pytest.raises(asyncio.CancelledError):
                    await running
                assert cancelled == ["1", "2"]
                assert world.history().count("nacked") == 2

    run(test())


def test_a_second_cancellation_takes_no_time() -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription()
            world.publish(b"1")
            async with handled(world, lambda _: asyncio.Event().wait()) as (_, running):
                running.cancel()
                await world.rest()
                assert not running.done()
                running.cancel()
                await world.rest()
                with pytest.raises(asyncio.CancelledError):
                    await running
                assert world.history().count("nacked") == 1

    run(test())


def test_closing_that_is_cancelled_takes_no_more_time_and_leaves_nothing_behind() -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription()
            world.publish(b"1")
            subscriber = world.subscriber()
            running = asyncio.create_task(subscriber.run(SUBSCRIPTION, lambda _: asyncio.Event().wait()))
            await world.rest()
            closing = asyncio.create_task(subscriber.close(30))
            await world.advance(1)
            assert not closing.done()
            closing.cancel()
            await world.rest()
            with pytest.raises(asyncio.CancelledError):
                await closing
            assert (await running).abandoned == 1
            assert world.history().count("nacked") == 1
            assert subscriber.stats() == []

    run(test())


def test_a_bug_of_the_engine_ends_the_subscription_with_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription()
            world.publish(b"1")
            monkeypatch.setattr("publican.receiving.Receiving.answered", lambda *_: 1 / 0)
            subscriber = world.subscriber()
            running = asyncio.create_task(subscriber.run(SUBSCRIPTION, print))
            await world.advance(1)
            with pytest.raises(ZeroDivisionError):
                await running
            await subscriber.close()

    run(test())


def test_handlers_are_bounded_by_their_concurrency() -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription()
            world.publish(*(b"%d" % number for number in range(50)))
            running = most = 0
            gate = asyncio.Event()

            async def handler(message: SubscriberMessage) -> None:
                nonlocal running, most
                running += 1
                most = max(most, running)
                await gate.wait()
                await asyncio.sleep(0)
                running -= 1

            async with handled(world, handler, concurrency=7):
                assert running == 7
                gate.set()
                await world.advance(1)
                assert await acked(world) == 50
                assert most == 7

    run(test())


def test_order_within_a_key_with_a_hundred_handlers() -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription(enable_message_ordering=True)
            keys = [f"k{number % 10}" for number in range(200)]
            for number, key in enumerate(keys):
                world.publish(b"%d" % number, key=key)
            started: dict[str, list[int]] = {}
            out: Counter[str] = Counter()

            async def handler(message: SubscriberMessage) -> None:
                out[message.ordering_key] += 1
                assert out[message.ordering_key] == 1
                started.setdefault(message.ordering_key, []).append(int(message.data or b""))
                for _ in range(int(message.data or b"") % 7):
                    await asyncio.sleep(0)
                out[message.ordering_key] -= 1

            async with handled(world, handler, flow_control=FlowControl(max_messages=100)):
                await world.advance(5)
                assert sum(map(len, started.values())) == 200
                for numbers in started.values():
                    assert numbers == sorted(numbers)

    run(test())


def test_a_nack_of_a_key_holds_back_what_follows_it() -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription(enable_message_ordering=True)
            world.publish(*(b"%d" % number for number in range(5)), key="k")
            seen: list[int] = []

            async def handler(message: SubscriberMessage) -> None:
                seen.append(int(message.data or b""))
                if seen == [0, 1]:
                    raise RuntimeError

            async with handled(world, handler):
                await world.advance(5)
                assert seen == [0, 1, 1, 2, 3, 4]

    run(test())


def test_exactly_once_an_ack_that_fails_for_ever_is_told_to_who_waits_for_it() -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription(enable_exactly_once_delivery=True)
            world.publish(b"x")
            failures: list[AckFailed] = []

            async def handler(message: SubscriberMessage) -> None:
                if failures:
                    return
                world.emulator.run(lambda broker, now: broker.modify_ack_deadline(SUBSCRIPTION, [message.ack_id], 0, now))
                try:
                    await message.ack_with_result()
                except AckFailed as error:
                    failures.append(error)

            async with handled(world, handler):
                await world.advance(1)
                assert failures[0].result is AckResult.INVALID_ACK_ID

    run(test())


def test_without_exactly_once_the_result_is_success_once_the_request_is_accepted() -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription()
            world.publish(b"x")
            results: list[AckResult] = []

            async def handler(message: SubscriberMessage) -> None:
                results.append(await message.ack_with_result())

            async with handled(world, handler):
                await world.advance(1)
                assert results == [AckResult.SUCCESS]

    run(test())


def test_a_message_held_too_long_is_the_service_s_again_and_its_ack_is_late() -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription()
            world.publish(b"x")
            finish = asyncio.Event()
            seen: list[tuple[str, bool, str]] = []

            async def handler(message: SubscriberMessage) -> None:
                await finish.wait()
                lost = message.is_lease_lost
                result = await message.ack_with_result()
                seen.append((message.ack_id, lost, result.value))

            async with handled(world, handler, flow_control=FlowControl(max_messages=1, max_lease_duration=100)) as (subscriber, _):
                await world.advance(99)
                assert world.history().count("delivered") == 1
                await world.advance(2)
                assert world.history().count("delivered") == 2
                finish.set()
                await world.advance(1)
                assert [each[1:] for each in seen] == [(True, "lease lost"), (False, "success")]
                assert subscriber.stats()[0].late == 1

    run(test())


def test_a_closed_subscriber_takes_no_subscription() -> None:
    async def test() -> None:
        async with World() as world:
            subscriber = world.subscriber()
            await subscriber.close()
            with pytest.raises(Closed):
                subscriber.stream(SUBSCRIPTION)

    run(test())


def test_stats_tell_stuck_from_idle() -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription()
            world.publish(b"1", b"2", b"3")
            async with handled(world, lambda _: asyncio.Event().wait(), flow_control=FlowControl(max_messages=2)) as (subscriber, _):
                await world.advance(20)
                [stats] = subscriber.stats()
                assert (stats.phase, stats.load, stats.running, stats.oldest_s, stats.last_response_s) == ("open", 1.0, 2, 20.0, 20.0)

    run(test())


@pytest.mark.parametrize("turns", range(0, 60, 3))
def test_cancelled_at_any_moment_every_message_is_acked_nacked_or_still_the_service_s(turns: int) -> None:
    """A sweep over the awaits of the engine: whatever turn of the loop the cancellation lands in, no lease is kept alive by a ghost."""

    async def test() -> None:
        async with World() as world:
            world.subscription()
            world.publish(*(b"%d" % number for number in range(20)))
            done: Counter[str] = Counter()

            async def handler(message: SubscriberMessage) -> None:
                await asyncio.sleep(0)
                done[message.message_id] += 1

            subscriber = world.subscriber(flow_control=FlowControl(max_messages=6))
            running = asyncio.create_task(subscriber.run(SUBSCRIPTION, handler))
            for _ in range(turns):
                await asyncio.sleep(0)
            running.cancel()
            await world.advance(6)
            assert running.cancelled() or turns == 0
            await world.advance(70)
            again = world.subscriber()
            second = asyncio.create_task(again.run(SUBSCRIPTION, handler))
            await world.advance(2)
            assert len(done) == 20
            assert max(done.values()) == 1, "a message was handled and its ack was lost"
            second.cancel()
            await world.advance(1)
            await asyncio.gather(second, return_exceptions=True)

    run(test())
