"""Ingestion: which topics get their messages from elsewhere, and how far that has come. Reading is others' business.

Source: google.pubsub.v1.IngestionDataSourceSettings.

PYTEST_DONT_REWRITE
"""

from typing import TYPE_CHECKING

from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.topic import Topic

if TYPE_CHECKING:
    from publican_emulator.broker.broker import Broker


def ingesting_topics(broker: "Broker", now: Nanos) -> list[Topic]:
    """Give the topics that have ingestion settings."""
    return [topic for topic in broker.topics if topic.settings.ingestion is not None]


def note_ingestion(broker: "Broker", topic: str, state: str, object_name: str, generation: int, now: Nanos) -> None:
    """Note the state of a topic's ingestion, and that an object has been read ("": none)."""
    known = broker.topics.get(topic)
    known.ingested.state = state
    if object_name:
        known.ingested.objects[object_name] = generation
