"""The chapter of snapshots.

    {"name", "topic": its number, "expire_time", "labels", "held": [message ids], "since": place}

PYTEST_DONT_REWRITE
"""

from functools import partial
from typing import TYPE_CHECKING

from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.operations.snapshots import expire
from publican_emulator.broker.snapshot import Snapshot
from publican_emulator.broker.state.plain import Plain
from publican_emulator.broker.state.references import Dumping, Loading

if TYPE_CHECKING:
    from publican_emulator.broker.broker import Broker


def dump(broker: "Broker", dumping: Dumping) -> Plain:
    """Give the snapshots."""
    return [
        {
            "name": snapshot.name,
            "topic": dumping.topic(snapshot.origin),
            "expire_time": snapshot.expire_time,
            "labels": dict(snapshot.labels),
            "held": dumping.ids(snapshot.held),
            "since": dumping.place(snapshot.origin, snapshot.since),
        }
        for snapshot in broker.snapshots
    ]


def load(broker: "Broker", said: Plain, loading: Loading) -> None:
    """Make the snapshots."""
    for each in said:
        origin = loading.topics[each["topic"]]
        topic = loading.living(broker, origin)
        held, since = loading.stored(each["held"]), loading.cursor(each["topic"], each["since"])
        snapshot = Snapshot(each["name"], origin, topic, Nanos(each["expire_time"]), each["labels"], held, since, partial(expire, broker))
        broker.snapshots.put(snapshot.name, snapshot)
        broker.timers.arm(snapshot, snapshot.next_due())
        if topic is not None:
            topic.snapshots.add(snapshot.name)
