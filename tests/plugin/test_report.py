"""What the end of a test says, in somebody's suite: histories, strictness, the guard, options."""

import pathlib
import subprocess
import sys

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
import pathlib
import subprocess
import sys

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


def test_what_a_strict_test_left_behind_comes_with_its_history_and_a_failed_one_is_not_asked(suite: pytest.Pytester) -> None:
    result = run(
        suite,
        """
import pathlib
import subprocess
import sys

import pytest
from client import publish, pull

@pytest.mark.pubsub(strict=True)
def test_leased(pubsub_topic, pubsub_subscription):
    publish(pubsub_topic)
    pull(pubsub_subscription)

@pytest.mark.pubsub(strict=True)
def test_fails(pubsub):
    pubsub.fail("Publish", "ABORTED")
    assert 0
""",
    )
    result.assert_outcomes(passed=1, failed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_leased*",
            "*- pubsub history (virtual clock) -*",
            "m1  topic=test_leased  b'hello'",
            "still open: m1 leased on test_leased*",
        ]
    )
    result.stdout.no_fnmatch_line("*never hit*")


@pytest.mark.slow
def test_a_nack_loop_ends_the_wait_for_what_never_comes(suite: pytest.Pytester) -> None:
    result = run(
        suite,
        """
def test_it(pubsub, pubsub_topic, pubsub_subscription, pubsub_subscriber):
    future = pubsub_subscriber.subscribe(pubsub_subscription, callback=lambda message: message.nack())
    pubsub_topic.publish(b"poison")
    try:
        pubsub.wait_until_acked(pubsub_topic, timeout=120)
    finally:
        future.cancel()
        future.result()
""",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *NackLoop: nack loop: test_it has handed out m1 1000 times at one instant: *", "  (* more in between)"])


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        ("ack_deadlin=30", "the marker pubsub does not know ack_deadlin; did you mean ack_deadline?"),
        ("backend='live'", "backend is the whole session's"),
        ("30", "the marker pubsub takes words with values"),
        ("clock='sand'", "clock='sand'"),
    ],
)
def test_a_marker_that_means_nothing_is_refused(pytester: pytest.Pytester, marker: str, words: str) -> None:
    pytester.makepyfile(f"import pytest\n@pytest.mark.pubsub({marker})\ndef test_it(pubsub): pass")
    result = pytester.runpytest_inprocess("-p", "no:randomly", "-p", "no:xdist", "-p", "no:asyncio")
    result.stdout.fnmatch_lines([f"*{words}*"])
    assert result.ret != 0


def test_settings_come_from_marker_then_command_line_then_ini_then_environment(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_PUBSUB_PROJECT", "from-environment")
    monkeypatch.setenv("PYTEST_PUBSUB_STRICT", "true")
    monkeypatch.setenv("PYTEST_PUBSUB_CLOCK", "real")
    monkeypatch.setenv("PYTEST_PUBSUB_HISTORY", "never")
    suite.makeini("[pytest]\npubsub_project = from-ini\npubsub_clock = virtual\npubsub_history = always")
    passed(
        suite,
        """
import pathlib
import subprocess
import sys

import pytest

def test_it(pubsub, pubsub_config):
    assert pubsub.project == "from-line"
    assert (pubsub_config.clock, pubsub_config.history, pubsub_config.strict) == ("virtual", "always", True)

@pytest.mark.pubsub(project="from-marker", clock="real", strict=False)
class TestMarked:
    @pytest.mark.pubsub(ack_deadline=30)
    def test_both_markers_count(self, pubsub, pubsub_subscription):
        assert pubsub.project == "from-marker"
        assert call("GET", pubsub_subscription)["ackDeadlineSeconds"] == 30
        pubsub.fail("Publish", "ABORTED").remove()
        pubsub.reset()
""",
        "--pubsub-project=from-line",
        count=2,
    )


@pytest.mark.slow
def test_the_pytest_before_this_one(suite: pytest.Pytester, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(tmp_path / "older"), "pytest<9"]
    subprocess.run(command, check=True)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "older"))
    result = run(
        suite,
        f"import pytest\nassert pytest.__version__.startswith('8.')\n{FAILING}",
        "-n1",
        "--junitxml=out.xml",
        "--pubsub-junit",
        plugins=("xdist.plugin",),
    )
    result.stdout.fnmatch_lines(["*- pubsub history (virtual clock) -*", "pubsub: 1 test, in-process emulator, virtual clock"])
    assert '<property name="pubsub_history" value="m1  topic=test_it' in (suite.path / "out.xml").read_text()
