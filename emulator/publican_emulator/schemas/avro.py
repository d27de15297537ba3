"""Avro schemas.

PYTEST_DONT_REWRITE
"""

from publican_emulator.broker.schema_settings import Encoding
from publican_emulator.schemas import avro_binary, avro_definitions, avro_json


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
