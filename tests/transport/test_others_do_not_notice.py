"""Other clients do not notice an attack: the time of their publishes while somebody attacks ten times a second, beside the time when nobody does.

Real time, so not among the quick tests; docs/transport.md has the figures.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from benchmarks.connection import Connection
from benchmarks.product import Running, publican, started
from publican_protocol import pubsub
from tests.transport.attacks import ATTACKS, PUBLISH, TOPIC

REQUEST = pubsub.PublishRequest(topic=TOPIC, messages=[pubsub.PubsubMessage(data=b"x")]).SerializeToString()
SECONDS = 2.0
NOTICED = 2.0
SCHEDULING_S = 0.001
"""Server, attacker and this client share the cores: a time slice is not the server's doing."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with started(publican()) as running:
        with Connection(running.address) as connection:
            connection.call("/google.pubsub.v1.Publisher/CreateTopic", pubsub.Topic(name=TOPIC).SerializeToString())
        yield running


def p99_s(server: Running) -> float:
    """Publish one message after the other for a while; give the time that 99 of 100 stay below."""
    times = []
    with Connection(server.address) as connection:
        for _ in range(200):
            connection.call(PUBLISH, REQUEST)
        ends = time.perf_counter() + SECONDS
        while (begun := time.perf_counter()) < ends:
            connection.call(PUBLISH, REQUEST)
            times.append(time.perf_counter() - begun)
    return statistics.quantiles(times, n=100)[98]


@pytest.mark.parametrize("name", ATTACKS)
def test_publishes_take_as_long_as_without_it(server: Running, name: str) -> None:
    alone = p99_s(server)
    port = server.address.rpartition(":")[2]
    attacker = subprocess.Popen([sys.executable, "-m", "tests.transport.attacks", name, port, str(SECONDS + 1)], stdout=subprocess.PIPE)
    try:
        assert attacker.stdout is not None
        attacker.stdout.readline()
        attacked = p99_s(server)
    finally:
        attacker.kill()
        attacker.communicate()
    print(f"{name}: p99 {alone * 1e3:.2f} ms alone, {attacked * 1e3:.2f} ms attacked: {attacked / alone:.2f}x")
    assert attacked <= alone * NOTICED + SCHEDULING_S
