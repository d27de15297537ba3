"""google-cloud-pubsub with subscriptions that nobody pulls from: push endpoints, exports, and message transforms on the way."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import fastavro
import pytest
from google.api_core import exceptions
from google.cloud import pubsub_v1
from google.pubsub_v1 import types

from tests.export import servers
from tests.push.endpoint import Endpoint, serving

LIMIT_S = 20.0


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with serving() as endpoint:
        yield endpoint


def test_a_push_subscription_from_its_making_to_pull_and_back(
    publisher: pubsub_v1.PublisherClient, subscriber: pubsub_v1.SubscriberClient, topic: str, project: str, endpoint: Endpoint
) -> None:
    name = f"projects/{project}/subscriptions/pushed"
    config = types.PushConfig(push_endpoint=f"{endpoint.url}/one", no_wrapper=types.PushConfig.NoWrapper(write_metadata=True))
    made = subscriber.create_subscription(request={"name": name, "topic": topic, "push_config": config})
    assert made.push_config.no_wrapper.write_metadata
    publisher.publish(topic, b"first", kind="new").result(timeout=LIMIT_S)
    (first,) = endpoint.wait(1)
    assert (first.path, first.body, first.headers["kind"]) == ("/one", b"first", "new")
    with pytest.raises(exceptions.FailedPrecondition, match="not supported for this subscription type"):
        subscriber.pull(subscription=name, max_messages=1)

    subscriber.modify_push_config(subscription=name, push_config={})
    publisher.publish(topic, b"second").result(timeout=LIMIT_S)
    pulled = subscriber.pull(subscription=name, max_messages=10, timeout=LIMIT_S)
    assert [received.message.data for received in pulled.received_messages] == [b"second"]
    subscriber.acknowledge(subscription=name, ack_ids=[received.ack_id for received in pulled.received_messages])

    update = {"name": name, "push_config": {"push_endpoint": f"{endpoint.url}/two"}}
    subscriber.update_subscription(request={"subscription": update, "update_mask": {"paths": ["push_config"]}})
    publisher.publish(topic, b"third").result(timeout=LIMIT_S)
    third = endpoint.wait(2)[1]
    assert (third.path, third.data) == ("/two", "third")


def test_an_open_stream_ends_when_its_subscription_begins_to_push(
    publisher: pubsub_v1.PublisherClient, subscriber: pubsub_v1.SubscriberClient, topic: str, subscription: str, endpoint: Endpoint
) -> None:
    received: list[Any] = []
    future = subscriber.subscribe(subscription, callback=received.append)
    subscriber.modify_push_config(subscription=subscription, push_config={"push_endpoint": endpoint.url})
    with pytest.raises(exceptions.FailedPrecondition):
        future.result(timeout=LIMIT_S)
    publisher.publish(topic, b"pushed").result(timeout=LIMIT_S)
    assert endpoint.wait(1)[0].data == "pushed"
    assert received == []


def test_transforms_of_a_topic_and_a_subscription(
    publisher: pubsub_v1.PublisherClient, subscriber: pubsub_v1.SubscriberClient, project: str, stream: Callable[..., Any]
) -> None:
    pytest.importorskip("quickjs")
    topic, name = f"projects/{project}/topics/transformed", f"projects/{project}/subscriptions/transformed"

    def udf(function: str, body: str) -> types.MessageTransform:
        code = f"function {function}(message, metadata) {{ {body} }}"
        return types.MessageTransform(javascript_udf=types.JavaScriptUDF(function_name=function, code=code))

    publisher.create_topic(request={"name": topic, "message_transforms": [udf("up", "return { data: message.data.toUpperCase() };")]})
    drops = udf("drops", "return message.data === 'B' ? null : message;")
    made = subscriber.create_subscription(request={"name": name, "topic": topic, "message_transforms": [drops]})
    assert made.message_transforms[0].javascript_udf.function_name == "drops"
    for data in (b"a", b"b", b"c"):
        publisher.publish(topic, data).result(timeout=LIMIT_S)
    inbox = stream(name)
    messages = [inbox.take(), inbox.take()]
    assert sorted(message.data for message in messages) == [b"A", b"C"]
    for message in messages:
        message.ack()
    with pytest.raises(exceptions.InvalidArgument, match="SyntaxError"):
        publisher.create_topic(request={"name": f"{topic}2", "message_transforms": [udf("f", "return (;")]})


def test_exports_are_made_shown_and_written(
    publisher: pubsub_v1.PublisherClient, subscriber: pubsub_v1.SubscriberClient, topic: str, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage, warehouse = f"projects/{project}/subscriptions/storage", f"projects/{project}/subscriptions/warehouse"
    files = types.CloudStorageConfig(bucket="bucket", max_messages=1_000, avro_config=types.CloudStorageConfig.AvroConfig(write_metadata=True))
    rows = types.BigQueryConfig(table="p.d.t", write_metadata=True)
    with servers.serving() as targets:
        targets.columns = [{"name": "data", "type": "BYTES"}, {"name": "message_id", "type": "STRING"}]
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", targets.url)
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", targets.url)
        made = subscriber.create_subscription(request={"name": storage, "topic": topic, "cloud_storage_config": files})
        assert made.cloud_storage_config.state is types.CloudStorageConfig.State.ACTIVE
        assert made.cloud_storage_config.max_duration.total_seconds() == 300
        made = subscriber.create_subscription(request={"name": warehouse, "topic": topic, "bigquery_config": rows})
        assert made.bigquery_config.table == "p.d.t"
        request = {"name": f"{storage}2", "topic": topic, "bigquery_config": rows, "cloud_storage_config": files}
        with pytest.raises(exceptions.InvalidArgument, match="one target"):
            subscriber.create_subscription(request=request)
        ids = [future.result(timeout=LIMIT_S) for future in [publisher.publish(topic, b"%d" % number) for number in range(1_000)]]
        targets.wait_rows(1_000)
        assert sorted(row_id for row_id, _ in targets.rows) == sorted(row["message_id"] for _, row in targets.rows) == sorted(ids)
        targets.wait_objects(1)
        ((bucket, _),) = targets.objects
        records = list(fastavro.reader(io.BytesIO(targets.objects.popitem()[1])))
        assert bucket == "bucket"
        assert sorted(record["message_id"] for record in records) == sorted(ids)  # type: ignore[index,call-overload]  # records are dicts
