"""What the end of a test says, in somebody's suite: histories, strictness, the guard, options."""

import pytest

from tests.plugin.suites import passed, run

pytest_plugins = ["pytester"]

FAILING = """
from client import call, publish, pull

def test_it(pubsub, pubsub_topic, pubsub_subscription):
    publish(pubsub_topic)
    pull(pubsub_subscription)
    pubsub.advance(10)
    assert 0
"""


@pytest.mark.parametrize("arguments", [(), ("-n1",)], ids=["alone", "xdist"])
def test_a_failing_test_shows_its_history(suite: pytest.Pytester, arguments: tuple[str, ...]) -> None:
    result = run(suite, FAILING, *arguments, plugins=("xdist.plugin",) if arguments else ())
    result.stdout.fnmatch_lines(
        [
            "*- pubsub history (virtual clock) -*",
            "m1  topic=test_it  b'hello'",
            "  +0.000s   published",
            "  +0.000s   delivered    sub=test_it  attempt=1  lease=10s  via Pull #1",
            "  +10.000s  expired      sub=test_it  attempt=1  (no ack)",
        ],
        consecutive=True,
    )


def test_a_passing_test_shows_nothing(suite: pytest.Pytester) -> None:
    result = run(suite, FAILING.replace("assert 0", "assert 1"), "-rA")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*pubsub history*")


def test_history_can_be_shown_always_or_never(suite: pytest.Pytester) -> None:
    run(suite, FAILING.replace("assert 0", "assert 1"), "-rA", "--pubsub-history=always").stdout.fnmatch_lines(["*pubsub history*"])
    run(suite, FAILING, "--pubsub-history=never").stdout.no_fnmatch_line("*pubsub history*")


def test_history_is_coloured_where_the_terminal_is(suite: pytest.Pytester) -> None:
    output = run(suite, FAILING, "--color=yes").stdout.str()
    (line,) = [line for line in output.splitlines() if "+10.000s  expired" in line]
    assert line.startswith("\x1b[33m")


def test_junit_has_it_when_asked(suite: pytest.Pytester) -> None:
    run(suite, FAILING, "--junitxml=out.xml")
    assert "pubsub_history" not in (suite.path / "out.xml").read_text()
    run(suite, FAILING, "--junitxml=out.xml", "--pubsub-junit")
    assert '<property name="pubsub_history" value="m1  topic=test_it' in (suite.path / "out.xml").read_text()


def test_strict_tests_leave_nothing_behind(suite: pytest.Pytester) -> None:
    result = run(
        suite,
        """
import pytest
from client import call, publish, pull

@pytest.mark.pubsub(strict=True)
def test_leased(pubsub_topic, pubsub_subscription):
    publish(pubsub_topic)
    pull(pubsub_subscription)

@pytest.mark.pubsub(strict=True)
def test_vain(pubsub):
    pubsub.fail("Publish", "ABORTED")

@pytest.mark.pubsub(strict=True, exactly_once=True)
def test_refused(pubsub, pubsub_topic, pubsub_subscription):
    publish(pubsub_topic)
    ack_id = pubsub.link.ask("POST", f"/v1/{pubsub_subscription}:pull", {"maxMessages": 1})["receivedMessages"][0]["ackId"]
    pubsub.advance(60)
    call("POST", pubsub_subscription + ":acknowledge", {"ackIds": [ack_id]})

@pytest.mark.pubsub(strict=True)
def test_clean(pubsub_topic, pubsub_subscription):
    publish(pubsub_topic)
""",
    )
    result.assert_outcomes(passed=4, errors=3)
    result.stdout.fnmatch_lines_random(
        ["*still leased: m1 on test_leased", "*never hit: fail('Publish', 'ABORTED', times=1): *", "*ack refused: * on test_refused"]
    )


def test_a_fault_that_met_nothing_is_a_warning(suite: pytest.Pytester) -> None:
    result = run(suite, "def test_it(pubsub): pubsub.fail('Publish', 'ABORTED')")
    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*never hit: fail('Publish', 'ABORTED', times=1)*"])


def test_a_nack_loop_fails_the_test(suite: pytest.Pytester) -> None:
    result = run(
        suite,
        """
def test_it(pubsub, pubsub_topic, pubsub_subscription):
    pubsub_topic.publish(b"one")
    for _ in range(1000):
        ack_id = pubsub.link.ask("POST", f"/v1/{pubsub_subscription}:pull", {"maxMessages": 1})["receivedMessages"][0]["ackId"]
        pubsub.link.ask("POST", f"/v1/{pubsub_subscription}:modifyAckDeadline", {"ackIds": [ack_id], "ackDeadlineSeconds": 0})
""",
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*nack loop: * has handed out m1 1000 times at one instant: *"])


def test_the_header_says_which_pubsub_it_is(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "elsewhere:1")
    result = run(suite, "def test_one(pubsub): pass\ndef test_two(pubsub_topic): pass\ndef test_three(): pass")
    result.stdout.fnmatch_lines(
        ["pubsub: 2 tests, in-process emulator, virtual clock; PUBSUB_EMULATOR_HOST=elsewhere:1 is set outside and overridden in these tests"]
    )


def test_a_suite_without_pubsub_has_no_header(suite: pytest.Pytester) -> None:
    run(suite, "def test_one(): pass").stdout.no_fnmatch_line("pubsub:*")


def test_the_guard_refuses_who_has_not_asked(suite: pytest.Pytester) -> None:
    suite.makeini("[pytest]\npubsub_guard = true")
    passed(
        suite,
        """
def test_unasked():
    answer = call("GET", "projects/p/topics")
    assert answer["error"]["message"].startswith("This test talks to Pub/Sub without asking for it: give it the fixture `pubsub`")
    assert answer["error"]["status"] == "FAILED_PRECONDITION"

def test_asked(pubsub_topic):
    assert publish(pubsub_topic) == ["1"]
""",
        count=2,
    )


@pytest.mark.parametrize("guard", ["true", "false"])
def test_the_environment_may_be_set_before_collection(suite: pytest.Pytester, guard: str) -> None:
    suite.makeini(f"[pytest]\npubsub_env = session\npubsub_guard = {guard}")
    passed(
        suite,
        f"""
import os
ADDRESS = os.environ["PUBSUB_EMULATOR_HOST"]

def test_asked(pubsub, pubsub_topic):
    assert pubsub.address == ADDRESS
    assert publish(pubsub_topic) == ["1"]

def test_unasked():
    assert os.environ["PUBSUB_EMULATOR_HOST"] == ADDRESS
    assert ("error" in call("GET", "projects/p/topics")) == {guard.title()}
""",
        count=2,
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--pubsub-backend=moon",), "backend is 'moon'; it must be one of inprocess, subprocess, docker, external, live"),
        (("--pubsub-clock=sand",), "clock is 'sand'; it must be one of virtual, real"),
        (("--pubsub-backend=external",), "the external backend needs its address"),
        (("--pubsub-backend=live",), "the live backend uses a real project: name it by"),
        (("--pubsub-backend=live", "--pubsub-project=mine"), "the live backend uses a real project: name it by"),
    ],
)
def test_settings_that_mean_nothing_are_refused(suite: pytest.Pytester, arguments: tuple[str, ...], words: str) -> None:
    result = run(suite, "def test_it(pubsub): pass", *arguments)
    assert result.ret != 0
    result.stderr.fnmatch_lines([f"*{words}*"])
