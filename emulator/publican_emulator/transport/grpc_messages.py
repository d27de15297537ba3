"""Length-prefixed messages: how gRPC puts messages into a body, compressed or not.

Source: "gRPC over HTTP2", github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md.

PYTEST_DONT_REWRITE
"""

import struct
import zlib
from typing import Final

from publican_emulator.broker.errors import Internal, PubsubError, ResourceExhausted, Unimplemented
from publican_emulator.transport.budget import REQUEST_BYTES_MAX

PREFIX: Final = struct.Struct(">BL")
PREFIX_BYTES: Final = 5
_WBITS: Final = {b"gzip": 31, b"deflate": 15}
"""The encodings there are, as zlib knows them."""


def framed(message: bytes) -> bytes:
    """Give a message with its prefix, uncompressed."""
    return PREFIX.pack(0, len(message)) + message


COMPRESSED_BYTES_MIN: Final = 1_024
"""A shorter message travels as it is: the flag says so, message by message."""


def framed_as(message: bytes, encoding: bytes) -> bytes:
    """Give a message with its prefix, compressed by an encoding when that is worth it."""
    if not encoding or len(message) < COMPRESSED_BYTES_MIN:
        return framed(message)
    pressing = zlib.compressobj(level=1, wbits=_WBITS[encoding])
    compressed = pressing.compress(message) + pressing.flush()
    return PREFIX.pack(1, len(compressed)) + compressed


def too_large(size: int) -> PubsubError:
    """Give the error for a message above the limit."""
    return ResourceExhausted(f"Received message larger than max ({size} vs. {REQUEST_BYTES_MAX})")


def whole(body: bytes, encoding: bytes) -> bytes:
    """Give the one message of a unary request's body.

    Raises:
        PubsubError: it is none, or more than one, too large, or compressed in a way that is not supported.
    """
    if len(body) < PREFIX_BYTES:
        raise Internal("The request has no complete message.")
    flag, size = PREFIX.unpack_from(body)
    if size > REQUEST_BYTES_MAX:
        raise too_large(size)
    if size != len(body) - PREFIX_BYTES:
        raise Internal(f"The request must be one message: its prefix says {size} bytes, {len(body) - PREFIX_BYTES} came.")
    message = body[PREFIX_BYTES:]
    return message if not flag else _decompressed(flag, message, encoding)


def _decompressed(flag: int, message: bytes, encoding: bytes) -> bytes:
    if flag != 1:
        raise Internal(f"The message's compressed-flag is {flag}; it must be 0 or 1.")
    if encoding not in _WBITS:
        shown = encoding.decode(errors="replace") or "nothing that grpc-encoding names"
        raise Unimplemented(f"Messages compressed by {shown} are not supported; send gzip, deflate or identity.")
    unzip = zlib.decompressobj(wbits=_WBITS[encoding])
    try:
        plain = unzip.decompress(message, REQUEST_BYTES_MAX + 1)
    except zlib.error as error:
        raise Internal(f"The message cannot be decompressed: {error}.") from None
    if len(plain) > REQUEST_BYTES_MAX:
        raise too_large(len(plain))
    if not unzip.eof:
        raise Internal("The message cannot be decompressed: it is truncated.")
    return plain


class Splitter:
    """Cuts the body of a stream into its messages as they come."""

    __slots__ = ("_buffer", "_encoding")

    def __init__(self, encoding: bytes) -> None:
        self._buffer = bytearray()
        self._encoding = encoding

    def feed(self, data: bytes) -> list[tuple[bytes, int]]:
        """Take a piece of the body; give the messages that are complete, each with the bytes that it took.

        Raises:
            PubsubError: a message is too large, or compressed in a way that is not supported.
        """
        self._buffer += data
        messages = []
        while len(self._buffer) >= PREFIX_BYTES:
            flag, size = PREFIX.unpack_from(self._buffer)
            if size > REQUEST_BYTES_MAX:
                raise too_large(size)
            end = PREFIX_BYTES + size
            if len(self._buffer) < end:
                break
            message = bytes(memoryview(self._buffer)[PREFIX_BYTES:end])
            del self._buffer[:end]
            messages.append((message if not flag else _decompressed(flag, message, self._encoding), end))
        return messages

    @property
    def is_between_messages(self) -> bool:
        """Whether no message is half there."""
        return not self._buffer

    @property
    def held(self) -> int:
        """The bytes of a message that is half there."""
        return len(self._buffer)
