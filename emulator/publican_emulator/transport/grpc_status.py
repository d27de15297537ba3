"""How a call ends on the wire: the header blocks of gRPC responses.

Source: "gRPC over HTTP2", github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md.

PYTEST_DONT_REWRITE
"""

import base64
import re
from typing import Final

from publican_emulator.rpc.status import Failure
from publican_emulator.transport.http2.headers import encode

_START: Final = ((":status", "200"), ("content-type", "application/grpc"), ("grpc-accept-encoding", "identity,deflate,gzip"))
HEADERS: Final = {encoding: encode((*_START, *((("grpc-encoding", encoding),) if encoding else ()))) for encoding in (b"", b"gzip", b"deflate")}
"""The headers of a response, by the encoding of its messages."""
OK_TRAILERS: Final = encode((("grpc-status", "0"),))
MESSAGE_BYTES_MAX: Final = 4_096
"""A client's default limit for all metadata is 8 KB: a longer message would hide the status behind RESOURCE_EXHAUSTED."""
_PLAIN: Final = re.compile(rb"[^\x20-\x24\x26-\x7e]")


def _percent_encoded(text: str) -> bytes:
    return _PLAIN.sub(lambda found: b"%%%02X" % found.group()[0], text.encode())


def _fields(failed: Failure) -> list[tuple[str | bytes, str | bytes]]:
    message = failed.message
    encoded = _percent_encoded(message)
    while len(encoded) > MESSAGE_BYTES_MAX:
        message = message[: len(message) * MESSAGE_BYTES_MAX // len(encoded) - 4]
        encoded = _percent_encoded(message + "...")
    fields: list[tuple[str | bytes, str | bytes]] = [("grpc-status", str(int(failed.code))), ("grpc-message", encoded)]
    if failed.details is not None:
        fields.append(("grpc-status-details-bin", base64.b64encode(failed.details).rstrip(b"=")))
    return fields


def trailers(failed: Failure) -> bytes:
    """Give the trailers of a response that has begun."""
    return encode(_fields(failed))


def only_trailers(failed: Failure) -> bytes:
    """Give the headers of a response that is nothing but its failure."""
    return encode([*_START, *_fields(failed)])
