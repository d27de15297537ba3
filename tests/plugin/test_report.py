"""What the end of a test says, in somebody's suite: histories, strictness, the guard, options, backends."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from publican_emulator import Emulator
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


BACKEND_TEST = """
def test_time_and_records(pubsub, pubsub_topic, pubsub_subscription):
    publish(pubsub_topic)
    assert pull(pubsub_subscription) == ["aGVsbG8="]
    assert pull(pubsub_subscription) == []
    assert [event.kind for event in pubsub.advance(10)] == ["expired"]
    assert pull(pubsub_subscription) == ["aGVsbG8="]
    assert len(pubsub_topic.messages[0].deliveries) == 2

def test_faults(pubsub, pubsub_topic):
    with pubsub.fail("Publish", "UNAVAILABLE", "closed") as fault:
        assert call("POST", pubsub_topic + ":publish", {"messages": [{"data": "aGVsbG8="}]})["error"]["message"] == "closed"
    assert fault.hits == 1

def test_each_has_its_own(pubsub, pubsub_topic):
    assert publish(pubsub_topic) == ["1"]
"""


def test_an_emulator_in_its_own_process(suite: pytest.Pytester) -> None:
    passed(suite, BACKEND_TEST, "--pubsub-backend=subprocess", count=3)


def test_a_publican_somewhere_else(suite: pytest.Pytester) -> None:
    with Emulator(pull_wait_s=0.1) as emulator:
        passed(suite, BACKEND_TEST, "--pubsub-backend=external", f"--pubsub-address={emulator.address}", count=3)


class _Other(BaseHTTPRequestHandler):
    """An emulator that knows topics and no more."""

    topics: set[str]

    def _answer(self, status: int) -> None:
        body = b"{}" if status == 200 else b'{"error": {"status": "NOT_FOUND", "message": "no"}}'
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self._answer(200 if self.path.removeprefix("/v1/") in self.topics else 404)

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.topics.add(self.path.removeprefix("/v1/"))
        self._answer(200)

    def do_DELETE(self) -> None:
        found = self.path.removeprefix("/v1/") in self.topics
        self.topics.discard(self.path.removeprefix("/v1/"))
        self._answer(200 if found else 404)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def other() -> Iterator[tuple[str, set[str]]]:
    topics: set[str] = set()
    handler = type("Other", (_Other,), {"topics": topics})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield f"127.0.0.1:{server.server_port}", topics
        server.shutdown()
        serving.join()


def test_another_emulator_somewhere_else(suite: pytest.Pytester, other: tuple[str, set[str]]) -> None:
    address, topics = other
    result = run(
        suite,
        """
import time
projects = set()

def test_one(pubsub, pubsub_topic): projects.add(pubsub.project)
def test_two(pubsub, pubsub_topic): projects.add(pubsub.project)
def test_short(pubsub):
    before = pubsub.now()
    pubsub.advance(0.01)
    assert pubsub.now() > before
def test_long(pubsub): pubsub.advance(600)
def test_fault(pubsub): pubsub.offline()
def test_records(pubsub): pubsub.messages
def test_after(): assert len(projects) == 2
""",
        "--pubsub-backend=external",
        f"--pubsub-address={address}",
        "-rs",
        "-p",
        "no:randomly",
    )
    result.assert_outcomes(passed=4, skipped=3)
    result.stdout.fnmatch_lines_random(
        [
            f"*time cannot be moved on the emulator at {address}, and 600 s are more than the 15 s that a test may wait",
            "*faults need Publican; *",
            "*/messages needs Publican; *",
        ]
    )
    assert topics == set()


def test_an_address_where_nothing_answers_is_said(suite: pytest.Pytester) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    result = run(suite, "def test_it(pubsub): pass", "--pubsub-backend=external", f"--pubsub-address=127.0.0.1:{port}")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*nothing answers at 127.0.0.1:{port}*"])
