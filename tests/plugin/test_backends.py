"""Where a test's Pub/Sub comes from: each backend under the same tests, what it cannot do, and that it leaves nothing behind."""

import os
import pathlib
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from publican_emulator import Emulator
from publican_emulator.testing.link import OverHttp
from tests.plugin.suites import INTERRUPTIBLE, passed, run

pytest_plugins = ["pytester"]

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
    )
    result.assert_outcomes(passed=4, skipped=3)
    result.stdout.fnmatch_lines_random(
        [
            f"*time cannot be moved on the emulator at {address}, and 600 s are more than the 15 s that a test may wait",
            "*faults need Publican; *",
            "*what happened to messages needs Publican; *",
        ]
    )
    assert topics == set()


def test_an_address_where_nothing_answers_is_said(suite: pytest.Pytester) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    result = run(suite, "def test_it(pubsub): pass", "--pubsub-backend=external", f"--pubsub-address=127.0.0.1:{port}")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*nothing answers at 127.0.0.1:{port}*"])


def test_a_publican_elsewhere_is_left_as_it_was(suite: pytest.Pytester) -> None:
    with Emulator(pull_wait_s=7.0) as emulator:
        link = OverHttp(emulator.address)
        before = link.ask("GET", "/_publican/info")
        passed(suite, "def test_it(pubsub_topic): pass", "--pubsub-backend=external", f"--pubsub-address={emulator.address}")
        after = link.ask("GET", "/_publican/info")
        link.close()
        assert {**before, "now": ""} == {**after, "now": ""}
        assert (after["clock"], after["history"], after["pullWaitSeconds"]) == ("real", False, 7.0)


def test_workers_that_share_an_emulator_have_projects_instead_of_time(suite: pytest.Pytester) -> None:
    with Emulator(pull_wait_s=0.1) as emulator:
        result = run(
            suite,
            """
import pytest
@pytest.mark.parametrize("number", range(4))
def test_it(pubsub, pubsub_topic, number): assert pubsub.project.startswith("test-project-")
""",
            "--pubsub-backend=external",
            f"--pubsub-address={emulator.address}",
            "-n2",
            plugins=("xdist.plugin",),
        )
        result.assert_outcomes(passed=4)
        result.stdout.fnmatch_lines([f"pubsub: 4 tests, emulator at {emulator.address}, shared by workers, its own clock"])


LIVE = """
import os
import pytest_publican.foreign
from publican_emulator.testing.link import OverHttp

pytest_publican.foreign.Service = lambda: OverHttp(os.environ["STANDS_IN"])
"""


def test_the_live_backend_names_its_own_and_deletes_all_of_it(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    suite.makeini("[pytest]\npubsub_project = acme-tests")
    suite.makeconftest(LIVE)
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "elsewhere:1")
    with Emulator() as service:
        monkeypatch.setenv("STANDS_IN", service.address)
        link = OverHttp(service.address)
        theirs = [
            "projects/acme-tests/topics/orders",
            "projects/acme-tests/topics/publican-orders",
            "projects/acme-tests/topics/publican-ffffffff-00000000-1-x",
        ]
        stale = "projects/acme-tests/topics/publican-00000001-00000000-1-orders"
        for name in [*theirs, stale]:
            link.ask("PUT", f"/v1/{name}", {})
        result = run(
            suite,
            """
import os
from publican_emulator.testing.link import OverHttp

seen = set()

def test_names(pubsub, pubsub_topic, pubsub_subscription):
    assert "PUBSUB_EMULATOR_HOST" not in os.environ and os.environ["GOOGLE_CLOUD_PROJECT"] == "acme-tests"
    assert pubsub_topic.startswith(f"projects/acme-tests/topics/{pubsub.prefix}test_names")
    assert pubsub.topic("orders").id == f"{pubsub.prefix}orders"
    seen.add(pubsub.prefix)

def test_by_its_own_client(pubsub):
    OverHttp(os.environ["STANDS_IN"]).ask("PUT", f"/v1/projects/acme-tests/topics/{pubsub.prefix}mine", {})
    seen.add(pubsub.prefix)

def test_deleted_by_itself(pubsub, pubsub_topic):
    pubsub.link.ask("DELETE", f"/v1/{pubsub_topic}")
    seen.add(pubsub.prefix)

def test_waits(pubsub):
    before = pubsub.now()
    pubsub.advance(0.01)
    pubsub.wait_for(lambda: pubsub.now() > before)

def test_long(pubsub): pubsub.advance(60)
def test_faults(pubsub): pubsub.offline()
def test_seen(): assert len(seen) == 3
""",
            "--pubsub-backend=live",
            "--pubsub-project=acme-tests",
            "-rs",
        )
        result.assert_outcomes(passed=5, skipped=2)
        result.stdout.fnmatch_lines(
            ["pubsub: 6 tests, the real Pub/Sub, project acme-tests, its own clock; PUBSUB_EMULATOR_HOST=elsewhere:1 is set outside and ignored*"]
        )
        left = [each["name"] for each in link.ask("GET", "/v1/projects/acme-tests/topics")["topics"]]
        link.close()
    assert left == sorted(theirs)


def test_the_live_backend_tells_what_it_could_not_delete(suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    suite.makeini("[pytest]\npubsub_project = acme-tests")
    suite.makeconftest(LIVE)
    with Emulator() as service:
        monkeypatch.setenv("STANDS_IN", service.address)
        service.faults.fail("DeleteTopic", "PERMISSION_DENIED", "no right to delete", times=None)
        result = run(suite, "def test_it(pubsub_topic): pass", "--pubsub-backend=live", "--pubsub-project=acme-tests")
    result.stdout.fnmatch_lines(["*no right to delete*"])
    assert result.ret != 0


@pytest.mark.parametrize("how", ["SIGKILL", "SIGINT"])
def test_an_emulator_in_its_own_process_ends_with_the_tests_however_they_end(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as told:
        told.settimeout(30)
        monkeypatch.setenv("TELL", str(told.getsockname()[1]))
        code = f"""
import os, signal, socket
{INTERRUPTIBLE}
def test_it(pubsub):
    with socket.create_connection(("127.0.0.1", int(os.environ["TELL"]))) as outside:
        outside.sendall(pubsub.address.encode())
        outside.recv(1)
    os.kill(os.getpid(), signal.{how})
"""
        ends: list[bytes] = []

        def watch() -> None:
            connection, _ = told.accept()
            with connection:
                host, _, port = connection.recv(100).decode().rpartition(":")
                with socket.create_connection((host, int(port)), 30) as emulator:
                    connection.sendall(b"!")
                    ends.append(emulator.recv(1))

        watching = threading.Thread(target=watch)
        watching.start()
        result = run(suite, code, "--pubsub-backend=subprocess")
        watching.join(30)
    assert result.ret != 0
    assert ends == [b""]


def test_ctrl_c_in_mid_test_restores_the_environment_and_ends_at_once(suite: pytest.Pytester) -> None:
    suite.makeconftest(
        """
import os, threading
def pytest_unconfigure(config):
    print("left:", os.environ.get("PUBSUB_EMULATOR_HOST"), sorted(each.name for each in threading.enumerate()))
"""
    )
    code = f"""
import os, signal, threading
{INTERRUPTIBLE}
def test_it(pubsub, pubsub_topic, pubsub_subscription):
    pubsub.delay("Pull", 3600)
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    pubsub.link.ask("POST", f"/v1/{{pubsub_subscription}}:pull", {{"maxMessages": 1}})
"""
    result = run(suite, code, "-s")
    assert result.ret == 2
    result.stdout.fnmatch_lines(["*left: None *"])
    assert "KeyboardInterrupt" in result.stdout.str()
    assert "'publican'" not in result.stdout.str().partition("left:")[2].partition("]")[0]


def test_names_and_paths_that_windows_would_not_take_are_no_file_names(suite: pytest.Pytester) -> None:
    before = set(os.listdir(suite.path))
    passed(
        suite,
        r"""
import pytest

@pytest.mark.parametrize("what", ["a:b", "c\\d", "e|f?*<>", "nul", "x" * 300, "trailing. "])
def test_it(pubsub_topic, what): assert publish(pubsub_topic) == ["1"]
""",
        count=6,
    )
    assert {name for name in set(os.listdir(suite.path)) - before if not name.startswith(("__pycache__", "runpytest", "std"))} == {"test_it.py"}


def test_a_seed_file_is_found_from_the_root_of_the_suite(suite: pytest.Pytester) -> None:
    folder = pathlib.Path(suite.path) / "some where"
    folder.mkdir()
    (folder / "seed.json").write_text('{"orders": {"billing": {"ack_deadline": 30}}, "events": ["audit"]}', encoding="utf-8")
    passed(
        suite,
        """
def test_it(pubsub):
    assert call("GET", "projects/test-project/subscriptions/billing")["ackDeadlineSeconds"] == 30
    assert call("GET", "projects/test-project/subscriptions/audit")["topic"] == "projects/test-project/topics/events"
""",
        f"--pubsub-seed={pathlib.Path('some where') / 'seed.json'}",
    )
