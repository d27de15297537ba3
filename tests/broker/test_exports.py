"""Export subscriptions in the core: what may be set, what a file is called, and what becomes of messages."""

from datetime import UTC, datetime
from typing import Any

import pytest

from publican_emulator.broker import limits
from publican_emulator.broker.consumer import Consumer
from publican_emulator.broker.errors import FailedPrecondition, InvalidArgument
from publican_emulator.broker.exports import BigQueryConfig, BigtableConfig, CloudStorageConfig, DelimitedKey, ExportState, RowKeySchema, written
from publican_emulator.broker.instants import MINUTE, SECOND, Nanos
from publican_emulator.broker.push import PushConfig
from publican_emulator.broker.settings import DeadLetterPolicy, RetryPolicy, SubscriptionSettings
from publican_emulator.broker.subscription import Subscription
from tests.broker.bench import Bench, data

TABLE = "my-project.my_dataset.my-table"
EXPORTED = "projects/p/subscriptions/exported"


# what may be set


@pytest.mark.parametrize("table", [TABLE, "p.d.t", "example.com:my-project.d.t", "p.d.täble 1"])
def test_a_table_is_project_dataset_and_table(table: str) -> None:
    assert ".".join(BigQueryConfig(table).parts()) == table


@pytest.mark.parametrize("table", ["", "t", "d.t", "p.d.", "p:d.t", "p.d.t.x", "p.d-d.t", "p.d.t/../x", "p.d.t\n"])
def test_anything_else_is_no_table(table: str) -> None:
    with pytest.raises(InvalidArgument, match=r"argument=bigquery_config\.table"):
        BigQueryConfig(table)


def test_one_schema_says_what_the_columns_are() -> None:
    BigQueryConfig(TABLE, use_topic_schema=True, drop_unknown_fields=True)
    with pytest.raises(InvalidArgument, match=r"bigquery_config\.use_table_schema"):
        BigQueryConfig(TABLE, use_topic_schema=True, use_table_schema=True)
    with pytest.raises(InvalidArgument, match=r"bigquery_config\.drop_unknown_fields"):
        BigQueryConfig(TABLE, drop_unknown_fields=True)


@pytest.mark.parametrize("bucket", ["abc", "my-bucket.example.com", "a_b-1"])
def test_a_bucket_is_a_name(bucket: str) -> None:
    CloudStorageConfig(bucket)


@pytest.mark.parametrize("bucket", ["", "ab", "gs://bucket", "Bucket", "a/b", "-ab", "..", "a" * 223])
def test_anything_else_is_no_bucket(bucket: str) -> None:
    with pytest.raises(InvalidArgument, match=r"cloud_storage_config\.bucket"):
        CloudStorageConfig(bucket)


@pytest.mark.parametrize(
    ("field", "low", "high"),
    [
        ("max_duration", limits.EXPORT_MAX_DURATION_MIN, limits.EXPORT_MAX_DURATION_MAX),
        ("max_bytes", limits.EXPORT_MAX_BYTES_MIN, limits.EXPORT_MAX_BYTES_MAX),
        ("max_messages", limits.EXPORT_MAX_MESSAGES_MIN, None),
    ],
)
def test_limits_of_a_file_have_limits(field: str, low: int, high: int | None) -> None:
    def config(value: int) -> CloudStorageConfig:
        given: dict[str, Any] = {field: value}
        return CloudStorageConfig("bucket", **given)

    for value in (low, low + 1, *((high - 1, high) if high else ())):
        config(value)
    for value in (low - 1, -1, *((high + 1,) if high else ())):
        with pytest.raises(InvalidArgument, match=rf"cloud_storage_config\.{field}"):
            config(value)


@pytest.mark.parametrize("suffix", ["/", ".txt/", "a\nb"])
def test_a_suffix_does_not_end_a_folder(suffix: str) -> None:
    with pytest.raises(InvalidArgument, match=r"cloud_storage_config\.filename_suffix"):
        CloudStorageConfig("bucket", filename_suffix=suffix)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("", "2026-01-02T03:04:05Z"),
        ("YYYY-MM-DD/hh_mm_ssZ", "2026-01-02/03_04_05Z"),
        ("YY:MM:DD:hh:mm:ss", "26:01:02:03:04:05"),
        ("ssmmhhDDMMYYYY", "050403" + "02012026"),
    ],
)
def test_a_files_name_has_the_time_of_its_opening(text: str, name: str) -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert written(text, at) == name
    config = CloudStorageConfig("bucket", "logs/", ".txt", text)
    assert config.object_name(at, "id") == f"logs/{name}_id.txt"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("YYYY-MM-DD", "without hh, mm, ss"),
        ("MM-DDThh:mm:ss", "without YYYY or YY"),
        ("YYYY-MM-DDThh:mm:ss YY", "something else"),
        ("YYYYYY-MM-DDThh:mm:ss", "twice"),
        ("YYYY-MM-MM-DDThh:mm:ss", "twice"),
        ("YYYY-MM-DDThh:mm:ss.txt", "something else"),
        ("/YYYY-MM-DDThh:mm:ss", "begin or end"),
        ("%Y", "something else"),
    ],
)
def test_a_format_has_each_part_of_a_time_once(text: str, why: str) -> None:
    with pytest.raises(InvalidArgument, match=r"cloud_storage_config\.filename_datetime_format") as error:
        CloudStorageConfig("bucket", filename_datetime_format=text)
    assert why in error.value.message


def test_a_file_is_full_at_the_first_limit_that_it_meets() -> None:
    config = CloudStorageConfig("bucket", max_bytes=2_000, max_messages=1_000)
    assert [config.is_full(*each) for each in ((999, 1_999), (1_000, 0), (1, 2_000))] == [False, True, True]
    assert not CloudStorageConfig("bucket").is_full(10**9, 10**12)


def test_a_bigtable_mapping_has_keys() -> None:
    table = "projects/p/instances/i/tables/t"
    BigtableConfig(table, maps_column_families=True, key=RowKeySchema())
    BigtableConfig(table, maps_column_families=True, key=DelimitedKey(("a",)))
    for wrong in (lambda: BigtableConfig("t"), lambda: BigtableConfig(table, maps_column_families=True)):
        with pytest.raises(InvalidArgument, match=r"bigtable_config\."):
            wrong()
    for fields, delimiter in (((), b""), (("a", "b"), b""), (("a", ""), b"#"), (("a", "b"), b"#" * 51)):
        with pytest.raises(InvalidArgument, match="delimited_key"):
            DelimitedKey(fields, delimiter)
    DelimitedKey(("a", "b"), b"#" * 50)


def test_a_subscription_has_one_target() -> None:
    push, bigquery, storage = PushConfig("http://x"), BigQueryConfig(TABLE), CloudStorageConfig("bucket")
    with pytest.raises(InvalidArgument, match="one target, not push_config and bigquery_config"):
        SubscriptionSettings(push=push, bigquery=bigquery)
    with pytest.raises(InvalidArgument, match="one target, not bigquery_config and cloud_storage_config"):
        SubscriptionSettings(bigquery=bigquery, cloud_storage=storage)
    with pytest.raises(InvalidArgument, match="argument=enable_exactly_once_delivery"):
        SubscriptionSettings(bigquery=bigquery, enable_exactly_once_delivery=True)


@pytest.mark.parametrize("email", ["x", "a b@c", "@c"])
def test_a_service_account_is_an_email(email: str) -> None:
    with pytest.raises(InvalidArgument, match="service_account_email"):
        BigQueryConfig(TABLE, service_account_email=email)


# what becomes of messages


def exported(bench: Bench, **settings: Any) -> tuple[Subscription, Consumer]:
    subscription = bench.subscription(EXPORTED, **settings)
    assert subscription.outgoing is not None
    return subscription, subscription.outgoing.consumer


def take(bench: Bench, consumer: Consumer) -> list[str]:
    return [delivery.ack_id for delivery in bench.broker.lease(consumer, 10_000_000, bench.now).deliveries()]


def test_nobody_pulls_from_a_subscription_that_exports(bench: Bench) -> None:
    exported(bench, bigquery=BigQueryConfig(TABLE))
    with pytest.raises(FailedPrecondition, match=r"^This method is not supported for this subscription type\."):
        bench.broker.open_pull(EXPORTED, 1, bench.now)


def test_a_files_messages_are_held_as_long_as_it_is_open(bench: Bench) -> None:
    subscription, consumer = exported(bench, cloud_storage=CloudStorageConfig("bucket", max_duration=Nanos(10 * MINUTE)))
    bench.publish("a")
    (ack_id,) = take(bench, consumer)
    bench.advance(600)
    assert take(bench, consumer) == []
    bench.broker.carried(consumer, [ack_id], bench.now)
    bench.advance(3_600)
    assert take(bench, consumer) == []
    assert subscription.export_state is ExportState.ACTIVE


def test_when_the_target_fails_everything_waits_and_the_state_tells_it(bench: Bench) -> None:
    subscription, consumer = exported(bench, bigquery=BigQueryConfig(TABLE))
    bench.publish("a", "b")
    bench.broker.not_carried(consumer, take(bench, consumer), "gone", bench.now)
    bench.broker.set_export_state(consumer, ExportState.NOT_FOUND, bench.now)
    bench.publish("c")
    assert take(bench, consumer) == []
    states = [subscription.export_state]
    bench.advance(0.1)
    bench.broker.carried(consumer, take(bench, consumer), bench.now)
    assert [*states, subscription.export_state] == [ExportState.NOT_FOUND, ExportState.ACTIVE]


def test_a_message_that_does_not_fit_waits_alone_and_then_is_a_dead_letter_that_says_why(bench: Bench) -> None:
    bench.topic("projects/p/topics/dead")
    bench.subscription("projects/p/subscriptions/dead", topic="projects/p/topics/dead")
    subscription, consumer = exported(bench, bigquery=BigQueryConfig(TABLE), dead_letter=DeadLetterPolicy("projects/p/topics/dead", 5))
    bench.publish("bad", "good")
    for attempt in range(5):
        ack_ids = take(bench, consumer)
        assert len(ack_ids) == (2 if attempt == 0 else 1)
        bench.broker.carried(consumer, ack_ids[1:], bench.now)
        bench.broker.not_fitting(consumer, ack_ids[0], "no such column", bench.now)
        assert take(bench, consumer) == []
        assert subscription.export_state is ExportState.SCHEMA_MISMATCH
        bench.advance(60)
    (letter,) = bench.pull(of="projects/p/subscriptions/dead")
    assert letter.data == "bad"
    assert letter.message.attributes["CloudPubSubDeadLetterSourceDeliveryErrorMessage"] == "no such column"


def test_a_dead_letter_of_a_push_does_not_say_why(bench: Bench) -> None:
    bench.topic("projects/p/topics/dead")
    bench.subscription("projects/p/subscriptions/dead", topic="projects/p/topics/dead")
    subscription = bench.subscription(EXPORTED, push=PushConfig("http://x"), dead_letter=DeadLetterPolicy("projects/p/topics/dead", 5))
    assert subscription.outgoing is not None
    bench.publish("a")
    for _ in range(5):
        bench.broker.not_carried(subscription.outgoing.consumer, take(bench, subscription.outgoing.consumer), "HTTP 500", bench.now)
        bench.advance(60)
    (letter,) = bench.pull(of="projects/p/subscriptions/dead")
    assert "CloudPubSubDeadLetterSourceDeliveryErrorMessage" not in letter.message.attributes


def test_a_retry_policy_counts_for_exports_too(bench: Bench) -> None:
    _, consumer = exported(bench, bigquery=BigQueryConfig(TABLE), retry=RetryPolicy(Nanos(20 * SECOND), Nanos(600 * SECOND)))
    bench.publish("a")
    bench.broker.not_fitting(consumer, take(bench, consumer)[0], "no", bench.now)
    bench.advance(19.999)
    assert take(bench, consumer) == []
    bench.advance(0.001)
    assert len(take(bench, consumer)) == 1


def test_from_export_to_pull_nothing_is_lost(bench: Bench) -> None:
    _, consumer = exported(bench, cloud_storage=CloudStorageConfig("bucket"))
    bench.publish("in the file", "lost with it")
    first, _ = take(bench, consumer)
    bench.broker.update_subscription(EXPORTED, SubscriptionSettings(), bench.now)
    bench.publish("new")
    assert data(bench.pull(of=EXPORTED)) == ["new"]
    bench.broker.carried(consumer, [first], bench.now)
    bench.advance(900)
    assert sorted(data(bench.pull(of=EXPORTED))) == ["lost with it", "new"]


@pytest.mark.parametrize(
    "target",
    [
        {"bigquery": BigQueryConfig(TABLE, use_topic_schema=True)},
        {"cloud_storage": CloudStorageConfig("bucket", output="avro", use_topic_schema=True)},
    ],
)
def test_an_export_by_the_topics_schema_needs_one(bench: Bench, target: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument, match=r"use_topic_schema\)\. The topic projects/p/topics/orders has no schema"):
        exported(bench, **target)
    bench.subscription(EXPORTED)
    with pytest.raises(InvalidArgument, match="has no schema"):
        bench.broker.update_subscription(EXPORTED, SubscriptionSettings(**target), bench.now)
