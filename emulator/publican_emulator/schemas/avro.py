"""Avro schemas.

PYTEST_DONT_REWRITE
"""

import io
from collections.abc import Mapping
from typing import Any

import fastavro

from publican_emulator.broker.schema import Compiled
from publican_emulator.broker.schema_settings import Encoding
from publican_emulator.schemas import avro_binary, avro_definitions, avro_json, avro_resolution


class AvroSchema:
    """A record that data is checked against, in Avro's binary or JSON encoding."""

    def __init__(self, text: str) -> None:
        """Read a definition.

        Raises:
            InvalidArgument: where it breaks which rule.
        """
        self.types = avro_definitions.read(text)

    def check(self, encoding: Encoding, data: bytes) -> None:
        """Refuse data that does not fit.

        Raises:
            Mismatch: where and why.
        """
        check = avro_binary.check if encoding is Encoding.BINARY else avro_json.check
        check(self.types, data)

    def values(self, encoding: Encoding, data: bytes) -> Mapping[str, object]:
        """Give what data says, by field.

        Raises:
            Mismatch: it does not fit.
        """
        self.check(encoding, data)  # fastavro's readers are for data that is known to fit
        read: Any  # a record: that is what a definition is of
        if encoding is Encoding.BINARY:
            read = fastavro.schemaless_reader(io.BytesIO(data), self.types.root, None)
        else:
            (read,) = fastavro.json_reader(io.StringIO(data.decode()), self.types.root)
        return dict(read)

    def incompatible_with(self, older: Compiled) -> str:
        """Say why this definition and an older one cannot read what is written by the other; "": they can."""
        assert isinstance(older, AvroSchema)
        return avro_resolution.problem(self.types, older.types) or avro_resolution.problem(older.types, self.types)
