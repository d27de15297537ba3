"""`subscribe` of gcloud-aio-pubsub 8, by its behaviour: what its tests say of deadline cache, pulls, handlers, acks and nacks, restated for ours."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest

from publican import errors
from publican.aio import SubscriberMessage, subscribe
from publican.aio.subscriber import AckDeadlineCache
from publican.clock import SECOND
from publican.transport import polling
from tests.client.world import HandClock

SUBSCRIPTION = "projects/p/subscriptions/billing"
LIMIT_S = 20.0


class World:
    """A client that stands in for SubscriberClient, and a clock that moves by hand."""

    def __init__(self) -> None:
        self.instant = 1_800_000_000 * SECOND
        self.clock = HandClock(lambda: self.instant)
        self.messages: asyncio.Queue[Any] = asyncio.Queue()
        self.asked: list[int] = []
        self.acked: list[list[str]] = []
        self.changed: list[tuple[list[str], int]] = []
        self.ack_errors: list[Exception] = []
        self.settings: Any = {"ackDeadlineSeconds": 10}
        self.gets = 0

    # the client

    async def pull(self, subscription: str, max_messages: int, *, session: Any = None, timeout: float = 30) -> list[SubscriberMessage]:
        self.asked.append(max_messages)
        found = await self.messages.get()
        if isinstance(found, Exception):
            raise found
        return list(found)

    async def acknowledge(self, subscription: str, ack_ids: list[str], *, session: Any = None, timeout: float = 10) -> None:
        if self.ack_errors and (error := self.ack_errors.pop(0)) is not None:
            raise error
        if "bad" in ack_ids:
            raise errors.InvalidArgument("You have passed an invalid ack ID")
        self.acked.append(ack_ids)

    async def modify_ack_deadline(
        self, subscription: str, ack_ids: list[str], ack_deadline_seconds: int, *, session: Any = None, timeout: float = 10
    ) -> None:
        self.changed.append((ack_ids, ack_deadline_seconds))

    async def get_subscription(self, subscription: str, *, session: Any = None, timeout: float = 10) -> Any:
        self.gets += 1
        if isinstance(self.settings, Exception):
            raise self.settings
        return self.settings

    # the test's side

    def send(self, *ack_ids: str) -> None:
        self.messages.put_nowait([message(ack_id) for ack_id in ack_ids])

    def nacked(self) -> list[str]:
        return [ack_id for ack_ids, seconds in self.changed if seconds == 0 for ack_id in ack_ids]

    async def advance(self, seconds: float = 0.0) -> None:
        """Move the time, visiting what is due in between."""
        end = self.instant + int(seconds * SECOND)
        await self.clock.settle(self.instant)
        while (due := self.clock.next_due()) is not None and due <= end:
            self.instant = max(self.instant, due)
            await self.clock.settle(self.instant)
        self.instant = end
        await self.clock.settle(end)

    def subscribe(self, handler: Callable[[SubscriberMessage], Coroutine[Any, Any, None]], **settings: Any) -> "asyncio.Task[None]":
        client: Any = self
        return asyncio.ensure_future(subscribe(SUBSCRIPTION, handler, client, clock=self.clock, **settings))


def message(ack_id: str) -> SubscriberMessage:
    return SubscriberMessage(ack_id, f"id-{ack_id}", datetime(2026, 1, 1, tzinfo=UTC), b"x", {"a": "b"})


def run(story: Callable[[World], Coroutine[Any, Any, None]]) -> None:
    async def told() -> None:
        async with asyncio.timeout(LIMIT_S):
            await story(World())

    asyncio.run(told())


async def end(world: World, task: "asyncio.Task[None]") -> None:
    task.cancel()
    while not task.done():
        await world.advance(0.5)
    assert task.cancelled()


# the ack deadline cache


def cache(world: World, timeout: float = 60.0, deadline: float | None = None) -> AckDeadlineCache:
    client: Any = world
    return AckDeadlineCache(client, SUBSCRIPTION, timeout, deadline, clock=world.clock)


def test_the_cache_asks_at_first() -> None:
    async def story(world: World) -> None:
        assert await cache(world).get() == 10
        assert world.gets == 1

    run(story)


def test_the_cache_asks_once_within_its_time() -> None:
    async def story(world: World) -> None:
        cached = cache(world)
        assert [await cached.get() for _ in range(3)] == [10, 10, 10]
        assert world.gets == 1

    run(story)


@pytest.mark.parametrize(("after", "gets"), [(59, 1), (60, 1), (61, 2)])
def test_the_cache_asks_again_when_it_is_old(after: float, gets: int) -> None:
    async def story(world: World) -> None:
        cached = cache(world)
        await cached.get()
        world.instant += int(after * SECOND)
        await cached.get()
        assert world.gets == gets

    run(story)


def test_the_cache_that_is_told_the_deadline_asks_nobody_for_as_long_as_its_time() -> None:
    async def story(world: World) -> None:
        cached = cache(world, float("inf"), 42)
        assert await cached.get() == 42
        world.instant += 10_000 * SECOND
        assert await cached.get() == 42
        assert world.gets == 0

    run(story)


def test_the_cache_keeps_the_last_value_when_asking_fails(caplog: pytest.LogCaptureFixture) -> None:
    async def story(world: World) -> None:
        cached = cache(world)
        await cached.get()
        world.settings = RuntimeError("no")
        world.instant += 100 * SECOND
        assert await cached.get() == 10
        assert world.gets == 2
        assert cached.cache_outdated() is False

    run(story)
    assert "its ack deadline cannot be read" in caplog.text


def test_the_cache_is_infinite_until_it_knows_and_asks_again_then() -> None:
    async def story(world: World) -> None:
        world.settings = RuntimeError("no")
        cached = cache(world)
        assert await cached.get() == float("inf")
        assert cached.cache_outdated()
        world.settings = {"ackDeadlineSeconds": 20}
        assert await cached.get() == 20

    run(story)


# pulls


def test_pulls_ask_for_a_producers_share_and_are_as_many_as_producers() -> None:
    async def story(world: World) -> None:
        async def handler(_: SubscriberMessage) -> None: ...

        task = world.subscribe(handler, num_producers=3, max_messages_per_producer=7)
        await world.advance()
        assert world.asked == [7, 7, 7]
        await end(world, task)

    run(story)


def test_time_outs_of_pulls_are_no_errors(caplog: pytest.LogCaptureFixture) -> None:
    async def story(world: World) -> None:
        handled: list[str] = []

        async def handler(received: SubscriberMessage) -> None:
            handled.append(received.ack_id)

        task = world.subscribe(handler)
        world.messages.put_nowait(TimeoutError())
        world.messages.put_nowait([])
        world.send("a")
        for _ in range(200):
            await asyncio.sleep(0.005)  # an empty answer at once is followed by a moment of real time
            await world.advance()
            if handled:
                break
        assert handled == ["a"]
        await end(world, task)

    run(story)
    assert not caplog.records


def test_an_error_that_does_not_pass_ends_it_as_itself() -> None:
    async def story(world: World) -> None:
        async def handler(_: SubscriberMessage) -> None: ...

        task = world.subscribe(handler)
        refused: Any = aiohttp.ClientResponseError(None, (), status=403, message="Forbidden: no")  # type: ignore[arg-type]
        world.messages.put_nowait(refused)
        while not task.done():
            await world.advance(1)
        with pytest.raises(errors.PermissionDenied, match="Forbidden: no"):
            task.result()

    run(story)


def test_an_error_of_a_client_that_is_no_transports_ends_it_as_itself() -> None:
    async def story(world: World) -> None:
        async def handler(_: SubscriberMessage) -> None: ...

        task = world.subscribe(handler)
        world.messages.put_nowait(ZeroDivisionError("a bug"))
        while not task.done():
            await world.advance(1)
        with pytest.raises(ZeroDivisionError):
            task.result()

    run(story)


def test_an_error_that_may_pass_is_waited_out() -> None:
    async def story(world: World) -> None:
        handled: list[str] = []

        async def handler(received: SubscriberMessage) -> None:
            handled.append(received.ack_id)

        task = world.subscribe(handler)
        world.messages.put_nowait(aiohttp.ServerDisconnectedError())
        world.send("a")
        await world.advance(5)
        assert handled == ["a"]
        await end(world, task)

    run(story)


def test_what_a_pull_brings_after_the_cancellation_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "CLOSE_WAIT_S", 5.0)

    async def story(world: World) -> None:
        async def handler(_: SubscriberMessage) -> None:
            raise AssertionError("it was not to be handled")

        task = world.subscribe(handler)
        await world.advance()
        task.cancel()
        await world.advance()
        world.send("late")
        while not task.done():
            await asyncio.sleep(0)
            await world.advance(0.1)
        assert world.nacked() == ["late"]

    run(story)


# handlers


@pytest.mark.parametrize(("producers", "tasks"), [(1, 1), (1, 3), (2, 2)])
def test_so_many_handlers_run_as_tasks_are_allowed(producers: int, tasks: int) -> None:
    async def story(world: World) -> None:
        running = most = 0
        go_on = asyncio.Event()

        async def handler(_: SubscriberMessage) -> None:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await go_on.wait()
            running -= 1

        task = world.subscribe(handler, num_producers=producers, num_tasks_per_consumer=tasks)
        world.send(*(str(n) for n in range(10)))
        await world.advance(1)
        assert most == producers * tasks
        go_on.set()
        await world.advance(1)
        assert sorted(each for ids in world.acked for each in ids) == [str(n) for n in range(10)]
        await end(world, task)

    run(story)


@pytest.mark.parametrize(("ack_id", "window"), [("a", 2.0), ("n", 1.0)])
def test_acks_wait_for_their_window_and_nacks_for_theirs(ack_id: str, window: float) -> None:
    async def story(world: World) -> None:
        async def handler(received: SubscriberMessage) -> None:
            if received.ack_id == "n":
                raise ValueError

        task = world.subscribe(handler, ack_window=2.0, nack_window=1.0)
        world.send(ack_id)
        await world.advance(window - 0.1)
        assert (world.acked, world.nacked()) == ([], [])
        await world.advance(0.2)
        assert [*world.acked, world.nacked()] == ([[ack_id], []] if ack_id == "a" else [[ack_id]])
        await end(world, task)

    run(story)


def test_without_nacks_a_failed_message_is_left_to_its_deadline(caplog: pytest.LogCaptureFixture) -> None:
    async def story(world: World) -> None:
        async def handler(_: SubscriberMessage) -> None:
            raise ValueError("told in the log")

        task = world.subscribe(handler, enable_nack=False)
        world.send("a")
        await world.advance(100)
        assert (world.acked, world.nacked()) == ([], [])
        assert len([seconds for ids, seconds in world.changed if "a" in ids]) <= 1  # its receipt; nothing keeps it
        await end(world, task)

    run(story)
    assert "told in the log" in caplog.text


def test_leases_are_kept_while_a_handler_runs_and_while_messages_wait() -> None:
    async def story(world: World) -> None:
        go_on = asyncio.Event()

        async def handler(_: SubscriberMessage) -> None:
            await go_on.wait()

        task = world.subscribe(handler)
        world.send("running", "waiting")
        await world.advance(300)
        for ack_id in ("running", "waiting"):
            assert len([seconds for ids, seconds in world.changed if ack_id in ids and seconds > 0]) >= 4
        go_on.set()
        await world.advance(1)
        assert sorted(each for ids in world.acked for each in ids) == ["running", "waiting"]
        await end(world, task)

    run(story)


def test_without_leases_what_has_waited_too_long_is_skipped() -> None:
    async def story(world: World) -> None:
        handled: list[str] = []
        go_on = asyncio.Event()

        async def handler(received: SubscriberMessage) -> None:
            handled.append(received.ack_id)
            await go_on.wait()

        task = world.subscribe(handler, extend_leases=False, ack_deadline=10)
        world.send("first", "too late")
        await world.advance(11)
        go_on.set()
        await world.advance(1)
        assert handled == ["first"]
        assert [ids for ids, seconds in world.changed if seconds > 0] == []
        assert world.nacked() == []
        await end(world, task)

    run(story)


def test_cancelled_handlers_may_end_and_are_acked_and_what_waits_is_given_back() -> None:
    async def story(world: World) -> None:
        go_on = asyncio.Event()

        async def handler(_: SubscriberMessage) -> None:
            await go_on.wait()

        task = world.subscribe(handler)
        world.send("running", "waiting")
        await world.advance(1)
        task.cancel()
        await world.advance(100)  # graceful_shutdown_timeout is None: whatever they need
        assert not task.done()
        assert world.nacked() == ["waiting"]
        go_on.set()
        await end(world, task)
        assert world.acked == [["running"]]

    run(story)


def test_the_graceful_shutdown_has_an_end_where_one_is_set() -> None:
    async def story(world: World) -> None:
        cancelled = asyncio.Event()

        async def handler(_: SubscriberMessage) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()

        task = world.subscribe(handler, graceful_shutdown_timeout=3)
        world.send("running")
        await world.advance(1)
        task.cancel()
        await world.advance(2.9)
        assert not cancelled.is_set()
        await end(world, task)
        assert cancelled.is_set()
        assert world.nacked() == ["running"]

    run(story)


@pytest.mark.parametrize("raises", [False, True])
@pytest.mark.parametrize("marks", [("ack",), ("nack",), ("ack", "nack"), ("nack", "ack")])
def test_a_message_carries_the_mark_only_and_the_last_mark_decides(marks: tuple[str, ...], *, raises: bool) -> None:
    async def story(world: World) -> None:
        go_on = asyncio.Event()

        async def handler(received: SubscriberMessage) -> None:
            for mark in marks:
                getattr(received, mark)()
            await go_on.wait()
            if raises:
                raise ValueError("after the mark")

        task = world.subscribe(handler)
        world.send("a")
        await world.advance(1)
        assert (world.acked, world.nacked()) == ([], [])  # nothing is said before the handler has ended
        go_on.set()
        await world.advance(1)
        assert (world.acked, world.nacked()) == (([["a"]], []) if marks[-1] == "ack" else ([], ["a"]))
        await end(world, task)

    run(story)


# acks


def test_acks_that_fail_for_now_are_sent_again() -> None:
    async def story(world: World) -> None:
        async def handler(_: SubscriberMessage) -> None: ...

        world.ack_errors = [errors.Unavailable("later"), aiohttp.ServerDisconnectedError()]
        task = world.subscribe(handler)
        world.send("a", "b")
        await world.advance(20)
        assert sorted(each for ids in world.acked for each in ids) == ["a", "b"]
        await end(world, task)

    run(story)


def test_one_bad_id_loses_none_of_the_others(caplog: pytest.LogCaptureFixture) -> None:
    async def story(world: World) -> None:
        async def handler(_: SubscriberMessage) -> None: ...

        task = world.subscribe(handler, num_tasks_per_consumer=100)
        world.send(*(str(n) for n in range(20)), "bad")
        await world.advance(20)
        assert sorted(each for ids in world.acked for each in ids) == sorted(str(n) for n in range(20))
        await end(world, task)

    with caplog.at_level(logging.WARNING):
        run(story)


def test_three_thousand_acks_are_all_sent() -> None:
    async def story(world: World) -> None:
        async def handler(_: SubscriberMessage) -> None: ...

        task = world.subscribe(handler, num_producers=4, max_messages_per_producer=1000, num_tasks_per_consumer=1000)
        for start in range(0, 3000, 1000):
            world.send(*(str(n) for n in range(start, start + 1000)))
        await world.advance(3)
        assert len({each for ids in world.acked for each in ids}) == 3000
        assert max(len(ids) for ids in world.acked) <= 1000
        await end(world, task)

    run(story)


@pytest.mark.parametrize("name", ["num_producers", "max_messages_per_producer", "num_tasks_per_consumer"])
def test_a_bound_below_one_is_refused(name: str) -> None:
    async def story(world: World) -> None:
        async def handler(_: SubscriberMessage) -> None: ...

        with pytest.raises(ValueError, match="is 0; it must be at least 1"):
            await world.subscribe(handler, **{name: 0})

    run(story)


def test_a_metrics_client_of_before_8_is_told() -> None:
    told: list[tuple[str, float]] = []

    class Agent:
        def increment(self, metric: str, value: float = 1) -> None:
            told.append((metric, value))

        def histogram(self, metric: str, value: float) -> None:
            told.append((metric, value))

    async def story(world: World) -> None:
        async def handler(received: SubscriberMessage) -> None:
            if received.ack_id == "n":
                raise ValueError

        task = world.subscribe(handler, metrics_client=Agent(), num_tasks_per_consumer=5)
        world.send("a", "n")
        await world.advance(2)
        await end(world, task)

    run(story)
    names = [name for name, _ in told]
    assert ("pubsub.producer.batch", 2) in told
    assert {"pubsub.consumer.succeeded", "pubsub.consumer.failed", "pubsub.acker.batch", "pubsub.nacker.batch"} <= set(names)
