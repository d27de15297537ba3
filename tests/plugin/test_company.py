"""In company: other plugins and libraries that change time, sockets, loops and order."""

import pytest

from tests.plugin.suites import EVERY_PLUGIN, passed, run

pytest_plugins = ["pytester"]

GOOGLE = """
from google.cloud import pubsub_v1

def round_trip(topic, subscription):
    with pubsub_v1.PublisherClient() as publisher, pubsub_v1.SubscriberClient() as subscriber:
        publisher.publish(topic, b"one").result(10)
        (received,) = subscriber.pull(subscription=subscription, max_messages=10, timeout=10).received_messages
        return received.message.data
"""


def test_asyncio_and_unittest_tests(suite: pytest.Pytester) -> None:
    passed(
        suite,
        """
import asyncio, unittest, pytest
import publican_emulator

def test_in_a_loop(pubsub, pubsub_topic, pubsub_subscription):
    async def main():
        assert await asyncio.to_thread(publish, pubsub_topic) == ["1"]
        await pubsub.until(lambda: pubsub.messages)
        await asyncio.to_thread(pull, pubsub_subscription)
        return await pubsub.aio.advance(10)
    assert [each.kind for each in asyncio.run(main())] == ["expired"]

class TestUnit(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _pubsub(self, pubsub_topic): self.topic = pubsub_topic
    def test_unit(self): self.assertEqual(publish(self.topic), ["1"])

class TestUnitAlone(unittest.TestCase):
    def setUp(self):
        self.pubsub = self.enterContext(publican_emulator.running())
    def test_alone(self):
        self.assertEqual(publish(self.pubsub.topic("orders")), ["1"])

class TestUnitAsync(unittest.IsolatedAsyncioTestCase):
    async def test_async(self):
        async with publican_emulator.running() as pubsub:
            self.assertEqual(await asyncio.to_thread(publish, pubsub.topic("orders")), ["1"])
""",
        count=4,
    )


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_pytest_asyncio(suite: pytest.Pytester, mode: str) -> None:
    passed(
        suite,
        """
import asyncio, pytest

@pytest.mark.asyncio
async def test_it(pubsub, pubsub_topic, pubsub_subscription):
    assert await asyncio.to_thread(publish, pubsub_topic) == ["1"]
    assert len(await asyncio.to_thread(pull, pubsub_subscription)) == 1
    assert len(await pubsub.aio.advance(10)) == 1
""",
        "-o",
        "asyncio_default_fixture_loop_scope=function",
        f"--asyncio-mode={mode}",
        plugins=("pytest_asyncio.plugin",),
    )


def test_anyio_on_asyncio_and_trio(suite: pytest.Pytester) -> None:
    passed(
        suite,
        """
import anyio.to_thread, pytest
import publican_emulator

@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param

@pytest.mark.anyio
async def test_it(pubsub, pubsub_topic, pubsub_subscription):
    assert await anyio.to_thread.run_sync(publish, pubsub_topic) == ["1"]
    assert len(await anyio.to_thread.run_sync(pull, pubsub_subscription)) == 1
    assert len(await pubsub.aio.advance(10)) == 1
    await pubsub.until(lambda: pubsub.messages[0].expiries)

@pytest.mark.anyio
async def test_running(anyio_backend):
    async with publican_emulator.running() as pubsub:
        assert await anyio.to_thread.run_sync(publish, pubsub.topic("orders")) == ["1"]
""",
        count=4,
        plugins=("anyio.pytest_plugin",),
    )


def test_random_order_and_every_plugin_there_is(suite: pytest.Pytester) -> None:
    passed(
        suite,
        """
import pytest

@pytest.mark.parametrize("number", range(5))
def test_it(pubsub_topic, number): assert publish(pubsub_topic) == ["1"]
""",
        "-o",
        "asyncio_default_fixture_loop_scope=function",
        "-p",
        "randomly",
        count=5,
        plugins=EVERY_PLUGIN,
    )


def test_freezegun_with_rest_and_with_googles_client(suite: pytest.Pytester) -> None:
    passed(
        suite,
        f"""
from freezegun import freeze_time
{GOOGLE}

@freeze_time("2020-01-01")
def test_rest(pubsub, pubsub_topic, pubsub_subscription):
    assert publish(pubsub_topic) == ["1"]
    assert len(pull(pubsub_subscription)) == 1
    assert pull(pubsub_subscription) == []
    pubsub.advance(10)
    assert len(pull(pubsub_subscription)) == 1

@freeze_time("2020-01-01")
def test_google(pubsub, pubsub_topic, pubsub_subscription):
    import time
    assert time.time() == 1577836800
    assert round_trip(pubsub_topic, pubsub_subscription) == b"one"

def test_in_a_block(pubsub, pubsub_topic, pubsub_subscription):
    with freeze_time("2020-01-01"):
        assert round_trip(pubsub_topic, pubsub_subscription) == b"one"
""",
        "-W",
        "ignore::DeprecationWarning",
        "-W",
        "ignore::FutureWarning",
        count=3,
    )


def test_time_machine_with_rest_and_ticking_with_googles_client(suite: pytest.Pytester) -> None:
    result = run(
        suite,
        f"""
import datetime, time_machine
from client import publish, pull
{GOOGLE}
PAST = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)

@time_machine.travel(PAST, tick=False)
def test_rest(pubsub, pubsub_topic, pubsub_subscription):
    assert publish(pubsub_topic) == ["1"]
    assert len(pull(pubsub_subscription)) == 1
    pubsub.advance(10)
    assert len(pull(pubsub_subscription)) == 1

@time_machine.travel(datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC), tick=True)
def test_google(pubsub, pubsub_topic, pubsub_subscription):
    assert round_trip(pubsub_topic, pubsub_subscription) == b"one"

@time_machine.travel(PAST, tick=False)
def test_google_in_the_past(pubsub, pubsub_topic, pubsub_subscription):
    with pubsub_v1.SubscriberClient() as subscriber:
        subscriber.pull(subscription=pubsub_subscription, max_messages=10, timeout=10, retry=None)
""",
        plugins=("time_machine",),
    )
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*note: time-machine was in use, and a gRPC call ended DEADLINE_EXCEEDED*"])


def test_it_starts_and_serves_while_sockets_are_forbidden(suite: pytest.Pytester) -> None:
    passed(
        suite,
        """
import grpc, pytest, socket

def test_it(pubsub, pubsub_server, pubsub_topic):
    with pytest.raises(Exception, match="socket"):
        socket.socket()
    with pubsub_server.channel() as channel:  # the C core opens its own sockets
        ask = channel.unary_unary("/google.pubsub.v1.Publisher/GetTopic")
        assert pubsub_topic.encode() in ask(b"\\x0a" + bytes([len(pubsub_topic)]) + pubsub_topic.encode(), timeout=10)
""",
        "--disable-socket",
        "-W",
        "default",
        plugins=("pytest_socket",),
    )


def test_clients_made_at_import(suite: pytest.Pytester) -> None:
    suite.makeini("[pytest]\npubsub_env = session\npubsub_guard = true")
    passed(
        suite,
        """
import pytest
from google.api_core.exceptions import FailedPrecondition
from google.cloud import pubsub_v1

publisher = pubsub_v1.PublisherClient()

def test_asked(pubsub, pubsub_topic):
    assert publisher.publish(pubsub_topic, b"one").result(10) == "1"

def test_unasked():
    with pytest.raises(FailedPrecondition, match="This test talks to Pub/Sub without asking for it"):
        publisher.publish("projects/test-project/topics/orders", b"one").result(10)
""",
        "-W",
        "ignore::DeprecationWarning",
        "-W",
        "ignore::FutureWarning",
        count=2,
    )


def test_the_guard_stops_googles_client_in_no_time_and_nobody_needs_credentials(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")
    suite.makeini("[pytest]\npubsub_guard = true")
    passed(
        suite,
        """
import os, time, pytest
from google.api_core.exceptions import FailedPrecondition
from google.cloud import pubsub_v1

def test_unasked():
    publisher = pubsub_v1.PublisherClient()
    start = time.thread_time()
    with pytest.raises(FailedPrecondition, match="give it the fixture `pubsub`"):
        publisher.create_topic(name="projects/p/topics/orders")
    assert time.thread_time() - start < 1  # of CPU; the client tries for 600 s where nothing answers

def test_asked(pubsub_publisher, pubsub_topic):
    assert "GOOGLE_APPLICATION_CREDENTIALS" not in os.environ
    assert pubsub_publisher.publish(pubsub_topic, b"one").result(10) == "1"
""",
        "-W",
        "ignore::DeprecationWarning",
        "-W",
        "ignore::FutureWarning",
        count=2,
    )
