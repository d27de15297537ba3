"""Ingestion settings of a topic: where its messages would come from, and what became of that.

Publican itself reads Cloud Storage, from a folder; the others are checked and kept. Fields have the API's names, so that services need no table.

Source: google.pubsub.v1.IngestionDataSourceSettings.

PYTEST_DONT_REWRITE
"""

import enum
import re
from dataclasses import dataclass, field, fields
from typing import ClassVar, Final

from publican_emulator.broker.errors import BadArgument
from publican_emulator.broker.instants import Nanos

_PREFIX: Final = "ingestion_data_source_settings"
_ARN: Final = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[^:]*:[^:]*:.+")
_ACCOUNT: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_SERVER: Final = re.compile(r"[^:\s]+:\d{1,5}")
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{1,220}[a-z0-9]")
ACTIVE: Final = "ACTIVE"
BUCKET_NOT_FOUND: Final = "BUCKET_NOT_FOUND"


class Severity(enum.Enum):
    """Which failures of ingestion the platform's logs would tell of."""

    SEVERITY_UNSPECIFIED = "SEVERITY_UNSPECIFIED"
    DISABLED = "DISABLED"
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class _Texts:
    """A source whose fields are all texts, and must all be there."""

    kind: ClassVar[str] = ""

    def check(self) -> None:
        for each in fields(self):  # type: ignore[arg-type]  # its heirs are dataclasses
            value = getattr(self, each.name)
            if not value:
                raise BadArgument(f"{_PREFIX}.{self.kind}.{each.name}", "It must be set.")
            if problem := _problem(each.name, value):
                raise BadArgument(f"{_PREFIX}.{self.kind}.{each.name}", f"{value!r} {problem}")


def _problem(name: str, value: str) -> str:
    if name.endswith("_arn") and not _ARN.fullmatch(value):
        return "is not an ARN: arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE."
    if name == "gcp_service_account" and not _ACCOUNT.fullmatch(value):
        return "is not the address of a service account."
    if name == "bootstrap_server" and not _SERVER.fullmatch(value):
        return "is not of the form HOST:PORT."
    return ""


@dataclass(frozen=True, slots=True)
class AwsKinesis(_Texts):
    """A stream of Amazon Kinesis."""

    kind: ClassVar[str] = "aws_kinesis"
    stream_arn: str
    consumer_arn: str
    aws_role_arn: str
    gcp_service_account: str

    def __post_init__(self) -> None:
        self.check()


@dataclass(frozen=True, slots=True)
class AzureEventHubs(_Texts):
    """An event hub of Microsoft Azure."""

    kind: ClassVar[str] = "azure_event_hubs"
    resource_group: str
    namespace: str
    event_hub: str
    client_id: str
    tenant_id: str
    subscription_id: str
    gcp_service_account: str

    def __post_init__(self) -> None:
        self.check()


@dataclass(frozen=True, slots=True)
class AwsMsk(_Texts):
    """A topic of Amazon's Kafka."""

    kind: ClassVar[str] = "aws_msk"
    cluster_arn: str
    topic: str
    aws_role_arn: str
    gcp_service_account: str

    def __post_init__(self) -> None:
        self.check()


@dataclass(frozen=True, slots=True)
class ConfluentCloud(_Texts):
    """A topic of Confluent's Kafka."""

    kind: ClassVar[str] = "confluent_cloud"
    bootstrap_server: str
    cluster_id: str
    topic: str
    identity_pool_id: str
    gcp_service_account: str

    def __post_init__(self) -> None:
        self.check()


class ObjectFormat(enum.Enum):
    """What an object of Cloud Storage holds."""

    TEXT = "text_format"
    AVRO = "avro_format"
    PUBSUB_AVRO = "pubsub_avro_format"


@dataclass(frozen=True, slots=True)
class CloudStorage:
    """The objects of a bucket, as texts that a delimiter parts, as Avro records, or as what a Cloud Storage subscription has written."""

    kind: ClassVar[str] = "cloud_storage"
    bucket: str
    format: ObjectFormat | None = None
    """None: nothing was said, which means text."""
    delimiter: str | None = None
    """None: nothing was said, which means a newline."""
    minimum_object_create_time: Nanos | None = None
    match_glob: str = ""

    def __post_init__(self) -> None:
        if not _BUCKET.fullmatch(self.bucket):
            raise BadArgument(f"{_PREFIX}.cloud_storage.bucket", f"{self.bucket!r} is no bucket's name (without gs://).")
        if self.delimiter is not None and len(self.delimiter) != 1:
            raise BadArgument(f"{_PREFIX}.cloud_storage.text_format.delimiter", f"{self.delimiter!r} is not one character.")


Source = AwsKinesis | CloudStorage | AzureEventHubs | AwsMsk | ConfluentCloud


@dataclass(frozen=True, slots=True)
class Ingestion:
    """Where messages come from, and which failures are logged (None: nothing was said)."""

    source: Source
    severity: Severity | None = None


TEXT_SOURCES: Final[dict[str, type[AwsKinesis | AzureEventHubs | AwsMsk | ConfluentCloud]]] = {
    kind.kind: kind for kind in (AwsKinesis, AzureEventHubs, AwsMsk, ConfluentCloud)
}
"""The sources whose fields are all texts, by the field that holds them."""


@dataclass(slots=True)
class Ingested:
    """How far the ingestion of a topic has come."""

    state: str = ACTIVE
    """What has become of it, as the API names it: ACTIVE, BUCKET_NOT_FOUND."""
    objects: dict[str, int] = field(default_factory=dict)
    """The objects that were read, each with its generation."""
