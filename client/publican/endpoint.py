"""Where the calls go: the service, a region of it, an emulator, or a root that the user names.

The environment is an argument, read when a client is built and not at import. What wins: `api_root`, then `endpoint`, then `PUBSUB_EMULATOR_HOST`,
then the service.

PYTEST_DONT_REWRITE
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

SERVICE: Final = "pubsub.googleapis.com"
VARIABLE: Final = "PUBSUB_EMULATOR_HOST"
_ANY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # what a server listens on, no place to connect to


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A place that answers calls."""

    api_root: str
    """What every REST path is appended to: `https://pubsub.googleapis.com/v1`."""
    is_dev: bool
    """Whether no token is asked for or sent, and certificates are not looked at."""

    @property
    def is_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.api_root.startswith("https:")

    @property
    def host(self) -> str:
        """The host's name or address, without brackets."""
        return urlsplit(self.api_root).hostname or ""

    @property
    def target(self) -> str:
        """The place as gRPC wants it: `host:port`."""
        port = urlsplit(self.api_root).port or (443 if self.is_tls else 80)
        return f"[{self.host}]:{port}" if ":" in self.host else f"{self.host}:{port}"


def find(
    environ: Mapping[str, str],
    *,
    api_root: str | None = None,
    api_is_dev: bool | None = None,
    endpoint: str | None = None,
) -> Endpoint:
    """Give the place that these settings mean.

    `api_root` is the whole root, `http://localhost:8085/v1`, and means no authentication unless `api_is_dev=False`, as in gcloud-aio-pubsub.
    `endpoint` is a host of the service (`us-east1-pubsub.googleapis.com`), a port may follow; `http://` before it means plain text and no
    authentication.

    Raises:
        ValueError: a value that is no host and port; it says where it came from.
    """
    if api_root:
        return Endpoint(api_root.rstrip("/"), api_is_dev is None or api_is_dev)
    if endpoint:
        return Endpoint(_root(endpoint, "endpoint", "https"), endpoint.startswith("http:") if api_is_dev is None else api_is_dev)
    emulator = environ.get(VARIABLE, "").strip()
    if emulator:
        return Endpoint(_root(emulator, VARIABLE, "http"), is_dev=True)
    return Endpoint(f"https://{SERVICE}/v1", is_dev=False)


def _root(text: str, source: str, scheme: str) -> str:
    whole = text if "://" in text else f"{scheme}://{text}"
    try:
        parts = urlsplit(whole)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _refused(source, text, str(error)) from None
    if not host or parts.scheme not in {"http", "https"} or parts.username or parts.query or parts.fragment or parts.path.strip("/"):
        raise _refused(source, text, "it is not host:port")
    host = _ANY_ADDRESS.get(host, host)
    authority = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{authority}{'' if port is None else f':{port}'}/v1"


def _refused(source: str, text: str, why: str) -> ValueError:
    return ValueError(f"{source}: {text!r} names no place: {why}; write host:port, [::1]:port, or either with http:// or https:// before it")
