"""A backlog is published, streamed to two subscribers that share a subscription, and acknowledged; then the memory is looked at.

The server is a process of its own, so that its memory is its own.
"""

import pytest

from benchmarks.drain import Drained, drain
from benchmarks.product import publican, started


def drained(count: int) -> Drained:
    """Do it once on a fresh server."""
    with started(publican()) as server:
        return drain(server, count)


def test_100_000_messages_are_shared_and_none_is_left() -> None:
    result = drained(100_000)
    assert (result.seen, result.left) == (100_000, 0), result
    # One stream must not be handed the whole backlog before the loop turns: that starves the other and buffers everything.
    assert min(result.deliveries) >= 20_000, result
    assert result.rss_peak_mb <= result.rss_full_mb + 12, result
    assert result.rss_end_mb <= result.rss_start_mb + 30, result


@pytest.mark.slow
def test_the_memory_of_a_million_messages_is_given_back() -> None:
    result = drained(1_000_000)
    assert (result.seen, result.left) == (1_000_000, 0), result
    assert min(result.deliveries) >= 200_000, result
    assert result.rss_end_mb <= result.rss_start_mb + 30, result
