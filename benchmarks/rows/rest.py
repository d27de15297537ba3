"""Rows about REST over HTTP/1.1: publish serial and on 32 connections, batches of 1,000, and pull with acknowledge.

PYTEST_DONT_REWRITE
"""

import http.client
import json
import re
import time
from typing import Final

from benchmarks import messages
from benchmarks.load import Load, rest_call, rest_driver
from benchmarks.product import Running
from benchmarks.resources import Resources, resources
from benchmarks.row import Amounts, Row, Sample, cpu_of

PAYLOAD: Final = b"x" * 100
BATCH: Final = 1_000
ACK_ID: Final = re.compile(rb'"ackId"\s*:\s*("[^"]*")')  # the driver does not parse the messages: it would measure json.loads


def serial(server: Running, calls: int) -> Sample:
    """Measure the mean time of one publish after the other."""
    seconds, cpu_us = _publish(server, batch=1, calls=calls, connections=1)
    return Sample(seconds / calls * 1e6, cpu_us)


def connections_32(server: Running, calls: int) -> Sample:
    """Measure publish calls a second on 32 connections."""
    seconds, cpu_us = _publish(server, batch=1, calls=calls, connections=32)
    return Sample(calls / seconds, cpu_us)


def batches(server: Running, calls: int) -> Sample:
    """Measure messages a second in calls of 1,000 on 4 connections."""
    seconds, cpu_us = _publish(server, batch=BATCH, calls=calls, connections=4)
    return Sample(calls * BATCH / seconds, cpu_us / BATCH)


def pull(server: Running, count: int) -> Sample:
    """Measure messages a second through pull of 1,000 and acknowledge."""
    with resources(server.address) as made:
        made.fill(count, PAYLOAD)
        connection = http.client.HTTPConnection(server.address)
        path = f"/v1/{made.subscription}"
        request = json.dumps({"maxMessages": 1_000}).encode()
        acked = 0
        with cpu_of(server) as cpu:
            begun = time.perf_counter()
            while acked < count:
                ack_ids = ACK_ID.findall(rest_call(connection, f"{path}:pull", request))
                rest_call(connection, f"{path}:acknowledge", b'{"ackIds": [' + b",".join(ack_ids) + b"]}")
                acked += len(ack_ids)
            seconds = time.perf_counter() - begun
        connection.close()
    return Sample(count / seconds, cpu.per(count))


def _publish(server: Running, *, batch: int, calls: int, connections: int) -> tuple[float, float]:
    with resources(server.address) as made:
        path, body = f"/v1/{made.topic}:publish", messages.publish_json([PAYLOAD] * batch)
        _check(made, path, body, batch)
        load = Load(server.address, path, body, calls, connections, rest=True)
        with cpu_of(server) as cpu:
            seconds = load.seconds()
        _check(made, path, body, batch)
    return seconds, cpu.per(calls)


def _check(made: Resources, path: str, body: bytes, batch: int) -> None:
    connection = http.client.HTTPConnection(made.connection.authority)
    ids = json.loads(rest_call(connection, path, body))["messageIds"]
    connection.close()
    assert len(ids) == batch, f"{batch} messages got {len(ids)} ids"


ROWS: Final = (
    Row(
        "rest_serial",
        "REST publish 1, serial, mean",
        "us",
        rest_driver(1),
        Amounts(3_000, 1_500, 200, warm_up=6_000),
        serial,
        ratio_target=0.6,
    ),
    Row(
        "rest_32",
        "REST publish 1, 32 connections",
        "/s",
        rest_driver(32),
        Amounts(10_000, 5_000, 400, warm_up=20_000),
        connections_32,
        more_is_better=True,
    ),
    Row(
        "rest_batches",
        "REST batches of 1,000, messages",
        "/s",
        rest_driver(4),
        Amounts(200, 100, 8, warm_up=200),
        batches,
        more_is_better=True,
    ),
    Row(
        "rest_pull",
        "REST pull(1000) + acknowledge, messages",
        "/s",
        "http.client",
        Amounts(50_000, 20_000, 2_000, warm_up=40_000),
        pull,
        more_is_better=True,
    ),
)
