"""What is exported of a message, beside its data: the metadata that may stand in columns and in fields.

Source: google.pubsub.v1.BigQueryConfig.write_metadata, CloudStorageConfig.AvroConfig.write_metadata.

PYTEST_DONT_REWRITE
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from publican_emulator.broker.instants import SECOND
from publican_emulator.broker.schema_settings import Definition
from publican_protocol import pubsub

ORDERING_KEY = "ordering_key"
"""What the ordering key is called among the attributes."""

Decode = Callable[[bytes], tuple[Definition, Mapping[str, object]]]
"""Gives the schema that a stored message fits, and its values; raises Mismatch."""


class Unfit(ValueError):
    """A message that its target does not take; the text says why."""


@dataclass(frozen=True, slots=True)
class Exported:
    """One message as exports see it."""

    subscription: str
    message: bytes
    """As it is handed out: a serialized PubsubMessage."""
    data: bytes
    message_id: str
    publish_time_us: int
    attributes: Mapping[str, str]
    """With the ordering key, where there is one."""


def exported(message: bytes, subscription: str) -> Exported:
    """Give a message as exports see it."""
    known = pubsub.PubsubMessage.FromString(message)
    attributes = dict(known.attributes)
    if known.ordering_key:
        attributes[ORDERING_KEY] = known.ordering_key
    stamp: Any = known.publish_time
    publish_time_us = (stamp.seconds * SECOND + stamp.nanos) // 1_000
    return Exported(subscription, message, known.data, known.message_id, publish_time_us, attributes)
