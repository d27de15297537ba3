"""Export subscriptions: messages that the service writes to a BigQuery table, to files in Cloud Storage, or to a Bigtable table.

What may be set, and what a file is called; who writes is the room `export`. A subscription has at most one of these, and then no push endpoint.

Source: google.pubsub.v1.BigQueryConfig, CloudStorageConfig, BigtableConfig; docs/export.md.

PYTEST_DONT_REWRITE
"""

import enum
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from publican_emulator.broker import limits
from publican_emulator.broker.errors import BadArgument
from publican_emulator.broker.instants import Nanos, spoken

_TABLE: Final = re.compile(r"(?P<project>(?:[A-Za-z0-9.-]+:)?[^.:/\s]+)\.(?P<dataset>[A-Za-z0-9_]{1,1024})\.(?P<table>[\w\- ]{1,1024})")
_BIGTABLE: Final = re.compile(r"projects/[^/\s]+/instances/[^/\s]+/tables/[^/\s]+")
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_ACCOUNT: Final = re.compile(r"[^@\s]+@[^@\s]+")

DATETIME_FORMAT: Final = "YYYY-MM-DDThh:mm:ssZ"
_TOKENS: Final = {"YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d", "hh": "%H", "mm": "%M", "ss": "%S"}
_TOKEN: Final = re.compile("|".join([*_TOKENS, r"[\-_:/TZ]"]))
_REQUIRED: Final = ("MM", "DD", "hh", "mm", "ss")


def check_account(config: str, email: str) -> None:
    """Refuse a service account that is no email address."""
    if email and not _ACCOUNT.fullmatch(email):
        raise BadArgument(f"{config}.service_account_email", f'"{email}" is not the email of a service account.')


@dataclass(frozen=True, slots=True)
class BigQueryConfig:
    """Rows in a table."""

    table: str
    use_topic_schema: bool = False
    use_table_schema: bool = False
    write_metadata: bool = False
    drop_unknown_fields: bool = False
    service_account_email: str = ""

    def __post_init__(self) -> None:
        if not _TABLE.fullmatch(self.table):
            raise BadArgument("bigquery_config.table", f'"{self.table}" is not of the form {{projectId}}.{{datasetId}}.{{tableId}}.')
        if self.use_topic_schema and self.use_table_schema:
            raise BadArgument("bigquery_config.use_table_schema", "use_topic_schema and use_table_schema cannot both be set.")
        if self.drop_unknown_fields and not (self.use_topic_schema or self.use_table_schema):
            raise BadArgument("bigquery_config.drop_unknown_fields", "Without use_topic_schema or use_table_schema there are no fields to know.")
        check_account("bigquery_config", self.service_account_email)

    def parts(self) -> tuple[str, str, str]:
        """Give project, dataset and table."""
        found = _TABLE.fullmatch(self.table)
        assert found is not None
        return found["project"], found["dataset"], found["table"]


Format = Literal["", "text", "avro"]


@dataclass(frozen=True, slots=True)
class CloudStorageConfig:
    """Files in a bucket: one is closed at the first of its limits that it meets. `output` empty means text, as `text` says in words."""

    bucket: str
    filename_prefix: str = ""
    filename_suffix: str = ""
    filename_datetime_format: str = ""
    output: Format = ""
    write_metadata: bool = False
    use_topic_schema: bool = False
    max_duration: Nanos | None = None
    max_bytes: int = 0
    max_messages: int = 0
    service_account_email: str = ""

    def __post_init__(self) -> None:
        if self.bucket.startswith("gs://") or not _BUCKET.fullmatch(self.bucket):
            raise BadArgument("cloud_storage_config.bucket", f'"{self.bucket}" is not the name of a bucket (which has no "gs://" before it).')
        if self.filename_suffix.endswith("/"):
            raise BadArgument("cloud_storage_config.filename_suffix", 'It must not end in "/".')
        for name in ("filename_prefix", "filename_suffix"):
            _check_object_part(f"cloud_storage_config.{name}", getattr(self, name))
        check_datetime_format(self.filename_datetime_format)
        self._check_limits()
        check_account("cloud_storage_config", self.service_account_email)

    def _check_limits(self) -> None:
        low, high = limits.EXPORT_MAX_DURATION_MIN, limits.EXPORT_MAX_DURATION_MAX
        if self.max_duration is not None and not low <= self.max_duration <= high:
            raise BadArgument("cloud_storage_config.max_duration", f"{spoken(self.max_duration)} is outside {spoken(low)}..{spoken(high)}.")
        low, high = limits.EXPORT_MAX_BYTES_MIN, limits.EXPORT_MAX_BYTES_MAX
        if self.max_bytes and not low <= self.max_bytes <= high:
            raise BadArgument("cloud_storage_config.max_bytes", f"{self.max_bytes} is outside {low}..{high}.")
        low = limits.EXPORT_MAX_MESSAGES_MIN
        if self.max_messages and self.max_messages < low:
            raise BadArgument("cloud_storage_config.max_messages", f"{self.max_messages} is below {low}.")

    @property
    def duration(self) -> Nanos:
        """How long a file stays open at most."""
        return Nanos(limits.EXPORT_MAX_DURATION_DEFAULT) if self.max_duration is None else self.max_duration

    def is_full(self, messages: int, size: int) -> bool:
        """Say whether a file with so many messages and bytes has met a limit."""
        return bool((self.max_messages and messages >= self.max_messages) or (self.max_bytes and size >= self.max_bytes))

    def object_name(self, at: datetime, unique: str) -> str:
        """Give the name of a file that is opened at `at` (UTC)."""
        return f"{self.filename_prefix}{written(self.filename_datetime_format, at)}_{unique}{self.filename_suffix}"


def _check_object_part(field: str, text: str) -> None:
    if any(char in "\r\n\0" for char in text):
        raise BadArgument(field, "It must not contain a carriage return, a line feed or a NUL.")
    size = len(text.encode())
    if size > limits.EXPORT_OBJECT_NAME_BYTES - 64:  # room for the time and the id
        raise BadArgument(field, f"It has {size} bytes; a file's whole name has at most {limits.EXPORT_OBJECT_NAME_BYTES}.")


def check_datetime_format(text: str) -> None:
    """Refuse a format that is not made of YYYY or YY, MM, DD, hh, mm, ss, each once, between `- _ : /`, T and Z."""
    if not text:
        return
    field = "cloud_storage_config.filename_datetime_format"
    found = _TOKEN.findall(text)
    if "".join(found) != text:
        raise BadArgument(field, f'"{text}" has something else than YYYY, YY, MM, DD, hh, mm, ss and the separators - _ : / T Z.')
    tokens = [token for token in found if token in _TOKENS]
    if len(tokens) != len(set(tokens)) or {"YYYY", "YY"} <= set(tokens):
        raise BadArgument(field, f'"{text}" has one of its parts twice.')
    if missing := [token for token in _REQUIRED if token not in tokens] or ([] if {"YYYY", "YY"} & set(tokens) else ["YYYY or YY"]):
        raise BadArgument(field, f'"{text}" is without {", ".join(missing)}.')
    if text.startswith("/") or text.endswith("/"):
        raise BadArgument(field, f'"{text}" must not begin or end with "/".')


def written(text: str, at: datetime) -> str:
    """Give an instant in a format of `check_datetime_format`; empty: the default."""
    return _TOKEN.sub(lambda found: at.strftime(_TOKENS[found[0]]) if found[0] in _TOKENS else found[0], text or DATETIME_FORMAT)


@dataclass(frozen=True, slots=True)
class RowKeySchema:
    """Row keys as the table's own row key schema builds them from the message."""


@dataclass(frozen=True, slots=True)
class DelimitedKey:
    """Row keys of some of the message's fields, joined."""

    key_fields: tuple[str, ...]
    delimiter: bytes = b""

    def __post_init__(self) -> None:
        field = "bigtable_config.column_family_mapping.delimited_key"
        if not self.key_fields or not all(self.key_fields):
            raise BadArgument(f"{field}.key_fields", "It must name at least one field, and none may be empty.")
        if len(self.key_fields) > 1 and not self.delimiter:
            raise BadArgument(f"{field}.delimiter", "Several key fields need one between them.")
        if len(self.delimiter) > limits.ROW_KEY_DELIMITER_BYTES:
            raise BadArgument(f"{field}.delimiter", f"It has {len(self.delimiter)} bytes, the maximum is {limits.ROW_KEY_DELIMITER_BYTES}.")


@dataclass(frozen=True, slots=True)
class BigtableConfig:
    """Cells of a Bigtable table. Checked, stored and shown; nothing is written, and the messages wait."""

    table: str
    app_profile_id: str = ""
    service_account_email: str = ""
    write_metadata: bool = False
    maps_column_families: bool = False
    key: RowKeySchema | DelimitedKey | None = None

    def __post_init__(self) -> None:
        if not _BIGTABLE.fullmatch(self.table):
            raise BadArgument("bigtable_config.table", f'"{self.table}" is not of the form projects/*/instances/*/tables/*.')
        if self.maps_column_families and self.key is None:
            raise BadArgument("bigtable_config.column_family_mapping", "It needs a row_key_schema or a delimited_key.")
        check_account("bigtable_config", self.service_account_email)


ExportConfig = BigQueryConfig | CloudStorageConfig | BigtableConfig


class ExportState(enum.Enum):
    """How the target of an export stands; the configs' own states have these names."""

    ACTIVE = "ACTIVE"
    NOT_FOUND = "NOT_FOUND"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    SCHEMA_MISMATCH = "SCHEMA_MISMATCH"
