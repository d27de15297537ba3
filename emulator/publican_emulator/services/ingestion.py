"""Ingestion settings: protobuf to the broker's and back. What a caller says of states is the service's business, and ignored.

PYTEST_DONT_REWRITE
"""

from dataclasses import fields
from typing import Any

from publican_emulator.broker.errors import BadArgument
from publican_emulator.broker.ingestion import TEXT_SOURCES, CloudStorage, Ingestion, ObjectFormat, Severity, Source
from publican_emulator.services import stamps
from publican_protocol import pubsub

_FIELD = "ingestion_data_source_settings"


def settings(topic: pubsub.Topic) -> Ingestion | None:
    """Read a topic's ingestion settings; an empty message is none."""
    if not topic.HasField(_FIELD) or not topic.ingestion_data_source_settings.ByteSize():
        return None
    said = topic.ingestion_data_source_settings
    kind = said.WhichOneof("source")
    if kind is None:
        raise BadArgument(_FIELD, "It needs a source.")
    return Ingestion(_source(kind, getattr(said, kind)), _severity(said))


def _source(kind: str, said: Any) -> Source:
    if kind == "cloud_storage":
        return _cloud_storage(said)
    if kind not in TEXT_SOURCES:
        raise BadArgument(_FIELD, f"Publican does not know the source {kind}.")
    source = TEXT_SOURCES[kind]
    return source(**{each.name: getattr(said, each.name) for each in fields(source)})


def _cloud_storage(said: pubsub.IngestionDataSourceSettings.CloudStorage) -> CloudStorage:
    chosen = said.WhichOneof("input_format")
    has_delimiter = chosen == "text_format" and said.text_format.HasField("delimiter")
    return CloudStorage(
        bucket=said.bucket,
        format=None if chosen is None else ObjectFormat(chosen),
        delimiter=said.text_format.delimiter if has_delimiter else None,
        minimum_object_create_time=stamps.instant(said, "minimum_object_create_time") if said.HasField("minimum_object_create_time") else None,
        match_glob=said.match_glob,
    )


def _severity(said: pubsub.IngestionDataSourceSettings) -> Severity | None:
    if not said.HasField("platform_logs_settings"):
        return None
    number = said.platform_logs_settings.severity
    try:
        return Severity(pubsub.PlatformLogsSettings.Severity.Name(number))
    except ValueError:
        raise BadArgument(f"{_FIELD}.platform_logs_settings.severity", f"There is no Severity of number {number}.") from None


def write(message: pubsub.Topic, ingestion: Ingestion, state: str) -> None:
    """Write ingestion settings into a topic, with the state of the source, and that of the topic which follows from it."""
    said = message.ingestion_data_source_settings
    source = ingestion.source
    written: Any = getattr(said, source.kind)
    if isinstance(source, CloudStorage):
        _write_cloud_storage(written, source)
    else:
        for each in fields(source):
            setattr(written, each.name, getattr(source, each.name))
    written.state = type(written).State.Value(state)
    message.state = pubsub.Topic.State.Value("ACTIVE" if state == "ACTIVE" else "INGESTION_RESOURCE_ERROR")
    if ingestion.severity is not None:
        said.platform_logs_settings.severity = pubsub.PlatformLogsSettings.Severity.Value(ingestion.severity.value)


def _write_cloud_storage(written: pubsub.IngestionDataSourceSettings.CloudStorage, source: CloudStorage) -> None:
    written.bucket, written.match_glob = source.bucket, source.match_glob
    if source.format is not None:
        getattr(written, source.format.value).SetInParent()
    if source.delimiter is not None:
        written.text_format.delimiter = source.delimiter
    if source.minimum_object_create_time is not None:
        stamps.set_span(written.minimum_object_create_time, source.minimum_object_create_time)
