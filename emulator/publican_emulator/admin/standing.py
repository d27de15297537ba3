"""How things stand now, in words: what is still open, and which lease outlasts the deadline that a test has waited for.

PYTEST_DONT_REWRITE
"""

from collections.abc import Iterator
from typing import Final

from publican_emulator.broker.broker import Broker
from publican_emulator.broker.events import Fact, Kind
from publican_emulator.broker.instants import SECOND, Nanos, spoken
from publican_emulator.broker.peek import Peeked, peek
from publican_emulator.broker.subscription import Subscription
from publican_emulator.history import History
from publican_protocol import wire

LINES_MAX: Final = 20


def lines(broker: Broker, history: History, now: Nanos) -> list[str]:
    """Give a line for each message that somebody holds or that waits for its back-off, and what to know about it."""
    found: list[str] = []
    for name in broker.existing_names("subscription"):
        found += _of(broker.get_subscription(name, now), history, now)
    hidden = len(found) - LINES_MAX
    return [*found[:LINES_MAX], *([f"... and {hidden} more"] if hidden > 0 else [])]


def _of(subscription: Subscription, history: History, now: Nanos) -> Iterator[str]:
    open_ones = [each for each in peek(subscription, now) if each.until is not None]
    if not open_ones:
        return
    name = subscription.name.rpartition("/")[2]
    delivered = {
        message: fact for fact in history.facts if fact.kind is Kind.DELIVERED and fact.resource == subscription.name for message in fact.messages
    }
    outlasting = 0
    for each in open_ones:
        fact = delivered.get(each.message)
        yield _line(each, fact, name, history)
        outlasting += fact is not None and _outlasts(subscription, each, fact, now)
    if outlasting:
        deadline = spoken(Nanos(subscription.settings.ack_deadline_s * SECOND))
        still = "one of them is" if outlasting == 1 else f"{outlasting} of them are"
        yield (
            f"note: {name}'s ack deadline of {deadline} has passed, but the stream asks for longer leases: "
            f"{still} leased all the same; subscription.expire(message) ends a lease now"
        )


def _line(each: Peeked, fact: Fact | None, name: str, history: History) -> str:
    head = f"still open: m{wire.message_id_of(each.message)}"
    assert each.until is not None
    if not each.is_leased:
        return f"{head} waits for its back-off on {name} until {history.offset(each.until)}"
    by = f" by {fact.consumer}" if fact is not None and fact.consumer else ""
    return f"{head} leased on {name}{by} until {history.offset(each.until)}"


def _outlasts(subscription: Subscription, each: Peeked, fact: Fact, now: Nanos) -> bool:
    is_streamed = fact.consumer.startswith("StreamingPull")
    return is_streamed and each.is_leased and fact.at + subscription.settings.ack_deadline_s * SECOND <= now
