"""What is measured: one function per client and task. Each prepares, then gives what `measured` is to time.

Run in a process of its own by turn.py. Payloads are 100 bytes with one attribute.

PYTEST_DONT_REWRITE
"""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

PAYLOAD: Final = b"x" * 100
IN_FLIGHT: Final = 64
WARM_UP: Final = 1_000


class Measured:
    """CPU and time of this process between `begin` and `end`."""

    def __init__(self) -> None:
        self.cpu_s = self.wall_s = 0.0

    def begin(self) -> None:
        """Begin to count."""
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def end(self) -> None:
        """Count no more."""
        self.cpu_s = time.process_time() - self._cpu
        self.wall_s = time.perf_counter() - self._wall


def receive_google(topic: str, subscription: str, count: int) -> Measured:
    """google-cloud-pubsub's subscriber, as its guide has it: a callback that acks."""
    from google.cloud import pubsub_v1

    done, seen, measured = threading.Event(), 0, Measured()
    lock = threading.Lock()

    def callback(message: Any) -> None:
        nonlocal seen
        message.ack()
        with lock:
            seen += 1
            if seen == WARM_UP:
                measured.begin()
            if seen == count + WARM_UP:
                done.set()

    with pubsub_v1.SubscriberClient() as subscriber:
        future = subscriber.subscribe(subscription, callback)
        done.wait()
        future.cancel()
        future.result()
        measured.end()
    return measured


def receive_publican(topic: str, subscription: str, count: int, transport: str = "grpc") -> Measured:
    """Our subscriber: a coroutine that returns."""
    from publican.aio import Subscriber

    measured = Measured()

    async def main() -> None:
        seen, done = 0, asyncio.Event()

        async def handler(message: Any) -> None:
            nonlocal seen
            seen += 1
            if seen == WARM_UP:
                measured.begin()
            if seen == count + WARM_UP:
                done.set()

        async with Subscriber(transport=transport) as subscriber:  # type: ignore[arg-type]  # one of the two
            running = asyncio.create_task(subscriber.run(subscription, handler))
            await done.wait()
            await subscriber.close()
            await running
            measured.end()

    asyncio.run(main())
    return measured


def receive_publican_polling(topic: str, subscription: str, count: int) -> Measured:
    """The same by long-poll pulls over HTTP."""
    return receive_publican(topic, subscription, count, "polling")


def stream_publican(topic: str, subscription: str, count: int) -> Measured:
    """Our subscriber, iterated."""
    from publican.aio import Subscriber

    measured = Measured()

    async def main() -> None:
        async with Subscriber(transport="grpc") as subscriber:
            async with subscriber.stream(subscription) as stream:
                seen = 0
                async for message in stream:
                    message.ack()
                    seen += 1
                    if seen == WARM_UP:
                        measured.begin()
                    if seen == count + WARM_UP:
                        break
            measured.end()

    asyncio.run(main())
    return measured


def batch_google(topic: str, subscription: str, count: int) -> Measured:
    """google-cloud-pubsub's publisher with its default batches (100 messages, 10 ms)."""
    from google.cloud import pubsub_v1

    publisher, measured = pubsub_v1.PublisherClient(), Measured()
    publisher.publish(topic, PAYLOAD, a="b").result()
    measured.begin()
    for future in [publisher.publish(topic, PAYLOAD, a="b") for _ in range(count)]:
        future.result()
    measured.end()
    return measured


def batch_publican(topic: str, subscription: str, count: int) -> Measured:
    """Our publisher with the same batches."""
    from publican.aio import Publisher

    measured = Measured()

    async def main() -> None:
        async with Publisher(transport="grpc") as publisher:
            await publisher.publish(topic, PAYLOAD, a="b")
            measured.begin()
            for future in [await publisher.submit(topic, PAYLOAD, a="b") for _ in range(count)]:
                await future
            measured.end()

    asyncio.run(main())
    return measured


def call_gcloud_aio(topic: str, subscription: str, count: int) -> Measured:
    """gcloud-aio-pubsub's publish of one message, 64 in flight."""
    from gcloud.aio.pubsub import PublisherClient, PubsubMessage

    return _calls(PublisherClient, lambda client: client.publish(topic, [PubsubMessage(PAYLOAD, a="b")]), count)


def call_publican_dialect(topic: str, subscription: str, count: int) -> Measured:
    """Our PublisherClient, the same call."""
    from publican.aio import PublisherClient, PubsubMessage

    return _calls(PublisherClient, lambda client: client.publish(topic, [PubsubMessage(PAYLOAD, a="b")]), count)


def call_publican_modern(topic: str, subscription: str, count: int) -> Measured:
    """Our Publisher over gRPC, without batches."""
    from publican.aio import Publisher

    return _calls(lambda: Publisher(transport="grpc", max_messages=1, max_latency=0), lambda client: client.publish(topic, PAYLOAD, a="b"), count)


def call_publican_batching(topic: str, subscription: str, count: int) -> Measured:
    """Our Publisher over gRPC as it comes: calls that are made together leave together."""
    from publican.aio import Publisher

    return _calls(lambda: Publisher(transport="grpc"), lambda client: client.publish(topic, PAYLOAD, a="b"), count)


def _calls(make: Callable[[], Any], call: Callable[[Any], Awaitable[Any]], count: int) -> Measured:
    measured = Measured()

    async def main() -> None:
        client = make()

        async def worker(calls: int) -> None:
            for _ in range(calls):
                await call(client)

        await worker(WARM_UP)
        measured.begin()
        await asyncio.gather(*(worker(count // IN_FLIGHT) for _ in range(IN_FLIGHT)))
        measured.end()
        await client.close()

    asyncio.run(main())
    return measured


CANDIDATES: Final = {
    each.__name__: each
    for each in (
        receive_google,
        receive_publican,
        receive_publican_polling,
        stream_publican,
        batch_google,
        batch_publican,
        call_gcloud_aio,
        call_publican_dialect,
        call_publican_modern,
        call_publican_batching,
    )
}
