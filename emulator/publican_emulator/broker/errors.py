"""The one family of errors: a class per gRPC code that the service uses, and the details some of them carry.

Nobody here knows HTTP or trailers: rpc/status.py maps the family once. The texts of the service stand first in a message, ours follow.

PYTEST_DONT_REWRITE
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from publican_protocol.codes import Code


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """google.rpc.ErrorInfo: a reason a program can act on, and what it concerns."""

    reason: str
    domain: str
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One bad field of a request."""

    field: str
    description: str


@dataclass(frozen=True, slots=True)
class BadRequest:
    """google.rpc.BadRequest: which fields of a request are wrong."""

    violations: tuple[FieldViolation, ...]


Detail = ErrorInfo | BadRequest


class PubsubError(Exception):
    """A call that the service refuses: `code`, `message`, and details for programs."""

    code: ClassVar[Code] = Code.UNKNOWN

    def __init__(self, message: str, *details: Detail) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class Cancelled(PubsubError):
    """The caller went away."""

    code = Code.CANCELLED


class Unknown(PubsubError):
    """Nobody knows."""

    code = Code.UNKNOWN


class InvalidArgument(PubsubError):
    """A request that is wrong whatever the state of the service."""

    code = Code.INVALID_ARGUMENT


class DeadlineExceeded(PubsubError):
    """The caller's deadline passed first."""

    code = Code.DEADLINE_EXCEEDED


class NotFound(PubsubError):
    """A resource that does not exist; `kind` ("topic") and full `name` say which, so that the nearest existing name can be told."""

    code = Code.NOT_FOUND

    def __init__(self, kind: str, name: str, *, shown: str | None = None) -> None:
        super().__init__(f"Resource not found (resource={shown if shown is not None else name.rpartition('/')[2]}).")
        self.kind = kind
        self.name = name


class AlreadyExists(PubsubError):
    """A name that is taken."""

    code = Code.ALREADY_EXISTS

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"Resource already exists in the project (resource={name.rpartition('/')[2]}).")
        self.kind = kind
        self.name = name


class PermissionDenied(PubsubError):
    """The caller may not."""

    code = Code.PERMISSION_DENIED


class ResourceExhausted(PubsubError):
    """A quota is used up."""

    code = Code.RESOURCE_EXHAUSTED


class FailedPrecondition(PubsubError):
    """The state of the resource does not allow it."""

    code = Code.FAILED_PRECONDITION


class Aborted(PubsubError):
    """Somebody else was faster; try again."""

    code = Code.ABORTED


class OutOfRange(PubsubError):
    """Past the end."""

    code = Code.OUT_OF_RANGE


class Unimplemented(PubsubError):
    """Not there, or not there yet."""

    code = Code.UNIMPLEMENTED


class Internal(PubsubError):
    """A fault of ours."""

    code = Code.INTERNAL


class Unavailable(PubsubError):
    """Try again."""

    code = Code.UNAVAILABLE


class DataLoss(PubsubError):
    """Gone for good."""

    code = Code.DATA_LOSS


class Unauthenticated(PubsubError):
    """Who are you?"""

    code = Code.UNAUTHENTICATED


class InvalidName(InvalidArgument):
    """A resource name of the wrong form."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Invalid resource name given (name={name}). Refer to "
            "https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names for more information."
        )


class BadArgument(InvalidArgument):
    """A field that is wrong in itself; the service names it in snake case. `hint` is ours: the value, the bound, how to put it right."""

    def __init__(self, argument: str, hint: str = "") -> None:
        super().__init__(f"You have passed an invalid argument to the service (argument={argument}).{' ' + hint if hint else ''}")


class OutOfBounds(InvalidArgument):
    """A number outside its documented bounds."""

    def __init__(self, subject: str, value: object, *, low: object = None, high: object = None) -> None:
        size, word, bound = ("small", "minimum", low) if high is None else ("large", "maximum", high)
        super().__init__(f"The value for {subject} is too {size}. You passed {value} in the request, but the {word} value is {bound}.")


def deadline_out_of_bounds(value: int, low: int, high: int) -> InvalidArgument:
    """Give the service's text for an ack deadline outside `low`..`high` seconds."""
    return InvalidArgument(f"Invalid ack deadline given (ack_deadline={value}). The ack deadline must be between {low} and {high} seconds.")
