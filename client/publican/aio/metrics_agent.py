"""The `metrics_client` of gcloud-aio-pubsub before 8, as an observer: `increment(name, value)` and `histogram(name, value)`, as a Datadog client has.

PYTEST_DONT_REWRITE
"""

from typing import Any, Final

_OUTCOMES: Final = {"ack": "succeeded", "nack": "failed", "drop": "failfast"}
_WORKERS: Final = {"ack": "acker", "nack": "nacker"}


class MetricsAgentObserver:
    """Tells a metrics agent what it was told before 8.0.0, under the same names."""

    def __init__(self, agent: Any) -> None:
        self._agent = agent

    def received(self, subscription: str, count: int, size: int) -> None:
        """`pubsub.producer.batch`: how many messages came."""
        self._agent.histogram("pubsub.producer.batch", count)

    def handed(self, subscription: str, waited_s: float) -> None:
        """`pubsub.consumer.latency.queueing`: the seconds that a message waited for its handler."""
        self._agent.histogram("pubsub.consumer.latency.queueing", waited_s)

    def settled(self, subscription: str, how: str, handling_s: float) -> None:
        """`pubsub.consumer.succeeded`, `failed` or `failfast`, and `pubsub.consumer.latency.runtime`."""
        self._agent.increment(f"pubsub.consumer.{_OUTCOMES[how]}")
        if how == "ack":
            self._agent.histogram("pubsub.consumer.latency.runtime", handling_s)

    def batch_sent(self, resource: str, kind: str, count: int, took_s: float) -> None:
        """`pubsub.acker.batch`, `pubsub.nacker.batch`: how many ids a request had."""
        worker = _WORKERS.get(kind)
        if worker is not None:
            self._agent.histogram(f"pubsub.{worker}.batch", count)

    def retried(self, resource: str, kind: str, code: str) -> None:
        """`pubsub.acker.batch.failed`, `pubsub.nacker.batch.failed`."""
        worker = _WORKERS.get(kind)
        if worker is not None:
            self._agent.increment(f"pubsub.{worker}.batch.failed")
