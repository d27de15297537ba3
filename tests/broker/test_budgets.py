"""What the core may cost: no step of time stands in the way of the loop, and a waiting message is little more than its bytes.

Budgets are twice what is promised (50 ms, 250 bytes), in time of this thread's own, so that a busy machine fails nothing.
"""

import gc
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.settings import RetryPolicy
from tests.broker.bench import SUBSCRIPTION, TOPIC, Bench, message

BUDGET_S = 0.1
LEASES = 100_000
RETAINED = 1_000_000
HOUR = Nanos(3600 * SECOND)


@pytest.fixture(autouse=True)
def no_collection_of_garbage() -> Iterator[None]:
    """Keep the collector away: with a million messages about, each of its rounds would cost more than what is measured."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def cost_of(step: Callable[..., object], *arguments: Any, **named: Any) -> float:
    """Give the seconds of this thread that a step takes."""
    start = time.thread_time()
    step(*arguments, **named)
    return time.thread_time() - start


def steps_until(bench: Bench, seconds: float) -> float:
    """Let time pass, and give what the dearest deadline cost, with all the sweeping after it."""
    until, dearest = bench.now + round(seconds * SECOND), 0.0
    while (due := bench.broker.next_due()) is not None and due <= until:
        bench.now = max(due, bench.now)
        dearest = max(dearest, cost_of(bench.broker.settle, bench.now))
        while bench.broker.attic.chains:
            dearest = max(dearest, cost_of(bench.broker.attic.sweep))
    bench.now = Nanos(until)
    return dearest


def publish(bench: Bench, count: int, size: int = 10) -> None:
    batch = [message("x" * size)] * 1_000
    for _ in range(count // 1_000):
        bench.broker.publish(TOPIC, batch, bench.now)


def lease_all(bench: Bench, most_bytes: int) -> None:
    """Take everything, by so many bytes at a time: one message at least, a thousand at most."""
    stream = bench.stream()
    taken = 0
    while taken < LEASES:
        taken += len(bench.broker.lease(stream, most_bytes, bench.now))


@pytest.mark.parametrize("most_bytes", [1, 1_000_000], ids=["one by one", "by the thousand"])
@pytest.mark.parametrize("settings", [{}, {"retry": RetryPolicy()}], ids=["at once", "after a back-off"])
def test_100000_leases_that_end_at_once_stand_in_nobodys_way(most_bytes: int, settings: dict[str, Any]) -> None:
    bench = Bench()
    bench.subscription(**settings)
    publish(bench, LEASES)
    lease_all(bench, most_bytes)
    assert bench.pull() == []
    assert steps_until(bench, 20) < BUDGET_S
    consumer = bench.broker.open_pull(SUBSCRIPTION, 1_000, bench.now)
    assert cost_of(bench.broker.lease, consumer, 10_000_000, bench.now) < BUDGET_S


def test_1000000_retained_messages_stand_in_nobodys_way() -> None:
    bench = Bench()
    bench.topic(message_retention=HOUR)
    plain, filtered, retaining, deleted = (f"projects/p/subscriptions/{name}" for name in ("plain", "filtered", "retaining", "deleted"))
    bench.subscription(plain, message_retention=HOUR)
    bench.subscription(filtered, message_retention=HOUR, filter="NOT attributes:out")
    bench.subscription(retaining, message_retention=HOUR, retain_acked_messages=True)
    bench.subscription(deleted, message_retention=HOUR)
    publish(bench, RETAINED)
    for name in (plain, filtered):
        assert cost_of(bench.snapshot, f"projects/p/snapshots/of-{name[-5:]}", of=name) < BUDGET_S
    for name in (plain, retaining):  # what a filter lets pass is judged message by message
        assert cost_of(bench.seek, 60, of=name) < BUDGET_S
        assert cost_of(bench.seek, 0, of=name) < BUDGET_S
    assert cost_of(bench.broker.delete_subscription, deleted, bench.now) < BUDGET_S
    for snapshot in bench.broker.existing_names("snapshot"):
        assert cost_of(bench.broker.delete_snapshot, snapshot, bench.now) < BUDGET_S
    assert len(bench.pull(1, of=plain)) == 1
    assert steps_until(bench, 3_601) < BUDGET_S
    for name in (plain, filtered, retaining):
        assert bench.pull(of=name) == []


def test_a_waiting_message_of_100_bytes_takes_less_than_250() -> None:
    bench = Bench()
    bench.subscription()
    count = 20_000
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(count // 1_000):
            bench.broker.publish(TOPIC, [message("x" * 100) for _ in range(1_000)], bench.now)
        per_message = (tracemalloc.get_traced_memory()[0] - before) / count
    finally:
        tracemalloc.stop()
    assert per_message < 250
