"""What a test sees of what happened: messages with their deliveries, acks, nacks, expiries, and events one by one.

They are what the admin API tells (`GET /_publican/messages`, `/events`), with types.

PYTEST_DONT_REWRITE
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_SETTLED = ("acked", "dead-lettered", "dropped")


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, to a resource or to messages."""

    number: int
    at: datetime
    """To the microsecond; the emulator's time."""
    kind: str
    """published, delivered, modack, expired, nacked, acked, acked late, ack refused, forwarded, dropped, pulled none; created, deleted, ..."""
    resource: str
    """Full name of the topic, subscription or snapshot that it happened to."""
    message_ids: tuple[str, ...] = ()
    attempt: int = 0
    """Number of the delivery, from 1; 0 where none is meant."""
    until: datetime | None = None
    """The end of the lease, for deliveries and modacks; of the back-off, for nacks and expiries."""
    consumer: str = ""
    """Who got it: `Pull #3`, `StreamingPull #1`."""
    note: str = ""

    @classmethod
    def of(cls, told: Mapping[str, Any], message_ids: Iterable[str] = ()) -> "Event":
        """Read one."""
        return cls(
            told["number"],
            instant(told["at"]),
            told["kind"],
            told["resource"],
            tuple(told.get("messageIds", message_ids)),
            told.get("attempt", 0),
            instant(told["until"]) if "until" in told else None,
            told.get("consumer", ""),
            told.get("note", ""),
        )


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """One published message and everything that has happened to it."""

    id: str
    topic: str
    """Full name of the topic that it was published to."""
    data: bytes
    attributes: Mapping[str, str]
    ordering_key: str
    publish_time: datetime
    events: tuple[Event, ...] = field(repr=False)
    """Oldest first; of a subscription's messages only those on that subscription, and the publish."""
    states: Mapping[str, str]
    """How it stands by subscription: leased, waiting, acked, dead-lettered, dropped."""

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "MessageRecord":
        """Read one."""
        return cls(
            told["messageId"],
            told["topic"],
            base64.b64decode(told["data"]),
            told["attributes"],
            told["orderingKey"],
            instant(told["publishTime"]),
            tuple(Event.of(each, (told["messageId"],)) for each in told["events"]),
            {name: state["state"] for name, state in told["states"].items()},
        )

    @property
    def deliveries(self) -> list[Event]:
        """Each time it was handed out."""
        return self._of("delivered")

    @property
    def acks(self) -> list[Event]:
        """Each ack that had an effect, also after the deadline."""
        return self._of("acked", "acked late")

    @property
    def nacks(self) -> list[Event]:
        """Each time it was given back."""
        return self._of("nacked")

    @property
    def modacks(self) -> list[Event]:
        """Each change of its deadline."""
        return self._of("modack")

    @property
    def expiries(self) -> list[Event]:
        """Each lease that ran out."""
        return self._of("expired")

    @property
    def state(self) -> str:
        """How it stands where it is least settled; `unread` when it was handed to nobody yet."""
        open_states = [state for state in self.states.values() if state not in _SETTLED]
        return "unread" if not self.states else open_states[0] if open_states else next(iter(self.states.values()))

    @property
    def is_settled(self) -> bool:
        """Whether it is acked, dead-lettered or dropped wherever it went."""
        return bool(self.states) and all(state in _SETTLED for state in self.states.values())

    def _of(self, *kinds: str) -> list[Event]:
        return [event for event in self.events if event.kind in kinds]


def instant(text: str) -> datetime:
    """Read an instant as the emulator tells it: UTC with nine digits, of which a datetime holds six."""
    return datetime.fromisoformat(text[:26]).replace(tzinfo=UTC)
