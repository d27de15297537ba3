"""The fixtures in somebody's suite, each run in a pytest of its own."""

import pytest

from tests.plugin.suites import EVERY_PLUGIN, passed, run

pytest_plugins = ["pytester"]


def test_a_topic_and_a_subscription_are_ready(suite: pytest.Pytester) -> None:
    passed(
        suite,
        """
def test_hello(pubsub, pubsub_topic, pubsub_subscription):
    assert publish(pubsub_topic) == ["1"]
    assert pull(pubsub_subscription) == ["aGVsbG8="]
    assert pull(pubsub_subscription) == []
    assert call("GET", pubsub_subscription)["topic"] == pubsub_topic
""",
    )


def test_they_are_strings_named_after_the_test(suite: pytest.Pytester) -> None:
    passed(
        suite,
        """
import pytest

@pytest.mark.parametrize("what", ["a b/c%", "é"])
def test_name(pubsub_topic, pubsub_subscription, what):
    assert isinstance(pubsub_topic, str) and isinstance(pubsub_subscription, str)
    assert pubsub_topic.startswith("projects/test-project/topics/test_name")
    assert pubsub_subscription.startswith("projects/test-project/subscriptions/test_name")
    assert pubsub_subscription.topic == pubsub_topic
    assert pubsub_topic.id == pubsub_subscription.id == pubsub_topic.split("/")[-1]
    assert 3 <= len(pubsub_topic.id) <= 255

class TestThings:
    def test_method(self, pubsub_topic):
        assert pubsub_topic.id == "test_method"
""",
        count=3,
    )


def test_a_name_that_is_too_long_is_cut_and_stays_its_own(suite: pytest.Pytester) -> None:
    long = "test_" + "x" * 300
    passed(
        suite,
        f"""
ids = set()
def {long}_1(pubsub_topic): ids.add(pubsub_topic.id)
def {long}_2(pubsub_topic): ids.add(pubsub_topic.id)
def test_after(): assert [len(each) for each in ids] == [255, 255]
""",
        count=3,
    )


def test_names_that_the_service_would_refuse_are_mended(suite: pytest.Pytester) -> None:
    suite.makeini("[pytest]\npython_functions = test_* goog* _*  it é*")
    passed(
        suite,
        """
def google_likes_it(pubsub_topic): assert pubsub_topic.id == "test-google_likes_it"
def _private(pubsub_topic): assert pubsub_topic.id == "test-_private"
def it(pubsub_topic): assert pubsub_topic.id == "test-it"
def éé(pubsub_topic): assert pubsub_topic.id == "test-"
""",
        count=4,
    )


def test_every_test_has_an_empty_broker_behind_the_same_address(suite: pytest.Pytester) -> None:
    passed(
        suite,
        """
addresses = set()

def check(pubsub):
    addresses.add(pubsub.address)
    assert call("GET", "projects/test-project/topics") == {}
    topic, subscription = pubsub.topic("orders"), pubsub.subscription("billing", "orders")
    assert publish(topic) == ["1"]
    assert len(addresses) == 1

def test_one(pubsub): check(pubsub)
def test_two(pubsub): check(pubsub)
def test_three(pubsub): check(pubsub)
""",
        count=3,
    )


def test_a_broker_is_empty_even_when_something_came_between_the_tests(suite: pytest.Pytester) -> None:
    passed(
        suite,
        """
import pytest

@pytest.fixture(scope="module", autouse=True)
def earlier(pubsub_server):
    import http.client
    connection = http.client.HTTPConnection(pubsub_server.address)
    connection.request("PUT", "/v1/projects/test-project/topics/earlier", "{}")
    assert connection.getresponse().read()
    connection.close()

def test_it(pubsub):
    assert call("GET", "projects/test-project/topics") == {}
""",
    )


def test_the_environment_is_set_and_restored(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "elsewhere:1")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "production")
    monkeypatch.delenv("PUBSUB_PROJECT_ID", raising=False)
    passed(
        suite,
        """
import os

def names():
    return [os.environ.get(name) for name in ("PUBSUB_EMULATOR_HOST", "GOOGLE_CLOUD_PROJECT", "PUBSUB_PROJECT_ID")]

outside = ["elsewhere:1", "production", None]

def test_before(): assert names() == outside

def test_inside(pubsub, monkeypatch):
    assert names() == [pubsub.address, "test-project", "test-project"] == [pubsub.address, pubsub.project, pubsub.project]
    monkeypatch.undo()
    assert names()[0] == pubsub.address

def test_after(): assert names() == outside
""",
        count=3,
    )


def test_the_environment_is_restored_after_a_test_that_fails(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST", raising=False)
    suite.makepyfile("""
        import os
        def test_fails(pubsub): assert False
        def test_after(): assert "PUBSUB_EMULATOR_HOST" not in os.environ
    """)
    suite.runpytest_subprocess("-p", "no:randomly", "-p", "no:asyncio").assert_outcomes(passed=1, failed=1)


def test_the_seed_is_what_every_test_starts_with(suite: pytest.Pytester) -> None:
    suite.makeconftest("""
        import pytest
        @pytest.fixture(scope="session")
        def pubsub_seed():
            return {"orders": ["billing", "audit"], "projects/other/topics/events": []}
    """)
    passed(
        suite,
        """
def check():
    assert call("GET", "projects/test-project/topics/orders/subscriptions")["subscriptions"] == [
        "projects/test-project/subscriptions/audit", "projects/test-project/subscriptions/billing"]
    assert call("GET", "projects/other/topics/events")["name"]
    assert call("DELETE", "projects/test-project/topics/orders") == {}

def test_one(pubsub): check()
def test_two(pubsub): check()
""",
        count=2,
    )


def test_time_stands_still_until_it_is_moved(suite: pytest.Pytester) -> None:
    passed(
        suite,
        """
from datetime import datetime, timedelta, UTC
import pytest

def test_a_lease_runs_out(pubsub, pubsub_topic, pubsub_subscription):
    publish(pubsub_topic)
    start = pubsub.now()
    assert len(pull(pubsub_subscription)) == 1
    pubsub.advance(9.999)
    assert pull(pubsub_subscription) == []
    pubsub.move_to(start + timedelta(seconds=10))
    assert len(pull(pubsub_subscription)) == 1
    assert pubsub.now() == start + timedelta(seconds=10)

def test_it_starts_now_in_every_test(pubsub):
    assert timedelta(0) <= datetime.now(UTC) - pubsub.now() < timedelta(seconds=30)
    pubsub.advance(86400 * 30)

def test_it_starts_now_in_every_test_again(pubsub):
    assert timedelta(0) <= datetime.now(UTC) - pubsub.now() < timedelta(seconds=30)

def test_not_backwards(pubsub):
    with pytest.raises(ValueError, match="backwards"):
        pubsub.move_to(pubsub.now() - timedelta(seconds=1))
    with pytest.raises(ValueError, match="backwards"):
        pubsub.advance(-1)
    with pytest.raises(ValueError, match="time zone"):
        pubsub.move_to(datetime(2100, 1, 1))
""",
        count=4,
    )


def test_resources_are_made_as_the_test_wants_them(suite: pytest.Pytester) -> None:
    passed(
        suite,
        """
import pytest

def test_it(pubsub):
    topic = pubsub.topic("orders")
    assert topic == "projects/test-project/topics/orders"
    pubsub.subscription("billing", topic, ack_deadline=20, ordering=True, filter='attributes.kind = "new"', exactly_once=True)
    shown = call("GET", "projects/test-project/subscriptions/billing")
    assert (shown["ackDeadlineSeconds"], shown["enableMessageOrdering"], shown["enableExactlyOnceDelivery"]) == (20, True, True)
    assert shown["filter"] == 'attributes.kind = "new"'
    with pytest.raises(Exception, match="already exists"):
        pubsub.topic("orders")
    with pytest.raises(Exception, match="not found"):
        pubsub.subscription("audit", "nothing")
""",
    )


def test_a_call_that_a_test_leaves_waiting_ends_with_the_name_of_the_test(suite: pytest.Pytester) -> None:
    suite.makeconftest("""
        import dataclasses
        import pytest

        @pytest.fixture(scope="session")
        def pubsub_config(pubsub_config):
            return dataclasses.replace(pubsub_config, pull_wait=60)
    """)
    result = run(
        suite,
        """
import threading
from client import call

answers = []

def test_leaves_it(pubsub, pubsub_subscription):
    waiting = threading.Thread(target=lambda: answers.append(call("POST", pubsub_subscription + ":pull", {"maxMessages": 1})))
    waiting.start()
    while not pubsub.link.ask("GET", "/_publican/consumers")["consumers"]:
        pass
    test_leaves_it.thread = waiting

def test_after():
    test_leaves_it.thread.join(10)
    (answer,) = answers
    assert answer["error"]["status"] == "FAILED_PRECONDITION"
    assert "test_it.py::test_leaves_it" in answer["error"]["message"]
""",
    )
    result.assert_outcomes(passed=2, warnings=1)
    result.stdout.fnmatch_lines(["*still open: Pull #1 on test_leaves_it: the test has not ended it"])


def test_a_bug_of_ours_fails_the_test_that_met_it_at_its_end(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        test_it="""
from client import call
from publican_emulator.broker.broker import Broker

def test_it(pubsub, monkeypatch):
    monkeypatch.setattr(Broker, "list_topics", lambda *_: 1 / 0)
    assert call("GET", "projects/test-project/topics")["error"]["status"] == "INTERNAL"

def test_the_next_one(pubsub):
    assert call("GET", "projects/test-project/topics") == {}
"""
    )
    result = suite.runpytest_subprocess("-p", "no:randomly", "-p", "no:asyncio")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*ExceptionGroup: errors inside the emulator*", "*ZeroDivisionError*"])


def test_it_works_on_several_workers(suite: pytest.Pytester) -> None:
    result = passed(
        suite,
        """
import os, pytest

@pytest.mark.parametrize("number", range(20))
def test_it(pubsub, pubsub_topic, pubsub_subscription, number):
    assert publish(pubsub_topic) == ["1"]
    assert len(pull(pubsub_subscription)) == 1
    assert len(call("GET", "projects/test-project/topics")["topics"]) == 1
""",
        "-n",
        "2",
        count=20,
        plugins=("xdist.plugin",),
    )
    result.stdout.fnmatch_lines(["pubsub: 20 tests, in-process emulator, virtual clock"])


@pytest.mark.parametrize("arguments", [["-p", "no:randomly"], ["-p", "randomly"], ["-p", "no:xdist"]])
def test_it_works_with_and_without_other_plugins(suite: pytest.Pytester, arguments: list[str]) -> None:
    passed(suite, "def test_it(pubsub_topic): assert publish(pubsub_topic) == ['1']", "-p", "no:asyncio", *arguments, plugins=EVERY_PLUGIN)
