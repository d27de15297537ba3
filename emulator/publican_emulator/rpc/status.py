"""From an error to what a caller reads: gRPC code, HTTP status, details. The only place that knows more than one of them.

A gRPC caller gets the code, the message and, when there are details, a serialized google.rpc.Status (`grpc-status-details-bin`); a REST
caller gets Google's error body.

Source: google/rpc/code.proto (HTTP mapping), cloud.google.com/apis/design/errors.

PYTEST_DONT_REWRITE
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, assert_never

from publican_emulator.broker.errors import BadRequest, Detail, ErrorInfo, PubsubError
from publican_protocol.codes import Code

if TYPE_CHECKING:
    from google.protobuf.message import Message

HTTP_STATUS: Final[Mapping[Code, int]] = {
    Code.OK: 200,
    Code.CANCELLED: 499,
    Code.UNKNOWN: 500,
    Code.INVALID_ARGUMENT: 400,
    Code.DEADLINE_EXCEEDED: 504,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.PERMISSION_DENIED: 403,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.OUT_OF_RANGE: 400,
    Code.UNIMPLEMENTED: 501,
    Code.INTERNAL: 500,
    Code.UNAVAILABLE: 503,
    Code.DATA_LOSS: 500,
    Code.UNAUTHENTICATED: 401,
}

_REASON: Final[Mapping[int, str]] = {
    400: "badRequest",
    401: "authError",
    403: "forbidden",
    404: "notFound",
    409: "alreadyExists",
    429: "rateLimitExceeded",
    499: "cancelled",
    501: "notImplemented",
    504: "gatewayTimeout",
}
"""The `reason` in the older `errors` list, which some clients still read; everything else is a backendError."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A refused call, ready for either carrier."""

    code: Code
    message: str
    details: bytes | None = None
    """A serialized google.rpc.Status; None when there is nothing to add to code and message."""
    error: PubsubError | None = None


def failure(error: PubsubError) -> Failure:
    """Give what a caller is told about `error`."""
    return Failure(error.code, error.message, _status_bytes(error) if error.details else None, error)


def rest_error(failed: Failure) -> dict[str, object]:
    """Give Google's REST error body of a failure."""
    status = HTTP_STATUS[failed.code]
    error: dict[str, object] = {
        "code": status,
        "message": failed.message,
        "errors": [{"message": failed.message, "domain": "global", "reason": _REASON.get(status, "backendError")}],
        "status": failed.code.name,
    }
    if failed.error is not None and failed.error.details:
        error["details"] = [_json_detail(detail) for detail in failed.error.details]
    return {"error": error}


def _json_detail(detail: Detail) -> dict[str, object]:
    match detail:
        case ErrorInfo(reason, domain, metadata):
            body: dict[str, object] = {"reason": reason, "domain": domain, "metadata": dict(metadata)}
        case BadRequest(violations):
            body = {"fieldViolations": [_json_violation(each.field, each.description) for each in violations]}
        case _:
            assert_never(detail)
    return {"@type": f"type.googleapis.com/google.rpc.{type(detail).__name__}", **body}


def _json_violation(field: str, description: str) -> dict[str, str]:
    return {"field": field, "description": description} if field else {"description": description}


def _status_bytes(error: PubsubError) -> bytes:
    from publican_protocol import known, rpc_status  # message classes, which only the rare error with details needs

    status = rpc_status.Status(code=int(error.code), message=error.message)
    for detail in error.details:
        match detail:
            case ErrorInfo(reason, domain, metadata):
                message: Message = rpc_status.ErrorInfo(reason=reason, domain=domain, metadata=dict(metadata))
            case BadRequest(violations):
                fields = [rpc_status.BadRequest.FieldViolation(field=each.field, description=each.description) for each in violations]
                message = rpc_status.BadRequest(field_violations=fields)
            case _:
                assert_never(detail)
        packed = known.Any()
        packed.Pack(message)
        status.details.append(packed)
    return status.SerializeToString()
