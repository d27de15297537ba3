"""What users say about schemas: a definition, and how a topic uses a schema. Frozen, and checked when made.

Source: google/pubsub/v1/schema.proto, google.pubsub.v1.SchemaSettings.

PYTEST_DONT_REWRITE
"""

import enum
from dataclasses import dataclass

from publican_emulator.broker import limits
from publican_emulator.broker.errors import BadArgument, InvalidName, OutOfBounds
from publican_protocol import names


class Language(enum.Enum):
    """What a schema is written in."""

    AVRO = "AVRO"
    PROTOCOL_BUFFER = "PROTOCOL_BUFFER"


class Encoding(enum.Enum):
    """How the data of messages is written."""

    JSON = "JSON"
    BINARY = "BINARY"


@dataclass(frozen=True, slots=True)
class Definition:
    """The text of one revision; a protocol buffer may come compiled instead: a FileDescriptorSet, and which message of it is meant."""

    language: Language
    text: str = ""
    compiled: bytes | None = None
    root_message: str = ""

    def __post_init__(self) -> None:
        size = len(self.text.encode()) if self.compiled is None else len(self.compiled)
        if size > limits.SCHEMA_DEFINITION_BYTES:
            raise OutOfBounds("schema definition size", size, high=limits.SCHEMA_DEFINITION_BYTES)
        if self.compiled is None:
            if not self.text.strip():
                raise BadArgument("schema.definition", "It is empty.")
        elif self.language is not Language.PROTOCOL_BUFFER:
            raise BadArgument("schema.compiled_proto_schema", f"The schema's type is {self.language.value}: it must be PROTOCOL_BUFFER.")


@dataclass(frozen=True, slots=True)
class SchemaSettings:
    """Which schema the messages of a topic have to fit, in which encoding, by which of its revisions ("": no bound)."""

    schema: str
    encoding: Encoding
    first_revision_id: str = ""
    last_revision_id: str = ""

    def __post_init__(self) -> None:
        if self.schema != names.DELETED_SCHEMA and not names.matches("schemas", self.schema):
            raise InvalidName(self.schema)
