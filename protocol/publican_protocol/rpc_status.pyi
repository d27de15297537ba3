# Made by scripts/rebuild_protocol.py; do not edit.

import datetime
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any as _Any

from google.protobuf.message import Message

from publican_protocol import known

class ErrorInfo(Message):
    reason: str
    domain: str
    @property
    def metadata(self) -> MutableMapping[str, str]: ...
    def __init__(self, *, reason: str | None = ..., domain: str | None = ..., metadata: Mapping[str, str] | None = ...) -> None: ...

class RetryInfo(Message):
    @property
    def retry_delay(self) -> known.Duration: ...
    @retry_delay.setter
    def retry_delay(self, value: datetime.timedelta) -> None: ...
    def __init__(self, *, retry_delay: known.Duration | datetime.timedelta | None = ...) -> None: ...

class DebugInfo(Message):
    @property
    def stack_entries(self) -> list[str]: ...
    detail: str
    def __init__(self, *, stack_entries: Iterable[str] | None = ..., detail: str | None = ...) -> None: ...

class QuotaFailure(Message):
    class Violation(Message):
        subject: str
        description: str
        api_service: str
        quota_metric: str
        quota_id: str
        @property
        def quota_dimensions(self) -> MutableMapping[str, str]: ...
        quota_value: int
        future_quota_value: int
        def __init__(self, *, subject: str | None = ..., description: str | None = ..., api_service: str | None = ..., quota_metric: str | None = ..., quota_id: str | None = ..., quota_dimensions: Mapping[str, str] | None = ..., quota_value: int | None = ..., future_quota_value: int | None = ...) -> None: ...
    @property
    def violations(self) -> list[QuotaFailure.Violation]: ...
    def __init__(self, *, violations: Iterable[QuotaFailure.Violation] | None = ...) -> None: ...

class PreconditionFailure(Message):
    class Violation(Message):
        type: str
        subject: str
        description: str
        def __init__(self, *, type: str | None = ..., subject: str | None = ..., description: str | None = ...) -> None: ...
    @property
    def violations(self) -> list[PreconditionFailure.Violation]: ...
    def __init__(self, *, violations: Iterable[PreconditionFailure.Violation] | None = ...) -> None: ...

class BadRequest(Message):
    class FieldViolation(Message):
        field: str
        description: str
        reason: str
        @property
        def localized_message(self) -> LocalizedMessage: ...
        def __init__(self, *, field: str | None = ..., description: str | None = ..., reason: str | None = ..., localized_message: LocalizedMessage | None = ...) -> None: ...
    @property
    def field_violations(self) -> list[BadRequest.FieldViolation]: ...
    def __init__(self, *, field_violations: Iterable[BadRequest.FieldViolation] | None = ...) -> None: ...

class RequestInfo(Message):
    request_id: str
    serving_data: str
    def __init__(self, *, request_id: str | None = ..., serving_data: str | None = ...) -> None: ...

class ResourceInfo(Message):
    resource_type: str
    resource_name: str
    owner: str
    description: str
    def __init__(self, *, resource_type: str | None = ..., resource_name: str | None = ..., owner: str | None = ..., description: str | None = ...) -> None: ...

class Help(Message):
    class Link(Message):
        description: str
        url: str
        def __init__(self, *, description: str | None = ..., url: str | None = ...) -> None: ...
    @property
    def links(self) -> list[Help.Link]: ...
    def __init__(self, *, links: Iterable[Help.Link] | None = ...) -> None: ...

class LocalizedMessage(Message):
    locale: str
    message: str
    def __init__(self, *, locale: str | None = ..., message: str | None = ...) -> None: ...

class Status(Message):
    code: int
    message: str
    @property
    def details(self) -> list[known.Any]: ...
    def __init__(self, *, code: int | None = ..., message: str | None = ..., details: Iterable[known.Any] | None = ...) -> None: ...
