"""IAM policies: who may do what with a resource, as it was said; stored and told, never enforced. And the permissions that there are.

Source: google/iam/v1/policy.proto; cloud.google.com/pubsub/docs/access-control.

PYTEST_DONT_REWRITE
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from publican_emulator.broker import limits
from publican_emulator.broker.errors import BadArgument

_POLICY_VERBS: Final = ("getIamPolicy", "setIamPolicy")
PERMISSIONS: Final[Mapping[str, frozenset[str]]] = {
    collection: frozenset(f"pubsub.{collection}.{verb}" for verb in (*verbs, *_POLICY_VERBS))
    for collection, verbs in {
        "topics": ("attachSubscription", "create", "delete", "detachSubscription", "get", "list", "publish", "update", "updateTag"),
        "subscriptions": ("consume", "create", "delete", "get", "list", "update"),
        "snapshots": ("create", "delete", "get", "list", "seek", "update"),
        "schemas": ("attach", "commit", "create", "delete", "get", "list", "listRevisions", "rollback", "validate"),
    }.items()
}
"""The permissions of each collection's resources, by their names."""

EVERY_PERMISSION: Final = frozenset().union(*PERMISSIONS.values()) | {"pubsub.messageTransforms.validate"}

NO_ETAG: Final = b"\x00\x20\x01"
"""The etag of a resource that was given no policy: ACAB, in base64."""

VERSIONS: Final = frozenset({0, 1, 3})
_ROLE: Final = re.compile(r"((projects|organizations)/[^/]+/)?roles/[A-Za-z0-9_.]+")
_MEMBER: Final = re.compile(r"allUsers|allAuthenticatedUsers|[A-Za-z]+:\S(.*\S)?")


@dataclass(frozen=True, slots=True)
class Condition:
    """An expression in the Common Expression Language, on which a binding depends."""

    expression: str
    title: str = ""
    description: str = ""
    location: str = ""

    def __post_init__(self) -> None:
        if not self.expression.strip():
            raise BadArgument("policy.bindings.condition.expression", "It is empty.")


@dataclass(frozen=True, slots=True)
class Binding:
    """A role and who has it."""

    role: str
    members: tuple[str, ...] = ()
    condition: Condition | None = None

    def __post_init__(self) -> None:
        if not _ROLE.fullmatch(self.role):
            raise BadArgument("policy.bindings.role", f"{self.role!r} is not of the form roles/... or projects/*/roles/...")
        for member in self.members:
            if not _MEMBER.fullmatch(member):
                raise BadArgument("policy.bindings.members", f"{member!r} is neither allUsers nor of a form such as user:a@b.c")


@dataclass(frozen=True, slots=True)
class AuditLogConfig:
    """Which accesses are logged, but for whose."""

    log_type: int
    exempted_members: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.log_type not in {1, 2, 3}:
            raise BadArgument("policy.audit_configs.audit_log_configs.log_type", "It must be ADMIN_READ, DATA_WRITE or DATA_READ.")


@dataclass(frozen=True, slots=True)
class AuditConfig:
    """What is logged of the use of a service."""

    service: str
    logs: tuple[AuditLogConfig, ...] = ()

    def __post_init__(self) -> None:
        if not self.service:
            raise BadArgument("policy.audit_configs.service", "It is empty.")


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy, and the etag by which a change shows that it knows it."""

    version: int = 0
    bindings: tuple[Binding, ...] = ()
    audit_configs: tuple[AuditConfig, ...] = ()
    etag: bytes = NO_ETAG

    def __post_init__(self) -> None:
        if self.version not in VERSIONS:
            raise BadArgument("policy.version", f"It is {self.version}, but must be 1 or 3 (0 stands for 1).")
        if self.has_conditions and self.version != 3:
            raise BadArgument("policy.version", f"It is {self.version}, but a policy with conditions must have version 3.")
        members = sum(len(binding.members) for binding in self.bindings)
        if members > limits.POLICY_MEMBERS:
            raise BadArgument("policy.bindings", f"There are {members} members, the maximum is {limits.POLICY_MEMBERS}.")

    @property
    def has_conditions(self) -> bool:
        """Whether a binding depends on a condition."""
        return any(binding.condition is not None for binding in self.bindings)

    def at_version(self, asked: int) -> "Policy":
        """Give the policy as who asks for a version understands it: below 3, a condition stands in its role's name only."""
        if asked >= 3 or not self.has_conditions:
            return self
        return replace(self, version=1, bindings=tuple(map(_without_condition, self.bindings)))


def _without_condition(binding: Binding) -> Binding:
    if binding.condition is None:
        return binding
    mark = hashlib.sha256(repr(binding.condition).encode()).hexdigest()[:20]
    return Binding(f"{binding.role}_withcond_{mark}", binding.members)
