"""Who runs on the emulator's clock beside it: its deadlines are visited with the emulator's own, and time waits until it is at rest."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Iterator

import pytest

from publican_emulator import Emulator, VirtualClock, control
from publican_emulator.broker.broker import Broker
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.settings import SubscriptionSettings, TopicSettings
from publican_emulator.control import RestlessError

TOPIC, SUBSCRIPTION = "projects/p/topics/orders", "projects/p/subscriptions/billing"
START = Nanos(1_800_000_000 * SECOND)


class Keeper:
    """A client's lease keeper: it extends what it holds a second before the deadline, in a thread of its own."""

    def __init__(self, emulator: Emulator, until: Nanos) -> None:
        self.emulator = emulator
        self.due: Nanos | None = Nanos(START + 9 * SECOND)
        self.until = until
        self.ack_id = ""
        self.seen: list[float] = []
        self._busy = threading.Lock()
        self._hands = concurrent.futures.ThreadPoolExecutor(1)

    def next_due(self) -> Nanos | None:
        return self.due

    async def settle(self, now: Nanos) -> None:
        if self.due is not None and self.due <= now:
            await asyncio.wrap_future(self._hands.submit(self._extend, now))

    def _extend(self, now: Nanos) -> None:
        self.seen.append((now - START) / SECOND)
        self.emulator.run(Broker.modify_ack_deadline, SUBSCRIPTION, [self.ack_id], 10)
        self.due = Nanos(now + 9 * SECOND) if now < self.until else None

    def is_quiescent(self) -> bool:
        return not self._busy.locked()

    def owns(self, client_id: str) -> bool:
        return client_id == "keeper"

    def close(self) -> None:
        self._hands.shutdown()


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(clock=VirtualClock(START), history=True) as running:
        running.run(Broker.create_topic, TOPIC, TopicSettings())
        running.run(Broker.create_subscription, SUBSCRIPTION, TOPIC, SubscriptionSettings())
        yield running


def test_a_participant_is_visited_at_each_of_its_deadlines_in_order(emulator: Emulator) -> None:
    keeper = Keeper(emulator, until=Nanos(START + 27 * SECOND))
    emulator.run(Broker.publish, TOPIC, [b"\x0a\x01x"])
    keeper.ack_id = leased(emulator)
    with emulator.joined(keeper):
        emulator.advance(60)
    keeper.close()
    assert keeper.seen == [9, 18, 27]
    assert [line for line in emulator.history.text().splitlines() if "expired" in line] == [
        "  +37.000s  expired      sub=billing  attempt=1  (no ack)"
    ]


def leased(emulator: Emulator) -> str:
    answer = emulator.ask("POST", f"/v1/{SUBSCRIPTION}:pull", b'{"maxMessages": 1}')
    return answer.body.decode().partition('"ackId": "')[2].partition('"')[0]


def test_without_it_the_lease_runs_out(emulator: Emulator) -> None:
    emulator.run(Broker.publish, TOPIC, [b"\x0a\x01x"])
    leased(emulator)
    emulator.advance(60)
    assert "+10.000s  expired" in emulator.history.text()


def test_time_in_pieces_is_the_same_time(emulator: Emulator) -> None:
    keeper = Keeper(emulator, until=Nanos(START + 27 * SECOND))
    emulator.run(Broker.publish, TOPIC, [b"\x0a\x01x"])
    keeper.ack_id = leased(emulator)
    with emulator.joined(keeper):
        for _ in range(60):
            emulator.advance(1)
    keeper.close()
    assert keeper.seen == [9, 18, 27]
    assert "+37.000s  expired" in emulator.history.text()


def test_a_participant_that_does_not_come_to_rest_is_named(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "PARTICIPANT_S", 0.01)
    with emulator.joined(Waiting(emulator, START)), pytest.raises(RestlessError, match=r"Waiting object .* within 0.01 real seconds"):
        emulator.advance(1)


class Waiting(Keeper):
    """Waits for what never comes."""

    async def settle(self, now: Nanos) -> None:
        await asyncio.Event().wait()


def test_one_who_is_always_busy_is_given_up(emulator: Emulator) -> None:
    busy = Keeper(emulator, until=START)
    busy._busy.acquire()
    with emulator.joined(busy), pytest.raises(RestlessError, match="without end at one instant"):
        emulator.advance(1)


class Stuck(Keeper):
    """Never does what is due."""

    async def settle(self, now: Nanos) -> None:
        """Do nothing."""


def test_one_who_leaves_undone_what_is_due_is_given_up(emulator: Emulator) -> None:
    with emulator.joined(Stuck(emulator, until=START)), pytest.raises(RestlessError, match="without end at one instant"):
        emulator.advance(10)
