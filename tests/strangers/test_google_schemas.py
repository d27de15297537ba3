"""google-cloud-pubsub with schemas and IAM policies: its own classes, over gRPC."""

import io
import json
from typing import Any

import fastavro
import pytest
from google.api_core.exceptions import Aborted, InvalidArgument
from google.cloud import pubsub_v1
from google.iam.v1 import iam_policy_pb2, policy_pb2
from google.pubsub_v1.types import Encoding, Schema, SchemaSettings, SchemaView, Topic

AVRO = {"type": "record", "name": "State", "fields": [{"name": "name", "type": "string"}, {"name": "abbr", "type": ["null", "string"]}]}
PROTO = 'syntax = "proto3"; message State { string name = 1; string abbr = 2; }'


def avro_binary(record: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(AVRO), record)
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "definition", "encoding", "good", "bad"),
    [
        (Schema.Type.AVRO, json.dumps(AVRO), Encoding.BINARY, avro_binary({"name": "Alaska", "abbr": "AK"}), b"\x0cAlask"),
        (Schema.Type.AVRO, json.dumps(AVRO), Encoding.JSON, b'{"name": "Alaska", "abbr": {"string": "AK"}}', b'{"name": "Alaska", "abbr": "AK"}'),
        (Schema.Type.PROTOCOL_BUFFER, PROTO, Encoding.JSON, b'{"name": "Alaska"}', b'{"name": 1}'),
        (Schema.Type.PROTOCOL_BUFFER, PROTO, Encoding.BINARY, b"\x0a\x06Alaska", b"\x0a\x07Alaska"),
    ],
)
def test_a_published_record_carries_its_schema(
    environment: str, project: str, kind: Any, definition: str, encoding: Any, good: bytes, bad: bytes
) -> None:
    with pubsub_v1.SchemaServiceClient() as schemas, pubsub_v1.PublisherClient() as publisher, pubsub_v1.SubscriberClient() as subscriber:
        made = schemas.create_schema(parent=f"projects/{project}", schema_id="state", schema=Schema(type_=kind, definition=definition))
        topic = publisher.create_topic(
            Topic(name=f"projects/{project}/topics/states", schema_settings=SchemaSettings(schema=made.name, encoding=encoding))
        )
        subscription = subscriber.create_subscription(name=f"projects/{project}/subscriptions/all", topic=topic.name)
        publisher.publish(topic.name, good).result(timeout=20)
        with pytest.raises(InvalidArgument, match="Message failed schema validation"):
            publisher.publish(topic.name, bad).result(timeout=20)
        (received,) = subscriber.pull(subscription=subscription.name, max_messages=10).received_messages
        assert received.message.data == good
        assert dict(received.message.attributes) == {
            "googclient_schemaname": made.name,
            "googclient_schemaencoding": encoding.name,
            "googclient_schemarevisionid": made.revision_id,
        }


def test_revisions_are_listed_rolled_back_and_deleted(environment: str, project: str) -> None:
    with pubsub_v1.SchemaServiceClient() as schemas:
        first = schemas.create_schema(
            parent=f"projects/{project}", schema_id="state", schema=Schema(type_=Schema.Type.AVRO, definition=json.dumps(AVRO))
        )
        second = schemas.commit_schema(name=first.name, schema=Schema(type_=Schema.Type.AVRO, definition=json.dumps(AVRO)))
        assert [each.revision_id for each in schemas.list_schema_revisions(name=first.name)] == [second.revision_id, first.revision_id]
        schemas.rollback_schema(name=first.name, revision_id=first.revision_id)
        schemas.delete_schema_revision(name=f"{first.name}@{second.revision_id}")
        assert len(list(schemas.list_schema_revisions(name=first.name))) == 2
        (listed,) = schemas.list_schemas(request={"parent": f"projects/{project}", "view": SchemaView.FULL})
        assert json.loads(listed.definition) == AVRO
        schemas.delete_schema(name=first.name)
        assert list(schemas.list_schemas(parent=f"projects/{project}")) == []


def test_a_policy_is_read_changed_and_written(environment: str, project: str) -> None:
    with pubsub_v1.PublisherClient() as publisher:
        topic = publisher.create_topic(name=f"projects/{project}/topics/states").name
        policy = publisher.get_iam_policy(request={"resource": topic})
        stale = policy.etag
        policy.bindings.add(role="roles/pubsub.viewer", members=["domain:example.com"])
        publisher.set_iam_policy(request=iam_policy_pb2.SetIamPolicyRequest(resource=topic, policy=policy))
        with pytest.raises(Aborted):
            publisher.set_iam_policy(request=iam_policy_pb2.SetIamPolicyRequest(resource=topic, policy=policy_pb2.Policy(etag=stale)))
        (binding,) = publisher.get_iam_policy(request={"resource": topic}).bindings
        assert list(binding.members) == ["domain:example.com"]
        asked = publisher.test_iam_permissions(request={"resource": topic, "permissions": ["pubsub.topics.publish", "pubsub.topics.update"]})
        assert list(asked.permissions) == ["pubsub.topics.publish", "pubsub.topics.update"]
