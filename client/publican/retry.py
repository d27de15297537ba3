"""When a failed call is tried again: one table of methods, and the delays in between.

Delays grow and are drawn whole (`jitter() * bound`), so that clients which failed together do not come back together. `jitter` is passed in: nothing
here knows chance or time.

Source: the service's own client configuration (pubsub_grpc_service_config.json); AIP-194.

PYTEST_DONT_REWRITE
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from publican.clock import Nanos, nanos
from publican.errors import PubsubError
from publican_protocol.codes import Code
from publican_protocol.methods import IAM_POLICY, PUBLISHER, SCHEMA_SERVICE, SUBSCRIBER

Jitter = Callable[[], float]
"""Gives a number from 0 to 1."""

_EXPONENT_MAX: Final = 64  # far above what reaches any maximum; a float holds no larger power


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How a call is repeated; seconds."""

    initial: float = 0.1
    multiplier: float = 1.3
    maximum: float = 60.0
    total: float | None = 60.0
    """From the first attempt; None: for ever."""
    codes: frozenset[Code] = frozenset({Code.UNAVAILABLE})

    def bound(self, attempt: int) -> float:
        """Give the longest delay after failed attempt number `attempt`, from 0."""
        return min(self.maximum, self.initial * self.multiplier ** min(attempt, _EXPONENT_MAX))


PUBLISH: Final = RetryPolicy(
    multiplier=4,
    total=600,
    codes=frozenset(
        {
            Code.ABORTED,
            Code.CANCELLED,
            Code.DEADLINE_EXCEEDED,
            Code.INTERNAL,
            Code.RESOURCE_EXHAUSTED,
            Code.UNAVAILABLE,
            Code.UNKNOWN,
        }
    ),
)
PULL: Final = RetryPolicy(codes=frozenset({Code.ABORTED, Code.INTERNAL, Code.UNAVAILABLE, Code.UNKNOWN}))
READ: Final = RetryPolicy(total=600, codes=frozenset({Code.ABORTED, Code.UNAVAILABLE, Code.UNKNOWN}))
CHANGE: Final = RetryPolicy()
RECONNECT: Final = RetryPolicy(
    multiplier=2,
    maximum=30,
    total=None,
    codes=frozenset(
        {
            Code.OK,  # a clean end
            Code.ABORTED,
            Code.CANCELLED,  # ours never arrives as an error
            Code.DEADLINE_EXCEEDED,
            Code.INTERNAL,
            Code.RESOURCE_EXHAUSTED,
            Code.UNAVAILABLE,
            Code.UNKNOWN,
        }
    ),
)
EXACTLY_ONCE: Final = RetryPolicy(initial=1, multiplier=2, maximum=64, total=600)
"""Acks that failed for now, each told by its own reason."""

_BY_METHOD: Final[Mapping[str, RetryPolicy]] = {
    f"/{PUBLISHER}/Publish": PUBLISH,
    f"/{SUBSCRIBER}/Pull": PULL,
    f"/{SUBSCRIBER}/StreamingPull": RECONNECT,
    f"/{IAM_POLICY}/TestIamPermissions": READ,
    f"/{SCHEMA_SERVICE}/ValidateSchema": READ,
    f"/{SCHEMA_SERVICE}/ValidateMessage": READ,
}


def policy_of(method: str) -> RetryPolicy:
    """Give the policy of a method, by its gRPC path."""
    found = _BY_METHOD.get(method)
    if found is None:
        found = READ if method.rpartition("/")[2].startswith(("Get", "List")) else CHANGE
    return found


class Backoff:
    """The delays of one call, or of one subscriber's connections."""

    __slots__ = ("_attempt", "_began", "_jitter", "_policy")

    def __init__(self, policy: RetryPolicy, jitter: Jitter, began: Nanos) -> None:
        self._policy = policy
        self._jitter = jitter
        self._began = began
        self._attempt = 0

    def reset(self) -> None:
        """Begin anew with the shortest delay: it has worked."""
        self._attempt = 0

    def again_at(self, error: PubsubError | None, now: Nanos) -> Nanos | None:
        """Give the instant of the next attempt after `error` (None: a clean end); None: it is final."""
        policy = self._policy
        if (Code.OK if error is None else error.code) not in policy.codes:
            return None
        delay_s = self._jitter() * policy.bound(self._attempt)
        if error is not None and (asked_s := error.retry_delay_s) is not None:
            delay_s = max(delay_s, asked_s)
        again = Nanos(now + nanos(delay_s))
        if policy.total is not None and again > self._began + nanos(policy.total):
            return None
        self._attempt += 1
        return again
