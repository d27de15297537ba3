"""Codes, HTTP statuses and details: one table, two carriers."""

import pytest

from publican_emulator.broker.errors import BadRequest, ErrorInfo, FailedPrecondition, FieldViolation, InvalidArgument
from publican_emulator.rpc.status import HTTP_STATUS, failure, rest_error
from publican_protocol import rpc_status
from publican_protocol.codes import Code


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("OK", 200),
        ("INVALID_ARGUMENT", 400),
        ("FAILED_PRECONDITION", 400),
        ("OUT_OF_RANGE", 400),
        ("UNAUTHENTICATED", 401),
        ("PERMISSION_DENIED", 403),
        ("NOT_FOUND", 404),
        ("ALREADY_EXISTS", 409),
        ("ABORTED", 409),
        ("RESOURCE_EXHAUSTED", 429),
        ("CANCELLED", 499),
        ("UNKNOWN", 500),
        ("INTERNAL", 500),
        ("DATA_LOSS", 500),
        ("UNIMPLEMENTED", 501),
        ("UNAVAILABLE", 503),
        ("DEADLINE_EXCEEDED", 504),
    ],
)
def test_the_http_status_of_a_code(code: str, status: int) -> None:
    assert HTTP_STATUS[Code[code]] == status


def test_every_code_has_a_status() -> None:
    assert set(HTTP_STATUS) == set(Code)


def test_an_error_without_details_has_none_on_either_carrier() -> None:
    failed = failure(FailedPrecondition("not so"))
    assert failed.details is None
    assert rest_error(failed) == {
        "error": {
            "code": 400,
            "message": "not so",
            "errors": [{"message": "not so", "domain": "global", "reason": "badRequest"}],
            "status": "FAILED_PRECONDITION",
        }
    }


def test_details_reach_grpc_as_a_serialized_status() -> None:
    error = InvalidArgument(
        "some ids were bad",
        ErrorInfo("UNKNOWN_ACK_ID", "pubsub.googleapis.com", {"a1": "PERMANENT_FAILURE_INVALID_ACK_ID"}),
        BadRequest((FieldViolation("messages[0]", "is bad"),)),
    )
    details = failure(error).details
    assert details is not None
    status = rpc_status.Status.FromString(details)
    assert (status.code, status.message) == (3, "some ids were bad")
    info, request = rpc_status.ErrorInfo(), rpc_status.BadRequest()
    assert status.details[0].type_url == "type.googleapis.com/google.rpc.ErrorInfo"
    assert status.details[0].Unpack(info)
    assert (info.reason, info.domain, dict(info.metadata)) == (
        "UNKNOWN_ACK_ID",
        "pubsub.googleapis.com",
        {"a1": "PERMANENT_FAILURE_INVALID_ACK_ID"},
    )
    assert status.details[1].Unpack(request)
    assert [(each.field, each.description) for each in request.field_violations] == [("messages[0]", "is bad")]


def test_details_reach_rest_as_json() -> None:
    error = InvalidArgument("bad", ErrorInfo("WHY", "here", {"a": "b"}), BadRequest((FieldViolation("f", "is bad"), FieldViolation("", "whole"))))
    body = rest_error(failure(error))["error"]
    assert isinstance(body, dict)
    assert body["details"] == [
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "WHY", "domain": "here", "metadata": {"a": "b"}},
        {
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{"field": "f", "description": "is bad"}, {"description": "whole"}],
        },
    ]
