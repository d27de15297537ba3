"""An observer that counts for Prometheus (`publican[prometheus]`): the metrics of gcloud-aio-pubsub 8 under their names, and a few more.

Metrics are made when the observer is, in the registry that it is given: make one for a process and hand it to every client.

PYTEST_DONT_REWRITE
"""

from typing import Any

import prometheus_client

from publican.observe import Observer

_COMPONENTS = {"ack": "acker", "nack": "nacker", "modack": "leaser", "publish": "publisher"}
_OUTCOMES = {"ack": "succeeded", "nack": "failed", "drop": "cancelled"}
_SIZES = (0, 1, 5, 10, 25, 50, 100, 150, 250, 500, 1000, 1500, 2000, 5000, float("inf"))
_SPANS = (0.01, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 30.0, 60.0, 120.0, float("inf"))


class Prometheus(Observer):
    """Counts messages, requests, leases and reconnects.

    Raises:
        ValueError: the registry has these metrics already.
    """

    def __init__(self, registry: prometheus_client.CollectorRegistry = prometheus_client.REGISTRY) -> None:
        about: Any = {"namespace": "gcloud_aio", "subsystem": "pubsub", "registry": registry}
        ours: Any = {"namespace": "publican", "registry": registry}
        counter, histogram, gauge = prometheus_client.Counter, prometheus_client.Histogram, prometheus_client.Gauge
        self._batch = histogram("subscriber_batch", "Messages of one response", unit="size", buckets=_SIZES, **about)
        self._consume = counter("subscriber_consume", "Messages by what became of them", ["outcome"], **about)
        self._latency = histogram("subscriber_consume_latency", "Seconds of each phase", ["phase"], unit="seconds", buckets=_SPANS, **about)
        self._status = counter("subscriber_batch_status", "Requests by their outcome", ["component", "outcome"], **about)
        self._processed = counter("subscriber_messages_processed", "Messages that requests were about", ["component"], **about)
        self._received = counter("subscriber_messages_received", "Messages received", **about)
        self._lost = counter("leases_lost", "Leases that ended before their message was settled", ["subscription"], **ours)
        self._reconnects = counter("reconnects", "Streams that ended and were opened again", ["subscription", "code"], **ours)
        self._load = gauge("load", "Share of the flow control's limits that is taken", ["subscription"], **ours)
        self._published = counter("messages_published", "Messages that the service has accepted", ["topic"], **ours)
        self._publish_s = histogram("publish", "Seconds from a batch's first attempt to its answer", ["topic"], unit="seconds", **ours)

    def received(self, subscription: str, count: int, size: int) -> None:
        """Count a response."""
        self._received.inc(count)
        self._batch.observe(count)

    def handed(self, subscription: str, waited_s: float) -> None:
        """Observe how long a message was held."""
        self._latency.labels(phase="queueing").observe(waited_s)

    def settled(self, subscription: str, how: str, handling_s: float) -> None:
        """Count a message."""
        self._consume.labels(outcome=_OUTCOMES[how]).inc()
        self._latency.labels(phase="runtime").observe(handling_s)

    def lease_lost(self, subscription: str, why: str) -> None:
        """Count a lost lease."""
        self._consume.labels(outcome="failfast").inc()
        self._lost.labels(subscription=subscription).inc()

    def batch_sent(self, resource: str, kind: str, count: int, took_s: float) -> None:
        """Count a request that was answered."""
        if kind == "publish":
            self._published.labels(topic=resource).inc(count)
            self._publish_s.labels(topic=resource).observe(took_s)
        else:
            self._status.labels(component=_COMPONENTS[kind], outcome="succeeded").inc()
            self._processed.labels(component=_COMPONENTS[kind]).inc(count)

    def retried(self, resource: str, kind: str, code: str) -> None:
        """Count a request that is made again."""
        self._status.labels(component=_COMPONENTS[kind], outcome="failed").inc()

    def reconnected(self, subscription: str, code: str) -> None:
        """Count a reconnect."""
        self._reconnects.labels(subscription=subscription, code=code).inc()

    def load(self, subscription: str, load: float) -> None:
        """Show the load."""
        self._load.labels(subscription=subscription).set(load)
