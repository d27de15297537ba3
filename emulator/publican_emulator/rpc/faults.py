"""Faults: calls that fail or wait on a tester's wish; consulted before every handler, and free while there are none.

A fault is counted: it meets so many calls and is used up. What a delay waits for is time as the emulator has it: virtual time passes when the test
moves it.

PYTEST_DONT_REWRITE
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from publican_emulator.broker.errors import ErrorInfo, PermissionDenied, PubsubError
from publican_emulator.rpc import permissions
from publican_emulator.rpc.call import CallInfo
from publican_protocol.codes import Code

When = Callable[[bytes, CallInfo], bool]
"""Says of a request, in wire bytes, whether a fault means it."""


@dataclass(frozen=True, slots=True)
class Denial:
    """A permission that callers do not have, on a resource, all that is in a project, or everywhere ("")."""

    permission: str
    resource: str


@dataclass(slots=True, eq=False)
class Fault:
    """One wish: `method` ("Publish", "*" for all) fails with `error` or waits for `delay_s`, `times` times (None: until it is removed)."""

    method: str
    error: PubsubError | None = None
    delay_s: float = 0.0
    times: int | None = 1
    when: When | None = None
    denial: Denial | None = None
    hits: int = field(default=0, init=False)
    """How many calls it has met."""

    @property
    def is_used_up(self) -> bool:
        """Whether it will meet nothing more."""
        return self.times is not None and self.hits >= self.times

    def means(self, path: str, body: bytes, info: CallInfo) -> bool:
        """Say whether it is for this call."""
        if self.is_used_up or (self.method != "*" and path.rpartition("/")[2] != self.method):
            return False
        return self.when is None or self.when(body, info)


class Faults:
    """The faults of one emulator, first made, first met."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep, topic_of: permissions.TopicOf = lambda subscription: "") -> None:
        """`sleep` waits for seconds, as the emulator's clock has them; `topic_of` names a subscription's topic."""
        self.sleep = sleep
        self.topic_of = topic_of
        self.wished: list[Fault] = []

    def fail(self, method: str, code: Code | str, message: str = "", *, times: int | None = 1, when: When | None = None) -> Fault:
        """Let calls of a method end with a code ("UNAVAILABLE").

        Raises:
            KeyError: there is no such code, or it is OK.
        """
        wanted = Code[code] if isinstance(code, str) else code
        error = _refusal(wanted, message or f"A fault that the test has wished for: {wanted.name}.")
        return self._add(Fault(method, error, times=times, when=when))

    def delay(self, method: str, seconds: float, *, times: int | None = 1, when: When | None = None) -> Fault:
        """Let calls of a method wait before they are carried out."""
        return self._add(Fault(method, delay_s=seconds, times=times, when=when))

    def deny(self, permission: str, resource: str = "", *, times: int | None = None) -> Fault:
        """Let calls that need a permission ("pubsub.topics.publish") on a resource, in a project or anywhere ("") end with PERMISSION_DENIED.

        Raises:
            ValueError: there is no such permission.
        """
        permissions.check_permission(permission)
        where = resource or "any resource"
        error = PermissionDenied(
            f"User not authorized to perform this action. The test has denied {permission} on {where}.",
            ErrorInfo("IAM_PERMISSION_DENIED", "iam.googleapis.com", {"permission": permission, "resource": resource}),
        )

        def needs_it(body: bytes, info: CallInfo) -> bool:
            return permissions.denied_of(info.path, body, permission, resource, self.topic_of) is not None

        return self._add(Fault("*", error, times=times, when=needs_it, denial=Denial(permission, resource)))

    def is_denied(self, permission: str, resource: str) -> bool:
        """Say whether a permission on a resource has been denied; who asks has met the denial."""
        for fault in self.wished:
            denial = fault.denial
            if denial is not None and denial.permission == permission and permissions.covers(denial.resource, resource) and not fault.is_used_up:
                fault.hits += 1
                return True
        return False

    def _add(self, fault: Fault) -> Fault:
        self.wished.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """Take a wish back."""
        if fault in self.wished:
            self.wished.remove(fault)

    def clear(self) -> list[Fault]:
        """Take every wish back; give those that have met nothing: a test should know."""
        unmet = [fault for fault in self.wished if not fault.hits]
        self.wished.clear()
        return unmet

    def meet(self, path: str, body: bytes, info: CallInfo) -> float:
        """Let a call meet the first fault that means it; give the seconds that it has to wait (0: none).

        Raises:
            PubsubError: it fails.
        """
        for fault in self.wished:
            if fault.means(path, body, info):
                fault.hits += 1
                if fault.error is not None:
                    raise fault.error
                return fault.delay_s
        return 0.0


def _refusal(wanted: Code, message: str) -> PubsubError:
    if wanted is Code.OK:
        raise KeyError("OK is no fault")

    class Wished(PubsubError):
        """A refusal that only carries its code."""

        code = wanted

    return Wished(message)
