"""What can be watched of a client: counters for Prometheus, spans for OpenTelemetry, and observers that break."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

import prometheus_client
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from publican.flow import FlowControl
from publican.message import SubscriberMessage
from publican.observe import Observer
from publican.otel import OpenTelemetry
from publican.prometheus import Prometheus
from tests.client.world import SUBSCRIPTION, TOPIC, World


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


async def one_of_each(world: World) -> None:
    """Publish three messages; one is acked, one raises once, and the stream breaks in between."""
    world.subscription()
    raised = False

    async def handler(message: SubscriberMessage) -> None:
        nonlocal raised
        if message.data == b"bad" and not raised:
            raised = True
            raise RuntimeError("not this time")

    async with world.publisher(max_latency=0) as publisher:
        futures = [await publisher.submit(TOPIC, each) for each in (b"good", b"bad")]
        await world.rest()
        assert all(each.done() for each in futures)
    subscriber = world.subscriber(flow_control=FlowControl(max_messages=10))
    running = asyncio.create_task(subscriber.run(SUBSCRIPTION, handler))
    await world.advance(1)
    world.emulator.break_streams()
    await world.advance(1)
    closing = asyncio.create_task(subscriber.close())
    await world.advance(1)
    await closing
    await running


def test_prometheus_has_the_names_that_gcloud_aio_users_have_dashboards_for() -> None:
    registry = prometheus_client.CollectorRegistry()

    async def test() -> None:
        async with World(observer=Prometheus(registry)) as world:
            await one_of_each(world)

    run(test())

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)

    assert value("gcloud_aio_pubsub_subscriber_messages_received_total") == 3
    assert value("gcloud_aio_pubsub_subscriber_consume_total", outcome="succeeded") == 2
    assert value("gcloud_aio_pubsub_subscriber_consume_total", outcome="failed") == 1
    assert value("gcloud_aio_pubsub_subscriber_messages_processed_total", component="acker") == 2
    assert value("gcloud_aio_pubsub_subscriber_messages_processed_total", component="nacker") == 1
    assert value("gcloud_aio_pubsub_subscriber_batch_status_total", component="nacker", outcome="succeeded") == 1
    assert value("gcloud_aio_pubsub_subscriber_batch_size_count") == 2
    assert value("gcloud_aio_pubsub_subscriber_consume_latency_seconds_count", phase="runtime") == 3
    assert value("publican_messages_published_total", topic=TOPIC) == 2
    assert value("publican_reconnects_total", subscription=SUBSCRIPTION, code="UNAVAILABLE") == 1
    assert value("publican_load", subscription=SUBSCRIPTION) is not None


def test_prometheus_metrics_are_those_of_gcloud_aio_by_name_and_label() -> None:
    from gcloud.aio.pubsub import metrics as theirs

    registry = prometheus_client.CollectorRegistry()
    Prometheus(registry)
    ours = {each.name: each.type for each in registry.collect()}
    for metric in (
        theirs.BATCH_SIZE,
        theirs.CONSUME,
        theirs.CONSUME_LATENCY,
        theirs.BATCH_STATUS,
        theirs.MESSAGES_PROCESSED,
        theirs.MESSAGES_RECEIVED,
    ):
        [described] = metric.describe()
        assert ours[described.name] == described.type


def test_importing_the_adapter_makes_no_metric() -> None:
    assert not [each for each in prometheus_client.REGISTRY.collect() if each.name.startswith("publican_")]


def test_a_trace_goes_through_the_message_s_attributes() -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))

    async def test() -> None:
        async with World(observer=OpenTelemetry(provider)) as world:
            await one_of_each(world)
            sent = world.transport.of("Publish")[0].messages[0]
            assert sent.attributes["googclient_traceparent"].startswith("00-")

    run(test())
    by_name: dict[str, list[Any]] = {}
    for each in spans.get_finished_spans():
        by_name.setdefault(each.name, []).append(each)
    counts = {name: len(found) for name, found in by_name.items()}
    assert counts.pop("billing ack") in {1, 2}
    counts.pop("billing modack", None)
    assert counts == {"orders create": 2, "orders publish": 1, "billing subscribe": 3, "billing process": 3, "billing nack": 1}
    traces = {each.context.trace_id for each in by_name["orders create"]}
    assert {each.context.trace_id for each in by_name["billing subscribe"]} == traces
    assert {each.context.trace_id for each in by_name["billing process"]} == traces
    failed = [each for each in by_name["billing process"] if not each.status.is_ok]
    assert len(failed) == 1
    attributes = by_name["billing subscribe"][0].attributes
    assert attributes["messaging.system"] == "gcp_pubsub"
    assert attributes["messaging.destination.name"] == "billing"
    assert attributes["gcp.project_id"] == "p"


def test_an_observer_that_breaks_is_logged_once_and_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Observer):
        def received(self, subscription: str, count: int, size: int) -> None:
            raise RuntimeError("in received")

        def settled(self, subscription: str, how: str, handling_s: float) -> None:
            raise RuntimeError("in settled")

        def processing(self, subscription: str, message: SubscriberMessage) -> Any:
            raise RuntimeError("in processing")

    async def test() -> None:
        async with World(observer=Broken()) as world:
            await one_of_each(world)
            assert world.history().count(" acked ") == 2

    with caplog.at_level(logging.ERROR, logger="publican.observer"):
        run(test())
    assert [record.message.count("failed in") for record in caplog.records if record.name == "publican.observer"] == [1, 1, 1]
