"""The shipped descriptors and stubs, and the classes of the private pool."""

import datetime
import pathlib
import subprocess
import sys

import pytest
from google.protobuf import timestamp_pb2

from publican_protocol import iam, known, pubsub, rpc_status
from publican_protocol.methods import methods
from publican_protocol.pool import message_class, pool

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_what_is_shipped_is_what_the_locked_google_cloud_pubsub_makes() -> None:
    ran = subprocess.run([sys.executable, str(ROOT / "scripts" / "rebuild_protocol.py"), "--check"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_rpc_of_the_four_services_is_there() -> None:
    names = {method.name for method in methods().values()}
    assert len(methods()) == 38
    assert {"Publish", "StreamingPull", "CommitSchema", "TestIamPermissions"} <= names
    assert methods()["/google.pubsub.v1.Subscriber/StreamingPull"].is_streaming


def test_fields_have_the_names_of_the_api() -> None:
    assert "type" in pubsub.Schema.DESCRIPTOR.fields_by_name
    for message in ("Topic", "Subscription", "Snapshot", "Schema", "PubsubMessage", "StreamingPullRequest"):
        fields = message_class(f"google.pubsub.v1.{message}").DESCRIPTOR.fields_by_name
        assert not [name for name in fields if name.endswith("_")]


def test_times_are_given_as_datetimes_since_the_well_known_types_are_private_too() -> None:
    message = pubsub.PubsubMessage(publish_time=datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC))
    assert message.publish_time.seconds == 1767312000
    with pytest.raises(TypeError):
        pubsub.PubsubMessage(publish_time=timestamp_pb2.Timestamp(seconds=1))  # type: ignore[arg-type]  # that is the point


def test_enums_and_other_packages_are_found_by_name() -> None:
    assert pubsub.Encoding.Value("JSON") == 1
    assert iam.Policy(version=3).version == 3
    assert rpc_status.Status(code=5).code == 5
    assert known.Empty() == known.Empty()
    with pytest.raises(AttributeError, match="NoSuchMessage"):
        pubsub.NoSuchMessage  # type: ignore[attr-defined]  # noqa: B018  (that is the point)


def test_http_rules_are_kept() -> None:
    options = pool().FindServiceByName("google.pubsub.v1.Publisher").FindMethodByName("CreateTopic").GetOptions()
    assert b"/v1/{name=projects/*/topics/*}" in options.SerializeToString()
