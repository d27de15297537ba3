"""Rows about publishing over gRPC: one message a call, serial and 64 in flight, and batches of 1,000; all to one subscription.

PYTEST_DONT_REWRITE
"""

from typing import Final

from benchmarks import messages
from benchmarks.load import Load, unary_driver
from benchmarks.product import Running
from benchmarks.resources import Resources, resources
from benchmarks.row import Amounts, Row, Sample, cpu_of

PAYLOAD: Final = b"x" * 100
BATCH: Final = 1_000


def serial(server: Running, calls: int) -> Sample:
    """Measure the mean time of one call after the other."""
    with resources(server.address) as made:
        seconds, cpu_us = _publish(server, made, batch=1, calls=calls, in_flight=1)
    return Sample(seconds / calls * 1e6, cpu_us)


def in_flight_64(server: Running, calls: int) -> Sample:
    """Measure calls a second with 64 under way on one connection."""
    with resources(server.address) as made:
        seconds, cpu_us = _publish(server, made, batch=1, calls=calls, in_flight=64)
    return Sample(calls / seconds, cpu_us)


def batches(server: Running, calls: int) -> Sample:
    """Measure messages a second in calls of 1,000, 8 under way."""
    with resources(server.address) as made:
        seconds, cpu_us = _publish(server, made, batch=BATCH, calls=calls, in_flight=8)
    return Sample(calls * BATCH / seconds, cpu_us / BATCH)


def batches_to_ten(server: Running, calls: int) -> Sample:
    """Measure the same with ten subscriptions on the topic."""
    with resources(server.address, subscriptions=10) as made:
        seconds, cpu_us = _publish(server, made, batch=BATCH, calls=calls, in_flight=8)
    return Sample(calls * BATCH / seconds, cpu_us / BATCH)


def _publish(server: Running, made: Resources, *, batch: int, calls: int, in_flight: int) -> tuple[float, float]:
    payloads = [PAYLOAD] * batch
    made.publish(payloads)
    load = Load(server.address, messages.PUBLISH, messages.publish(made.topic, payloads), calls, in_flight)
    with cpu_of(server) as cpu:
        seconds = load.seconds()
    made.publish(payloads)
    return seconds, cpu.per(calls)


ROWS: Final = (
    Row(
        "publish_serial",
        "publish 1, serial, mean",
        "us",
        f"{unary_driver()}, 1 in flight",
        Amounts(5_000, 3_000, 300, warm_up=10_000),
        serial,
        ratio_target=0.8,
    ),
    Row(
        "publish_64",
        "publish 1, 64 in flight",
        "/s",
        f"{unary_driver()}, 64 in flight",
        Amounts(60_000, 20_000, 2_000, warm_up=120_000),
        in_flight_64,
        more_is_better=True,
        ratio_target=2.5,
    ),
    Row(
        "batches",
        "batches of 1,000, 1 subscription, messages",
        "/s",
        f"{unary_driver()}, 8 in flight",
        Amounts(500, 300, 20, warm_up=600),
        batches,
        more_is_better=True,
        ratio_target=1.3,
    ),
    Row(
        "batches_10",
        "batches of 1,000, 10 subscriptions, messages",
        "/s",
        f"{unary_driver()}, 8 in flight",
        Amounts(300, 150, 20, warm_up=150),
        batches_to_ten,
        more_is_better=True,
    ),
)
