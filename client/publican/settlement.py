"""How messages end: acks, nacks and extensions on their way to the service, and what became of them.

They are collected and leave together: when a thousand are waiting, or a while (`window`) after the first. A delivery that was settled needs no
extension any more, and its first ack or nack is final. An answer of 400 halves a batch until the id at fault stands alone; what failed for now is
sent again while its lease lasts, then it is given up and counted: nothing is dropped without a word.

Under exactly-once delivery the service answers for each id: absent from the error is success, PERMANENT_FAILURE_* is final, TRANSIENT_FAILURE_* is
sent again, by itself, for at most ten minutes.

Source: "Exactly-once delivery", cloud.google.com/pubsub/docs/exactly-once-delivery; google.pubsub.v1.Subscriber.Acknowledge.

PYTEST_DONT_REWRITE
"""

import enum
import heapq
import itertools
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from publican.clock import Nanos, nanos
from publican_protocol.codes import Code

if TYPE_CHECKING:
    from publican.errors import PubsubError
    from publican.leases import Delivery
    from publican.retry import Jitter, RetryPolicy

IDS_MAX: Final = 1_000
BYTES_MAX: Final = 512 * 1024
IN_FLIGHT_MAX: Final = 16
"""Requests on their way at once; what comes meanwhile leaves with the next ones."""


class How(enum.Enum):
    """How a message is settled."""

    ACK = "ack"
    NACK = "nack"
    DROP = "drop"  # nothing is said to the service: the lease runs out


class AckResult(enum.Enum):
    """What became of an ack or a nack."""

    SUCCESS = "success"
    LEASE_LOST = "lease lost"  # max_lease_duration had passed, or the client was closed
    INVALID_ACK_ID = "invalid ack id"
    PERMISSION_DENIED = "permission denied"
    FAILED_PRECONDITION = "failed precondition"
    OTHER = "other"


class Settler(Protocol):
    """Whom a received message tells how it ends; one message may be settled from any thread of its loop, once."""

    def settle(self, ack_id: str, how: How) -> None:
        """Settle a message at once; the first of ack, nack and drop counts."""

    async def settle_with_result(self, ack_id: str, how: How) -> AckResult:
        """Settle a message and wait until the service has said what became of it."""

    def extend(self, ack_id: str, seconds: int) -> None:
        """Ask for another deadline, so many seconds from now."""

    def is_lease_lost(self, ack_id: str) -> bool:
        """Say whether the message's lease has ended without being settled."""


class Kind(enum.Enum):
    """What a request does."""

    ACK = "ack"
    NACK = "nack"
    MODACK = "modack"


class Batch:
    """One request: what it does to which deliveries. `seconds` is an extension's."""

    __slots__ = ("attempt", "began", "deliveries", "kind", "seconds", "sent_at")

    def __init__(self, kind: Kind, deliveries: "list[Delivery]", seconds: int, began: Nanos, attempt: int = 0) -> None:
        self.kind = kind
        self.deliveries = deliveries
        self.seconds = seconds
        self.began = began
        """When it was first sent."""
        self.attempt = attempt
        self.sent_at = began

    @property
    def ack_ids(self) -> list[str]:
        """The ack ids, as a request has them."""
        return [each.ack_id for each in self.deliveries]


class Answer:
    """What became of a batch: of each delivery that is final, and whether one is to be tried again."""

    __slots__ = ("batch", "refused", "retried", "successes")

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.successes: list[Delivery] = []
        self.refused: list[tuple[Delivery, AckResult]] = []
        self.retried = 0


class Settlements:
    """Collects what is to be said of deliveries, and cuts requests of it."""

    def __init__(
        self,
        jitter: "Jitter",
        policy: "RetryPolicy",
        exactly_once_policy: "RetryPolicy",
        window: Nanos,
        *,
        nack_window: Nanos | None = None,
        sends_nacks: bool = True,
    ) -> None:
        """`window`: how long the first of a request waits for others, nacks perhaps another. `sends_nacks` False: they are left to their deadline."""
        self._jitter = jitter
        self._policy = policy
        self._exactly_once_policy = exactly_once_policy
        self._window = window
        self._nack_window = window if nack_window is None else nack_window
        self.sends_nacks = sends_nacks
        self._acks: list[Delivery] = []
        self._nacks: list[Delivery] = []
        self._extensions: dict[int, list[Delivery]] = {}
        self._due: Nanos | None = None
        self._again: list[tuple[Nanos, int, Batch]] = []
        self._numbers = itertools.count()
        self._flying: set[Batch] = set()
        self.given_up = 0
        """How many acks and nacks were never accepted."""

    def ack(self, delivery: "Delivery", now: Nanos) -> None:
        """Let an ack leave."""
        acks = self._acks
        acks.append(delivery)
        if self._due is None or len(acks) >= IDS_MAX:
            self._wait(now, len(acks), self._window)

    def nack(self, delivery: "Delivery", now: Nanos) -> None:
        """Let a nack leave."""
        if self.sends_nacks:
            self._nacks.append(delivery)
            self._wait(now, len(self._nacks), self._nack_window)

    def extend(self, deliveries: "Iterable[Delivery]", seconds: int, now: Nanos, *, at_once: bool = False) -> None:
        """Let an extension leave; what is settled before it does is left out."""
        waiting = self._extensions.setdefault(seconds, [])
        waiting.extend(deliveries)
        self._wait(now, IDS_MAX if at_once else len(waiting), self._window)

    def _wait(self, now: Nanos, count: int, window: Nanos) -> None:
        due = now if count >= IDS_MAX else Nanos(now + window)
        self._due = due if self._due is None else min(due, self._due)

    def flush(self, now: Nanos) -> None:
        """Wait for nothing more: what is collected leaves now."""
        if self._acks or self._nacks or self._extensions:
            self._due = now

    @property
    def is_idle(self) -> bool:
        """Whether everything has been said and answered."""
        return not (self._acks or self._nacks or self._extensions or self._flying or self._again)

    @property
    def is_waiting(self) -> bool:
        """Whether acks or nacks have not been answered yet (extensions may be left behind)."""
        return bool(self._acks or self._nacks or self._flying or self._again)

    def next_due(self) -> Nanos | None:
        """Give the instant at which a request has to leave; None: none has, or enough are on their way."""
        if len(self._flying) >= IN_FLIGHT_MAX:
            return None
        again = self._again[0][0] if self._again else None
        if self._due is None or again is None:
            return again if self._due is None else self._due
        return min(self._due, again)

    def settle(self, now: Nanos) -> list[Batch]:
        """Cut the requests that are due; each is to be sent and answered."""
        batches: list[Batch] = []
        while self._again and self._again[0][0] <= now and len(self._flying) < IN_FLIGHT_MAX:
            batch = heapq.heappop(self._again)[2]
            if batch.kind is Kind.MODACK:
                batch.deliveries = [each for each in batch.deliveries if each.is_live]
            if batch.deliveries:
                self._send(batch, now, batches)
        if self._due is not None and self._due <= now:
            self._cut(now, batches)
        return batches

    def _cut(self, now: Nanos, batches: list[Batch]) -> None:
        for kind, waiting in ((Kind.ACK, self._acks), (Kind.NACK, self._nacks)):
            while waiting and len(self._flying) < IN_FLIGHT_MAX:
                self._send(Batch(kind, _piece(waiting), 0, now), now, batches)
        for seconds in list(self._extensions):
            waiting = [each for each in self._extensions[seconds] if each.is_live]
            while waiting and len(self._flying) < IN_FLIGHT_MAX:
                self._send(Batch(Kind.MODACK, _piece(waiting), seconds, now), now, batches)
            if waiting:
                self._extensions[seconds] = waiting
            else:
                del self._extensions[seconds]
        self._due = now if self._acks or self._nacks or self._extensions else None

    def _send(self, batch: Batch, now: Nanos, batches: list[Batch]) -> None:
        batch.sent_at = now
        self._flying.add(batch)
        batches.append(batch)

    def answered(self, batch: Batch, error: "PubsubError | None", now: Nanos) -> Answer:
        """Take the answer to a request, None: it was accepted; what is to be sent again is kept here."""
        answer = Answer(batch)
        if batch not in self._flying:  # the end did not wait for it
            return answer
        self._flying.remove(batch)
        if error is None:
            answer.successes = batch.deliveries
            return answer
        failures = error.metadata
        if any(each.ack_id in failures for each in batch.deliveries):
            self._each_by_its_reason(batch, failures, answer, now)
        elif error.retryable:
            self._try_again(batch, batch.deliveries, answer, now, self._policy)
        elif error.code is Code.INVALID_ARGUMENT and len(batch.deliveries) > 1:
            half = len(batch.deliveries) // 2
            for part in (batch.deliveries[:half], batch.deliveries[half:]):
                self._later(Batch(batch.kind, part, batch.seconds, batch.began, batch.attempt), now)
            answer.retried = len(batch.deliveries)
        else:
            result = _RESULTS.get(error.code, AckResult.OTHER)
            self._refuse(batch.deliveries, result, answer)
        return answer

    def _each_by_its_reason(self, batch: Batch, failures: Mapping[str, Any], answer: Answer, now: Nanos) -> None:
        again: list[Delivery] = []
        for each in batch.deliveries:
            reason = failures.get(each.ack_id)
            if reason is None:
                answer.successes.append(each)
            elif str(reason).startswith("TRANSIENT_FAILURE"):
                again.append(each)
            else:
                result = AckResult.INVALID_ACK_ID if str(reason) == "PERMANENT_FAILURE_INVALID_ACK_ID" else AckResult.OTHER
                self._refuse([each], result, answer)
        if again:
            self._try_again(batch, again, answer, now, self._exactly_once_policy)

    def _try_again(self, batch: Batch, deliveries: "list[Delivery]", answer: Answer, now: Nanos, policy: "RetryPolicy") -> None:
        """Keep what failed for now for another attempt, as far as that comes before its lease ends."""
        due = Nanos(now + nanos(self._jitter() * policy.bound(batch.attempt)))
        by_reason = policy is self._exactly_once_policy
        last = batch.began + nanos(policy.total or 0)
        kept = [each for each in deliveries if due <= (last if by_reason else each.group.until)]
        if kept:
            self._later(Batch(batch.kind, kept, batch.seconds, batch.began, batch.attempt + 1), due)
            answer.retried += len(kept)
        if len(kept) < len(deliveries):
            alive = set(map(id, kept))
            self._refuse([each for each in deliveries if id(each) not in alive], AckResult.OTHER if by_reason else AckResult.LEASE_LOST, answer)

    def _later(self, batch: Batch, due: Nanos) -> None:
        heapq.heappush(self._again, (due, next(self._numbers), batch))

    def _refuse(self, deliveries: "list[Delivery]", result: AckResult, answer: Answer) -> None:
        answer.refused += [(each, result) for each in deliveries]
        if answer.batch.kind is not Kind.MODACK:
            self.given_up += len(deliveries)

    def abandon(self) -> "list[Delivery]":
        """Send nothing more; give the acks and nacks that have not been accepted."""
        batches = [*self._flying, *(batch for _, _, batch in self._again)]
        left = [*self._acks, *self._nacks, *(each for batch in batches if batch.kind is not Kind.MODACK for each in batch.deliveries)]
        self._flying.clear()
        self._acks, self._nacks, self._extensions, self._again, self._due = [], [], {}, [], None
        self.given_up += len(left)
        return left


_RESULTS: Final[Mapping[Code, AckResult]] = {
    Code.INVALID_ARGUMENT: AckResult.INVALID_ACK_ID,
    Code.PERMISSION_DENIED: AckResult.PERMISSION_DENIED,
    Code.FAILED_PRECONDITION: AckResult.FAILED_PRECONDITION,
}


def _piece(waiting: "list[Delivery]") -> "list[Delivery]":
    """Take from the front what one request may hold."""
    count, size = min(len(waiting), IDS_MAX), 0
    for index in range(count):
        size += len(waiting[index].ack_id) + 3
        if size > BYTES_MAX and index:
            count = index
            break
    piece = waiting[:count]
    del waiting[:count]
    return piece
