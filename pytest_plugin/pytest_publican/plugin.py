"""What pytest loads: fixtures, options, hooks. It imports nothing but pytest, so that a suite without Pub/Sub pays nothing for it.

    pubsub_config         session   the settings; override it
    pubsub_server         session   a running Pub/Sub, one per xdist worker
    pubsub_seed           session   what every test finds there already; override it
    pubsub                function  that Pub/Sub with nothing in it, virtual time, and the environment variables set
    pubsub_clock          function  its time
    pubsub_topic          function  a topic, named after the test
    pubsub_subscription   function  a subscription on it
    pubsub_client         function  Publican's own publishers and subscribers, which live in the test's time
    pubsub_publisher      function  google-cloud-pubsub's publisher, which does not wait to fill batches
    pubsub_subscriber     function  google-cloud-pubsub's subscriber

All are synchronous: they work in plain, asyncio, anyio and unittest tests alike. None is used unless a test asks for it.
"""

import re
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from publican_emulator.testing.handle import Pubsub, PubsubClock, Seed
    from publican_emulator.testing.names import Subscription, Topic
    from pytest_publican.client import PubsubClient
    from pytest_publican.config import Config
    from pytest_publican.google_clients import Channel
    from pytest_publican.servers import Server

_ID_MAX: Final = 255
_FIXTURES: Final = frozenset({"pubsub", "pubsub_server"})
_MARKER: Final = (
    "pubsub(clock=, start=, strict=, history=, pull_wait=, project=, **subscription): settings of the test's Pub/Sub; the others are of "
    "pubsub_subscription (ack_deadline=, ordering=, filter=, exactly_once=, dead_letter=, retry=, retention=, retain_acked=)"
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
        ("seed", "a JSON file of the topics and subscriptions that every test finds"),
    ):
        group.addoption(f"--pubsub-{name}", dest=f"pubsub_{name}", help=words)
        parser.addini(f"pubsub_{name}", words, default="")
    for name, words in (
        ("strict", "fail tests that leave leases or streams behind"),
        ("junit", "put histories of failed tests into JUnit XML"),
    ):
        group.addoption(f"--pubsub-{name}", dest=f"pubsub_{name}", action="store_const", const="true", default="", help=words)
        parser.addini(f"pubsub_{name}", words, default="")
    parser.addini("pubsub_guard", "fail tests at once that talk to Pub/Sub without asking for a fixture", type="bool", default=False)
    parser.addini(
        "pubsub_env", "fixture: the environment is set by `pubsub`; session: before collection, for clients made at import", default="fixture"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker; set the environment before collection where that is wanted."""
    from pytest_publican import frozen

    config.addinivalue_line("markers", _MARKER)
    frozen.prepare()
    config.add_cleanup(frozen.forget)
    if config.getini("pubsub_guard") or config.getini("pubsub_env") == "session":
        from pytest_publican import environment

        environment.configure(config)


def pytest_report_collectionfinish(config: pytest.Config, items: list[pytest.Item]) -> list[str]:
    """Say in one line which Pub/Sub is used, and by how many tests."""
    line = _header(config, items)
    return [line] if line else []


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let an xdist worker tell that line to the process that prints."""
    output: dict[str, object] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["pubsub"] = _header(session.config, session.items)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take it there: workers collect the same tests, so one line will do."""
    line = getattr(node, "workeroutput", {}).get("pubsub")
    if line:
        node.config.stash[_TOLD] = line


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print what workers have told."""
    if line := config.stash.get(_TOLD, ""):
        terminalreporter.write_line(line)


_TOLD: Final = pytest.StashKey[str]()


def _header(config: pytest.Config, items: list[pytest.Item]) -> str:
    count = sum(1 for item in items if _uses_pubsub(item))
    if not count:
        return ""
    from pytest_publican import environment

    return environment.header(config, count)


def _uses_pubsub(item: pytest.Item) -> bool:
    return not _FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> "Generator[None, pytest.TestReport, pytest.TestReport]":
    """Put the history of a test under its report."""
    report = yield
    if _uses_pubsub(item):
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
    """Give a running Pub/Sub for the session: `.address`, `.url`, `.channel()`; tests want `pubsub`, which empties it."""
    from pytest_publican import environment, servers

    early = environment.early_server(pytestconfig)
    server = early or servers.start(pubsub_config)
    yield server
    if early is None:
        server.close()


@pytest.fixture(scope="session")
def pubsub_seed(pubsub_config: "Config") -> "Seed":
    """Give the topics, each with its subscriptions, that every test finds: `{"orders": ["billing", "audit"]}`. Override it."""
    return pubsub_config.seed


@pytest.fixture
def pubsub(request: pytest.FixtureRequest, pubsub_server: "Server", pubsub_config: "Config", pubsub_seed: "Seed") -> "Iterator[Pubsub]":
    """Give a Pub/Sub that only this test uses; PUBSUB_EMULATOR_HOST, PUBSUB_PROJECT_ID and GOOGLE_CLOUD_PROJECT name it."""
    from publican_emulator.testing.environ import environment
    from pytest_publican import report
    from pytest_publican.config import of_test
    from pytest_publican.environment import guard

    node = request.node
    config = of_test(pubsub_config, node)
    handle = pubsub_server.begin(config, "Another test begins.")
    node.stash[report.HANDLE], node.stash[report.CONFIG] = handle, config
    errors: list[Exception] = []
    with environment(handle.address, handle.project):
        try:
            handle.seed(pubsub_seed)
            yield handle
            report.check(node, handle, config)
        finally:
            del node.stash[report.HANDLE]
            errors = pubsub_server.end(f"The test {node.nodeid} is over; whoever asks here was left running by it.")
            guard(request.config, pubsub_server)
    if errors:
        raise ExceptionGroup("errors inside the emulator: bugs in Publican, not in this test", errors)


@pytest.fixture
def pubsub_clock(pubsub: "Pubsub") -> "PubsubClock":
    """Give the time of `pubsub`: `now()`, `advance(seconds)`, `move_to(datetime)`."""
    return pubsub.clock


@pytest.fixture
def pubsub_topic(request: pytest.FixtureRequest, pubsub: "Pubsub") -> "Topic":
    """Give a topic, which is its full name, named after the test."""
    return pubsub.topic(_resource_id(request.node.name, pubsub.prefix))


@pytest.fixture
def pubsub_subscription(request: pytest.FixtureRequest, pubsub: "Pubsub", pubsub_topic: "Topic") -> "Subscription":
    """Give a subscription on `pubsub_topic`, which is its full name, named after the test; `@pytest.mark.pubsub(ack_deadline=30)` changes it."""
    from pytest_publican.config import subscription_settings

    return pubsub.subscription(_resource_id(request.node.name, pubsub.prefix), pubsub_topic, **subscription_settings(request.node))


@pytest.fixture
def pubsub_client(pubsub: "Pubsub", pubsub_server: "Server") -> "Iterator[PubsubClient]":
    """Make Publican's clients: `pubsub_client.publisher()`, `pubsub_client.subscriber()`; `advance` moves their leases, batches and retries, too."""
    from pytest_publican import client

    with client.made(pubsub, pubsub_server) as made:
        yield made


@pytest.fixture(scope="session")
def _pubsub_channel(pubsub_server: "Server") -> "Iterator[Channel | None]":
    from pytest_publican.google_clients import Channel

    channel = Channel(pubsub_server.address) if pubsub_server.address else None  # the real service has credentials of its own
    yield channel
    if channel is not None:
        channel.close()


@pytest.fixture
def pubsub_publisher(pubsub: "Pubsub", _pubsub_channel: "Channel | None") -> "Iterator[Any]":
    """Give google-cloud-pubsub's publisher for `pubsub`; it publishes at once instead of waiting to fill a batch. Skips where it is not installed."""
    from pytest_publican import google_clients

    publisher = google_clients.publisher(_pubsub_channel)
    yield publisher
    publisher.stop()
    if _pubsub_channel is None:
        publisher.transport.close()
    else:
        _pubsub_channel.end_test()


@pytest.fixture
def pubsub_subscriber(pubsub: "Pubsub", _pubsub_channel: "Channel | None") -> "Iterator[Any]":
    """Give google-cloud-pubsub's subscriber for `pubsub`. Skips where it is not installed."""
    from pytest_publican import google_clients

    subscriber = google_clients.subscriber(_pubsub_channel)
    yield subscriber
    if _pubsub_channel is None:
        subscriber.close()
    else:
        _pubsub_channel.end_test()


def _resource_id(test_name: str, prefix: str) -> str:
    """Give a valid resource id (3 to 255 characters, a letter first, not `goog`) that reads like the name of the test, with room for a prefix."""
    name = re.sub(r"[^A-Za-z0-9_.]+", "-", test_name).strip("-")
    if not name[:1].isalpha() or name.startswith("goog") or len(name) < 3:
        name = f"test-{name}"
    most = _ID_MAX - len(prefix)
    if len(name) > most:
        import hashlib  # few tests have such names

        name = f"{name[: most - 9]}-{hashlib.sha256(test_name.encode()).hexdigest()[:8]}"
    return name
