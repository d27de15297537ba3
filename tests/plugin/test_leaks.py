"""Nothing leaks: after many tests in one process there are as many threads, descriptors, tasks and bytes as after a few."""

import pytest

from tests.plugin.suites import run

pytest_plugins = ["pytester"]

CONFTEST = """
import asyncio, gc, os, threading
import pytest

seen = []

def resident():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def look():
    gc.collect()
    tasks = sum(1 for each in gc.get_objects() if isinstance(each, asyncio.Task) and not each.done())
    return {"threads": threading.active_count(), "descriptors": len(os.listdir("/proc/self/fd")), "tasks": tasks, "bytes": resident()}

@pytest.hookimpl(trylast=True)
def pytest_runtest_logfinish(nodeid):
    number = int(nodeid.rpartition("[")[2].rstrip("]"))
    if number % EVERY == 0:
        seen.append(look())

def pytest_sessionfinish():
    print("seen:", seen)
    first, last = seen[1], seen[-1]
    for what in ("threads", "descriptors", "tasks"):
        assert last[what] <= first[what], (what, seen)
    assert last["bytes"] - first["bytes"] < MEGABYTES * 1e6, seen
"""

SUITE = """
import pytest
from client import call, publish, pull

@pytest.mark.parametrize("number", range(1, COUNT + 1))
def test_it(pubsub, pubsub_topic, pubsub_subscription, pubsub_publisher, pubsub_subscriber, number):
    pubsub_publisher.publish(pubsub_topic, b"x" * 10_000).result()
    assert publish(pubsub_topic)
    got = []
    if number % 10 == 0:
        future = pubsub_subscriber.subscribe(pubsub_subscription, callback=lambda message: (got.append(message), message.ack()))
        pubsub.wait_until_acked(pubsub_subscription)
        future.cancel()
        future.result()
    else:
        pulled = pubsub_subscriber.pull(subscription=pubsub_subscription, max_messages=10).received_messages
        assert pulled
    with pubsub.fail("Publish", "ABORTED"):
        assert "error" in call("POST", pubsub_topic + ":publish", {"messages": [{"data": "aGVsbG8="}]})
    pubsub.advance(11)
    assert pubsub.events and pubsub.dump()
"""


def flat(suite: pytest.Pytester, count: int, every: int, megabytes: int) -> None:
    suite.makeconftest(CONFTEST.replace("EVERY", str(every)).replace("MEGABYTES", str(megabytes)))
    result = run(suite, SUITE.replace("COUNT", str(count)), "-s", "-W", "ignore")
    result.assert_outcomes(passed=count)
    assert result.ret == 0, result.stdout.str()


def test_sixty_tests_leave_what_twenty_leave(suite: pytest.Pytester) -> None:
    flat(suite, count=60, every=10, megabytes=15)


@pytest.mark.slow
def test_two_thousand_tests_leave_what_two_hundred_leave(suite: pytest.Pytester) -> None:
    flat(suite, count=2_000, every=100, megabytes=15)
