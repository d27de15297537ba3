"""The driver: one way into the broker, one timer, commit points, and consumers that are woken by events."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from publican_emulator.broker.broker import Broker
from publican_emulator.broker.consumer import Consumer
from publican_emulator.broker.errors import FailedPrecondition, NotFound, Unavailable
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.settings import SubscriptionSettings, TopicSettings
from publican_emulator.driver import Driver, SystemClock, VirtualClock
from publican_emulator.rpc.call import CallInfo
from publican_emulator.services.messages import Messages
from publican_emulator.services.streaming_pull import StreamingPull
from publican_protocol import pubsub

START = Nanos(1_700_000_000 * SECOND)
TOPIC = "projects/p/topics/abc"
SUBSCRIPTION = "projects/p/subscriptions/abc"
ONE = pubsub.PubsubMessage(data=b"one").SerializeToString()


class Slow:
    """A journal whose commits pass when the test says so."""

    def __init__(self) -> None:
        self.commits: list[asyncio.Future[None]] = []

    def commit(self) -> Awaitable[None]:
        future = asyncio.get_running_loop().create_future()
        self.commits.append(future)
        return future

    def pass_all(self) -> None:
        for commit in self.commits:
            if not commit.done():
                commit.set_result(None)


class Recorded:
    """A stream that keeps what is written to it; its client has asked once."""

    def __init__(self, *requests: bytes) -> None:
        self.written: list[bytes] = []
        self.started = False
        self.requests: asyncio.Queue[bytes | None] = asyncio.Queue()
        for request in requests:
            self.requests.put_nowait(request)
        self.has_written = asyncio.Event()

    async def receive(self) -> bytes | None:
        return await self.requests.get()

    def start(self) -> None:
        self.started = True

    async def writable(self) -> None:
        return None

    def room(self) -> int:
        return 1 << 20

    def write(self, message: bytes) -> None:
        self.written.append(message)
        self.has_written.set()


def driver_with(clock: VirtualClock | SystemClock | None = None, journal: Slow | None = None) -> Driver:
    driver = Driver(Broker(), clock or VirtualClock(START), journal)
    now = driver.clock.now()
    driver.broker.create_topic(TOPIC, TopicSettings(), now)
    driver.broker.create_subscription(SUBSCRIPTION, TOPIC, SubscriptionSettings(), now)
    return driver


def publish_request() -> bytes:
    return pubsub.PublishRequest(topic=TOPIC, messages=[pubsub.PubsubMessage(data=b"one")]).SerializeToString()


async def turns() -> None:
    """Let everything that can run now run."""
    for _ in range(10):
        await asyncio.sleep(0)


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(20):
            await test()

    asyncio.run(main())


def test_without_a_journal_every_commit_point_has_passed() -> None:
    driver = driver_with()
    ids, commit = driver.run(driver.broker.publish, TOPIC, [ONE])
    assert list(ids) == [1]
    assert commit is None


def test_a_response_leaves_only_after_its_commit_point() -> None:
    async def test() -> None:
        journal = Slow()
        driver = driver_with(journal=journal)
        answer = Messages(driver, pull_wait_s=0).publish(publish_request(), CallInfo("", "grpc"))
        assert not isinstance(answer, bytes)
        task = asyncio.ensure_future(answer)
        await turns()
        assert not task.done()
        journal.pass_all()
        assert pubsub.PublishResponse.FromString(await task).message_ids == ["1"]

    run(test)


@pytest.mark.parametrize("waits", [False, True])
def test_a_pulled_message_leaves_only_after_its_commit_point(waits: bool) -> None:
    async def test() -> None:
        journal = Slow()
        driver = driver_with(journal=journal)
        driver.attach(asyncio.get_running_loop())
        request = pubsub.PullRequest(subscription=SUBSCRIPTION, max_messages=1).SerializeToString()
        if not waits:
            driver.run(driver.broker.publish, TOPIC, [ONE])
        answer = Messages(driver, pull_wait_s=20).pull(request, CallInfo("", "grpc"))
        assert not isinstance(answer, bytes)
        task = asyncio.ensure_future(answer)
        await turns()
        if waits:
            driver.run(driver.broker.publish, TOPIC, [ONE])
            await turns()
        assert not task.done()
        journal.pass_all()
        await turns()
        journal.pass_all()
        assert len(pubsub.PullResponse.FromString(await task).received_messages) == 1
        driver.close()

    run(test)


def test_a_delivery_on_a_stream_and_a_confirmation_leave_only_after_their_commit_points() -> None:
    async def test() -> None:
        journal = Slow()
        driver = driver_with(journal=journal)
        driver.attach(asyncio.get_running_loop())
        driver.broker.update_subscription(SUBSCRIPTION, SubscriptionSettings(enable_exactly_once_delivery=True), START)
        driver.run(driver.broker.publish, TOPIC, [ONE])
        opening = pubsub.StreamingPullRequest(subscription=SUBSCRIPTION, stream_ack_deadline_seconds=10).SerializeToString()
        stream = Recorded(opening)
        serving = asyncio.ensure_future(StreamingPull(driver).streaming_pull(stream, CallInfo("", "grpc")))
        await turns()
        assert stream.started
        assert not stream.written
        journal.pass_all()
        await stream.has_written.wait()
        (received,) = pubsub.StreamingPullResponse.FromString(stream.written.pop()).received_messages
        stream.requests.put_nowait(pubsub.StreamingPullRequest(ack_ids=[received.ack_id]).SerializeToString())
        await turns()
        assert not stream.written, "an ack is confirmed only when it is durable"
        journal.pass_all()
        await turns()
        confirmed = pubsub.StreamingPullResponse.FromString(stream.written[-1]).acknowledge_confirmation
        assert list(confirmed.ack_ids) == [received.ack_id]
        serving.cancel()
        await asyncio.wait([serving])
        driver.close()

    run(test)


def test_a_waiting_consumer_is_woken_by_a_publish_and_by_nothing_else() -> None:
    async def test() -> None:
        driver = driver_with()
        driver.attach(asyncio.get_running_loop())
        consumer, _ = driver.run(driver.broker.open_pull, SUBSCRIPTION, 1)
        waiting = asyncio.ensure_future(driver.ready(consumer))
        await turns()
        driver.run(driver.broker.create_topic, "projects/p/topics/other", TopicSettings())
        await turns()
        assert not waiting.done()
        driver.run(driver.broker.publish, TOPIC, [ONE])
        await waiting
        batch, _ = driver.run(driver.broker.lease, consumer, 1 << 20)
        assert len(batch) == 1
        driver.close()

    run(test)


def test_one_message_wakes_one_of_many_and_the_next_when_that_one_leaves() -> None:
    async def test() -> None:
        driver = driver_with()
        driver.attach(asyncio.get_running_loop())
        consumers: list[Consumer] = [driver.run(driver.broker.open_pull, SUBSCRIPTION, 1)[0] for _ in range(5)]
        waiting = [asyncio.ensure_future(driver.ready(consumer)) for consumer in consumers]
        await turns()
        driver.run(driver.broker.publish, TOPIC, [ONE])
        await turns()
        assert [task.done() for task in waiting] == [True, False, False, False, False]
        driver.run(driver.broker.close, consumers[0])
        await turns()
        assert [task.done() for task in waiting] == [True, True, False, False, False]
        for task in waiting:
            task.cancel()
        driver.close()

    run(test)


def test_a_consumer_of_a_deleted_subscription_is_woken_and_told() -> None:
    async def test() -> None:
        driver = driver_with()
        driver.attach(asyncio.get_running_loop())
        consumer, _ = driver.run(driver.broker.open_pull, SUBSCRIPTION, 1)
        waiting = asyncio.ensure_future(driver.ready(consumer))
        await turns()
        driver.run(driver.broker.delete_subscription, SUBSCRIPTION)
        await waiting
        with pytest.raises(NotFound):
            driver.run(driver.broker.lease, consumer, 1 << 20)
        driver.close()

    run(test)


def test_swapping_the_broker_ends_its_consumers_with_the_reason() -> None:
    async def test() -> None:
        driver = driver_with()
        driver.attach(asyncio.get_running_loop())
        old = driver.broker
        consumer, _ = driver.run(old.open_pull, SUBSCRIPTION, 1)
        waiting = asyncio.ensure_future(driver.ready(consumer))
        await turns()
        driver.swap(Broker(), FailedPrecondition("the test is over"))
        await waiting
        with pytest.raises(FailedPrecondition, match="the test is over"):
            driver.run(old.lease, consumer, 1 << 20)
        driver.close()

    run(test)


def test_the_one_timer_expires_leases_by_itself_in_real_time() -> None:
    """The wall clock is what this is about: a back-off of 50 ms passes and wakes a waiting consumer without any call."""

    async def test() -> None:
        from publican_emulator.broker.settings import RetryPolicy

        driver = driver_with(SystemClock())
        driver.attach(asyncio.get_running_loop())
        retry = RetryPolicy(Nanos(SECOND // 20), Nanos(SECOND))
        driver.run(driver.broker.update_subscription, SUBSCRIPTION, SubscriptionSettings(retry=retry))
        driver.run(driver.broker.publish, TOPIC, [ONE])
        first, _ = driver.run(driver.broker.open_pull, SUBSCRIPTION, 1)
        batch, _ = driver.run(driver.broker.lease, first, 1 << 20)
        (delivery,) = batch.deliveries()
        began = driver.clock.now()
        driver.run(driver.broker.modify_ack_deadline, SUBSCRIPTION, [delivery.ack_id], 0)
        second, _ = driver.run(driver.broker.open_pull, SUBSCRIPTION, 1)
        await driver.ready(second)
        assert driver.clock.now() - began >= SECOND // 20
        assert len(driver.run(driver.broker.lease, second, 1 << 20)[0]) == 1
        driver.close()

    run(test)


def test_a_virtual_clock_stands_still_and_never_goes_back() -> None:
    clock = VirtualClock(START)
    assert clock.now() == clock.now() == START
    assert clock.wait_s(START) is None
    clock.move_to(Nanos(START + 5))
    with pytest.raises(ValueError, match="cannot go back"):
        clock.move_to(START)


def test_the_system_clock_never_jumps_back() -> None:
    clock = SystemClock()
    instants = [clock.now() for _ in range(1_000)]
    assert instants == sorted(instants)


def test_a_stream_of_the_longest_age_ends_unavailable_and_its_client_may_come_again() -> None:
    """The wall clock is what this is about: the age of a stream is counted in real seconds."""

    async def test() -> None:
        driver = driver_with()
        driver.attach(asyncio.get_running_loop())
        opening = pubsub.StreamingPullRequest(subscription=SUBSCRIPTION, stream_ack_deadline_seconds=10).SerializeToString()
        for _ in range(2):
            with pytest.raises(Unavailable, match="8a75"):
                await StreamingPull(driver, max_age_s=0.02).streaming_pull(Recorded(opening), CallInfo("", "grpc"))
        driver.close()

    run(test)
