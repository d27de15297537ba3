"""`python -m benchmarks.clients`: the table of clients; `--turns 9` is what docs/performance.md shows.

PYTEST_DONT_REWRITE
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks import product
from benchmarks.clients.candidates import WARM_UP

TOPIC: Final = "projects/bench/topics/clients"
SUBSCRIPTION: Final = "projects/bench/subscriptions/clients"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One line: ours against theirs, and the share of their CPU that ours may take at most."""

    label: str
    ours: str
    theirs: str
    count: int
    target: float
    is_receiving: bool = False


COMPARISONS: Final = (
    Comparison("receive and ack, gRPC, against google-cloud-pubsub", "receive_publican", "receive_google", 10_000, 1 / 3, is_receiving=True),
    Comparison("the same by `async for`", "stream_publican", "receive_google", 10_000, 1 / 3, is_receiving=True),
    Comparison("the same by pulls over HTTP", "receive_publican_polling", "receive_google", 10_000, 1 / 3, is_receiving=True),
    Comparison("publish in batches, gRPC, against google-cloud-pubsub", "batch_publican", "batch_google", 10_000, 0.5),
    Comparison("publish(), 64 in flight, Publisher over gRPC, against gcloud-aio", "call_publican_batching", "call_gcloud_aio", 3_200, 0.7),
    Comparison("the same with requests of one message", "call_publican_modern", "call_gcloud_aio", 3_200, 0.7),
    Comparison("publish(), 64 in flight, PublisherClient over REST, against gcloud-aio", "call_publican_dialect", "call_gcloud_aio", 3_200, 1 / 1.1),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.clients", description="Clients side by side, by the CPU they take.")
    parser.add_argument("--turns", type=int, default=5, help="paired turns of each line (default 5)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the messages: shows that every line runs, judges nothing")
    parser.add_argument("--only", help="lines whose label holds this")
    options = parser.parse_args(arguments)
    with product.started(product.publican()) as server:
        sys.stdout.write("| | ours, us of CPU | theirs | ratio of the pairs, median | at most |\n|---|---|---|---|---|\n")
        for line in COMPARISONS:
            if options.only and options.only not in line.label:
                continue
            count = line.count // 10 if options.quick else line.count
            pairs = [(_turn(server.address, line.ours, line, count), _turn(server.address, line.theirs, line, count)) for _ in range(options.turns)]
            ours, theirs = (statistics.median(side) / count * 1e6 for side in zip(*pairs, strict=True))
            ratio = statistics.median(one / other for one, other in pairs)
            sys.stdout.write(f"| {line.label} | {ours:.1f} | {theirs:.1f} | {ratio:.2f} | {line.target:.2f} |\n")
            sys.stdout.flush()
    return 0


def _turn(address: str, name: str, line: Comparison, count: int) -> float:
    """Give the CPU seconds of one turn, on a topic and a subscription of its own."""
    for made in (SUBSCRIPTION, TOPIC):
        _ask(address, "DELETE", made, None)
    _ask(address, "PUT", TOPIC, {})
    if line.is_receiving:
        _ask(address, "PUT", SUBSCRIPTION, {"topic": TOPIC})
        messages = [{"data": "eHh4" * 33, "attributes": {"a": "b"}}] * 1_000
        for _ in range(-(-(count + WARM_UP) // 1_000)):
            _ask(address, "POST", f"{TOPIC}:publish", {"messages": messages})
    environment = {**os.environ, "PUBSUB_EMULATOR_HOST": address}
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.clients.turn", name, TOPIC, SUBSCRIPTION, str(count)]
    ran = subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=300)
    return float(json.loads(ran.stdout)["cpu_s"])


def _ask(address: str, method: str, name: str, body: object) -> None:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://{address}/v1/{name}", data=data, method=method, headers={"Content-Type": "application/json"})
    try:
        urllib.request.urlopen(request).close()
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise


if __name__ == "__main__":
    sys.exit(main())
