"""The documented bounds, as data: one table that the checks read and docs/limits.md prints.

Each limit has its unit in its name (bytes, seconds, nanoseconds where the value is an instant's) and the page or comment it comes from.

PYTEST_DONT_REWRITE
"""

from dataclasses import dataclass
from typing import Final

from publican_emulator.broker.instants import DAY, HOUR, MILLISECOND, MINUTE, SECOND

QUOTAS: Final = "cloud.google.com/pubsub/quotas"
PROTO: Final = "google/pubsub/v1/pubsub.proto"
PUSH: Final = "cloud.google.com/pubsub/docs/push"
TRANSFORMS: Final = "cloud.google.com/pubsub/docs/smts/udfs-overview"
LABELS: Final = "cloud.google.com/pubsub/docs/labels"
OURS: Final = "our choice: docs/divergences.md"


@dataclass(frozen=True, slots=True)
class Limit:
    """One bound: its value, what it bounds, and where it is documented."""

    value: int
    meaning: str
    source: str


LIMITS: Final[dict[str, Limit]] = {
    "publish_messages": Limit(1_000, "messages in one Publish request", QUOTAS),
    "publish_bytes": Limit(10_000_000, "bytes of one Publish request", QUOTAS),
    "publish_payload_bytes": Limit(10_485_760, "bytes of a Publish body that the front end reads at all", "observed text of the service"),
    "message_data_bytes": Limit(10_000_000, "bytes of one message's data", QUOTAS),
    "attributes": Limit(100, "attributes of one message", QUOTAS),
    "attribute_key_bytes": Limit(256, "bytes of an attribute's key", QUOTAS),
    "attribute_value_bytes": Limit(1_024, "bytes of an attribute's value", QUOTAS),
    "ordering_key_bytes": Limit(1_024, "bytes of an ordering key", QUOTAS),
    "ack_request_bytes": Limit(524_288, "bytes of one Acknowledge, ModifyAckDeadline or StreamingPull request", QUOTAS),
    "pull_messages": Limit(1_000, "messages in one Pull response; a larger max_messages is lowered", QUOTAS),
    "pull_bytes": Limit(4_000_000, "bytes of one Pull response, larger messages excepted: what a gRPC client with default settings reads", OURS),
    "stream_response_bytes": Limit(4_000_000, "bytes of one StreamingPull response, larger messages excepted", OURS),
    "ack_deadline_s_min": Limit(10, "seconds of a subscription's or stream's ack deadline, at least", PROTO),
    "ack_deadline_s_max": Limit(600, "seconds of an ack deadline, at most", PROTO),
    "ack_deadline_s_default": Limit(10, "seconds of a subscription's ack deadline when none is given", PROTO),
    "message_retention_min": Limit(10 * MINUTE, "nanoseconds that messages are kept, at least", PROTO),
    "message_retention_max": Limit(31 * DAY, "nanoseconds that messages are kept, at most", PROTO),
    "message_retention_default": Limit(7 * DAY, "nanoseconds that a subscription keeps messages when nothing is said", PROTO),
    "expiration_ttl_min": Limit(DAY, "nanoseconds of inactivity before a subscription expires, at least", PROTO),
    "expiration_ttl_default": Limit(31 * DAY, "nanoseconds of inactivity before a subscription expires when nothing is said", PROTO),
    "backoff_max": Limit(600 * SECOND, "nanoseconds of a retry policy's back-offs, at most", PROTO),
    "minimum_backoff_default": Limit(10 * SECOND, "nanoseconds of a retry policy's first back-off when not given", PROTO),
    "maximum_backoff_default": Limit(600 * SECOND, "nanoseconds of a retry policy's longest back-off when not given", PROTO),
    "delivery_attempts_min": Limit(5, "delivery attempts before dead lettering, at least", PROTO),
    "delivery_attempts_max": Limit(100, "delivery attempts before dead lettering, at most", PROTO),
    "delivery_attempts_default": Limit(5, "delivery attempts before dead lettering when not given", PROTO),
    "filter_bytes": Limit(256, "bytes of a filter", "cloud.google.com/pubsub/docs/subscription-message-filter"),
    "snapshot_life": Limit(7 * DAY, "nanoseconds that a snapshot lives, at most", PROTO),
    "snapshot_life_min": Limit(HOUR, "nanoseconds that a new snapshot must have before it", PROTO),
    "labels": Limit(64, "labels of one resource", LABELS),
    "label_chars": Limit(63, "characters of a label's key or value", LABELS),
    "resource_id_chars_min": Limit(3, "characters of a resource id, at least", PROTO),
    "resource_id_chars_max": Limit(255, "characters of a resource id, at most", PROTO),
    "schema_definition_bytes": Limit(300_000, "bytes of a schema's definition", QUOTAS),
    "schema_revisions": Limit(20, "revisions of one schema", QUOTAS),
    "schemas": Limit(10_000, "schemas of one project", QUOTAS),
    "compiled_schemas": Limit(1_000, "definitions that are kept ready for checking messages", OURS),
    "push_endpoint_bytes": Limit(2_048, "bytes of a push endpoint, of a token's audience and account", OURS),
    "push_window_start": Limit(10, "push requests that an endpoint gets at once, to begin with", OURS),
    "push_window_max": Limit(1_000, "push requests that an endpoint gets at once, at most", OURS),
    "push_backoff_min": Limit(100 * MILLISECOND, "nanoseconds that an endpoint without a retry policy rests after its first failure", PUSH),
    "push_backoff_max": Limit(60 * SECOND, "nanoseconds that an endpoint without a retry policy rests after failures, at most", PUSH),
    "udfs": Limit(5, "JavaScript functions of one topic or subscription", TRANSFORMS),
    "udf_bytes": Limit(20 * 1024, "bytes of one JavaScript function's code", TRANSFORMS),
    "udf_ms": Limit(500, "milliseconds that a JavaScript function may take for one message", TRANSFORMS),
    "export_max_duration_min": Limit(MINUTE, "nanoseconds that an exported file stays open, at least", PROTO),
    "export_max_duration_max": Limit(10 * MINUTE, "nanoseconds that an exported file stays open, at most", PROTO),
    "export_max_duration_default": Limit(5 * MINUTE, "nanoseconds that an exported file stays open when nothing is said", PROTO),
    "export_max_bytes_min": Limit(1_000, "bytes of an exported file's max_bytes, at least", PROTO),
    "export_max_bytes_max": Limit(10 * 1024**3, "bytes of an exported file's max_bytes, at most", PROTO),
    "export_max_messages_min": Limit(1_000, "messages of an exported file's max_messages, at least", PROTO),
    "export_object_name_bytes": Limit(1_024, "bytes of an exported file's name", "cloud.google.com/storage/docs/objects"),
    "row_key_delimiter_bytes": Limit(50, "bytes of a Bigtable row key's delimiter", PROTO),
    "policy_members": Limit(1_500, "members in all bindings of an IAM policy", "cloud.google.com/iam/quotas"),
    "topics": Limit(10_000, "topics of one project, with --enforce-quotas", QUOTAS),
    "subscriptions": Limit(10_000, "subscriptions of one project, with --enforce-quotas", QUOTAS),
    "topic_subscriptions": Limit(10_000, "subscriptions of one topic, with --enforce-quotas", QUOTAS),
    "snapshots": Limit(5_000, "snapshots of one project, with --enforce-quotas", QUOTAS),
    "page_size_default": Limit(100, "resources in one page of a list when page_size is 0", OURS),
    "page_size_max": Limit(1_000, "resources in one page of a list; a larger page_size is lowered", OURS),
}

PUBLISH_MESSAGES: Final = LIMITS["publish_messages"].value
PUBLISH_BYTES: Final = LIMITS["publish_bytes"].value
PUBLISH_PAYLOAD_BYTES: Final = LIMITS["publish_payload_bytes"].value
MESSAGE_DATA_BYTES: Final = LIMITS["message_data_bytes"].value
ATTRIBUTES: Final = LIMITS["attributes"].value
ATTRIBUTE_KEY_BYTES: Final = LIMITS["attribute_key_bytes"].value
ATTRIBUTE_VALUE_BYTES: Final = LIMITS["attribute_value_bytes"].value
ORDERING_KEY_BYTES: Final = LIMITS["ordering_key_bytes"].value
ACK_REQUEST_BYTES: Final = LIMITS["ack_request_bytes"].value
PULL_MESSAGES: Final = LIMITS["pull_messages"].value
PULL_BYTES: Final = LIMITS["pull_bytes"].value
STREAM_RESPONSE_BYTES: Final = LIMITS["stream_response_bytes"].value
ACK_DEADLINE_S_MIN: Final = LIMITS["ack_deadline_s_min"].value
ACK_DEADLINE_S_MAX: Final = LIMITS["ack_deadline_s_max"].value
ACK_DEADLINE_S_DEFAULT: Final = LIMITS["ack_deadline_s_default"].value
MESSAGE_RETENTION_MIN: Final = LIMITS["message_retention_min"].value
MESSAGE_RETENTION_MAX: Final = LIMITS["message_retention_max"].value
MESSAGE_RETENTION_DEFAULT: Final = LIMITS["message_retention_default"].value
EXPIRATION_TTL_MIN: Final = LIMITS["expiration_ttl_min"].value
EXPIRATION_TTL_DEFAULT: Final = LIMITS["expiration_ttl_default"].value
BACKOFF_MAX: Final = LIMITS["backoff_max"].value
MINIMUM_BACKOFF_DEFAULT: Final = LIMITS["minimum_backoff_default"].value
MAXIMUM_BACKOFF_DEFAULT: Final = LIMITS["maximum_backoff_default"].value
DELIVERY_ATTEMPTS_MIN: Final = LIMITS["delivery_attempts_min"].value
DELIVERY_ATTEMPTS_MAX: Final = LIMITS["delivery_attempts_max"].value
DELIVERY_ATTEMPTS_DEFAULT: Final = LIMITS["delivery_attempts_default"].value
FILTER_BYTES: Final = LIMITS["filter_bytes"].value
SNAPSHOT_LIFE: Final = LIMITS["snapshot_life"].value
SNAPSHOT_LIFE_MIN: Final = LIMITS["snapshot_life_min"].value
LABELS_MAX: Final = LIMITS["labels"].value
LABEL_CHARS: Final = LIMITS["label_chars"].value
SCHEMA_DEFINITION_BYTES: Final = LIMITS["schema_definition_bytes"].value
SCHEMA_REVISIONS: Final = LIMITS["schema_revisions"].value
SCHEMAS: Final = LIMITS["schemas"].value
COMPILED_SCHEMAS: Final = LIMITS["compiled_schemas"].value
PUSH_ENDPOINT_BYTES: Final = LIMITS["push_endpoint_bytes"].value
PUSH_WINDOW_START: Final = LIMITS["push_window_start"].value
PUSH_WINDOW_MAX: Final = LIMITS["push_window_max"].value
PUSH_BACKOFF_MIN: Final = LIMITS["push_backoff_min"].value
PUSH_BACKOFF_MAX: Final = LIMITS["push_backoff_max"].value
UDFS: Final = LIMITS["udfs"].value
UDF_BYTES: Final = LIMITS["udf_bytes"].value
UDF_MS: Final = LIMITS["udf_ms"].value
EXPORT_MAX_DURATION_MIN: Final = LIMITS["export_max_duration_min"].value
EXPORT_MAX_DURATION_MAX: Final = LIMITS["export_max_duration_max"].value
EXPORT_MAX_DURATION_DEFAULT: Final = LIMITS["export_max_duration_default"].value
EXPORT_MAX_BYTES_MIN: Final = LIMITS["export_max_bytes_min"].value
EXPORT_MAX_BYTES_MAX: Final = LIMITS["export_max_bytes_max"].value
EXPORT_MAX_MESSAGES_MIN: Final = LIMITS["export_max_messages_min"].value
EXPORT_OBJECT_NAME_BYTES: Final = LIMITS["export_object_name_bytes"].value
ROW_KEY_DELIMITER_BYTES: Final = LIMITS["row_key_delimiter_bytes"].value
POLICY_MEMBERS: Final = LIMITS["policy_members"].value
TOPICS: Final = LIMITS["topics"].value
SUBSCRIPTIONS: Final = LIMITS["subscriptions"].value
TOPIC_SUBSCRIPTIONS: Final = LIMITS["topic_subscriptions"].value
SNAPSHOTS: Final = LIMITS["snapshots"].value
PAGE_SIZE_DEFAULT: Final = LIMITS["page_size_default"].value
PAGE_SIZE_MAX: Final = LIMITS["page_size_max"].value
