"""Push: where a subscription's messages are POSTed, and at what pace.

A push endpoint is a consumer like a stream; this says what a user may set of it, and how many requests it may have at once. The pace is the
service's: slow start (few requests at first, more with every success, half with every failure) and, without a retry policy, a back-off of the whole
endpoint. No socket here: whoever carries the messages (the `push` room) reports what became of each.

Source: "Push subscriptions", cloud.google.com/pubsub/docs/push; google.pubsub.v1.PushConfig.

PYTEST_DONT_REWRITE
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

from publican_emulator.broker import limits
from publican_emulator.broker.errors import BadArgument, InvalidArgument
from publican_emulator.broker.instants import Nanos

VERSION: Final = "x-goog-version"
VERSIONS: Final = ("v1", "v1beta1", "v1beta2")

Wrapper = Literal["", "pubsub_wrapper", "no_wrapper"]


@dataclass(frozen=True, slots=True)
class OidcToken:
    """Who a push request says that it comes from; `audience` empty: the endpoint's own URL."""

    service_account_email: str
    audience: str = ""

    def __post_init__(self) -> None:
        if not self.service_account_email:
            raise BadArgument("push_config.oidc_token.service_account_email", "A token needs the email of a service account.")
        for name, value in (("service_account_email", self.service_account_email), ("audience", self.audience)):
            size = len(value.encode())
            if size > limits.PUSH_ENDPOINT_BYTES:
                raise BadArgument(f"push_config.oidc_token.{name}", f"It has {size} bytes, the maximum is {limits.PUSH_ENDPOINT_BYTES}.")


@dataclass(frozen=True, slots=True)
class PushConfig:
    """Where and how a subscription pushes. `wrapper` empty means the Pub/Sub wrapper, as `pubsub_wrapper` says in words."""

    endpoint: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    oidc: OidcToken | None = None
    wrapper: Wrapper = ""
    write_metadata: bool = False

    def __post_init__(self) -> None:
        check_endpoint(self.endpoint)
        for name, value in self.attributes.items():
            if name != VERSION:
                raise BadArgument("push_config.attributes", f'The only attribute is "{VERSION}", not "{name}".')
            if value not in VERSIONS:
                raise BadArgument("push_config.attributes", f'The value of "{VERSION}" is one of {", ".join(VERSIONS)}, not "{value}".')

    @property
    def version(self) -> str:
        """The version of the API whose body a wrapped request has."""
        return self.attributes.get(VERSION, VERSIONS[0])

    @property
    def is_wrapped(self) -> bool:
        """Whether the body is JSON about the message, and not the message's data alone."""
        return self.wrapper != "no_wrapper"


def check_endpoint(endpoint: str) -> None:
    """Refuse what is no http or https URL. The service takes https only; a local emulator pushes to whatever runs beside it."""
    # Divergence: push endpoints may be http, private, and without a certificate that anybody signed.
    size = len(endpoint.encode())
    if size > limits.PUSH_ENDPOINT_BYTES:
        raise _bad_endpoint(f"{endpoint[:100]}...", f"it has {size} bytes, the maximum is {limits.PUSH_ENDPOINT_BYTES}")
    try:
        parts = urlsplit(endpoint)
        _ = parts.port  # raises where it is no number, or none of 0..65535
    except ValueError as error:
        raise _bad_endpoint(endpoint, str(error)) from None
    if parts.scheme.lower() not in {"http", "https"}:
        raise _bad_endpoint(endpoint, "it must begin with https:// or http://")
    if not parts.hostname:
        raise _bad_endpoint(endpoint, "it has no host")
    if any(not char.isprintable() or char.isspace() for char in endpoint):
        raise _bad_endpoint(endpoint, "it contains a blank or a control character")


def _bad_endpoint(endpoint: str, why: str) -> InvalidArgument:
    return InvalidArgument(
        f"Invalid push endpoint given (endpoint={endpoint}). Refer to "
        f"https://cloud.google.com/pubsub/docs/create-push-subscription for more information. [{why}]"
    )


@dataclass(slots=True)
class Pace:
    """How many requests one endpoint may have at once, and until when it rests after failures."""

    window: int = limits.PUSH_WINDOW_START
    failures: int = 0
    """Rounds of failures since the last success."""
    resumes_at: Nanos | None = None
    """Until then nothing is handed out; None: it does not rest."""

    # Divergence: the service's slow start is not published; ours begins with 10 requests, adds one with a success and halves with a failure.
    def succeeded(self) -> None:
        """Note a success: one request more at once, so that a window that comes through whole is followed by twice as many."""
        self.window = min(self.window + 1, limits.PUSH_WINDOW_MAX)
        self.failures = 0

    def failed(self, now: Nanos, *, rests: bool) -> None:
        """Note a failure; `rests`: no retry policy says when each message comes back, so the endpoint as a whole waits.

        What fails while it rests was sent before, and counts with the failure that began the rest.
        """
        if self.resumes_at is not None and now < self.resumes_at:
            return
        self.window = max(self.window // 2, 1)
        self.failures += 1
        if rests:
            self.resumes_at = Nanos(now + push_backoff(self.failures))

    def settle(self, now: Nanos) -> None:
        """End the rest when its time has come."""
        if self.resumes_at is not None and self.resumes_at <= now:
            self.resumes_at = None


def push_backoff(failures: int) -> Nanos:
    """Give the wait after the `failures`-th failure in a row (from 1): 100 ms, doubled each time, at most 60 s."""
    return Nanos(min(limits.PUSH_BACKOFF_MAX, limits.PUSH_BACKOFF_MIN << min(failures - 1, 64)))
