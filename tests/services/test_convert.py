"""Every field of a resource takes effect, or is the service's own: none is accepted and ignored."""

import pytest
from google.protobuf.message import Message

from publican_emulator.services.convert import OUTPUT_ONLY
from publican_protocol import pubsub

IN_EFFECT = {
    "Topic": {
        "name",
        "labels",
        "message_storage_policy",
        "kms_key_name",
        "message_retention_duration",
        "schema_settings",
        "ingestion_data_source_settings",
        "tags",
        "message_transforms",
    },
    "Subscription": {
        "name",
        "topic",
        "ack_deadline_seconds",
        "retain_acked_messages",
        "message_retention_duration",
        "labels",
        "enable_message_ordering",
        "expiration_policy",
        "filter",
        "dead_letter_policy",
        "retry_policy",
        "enable_exactly_once_delivery",
        "tags",
        "push_config",
        "bigquery_config",
        "cloud_storage_config",
        "bigtable_config",
        "message_transforms",
    },
    "CreateSnapshotRequest": {"name", "subscription", "labels", "tags"},
}
"""Fields that test_publisher.py, test_subscriber.py and test_snapshots.py see echoed."""


@pytest.mark.parametrize("message", [pubsub.Topic, pubsub.Subscription, pubsub.CreateSnapshotRequest], ids=lambda each: each.DESCRIPTOR.name)
def test_every_field_has_its_place(message: type[Message]) -> None:
    name = message.DESCRIPTOR.name
    places = [IN_EFFECT[name], OUTPUT_ONLY.get(name, frozenset())]
    fields = sorted(field for place in places for field in place)
    assert fields == sorted(message.DESCRIPTOR.fields_by_name)
