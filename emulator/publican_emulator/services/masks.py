"""Update masks: which fields of a resource an Update call changes, checked as a whole before anything changes.

A path names a field or, with dots, a field inside it. What the mask names and the request leaves out is reset to its default. Parents win
over their children, duplicates are harmless, map entries and `*` are no paths.

Source: google.protobuf.FieldMask, the texts of the service.

PYTEST_DONT_REWRITE
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from google.protobuf.message import Message

from publican_emulator.broker.errors import InvalidArgument
from publican_protocol.pool import message_class

M = TypeVar("M", bound=Message)


@dataclass(frozen=True, slots=True)
class Updatable:
    """What may be updated of a resource, and the words of the service's texts."""

    resource: str
    mutable: frozenset[str]
    example: str

    @property
    def request(self) -> str:
        """The name of the request message."""
        return f"Update{self.resource}Request"


TOPIC: Final = Updatable(
    "Topic",
    frozenset(
        {
            "labels",
            "message_storage_policy",
            "schema_settings",
            "message_retention_duration",
            "ingestion_data_source_settings",
            "message_transforms",
        }
    ),
    "'schema_settings' rather than 'schemaSetings'",  # the service's own typo
)

SUBSCRIPTION: Final = Updatable(
    "Subscription",
    frozenset(
        {
            "push_config",
            "bigquery_config",
            "cloud_storage_config",
            "bigtable_config",
            "ack_deadline_seconds",
            "retain_acked_messages",
            "message_retention_duration",
            "labels",
            "expiration_policy",
            "dead_letter_policy",
            "retry_policy",
            "enable_exactly_once_delivery",
            "message_transforms",
        }
    ),
    "'push_config' rather than 'pushConfig'",
)

SNAPSHOT: Final = Updatable("Snapshot", frozenset({"labels", "expire_time"}), "'expire_time' rather than 'expireTime'")


def checked_paths(what: Updatable, paths: Sequence[str]) -> list[str]:
    """Give the paths of a mask without duplicates and without children of others.

    Raises:
        InvalidArgument: the mask is empty, or a path is unknown or not mutable.
    """
    if not paths:
        raise InvalidArgument(f"The update_mask in the {what.request} must be set, and must contain a non-empty paths list.")
    descriptor = message_class(f"google.pubsub.v1.{what.resource}").DESCRIPTOR
    wrong = f"Invalid update_mask provided in the {what.request}: "
    for path in paths:
        if not _is_known(descriptor, path):
            raise InvalidArgument(f"{wrong}{path} is not a known {what.resource} field. Note that field paths must be of the form {what.example}.")
        if path.partition(".")[0] not in what.mutable:
            raise InvalidArgument(f"{wrong}the '{path}' field in the {what.resource} is not mutable.")
    return [path for path in dict.fromkeys(paths) if not any(path.startswith(other + ".") for other in paths)]


def merged(stored: M, patch: M, paths: Sequence[str]) -> M:
    """Give `stored` with the fields that `paths` names taken from `patch`."""
    result = type(stored)()
    result.CopyFrom(stored)
    for path in paths:
        _take(result, patch, path.split("."))
    return result


def _is_known(descriptor: Any, path: str) -> bool:
    name, dot, rest = path.partition(".")
    field = descriptor.fields_by_name.get(name)
    if field is None:
        return False
    if not dot:
        return True
    return not field.is_repeated and field.message_type is not None and _is_known(field.message_type, rest)


def _take(target: Any, source: Any, path: Sequence[str]) -> None:
    name, *rest = path
    if not rest:
        target.ClearField(name)
        target.MergeFrom(_only(source, name))
    elif target.HasField(name) or source.HasField(name):
        _take(getattr(target, name), getattr(source, name), rest)


def _only(source: M, name: str) -> M:
    part = type(source)()
    part.CopyFrom(source)
    for field, _ in source.ListFields():
        if field.name != name:
            part.ClearField(field.name)
    return part
