"""Compression transforms: ZLIB by the standard library, ZSTD where Python or an extra brings it. What comes out is bounded by a message's size.

Source: google.pubsub.v1.Compression; RFC 1950, RFC 8878.

PYTEST_DONT_REWRITE
"""

import importlib
import zlib
from typing import Any, Literal

from publican_emulator.broker import limits
from publican_emulator.broker.errors import FailedPrecondition, InvalidArgument

Algorithm = Literal["ZLIB", "ZSTD"]
Mode = Literal["COMPRESS", "DECOMPRESS"]


def check_algorithm(algorithm: Algorithm) -> None:
    """Refuse ZSTD where nothing does it.

    Raises:
        FailedPrecondition: this Python has no zstd, and the extra that brings it is not installed.
    """
    if algorithm == "ZSTD":
        _zstd()


def compressed(data: bytes, algorithm: Algorithm) -> bytes:
    """Give data in compressed form."""
    if algorithm == "ZLIB":
        return zlib.compress(data)
    done: bytes = _zstd().compress(data)
    return done


def decompressed(data: bytes, algorithm: Algorithm) -> bytes:
    """Give the data of a compressed form.

    Raises:
        InvalidArgument: it is broken, cut short, or more than a message may have.
    """
    most = limits.MESSAGE_DATA_BYTES
    stream: Any
    broken: type[Exception]
    if algorithm == "ZLIB":
        stream, broken = zlib.decompressobj(), zlib.error
    else:
        zstd = _zstd()
        stream, broken = zstd.ZstdDecompressor(), zstd.ZstdError
    try:
        done: bytes = stream.decompress(data, most + 1)
    except broken as error:
        raise InvalidArgument(f"the data is not in {algorithm} format ({error})") from None
    if len(done) > most:
        raise InvalidArgument(f"the decompressed data has more than {most} bytes")
    if not stream.eof or stream.unused_data:
        raise InvalidArgument(f"the data is not in {algorithm} format ({'it is cut short' if not stream.eof else 'something follows it'})")
    return done


def _zstd() -> Any:
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise FailedPrecondition("Compression by ZSTD needs a library that is not installed here: pip install 'publican[transforms]'.")
