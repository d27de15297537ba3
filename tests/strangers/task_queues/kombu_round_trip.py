"""Queue, requeue and fanout by kombu's own transport; run by test_task_queues.py in an environment that has kombu."""

import sys
import time
from collections.abc import Callable
from typing import Any

from kombu import Connection, Consumer, Exchange, Producer, Queue

URL = "gcpubsub://projects/strangers"
OPTIONS = {"wait_time_seconds": 1, "ack_deadline_seconds": 10}
LIMIT_S = 30.0


def drain(connection: Any, is_done: Callable[[], bool]) -> None:
    """Take messages until it is done, or too late."""
    end = time.monotonic() + LIMIT_S
    while not is_done() and time.monotonic() < end:
        try:
            connection.drain_events(timeout=2)
        except TimeoutError:
            continue


def requeued() -> None:
    exchange = Exchange("orders", type="direct")
    queue = Queue("billing", exchange, routing_key="billing")
    taken: list[int] = []

    def take(body: Any, message: Any) -> None:
        taken.append(body["n"])
        if len(taken) == 1:
            message.requeue()
        else:
            message.ack()

    with Connection(URL, transport_options=OPTIONS) as connection, connection.channel() as channel:
        Producer(channel, exchange=exchange, routing_key="billing", serializer="json").publish({"n": 1}, declare=[queue])
        with Consumer(channel, [queue], callbacks=[take]):
            drain(connection, lambda: len(taken) == 2)
    assert taken == [1, 1], taken


def fanned_out() -> None:
    exchange = Exchange("news", type="fanout")
    taken: list[int] = []

    def take(body: Any, message: Any) -> None:
        taken.append(body["n"])
        message.ack()

    readers = [Queue(f"reader-{n}", exchange) for n in range(2)]
    with (
        Connection(URL, transport_options=OPTIONS) as connection,
        connection.channel() as channel,
        Consumer(channel, readers, callbacks=[take]),
    ):
        Producer(channel, exchange=exchange, serializer="json").publish({"n": 7})
        drain(connection, lambda: len(taken) == 2)
    assert taken == [7, 7], taken


if __name__ == "__main__":
    {"requeued": requeued, "fanned out": fanned_out}[sys.argv[1]]()
