"""What pytest loads: fixtures, options, hooks. It imports nothing but pytest, so that a suite without Pub/Sub pays nothing for it.

    pubsub_config         session   the settings; override it
    pubsub_server         session   a running Pub/Sub, one per xdist worker
    pubsub_seed           session   what every test finds there already; override it
    pubsub                function  that Pub/Sub with nothing in it, virtual time, and the environment variables set
    pubsub_clock          function  its time
    pubsub_topic          function  a topic, named after the test
    pubsub_subscription   function  a subscription on it
    pubsub_publisher      function  google-cloud-pubsub's publisher, which does not wait to fill batches
    pubsub_subscriber     function  google-cloud-pubsub's subscriber

All are synchronous: they work in plain, asyncio, anyio and unittest tests alike. None is used unless a test asks for it.
"""

import re
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from pytest_publican.config import Config
    from pytest_publican.handle import Pubsub, PubsubClock, Seed
    from pytest_publican.names import Subscription, Topic
    from pytest_publican.servers import Server

_ID_MAX: Final = 255
_FIXTURES: Final = frozenset({"pubsub", "pubsub_server"})
_MARKER: Final = (
    "pubsub(clock=, start=, strict=, history=, **subscription): settings of the test's Pub/Sub; what is left are settings of pubsub_subscription "
    "(ack_deadline=, ordering=, filter=, exactly_once=, dead_letter=, retry=, retention=, retain_acked=)"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and ini settings."""
    group = parser.getgroup("pubsub", "Pub/Sub (Publican)")
    for name, words in (
        ("backend", "inprocess, subprocess, docker, external or live (inprocess)"),
        ("clock", "virtual or real (virtual)"),
        ("history", "when to show what happened: failed, always, never (failed)"),
        ("address", "HOST:PORT of the emulator of the external backend"),
        ("project", "the project of short ids (test-project)"),
        ("image", "the image of the docker backend (publican)"),
    ):
        group.addoption(f"--pubsub-{name}", dest=f"pubsub_{name}", help=words)
        parser.addini(f"pubsub_{name}", words, default="")
    group.addoption("--pubsub-strict", dest="pubsub_strict", action="store_true", help="fail tests that leave leases or streams behind")
    group.addoption("--pubsub-junit", dest="pubsub_junit", action="store_true", help="put histories of failed tests into JUnit XML")
    parser.addini("pubsub_strict", "fail tests that leave leases or streams behind", type="bool", default=False)
    parser.addini("pubsub_junit", "put histories of failed tests into JUnit XML", type="bool", default=False)
    parser.addini("pubsub_guard", "fail tests at once that talk to Pub/Sub without asking for a fixture", type="bool", default=False)
    parser.addini(
        "pubsub_env", "fixture: the environment is set by `pubsub`; session: before collection, for clients made at import", default="fixture"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; set the environment before collection where that is wanted."""
    config.addinivalue_line("markers", _MARKER)
    if config.getini("pubsub_guard") or config.getini("pubsub_env") == "session":
        from pytest_publican import environment

        environment.configure(config)


def pytest_report_collectionfinish(config: pytest.Config, items: list[pytest.Item]) -> list[str]:
    """Say in one line which Pub/Sub is used, and by how many tests."""
    count = sum(1 for item in items if _FIXTURES & set(getattr(item, "fixturenames", ())))
    if not count:
        return []
    from pytest_publican import environment
    from pytest_publican.config import read

    return [environment.header(read(config), count)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> "Generator[None, pytest.TestReport, pytest.TestReport]":
    """Put the history of a test under its report."""
    report = yield
    if _FIXTURES & set(getattr(item, "fixturenames", ())):
        from pytest_publican.report import add_history

        add_history(item, report)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Colour a history where the terminal has colours: in the process that prints it, so also with xdist."""
    if not any(title.startswith("pubsub history") for title, _ in report.sections) or not _prints_colours[0]:
        return
    from pytest_publican.report import TITLE, coloured

    report.sections = [(title, coloured(text) if title.startswith(TITLE) else text) for title, text in report.sections]


_prints_colours: Final = [False]


def pytest_sessionstart(session: pytest.Session) -> None:
    """See whether this process prints to a terminal with colours."""
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    _prints_colours[0] = bool(reporter is not None and not hasattr(session.config, "workerinput") and reporter.hasmarkup)


@pytest.fixture(scope="session")
def pubsub_config(pytestconfig: pytest.Config) -> "Config":
    """Give the settings of the session; override it to change them: `dataclasses.replace(pubsub_config, strict=True)`."""
    from pytest_publican.config import read

    return read(pytestconfig)


@pytest.fixture(scope="session")
def pubsub_server(pubsub_config: "Config", pytestconfig: pytest.Config) -> "Iterator[Server]":
    """Give a running Pub/Sub for the session: `.address`; tests want `pubsub`, which empties it."""
    from pytest_publican import environment, servers

    early = environment.early_server(pytestconfig)
    server = early or servers.start(pubsub_config)
    yield server
    if early is None:
        server.close()


@pytest.fixture(scope="session")
def pubsub_seed() -> "Seed":
    """Give the topics, each with its subscriptions, that every test finds: `{"orders": ["billing", "audit"]}`. Override it."""
    return {}


@pytest.fixture
def pubsub(request: pytest.FixtureRequest, pubsub_server: "Server", pubsub_config: "Config", pubsub_seed: "Seed") -> "Iterator[Pubsub]":
    """Give a Pub/Sub that only this test uses; PUBSUB_EMULATOR_HOST, PUBSUB_PROJECT_ID and GOOGLE_CLOUD_PROJECT name it."""
    from pytest_publican import report
    from pytest_publican.config import of_test
    from pytest_publican.environment import set_for
    from pytest_publican.handle import Pubsub

    config = of_test(pubsub_config, request.node)
    over = f"The test {request.node.nodeid} is over; whoever asks here was left running by it."
    project = pubsub_server.begin(config, "Another test begins.")
    handle = Pubsub(pubsub_server.link, pubsub_server.address, project)
    request.node.stash[report.HANDLE], request.node.stash[report.CONFIG] = handle, config
    errors: list[Exception] = []
    with pytest.MonkeyPatch.context() as environment:
        set_for(environment, handle)
        handle.seed(pubsub_seed)
        try:
            yield handle
            report.check(handle, config)
        finally:
            del request.node.stash[report.HANDLE]
            errors = pubsub_server.end(over)
    if errors:
        raise ExceptionGroup("errors inside the emulator: bugs in Publican, not in this test", errors)


@pytest.fixture
def pubsub_clock(pubsub: "Pubsub") -> "PubsubClock":
    """Give the time of `pubsub`: `now()`, `advance(seconds)`, `move_to(datetime)`."""
    return pubsub.clock


@pytest.fixture
def pubsub_topic(request: pytest.FixtureRequest, pubsub: "Pubsub") -> "Topic":
    """Give a topic, which is its full name, named after the test."""
    return pubsub.topic(_resource_id(request.node.name))


@pytest.fixture
def pubsub_subscription(request: pytest.FixtureRequest, pubsub: "Pubsub", pubsub_topic: "Topic") -> "Subscription":
    """Give a subscription on `pubsub_topic`, which is its full name, named after the test; `@pytest.mark.pubsub(ack_deadline=30)` changes it."""
    from pytest_publican.config import subscription_settings

    return pubsub.subscription(_resource_id(request.node.name), pubsub_topic, **subscription_settings(request.node))


@pytest.fixture
def pubsub_publisher(pubsub: "Pubsub") -> "Iterator[Any]":
    """Give google-cloud-pubsub's publisher for `pubsub`; it publishes at once instead of waiting to fill a batch. Skips where it is not installed."""
    google = pytest.importorskip("google.cloud.pubsub_v1", reason="google-cloud-pubsub is not installed")
    publisher = google.PublisherClient(batch_settings=google.types.BatchSettings(max_messages=1))
    yield publisher
    publisher.stop()
    publisher.transport.close()


@pytest.fixture
def pubsub_subscriber(pubsub: "Pubsub") -> "Iterator[Any]":
    """Give google-cloud-pubsub's subscriber for `pubsub`. Skips where it is not installed."""
    google = pytest.importorskip("google.cloud.pubsub_v1", reason="google-cloud-pubsub is not installed")
    subscriber = google.SubscriberClient()
    yield subscriber
    subscriber.close()


def _resource_id(test_name: str) -> str:
    """Give a valid resource id (3 to 255 characters, a letter first, not `goog`) that reads like the name of the test."""
    name = re.sub(r"[^A-Za-z0-9_.]+", "-", test_name).strip("-")
    if not name[:1].isalpha() or name.startswith("goog") or len(name) < 3:
        name = f"test-{name}"
    if len(name) > _ID_MAX:
        import hashlib  # few tests have such names

        name = f"{name[: _ID_MAX - 9]}-{hashlib.sha256(test_name.encode()).hexdigest()[:8]}"
    return name
