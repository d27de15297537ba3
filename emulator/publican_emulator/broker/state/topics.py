"""The chapter of topics: settings, and the log from the first place that somebody needs.

    {"name", "settings", "is_deleted", "last_publish", "kept": place, null where nothing is retained, "ingested",
     "log": [message ids]}

PYTEST_DONT_REWRITE
"""

from typing import TYPE_CHECKING

from publican_emulator.broker.ingestion import Ingested
from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.settings import TopicSettings
from publican_emulator.broker.state.plain import Plain, made, plain
from publican_emulator.broker.state.references import Dumping, Loading, cursor_at, fill, place
from publican_emulator.broker.topic import Topic

if TYPE_CHECKING:
    from publican_emulator.broker.broker import Broker


def dump(broker: "Broker", dumping: Dumping) -> Plain:
    """Give the topics: those there are, and deleted ones that somebody has messages of."""
    for topic in broker.topics:
        dumping.topic(topic)
        if topic.kept is not None:
            dumping.place(topic, topic.kept)
    alive = set(broker.topics)
    return [_dumped(topic, dumping, is_deleted=topic not in alive) for topic in dumping.topics]


def _dumped(topic: Topic, dumping: Dumping, *, is_deleted: bool) -> Plain:
    start = dumping.starts.get(topic)
    return {
        "name": topic.name,
        "settings": plain(topic.settings),
        "is_deleted": is_deleted,
        "last_publish": topic.last_publish,
        "kept": None if topic.kept is None or is_deleted else place(topic.kept),
        "ingested": plain(topic.ingested),
        "log": [] if start is None else dumping.ids(start.messages()),
    }


def load(broker: "Broker", said: Plain, loading: Loading) -> None:
    """Make the topics."""
    for each in said:
        topic = Topic(each["name"], made(TopicSettings, each["settings"]), broker.attic)
        topic.last_publish = Nanos(each["last_publish"])
        topic.ingested = made(Ingested, each.get("ingested", {}))
        start = fill(topic.log, loading.stored(each["log"]))
        loading.topics.append(topic)
        loading.starts.append(start)
        topic.kept = None if each["kept"] is None else cursor_at(start, topic.log.end(), each["kept"])
        if not each["is_deleted"]:
            broker.topics.put(topic.name, topic)
            broker.timers.arm(topic, topic.next_due())
            if topic.settings.ingestion is not None:
                broker.on_ingestion()
