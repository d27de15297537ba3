"""The rows of BigQuery subscriptions, as JSON: columns from the data, from the topic's schema or from the table's.

A table's columns are known where somebody says them (a schema file beside the rows, or a BigQuery emulator); without that every row fits.

Source: google.pubsub.v1.BigQueryConfig; cloud.google.com/pubsub/docs/bigquery; the JSON forms of BigQuery's types.

PYTEST_DONT_REWRITE
"""

import base64
import datetime
import decimal
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from publican_emulator.broker.exports import BigQueryConfig
from publican_emulator.broker.schema import Mismatch
from publican_emulator.export.columns import Column, fitted
from publican_emulator.export.exported import Decode, Exported, Unfit

Columns = Sequence[Column] | None
"""The columns of a table; None: nobody knows them."""

_METADATA: Final = ("subscription_name", "message_id", "publish_time", "attributes")
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def row(message: Exported, config: BigQueryConfig, columns: Columns, decode: Decode) -> dict[str, Any]:
    """Give the row of a message.

    Raises:
        Unfit: it is none of this table.
    """
    types = {} if columns is None else {column.name: column.type for column in columns}
    values = _values(message, config, types, decode)
    if config.write_metadata:
        values |= _metadata(message, types.get("attributes", "JSON"))
    if columns is None:
        return values
    is_dropping = config.drop_unknown_fields or not (config.use_topic_schema or config.use_table_schema)
    return fitted(values, columns, is_dropping=is_dropping)


def _values(message: Exported, config: BigQueryConfig, types: Mapping[str, str], decode: Decode) -> dict[str, Any]:
    if config.use_topic_schema:
        try:
            _, values = decode(message.message)
        except Mismatch as error:
            raise Unfit(str(error)) from None
        return {name: plain(value) for name, value in values.items()}
    if config.use_table_schema:
        read = _json(message.data)
        if not isinstance(read, dict):
            raise Unfit("the data is JSON, but no object with a field for each column")
        return read
    # Divergence: the columns of a table in a folder are what a schema file beside its rows says; without one `data` is BYTES, and every row fits.
    return {"data": _data(message.data, types.get("data", "BYTES"))}


def _data(data: bytes, kind: str) -> object:
    if kind == "BYTES":
        return base64.b64encode(data).decode()
    if kind == "JSON":
        return _json(data)
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Unfit(f"the data is not UTF-8, as the column data of type {kind} needs it") from None


def _json(data: bytes) -> Any:
    try:
        return json.loads(data, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Unfit(f"the data is not JSON ({error})") from None


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is no JSON")


def _metadata(message: Exported, attributes_type: str) -> dict[str, Any]:
    attributes = dict(message.attributes)
    return {
        "subscription_name": message.subscription,
        "message_id": message.message_id,
        "publish_time": plain(_EPOCH + datetime.timedelta(microseconds=message.publish_time_us)),
        "attributes": attributes if attributes_type == "JSON" else json.dumps(attributes, ensure_ascii=False),
    }


def plain(value: object) -> Any:
    """Give a value as BigQuery's JSON has it: bytes as base64, times as texts, exact numbers as texts."""
    match value:
        case bytes():
            return base64.b64encode(value).decode()
        case datetime.datetime():
            return value.isoformat(sep=" ", timespec="microseconds")
        case datetime.date() | datetime.time():
            return value.isoformat()
        case decimal.Decimal() | uuid.UUID():
            return str(value)
        case Mapping():
            return {str(name): plain(each) for name, each in value.items()}
        case list() | tuple():
            return [plain(each) for each in value]
        case _:
            return value
