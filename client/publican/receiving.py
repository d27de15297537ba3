"""A subscriber without I/O: flow control, leases, order and settlements as one machine.

Told what has happened (a response, a settled message, an answer, the end of a stream, an instant), it says what to do next as effects; `take()` gives
them. The asyncio engine is its interpreter and holds the one timer, set to `next_due()`.

A delivery is received, held until there is room and it is its key's turn, handed out, and settled or lost (leases.Stage). Each way out of that
frees its place once.

PYTEST_DONT_REWRITE
"""

import enum
from collections import deque
from typing import TYPE_CHECKING, Final, Literal

from publican import retry
from publican.clock import MILLISECOND, SECOND, Nanos, nanos
from publican.delivery_order import DeliveryOrder
from publican.effects import (
    Abandon,
    Answered,
    Connect,
    Disconnect,
    Drained,
    Effect,
    Ended,
    HalfTime,
    Hand,
    Lost,
    Ping,
    Resolved,
    Resume,
    Send,
)
from publican.flow import FlowControl, Outstanding
from publican.leases import Delivery, LeaseKeeper, Stage
from publican.settlement import AckResult, Batch, How, Kind, Settlements
from publican_protocol import pubsub

if TYPE_CHECKING:
    from publican.errors import PubsubError

PING_NS: Final = 30 * SECOND
PONG_NS: Final = 10 * SECOND
LIFE_NS: Final = 10 * SECOND
"""A stream that lived so long was not a failed attempt."""
FLUSH_NS: Final = 5 * SECOND
"""How long the end waits for the last acks to be answered."""
WINDOW_NS: Final = Nanos(10 * MILLISECOND)
PROTOCOL_VERSION: Final = 1
"""Says that the service may answer an empty request with an empty response."""


class Phase(enum.Enum):
    """Where a subscription is in its life."""

    WAITING = "waiting"  # for the next attempt to connect
    CONNECTING = "connecting"
    OPEN = "open"
    CLOSING = "closing"
    ENDED = "ended"


class Receiving:
    """What one subscriber does, decision by decision."""

    def __init__(
        self,
        subscription: str,
        flow_control: FlowControl,
        jitter: retry.Jitter,
        *,
        client_id: str = "",
        window: Nanos = WINDOW_NS,
        nack_window: Nanos | None = None,
        concurrency: int | None = None,
        keeps_leases: bool = True,
        sends_nacks: bool = True,
        close_timeout_s: float | None = 30,
    ) -> None:
        """`close_timeout_s`: how long handlers may go on after an error that ends the subscription."""
        self.subscription = subscription
        self.outstanding = Outstanding(flow_control, concurrency)
        self.keeper = LeaseKeeper(flow_control, jitter, keeps=keeps_leases)
        self.settlements = Settlements(jitter, retry.CHANGE, retry.EXACTLY_ONCE, window, nack_window=nack_window, sends_nacks=sends_nacks)
        self.order = DeliveryOrder()
        self.phase = Phase.WAITING
        self.is_ordered = False
        self.reconnects = 0
        self.late = 0
        """How many messages were settled after their lease was lost."""
        self.last_response: Nanos | None = None
        self._flow_control = flow_control
        self._client_id = client_id
        self._close_timeout_s = close_timeout_s
        self._keeps = keeps_leases
        self._ready: deque[Delivery] = deque()
        self._effects: list[Effect] = []
        self._backoff = retry.Backoff(retry.RECONNECT, jitter, Nanos(0))
        self._connect_at: Nanos | None = None
        self._connected_at = Nanos(0)
        self._has_brought = False
        self._ping_at: Nanos | None = None
        self._pong_by: Nanos | None = None
        self._has_pinged = False
        self._peer_pongs = False
        self._error: PubsubError | None = None
        self._close_by: Nanos | None = None
        self._flush_by: Nanos | None = None
        self._hands_until: Nanos | None = None
        self._hands_on = False
        self._finished = self._nacked = self._abandoned = 0

    # what it says

    def take(self) -> list[Effect]:
        """Give what is to be done since the last time."""
        effects, self._effects = self._effects, []
        return effects

    @property
    def has_effects(self) -> bool:
        """Whether `take` would give something."""
        return bool(self._effects)

    @property
    def held(self) -> int:
        """How many messages wait for room, or for their turn."""
        return self.outstanding.count - self.outstanding.handed_count

    def next_due(self) -> Nanos | None:
        """Give the instant at which something will be due; None: nothing will."""
        if self.phase is Phase.ENDED:
            return None
        dues = [self.keeper.next_due(), self.settlements.next_due(), self._connect_at, self._close_by, self._flush_by, self._hands_until]
        if self.phase is Phase.OPEN:
            dues += (self._ping_at, self._pong_by)
        return min((each for each in dues if each is not None), default=None)

    # the stream

    def start(self, now: Nanos) -> None:
        """Begin."""
        if self.phase is Phase.WAITING:
            self._connect_at = now
        self.settle(now)

    def _connect(self) -> None:
        self._connect_at = None
        self.phase = Phase.CONNECTING
        self._effects.append(
            Connect(
                pubsub.StreamingPullRequest(
                    subscription=self.subscription,
                    stream_ack_deadline_seconds=max(10, self.keeper.length_s),
                    client_id=self._client_id,
                    max_outstanding_messages=self._flow_control.max_messages,
                    max_outstanding_bytes=self._flow_control.max_bytes,
                    protocol_version=PROTOCOL_VERSION,
                )
            )
        )

    def connected(self, now: Nanos) -> None:
        """A stream is open."""
        if self.phase is Phase.CONNECTING:
            self.phase = Phase.OPEN
            self._connected_at = now
            self._has_brought = False
            self._ping_at = Nanos(now + PING_NS)
            self._pong_by = None

    def has_lived(self, now: Nanos) -> bool:
        """Say whether the open stream was worth opening: it has brought something, or lived for ten seconds."""
        return self.phase is Phase.OPEN and (self._has_brought or now - self._connected_at >= LIFE_NS)

    def stream_ended(self, error: "PubsubError | None", now: Nanos) -> None:
        """The stream has ended, or could not be opened; None: cleanly."""
        if self.phase is not Phase.CONNECTING and self.phase is not Phase.OPEN:
            return
        if self.has_lived(now):
            self._backoff.reset()
        self._ping_at = self._pong_by = None
        again = self._backoff.again_at(error, now)
        if again is None:
            self._error = error
            self.close(now, timeout_s=self._close_timeout_s)
            return
        self.phase = Phase.WAITING
        self.reconnects += 1
        self._connect_at = again

    @property
    def reconnects_at(self) -> Nanos | None:
        """When the next attempt to connect is made; None: none waits."""
        return self._connect_at

    def received(self, response: pubsub.StreamingPullResponse, now: Nanos) -> None:
        """A response has come."""
        self.last_response = now
        self._ping_at = Nanos(now + PING_NS)
        self._pong_by = None
        if response.HasField("subscription_properties"):
            properties = response.subscription_properties
            self.keeper.is_exactly_once = properties.exactly_once_delivery_enabled
            self.is_ordered = properties.message_ordering_enabled
        messages = response.received_messages
        if not messages:
            self._peer_pongs |= self._has_pinged  # it knows what an empty request means: from now on silence says something
        self._has_pinged = False
        if messages:
            self._has_brought = True
            self._received(messages, now)

    def _received(self, messages: list[pubsub.ReceivedMessage], now: Nanos) -> None:
        keeper, total = self.keeper, 0
        group = keeper.group(now)
        members = group.members
        for each in messages:
            message = each.message
            size = message.ByteSize()
            total += size
            members.append(Delivery(each.ack_id, message.ordering_key if self.is_ordered else "", size, each, group))
        self.outstanding.add(len(members), total)
        seconds = keeper.keep(group, now)
        if self.phase is Phase.CLOSING or self.phase is Phase.ENDED:
            self._give_back(members, now)
            return
        if self.is_ordered:
            members = self._in_line(members, now)
        waits = keeper.is_exactly_once and self._keeps
        if seconds:
            self.settlements.extend(members, seconds, now, at_once=waits)
        if waits:
            self._cut(now)
        else:
            self._hold(members, now)

    # hand-out

    def _in_line(self, deliveries: list[Delivery], now: Nanos) -> list[Delivery]:
        """Put each behind what has come of its key; give what is kept."""
        kept = []
        for each in deliveries:
            if each.key and not self.order.came(each):
                self._out_of(each, Stage.SETTLED)
                self.settlements.nack(each, now)
            else:
                kept.append(each)
        return kept

    def _hold(self, deliveries: list[Delivery], now: Nanos) -> None:
        ready = self._ready
        if not ready and self.order.is_idle and self.phase is Phase.OPEN and self.outstanding.hand_all(deliveries):
            for each in deliveries:
                each.stage = Stage.HANDED
                each.handed_at = now
            self._effects.append(Hand(deliveries))
            return
        for each in deliveries:
            each.stage = Stage.HELD
            if not each.key or self.order.has_turn(each):
                ready.append(each)
        self._hand(now)

    def _hand(self, now: Nanos) -> None:
        ready, outstanding = self._ready, self.outstanding
        if self.phase is Phase.CLOSING and not self._hands_on:
            return
        handed: list[Delivery] = []
        while ready:
            first = ready[0]
            if first.stage is not Stage.HELD:  # given up while it waited
                ready.popleft()
                continue
            if not outstanding.may_hand(first.size):
                break
            ready.popleft()
            outstanding.hand(first.size)
            first.stage = Stage.HANDED
            first.handed_at = now
            handed.append(first)
        if handed:
            self._effects.append(Hand(handed))

    # the ways out

    def settled(self, delivery: Delivery, how: How, now: Nanos) -> None:
        """A message is acked, nacked or dropped by its handler; the first time counts."""
        if delivery.stage is not Stage.HANDED:
            self._settled_again(delivery)
            return
        self._out_of(delivery, Stage.SETTLED)
        self.keeper.handling.add(now - delivery.handed_at)
        if how is How.ACK:
            self.settlements.ack(delivery, now)
            if delivery.key:
                following = self.order.acked(delivery)
                if following is not None and following.stage is Stage.HELD:
                    self._ready.append(following)
        else:
            self._failed(delivery, how, now)
        if self._ready:
            self._hand(now)
        if self.phase is Phase.CLOSING:
            self._finished += 1
            self._progress(now)

    def _settled_again(self, delivery: Delivery) -> None:
        """It was settled before, or its lease is lost."""
        if delivery.stage is Stage.LOST:
            self.late += 1
        if delivery.wants_result and delivery.result is not None:
            self._effects.append(Resolved(delivery, delivery.result))

    def _failed(self, delivery: Delivery, how: How, now: Nanos) -> None:
        if how is How.NACK and self.settlements.sends_nacks:
            self.settlements.nack(delivery, now)
        else:
            self._resolve(delivery, AckResult.SUCCESS)
        self._give_up_behind(delivery, now)

    def _out_of(self, delivery: Delivery, stage: Stage) -> None:
        """Take a delivery out of everything that counts it."""
        was_paused = self.outstanding.is_paused
        self.outstanding.remove(delivery.size, was_handed=delivery.stage is Stage.HANDED)
        delivery.stage = stage
        self.keeper.forget(delivery)
        if was_paused and not self.outstanding.is_paused:
            self._effects.append(Resume())

    def _give_up_behind(self, delivery: Delivery, now: Nanos) -> None:
        """Give back what waits behind a failed message of its key, in order."""
        if delivery.key:
            for each in self.order.failed(delivery):
                if each.is_live:
                    self._out_of(each, Stage.SETTLED)
                    self.settlements.nack(each, now)

    def _lose(self, deliveries: list[Delivery], why: str, now: Nanos, *, nack: bool) -> None:
        """The leases of these are over; their handlers go on."""
        lost = []
        for each in deliveries:
            if not each.is_live:  # its key has failed meanwhile
                continue
            self._out_of(each, Stage.LOST)
            each.result = AckResult.LEASE_LOST
            lost.append(each)
            if nack:
                self.settlements.nack(each, now)
            self._give_up_behind(each, now)
        if lost:
            self._effects.append(Lost(lost, why))
        self._hand(now)

    def _give_back(self, deliveries: list[Delivery], now: Nanos) -> None:
        """Nack what nobody has been handed."""
        for each in deliveries:
            self._out_of(each, Stage.SETTLED)
            self.settlements.nack(each, now)
        self._nacked += len(deliveries)
        self.settlements.flush(now)

    def extended(self, delivery: Delivery, seconds: int, now: Nanos) -> None:
        """A handler asks for another deadline of its own."""
        if seconds == 0:
            self.settled(delivery, How.NACK, now)
        elif delivery.is_live:
            self.settlements.extend([delivery], seconds, now, at_once=True)

    # calls

    def answered(self, batch: Batch, error: "PubsubError | None", now: Nanos) -> None:
        """A request that was sent has been answered; None: it was accepted."""
        answer = self.settlements.answered(batch, error, now)
        if batch.kind is Kind.MODACK:
            if error is None:
                self.keeper.round_trips.add(now - batch.sent_at)
            received = [each for each in answer.successes if each.stage is Stage.RECEIVED]
            if received:
                self._hold(received, now)
            gone = [each for each, _ in answer.refused if each.is_live] if self.keeper.is_exactly_once else []
            if gone:
                self._lose(gone, "the service has ended it", now, nack=False)
        else:
            for each in answer.successes:
                if each.result is None:
                    self._resolve(each, AckResult.SUCCESS)
            for each, result in answer.refused:
                self._resolve(each, result)
        self._effects.append(Answered(answer, error))
        self.settle(now)

    def _resolve(self, delivery: Delivery, result: AckResult) -> None:
        delivery.result = delivery.result or result
        if delivery.wants_result:
            self._effects.append(Resolved(delivery, result))

    # time

    def settle(self, now: Nanos) -> None:
        """Carry out everything that is due."""
        due = self.keeper.next_due()
        if due is not None and due <= now:
            self._settle_leases(now)
        if self._connect_at is not None and self._connect_at <= now:
            self._connect()
        if self.phase is Phase.OPEN:
            self._settle_pings(now)
        self._cut(now)
        if self.phase is Phase.CLOSING:
            self._progress(now)

    def _cut(self, now: Nanos) -> None:
        self._effects += map(Send, self.settlements.settle(now))

    def _settle_leases(self, now: Nanos) -> None:
        extensions, lost, half = self.keeper.settle(now)
        for seconds, deliveries in extensions:
            self.settlements.extend(deliveries, seconds, now)
        if half:
            self._effects.append(HalfTime(half))
        if lost:
            self._lose(lost, "max_lease_duration has passed", now, nack=True)

    def _settle_pings(self, now: Nanos) -> None:
        """Keep the stream known to be alive: a ping after 30 s without a response, and a new stream 10 s later, if this peer answers pings."""
        if self._pong_by is not None and self._pong_by <= now:
            self._pong_by = self._ping_at = None
            self._effects.append(Disconnect(is_final=False))
        elif self._ping_at is not None and self._ping_at <= now:
            self._ping_at = Nanos(now + PING_NS)
            self._has_pinged = True
            self._effects.append(Ping())
            if self._peer_pongs and not self.outstanding.is_paused:
                self._pong_by = Nanos(now + PONG_NS)

    # the end

    def close(self, now: Nanos, *, timeout_s: float | None = 30, held: Literal["nack", "process"] = "nack") -> None:
        """Take nothing more and give back what is held; what handlers have may be finished within `timeout_s` (None: whenever), and is kept.

        `held` "process": what is held is handed out yet, until 5 s before that. A second time can only shorten the time.
        """
        close_by = None if timeout_s is None else Nanos(now + nanos(timeout_s))
        if self.phase is Phase.CLOSING or self.phase is Phase.ENDED:
            self._close_by = min((each for each in (self._close_by, close_by) if each is not None), default=None)
            self.settle(now)
            return
        self.phase = Phase.CLOSING
        self._connect_at = self._ping_at = self._pong_by = None
        self._close_by = close_by
        self._effects.append(Disconnect(is_final=True))
        if held == "process":
            self._hands_until = None if close_by is None else Nanos(close_by - FLUSH_NS)
            self._hands_on = True
        else:
            self._give_back([each for each in self.keeper.live() if each.stage is not Stage.HANDED], now)
        self.settlements.flush(now)
        self.settle(now)

    def _progress(self, now: Nanos) -> None:
        """Go on closing as far as that goes now."""
        is_over = self._close_by is not None and self._close_by <= now
        if self._hands_on and (is_over or (self._hands_until is not None and self._hands_until <= now)):
            self._hands_until, self._hands_on = None, False
            self._give_back([each for each in self.keeper.live() if each.stage is not Stage.HANDED], now)
        if is_over:
            self._close_by = None
            late = [each for each in self.keeper.live() if each.stage is Stage.HANDED]
            for each in late:
                self._out_of(each, Stage.LOST)
                each.result = AckResult.LEASE_LOST
                self.settlements.nack(each, now)
            self._abandoned += len(late)
            if late:
                self._effects.append(Abandon(late))
        if self.outstanding.count:
            return
        self._close_by = None
        self.settlements.flush(now)
        self._cut(now)
        if self._flush_by is None:
            self._flush_by = Nanos(now + FLUSH_NS)
        if self.settlements.is_waiting and now < self._flush_by:
            return
        for each in self.settlements.abandon():
            self._resolve(each, AckResult.LEASE_LOST)
        self._flush_by = None
        self.phase = Phase.ENDED
        self._effects.append(Ended(self._error, Drained(self._finished, self._nacked, self._abandoned)))
