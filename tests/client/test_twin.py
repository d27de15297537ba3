"""The blocking twin: the same classes, from threads, with no loop to be seen."""

import asyncio
import concurrent.futures
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from publican import errors, types
from publican.effects import Drained
from publican.rest import (
    Api,
    FlowControl,
    Publisher,
    PublisherClient,
    PubsubMessage,
    StreamingPullFuture,
    Subscriber,
    SubscriberClient,
    SubscriberMessage,
    portal,
)
from publican.settlement import AckResult

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 20.0


@pytest.fixture
def created(topic: str, subscription: str) -> tuple[str, str]:
    with PublisherClient() as publisher, SubscriberClient() as subscriber:
        publisher.create_topic(topic)
        subscriber.create_subscription(subscription, topic)
    return topic, subscription


@pytest.fixture(autouse=True)
def _leaves_no_portal() -> Iterator[None]:
    yield
    assert portal._process.portal is None, list(portal._process.users)


def test_publish_pull_acknowledge(created: tuple[str, str]) -> None:
    topic, subscription = created
    with PublisherClient() as publisher, SubscriberClient() as subscriber:
        [message_id] = publisher.publish(topic, [PubsubMessage("text", kind="new")])["messageIds"]
        [message] = subscriber.pull(subscription, 10)
        assert (message.message_id, message.data, message.attributes) == (message_id, b"text", {"kind": "new"})
        assert type(message) is SubscriberMessage
        subscriber.acknowledge(subscription, [message.ack_id])
        with pytest.raises(errors.DeadlineExceeded):
            subscriber.pull(subscription, 10, timeout=0.1)


def test_a_subscription_that_exists_is_as_good(created: tuple[str, str]) -> None:
    topic, subscription = created
    with SubscriberClient() as subscriber:
        assert subscriber.create_subscription(subscription, topic) == {}


def test_many_threads_use_one_client(created: tuple[str, str]) -> None:
    topic, subscription = created
    with PublisherClient() as publisher, SubscriberClient() as subscriber, concurrent.futures.ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda n: publisher.publish(topic, [PubsubMessage(str(n))]), range(40)))
        assert len({answer["messageIds"][0] for answer in answers}) == 40
        data: set[bytes | None] = set()
        while len(data) < 40:
            data |= {message.data for message in subscriber.pull(subscription, 100)}


@pytest.mark.parametrize("transport", ["grpc", "polling"])
def test_subscribe_calls_back_on_threads_and_the_future_is_the_keep_alive(created: tuple[str, str], transport: str) -> None:
    topic, subscription = created
    handled: list[tuple[bytes | None, threading.Thread]] = []
    done = threading.Event()

    def callback(message: SubscriberMessage) -> None:
        handled.append((message.data, threading.current_thread()))
        message.ack()
        if len(handled) == 3:
            done.set()

    with PublisherClient() as publisher, SubscriberClient(transport=transport) as subscriber:  # type: ignore[arg-type]
        publisher.publish(topic, [PubsubMessage(str(n)) for n in range(3)])
        keep_alive = subscriber.subscribe(subscription, callback, flow_control=FlowControl(max_messages=2))
        assert isinstance(keep_alive, concurrent.futures.Future)
        assert done.wait(LIMIT_S)
        keep_alive.cancel()
        with pytest.raises(concurrent.futures.CancelledError):
            keep_alive.result(LIMIT_S)
        assert {data for data, _ in handled} == {b"0", b"1", b"2"}
        assert threading.main_thread() not in {thread for _, thread in handled}
        with pytest.raises(errors.DeadlineExceeded):
            subscriber.pull(subscription, 1, timeout=0.1)


def test_an_error_that_ends_the_subscription_is_the_futures(environment: str, subscription: str) -> None:
    with SubscriberClient() as subscriber:
        keep_alive = subscriber.subscribe(subscription, print)
        with pytest.raises(errors.NotFound):
            keep_alive.result(LIMIT_S)
        with pytest.raises(errors.NotFound):
            subscriber.run_forever(keep_alive)


def test_run_forever_ends_with_sigterm(created: tuple[str, str]) -> None:
    topic, subscription = created

    def callback(message: SubscriberMessage) -> None:
        message.ack()
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    with PublisherClient() as publisher, SubscriberClient() as subscriber:
        publisher.publish(topic, [PubsubMessage("one")])
        subscriber.run_forever(subscriber.subscribe(subscription, callback))
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_modern_classes(created: tuple[str, str], project: str) -> None:
    topic, subscription = created
    with Publisher(ordering=True) as publisher, Subscriber() as subscriber, Api() as api:
        futures = [publisher.submit(topic, b"%d" % n, ordering_key="k") for n in range(5)]
        ids = [future.result(LIMIT_S) for future in futures]
        assert publisher.publish(topic, "text", colour="red") not in ids
        with subscriber.stream(subscription, flow_control=FlowControl(max_messages=10)) as stream:
            taken = [next(stream) for _ in range(6)]
            assert all(message.ack_with_result() is AckResult.SUCCESS for message in taken)
            assert subscriber.stats()[0].reconnects == 0
        assert sorted(message.data or b"" for message in taken) == [b"0", b"1", b"2", b"3", b"4", b"text"]
        assert topic in [each.name for each in api.list_topics(project=f"projects/{project}", page_size=1)]
        assert api.get_topic(topic=topic) == types.Topic(name=topic, state=types.Topic.ACTIVE) or api.get_topic(topic=topic).name == topic
        with pytest.raises(errors.NotFound):
            api.get_topic(topic=f"{topic}-2")


def test_a_subscriber_acks_a_return_and_nacks_an_exception(created: tuple[str, str]) -> None:
    topic, subscription = created
    handled: list[str] = []

    def handler(message: SubscriberMessage) -> None:
        handled.append(message.message_id)
        if len(handled) == 1:
            raise ValueError("once")
        keep_alive.cancel()

    with PublisherClient() as publisher, Subscriber() as subscriber:
        publisher.publish(topic, [PubsubMessage("one")])
        keep_alive: StreamingPullFuture = subscriber.subscribe(subscription, handler)
        with pytest.raises(concurrent.futures.CancelledError):
            keep_alive.result(LIMIT_S)
    assert len(handled) == 2


def test_a_blocking_call_where_a_loop_runs_says_so(environment: str) -> None:
    async def story() -> None:
        with pytest.raises(RuntimeError, match=r"use publican\.aio"):
            PublisherClient().list_topics("projects/p")

    asyncio.run(story())


def test_a_callback_may_call_the_client(created: tuple[str, str]) -> None:
    topic, subscription = created
    with PublisherClient() as publisher, SubscriberClient() as subscriber:
        publisher.publish(topic, [PubsubMessage("one")])
        answers: list[object] = []

        def callback(message: SubscriberMessage) -> None:
            answers.append(publisher.publish(topic, []))
            answers.append(message.ack_with_result())
            keep_alive.cancel()

        keep_alive = subscriber.subscribe(subscription, callback)
        concurrent.futures.wait([keep_alive], LIMIT_S)
    assert answers == [{}, AckResult.SUCCESS]


def test_a_session_is_accepted_and_said_to_be_unused(environment: str) -> None:
    with pytest.warns(UserWarning, match="session= is not used"):
        PublisherClient(session=object())


def test_after_close_nothing_is_done(environment: str) -> None:
    client = PublisherClient()
    client.close()
    client.close()
    with pytest.raises(errors.Closed):
        client.list_topics("projects/p")


def test_a_failed_call_shows_the_coroutines_frames_below_the_callers(topic: str) -> None:
    with PublisherClient() as client, pytest.raises(errors.NotFound) as refused:
        client.publish(topic, [PubsubMessage("x")])
    names = [entry.name for entry in refused.traceback]
    assert names.index("test_a_failed_call_shows_the_coroutines_frames_below_the_callers") < names.index("_exchange")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_40_after_a_fork_the_child_publishes_and_the_parents_batch_arrives_once(created: tuple[str, str]) -> None:
    topic, subscription = created
    script = f"""
import os, sys, warnings
warnings.simplefilter("ignore")
from publican import errors
from publican.rest import Publisher, PublisherClient, PubsubMessage
client = PublisherClient()
client.publish({topic!r}, [PubsubMessage("before")])
publisher = Publisher(max_latency=1.0, transport="polling")
future = publisher.submit({topic!r}, b"parent")
child = os.fork()
if child == 0:
    client.publish({topic!r}, [PubsubMessage("child")])
    try:
        future.result(5)
    except errors.ForkedProcess:
        client.publish({topic!r}, [PubsubMessage("said so")])
    publisher.submit({topic!r}, b"child's own").result(20)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
future.result(10)
publisher.close()
client.close()
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    with SubscriberClient() as subscriber:
        got: list[bytes | None] = []
        while len(got) < 5:
            got += [message.data for message in subscriber.pull(subscription, 10)]
    assert sorted(each or b"" for each in got) == [b"before", b"child", b"child's own", b"parent", b"said so"]


def test_41_ctrl_c_in_a_blocking_pull(created: tuple[str, str]) -> None:
    _, subscription = created
    script = f"""
import os, signal, threading
from publican.rest import SubscriberClient
client = SubscriberClient()
client.get_subscription({subscription!r})
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    client.pull({subscription!r}, 1, timeout=60)
except KeyboardInterrupt:
    print("interrupted")
client.get_subscription({subscription!r})
client.close()
"""
    began = time.monotonic()
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout) == (0, "interrupted\n"), ran.stderr
    assert time.monotonic() - began < 30


def test_a_forgotten_close_still_sends_its_acks(created: tuple[str, str]) -> None:
    topic, subscription = created
    script = f"""
import threading
from publican.rest import Publisher, Subscriber
publisher, subscriber = Publisher(), Subscriber(ack_window=60)
publisher.submit({topic!r}, b"one")
handled = threading.Event()
keep_alive = subscriber.subscribe({subscription!r}, lambda message: handled.set())
assert handled.wait(20)
"""
    ran = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    with SubscriberClient() as client, pytest.raises(errors.DeadlineExceeded):
        client.pull(subscription, 1, timeout=0.3)


def test_a_forgotten_close_still_publishes_what_waits(created: tuple[str, str]) -> None:
    topic, subscription = created
    script = f"""
from publican.rest import Publisher
Publisher(max_latency=600).submit({topic!r}, b"one")
publisher = Publisher(max_latency=600)
publisher.submit({topic!r}, b"two")
"""
    ran = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    with SubscriberClient() as client:
        assert b"two" in {message.data for message in client.pull(subscription, 10)}


def test_42_a_thousand_clients_leave_nothing(environment: str) -> None:
    threads, tasks = threading.active_count(), len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for _ in range(1000):
        PublisherClient().close()
    for _ in range(20):
        with PublisherClient() as client:
            client.list_topics("projects/p")
    assert threading.active_count() <= threads
    if tasks:
        assert len(os.listdir("/proc/self/fd")) <= tasks + 2


def test_closing_a_client_drains_its_subscriptions(created: tuple[str, str]) -> None:
    topic, subscription = created
    handling = threading.Event()

    def callback(message: SubscriberMessage) -> None:
        handling.set()
        message.ack()

    with PublisherClient() as publisher, SubscriberClient() as subscriber:
        publisher.publish(topic, [PubsubMessage("one")])
        keep_alive = subscriber.subscribe(subscription, callback)
        assert handling.wait(LIMIT_S)
    assert keep_alive.done()
    assert isinstance(keep_alive.result(), Drained)


@pytest.mark.slow  # it measures
def test_a_blocking_call_costs_no_more_than_its_budget(environment: str) -> None:
    async def nothing() -> None: ...

    def costs() -> float:
        began = time.process_time()
        for _ in range(500):
            opened.call(nothing)
        return (time.process_time() - began) / 500

    with PublisherClient() as client:
        opened = client._twin.enter()
        costs()
        assert min(costs() for _ in range(9)) < 250e-6
