"""Values of every field of topics and subscriptions, which together touch every leaf of the API's messages."""

from dataclasses import dataclass, field
from typing import Any, Final

P: Final = "projects/p"
TOPIC, SUBSCRIPTION, SNAPSHOT, SCHEMA = f"{P}/topics/orders", f"{P}/subscriptions/billing", f"{P}/snapshots/monday", f"{P}/schemas/order"
AVRO: Final = '{"type": "record", "name": "R", "fields": []}'
ACCOUNT: Final = "service-1@gcp-sa-pubsub.iam.gserviceaccount.com"
ARN: Final = "arn:aws:kinesis:us-east-1:111111111111:stream/s"
KEY: Final = f"{P}/locations/global/keyRings/r/cryptoKeys/k"
HOUR: Final = {"seconds": 3600}


@dataclass(frozen=True)
class Case:
    """What is sent in a field, and how it is shown (None: as it was sent)."""

    sent: Any
    shown: Any = None
    is_shown: bool = True
    beside: dict[str, Any] = field(default_factory=dict)
    """Other fields of the resource that this value needs."""


HIDDEN: Final = "input only: checked, and in no answer"
OUTPUT: Final = "output only: what a caller says there is ignored"


def ingestion(source: str, **fields: Any) -> Case:
    sent = {source: fields, "platform_logs_settings": {"severity": 4}}
    return Case(sent, {**sent, source: {**fields, "state": 1}})


REVISION: Final = "{revision}"
"""Stands for the id of the schema's first revision."""

TOPICS: Final[dict[str, list[Case] | str]] = {
    "labels": [Case({"a": "b"}), Case({"c": "d", "e": ""})],
    "message_storage_policy": [Case({"allowed_persistence_regions": ["europe-west1"], "enforce_in_transit": True})],
    "kms_key_name": [Case(KEY)],
    "schema_settings": [
        Case({"schema": SCHEMA, "encoding": 1, "first_revision_id": REVISION, "last_revision_id": REVISION}),
        Case({"schema": SCHEMA, "encoding": 2}),
    ],
    "satisfies_pzs": OUTPUT,
    "message_retention_duration": [Case(HOUR), Case({"seconds": 601, "nanos": 500_000_000})],
    "state": OUTPUT,
    "ingestion_data_source_settings": [
        ingestion("aws_kinesis", stream_arn=ARN, consumer_arn=ARN, aws_role_arn=ARN, gcp_service_account=ACCOUNT),
        ingestion(
            "azure_event_hubs",
            resource_group="g",
            namespace="n",
            event_hub="h",
            client_id="c",
            tenant_id="t",
            subscription_id="s",
            gcp_service_account=ACCOUNT,
        ),
        ingestion("aws_msk", cluster_arn=ARN, topic="t", aws_role_arn=ARN, gcp_service_account=ACCOUNT),
        ingestion("confluent_cloud", bootstrap_server="h:9092", cluster_id="c", topic="t", identity_pool_id="i", gcp_service_account=ACCOUNT),
        ingestion("cloud_storage", bucket="bucket", text_format={"delimiter": ";"}, match_glob="**.txt"),
        ingestion("cloud_storage", bucket="bucket", avro_format={}, minimum_object_create_time={"seconds": 5, "nanos": 7}),
        ingestion("cloud_storage", bucket="bucket", pubsub_avro_format={}),
    ],
    "message_transforms": [
        Case([{"javascript_udf": {"function_name": "f", "code": "function f(m, d) { return m; }"}}]),
        Case([{"javascript_udf": {"function_name": "f", "code": "function f(m, d) { return m; }"}, "disabled": True}]),
        Case([{"javascript_udf": {"function_name": "f", "code": "function f(m, d) { return m; }"}, "enabled": True}]),
        Case([{"compression": {"compression_algorithm": 1, "compression_mode": 1}}]),
        Case(
            [
                {
                    "ai_inference": {
                        "endpoint": f"{P}/locations/l/endpoints/1",
                        "unstructured_inference": {"parameters": {"fields": {"a": {"number_value": 1}}}},
                        "service_account_email": ACCOUNT,
                    }
                }
            ]
        ),
    ],
    "tags": HIDDEN,
}

SUBSCRIPTIONS: Final[dict[str, list[Case] | str]] = {
    "topic": [Case(TOPIC)],
    "push_config": [
        Case(
            {
                "push_endpoint": "https://example.com/p?x=1",
                "oidc_token": {"service_account_email": ACCOUNT, "audience": "a"},
                "attributes": {"x-goog-version": "v1"},
                "pubsub_wrapper": {},
            }
        ),
        Case({"push_endpoint": "http://127.0.0.1:9/", "no_wrapper": {"write_metadata": True}, "attributes": {"x-goog-version": "v1"}}),
    ],
    "bigquery_config": [
        Case(
            {"table": "p.d.t", "use_table_schema": True, "write_metadata": True, "drop_unknown_fields": True, "service_account_email": ACCOUNT},
            {
                "table": "p.d.t",
                "use_table_schema": True,
                "write_metadata": True,
                "drop_unknown_fields": True,
                "service_account_email": ACCOUNT,
                "state": 1,
            },
        ),
        Case(
            {"table": "p.d.t", "use_topic_schema": True},
            {"table": "p.d.t", "use_topic_schema": True, "state": 1},
            beside={"topic": f"{P}/topics/with-schema"},
        ),
    ],
    "cloud_storage_config": [
        Case(
            {
                "bucket": "bucket",
                "filename_prefix": "pre/",
                "filename_suffix": ".txt",
                "filename_datetime_format": "YYYY-MM-DD/hh_mm_ssZ",
                "text_config": {},
                "max_duration": {"seconds": 60},
                "max_bytes": 2000,
                "max_messages": 1000,
                "service_account_email": ACCOUNT,
            }
        ),
        Case({"bucket": "bucket", "avro_config": {"write_metadata": True}}),
        Case({"bucket": "bucket", "avro_config": {"use_topic_schema": True}}, beside={"topic": f"{P}/topics/with-schema"}),
    ],
    "bigtable_config": [
        Case({"table": f"{P}/instances/i/tables/t", "app_profile_id": "a", "service_account_email": ACCOUNT, "write_metadata": True}),
        Case({"table": f"{P}/instances/i/tables/t", "column_family_mapping": {"row_key_schema": {}}}),
        Case({"table": f"{P}/instances/i/tables/t", "column_family_mapping": {"delimited_key": {"key_fields": ["a", "b"], "delimiter": b"#"}}}),
    ],
    "ack_deadline_seconds": [Case(17), Case(600)],
    "retain_acked_messages": [Case(True)],
    "message_retention_duration": [Case(HOUR)],
    "labels": [Case({"a": "b"})],
    "enable_message_ordering": [Case(True)],
    "expiration_policy": [Case({"ttl": {"seconds": 864_000}}), Case({})],
    "filter": [Case("attributes:a")],
    "dead_letter_policy": [Case({"dead_letter_topic": TOPIC, "max_delivery_attempts": 7})],
    "retry_policy": [Case({"minimum_backoff": {"seconds": 1}, "maximum_backoff": {"seconds": 2}})],
    "detached": OUTPUT,
    "enable_exactly_once_delivery": [Case(True)],
    "topic_message_retention_duration": OUTPUT,
    "state": OUTPUT,
    "analytics_hub_subscription_info": OUTPUT,
    "message_transforms": TOPICS["message_transforms"],
    "tags": HIDDEN,
}
