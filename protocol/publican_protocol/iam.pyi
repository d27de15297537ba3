# Made by scripts/rebuild_protocol.py; do not edit.

import datetime
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any as _Any

from google.protobuf.message import Message

from publican_protocol import known

class GetPolicyOptions(Message):
    requested_policy_version: int
    def __init__(self, *, requested_policy_version: int | None = ...) -> None: ...

class Expr(Message):
    expression: str
    title: str
    description: str
    location: str
    def __init__(self, *, expression: str | None = ..., title: str | None = ..., description: str | None = ..., location: str | None = ...) -> None: ...

class Policy(Message):
    version: int
    @property
    def bindings(self) -> list[Binding]: ...
    @property
    def audit_configs(self) -> list[AuditConfig]: ...
    etag: bytes
    def __init__(self, *, version: int | None = ..., bindings: Iterable[Binding] | None = ..., audit_configs: Iterable[AuditConfig] | None = ..., etag: bytes | None = ...) -> None: ...

class Binding(Message):
    role: str
    @property
    def members(self) -> list[str]: ...
    @property
    def condition(self) -> Expr: ...
    def __init__(self, *, role: str | None = ..., members: Iterable[str] | None = ..., condition: Expr | None = ...) -> None: ...

class AuditConfig(Message):
    service: str
    @property
    def audit_log_configs(self) -> list[AuditLogConfig]: ...
    def __init__(self, *, service: str | None = ..., audit_log_configs: Iterable[AuditLogConfig] | None = ...) -> None: ...

class AuditLogConfig(Message):
    class LogType:
        @staticmethod
        def Name(number: int) -> str: ...
        @staticmethod
        def Value(name: str) -> int: ...
        LOG_TYPE_UNSPECIFIED: int
        ADMIN_READ: int
        DATA_WRITE: int
        DATA_READ: int

    LOG_TYPE_UNSPECIFIED: int
    ADMIN_READ: int
    DATA_WRITE: int
    DATA_READ: int
    log_type: int
    @property
    def exempted_members(self) -> list[str]: ...
    def __init__(self, *, log_type: int | None = ..., exempted_members: Iterable[str] | None = ...) -> None: ...

class PolicyDelta(Message):
    @property
    def binding_deltas(self) -> list[BindingDelta]: ...
    @property
    def audit_config_deltas(self) -> list[AuditConfigDelta]: ...
    def __init__(self, *, binding_deltas: Iterable[BindingDelta] | None = ..., audit_config_deltas: Iterable[AuditConfigDelta] | None = ...) -> None: ...

class BindingDelta(Message):
    class Action:
        @staticmethod
        def Name(number: int) -> str: ...
        @staticmethod
        def Value(name: str) -> int: ...
        ACTION_UNSPECIFIED: int
        ADD: int
        REMOVE: int

    ACTION_UNSPECIFIED: int
    ADD: int
    REMOVE: int
    action: int
    role: str
    member: str
    @property
    def condition(self) -> Expr: ...
    def __init__(self, *, action: int | None = ..., role: str | None = ..., member: str | None = ..., condition: Expr | None = ...) -> None: ...

class AuditConfigDelta(Message):
    class Action:
        @staticmethod
        def Name(number: int) -> str: ...
        @staticmethod
        def Value(name: str) -> int: ...
        ACTION_UNSPECIFIED: int
        ADD: int
        REMOVE: int

    ACTION_UNSPECIFIED: int
    ADD: int
    REMOVE: int
    action: int
    service: str
    exempted_member: str
    log_type: str
    def __init__(self, *, action: int | None = ..., service: str | None = ..., exempted_member: str | None = ..., log_type: str | None = ...) -> None: ...

class SetIamPolicyRequest(Message):
    resource: str
    @property
    def policy(self) -> Policy: ...
    @property
    def update_mask(self) -> known.FieldMask: ...
    def __init__(self, *, resource: str | None = ..., policy: Policy | None = ..., update_mask: known.FieldMask | None = ...) -> None: ...

class GetIamPolicyRequest(Message):
    resource: str
    @property
    def options(self) -> GetPolicyOptions: ...
    def __init__(self, *, resource: str | None = ..., options: GetPolicyOptions | None = ...) -> None: ...

class TestIamPermissionsRequest(Message):
    resource: str
    @property
    def permissions(self) -> list[str]: ...
    def __init__(self, *, resource: str | None = ..., permissions: Iterable[str] | None = ...) -> None: ...

class TestIamPermissionsResponse(Message):
    @property
    def permissions(self) -> list[str]: ...
    def __init__(self, *, permissions: Iterable[str] | None = ...) -> None: ...
