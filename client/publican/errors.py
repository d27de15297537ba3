"""What can go wrong, as one family: a class for each gRPC code, and the few errors that are ours alone.

An error names the method and the resource; its text begins with the service's own. `.retryable` comes from one table. REST adds aiohttp's classes to
these (transport/rest.py), so that `except aiohttp.ClientResponseError` catches them too.

Source: google/rpc/code.proto; cloud.google.com/pubsub/docs/reference/error-codes.

PYTEST_DONT_REWRITE
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

from publican_protocol.codes import Code

if TYPE_CHECKING:
    from publican.settlement import AckResult

RETRYABLE: Final = frozenset(
    {Code.ABORTED, Code.DEADLINE_EXCEEDED, Code.INTERNAL, Code.RESOURCE_EXHAUSTED, Code.UNAVAILABLE, Code.UNKNOWN},
)
"""The codes after which the same call may succeed. Whether a method repeats itself on its own is another table: retry.py."""

HTTP_STATUS: Final[Mapping[Code, int]] = {
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

_BY_HTTP_STATUS: Final[Mapping[int, Code]] = {
    400: Code.INVALID_ARGUMENT,
    401: Code.UNAUTHENTICATED,
    403: Code.PERMISSION_DENIED,
    404: Code.NOT_FOUND,
    408: Code.DEADLINE_EXCEEDED,
    409: Code.ALREADY_EXISTS,
    412: Code.FAILED_PRECONDITION,
    413: Code.INVALID_ARGUMENT,
    429: Code.RESOURCE_EXHAUSTED,
    499: Code.CANCELLED,
    500: Code.INTERNAL,
    501: Code.UNIMPLEMENTED,
    502: Code.UNAVAILABLE,
    503: Code.UNAVAILABLE,
    504: Code.DEADLINE_EXCEEDED,
}
"""What an HTTP status means where the body does not say it: an answer of a proxy, not of the service."""


class PubsubError(Exception):
    """A call that failed, or an operation that the client itself refuses."""

    code: ClassVar[Code] = Code.UNKNOWN

    def __init__(
        self,
        text: str,
        *,
        method: str = "",
        resource: str = "",
        details: Sequence[Mapping[str, Any]] = (),
        status: int | None = None,
    ) -> None:
        Exception.__init__(self, text)  # not super(): the next class may be aiohttp's, which wants other arguments
        self.text = text
        """The service's own words."""
        self.method = method
        """The RPC, `Publish`; empty for what never became a call."""
        self.resource = resource
        """The full name of what the call was about."""
        self.details = tuple(details)
        """What the service added, in its JSON form: each has an `@type`."""
        self.status = HTTP_STATUS[self.code] if status is None else status
        """The HTTP status."""

    def __str__(self) -> str:
        about = " ".join(each for each in (self.code.name, self.method, self.resource) if each)
        return f"{self.text} [{about}]"

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.args, self.__dict__)

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later."""
        return self.code in RETRYABLE

    @property
    def metadata(self) -> Mapping[str, str]:
        """The metadata of the error's ErrorInfo; under exactly-once delivery it holds what became of each ack id."""
        found: dict[str, str] = {}
        for detail in self.details:
            if str(detail.get("@type", "")).endswith("google.rpc.ErrorInfo"):
                found |= detail.get("metadata", {})
        return found

    @property
    def retry_delay_s(self) -> float | None:
        """The seconds that the service asks to wait before the next attempt, when it says so."""
        for detail in self.details:
            delay = str(detail.get("retryDelay", ""))
            if delay.endswith("s"):
                try:
                    return float(delay[:-1])
                except ValueError:
                    return None
        return None


class Cancelled(PubsubError):
    """The call was cancelled."""

    code = Code.CANCELLED


class Unknown(PubsubError):
    """An error that nobody has classified."""

    code = Code.UNKNOWN


class InvalidArgument(PubsubError):
    """A request that cannot be right, whatever the state of things."""

    code = Code.INVALID_ARGUMENT


class DeadlineExceeded(PubsubError, TimeoutError):
    """No answer in time; whether the call took effect is not known."""

    code = Code.DEADLINE_EXCEEDED


class NotFound(PubsubError):
    """No such topic, subscription, snapshot or schema."""

    code = Code.NOT_FOUND


class AlreadyExists(PubsubError):
    """The name is taken."""

    code = Code.ALREADY_EXISTS


class PermissionDenied(PubsubError):
    """The caller may not do that."""

    code = Code.PERMISSION_DENIED


class ResourceExhausted(PubsubError):
    """A quota is used up, or a request is too large for its carrier."""

    code = Code.RESOURCE_EXHAUSTED


class FailedPrecondition(PubsubError):
    """A request that the present state of things does not allow."""

    code = Code.FAILED_PRECONDITION


class Aborted(PubsubError):
    """Another call was in the way."""

    code = Code.ABORTED


class OutOfRange(PubsubError):
    """A value past the end of what there is."""

    code = Code.OUT_OF_RANGE


class Unimplemented(PubsubError):
    """A method or field that the server does not know."""

    code = Code.UNIMPLEMENTED


class Internal(PubsubError):
    """The server's own fault."""

    code = Code.INTERNAL


class Unavailable(PubsubError):
    """No server could be reached, or it cannot answer now."""

    code = Code.UNAVAILABLE


class DataLoss(PubsubError):
    """Something stored cannot be read any more."""

    code = Code.DATA_LOSS


class Unauthenticated(PubsubError):
    """The service takes no such credentials."""

    code = Code.UNAUTHENTICATED


class MessageTooLarge(InvalidArgument, ValueError):
    """A message that no request can carry; it was not sent."""


class OrderingKeyPaused(FailedPrecondition):
    """An earlier message of the key failed: nothing of the key is published until it is resumed."""


class PublishLimitReached(ResourceExhausted):
    """The publisher holds as much as its limits allow, and was told to raise then."""


class AckFailed(FailedPrecondition):
    """An ack or nack that the service did not accept; `result` says why."""

    def __init__(self, text: str, result: "AckResult", **about: Any) -> None:
        super().__init__(text, **about)
        self.result = result


class Closed(FailedPrecondition):
    """The client has been closed; what was asked of it has not been done."""


class ForkedProcess(FailedPrecondition):
    """The object belongs to the parent process, which goes on with it; a forked child has to make its own."""


class AuthMissing(Unauthenticated):
    """There are no credentials, or the library that reads them is not installed."""


BY_CODE: Final[Mapping[Code, type[PubsubError]]] = {
    each.code: each
    for each in (
        Cancelled,
        Unknown,
        InvalidArgument,
        DeadlineExceeded,
        NotFound,
        AlreadyExists,
        PermissionDenied,
        ResourceExhausted,
        FailedPrecondition,
        Aborted,
        OutOfRange,
        Unimplemented,
        Internal,
        Unavailable,
        DataLoss,
        Unauthenticated,
    )
}


def code_of(http_status: int, name: str = "") -> Code:
    """Give the code of an HTTP answer: by the name in its body, else by its status."""
    if name in Code.__members__ and name != "OK":
        return Code[name]
    return _BY_HTTP_STATUS.get(http_status, Code.UNKNOWN if http_status < 500 else Code.INTERNAL)


def _again(kind: type[PubsubError], args: tuple[Any, ...], state: dict[str, Any]) -> PubsubError:
    """Unpickle: the constructors differ, what they leave behind does not."""
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error
