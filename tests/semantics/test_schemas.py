"""Schemas: revisions, what definitions and messages are refused, and what a topic with a schema accepts."""

import json
import re
from typing import Any, Final

import pytest

from publican_protocol import known
from publican_protocol import pubsub as api
from tests.semantics.backends.backend import Refused
from tests.semantics.pubsub import PROJECT, Pubsub, Topic
from tests.semantics.spec import spec

NAME: Final = f"{PROJECT}/schemas/order"
BINARY, JSON = 2, 1
AVRO, PROTOBUF = 2, 1


def avro(*fields: str, kind: Any = "string", **default: Any) -> str:
    return json.dumps({"type": "record", "name": "Order", "fields": [{"name": field, "type": kind, **default} for field in fields]})


ONE, TWO = avro("id"), avro("id", "note", default="")
PROTO: Final = 'syntax = "proto3"; message Order { string id = 1; int32 count = 2; }'


class Steps:
    """What tests of schemas do."""

    def __init__(self, pubsub: Pubsub) -> None:
        self.pubsub = pubsub

    def create(self, definition: str = ONE, name: str = NAME, kind: int = AVRO, **more: Any) -> api.Schema:
        parent, _, schema_id = name.rpartition("/schemas/")
        schema = api.Schema(type=kind, definition=definition, **more)
        made: api.Schema = self.pubsub.call("CreateSchema", api.CreateSchemaRequest(parent=parent, schema_id=schema_id, schema=schema))
        return made

    def commit(self, definition: str, kind: int = AVRO) -> api.Schema:
        schema = api.Schema(type=kind, definition=definition)
        made: api.Schema = self.pubsub.call("CommitSchema", api.CommitSchemaRequest(name=NAME, schema=schema))
        return made

    def get(self, name: str = NAME, view: int = 0) -> api.Schema:
        found: api.Schema = self.pubsub.call("GetSchema", api.GetSchemaRequest(name=name, view=view))
        return found

    def revisions(self, view: int = 0) -> list[api.Schema]:
        return list(self.pubsub.call("ListSchemaRevisions", api.ListSchemaRevisionsRequest(name=NAME, view=view)).schemas)

    def topic(self, encoding: int = JSON, schema: str = NAME, **bounds: str) -> Topic:
        return self.pubsub.topic(schema_settings=api.SchemaSettings(schema=schema, encoding=encoding, **bounds))

    def settings(self, topic: Topic) -> api.SchemaSettings:
        found: api.Topic = self.pubsub.call("GetTopic", api.GetTopicRequest(topic=topic.name))
        return found.schema_settings

    def publish(self, topic: Topic, *datas: bytes, **attributes: str) -> None:
        messages = [api.PubsubMessage(data=data, attributes=attributes) for data in datas]
        self.pubsub.call("Publish", api.PublishRequest(topic=topic.name, messages=messages))

    def refuses_publish(self, topic: Topic, *datas: bytes) -> Refused:
        messages = [api.PubsubMessage(data=data) for data in datas]
        return self.pubsub.refuses("Publish", api.PublishRequest(topic=topic.name, messages=messages))

    def refuses_create(self, definition: str, kind: int = AVRO) -> Refused:
        schema = api.Schema(type=kind, definition=definition)
        error = self.pubsub.refuses("CreateSchema", api.CreateSchemaRequest(parent=PROJECT, schema_id="order", schema=schema))
        assert self.pubsub.refuses("GetSchema", api.GetSchemaRequest(name=NAME)).code == "NOT_FOUND"
        validated = self.pubsub.refuses("ValidateSchema", api.ValidateSchemaRequest(parent=PROJECT, schema=schema))
        assert (validated.code, validated.text) == (error.code, error.text)
        return error


@pytest.fixture
def steps(pubsub: Pubsub) -> Steps:
    return Steps(pubsub)


@spec("schemas/1")
@pytest.mark.parametrize(
    ("definition", "kind", "why"),
    [
        ("{", AVRO, "it is not JSON"),
        ('"string"', AVRO, "the top-level type must be a record"),
        (avro("a", "a"), AVRO, "has the field a twice"),
        ('syntax = "proto3"; message A { string a = 1 }', PROTOBUF, 'line 1 column 45: Expected ";".'),
        ('syntax = "proto3"; message A {} message B {}', PROTOBUF, "exactly one top-level message"),
        ("", AVRO, "argument=schema.definition"),
        (ONE, 0, "It must be AVRO or PROTOCOL_BUFFER."),
        (ONE + " " * (300_001 - len(ONE)), AVRO, "You passed 300001 in the request, but the maximum value is 300000."),
    ],
)
def test_what_is_no_definition_is_refused_and_told(steps: Steps, definition: str, kind: int, why: str) -> None:
    error = steps.refuses_create(definition, kind)
    assert error.code == "INVALID_ARGUMENT"
    assert why in error.text


@spec("schemas/1", "schemas/2")
def test_a_schema_is_created_and_given_back_with_its_first_revision(steps: Steps) -> None:
    made = steps.create(name=NAME)
    assert (made.name, made.type, made.definition) == (NAME, AVRO, ONE)
    assert re.fullmatch("[0-9a-f]{8}", made.revision_id)
    assert made.revision_create_time.seconds * 10**9 == steps.pubsub.now()
    assert steps.get() == made
    assert steps.create(ONE + " " * (300_000 - len(ONE)), f"{PROJECT}/schemas/largest").name.endswith("largest")
    assert steps.create(PROTO, f"{PROJECT}/schemas/proto", PROTOBUF).definition == PROTO


@spec("schemas/2")
def test_a_schemas_name_comes_from_parent_and_id_and_is_taken_once(steps: Steps) -> None:
    assert steps.create().name == NAME
    schema = api.Schema(name="projects/other/schemas/elsewhere", type=AVRO, definition=ONE)
    again = api.CreateSchemaRequest(parent=PROJECT, schema_id="order", schema=schema)
    assert steps.pubsub.refuses("CreateSchema", again).code == "ALREADY_EXISTS"
    assert steps.pubsub.call("CreateSchema", api.CreateSchemaRequest(parent=PROJECT, schema_id="second", schema=schema)).name.endswith(
        "p/schemas/second"
    )
    for bad in ("ab", "googx", "1abc", "a/b"):
        refused = steps.pubsub.refuses("CreateSchema", api.CreateSchemaRequest(parent=PROJECT, schema_id=bad, schema=schema))
        assert refused.code == "INVALID_ARGUMENT"
    chosen = steps.pubsub.call("CreateSchema", api.CreateSchemaRequest(parent=PROJECT, schema=schema))
    assert chosen.name.startswith(f"{PROJECT}/schemas/")
    listed = steps.pubsub.call("ListSchemas", api.ListSchemasRequest(parent=PROJECT)).schemas
    assert [each.name for each in listed] == sorted([NAME, f"{PROJECT}/schemas/second", chosen.name])
    assert not steps.pubsub.call("ListSchemas", api.ListSchemasRequest(parent="projects/other")).schemas


@spec("schemas/3", "schemas/4")
def test_a_commit_makes_a_revision_that_its_id_names(steps: Steps) -> None:
    first = steps.create()
    steps.pubsub.advance(1)
    second = steps.commit(TWO)
    third = steps.commit(TWO)
    assert len({first.revision_id, second.revision_id, third.revision_id}) == 3
    assert second.revision_create_time.seconds == first.revision_create_time.seconds + 1
    assert steps.get() == third
    assert steps.get(f"{NAME}@{first.revision_id}") == first
    for absent in (f"{NAME}@00000000", f"{NAME}@x", f"{PROJECT}/schemas/absent"):
        assert steps.pubsub.refuses("GetSchema", api.GetSchemaRequest(name=absent)).code == "NOT_FOUND"
    other = api.CommitSchemaRequest(name=NAME, schema=api.Schema(type=PROTOBUF, definition=PROTO))
    assert steps.pubsub.refuses("CommitSchema", other).text.startswith("You have passed an invalid argument to the service (argument=schema.type).")
    assert (
        steps.pubsub.refuses("CommitSchema", api.CommitSchemaRequest(name=NAME, schema=api.Schema(type=AVRO, definition="{"))).code
        == "INVALID_ARGUMENT"
    )
    elsewhere = api.CommitSchemaRequest(name=NAME, schema=api.Schema(name=f"{PROJECT}/schemas/other", type=AVRO, definition=ONE))
    assert "argument=schema.name" in steps.pubsub.refuses("CommitSchema", elsewhere).text
    assert len(steps.revisions()) == 3


@spec("schemas/5")
def test_a_roll_back_is_a_new_revision_with_an_old_definition(steps: Steps) -> None:
    first = steps.create()
    steps.commit(TWO)
    rolled = steps.pubsub.call("RollbackSchema", api.RollbackSchemaRequest(name=NAME, revision_id=first.revision_id))
    assert rolled.definition == ONE
    assert rolled.revision_id not in {revision.revision_id for revision in steps.revisions()[1:]}
    assert steps.get() == rolled
    assert steps.pubsub.refuses("RollbackSchema", api.RollbackSchemaRequest(name=NAME, revision_id="00000000")).code == "NOT_FOUND"
    assert steps.pubsub.refuses("RollbackSchema", api.RollbackSchemaRequest(name=NAME)).code == "INVALID_ARGUMENT"


@spec("schemas/6")
def test_a_schema_has_at_most_twenty_revisions(steps: Steps) -> None:
    first = steps.create()
    for _ in range(19):
        steps.commit(TWO)
    full = api.CommitSchemaRequest(name=NAME, schema=api.Schema(type=AVRO, definition=ONE))
    assert steps.pubsub.refuses("CommitSchema", full).code == "RESOURCE_EXHAUSTED"
    assert steps.pubsub.refuses("RollbackSchema", api.RollbackSchemaRequest(name=NAME, revision_id=first.revision_id)).code == "RESOURCE_EXHAUSTED"
    assert len(steps.revisions()) == 20
    steps.pubsub.call("DeleteSchemaRevision", api.DeleteSchemaRevisionRequest(name=f"{NAME}@{first.revision_id}"))
    steps.commit(ONE)


@spec("schemas/7")
def test_a_revision_can_be_deleted_but_not_the_only_one(steps: Steps) -> None:
    first, second = steps.create(), steps.commit(TWO)
    delete = api.DeleteSchemaRevisionRequest(name=f"{NAME}@{second.revision_id}")
    assert steps.pubsub.call("DeleteSchemaRevision", delete) == first
    assert steps.get() == first
    assert steps.pubsub.refuses("DeleteSchemaRevision", delete).code == "NOT_FOUND"
    only = api.DeleteSchemaRevisionRequest(name=f"{NAME}@{first.revision_id}")
    assert steps.pubsub.refuses("DeleteSchemaRevision", only).code == "INVALID_ARGUMENT"
    assert steps.pubsub.refuses("DeleteSchemaRevision", api.DeleteSchemaRevisionRequest(name=NAME)).code == "INVALID_ARGUMENT"
    third = steps.commit(TWO)
    older_way = api.DeleteSchemaRevisionRequest(name=NAME, revision_id=third.revision_id)
    assert steps.pubsub.call("DeleteSchemaRevision", older_way) == first
    steps.pubsub.call("DeleteSchema", api.DeleteSchemaRequest(name=NAME))
    assert steps.pubsub.refuses("GetSchema", api.GetSchemaRequest(name=NAME)).code == "NOT_FOUND"
    assert steps.pubsub.refuses("DeleteSchema", api.DeleteSchemaRequest(name=NAME)).code == "NOT_FOUND"


@spec("schemas/8")
def test_lists_hold_definitions_only_when_they_are_asked_for(steps: Steps) -> None:
    first, second = steps.create(), steps.commit(TWO)
    assert steps.get(view=1).definition == ""
    assert steps.get(view=2).definition == TWO
    assert [(each.revision_id, each.definition) for each in steps.revisions()] == [(second.revision_id, ""), (first.revision_id, "")]
    assert [each.definition for each in steps.revisions(view=2)] == [TWO, ONE]
    listed = steps.pubsub.call("ListSchemas", api.ListSchemasRequest(parent=PROJECT)).schemas
    assert [(each.name, each.revision_id, each.definition) for each in listed] == [(NAME, second.revision_id, "")]
    assert steps.pubsub.call("ListSchemas", api.ListSchemasRequest(parent=PROJECT, view=2)).schemas[0] == second
    page = steps.pubsub.call("ListSchemaRevisions", api.ListSchemaRevisionsRequest(name=NAME, page_size=1))
    assert [each.revision_id for each in page.schemas] == [second.revision_id]
    rest = api.ListSchemaRevisionsRequest(name=NAME, page_size=1, page_token=page.next_page_token)
    assert [each.revision_id for each in steps.pubsub.call("ListSchemaRevisions", rest).schemas] == [first.revision_id]


@spec("schemas/9")
def test_a_message_is_validated_against_a_definition_or_a_name(steps: Steps) -> None:
    def refusal(data: bytes, encoding: int, **against: Any) -> str:
        request = api.ValidateMessageRequest(parent=PROJECT, message=data, encoding=encoding, **against)
        try:
            steps.pubsub.call("ValidateMessage", request)
        except Refused as refused:
            return str(refused)
        return ""

    schema = api.Schema(type=AVRO, definition=ONE)
    assert refusal(b'{"id": "x"}', JSON, schema=schema) == ""
    assert refusal(b"\x02x", BINARY, schema=schema) == ""
    assert "field id: expected a text, not a number: 5" in refusal(b'{"id": 5}', JSON, schema=schema)
    assert "1 bytes follow the end" in refusal(b"\x02x\x00", BINARY, schema=schema)
    assert "argument=encoding" in refusal(b"", 0, schema=schema)
    assert "argument=schema_spec" in refusal(b"", JSON)
    first = steps.create()
    steps.commit(TWO)
    assert "field note: it is missing" in refusal(b'{"id": "x"}', JSON, name=NAME)
    assert refusal(b'{"id": "x"}', JSON, name=f"{NAME}@{first.revision_id}") == ""
    absent = api.ValidateMessageRequest(parent=PROJECT, name=f"{PROJECT}/schemas/absent", encoding=JSON)
    assert steps.pubsub.refuses("ValidateMessage", absent).code == "NOT_FOUND"
    steps.pubsub.call("ValidateSchema", api.ValidateSchemaRequest(parent=PROJECT, schema=schema))
    assert [each.name for each in steps.pubsub.call("ListSchemas", api.ListSchemasRequest(parent=PROJECT)).schemas] == [NAME]


@spec("schemas/10")
def test_a_topic_is_given_a_schema_and_bounds_that_exist(steps: Steps) -> None:
    first, second = steps.create(), steps.commit(TWO)
    bounds = {"first_revision_id": first.revision_id, "last_revision_id": second.revision_id}
    topic = steps.topic(JSON, NAME, **bounds)
    assert steps.settings(topic) == api.SchemaSettings(schema=NAME, encoding=JSON, **bounds)

    def refusal(**fields: Any) -> str:
        settings = api.SchemaSettings(**{"schema": NAME, "encoding": JSON, **fields})
        name = f"{PROJECT}/topics/refused"
        error = steps.pubsub.refuses("CreateTopic", api.Topic(name=name, schema_settings=settings))
        assert steps.pubsub.refuses("GetTopic", api.GetTopicRequest(topic=name)).code == "NOT_FOUND"
        update = api.UpdateTopicRequest(
            topic=api.Topic(name=topic.name, schema_settings=settings), update_mask=known.FieldMask(paths=["schema_settings"])
        )
        assert str(steps.pubsub.refuses("UpdateTopic", update)) == str(error)
        return error.code

    assert refusal(schema=f"{PROJECT}/schemas/absent") == "NOT_FOUND"
    assert refusal(first_revision_id="00000000") == "NOT_FOUND"
    assert refusal(encoding=0) == "INVALID_ARGUMENT"
    assert refusal(schema="nonsense") == "INVALID_ARGUMENT"
    assert refusal(schema="_deleted-schema_") == "INVALID_ARGUMENT"
    assert refusal(first_revision_id=second.revision_id, last_revision_id=first.revision_id) == "INVALID_ARGUMENT"
    assert steps.settings(topic).last_revision_id == second.revision_id


def revision_of(pubsub: Pubsub, topic: Topic, data: bytes) -> str:
    """Publish, and give the revision that the delivered message says it fits."""
    subscription = pubsub.subscription(topic)
    pubsub.call("Publish", api.PublishRequest(topic=topic.name, messages=[api.PubsubMessage(data=data)]))
    (delivery,) = subscription.pull()
    return dict(delivery.message.attributes)["googclient_schemarevisionid"]


@spec("schemas/11")
def test_the_newest_revision_within_the_bounds_that_a_message_fits_counts(steps: Steps) -> None:
    first, second = steps.create(), steps.commit(TWO)
    third = steps.commit(avro("id", kind="string"))
    one, two = b'{"id": "x"}', b'{"id": "x", "note": "y"}'
    every = steps.topic()
    assert revision_of(steps.pubsub, every, one) == third.revision_id
    assert revision_of(steps.pubsub, every, two) == second.revision_id
    assert revision_of(steps.pubsub, steps.topic(last_revision_id=second.revision_id), one) == first.revision_id
    from_second = steps.topic(first_revision_id=second.revision_id, last_revision_id=second.revision_id)
    assert revision_of(steps.pubsub, from_second, two) == second.revision_id
    assert steps.refuses_publish(from_second, one).code == "INVALID_ARGUMENT"
    assert steps.refuses_publish(steps.topic(first_revision_id=third.revision_id), two).code == "INVALID_ARGUMENT"


@spec("schemas/12")
def test_a_message_that_does_not_fit_is_told_and_its_whole_request_refused(steps: Steps) -> None:
    made = steps.create()
    topic = steps.topic()
    subscription = steps.pubsub.subscription(topic)
    error = steps.refuses_publish(topic, b'{"id": "x"}', b'{"id": 5}')
    assert error.code == "INVALID_ARGUMENT"
    assert error.text.startswith("Invalid data in message: Message failed schema validation. messages[1]: ")
    assert error.text.endswith("field id: expected a text, not a number: 5")
    assert error.reason == "INVALID_JSON_AVRO_MESSAGE"
    assert error.failed["message"] == "Message failed schema validation"
    said = f"Could not validate message with any schema revision for schema: {NAME}, "
    assert error.failed["revisionInfo"].startswith(f"{said}last checked revision: revision_id={made.revision_id} failed with status: ")
    assert subscription.pull() == []


@spec("schemas/13")
@pytest.mark.parametrize(("encoding", "data"), [(JSON, b'{"id": "x"}'), (BINARY, b"\x02x")])
def test_an_accepted_message_carries_its_schemas_name_encoding_and_revision(steps: Steps, encoding: int, data: bytes) -> None:
    made = steps.create()
    topic = steps.topic(encoding)
    plain = steps.pubsub.subscription(topic)
    filtered = steps.pubsub.subscription(topic, filter=f'attributes.googclient_schemarevisionid = "{made.revision_id}"', enable_message_ordering=True)
    many = {f"key{number}": "v" for number in range(99)}
    steps.publish(topic, data, googclient_schemaname="mine", **many)
    marks = {
        "googclient_schemaname": NAME,
        "googclient_schemaencoding": {JSON: "JSON", BINARY: "BINARY"}[encoding],
        "googclient_schemarevisionid": made.revision_id,
    }
    for subscription in (plain, filtered):
        (delivery,) = subscription.pull()
        assert dict(delivery.message.attributes) == {**many, **marks}
        assert delivery.data == data


@spec("schemas/14")
def test_a_topic_whose_schema_is_deleted_refuses_messages_until_it_is_told_otherwise(steps: Steps) -> None:
    steps.create()
    topic = steps.topic()
    steps.pubsub.call("DeleteSchema", api.DeleteSchemaRequest(name=NAME))
    steps.create()
    assert steps.settings(topic).schema == "_deleted-schema_"
    assert steps.refuses_publish(topic, b'{"id": "x"}').code == "INVALID_ARGUMENT"
    labelled = api.UpdateTopicRequest(topic=api.Topic(name=topic.name, labels={"a": "b"}), update_mask=known.FieldMask(paths=["labels"]))
    steps.pubsub.call("UpdateTopic", labelled)
    assert steps.settings(topic).schema == "_deleted-schema_"
    cleared = api.UpdateTopicRequest(topic=api.Topic(name=topic.name), update_mask=known.FieldMask(paths=["schema_settings"]))
    assert not steps.pubsub.call("UpdateTopic", cleared).HasField("schema_settings")
    steps.publish(topic, b"anything")


@spec("schemas/15")
def test_a_dead_letter_topic_takes_only_what_fits_its_schema(steps: Steps) -> None:
    steps.create()
    letters = steps.topic()
    read = steps.pubsub.subscription(letters)
    topic = steps.pubsub.topic()
    policy = api.DeadLetterPolicy(dead_letter_topic=letters.name, max_delivery_attempts=5)
    subscription = steps.pubsub.subscription(topic, dead_letter_policy=policy)
    steps.publish(topic, b'{"id": "x"}', b"no")
    for _ in range(5):
        subscription.nack(*subscription.pull())
    (letter,) = read.pull()
    assert letter.data == b'{"id": "x"}'
    assert dict(letter.message.attributes)["googclient_schemaname"] == NAME
    assert [delivery.data for delivery in subscription.pull()] == [b"no"]


@spec("schemas/16")
def test_other_settings_concern_what_is_published_then(steps: Steps) -> None:
    steps.create()
    topic = steps.pubsub.topic()
    subscription = steps.pubsub.subscription(topic)
    steps.publish(topic, b"free")
    settings = api.SchemaSettings(schema=NAME, encoding=JSON)
    mask = known.FieldMask(paths=["schema_settings"])
    steps.pubsub.call("UpdateTopic", api.UpdateTopicRequest(topic=api.Topic(name=topic.name, schema_settings=settings), update_mask=mask))
    assert steps.refuses_publish(topic, b"free").code == "INVALID_ARGUMENT"
    assert [delivery.data for delivery in subscription.pull()] == [b"free"]
    part = api.Topic(name=topic.name, schema_settings=api.SchemaSettings(encoding=BINARY))
    steps.pubsub.call("UpdateTopic", api.UpdateTopicRequest(topic=part, update_mask=known.FieldMask(paths=["schema_settings.encoding"])))
    steps.publish(topic, b"\x02x")


@spec("schemas/17")
@pytest.mark.parametrize(
    ("encoding", "fits", "does_not"),
    [(JSON, b'{"id": {"string": "x"}}', b'{"id": "x"}'), (JSON, b'{"id": null}', b"{}"), (BINARY, b"\x00", b"\x00\x00")],
)
def test_avro_is_taken_by_the_letter(steps: Steps, encoding: int, fits: bytes, does_not: bytes) -> None:
    steps.create(avro("id", kind=["null", "string"]))
    topic = steps.topic(encoding)
    steps.publish(topic, fits)
    error = steps.refuses_publish(topic, does_not)
    assert error.reason == f"INVALID_{'JSON' if encoding == JSON else 'BINARY'}_AVRO_MESSAGE"


@spec("schemas/20")
@pytest.mark.parametrize(
    ("encoding", "fits", "does_not", "why"),
    [
        (JSON, b'{"id": "x", "count": 3}', b'{"id": "x", "kount": 3}', 'Unknown name "kount"'),
        (BINARY, b"\x0a\x01x\x10\x03", b"\x0a\x01x\x18\x03", "the schema has no field of number 3 there"),
    ],
)
def test_a_protocol_buffer_message_has_no_other_fields(steps: Steps, encoding: int, fits: bytes, does_not: bytes, why: str) -> None:
    steps.create(PROTO, kind=PROTOBUF)
    topic = steps.topic(encoding)
    steps.publish(topic, fits)
    error = steps.refuses_publish(topic, does_not)
    assert why in error.text
    assert error.reason == f"INVALID_{'JSON' if encoding == JSON else 'BINARY'}_PROTO_MESSAGE"


@spec("schemas/1", "schemas/20")
def test_a_protocol_buffer_schema_may_come_compiled(steps: Steps) -> None:
    from google.protobuf import descriptor_pb2

    file = descriptor_pb2.FileDescriptorProto(name="o.proto", syntax="proto3", message_type=[descriptor_pb2.DescriptorProto(name="Order")])
    compiled = api.CompiledProtoSchema(root_message="Order", compiled_bytes=descriptor_pb2.FileDescriptorSet(file=[file]).SerializeToString())
    made = steps.create("", kind=PROTOBUF, compiled_proto_schema=compiled)
    assert made.compiled_proto_schema == compiled
    assert not steps.get(view=1).HasField("compiled_proto_schema")
    topic = steps.topic()
    steps.publish(topic, b"{}")
    assert steps.refuses_publish(topic, b'{"id": "x"}').code == "INVALID_ARGUMENT"
    with pytest.raises(Refused, match="INVALID_ARGUMENT"):
        steps.create("", f"{PROJECT}/schemas/avro", AVRO, compiled_proto_schema=compiled)
    with pytest.raises(Refused, match="there is no message 'Nope'"):
        steps.create("", f"{PROJECT}/schemas/other", PROTOBUF, compiled_proto_schema=api.CompiledProtoSchema(root_message="Nope"))


OLD: Final = 'syntax = "proto3"; enum E { A = 0; } message Order { string id = 1; repeated string tags = 2; E e = 3; Order next = 4; }'


@spec("schemas/18")
@pytest.mark.parametrize(
    ("kind", "old", "new", "why"),
    [
        (AVRO, ONE, TWO, ""),
        (AVRO, ONE, avro("id", "note"), "field note has no default, and is not in the other revision"),
        (AVRO, TWO, ONE, ""),
        (AVRO, avro("id", "note"), ONE, "field note has no default, and is not in the other revision"),
        (AVRO, avro("n", kind="int"), avro("n", kind="long"), "field n: long cannot be read as int"),
        (AVRO, avro("n", kind="string"), avro("n", kind="bytes"), ""),
        (AVRO, avro("n", kind=["null", "int"]), avro("n", kind=["int", "null"]), ""),
        (AVRO, avro("n", kind=["null", "int"]), avro("n", kind=["null", "string"]), "field n: int is no branch of the union"),
        (AVRO, avro("n", kind={"type": "array", "items": "int"}), avro("n", kind={"type": "map", "values": "int"}), "array cannot be read as map"),
        (AVRO, ONE, ONE.replace("Order", "Bill"), "Order cannot be read as Bill"),
        (PROTOBUF, OLD, OLD, ""),
        (PROTOBUF, OLD, OLD.replace("string id = 1;", ""), ""),
        (PROTOBUF, OLD, OLD.replace("string id = 1;", "string id = 1; bytes more = 9;"), ""),
        (PROTOBUF, OLD, OLD.replace("repeated string tags = 2;", ""), "Order.tags = 2 is missing, and is not optional"),
        (PROTOBUF, OLD, OLD.replace("string id = 1;", "repeated int32 n = 9; string id = 1;"), "Order.n = 9 is added, and is not optional"),
        (PROTOBUF, OLD, OLD.replace("string id = 1", "int32 id = 1"), "Order.id = 1 is of another type"),
        (PROTOBUF, OLD, OLD.replace("string id = 1", "string name = 1"), "Order.id = 1 is called name"),
        (PROTOBUF, OLD, OLD.replace("A = 0;", "A = 0; B = 1;"), "E.B = 1 is missing in one of the revisions"),
    ],
)
def test_a_revision_must_be_able_to_follow_the_newest_one(steps: Steps, kind: int, old: str, new: str, why: str) -> None:
    first = steps.create(old, kind=kind)
    if not why:
        steps.commit(new, kind)
        return
    request = api.CommitSchemaRequest(name=NAME, schema=api.Schema(type=kind, definition=new))
    error = steps.pubsub.refuses("CommitSchema", request)
    assert error.code == "INVALID_ARGUMENT"
    assert error.text.startswith(f'Compatibility checking failed to commit a schema revision for (schema="{NAME}"). ')
    assert f"previous revision: {first.revision_id}. Failed with error: " in error.text
    assert why in error.text
    assert len(steps.revisions()) == 1


@spec("schemas/19")
def test_a_deleted_bound_still_stands_where_it_stood(steps: Steps) -> None:
    steps.create()
    second = steps.commit(TWO)
    steps.commit(ONE)
    until_second, from_second = steps.topic(last_revision_id=second.revision_id), steps.topic(first_revision_id=second.revision_id)
    steps.pubsub.call("DeleteSchemaRevision", api.DeleteSchemaRevisionRequest(name=f"{NAME}@{second.revision_id}"))
    newest = steps.commit(TWO)
    assert steps.refuses_publish(until_second, b'{"id": "x", "note": "y"}').code == "INVALID_ARGUMENT"
    steps.publish(until_second, b'{"id": "x"}')
    assert revision_of(steps.pubsub, from_second, b'{"id": "x", "note": "y"}') == newest.revision_id
