"""Header blocks: decoded by the hpack library, checked once, and remembered.

A client repeats its header blocks. One that leaves the dynamic table as it was decodes to the same headers until the table changes, so it is looked
up by its bytes; decoding, checking and reading it is paid once. Our own blocks are literals that touch no table: constants, or made by `encode`.

Source: RFC 9113, section 8; RFC 7541.

PYTEST_DONT_REWRITE
"""

import re
from collections.abc import Iterable
from typing import Final

import hpack
from hpack.exceptions import OversizedHeaderListError

from publican_emulator.transport.http2.frames import ConnectionFault, ErrorCode

HEADER_LIST_BYTES_MAX: Final = 65_536
_CACHED_BLOCKS: Final = 256
_CACHED_BLOCK_BYTES: Final = 1_024
_UPPER: Final = re.compile(rb"[A-Z]")
_BAD_VALUE: Final = re.compile(rb"[\x00\r\n]")
_CONNECTION_SPECIFIC: Final = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"})
_REQUEST_PSEUDO: Final = frozenset({b":method", b":scheme", b":path", b":authority"})

Pairs = list[tuple[bytes, bytes]]


class Malformed(ValueError):
    """Headers that are no request's: the stream is reset with PROTOCOL_ERROR."""


class Head:
    """The headers of one request, or its trailers; shared by all requests that repeat them."""

    __slots__ = ("application", "authority", "content_length", "fields", "is_plain", "is_trailers", "method", "path", "problem")

    def __init__(self, pairs: Pairs) -> None:
        self.fields: Pairs = []
        self.method = b""
        self.path = b""
        self.authority = b""
        self.content_length: int | None = None
        self.problem = ""
        """What is wrong with it as a request."""
        self.is_trailers = not any(name.startswith(b":") for name, _ in pairs)
        self.application: object = None
        """What the receiver has made of these headers, kept for the next request that repeats them."""
        try:
            self._read(pairs)
        except Malformed as error:
            self.problem = str(error)
        self.is_plain = not self.problem and not self.is_trailers and self.content_length is None
        """A good request about whose body nothing is said."""

    def _read(self, pairs: Pairs) -> None:
        pseudo: dict[bytes, bytes] = {}
        for name, value in pairs:
            _check_field(name, value)
            if not name.startswith(b":"):
                self.fields.append((name, value))
                if name == b"content-length":
                    self._read_length(value)
                continue
            if self.fields:
                raise Malformed("a pseudo-header field after a regular one")
            if name not in _REQUEST_PSEUDO or name in pseudo:
                raise Malformed("a pseudo-header field that is unknown, or stands twice")
            pseudo[name] = value
        if not self.is_trailers:
            self.method, self.path = pseudo.get(b":method", b""), pseudo.get(b":path", b"")
            self.authority = pseudo.get(b":authority", b"")
            if not self.method or not self.path or b":scheme" not in pseudo:
                raise Malformed(":method, :scheme and :path must be there and not be empty")

    def _read_length(self, value: bytes) -> None:
        if not value.isdigit() or len(value) > 18 or self.content_length not in (None, int(value)):
            raise Malformed("a content-length that is no number, or two different ones")
        self.content_length = int(value)


def _check_field(name: bytes, value: bytes) -> None:
    if _UPPER.search(name) or not name:
        raise Malformed("a field name in upper case, or empty")
    if name in _CONNECTION_SPECIFIC or (name == b"te" and value != b"trailers"):
        raise Malformed("a connection-specific field")
    if _BAD_VALUE.search(value):
        raise Malformed("a line break or NUL in a field's value")


class Decoder:
    """Decodes one connection's header blocks, in the order of their arrival."""

    __slots__ = ("_cache", "_hpack")

    def __init__(self) -> None:
        self._hpack = hpack.Decoder(max_header_list_size=HEADER_LIST_BYTES_MAX)
        self._cache: dict[bytes, Head] = {}

    def known(self, block: bytes) -> Head | None:
        """Give what a block says when it has been seen before, and the table is still as it was."""
        return self._cache.get(block)

    def decode(self, block: bytes) -> Head:
        """Give what a block says.

        Raises:
            ConnectionFault: it cannot be decoded, or decodes to too much: the shared table is lost with it.
        """
        known = self._cache.get(block)
        if known is not None:
            return known
        table = self._hpack.header_table
        before = (len(table.dynamic_entries), table.maxsize, table.dynamic_entries[0] if table.dynamic_entries else None)
        try:
            decoded = self._hpack.decode(block, raw=True)
        except OversizedHeaderListError:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, f"a header list of more than {HEADER_LIST_BYTES_MAX} bytes") from None
        except (hpack.HPACKError, UnicodeDecodeError, IndexError, ValueError) as error:
            raise ConnectionFault(ErrorCode.COMPRESSION_ERROR, f"a header block that cannot be decoded ({type(error).__name__})") from None
        head = Head([(bytes(name), bytes(value)) for name, value in decoded])
        after = (len(table.dynamic_entries), table.maxsize, table.dynamic_entries[0] if table.dynamic_entries else None)
        if before[:2] != after[:2] or before[2] is not after[2]:
            self._cache.clear()
        elif len(block) <= _CACHED_BLOCK_BYTES:
            if len(self._cache) >= _CACHED_BLOCKS:
                del self._cache[next(iter(self._cache))]
            self._cache[block] = head
        return head


_ENCODER: Final = hpack.Encoder()


def encode(fields: Iterable[tuple[str | bytes, str | bytes]]) -> bytes:
    """Give a header block of never-indexed literals: it depends on no table, so it may be made once and sent on any connection."""
    block: bytes = _ENCODER.encode([(name, value, True) for name, value in fields])
    return block
