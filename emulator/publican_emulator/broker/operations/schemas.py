"""Schemas: create, look at, change and delete them; and what a topic's messages have to fit.

Source: google.pubsub.v1.SchemaService; cloud.google.com/pubsub/docs/schemas; docs/semantics.md, schemas.

PYTEST_DONT_REWRITE
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from publican_emulator.broker import limits
from publican_emulator.broker.errors import BadArgument, InvalidArgument, NotFound, ResourceExhausted
from publican_emulator.broker.events import Kind
from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.schema import Mismatch, Revision, Schema, last_checked, split, unfit
from publican_emulator.broker.schema_settings import Definition, Encoding, SchemaSettings
from publican_emulator.broker.topic import Topic
from publican_protocol import names, pubsub

if TYPE_CHECKING:
    from publican_emulator.broker.broker import Broker


def create_schema(broker: "Broker", name: str, definition: Definition, now: Nanos) -> Schema:
    """Create a schema with its first revision. A name without an id (`projects/p/schemas/`) asks for one.

    Raises:
        InvalidArgument: the name's form, or the definition.
        AlreadyExists: there is one of that name.
        ResourceExhausted: the project has as many as it may have.
    """
    broker.settle(now)
    wants_name = name.endswith("/schemas/")
    if not wants_name:
        broker.schemas.check_form(name)
    broker.schemas.check_free(name)
    if len(broker.schemas.names()) >= limits.SCHEMAS and len(broker.schemas.of_project(f"projects/{names.project_of(name)}")) >= limits.SCHEMAS:
        raise ResourceExhausted(f"A project has at most {limits.SCHEMAS} schemas.")
    broker.schema_book.ready(definition)
    if wants_name:
        name = broker.schemas.free_name(names.project_of(name), broker.counters.next_serial())
    schema = Schema(name)
    schema.add(definition, now)
    broker.schemas.put(name, schema)
    broker.state(Kind.CREATED, name, now)
    return schema


def get_schema(broker: "Broker", name: str, now: Nanos) -> tuple[Schema, Revision]:
    """Give a schema and the revision that a name means: `.../s@c7cfa2a8`, or the newest.

    Raises:
        NotFound: it, or the revision, does not exist.
    """
    broker.settle(now)
    base, revision_id = split(name)
    schema = broker.schemas.get(base)
    return schema, schema.revisions[schema.place(revision_id)] if revision_id else schema.newest


def list_schemas(broker: "Broker", project: str, now: Nanos) -> list[Schema]:
    """Give the schemas of a project (`projects/p`), sorted by name."""
    broker.settle(now)
    return broker.schemas.of_project(project)


def list_schema_revisions(broker: "Broker", name: str, now: Nanos) -> tuple[Schema, list[Revision]]:
    """Give a schema and all its revisions, newest first."""
    broker.settle(now)
    schema = broker.schemas.get(name)
    return schema, schema.revisions[::-1]


def commit_schema(broker: "Broker", name: str, definition: Definition, now: Nanos) -> tuple[Schema, Revision]:
    """Add a revision.

    Raises:
        NotFound: there is no such schema.
        InvalidArgument: the definition, or it is in another language, or may not follow the newest one.
        ResourceExhausted: the schema has as many revisions as it may have.
    """
    broker.settle(now)
    schema = broker.schemas.get(name)
    if definition.language is not schema.language:
        raise BadArgument("schema.type", f"It is {definition.language.value}, but {name} is {schema.language.value}; the type cannot change.")
    why = broker.schema_book.ready(definition).incompatible_with(broker.schema_book.ready(schema.newest.definition))
    if why:
        raise InvalidArgument(
            f'Compatibility checking failed to commit a schema revision for (schema="{name}"). (reason="Revision is incompatible with previous '
            f'revision: {schema.newest.revision_id}. Failed with error: {why}")'
        )
    return schema, _revise(broker, schema, definition, now)


def rollback_schema(broker: "Broker", name: str, revision_id: str, now: Nanos) -> tuple[Schema, Revision]:
    """Add a revision with the definition of an old one.

    Raises:
        NotFound: the schema or the revision does not exist.
        InvalidArgument: no revision is named.
        ResourceExhausted: the schema has as many revisions as it may have.
    """
    broker.settle(now)
    schema = broker.schemas.get(name)
    if not revision_id:
        raise BadArgument("revision_id", "It must name a revision of the schema.")
    return schema, _revise(broker, schema, schema.revisions[schema.place(revision_id)].definition, now)


def _revise(broker: "Broker", schema: Schema, definition: Definition, now: Nanos) -> Revision:
    if len(schema.revisions) >= limits.SCHEMA_REVISIONS:
        raise ResourceExhausted(f"A schema has at most {limits.SCHEMA_REVISIONS} revisions; delete one of {schema.name} first.")
    revision = schema.add(definition, now)
    broker.state(Kind.UPDATED, schema.name, now, note=f"revision {revision.revision_id}")
    return revision


def delete_schema_revision(broker: "Broker", name: str, now: Nanos) -> Schema:
    """Delete the revision that `.../s@c7cfa2a8` means.

    Raises:
        InvalidArgument: the name has no revision, or it is the only one: delete the schema instead.
        NotFound: the schema or the revision does not exist.
    """
    broker.settle(now)
    base, revision_id = split(name)
    schema = broker.schemas.get(base)
    if not revision_id:
        raise BadArgument("name", f"{name} names no revision; write {name}@REVISION_ID.")
    place = schema.place(revision_id)
    if len(schema.revisions) == 1:
        raise InvalidArgument(f"The revision {revision_id} is the only one of {base}; delete the schema instead.")
    del schema.revisions[place]
    broker.state(Kind.UPDATED, base, now, note=f"without revision {revision_id}")
    return schema


def delete_schema(broker: "Broker", name: str, now: Nanos) -> None:
    """Delete a schema with all its revisions; topics that use it take no messages until they get other schema settings."""
    broker.settle(now)
    broker.schemas.get(name)
    broker.schemas.remove(name)
    for topic in broker.topics:
        used = topic.settings.schema
        if used is not None and used.schema == name:
            topic.settings = replace(topic.settings, schema=replace(used, schema=names.DELETED_SCHEMA))
    broker.state(Kind.DELETED, name, now)


def validate_schema(broker: "Broker", definition: Definition, now: Nanos) -> None:
    """Refuse a definition that is none.

    Raises:
        InvalidArgument: why.
    """
    broker.schema_book.ready(definition)


def validate_message(broker: "Broker", against: Definition | str, encoding: Encoding, data: bytes, now: Nanos) -> None:
    """Refuse data that does not fit a definition, or the schema of a name, in its newest revision or the one that the name says.

    Raises:
        InvalidArgument: it does not fit, or the definition is none.
        NotFound: the schema or the revision does not exist.
    """
    broker.settle(now)
    schema, revision = broker.get_schema(against, now) if isinstance(against, str) else (None, None)
    definition = revision.definition if revision is not None else against
    assert isinstance(definition, Definition)
    try:
        broker.schema_book.ready(definition).check(encoding, data)
    except Mismatch as mismatch:
        why = str(mismatch) if schema is None or revision is None else last_checked(schema, revision, mismatch)
        raise unfit(definition.language, encoding, why) from None


# topics


def check_schema_settings(broker: "Broker", settings: SchemaSettings | None) -> None:
    """Refuse settings of a topic that name what is not there, or a first revision after the last.

    Raises:
        NotFound: the schema or a revision does not exist.
        InvalidArgument: the order of the revisions.
    """
    if settings is None:
        return
    schema = broker.schemas.get(settings.schema)
    first, last = settings.first_revision_id, settings.last_revision_id
    places = [schema.place(revision_id) for revision_id in (first, last) if revision_id]
    if places != sorted(places):
        raise BadArgument("schema_settings.first_revision_id", f"{first} is newer than last_revision_id, which is {last}.")


def marked(broker: "Broker", topic: Topic, messages: Sequence[bytes], tails: Sequence[bytes]) -> tuple[Sequence[bytes], Sequence[bytes]]:
    """Give the messages of a publish, and their tails, with the attributes that say which schema and revision they fit; all fit, or none is marked.

    Raises:
        InvalidArgument: one does not fit the topic's schema: which one, at which field, and why; or the schema has been deleted.
    """
    settings = topic.settings.schema
    if settings is None:
        return messages, tails
    schema = broker.schemas.find(settings.schema)
    if schema is None:
        # Divergence: publishing to a topic whose schema is deleted is INVALID_ARGUMENT.
        raise InvalidArgument(f"The schema of topic {topic.name} has been deleted (schema={settings.schema}); give the topic other schema settings.")
    datas = [pubsub.PubsubMessage.FromString(message).data for message in messages]
    marks = [_mark(settings.schema, settings.encoding, revision_id) for revision_id in broker.schema_book.fitting(schema, settings, datas)]
    return (
        [message + mark for message, mark in zip(messages, marks, strict=True)],
        [tail + mark for tail, mark in zip(tails, marks, strict=True)],
    )


@functools.lru_cache(maxsize=256)
def _mark(schema: str, encoding: Encoding, revision_id: str) -> bytes:
    """Give the wire bytes of the attributes that the service adds; they win over the publisher's, since the last of a key counts."""
    attributes = {
        "googclient_schemaname": schema,
        "googclient_schemaencoding": encoding.value,
        "googclient_schemarevisionid": revision_id,
    }
    return pubsub.PubsubMessage(attributes=attributes).SerializeToString(deterministic=True)


def schema_values(broker: "Broker", message: bytes, now: Nanos) -> tuple[Definition, Mapping[str, object]]:
    """Give the schema that a stored message was found to fit, and what its data says by it, by field.

    Raises:
        Mismatch: it was published without a schema, its schema is gone, or the data (a transform may have changed it) does not fit any more.
    """
    broker.settle(now)
    known = pubsub.PubsubMessage.FromString(message)
    name, revision_id = known.attributes.get("googclient_schemaname", ""), known.attributes.get("googclient_schemarevisionid", "")
    schema = broker.schemas.find(name)
    if schema is None:
        raise Mismatch("", f"the schema {name} is gone" if name else "the message was published without a schema")
    try:
        definition = schema.revisions[schema.place(revision_id)].definition
        encoding = Encoding(known.attributes["googclient_schemaencoding"])
    except (NotFound, KeyError, ValueError):
        raise Mismatch("", f"the revision {name}@{revision_id} is gone") from None
    return definition, broker.schema_book.ready(definition).values(encoding, known.data)
