"""Export subscriptions over the API: files and rows in a folder, and in other emulators."""

import base64
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastavro
import pytest

from publican_emulator import Emulator
from publican_emulator.driver import VirtualClock
from publican_emulator.export import exporting, objects
from publican_emulator.export.targets import object_path
from tests.export.servers import Servers, serving

T, S = "projects/p/topics/orders", "projects/p/subscriptions/exported"
FIELDS: list[dict[str, Any]] = [{"name": "number", "type": "int"}, {"name": "note", "type": ["null", "string"], "default": None}]
AVRO = {"type": "record", "name": "Order", "fields": FIELDS}


class Bench:
    """An emulator in virtual time that exports."""

    def __init__(self, emulator: Emulator, root: Path | None = None) -> None:
        self.emulator = emulator
        self.root = root
        self.call("PUT", f"/v1/{T}")

    def call(self, method: str, path: str, body: object = None) -> Any:
        answer = self.emulator.ask(method, path, json.dumps(body or {}).encode())
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def subscription(self, **fields: Any) -> Any:
        return self.call("PUT", f"/v1/{S}", {"topic": T, **fields})

    def shown(self) -> Any:
        return self.call("GET", f"/v1/{S}")

    def publish(self, *texts: str | bytes, key: str = "", **attributes: str) -> None:
        datas = [text.encode() if isinstance(text, str) else text for text in texts]
        messages = [{"data": base64.b64encode(data).decode(), "attributes": attributes, "orderingKey": key} for data in datas]
        self.call("POST", f"/v1/{T}:publish", {"messages": messages})

    def files(self, bucket: str = "bucket") -> dict[str, bytes]:
        assert self.root is not None
        base = self.root / "storage" / bucket
        return {str(path.relative_to(base)): path.read_bytes() for path in sorted(base.rglob("*")) if path.is_file()}

    def rows(self) -> list[Any]:
        assert self.root is not None
        path = self.root / "bigquery" / "my-project" / "sales" / "orders.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def write_columns(self, *columns: dict[str, str]) -> None:
        assert self.root is not None
        path = self.root / "bigquery" / "my-project" / "sales" / "orders.schema.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(columns))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Emulator(clock=VirtualClock(), history=True, export_dir=tmp_path) as emulator:
        yield Bench(emulator, tmp_path)
        assert emulator.surprises == []


# files


def test_a_file_is_written_when_its_time_is_over(bench: Bench) -> None:
    made = bench.subscription(cloudStorageConfig={"bucket": "bucket", "filenamePrefix": "logs/", "filenameSuffix": ".txt", "maxDuration": "60s"})
    assert made["cloudStorageConfig"]["state"] == made["state"] == "ACTIVE"
    bench.publish("one", "two")
    bench.emulator.advance(59.999)
    assert bench.files() == {}
    bench.publish("three")
    bench.emulator.advance(0.001)
    ((name, content),) = bench.files().items()
    assert content == b"one\ntwo\nthree\n"
    assert name.startswith("logs/20")
    assert name.endswith(".txt")
    bench.emulator.advance(3_600)
    assert len(bench.files()) == 1
    bench.publish("four")
    bench.emulator.advance(60)
    assert sorted(bench.files().values()) == [b"four\n", b"one\ntwo\nthree\n"]


def test_without_messages_there_is_no_file(bench: Bench) -> None:
    bench.subscription(cloudStorageConfig={"bucket": "bucket"})
    bench.emulator.advance(3_600)
    assert bench.files() == {}


@pytest.mark.parametrize(("limit", "sizes"), [({"maxMessages": "1000"}, [1_000, 1_000, 500]), ({"maxBytes": "4000"}, [1_000, 1_000, 500])])
def test_a_file_is_closed_at_its_limit(bench: Bench, limit: dict[str, str], sizes: list[int]) -> None:
    bench.subscription(cloudStorageConfig={"bucket": "bucket", **limit})
    for first in range(0, 2_500, 500):
        bench.publish(*(f"{number:03}" for number in range(first % 1_000, first % 1_000 + 500)))
    bench.emulator.advance(0)
    assert sorted(content.count(b"\n") for content in bench.files().values()) == sorted(sizes[:2])
    bench.emulator.advance(300)
    assert sorted(content.count(b"\n") for content in bench.files().values()) == sorted(sizes)


def test_an_open_file_is_written_when_the_emulator_stops(tmp_path: Path) -> None:
    with Emulator(export_dir=tmp_path) as emulator:
        bench = Bench(emulator, tmp_path)
        bench.subscription(cloudStorageConfig={"bucket": "bucket"})
        bench.publish("last")
    assert list(bench.files().values()) == [b"last\n"]


def test_an_open_file_is_written_when_the_subscription_gets_another_target(bench: Bench) -> None:
    bench.subscription(cloudStorageConfig={"bucket": "bucket"})
    bench.publish("old")
    bench.emulator.advance(1)
    patch = {"subscription": {"name": S, "bigqueryConfig": {"table": "my-project.sales.orders"}}, "updateMask": "cloudStorageConfig,bigqueryConfig"}
    bench.call("PATCH", f"/v1/{S}", patch)
    bench.emulator.advance(0)
    bench.publish("new")
    bench.emulator.advance(0)
    assert list(bench.files().values()) == [b"old\n"]
    assert bench.rows() == [{"data": "bmV3"}]


def test_a_deleted_subscription_leaves_no_file(bench: Bench) -> None:
    bench.subscription(cloudStorageConfig={"bucket": "bucket"})
    bench.publish("gone")
    bench.emulator.advance(1)
    bench.call("DELETE", f"/v1/{S}")
    bench.emulator.advance(3_600)
    assert bench.files() == {}


def test_an_avro_file_has_the_data_and_with_metadata_what_is_known_of_it(bench: Bench) -> None:
    bench.subscription(cloudStorageConfig={"bucket": "bucket", "avroConfig": {"writeMetadata": True}})
    bench.publish(b"\x00\xff", key="k", a="b")
    bench.emulator.advance(300)
    (content,) = bench.files().values()
    (record,) = fastavro.reader(io.BytesIO(content))
    assert isinstance(record, dict)
    published = record.pop("publish_time")
    assert record == {"subscription_name": S, "message_id": "1", "attributes": {"a": "b", "ordering_key": "k"}, "data": b"\x00\xff"}
    assert published.tzinfo is not None


def test_an_avro_file_without_metadata_has_the_data_alone(bench: Bench) -> None:
    bench.subscription(cloudStorageConfig={"bucket": "bucket", "avroConfig": {}})
    bench.publish("x", "y")
    bench.emulator.advance(300)
    (content,) = bench.files().values()
    assert list(fastavro.reader(io.BytesIO(content))) == [{"data": b"x"}, {"data": b"y"}]


@pytest.mark.parametrize("encoding", ["JSON", "BINARY"])
def test_an_avro_file_by_the_topics_schema_has_its_fields(bench: Bench, encoding: str) -> None:
    bench.call("POST", "/v1/projects/p/schemas?schemaId=order", {"type": "AVRO", "definition": json.dumps(AVRO)})
    settings = {"schema": "projects/p/schemas/order", "encoding": encoding}
    bench.call("PATCH", f"/v1/{T}", {"topic": {"name": T, "schemaSettings": settings}, "updateMask": "schemaSettings"})
    bench.subscription(cloudStorageConfig={"bucket": "bucket", "avroConfig": {"useTopicSchema": True, "writeMetadata": True}})
    if encoding == "JSON":
        bench.publish('{"number": 7, "note": {"string": "x"}}')
    else:
        written = io.BytesIO()
        fastavro.schemaless_writer(written, fastavro.parse_schema(AVRO), {"number": 7, "note": "x"})
        bench.publish(written.getvalue())
    bench.emulator.advance(300)
    (content,) = bench.files().values()
    (record,) = fastavro.reader(io.BytesIO(content))
    assert isinstance(record, dict)
    assert (record["number"], record["note"], record["message_id"]) == (7, "x", "1")
    assert record["attributes"]["googclient_schemaencoding"] == encoding


def test_a_message_that_a_transform_made_unfit_for_the_schema_is_not_in_the_file(bench: Bench) -> None:
    pytest.importorskip("quickjs")
    bench.call("POST", "/v1/projects/p/schemas?schemaId=order", {"type": "AVRO", "definition": json.dumps(AVRO)})
    settings = {"schema": "projects/p/schemas/order", "encoding": "JSON"}
    bench.call("PATCH", f"/v1/{T}", {"topic": {"name": T, "schemaSettings": settings}, "updateMask": "schemaSettings"})
    code = "function f(m) { return m.data.includes('8') ? { data: 'unfit' } : m }"
    bench.subscription(
        cloudStorageConfig={"bucket": "bucket", "avroConfig": {"useTopicSchema": True}},
        messageTransforms=[{"javascriptUdf": {"functionName": "f", "code": code}}],
    )
    bench.publish('{"number": 7, "note": null}', '{"number": 8, "note": null}')
    bench.emulator.advance(300)
    (content,) = bench.files().values()
    assert list(fastavro.reader(io.BytesIO(content))) == [{"number": 7, "note": None}]
    assert "the data is not JSON" in bench.emulator.history.text()


def test_a_folder_that_cannot_be_written_to_is_told_and_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "storage").write_text("in the way")
    with Emulator(clock=VirtualClock(), export_dir=tmp_path) as emulator:
        bench = Bench(emulator, tmp_path)
        bench.subscription(cloudStorageConfig={"bucket": "bucket"})
        bench.publish("a")
        emulator.advance(300)
        shown = bench.shown()
        assert (shown["state"], shown["cloudStorageConfig"]["state"]) == ("RESOURCE_ERROR", "NOT_FOUND")
        (told,) = [record.getMessage() for record in caplog.records if record.name == exporting.__name__]
        assert told.startswith(f"{S}: an export failed and is tried again: cannot write ")
        (tmp_path / "storage").unlink()
        emulator.advance(400)
        assert list(bench.files().values()) == [b"a\n"]
        assert bench.shown()["state"] == "ACTIVE"


@pytest.mark.parametrize(
    ("name", "path"),
    [("a/b", "a/b"), ("../../x", "%2E%2E/%2E%2E/x"), ("/x", "%/x"), ("a//b", "a/%/b"), ("./x", "%2E/x"), ("..", "%2E%2E"), ("...", "...")],
)
def test_an_objects_file_stays_in_its_folder(name: str, path: str) -> None:
    assert object_path(name).as_posix() == path


# rows


def test_rows_are_appended_at_once(bench: Bench) -> None:
    made = bench.subscription(bigqueryConfig={"table": "my-project.sales.orders", "writeMetadata": True})
    assert made["bigqueryConfig"]["state"] == "ACTIVE"
    bench.publish("one", kind="new")
    bench.emulator.advance(0)
    bench.publish("two")
    bench.emulator.advance(0)
    first, second = bench.rows()
    assert (first["data"], first["attributes"], first["message_id"], first["subscription_name"]) == ("b25l", {"kind": "new"}, "1", S)
    assert second["data"] == "dHdv"


def test_a_row_that_does_not_fit_becomes_a_dead_letter_and_the_others_are_written(bench: Bench) -> None:
    bench.call("PUT", "/v1/projects/p/topics/dead")
    bench.call("PUT", "/v1/projects/p/subscriptions/dead", {"topic": "projects/p/topics/dead"})
    bench.write_columns({"name": "number", "type": "INTEGER"})
    bench.subscription(
        bigqueryConfig={"table": "my-project.sales.orders", "useTableSchema": True},
        deadLetterPolicy={"deadLetterTopic": "projects/p/topics/dead", "maxDeliveryAttempts": 5},
    )
    bench.publish('{"number": 1}', '{"number": "x"}', '{"number": 2}')
    bench.emulator.advance(60)
    assert bench.rows() == [{"number": 1}, {"number": 2}]
    pulled = bench.call("POST", "/v1/projects/p/subscriptions/dead:pull", {"maxMessages": 10})
    (letter,) = pulled["receivedMessages"]
    assert "the column number is of type INTEGER" in letter["message"]["attributes"]["CloudPubSubDeadLetterSourceDeliveryErrorMessage"]
    assert bench.shown()["bigqueryConfig"]["state"] == "SCHEMA_MISMATCH"
    bench.publish('{"number": 3}')
    bench.emulator.advance(0)
    assert bench.shown()["bigqueryConfig"]["state"] == "ACTIVE"


def test_a_table_schema_has_to_be_there(bench: Bench) -> None:
    bench.subscription(bigqueryConfig={"table": "my-project.sales.orders", "useTableSchema": True, "dropUnknownFields": True})
    bench.publish('{"number": 1, "more": 2}')
    bench.emulator.advance(0)
    shown = bench.shown()
    assert (shown["state"], shown["bigqueryConfig"]["state"]) == ("RESOURCE_ERROR", "NOT_FOUND")
    bench.write_columns({"name": "number", "type": "INTEGER"})
    bench.emulator.advance(0.1)
    assert bench.rows() == [{"number": 1}]


@pytest.mark.parametrize("encoding", ["JSON", "BINARY"])
def test_rows_by_a_topics_protocol_buffer_schema(bench: Bench, encoding: str) -> None:
    pytest.importorskip("grpc_tools")
    definition = 'syntax = "proto3"; message Order { int32 the_number = 1; repeated string tags = 2; map<string, bytes> more = 3; }'
    bench.call("POST", "/v1/projects/p/schemas?schemaId=order", {"type": "PROTOCOL_BUFFER", "definition": definition})
    settings = {"schema": "projects/p/schemas/order", "encoding": encoding}
    bench.call("PATCH", f"/v1/{T}", {"topic": {"name": T, "schemaSettings": settings}, "updateMask": "schemaSettings"})
    bench.subscription(bigqueryConfig={"table": "my-project.sales.orders", "useTopicSchema": True})
    bench.publish(
        '{"theNumber": 7, "tags": ["a"], "more": {"k": "/w=="}}' if encoding == "JSON" else b"\x08\x07\x12\x01a\x1a\x06\x0a\x01k\x12\x01\xff"
    )
    bench.emulator.advance(0)
    assert bench.rows() == [{"the_number": 7, "tags": ["a"], "more": {"k": "/w=="}}]


def test_the_folder_can_be_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLICAN_EXPORT_DIR", str(tmp_path))
    with Emulator(clock=VirtualClock()) as emulator:
        bench = Bench(emulator, tmp_path)
        bench.subscription(bigqueryConfig={"table": "my-project.sales.orders"})
        bench.publish("one")
        emulator.advance(0)
        assert bench.rows() == [{"data": "b25l"}]


# other emulators


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    with serving() as servers:
        monkeypatch.delenv("PUBLICAN_EXPORT_DIR", raising=False)
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", servers.url)
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", servers.url.removeprefix("http://"))
        yield servers


def test_files_go_to_a_storage_emulator(servers: Servers) -> None:
    with Emulator(clock=VirtualClock()) as emulator:
        bench = Bench(emulator)
        bench.subscription(cloudStorageConfig={"bucket": "bucket", "filenamePrefix": "a b/ü&", "maxDuration": "60s"})
        bench.publish("one")
        servers.status = 403
        emulator.advance(60)
        assert bench.shown()["cloudStorageConfig"]["state"] == "PERMISSION_DENIED"
        servers.status = 200
        emulator.advance(120)
        (((bucket, name), content),) = servers.objects.items()
        assert (bucket, name[:7], content) == ("bucket", "a b/ü&2", b"one\n")
        assert emulator.surprises == []


def test_rows_go_to_a_bigquery_emulator(servers: Servers) -> None:
    with Emulator(clock=VirtualClock()) as emulator:
        bench = Bench(emulator)
        servers.status = 404
        bench.subscription(bigqueryConfig={"table": "my-project.sales.orders"})
        bench.publish("bad", "good")
        emulator.advance(0)
        assert bench.shown()["bigqueryConfig"]["state"] == "NOT_FOUND"
        servers.status, servers.refused = 200, {"bad"}
        emulator.advance(0.1)
        assert servers.rows == [("2", {"data": "good"})]
        assert bench.shown()["bigqueryConfig"]["state"] == "SCHEMA_MISMATCH"
        servers.refused.clear()
        emulator.advance(60)
        assert servers.rows == [("2", {"data": "good"}), ("1", {"data": "bad"})]
        assert emulator.surprises == []


def test_in_real_time_rows_go_by_themselves(servers: Servers) -> None:
    with Emulator() as emulator:
        bench = Bench(emulator)
        bench.subscription(bigqueryConfig={"table": "my-project.sales.orders"})
        bench.publish("one")
        servers.wait_rows(1)


# nowhere


@pytest.mark.parametrize(
    ("field", "config", "why"),
    [
        ("bigqueryConfig", {"table": "p.d.t"}, "no --export-dir"),
        ("cloudStorageConfig", {"bucket": "bucket"}, "no --export-dir"),
        ("bigtableConfig", {"table": "projects/p/instances/i/tables/t"}, "does not write to Bigtable"),
    ],
)
def test_where_nothing_is_exported_the_log_and_the_state_say_so(
    field: str, config: dict[str, str], why: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("STORAGE_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST", "PUBLICAN_EXPORT_DIR"):
        monkeypatch.delenv(name, raising=False)
    caplog.set_level(logging.WARNING)
    with Emulator(clock=VirtualClock()) as emulator:
        bench = Bench(emulator)
        bench.subscription(**{field: config})
        bench.publish("a")
        bench.publish("b")
        emulator.advance(3_600)
        shown = bench.shown()
        assert (shown["state"], shown[field]["state"]) == ("RESOURCE_ERROR", "NOT_FOUND")
        (told,) = [record.getMessage() for record in caplog.records if record.name == exporting.__name__]
        assert told.startswith(f"{S}: nothing is exported, its messages wait: ")
        assert why in told
        bench.call("PATCH", f"/v1/{S}", {"subscription": {"name": S}, "updateMask": field})
        pulled = bench.call("POST", f"/v1/{S}:pull", {"maxMessages": 10})
        assert len(pulled["receivedMessages"]) == 2


def test_without_its_library_an_avro_file_is_refused_and_the_message_names_the_extra(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects.importlib.util, "find_spec", lambda name: None)  # type: ignore[attr-defined]  # its own import
    body = {"topic": T, "cloudStorageConfig": {"bucket": "bucket", "avroConfig": {}}}
    answer = bench.emulator.ask("PUT", f"/v1/{S}", json.dumps(body).encode())
    assert answer.status == 400
    assert b"pip install 'publican[schemas]'" in answer.body


def test_modify_push_config_is_not_for_exports(bench: Bench) -> None:
    bench.subscription(bigqueryConfig={"table": "p.d.t"})
    answer = bench.emulator.ask("POST", f"/v1/{S}:modifyPushConfig", b'{"pushConfig": {"pushEndpoint": "http://x"}}')
    assert answer.status == 400
    assert b"UpdateSubscription can give it another target" in answer.body
