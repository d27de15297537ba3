"""A schema: its revisions, and which of them data fits.

Revisions are in the order of their making. A roll-back is a new revision with an old definition. What a definition means is the compiler's business,
which is passed in: nothing here knows Avro or protocol buffers.

Source: google/pubsub/v1/schema.proto; cloud.google.com/pubsub/docs/schemas; docs/semantics.md, schemas.

PYTEST_DONT_REWRITE
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from publican_emulator.broker import limits
from publican_emulator.broker.errors import ErrorInfo, FailedPrecondition, InvalidArgument, NotFound
from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.schema_settings import Definition, Encoding, Language, SchemaSettings

UNFIT: Final = "Invalid data in message: Message failed schema validation."
_DOMAIN: Final = "pubsub.googleapis.com"
_SHORT_LANGUAGE: Final = {Language.AVRO: "AVRO", Language.PROTOCOL_BUFFER: "PROTO"}


class Mismatch(ValueError):
    """Data that does not fit a schema: at which field ("": the whole), and why."""

    def __init__(self, field_path: str, why: str) -> None:
        super().__init__(f"field {field_path}: {why}" if field_path else why)
        self.field_path = field_path


class Compiled(Protocol):
    """A definition, ready to check data."""

    def check(self, encoding: Encoding, data: bytes) -> None:
        """Refuse data that does not fit.

        Raises:
            Mismatch: it does not.
        """

    def incompatible_with(self, older: "Compiled") -> str:
        """Say why this definition may not follow an older one of its language; "": it may."""

    def values(self, encoding: Encoding, data: bytes) -> Mapping[str, object]:
        """Give what data says, by field: texts, numbers, bytes, lists, and mappings by field or key.

        Raises:
            Mismatch: it does not fit.
        """
        ...


Compile = Callable[[Definition], Compiled]
"""Reads a definition; raises InvalidArgument when it is none, FailedPrecondition when the library for its language is missing."""


def no_compiler(definition: Definition) -> Compiled:
    """Refuse every definition: for a broker that was made without a compiler."""
    raise FailedPrecondition(f"Nothing here can read {definition.language.value} schemas.")


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of a schema."""

    revision_id: str
    definition: Definition
    create_time: Nanos
    number: int
    """Counts the schema's revisions from 1."""


@dataclass(slots=True)
class Schema:
    """One schema; its revisions, oldest first, are never none."""

    name: str
    revisions: list[Revision] = field(default_factory=list)
    made: int = 0
    """How many revisions it has had."""
    numbers: dict[str, int] = field(default_factory=dict)
    """Which revision, counted from 1, every id names, also of deleted ones: a topic may be bounded by them."""

    @property
    def language(self) -> Language:
        """What all its revisions are written in."""
        return self.newest.definition.language

    @property
    def newest(self) -> Revision:
        """The revision of now."""
        return self.revisions[-1]

    def add(self, definition: Definition, now: Nanos) -> Revision:
        """Add a revision."""
        while True:
            self.made += 1
            revision_id = hashlib.sha256(f"{self.name}@{self.made}".encode()).hexdigest()[:8]
            if revision_id not in self.numbers:
                break
        revision = Revision(revision_id, definition, now, self.made)
        self.revisions.append(revision)
        self.numbers[revision_id] = self.made
        return revision

    def place(self, revision_id: str) -> int:
        """Give where a revision stands.

        Raises:
            NotFound: it does not exist.
        """
        for place, revision in enumerate(self.revisions):
            if revision.revision_id == revision_id:
                return place
        raise NotFound("schema", f"{self.name}@{revision_id}")

    def within(self, first: str, last: str) -> list[Revision]:
        """Give the revisions from `first` to `last` ("": no bound), newest first; a bound that was deleted still stands where it stood."""
        low, high = self.numbers.get(first, 0), self.numbers.get(last, self.made)
        return [revision for revision in reversed(self.revisions) if low <= revision.number <= high]


class SchemaBook:
    """What the definitions of all schemas mean, and which data fits them; definitions are compiled once."""

    def __init__(self, compile_definition: Compile = no_compiler) -> None:
        self._compile = compile_definition
        self._compiled: dict[Definition, Compiled] = {}

    def ready(self, definition: Definition) -> Compiled:
        """Give a definition compiled.

        Raises:
            InvalidArgument: it is none.
            FailedPrecondition: nothing here can read its language.
        """
        compiled = self._compiled.get(definition)
        if compiled is None:
            compiled = self._compile(definition)
            if len(self._compiled) >= limits.COMPILED_SCHEMAS:
                self._compiled.clear()
            self._compiled[definition] = compiled
        return compiled

    def fitting(self, schema: Schema, settings: SchemaSettings, datas: Sequence[bytes]) -> list[str]:
        """Give, for the data of each message, the newest revision within a topic's bounds that it fits.

        Raises:
            InvalidArgument: one fits none of them: which one, at which field, and why.
        """
        revisions = schema.within(settings.first_revision_id, settings.last_revision_id)
        ready = [(revision, self.ready(revision.definition)) for revision in revisions]
        return [_fitting(schema, ready, settings.encoding, place, data) for place, data in enumerate(datas)]


def _fitting(schema: Schema, ready: Sequence[tuple[Revision, Compiled]], encoding: Encoding, place: int, data: bytes) -> str:
    said = ""
    for revision, compiled in ready:
        try:
            compiled.check(encoding, data)
        except Mismatch as mismatch:
            said = last_checked(schema, revision, mismatch)
        else:
            return revision.revision_id
    raise unfit(schema.language, encoding, said, place)


def split(name: str) -> tuple[str, str]:
    """Give a schema's name and the revision that it means; what follows an `@` and is no revision id is a revision that does not exist."""
    base, at, revision_id = name.partition("@")
    return (base, revision_id) if at and revision_id else (name, "")


def unfit(language: Language, encoding: Encoding, why: str, place: int | None = None) -> InvalidArgument:
    """Give the service's refusal of data that does not fit, with what it says to programs; `place`: which message of the request."""
    metadata = {"message": "Message failed schema validation", "revisionInfo": why}
    which = "" if place is None else f" messages[{place}]:"
    return InvalidArgument(f"{UNFIT}{which} {why}", ErrorInfo(f"INVALID_{encoding.value}_{_SHORT_LANGUAGE[language]}_MESSAGE", _DOMAIN, metadata))


def last_checked(schema: Schema, revision: Revision, mismatch: Mismatch) -> str:
    """Give the service's words for the last revision that data did not fit."""
    return (
        f"Could not validate message with any schema revision for schema: {schema.name}, "
        f"last checked revision: revision_id={revision.revision_id} failed with status: {mismatch}"
    )
