"""Which transport carries what: unary calls by REST; publishing and streams by gRPC where that is installed, by REST and pulls otherwise.

PYTEST_DONT_REWRITE
"""

import importlib.util
import logging
from dataclasses import dataclass
from typing import Literal

from publican.transport.polling import PollingStreams
from publican.transport.protocol import Streams, Transport
from publican.transport.rest import RestTransport

Kind = Literal["auto", "grpc", "polling"]

log = logging.getLogger("publican.client")


@dataclass(frozen=True, slots=True)
class Transports:
    """What a client calls with."""

    unary: RestTransport
    publishing: Transport
    streams: Streams

    async def close(self) -> None:
        """Close what is open in the running loop; a session that the user gave stays."""
        if self.publishing is not self.unary:
            await self.publishing.close()
        await self.unary.close()


def choose(kind: Kind, rest: RestTransport, *, compress_above: int | None = None, pulls: int = 1, messages_max: int = 1000) -> Transports:
    """Give the transports of a client whose unary calls go by `rest`.

    `kind`: "grpc" insists on gRPC, "polling" on HTTP alone, "auto" takes gRPC where grpcio is installed.

    Raises:
        ImportError: gRPC is insisted on, and grpcio is not installed.
        ValueError: no such kind.
    """
    if kind not in {"auto", "grpc", "polling"}:
        raise ValueError(f"transport: {kind!r} is not one of 'auto', 'grpc', 'polling'")
    has_grpc = kind != "polling" and importlib.util.find_spec("grpc") is not None
    if kind == "grpc" and not has_grpc:
        raise ImportError("transport='grpc' needs grpcio, which is not installed: pip install 'publican[grpc]', or transport='polling'")
    if has_grpc:
        from publican.transport.grpc import GrpcTransport  # 20 MB, which polling never pays for

        carrier = GrpcTransport(rest.endpoint, token=rest.token, compress_above=compress_above)
        log.info("%s: streams and publishing by gRPC, other calls by REST", rest.endpoint.target)
        return Transports(rest, carrier, carrier)
    log.info("%s: all calls by REST, streams are long-poll pulls", rest.endpoint.target)
    return Transports(rest, rest, PollingStreams(rest, pulls=pulls, messages_max=messages_max))
