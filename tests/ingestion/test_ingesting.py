"""Ingestion from a folder that stands for Cloud Storage: what is in it is published, once; what cannot be is said."""

import io
import logging
import os
import pathlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import fastavro
import pytest

from publican_emulator import Emulator, VirtualClock
from publican_emulator.broker.broker import Broker
from publican_emulator.broker.events import Fact, Kind
from publican_emulator.broker.ingestion import AwsMsk, CloudStorage, Ingestion, ObjectFormat
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.settings import SubscriptionSettings, TopicSettings
from publican_protocol import pubsub

TOPIC, SUBSCRIPTION = "projects/p/topics/orders", "projects/p/subscriptions/billing"
START = Nanos(1_767_312_000 * SECOND)


@pytest.fixture
def bucket(tmp_path: pathlib.Path) -> pathlib.Path:
    made = tmp_path / "shop"
    made.mkdir()
    return made


@pytest.fixture
def emulator(tmp_path: pathlib.Path, bucket: pathlib.Path) -> Iterator[Emulator]:
    with Emulator(clock=VirtualClock(START), buckets=tmp_path) as emulator:
        yield emulator
        assert emulator.surprises == []


Topic = Callable[..., None]


@pytest.fixture
def topic(emulator: Emulator) -> Topic:
    def make(**fields: Any) -> None:
        source = CloudStorage(**{"bucket": "shop", **fields})
        emulator.run(Broker.create_topic, TOPIC, TopicSettings(message_retention=Nanos(3600 * SECOND), ingestion=Ingestion(source)))
        emulator.run(Broker.create_subscription, SUBSCRIPTION, TOPIC, SubscriptionSettings())
        emulator.run(Broker.seek_to_time, SUBSCRIPTION, Nanos(0))
        emulator.advance(0)

    return make


def received(emulator: Emulator) -> list[pubsub.PubsubMessage]:
    consumer = emulator.run(Broker.open_pull, SUBSCRIPTION, 1000)
    batch = emulator.run(Broker.lease, consumer, 10_000_000)
    got = list(batch.deliveries())
    if got:
        emulator.run(Broker.acknowledge, SUBSCRIPTION, [each.ack_id for each in got])
    return [pubsub.PubsubMessage.FromString(each.message) for each in got]


def datas(emulator: Emulator) -> list[bytes]:
    return [message.data for message in received(emulator)]


def state(emulator: Emulator) -> str:
    return emulator.run(Broker.get_topic, TOPIC).ingested.state


def put(path: pathlib.Path, data: bytes, at: int = 1_000) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (at, at))


def test_lines_of_what_is_there_are_messages_oldest_object_first(emulator: Emulator, bucket: pathlib.Path, topic: Topic) -> None:
    put(bucket / "later.txt", b"three\n", at=2_000)
    put(bucket / "deep" / "first.txt", b"one\n\ntwo", at=1_000)
    put(bucket / ".half-written", b"no")
    topic()
    assert datas(emulator) == [b"one", b"two", b"three"]
    assert state(emulator) == "ACTIVE"


def test_what_comes_later_is_found_within_ten_seconds_and_read_once(emulator: Emulator, bucket: pathlib.Path, topic: Topic) -> None:
    topic()
    put(bucket / "a.txt", b"one")
    emulator.advance(9.999)
    assert datas(emulator) == []
    emulator.advance(0.001)
    assert datas(emulator) == [b"one"]
    emulator.advance(60)
    assert datas(emulator) == []
    put(bucket / "a.txt", b"again", at=5_000)
    emulator.advance(10)
    assert datas(emulator) == [b"again"], "a file that was written again is another generation of its object"


def test_settings_say_which_objects_count(emulator: Emulator, bucket: pathlib.Path, topic: Topic) -> None:
    put(bucket / "old" / "a.csv", b"old", at=10)
    put(bucket / "new" / "b.csv", b"x;y", at=20)
    put(bucket / "new" / "c.txt", b"text", at=20)
    topic(match_glob="**.csv", minimum_object_create_time=Nanos(20 * SECOND), delimiter=";")
    assert datas(emulator) == [b"x", b"y"]


def container(schema: Any, *records: Any) -> bytes:
    out = io.BytesIO()
    fastavro.writer(out, fastavro.parse_schema(schema), records)
    return out.getvalue()


def test_avro_records_come_in_their_binary_form(emulator: Emulator, bucket: pathlib.Path, topic: Topic) -> None:
    put(bucket / "a.avro", container({"type": "record", "name": "R", "fields": [{"name": "id", "type": "string"}]}, {"id": "x"}, {"id": "yz"}))
    topic(format=ObjectFormat.AVRO)
    assert datas(emulator) == [b"\x02x", b"\x04yz"]


def test_what_a_cloud_storage_subscription_wrote_comes_as_it_was(emulator: Emulator, bucket: pathlib.Path, topic: Topic) -> None:
    fields = [{"name": "data", "type": "bytes"}, {"name": "attributes", "type": {"type": "map", "values": "string"}}]
    put(bucket / "a.avro", container({"type": "record", "name": "R", "fields": fields}, {"data": b"x", "attributes": {"a": "b"}}))
    put(bucket / "b.avro", b"no avro")
    topic(format=ObjectFormat.PUBSUB_AVRO)
    (message,) = received(emulator)
    assert (message.data, dict(message.attributes)) == (b"x", {"a": "b"})


def test_what_publish_refuses_is_skipped_and_logged(emulator: Emulator, bucket: pathlib.Path, topic: Topic, caplog: pytest.LogCaptureFixture) -> None:
    put(bucket / "a.txt", b"small\n" + b"x" * 10_000_001 + b"\nlast")
    topic()
    assert datas(emulator) == [b"small", b"last"]
    assert "1 messages of shop/a.txt are refused" in caplog.text


def test_a_bucket_that_is_not_there_is_the_state_of_the_topic_until_it_is(emulator: Emulator, tmp_path: pathlib.Path, topic: Topic) -> None:
    topic(bucket="absent")
    assert state(emulator) == "BUCKET_NOT_FOUND"
    told = emulator.ask("GET", f"/v1/{TOPIC}").body
    assert b'"INGESTION_RESOURCE_ERROR"' in told
    assert b'"BUCKET_NOT_FOUND"' in told
    put(tmp_path / "absent" / "a.txt", b"one")
    emulator.advance(10)
    assert state(emulator) == "ACTIVE"
    assert datas(emulator) == [b"one"]


def test_another_emulator_goes_on_with_what_is_new(emulator: Emulator, bucket: pathlib.Path, topic: Topic, tmp_path: pathlib.Path) -> None:
    put(bucket / "a.txt", b"one")
    topic()
    datas(emulator)
    saved = emulator.dump_state()
    put(bucket / "b.txt", b"two")
    with Emulator(clock=VirtualClock(START), buckets=tmp_path) as other:
        other.load_state(saved)
        other.advance(10)
        assert datas(other) == [b"two"]


def test_a_deleted_topic_reads_nothing_and_a_reset_forgets_it(emulator: Emulator, bucket: pathlib.Path, topic: Topic) -> None:
    topic()
    emulator.run(Broker.delete_topic, TOPIC)
    put(bucket / "a.txt", b"one")
    emulator.advance(30)
    assert datas(emulator) == []
    emulator.reset()
    topic()
    assert datas(emulator) == [b"one"]


def test_in_real_time_a_topic_s_files_are_read_when_it_is_made(tmp_path: pathlib.Path) -> None:
    put(tmp_path / "shop" / "a.txt", b"one")
    published = {name: threading.Event() for name in (TOPIC, f"{TOPIC}-2")}

    def listen(fact: Fact) -> None:
        if fact.kind is Kind.PUBLISHED:
            published[fact.resource].set()

    with Emulator(buckets=tmp_path, listener=listen) as emulator:
        for name, is_published in published.items():  # the second one wakes who sleeps after the first
            emulator.run(Broker.create_topic, name, TopicSettings(ingestion=Ingestion(CloudStorage("shop"))))
            assert is_published.wait(8), "sooner than the next look, which comes after ten seconds"


def test_what_does_not_run_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    arn = "arn:aws:kafka:us-east-1:1:cluster/c"
    msk = Ingestion(AwsMsk(arn, "t", arn, "a@b.iam.gserviceaccount.com"))
    with caplog.at_level(logging.WARNING, "publican.ingestion"), Emulator(clock=VirtualClock(START)) as emulator:
        for number in range(3):
            emulator.run(Broker.create_topic, f"projects/p/topics/msk-{number}", TopicSettings(ingestion=msk))
            emulator.run(Broker.create_topic, f"projects/p/topics/storage-{number}", TopicSettings(ingestion=Ingestion(CloudStorage("shop"))))
            emulator.advance(20)
        emulator.reset()
        emulator.run(Broker.create_topic, "projects/p/topics/msk-9", TopicSettings(ingestion=msk))
        emulator.advance(20)
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "Ingestion from aws_msk is stored and shown, but nothing is read",
        "Ingestion from Cloud Storage reads nothing here",
    ]
