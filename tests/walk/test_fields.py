"""A walk over the API's descriptors: every RPC has a test; every field of every resource, to its last leaf, is created, given back, and updated or
refused, over gRPC and over REST. (That every RPC has a handler: tests/services/test_coverage.py.)

The tables below give each field values that together touch every leaf of its type; a leaf that none touches fails the walk, so a newer API does too.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from publican_protocol import known
from publican_protocol import pubsub as api
from publican_protocol.methods import methods
from tests.semantics.backends.backend import Backend, Refused
from tests.semantics.backends.over_grpc import GrpcBackend
from tests.semantics.backends.over_rest import RestBackend
from tests.walk.fields import AVRO, HOUR, REVISION, SCHEMA, SNAPSHOT, SUBSCRIPTION, SUBSCRIPTIONS, TOPIC, TOPICS, Case, P

TESTS: Final = Path(__file__).parents[1]
OUTPUT_VALUES: Final[dict[str, Any]] = {
    "satisfies_pzs": True,
    "state": 2,
    "detached": True,
    "topic_message_retention_duration": HOUR,
    "analytics_hub_subscription_info": {"listing": "l"},
}
STATES: Final = re.compile(r"(^|\.)state$")
IMMUTABLE: Final = {
    "Topic": {"kms_key_name"},
    "Subscription": {"topic", "enable_message_ordering", "filter"},
}
ITSELF: Final = {"google.protobuf.Struct", "google.protobuf.Timestamp", "google.protobuf.Duration"}


# RPCs


@pytest.mark.parametrize("path", methods())
def test_every_rpc_is_called_by_a_test(path: str) -> None:
    name = path.rpartition("/")[2]
    called = re.compile(rf"""["/]{name}["']""" if name != "StreamingPull" else r"\bStreamingPullRequest\(")
    tests = [each for room in ("semantics", "push", "services") for each in (TESTS / room).rglob("*.py") if each.name != "over_rest.py"]
    assert any(called.search(each.read_text()) for each in tests), f"no test calls {name}"


# fields


def leaves(descriptor: Descriptor, before: str = "") -> Iterator[str]:
    """Give the path of every leaf of a message type; empty messages and maps are leaves."""
    for each in descriptor.fields:
        kind = each.message_type
        path = before + each.name
        if kind is None or kind.GetOptions().map_entry or kind.full_name in ITSELF or not kind.fields:
            yield path
        else:
            yield from leaves(kind, f"{path}.")


def touched(message: Message, before: str = "") -> Iterator[str]:
    """Give the leaves that are set in a message."""
    for each, value in message.ListFields():
        kind = each.message_type
        path = before + each.name
        if kind is None or kind.GetOptions().map_entry or kind.full_name in ITSELF or not kind.fields:
            yield path
        else:
            for one in value if each.is_repeated else [value]:
                yield from touched(one, f"{path}.")


RESOURCES: Final[dict[str, tuple[Any, dict[str, list[Case] | str]]]] = {
    "Topic": (api.Topic, TOPICS),
    "Subscription": (api.Subscription, SUBSCRIPTIONS),
}


@pytest.mark.parametrize("resource", RESOURCES)
def test_the_tables_touch_every_leaf_of_every_field(resource: str) -> None:
    kind, table = RESOURCES[resource]
    assert {"name", *table} == set(kind.DESCRIPTOR.fields_by_name)
    covered = {leaf for name, cases in table.items() if not isinstance(cases, str) for case in cases for leaf in touched(kind(**{name: case.sent}))}
    covered |= {leaf for leaf in leaves(kind.DESCRIPTOR) if isinstance(table.get(leaf.partition(".")[0]), str)}
    missing = {leaf for leaf in leaves(kind.DESCRIPTOR) if not STATES.search(leaf)} - covered - {"name"}
    assert missing == set(), "no value of the tables touches these"


@pytest.fixture(scope="module", params=[GrpcBackend, RestBackend], ids=["grpc", "rest"])
def running(request: pytest.FixtureRequest) -> Iterator[Backend]:
    with request.param() as backend:
        yield backend


@pytest.fixture
def backend(running: Backend) -> Backend:
    running.reset()
    running.call("CreateSchema", api.CreateSchemaRequest(parent=P, schema_id="order", schema=api.Schema(type=2, definition=AVRO)))
    return running


def prepared(backend: Backend, value: Any) -> Any:
    """Put the revision's id where it is meant."""
    if isinstance(value, dict):
        return {name: prepared(backend, each) for name, each in value.items()}
    if value == REVISION:
        schema: Any = backend.call("GetSchema", api.GetSchemaRequest(name=SCHEMA))
        return schema.revision_id
    return value


def make(backend: Backend, resource: str, fields: dict[str, Any]) -> Any:
    if resource == "Topic":
        return backend.call("CreateTopic", api.Topic(**{"name": TOPIC, **fields}))
    for name in (TOPIC, f"{P}/topics/with-schema"):
        settings = api.SchemaSettings(schema=SCHEMA, encoding=1) if name != TOPIC else None
        try:
            backend.call("CreateTopic", api.Topic(name=name, schema_settings=settings))
        except Refused as error:
            assert error.code == "ALREADY_EXISTS"  # noqa: PT017  (the second resource of a test)
    return backend.call("CreateSubscription", api.Subscription(**{"name": SUBSCRIPTION, "topic": TOPIC, **fields}))


def get(backend: Backend, resource: str) -> Any:
    if resource == "Topic":
        return backend.call("GetTopic", api.GetTopicRequest(topic=TOPIC))
    return backend.call("GetSubscription", api.GetSubscriptionRequest(subscription=SUBSCRIPTION))


def update(backend: Backend, resource: str, fields: dict[str, Any], *paths: str) -> Any:
    mask = known.FieldMask(paths=paths)
    if resource == "Topic":
        return backend.call("UpdateTopic", api.UpdateTopicRequest(topic=api.Topic(name=TOPIC, **fields), update_mask=mask))
    changed = api.Subscription(name=SUBSCRIPTION, **fields)
    return backend.call("UpdateSubscription", api.UpdateSubscriptionRequest(subscription=changed, update_mask=mask))


def only(message: Any, name: str) -> Any:
    """Give a copy with one field, and no states."""
    copy = type(message)()
    copy.CopyFrom(message)
    for each, _ in message.ListFields():
        if each.name != name:
            copy.ClearField(each.name)
    return copy


CASES: Final = [
    (resource, name, place)
    for resource, (_, table) in RESOURCES.items()
    for name, cases in table.items()
    for place in range(len(cases))
    if not isinstance(cases, str)
]


def case_of(resource: str, name: str, place: int) -> Case:
    cases = RESOURCES[resource][1][name]
    assert not isinstance(cases, str)
    return cases[place]


@pytest.mark.parametrize(("resource", "name", "place"), CASES)
def test_a_field_is_created_given_back_and_updated_or_refused(backend: Backend, resource: str, name: str, place: int) -> None:
    kind, _ = RESOURCES[resource]
    case = case_of(resource, name, place)
    sent = {name: prepared(backend, case.sent), **case.beside}
    shown = only(kind(**{name: prepared(backend, case.sent if case.shown is None else case.shown)}), name)
    made = make(backend, resource, sent)
    assert_shows(made, shown, name)
    assert get(backend, resource) == made
    if name in IMMUTABLE[resource]:
        with pytest.raises(Refused, match=f"INVALID_ARGUMENT: .*the '{name}' field in the {resource} is not mutable"):
            update(backend, resource, {name: sent[name]}, name)
        return
    cleared = update(backend, resource, {}, name)
    assert get(backend, resource) == cleared
    plain = default_of(backend, resource, case.beside)
    assert only(cleared, name) == only(plain, name)
    again = update(backend, resource, {name: sent[name]}, name)
    assert_shows(again, shown, name)
    assert get(backend, resource) == again


def default_of(backend: Backend, resource: str, beside: dict[str, Any]) -> Any:
    """Give a resource that nothing was said of."""
    if resource == "Topic":
        return backend.call("CreateTopic", api.Topic(name=f"{P}/topics/plain"))
    return backend.call("CreateSubscription", api.Subscription(name=f"{P}/subscriptions/plain", **{"topic": TOPIC, **beside}))


def assert_shows(message: Any, shown: Any, name: str) -> None:
    """Say that a field has what is expected; a state that nothing was expected of, and defaults that the service adds, may be there too."""
    expected, found = getattr(shown, name), getattr(message, name)
    field_of: FieldDescriptor = message.DESCRIPTOR.fields_by_name[name]
    if field_of.message_type is None or field_of.is_repeated:
        assert found == expected
        return
    assert message.HasField(name)
    plain = type(found)()
    plain.CopyFrom(found)
    _forget_added(plain, expected)
    assert plain == expected


def _forget_added(found: Any, expected: Any) -> None:
    for each, value in found.ListFields():
        if each.has_presence and each.message_type is not None and expected.HasField(each.name):
            _forget_added(value, getattr(expected, each.name))
        elif (each.name == "state" or each.name in ADDED) and each.name not in {known_field.name for known_field, _ in expected.ListFields()}:
            found.ClearField(each.name)


ADDED: Final = {"text_config", "max_duration", "filename_datetime_format", "attributes", "audience"}
"""Leaves in which the service shows its defaults."""


@pytest.mark.parametrize(
    ("resource", "name"), [(resource, name) for resource, (_, table) in RESOURCES.items() for name, what in table.items() if isinstance(what, str)]
)
def test_output_only_fields_are_ignored_and_input_only_ones_shown_to_nobody(backend: Backend, resource: str, name: str) -> None:
    made = make(backend, resource, {name: OUTPUT_VALUES.get(name, {"123/environment": "production"})})
    plain = default_of(backend, resource, {})
    assert only(made, name) == only(plain, name)
    with pytest.raises(Refused, match=f"INVALID_ARGUMENT: .*the '{name}' field in the {resource} is not mutable"):
        update(backend, resource, {}, name)
    if name == "tags":
        with pytest.raises(Refused, match=r"INVALID_ARGUMENT: .*argument=tags"):
            update_or_make_with_bad_tags(backend, resource)


def update_or_make_with_bad_tags(backend: Backend, resource: str) -> None:
    bad: Any = {"tags": {"environment": "production"}}
    if resource == "Topic":
        backend.call("CreateTopic", api.Topic(name=f"{P}/topics/tagged", **bad))
    else:
        backend.call("CreateSubscription", api.Subscription(name=f"{P}/subscriptions/tagged", topic=TOPIC, **bad))


# snapshots and schemas, whose calls are of another kind


def test_every_field_of_a_snapshot(backend: Backend) -> None:
    assert set(api.Snapshot.DESCRIPTOR.fields_by_name) == {"name", "topic", "expire_time", "labels"}
    assert set(api.CreateSnapshotRequest.DESCRIPTOR.fields_by_name) == {"name", "subscription", "labels", "tags"}
    make(backend, "Subscription", {})
    request = api.CreateSnapshotRequest(name=SNAPSHOT, subscription=SUBSCRIPTION, labels={"a": "b"}, tags={"123/env": "x"})
    made: Any = backend.call("CreateSnapshot", request)
    assert (made.name, made.topic, dict(made.labels)) == (SNAPSHOT, TOPIC, {"a": "b"})
    assert made.expire_time.seconds == backend.now() // 10**9 + 7 * 24 * 3600
    assert backend.call("GetSnapshot", api.GetSnapshotRequest(snapshot=SNAPSHOT)) == made

    def changed(path: str, **fields: Any) -> Any:
        patch = api.Snapshot(name=SNAPSHOT, **fields)
        return backend.call("UpdateSnapshot", api.UpdateSnapshotRequest(snapshot=patch, update_mask=known.FieldMask(paths=[path])))

    assert dict(changed("labels", labels={"c": "d"}).labels) == {"c": "d"}
    sooner = made.expire_time.seconds - 3600
    after = changed("expire_time", expire_time={"seconds": sooner})
    assert (after.expire_time.seconds, dict(after.labels)) == (sooner, {"c": "d"})
    assert backend.call("GetSnapshot", api.GetSnapshotRequest(snapshot=SNAPSHOT)) == after
    for name in ("name", "topic"):
        with pytest.raises(Refused, match=f"the '{name}' field in the Snapshot is not mutable"):
            changed(name, topic=TOPIC)


def test_every_field_of_a_schema(backend: Backend) -> None:
    fields = {"name", "type", "definition", "compiled_proto_schema", "revision_id", "revision_create_time"}
    assert set(api.Schema.DESCRIPTOR.fields_by_name) == fields
    compiled = api.CompiledProtoSchema(root_message="R", compiled_bytes=b"\x0a\x09\x0a\x02r.\x22\x03\x0a\x01R")
    bodies = {"avro": api.Schema(type=2, definition=AVRO), "proto": api.Schema(type=1, compiled_proto_schema=compiled)}
    for schema_id, body in bodies.items():
        body.revision_id = "ffffffff"
        body.revision_create_time.seconds = 5
        made: Any = backend.call("CreateSchema", api.CreateSchemaRequest(parent=P, schema_id=schema_id, schema=body))
        assert (made.name, made.type, made.definition) == (f"{P}/schemas/{schema_id}", body.type, body.definition)
        assert made.compiled_proto_schema == body.compiled_proto_schema
        assert made.revision_id != "ffffffff"
        assert made.revision_create_time.seconds == backend.now() // 10**9
        assert backend.call("GetSchema", api.GetSchemaRequest(name=made.name)) == made
        committed: Any = backend.call("CommitSchema", api.CommitSchemaRequest(name=made.name, schema=body))
        assert committed.revision_id != made.revision_id
        assert (committed.type, committed.definition) == (made.type, made.definition)
