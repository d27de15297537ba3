"""The files of Cloud Storage subscriptions: text, or Avro container files.

Text is each message's data and a line feed. An Avro record has the data in a field, or, by the topic's schema, a field for each field of that; with
metadata there are four fields more. The library for Avro (`publican[schemas]`) loads with the first such file.

Source: google.pubsub.v1.CloudStorageConfig; cloud.google.com/pubsub/docs/cloudstorage.

PYTEST_DONT_REWRITE
"""

import importlib.util
import io
import json
from collections.abc import Sequence
from typing import Any, Final

from publican_emulator.broker.errors import FailedPrecondition
from publican_emulator.broker.exports import CloudStorageConfig
from publican_emulator.broker.schema import Mismatch
from publican_emulator.broker.schema_settings import Language
from publican_emulator.export.exported import Decode, Exported, Unfit

_METADATA: Final[list[dict[str, Any]]] = [
    {"name": "subscription_name", "type": "string"},
    {"name": "message_id", "type": "string"},
    {"name": "publish_time", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    {"name": "attributes", "type": {"type": "map", "values": "string"}},
]
_DATA: Final[dict[str, Any]] = {"name": "data", "type": "bytes"}


def check_installed() -> None:
    """Refuse Avro files where nothing writes them.

    Raises:
        FailedPrecondition: the extra is not installed; the message says how to get it.
    """
    if importlib.util.find_spec("fastavro") is None:
        raise FailedPrecondition("cloud_storage_config.avro_config needs fastavro, which is not installed here: pip install 'publican[schemas]'.")


def text_file(messages: Sequence[Exported]) -> bytes:
    """Give a text file."""
    return b"".join(message.data + b"\n" for message in messages)


Record = tuple[str, dict[str, Any]]
"""The Avro definition that a record is of ("": data and metadata alone), and its values."""


def record(message: Exported, config: CloudStorageConfig, decode: Decode) -> Record:
    """Give the record of a message.

    Raises:
        Unfit: it has no fields by the topic's schema.
    """
    definition = ""
    values: dict[str, Any] = {"data": message.data}
    if config.use_topic_schema:
        try:
            schema, found = decode(message.message)
        except Mismatch as error:
            raise Unfit(str(error)) from None
        # Divergence: an Avro file by the topic's schema takes Avro schemas only: how the service turns a protocol buffer into one is not documented.
        if schema.language is not Language.AVRO:
            raise Unfit("an Avro file by the topic's schema needs an Avro schema")
        definition, values = schema.text, dict(found)
    if config.write_metadata:
        values = {
            "subscription_name": message.subscription,
            "message_id": message.message_id,
            "publish_time": message.publish_time_us,
            "attributes": dict(message.attributes),
            **values,
        }
    return definition, values


def avro_file(records: Sequence[Record], config: CloudStorageConfig) -> bytes:
    """Give a container file of records of one definition."""
    import fastavro  # an extra

    definition = records[0][0]
    root: dict[str, Any] = json.loads(definition) if definition else {"type": "record", "name": "PubsubMessage", "fields": [_DATA]}
    if config.write_metadata:
        taken = {field["name"] for field in root["fields"]}
        root = {**root, "fields": [*(field for field in _METADATA if field["name"] not in taken), *root["fields"]]}
    written = io.BytesIO()
    fastavro.writer(written, fastavro.parse_schema(root), [values for _, values in records])
    return written.getvalue()
