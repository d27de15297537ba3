"""`python -m benchmarks.client_publish`: a dialect's `publish` over REST, ours beside gcloud-aio-pubsub's, on one emulator in one run.

Both are given an aiohttp session of their own, as their users do, and publish one message of 100 bytes a call. A turn measures one, then the other,
and changes the order; what is compared is the median of the turns' ratios, so that a machine that slows down meanwhile slows both.

PYTEST_DONT_REWRITE
"""

import argparse
import asyncio
import gc
import os
import statistics
import sys
import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import aiohttp

from benchmarks.product import publican, started

TOPIC: Final = "projects/benchmark/topics/orders"
TURNS: Final = 9
IN_FLIGHT: Final = (1, 64)
BOUNDS: Final = {1: 0.95, 64: 1.10}
"""The least ratio of calls a second, theirs = 1."""


class Turn(NamedTuple):
    """One turn of one library."""

    calls_per_s: float
    cpu_us: float


async def measured(client: Any, message: Any, calls: int, in_flight: int) -> Turn:
    """Publish `calls` times."""
    left = calls

    async def one_after_the_other() -> None:
        nonlocal left
        while left > 0:
            left -= 1
            await client.publish(TOPIC, [message])

    gc.collect()
    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one_after_the_other() for _ in range(in_flight)))
    return Turn(calls / (time.perf_counter() - began), (time.process_time() - cpu) / calls * 1e6)


async def compared(calls: int, turns: int) -> dict[int, list[tuple[Turn, Turn]]]:
    """Give the turns by calls in flight: ours, theirs."""
    from gcloud.aio import pubsub

    from publican.aio import PublisherClient, PubsubMessage

    found: dict[int, list[tuple[Turn, Turn]]] = {}
    async with aiohttp.ClientSession() as first, aiohttp.ClientSession() as second:
        ours, mine = PublisherClient(session=first), PubsubMessage(b"x" * 100, kind="new")
        # The library's stubs name the session of its threaded twin, for which the same source is used.
        theirs, their = pubsub.PublisherClient(session=second), pubsub.PubsubMessage(b"x" * 100, kind="new")  # type: ignore[arg-type]
        await ours.create_topic(TOPIC)
        for in_flight in IN_FLIGHT:
            await measured(ours, mine, calls // 4, in_flight)
            await measured(theirs, their, calls // 4, in_flight)
            rows = found[in_flight] = []
            for turn in range(turns):
                if turn % 2:
                    other = await measured(theirs, their, calls, in_flight)
                    rows.append((await measured(ours, mine, calls, in_flight), other))
                else:
                    own = await measured(ours, mine, calls, in_flight)
                    rows.append((own, await measured(theirs, their, calls, in_flight)))
    return found


def table(found: dict[int, list[tuple[Turn, Turn]]]) -> tuple[str, bool]:
    """Give the table, and whether every bound is met."""
    lines = [
        "| in flight | ours, calls/s | gcloud-aio, calls/s | ratio (median) | CPU a call, ours | gcloud-aio |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    is_met = True
    for in_flight, rows in found.items():
        ratio = statistics.median(ours.calls_per_s / theirs.calls_per_s for ours, theirs in rows)
        is_met &= ratio >= BOUNDS[in_flight]
        middle = [[statistics.median(side[place] for side in sides) for place in (0, 1)] for sides in zip(*rows, strict=True)]
        lines.append(
            f"| {in_flight} | {middle[0][0]:,.0f} | {middle[1][0]:,.0f} | {ratio:.2f} (at least {BOUNDS[in_flight]:.2f}) "
            f"| {middle[0][1]:.0f} us | {middle[1][1]:.0f} us |"
        )
    return "\n".join(lines) + "\n", is_met


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and answer 1 where a bound is not met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.client_publish", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--calls", type=int, default=2000, help="calls in each turn (default 2000)")
    parser.add_argument("--turns", type=int, default=TURNS, help=f"paired turns (default {TURNS})")
    options = parser.parse_args(arguments)
    with started(publican()) as running:
        os.environ["PUBSUB_EMULATOR_HOST"] = running.address
        text, is_met = table(asyncio.run(compared(options.calls, options.turns)))
    sys.stdout.write(text)
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
