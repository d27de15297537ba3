"""What goes wrong over REST, as one of our errors that is also one of aiohttp's: `except aiohttp.ClientResponseError` goes on working.

PYTEST_DONT_REWRITE
"""

import functools
import json
from typing import Any

import aiohttp

from publican.errors import BY_CODE, DeadlineExceeded, PubsubError, Unavailable, code_of

_EXCERPT: int = 500


def refused(response: aiohttp.ClientResponse, answer: bytes, method: str, resource: str) -> PubsubError:
    """Give the error of an answer that is none: also an aiohttp.ClientResponseError, whose message is `Reason: <body>`."""
    text = answer.decode(errors="replace")
    name, said, details = "", "", ()
    try:
        error = json.loads(text)["error"]
        name, said, details = error.get("status", ""), error.get("message", ""), tuple(error.get("details", ()))
    except (ValueError, LookupError, TypeError, AttributeError):
        said = text[:_EXCERPT].strip()  # a proxy's page
    code: Any = BY_CODE[code_of(response.status, name)]
    kind = _both(code, aiohttp.ClientResponseError)
    said = said or f"HTTP {response.status} {response.reason}"
    made: Any = kind(said, method=method, resource=resource, details=details, status=response.status)
    made.request_info, made.history, made.headers = response.request_info, response.history, response.headers
    made.message = f"{response.reason}: {text}"
    failed: PubsubError = made
    return failed


def unreached(error: aiohttp.ClientConnectionError, method: str, resource: str) -> PubsubError:
    """Give the error of a call that reached nobody: also the very class that aiohttp raised, with what that held."""
    ours: Any = DeadlineExceeded if isinstance(error, TimeoutError) else Unavailable
    theirs: Any = type(error)
    made: PubsubError = _both(ours, theirs)(str(error) or type(error).__name__, method=method, resource=resource)
    made.__dict__.update(error.__dict__ | made.__dict__)
    return made


@functools.cache
def _both(ours: Any, theirs: Any) -> Any:
    """Give the class that is both; it reads as ours."""
    namespace = {"__module__": ours.__module__, "__doc__": ours.__doc__, "__str__": PubsubError.__str__, "__repr__": _repr, "__reduce__": _reduce}
    return type(ours.__name__, (ours, theirs), namespace)


def _repr(error: PubsubError) -> str:
    return f"{type(error).__name__}({error.text!r})"


def _reduce(error: PubsubError) -> tuple[Any, ...]:
    """Pickle as ours alone: aiohttp's part holds what cannot leave the process."""
    kept = {name: getattr(error, name) for name in ("text", "method", "resource", "details", "status")}
    return _again, (BY_CODE[error.code], kept)


def _again(kind: type[PubsubError], kept: dict[str, Any]) -> PubsubError:
    text = kept.pop("text")
    return kind(text, **kept)
