"""Facts, messages and instants as JSON.

PYTEST_DONT_REWRITE
"""

import base64
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from publican_emulator.broker.broker import Broker
from publican_emulator.broker.events import Fact, Kind
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.peek import Peeked, peek
from publican_protocol import wire
from publican_protocol.pubsub import PubsubMessage

_STATE: Final = {Kind.ACKED: "acked", Kind.ACKED_LATE: "acked", Kind.FORWARDED: "dead-lettered", Kind.DROPPED: "dropped"}
"""How a message stands that is not unacked any more; one that was sought past is acked, as the service has it."""


def rfc3339(instant: Nanos) -> str:
    """Give an instant as the API writes it: UTC, nine digits."""
    seconds, nanos = divmod(instant, SECOND)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanos:09d}Z"


def nanos_of(text: str) -> Nanos:
    """Read an instant in RFC 3339, to the nanosecond.

    Raises:
        ValueError: it is none, or has no time zone.
    """
    head, _, rest = text.partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    parsed = datetime.fromisoformat(head + rest[len(digits) :])
    if parsed.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone: write 2026-01-31T12:00:00Z")
    if len(digits) > 9:
        raise ValueError(f"{text!r} has more than nine digits of a second")
    since = parsed - datetime(1970, 1, 1, tzinfo=UTC)
    return Nanos((since.days * 86_400 + since.seconds) * SECOND + int(digits.ljust(9, "0") or "0"))


def event(number: int, fact: Fact) -> dict[str, Any]:
    """Give a fact; what it has nothing to say of is left out."""
    told: dict[str, Any] = {"number": number, "at": rfc3339(fact.at), "kind": fact.kind.value, "resource": fact.resource}
    if fact.messages:
        told["messageIds"] = [str(wire.message_id_of(each)) for each in fact.messages]
    if fact.attempt:
        told["attempt"] = fact.attempt
    if fact.until is not None:
        told["until"] = rfc3339(fact.until)
    if fact.consumer:
        told["consumer"] = fact.consumer
    if fact.note:
        told["note"] = fact.note
    return told


def messages(
    facts: Iterable[tuple[int, Fact]], unacked: Mapping[bytes, Mapping[str, Mapping[str, Any]]], *, resource: str = ""
) -> list[dict[str, Any]]:
    """Give every message that facts tell of, oldest first, with its events and how it stands with each subscription; of one resource, or of all.

    `unacked`: how those stand that are not acked, by stored message and subscription.
    """
    told: dict[bytes, dict[str, Any]] = {}
    for number, fact in facts:
        for stored in fact.messages:
            if stored not in told:
                told[stored] = _message(stored)
            entry = told[stored]
            if fact.kind is Kind.PUBLISHED:
                entry["topic"] = fact.resource
            elif fact.kind is not Kind.ACK_REFUSED:
                entry["states"][fact.resource] = {"state": _STATE.get(fact.kind, "acked"), "attempt": fact.attempt}
            one = event(number, fact)
            del one["messageIds"]
            entry["events"].append(one)
    for stored, entry in told.items():
        entry["states"].update(unacked.get(stored, {}))
    return list(_of(resource, told.values()))


def _of(resource: str, told: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for entry in told:
        if not resource or entry["topic"] == resource:
            yield entry
        elif resource in entry["states"]:
            events = [each for each in entry["events"] if each["resource"] in {resource, entry["topic"]}]
            yield {**entry, "events": events, "states": {resource: entry["states"][resource]}}


def _message(stored: bytes) -> dict[str, Any]:
    message = PubsubMessage.FromString(stored)
    publish_time = Nanos(message.publish_time.seconds * SECOND + message.publish_time.nanos)
    return {
        "messageId": message.message_id,
        "topic": "",
        "data": base64.b64encode(message.data).decode(),
        "attributes": dict(message.attributes),
        "orderingKey": message.ordering_key,
        "publishTime": rfc3339(publish_time),
        "events": [],
        "states": {},
    }


def unacked(peeked: Peeked) -> dict[str, Any]:
    """Give one unacked message of a subscription, with how it stands."""
    told = _message(peeked.message)
    return {name: told[name] for name in ("messageId", "data", "attributes", "orderingKey", "publishTime")} | state(peeked)


def resources(broker: Broker, now: Nanos) -> dict[str, Any]:
    """Give what there is: topics, subscriptions with how much waits there and is leased, snapshots."""
    subscriptions = []
    for name in broker.existing_names("subscription"):
        subscription = broker.get_subscription(name, now)
        leased = waiting = 0
        for each in peek(subscription, now):
            leased += each.is_leased
            waiting += not each.is_leased
        topic = None if subscription.topic is None else subscription.topic.name
        subscriptions.append({"name": name, "topic": topic, "leased": leased, "waiting": waiting, "consumers": len(subscription.rotation.consumers)})
    return {"topics": list(broker.existing_names("topic")), "subscriptions": subscriptions, "snapshots": list(broker.existing_names("snapshot"))}


def state(peeked: Peeked) -> dict[str, Any]:
    """Give how an unacked message stands."""
    told: dict[str, Any] = {"state": "leased" if peeked.is_leased else "waiting", "attempt": peeked.attempts}
    if peeked.until is not None:
        told["until"] = rfc3339(peeked.until)
    return told
