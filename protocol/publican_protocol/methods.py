"""The RPCs of the API: one record per method, from the service descriptors of the private pool.

PYTEST_DONT_REWRITE
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from publican_protocol.pool import pool

PUBLISHER: Final = "google.pubsub.v1.Publisher"
SUBSCRIBER: Final = "google.pubsub.v1.Subscriber"
SCHEMA_SERVICE: Final = "google.pubsub.v1.SchemaService"
IAM_POLICY: Final = "google.iam.v1.IAMPolicy"

SERVICES: Final = (PUBLISHER, SUBSCRIBER, SCHEMA_SERVICE, IAM_POLICY)


@dataclass(frozen=True, slots=True)
class Method:
    """One RPC; `request` and `response` are full message names."""

    path: str
    service: str
    name: str
    request: str
    response: str
    client_streaming: bool
    server_streaming: bool

    @property
    def is_streaming(self) -> bool:
        """Whether either side may send more than one message."""
        return self.client_streaming or self.server_streaming


@functools.cache
def methods() -> Mapping[str, Method]:
    """Give every RPC by its gRPC path, `/google.pubsub.v1.Publisher/Publish`."""
    found = {}
    for service in SERVICES:
        for method in pool().FindServiceByName(service).methods:
            path = f"/{service}/{method.name}"
            found[path] = Method(
                path=path,
                service=service,
                name=method.name,
                request=method.input_type.full_name,
                response=method.output_type.full_name,
                client_streaming=method.client_streaming,
                server_streaming=method.server_streaming,
            )
    return MappingProxyType(found)
