"""Rows about the pytest plugin: what a test costs that uses it, and what a session costs that does not.

A turn is a pytest session of its own over a suite of so many tests; a test's time is that of its set-up, call and tear-down as pytest reports them.
A Pull that finds nothing answers at once here: a real suite waits `pull_wait` (0.1 s) for each, which is its own choice and no cost of the plugin.

PYTEST_DONT_REWRITE
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.product import Running
from benchmarks.row import Amounts, Row, Sample

CONFTEST: Final = """
import collections, dataclasses, json, pathlib, pytest

durations = collections.defaultdict(dict)

def pytest_runtest_logreport(report):
    assert report.passed, report.longreprtext
    durations[report.nodeid][report.when] = report.duration

def pytest_sessionfinish(session):
    pathlib.Path(session.config.rootpath, "durations.json").write_text(json.dumps(list(durations.values())))

@pytest.fixture(scope="session")
def pubsub_config(pubsub_config):
    return dataclasses.replace(pubsub_config, pull_wait=0.0)
"""

STORY: Final = """
import pytest

@pytest.mark.parametrize("number", range({count}))
def test_story(pubsub, pubsub_topic, pubsub_subscription, pubsub_publisher, pubsub_subscriber, number):
    publisher, subscriber, subscription = pubsub_publisher, pubsub_subscriber, pubsub_subscription
    publisher.publish(pubsub_topic, b"one").result()
    assert len(subscriber.pull(subscription=subscription, max_messages=10).received_messages) == 1
    assert len(subscriber.pull(subscription=subscription, max_messages=10).received_messages) == 0
    pubsub.advance(11)
    (again,) = subscriber.pull(subscription=subscription, max_messages=10).received_messages
    subscriber.acknowledge(subscription=subscription, ack_ids=[again.ack_id])
    assert len(pubsub_subscription.messages[0].deliveries) == 2
"""

FIXTURES: Final = """
import pytest

@pytest.mark.parametrize("number", range({count}))
def test_fixtures(pubsub, number): pass
"""


def story(server: Running, count: int) -> Sample:
    """Measure a test with google-cloud-pubsub: publish, pull, no ack, nothing to pull, advance(11), pull, ack."""
    durations = _suite(STORY.format(count=count))
    return Sample(statistics.median(sum(each.values()) for each in durations) * 1e3)


def fixtures(server: Running, count: int) -> Sample:
    """Measure the set-up and tear-down of `pubsub`."""
    durations = _suite(FIXTURES.format(count=count))
    return Sample(statistics.median(each["setup"] + each["teardown"] for each in durations) * 1e3)


def unused(server: Running, count: int) -> Sample:
    """Measure what loading the plugin adds to a session, best of `count`."""
    return Sample(min(_import_ms() for _ in range(count)))


def _suite(code: str) -> list[dict[str, float]]:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "conftest.py").write_text(CONFTEST)
        Path(folder, "test_suite.py").write_text(code)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "pytest_publican.plugin", "--rootdir", folder, folder]
        done = subprocess.run(
            command, cwd=folder, env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        found: list[dict[str, float]] = json.loads(Path(folder, "durations.json").read_text())
        return found


def _import_ms() -> float:
    command = [sys.executable, "-X", "importtime", "-c", "import pytest; import pytest_publican.plugin, pytest_publican.frozen"]
    trace = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    ours = [line for line in trace.splitlines() if line.partition("|")[2].partition("|")[2].strip().startswith("pytest_publican")]
    return sum(int(line.split(":")[1].split("|")[0]) for line in ours) / 1e3


ROWS: Final = (
    Row(
        "suite",
        "a test: publish, pull, expiry, pull, ack",
        "ms",
        "pytest, google-cloud-pubsub",
        Amounts(500, 0, 20),
        story,
        value_target=8,
        is_ours_alone=True,
    ),
    Row("fixtures", "set-up and tear-down of `pubsub`", "ms", "pytest", Amounts(500, 0, 20), fixtures, value_target=1, is_ours_alone=True),
    Row(
        "unused", "the plugin in a session that does not use it", "ms", "-X importtime", Amounts(5, 0, 1), unused, value_target=20, is_ours_alone=True
    ),
)
