"""google.pubsub.v1.SchemaService: schemas and their revisions, and checks of definitions and of data.

PYTEST_DONT_REWRITE
"""

from typing import Final

from publican_emulator.broker.errors import BadArgument
from publican_emulator.broker.schema import Revision, Schema
from publican_emulator.broker.schema_settings import Definition, Language
from publican_emulator.driver import Driver
from publican_emulator.rpc.call import CallInfo
from publican_emulator.services import convert, paging
from publican_emulator.services.answer import Answer
from publican_emulator.services.naming import check_project
from publican_emulator.services.stamps import set_span
from publican_protocol import known, pubsub

_REVISIONS_EVER: Final = 10**12
_UNSPECIFIED, _BASIC, _FULL = 0, 1, 2


class SchemaService:
    """The schemas' side of the API."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def create_schema(self, request: pubsub.CreateSchemaRequest, info: CallInfo) -> Answer[pubsub.Schema]:
        """Make a schema of the parent and the schema id, which is chosen for who has none; the name in the schema itself says nothing."""
        check_project(request.parent)
        name = f"{request.parent}/schemas/{request.schema_id}"
        schema, commit = self._driver.run(self._driver.broker.create_schema, name, definition(request.schema))
        return schema_message(schema, schema.newest), commit

    def get_schema(self, request: pubsub.GetSchemaRequest, info: CallInfo) -> Answer[pubsub.Schema]:
        """Give a schema, in the revision that the name says or the newest; whole, unless the view says otherwise."""
        is_full = _is_full(request.view, default=_FULL)
        (schema, revision), commit = self._driver.run(self._driver.broker.get_schema, request.name)
        return schema_message(schema, revision, is_full=is_full), commit

    def list_schemas(self, request: pubsub.ListSchemasRequest, info: CallInfo) -> Answer[pubsub.ListSchemasResponse]:
        """Give a page of a project's schemas, each in its newest revision; without definitions, unless the view says otherwise."""
        check_project(request.parent)
        is_full = _is_full(request.view, default=_BASIC)
        schemas, commit = self._driver.run(self._driver.broker.list_schemas, request.parent)
        here, token = paging.page(
            schemas, "schemas", request.parent, page_size=request.page_size, page_token=request.page_token, name_of=lambda schema: schema.name
        )
        messages = [schema_message(schema, schema.newest, is_full=is_full) for schema in here]
        return pubsub.ListSchemasResponse(schemas=messages, next_page_token=token), commit

    def list_schema_revisions(self, request: pubsub.ListSchemaRevisionsRequest, info: CallInfo) -> Answer[pubsub.ListSchemaRevisionsResponse]:
        """Give a page of a schema's revisions, newest first; without definitions, unless the view says otherwise."""
        is_full = _is_full(request.view, default=_BASIC)
        (schema, revisions), commit = self._driver.run(self._driver.broker.list_schema_revisions, request.name)
        here, token = paging.page(
            revisions, "revisions", request.name, page_size=request.page_size, page_token=request.page_token, name_of=_newest_first
        )
        messages = [schema_message(schema, revision, is_full=is_full) for revision in here]
        return pubsub.ListSchemaRevisionsResponse(schemas=messages, next_page_token=token), commit

    def commit_schema(self, request: pubsub.CommitSchemaRequest, info: CallInfo) -> Answer[pubsub.Schema]:
        """Add a revision to a schema."""
        if request.schema.name not in {"", request.name}:
            raise BadArgument("schema.name", f"It is {request.schema.name}, but the revision is for {request.name}.")
        committed = definition(request.schema)
        (schema, revision), commit = self._driver.run(self._driver.broker.commit_schema, request.name, committed)
        return schema_message(schema, revision), commit

    def rollback_schema(self, request: pubsub.RollbackSchemaRequest, info: CallInfo) -> Answer[pubsub.Schema]:
        """Add a revision with the definition of an old one."""
        (schema, revision), commit = self._driver.run(self._driver.broker.rollback_schema, request.name, request.revision_id)
        return schema_message(schema, revision), commit

    def delete_schema_revision(self, request: pubsub.DeleteSchemaRevisionRequest, info: CallInfo) -> Answer[pubsub.Schema]:
        """Delete one revision; the answer is the schema in its newest one."""
        name = request.name
        if request.revision_id and "@" not in name:  # the older way to say it
            name = f"{name}@{request.revision_id}"
        elif request.revision_id and not name.endswith(f"@{request.revision_id}"):
            raise BadArgument("revision_id", f"It is {request.revision_id}, but the name is {name}.")
        schema, commit = self._driver.run(self._driver.broker.delete_schema_revision, name)
        return schema_message(schema, schema.newest), commit

    def delete_schema(self, request: pubsub.DeleteSchemaRequest, info: CallInfo) -> Answer[known.Empty]:
        """Delete a schema; topics that use it then say `_deleted-schema_`, and take no messages."""
        _, commit = self._driver.run(self._driver.broker.delete_schema, request.name)
        return known.Empty(), commit

    def validate_schema(self, request: pubsub.ValidateSchemaRequest, info: CallInfo) -> Answer[pubsub.ValidateSchemaResponse]:
        """Check a definition, and keep nothing."""
        check_project(request.parent)
        _, commit = self._driver.run(self._driver.broker.validate_schema, definition(request.schema))
        return pubsub.ValidateSchemaResponse(), commit

    def validate_message(self, request: pubsub.ValidateMessageRequest, info: CallInfo) -> Answer[pubsub.ValidateMessageResponse]:
        """Check data against a definition, or against a schema by its name."""
        check_project(request.parent)
        match request.WhichOneof("schema_spec"):
            case "name":
                against: Definition | str = request.name
            case "schema":
                against = definition(request.schema)
            case _:
                raise BadArgument("schema_spec", "Say what to validate against: a name or a schema.")
        encoding = convert.encoding(request.encoding, "encoding")
        _, commit = self._driver.run(self._driver.broker.validate_message, against, encoding, request.message)
        return pubsub.ValidateMessageResponse(), commit


def definition(schema: pubsub.Schema) -> Definition:
    """Read a schema's definition, as text or compiled."""
    if schema.type not in _LANGUAGES:
        raise BadArgument("schema.type", "It must be AVRO or PROTOCOL_BUFFER.")
    language = _LANGUAGES[schema.type]
    if not schema.HasField("compiled_proto_schema"):
        return Definition(language, schema.definition)
    if schema.definition:
        raise BadArgument("schema.compiled_proto_schema", "It and the definition exclude each other.")
    return Definition(language, "", schema.compiled_proto_schema.compiled_bytes, schema.compiled_proto_schema.root_message)


def schema_message(schema: Schema, revision: Revision, *, is_full: bool = True) -> pubsub.Schema:
    """Write a schema in one of its revisions, with its definition or without."""
    said = revision.definition
    message = pubsub.Schema(name=schema.name, type=pubsub.Schema.Type.Value(said.language.value), revision_id=revision.revision_id)
    set_span(message.revision_create_time, revision.create_time)
    if is_full and said.compiled is None:
        message.definition = said.text
    elif is_full and said.compiled is not None:
        message.compiled_proto_schema.root_message = said.root_message
        message.compiled_proto_schema.compiled_bytes = said.compiled
    return message


_LANGUAGES: Final = {1: Language.PROTOCOL_BUFFER, 2: Language.AVRO}
"""By the numbers of google.pubsub.v1.Schema.Type."""


def _is_full(view: int, *, default: int) -> bool:
    if view not in {_UNSPECIFIED, _BASIC, _FULL}:
        raise BadArgument("view", f"There is no SchemaView of number {view}.")
    return (view or default) == _FULL


def _newest_first(revision: Revision) -> str:
    return f"{_REVISIONS_EVER - revision.number:013}"
