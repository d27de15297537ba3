"""Objects of a bucket that is a folder, and the messages in them.

A file's generation is when it was last written, in nanoseconds; a file that was written again is read again. Files whose names begin with a dot are
not objects: whoever writes them gives them their names at the end.

PYTEST_DONT_REWRITE
"""

import io
import os
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

from publican_emulator.broker.ingestion import CloudStorage, ObjectFormat
from publican_emulator.ingestion import globs
from publican_protocol import pubsub


@dataclass(frozen=True, slots=True, order=True)
class StoredObject:
    """One file, as an object."""

    generation: int
    name: str
    path: pathlib.Path


class UnreadableObject(ValueError):
    """An object that does not hold what the settings say."""


def objects(folder: pathlib.Path, source: CloudStorage) -> list[StoredObject]:
    """Give the objects of a bucket that the settings mean, oldest first."""
    wanted = globs.pattern(source.match_glob)
    found = []
    for where, inner, files in os.walk(folder):
        inner[:] = [each for each in inner if not each.startswith(".")]
        for file in files:
            path = pathlib.Path(where, file)
            name = path.relative_to(folder).as_posix()
            if file.startswith(".") or not wanted.fullmatch(name) or not path.is_file():
                continue
            generation = path.stat().st_mtime_ns
            if source.minimum_object_create_time is None or generation >= source.minimum_object_create_time:
                found.append(StoredObject(generation, name, path))
    return sorted(found)


def read(stored: StoredObject, source: CloudStorage) -> list[bytes]:
    """Give the messages in an object, serialized.

    Raises:
        UnreadableObject: it is not in the format that the settings say.
        OSError: the file cannot be read.
        ImportError: Avro is asked for, and fastavro is not installed.
    """
    match source.format:
        case ObjectFormat.AVRO | ObjectFormat.PUBSUB_AVRO:
            return list(_avro(stored, source.format))
        case _:
            return list(_text(stored, (source.delimiter or "\n").encode()))


def _text(stored: StoredObject, delimiter: bytes) -> Iterator[bytes]:
    for line in stored.path.read_bytes().split(delimiter):
        if line:  # an empty message cannot be published
            yield pubsub.PubsubMessage(data=line).SerializeToString()


def _avro(stored: StoredObject, how: ObjectFormat) -> Iterator[bytes]:
    import fastavro  # an extra, for who ingests Avro

    with stored.path.open("rb") as file:
        try:
            records = fastavro.reader(file)
            for record in records:
                yield _pubsub_message(record) if how is ObjectFormat.PUBSUB_AVRO else _datum(fastavro, records.writer_schema, record)
        except (ValueError, KeyError, TypeError, EOFError, IndexError, StopIteration) as error:
            raise UnreadableObject(f"{stored.name} is no Avro file of that kind: {error}") from None


def _datum(fastavro: object, schema: object, record: object) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, record)  # type: ignore[attr-defined]  # a module that is imported late
    return pubsub.PubsubMessage(data=out.getvalue()).SerializeToString()


def _pubsub_message(record: object) -> bytes:
    if not isinstance(record, dict) or not isinstance(record.get("data"), bytes):
        raise TypeError("a record has no data of type bytes")
    attributes = record.get("attributes") or {}
    return pubsub.PubsubMessage(data=record["data"], attributes={str(key): str(value) for key, value in attributes.items()}).SerializeToString()
