"""grpc.health.v1.Health: whether the server serves. Not part of Pub/Sub; probes and container tools ask it.

Two messages of one field each, so their bytes are written here by hand.

Source: github.com/grpc/grpc/blob/master/doc/health-checking.md.

PYTEST_DONT_REWRITE
"""

import asyncio
from typing import Final

from publican_emulator.broker.errors import InvalidArgument, NotFound
from publican_emulator.rpc.call import CallInfo
from publican_emulator.rpc.stream import MessageStream
from publican_protocol import wire
from publican_protocol.methods import SERVICES

CHECK: Final = "/grpc.health.v1.Health/Check"
WATCH: Final = "/grpc.health.v1.Health/Watch"

_SERVING: Final = b"\x08\x01"
_SERVICE_UNKNOWN: Final = b"\x08\x03"
_KNOWN: Final = frozenset({"", *SERVICES})


def check(body: bytes, info: CallInfo) -> bytes:
    """Say that a service of ours, or the server as a whole (""), is serving; NOT_FOUND for any other."""
    service = _service(body)
    if service not in _KNOWN:
        raise NotFound("service", service, shown=service)
    return _SERVING


async def watch(stream: MessageStream, info: CallInfo) -> None:
    """Say it once: it does not change for as long as there is a stream to say it on."""
    body = await stream.receive()
    if body is None:
        raise InvalidArgument("Watch needs a HealthCheckRequest.")
    stream.start()
    stream.write(_SERVING if _service(body) in _KNOWN else _SERVICE_UNKNOWN)
    await asyncio.get_running_loop().create_future()  # never done: the caller's cancellation or our shutdown ends it


def _service(body: bytes) -> str:
    """Read HealthCheckRequest.service (field 1); the last one counts."""
    service = b""
    at = 0
    try:
        while at < len(body):
            tag, start = wire.read_varint(body, at)
            at = wire.skip(body, start, tag & 7)
            if tag == 0x0A:
                service = body[wire.read_varint(body, start)[1] : at]
        return service.decode()
    except (wire.WireError, UnicodeDecodeError):
        raise InvalidArgument("The request is not a valid grpc.health.v1.HealthCheckRequest.") from None
