"""Rows about a fresh process: how soon it answers, how much memory it holds then, and what a waiting message adds.

Each turn starts a process of its own beside the two that the other rows use; those are idle meanwhile.

PYTEST_DONT_REWRITE
"""

from typing import Final

from benchmarks.product import Running, started
from benchmarks.resources import resources
from benchmarks.row import Amounts, Row, Sample

PAYLOAD: Final = b"x" * 100


def start(server: Running, _: int) -> Sample:
    """Measure the time from exec to the first CreateTopic answered."""
    with started(server.product) as fresh:
        return Sample(fresh.start_s, fresh.cpu_s * 1e6)


def memory(server: Running, _: int) -> Sample:
    """Measure resident memory after the first CreateTopic."""
    with started(server.product) as fresh:
        return Sample(fresh.rss_mb)


def waiting(server: Running, count: int) -> Sample:
    """Measure what one waiting message of 100 bytes adds to resident memory, with one subscription."""
    with started(server.product) as fresh, resources(fresh.address) as made:
        made.fill(10_000, PAYLOAD)  # code, pools and buffers are paid for before the first reading
        before = fresh.rss_mb
        made.fill(count, PAYLOAD)
        return Sample((fresh.rss_mb - before) * 1e6 / count)


ROWS: Final = (
    Row("start", "start to first CreateTopic answered", "s", "raw socket", Amounts(1, 1, 1), start, ratio_target=0.25, value_target=0.3),
    Row("rss", "RSS after start", "MB", "/proc", Amounts(1, 1, 1), memory, ratio_target=0.4, value_target=50),
    Row(
        "waiting",
        "memory per waiting 100-byte message",
        "B",
        "raw socket, /proc",
        Amounts(200_000, 200_000, 20_000),
        waiting,
        value_target=250,
    ),
)
