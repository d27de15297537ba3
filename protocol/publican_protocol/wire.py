"""Wire bytes of the hot messages: what Publish, Pull, Acknowledge and StreamingPull carry, read and written without message objects.

upb parses a message in 0.07 us, but touching its fields from Python costs 1.7 us (docs/performance.md). So the hot path proves a request
well-formed by one parse of the whole, then walks the bytes. Concatenation is merging in protobuf: a stored message is the publisher's bytes with
a *stamp* behind them, `publish_time` (field 4, seconds and nanos always written, so that the publisher's own do not survive) and then `message_id`
(field 3), whose decimal digits end the message; `stamp_of` reads it backwards.

The two response types that carry deliveries, PullResponse and StreamingPullResponse, have `received_messages` as field 1 alike. A delivery is
written as message, then ack id (fields may come in any order), then delivery attempt.

PYTEST_DONT_REWRITE
"""

import functools
import operator
import struct
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Final

MILLISECOND_NS: Final = 1_000_000
SECOND_NS: Final = 1_000_000_000

_TEMPLATE_HEAD: Final = b"\xff\xfe\xfd"
_ENDINGS: Final = tuple(b"%03d" % number for number in range(1000))
_TEMPLATE: Final = b"".join(_TEMPLATE_HEAD + ending for ending in _ENDINGS)
_TEMPLATE_STEP: Final = len(_TEMPLATE_HEAD) + 3


class WireError(ValueError):
    """Bytes that are not the message they should be."""


def varint(value: int) -> bytes:
    """Encode a non-negative integer."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Give the integer at `at` and the position behind it."""
    value = shift = 0
    while True:
        try:
            byte = data[at]
        except IndexError:
            raise WireError("truncated varint") from None
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise WireError("varint of more than 10 bytes")


def skip(data: bytes, at: int, wire_type: int) -> int:
    """Give the position behind the value of `wire_type` at `at`."""
    if wire_type == 0:
        return read_varint(data, at)[1]
    if wire_type == 2:
        size, at = read_varint(data, at)
        at += size
    elif wire_type == 5:
        at += 4
    elif wire_type == 1:
        at += 8
    else:
        raise WireError("groups are not of this API")
    if at > len(data):
        raise WireError("truncated field")
    return at


# Requests


def split_publish(body: bytes) -> tuple[bytes, list[bytes]]:
    """Give the topic and the messages' bytes of a PublishRequest that a full parse has already proved well-formed."""
    topic = b""
    messages: list[bytes] = []
    append = messages.append
    at, end = 0, len(body)
    while at < end:
        tag = body[at]
        if tag == 0x12:
            size = body[at + 1]
            at += 2
            if size > 0x7F:
                size, at = read_varint(body, at - 1)
            append(body[at : at + size])
            at += size
        elif tag == 0x0A:
            size = body[at + 1]
            at += 2
            if size > 0x7F:
                size, at = read_varint(body, at - 1)
            topic = body[at : at + size]
            at += size
        else:
            number, at = read_varint(body, at)
            if number >> 3 == 2 or number >> 3 == 1:
                raise WireError("a tag of more bytes than it needs")
            at = skip(body, at, number & 7)
    return topic, messages


def tail_of(message: bytes) -> bytes:
    """Give what stands behind a message's data: its attributes, ordering key and whatever else the publisher set.

    The data of a message that does not begin with it stays in its tail; `data_size` then says None.
    """
    if not message or message[0] != 0x0A:
        return message
    size = message[1]
    if size < 0x80:
        return message[size + 2 :]
    size, at = read_varint(message, 1)
    return message[at + size :]


def split_ack_ids(body: bytes, tag: bytes, width: int, head: int) -> dict[bytes, list[bytes]] | None:
    """Split a run of ack ids that all have `width` bytes into head -> rests; None when the bytes are not exactly such a run.

    `tag` is the field's tag and the length byte. 1,000 ids cost 0.12 us each (a loop: 0.5), and nothing is copied twice.
    """
    count, odd = divmod(len(body), width + 2)
    if odd or not count:
        return None
    parts = struct.unpack(f"2s{head}s{width - head}s" * count, body)
    tags, heads, rests = parts[0::3], parts[1::3], parts[2::3]
    if tags.count(tag) != count:
        return None
    first = heads[0]
    if heads.count(first) == count:
        return {first: list(rests)}
    split: dict[bytes, list[bytes]] = {}
    for name, rest in zip(heads, rests, strict=True):
        known = split.get(name)
        if known is None:
            split[name] = [rest]
        else:
            known.append(rest)
    return split


# Stamps


@functools.lru_cache(maxsize=16)
def time_stamp(publish_time_ns: int) -> bytes:
    """Give the publish_time field (4) of a message: seconds and nanos, both always.

    Publish times are whole milliseconds, so single publishes find it again: encoding is a quarter of what they cost here.
    """
    seconds, nanos = divmod(publish_time_ns, SECOND_NS)
    value = b"\x08" + varint(seconds) + b"\x10" + varint(nanos)
    return b"\x22" + varint(len(value)) + value


def _counted(head: bytes, first: int, count: int) -> Iterable[tuple[bytes, int]]:
    """Yield (blob, width): records of `head` + decimal number for `count` consecutive numbers, cut where the digits before the last three change."""
    last = first + count
    while first < last:
        thousand, start = divmod(first, 1000)
        stop = min(last - thousand * 1000, 1000)
        if thousand:
            lead = head + b"%d" % thousand
            blob = _TEMPLATE[start * _TEMPLATE_STEP : stop * _TEMPLATE_STEP].replace(_TEMPLATE_HEAD, lead)
            yield blob, len(lead) + 3
        else:
            for number in range(start, stop):
                record = head + b"%d" % number
                yield record, len(record)
        first = thousand * 1000 + stop


def _widths(first: int, count: int) -> Iterable[tuple[int, int, int]]:
    """Cut `count` numbers from `first` where their decimal width changes: (first, count, width)."""
    while count:
        width = len(str(first))
        here = min(count, 10**width - first)
        yield first, here, width
        first += here
        count -= here


def stamp(messages: Sequence[bytes], first_id: int, publish_time_ns: int) -> list[bytes]:
    """Give the messages with consecutive ids from `first_id` and one publish time appended."""
    time = time_stamp(publish_time_ns)
    if len(messages) == 1:
        digits = b"%d" % first_id
        return [b"%b%b\x1a%c%b" % (messages[0], time, len(digits), digits)]
    stamps: list[bytes] = []
    for first, count, width in _widths(first_id, len(messages)):
        for blob, size in _counted(time + b"\x1a" + bytes((width,)), first, count):
            stamps += struct.unpack(f"{size}s" * (len(blob) // size), blob)
    return list(map(operator.add, messages, stamps))


def publish_response(first_id: int, count: int) -> bytes:
    """Encode a PublishResponse of `count` consecutive ids."""
    if count == 1:
        digits = b"%d" % first_id
        return b"\x0a%c%b" % (len(digits), digits)
    return b"".join(blob for first, here, width in _widths(first_id, count) for blob, _ in _counted(b"\x0a" + bytes((width,)), first, here))


def message_id_of(message: bytes) -> int:
    """Give the id in the stamp of a stored message."""
    at = len(message) - 1
    while message[at] >= 0x30:  # a digit; the length byte before the digits is at most 19
        at -= 1
    return int(message[at + 1 :])


def publish_time_of(message: bytes) -> int:
    """Give the publish time in the stamp of a stored message, in nanoseconds since the epoch."""
    at = len(message) - 1
    while message[at] >= 0x30:
        at -= 1
    at -= 2  # the last byte of nanos
    nanos_at = at
    while message[nanos_at - 1] >= 0x80:
        nanos_at -= 1
    seconds_end = nanos_at - 1  # the tag of nanos
    seconds_at = seconds_end - 1
    while message[seconds_at - 1] >= 0x80:
        seconds_at -= 1
    return read_varint(message, seconds_at)[0] * SECOND_NS + read_varint(message, nanos_at)[0]


def unstamped(message: bytes) -> bytes:
    """Give a stored message without its stamp: the publisher's bytes."""
    at = len(message) - 1
    while message[at] >= 0x30:
        at -= 1
    at -= 2
    nanos_at = at
    while message[nanos_at - 1] >= 0x80:
        nanos_at -= 1
    seconds_at = nanos_at - 2
    while message[seconds_at - 1] >= 0x80:
        seconds_at -= 1
    return message[: seconds_at - 3]


# Responses


class _Prefixes(dict[int, bytes]):
    """Stored length -> the bytes before the message in a delivery whose rest (ack id, attempt) has a fixed length."""

    def __init__(self, rest: int) -> None:
        super().__init__()
        self._rest = rest

    def __missing__(self, size: int) -> bytes:
        inner = b"\x12" + varint(size)
        prefix = b"\x0a" + varint(len(inner) + size + self._rest) + inner
        if size < 65_536:  # bounded: longer messages are rare enough to pay each time
            self[size] = prefix
        return prefix


_PREFIXES: Final[dict[int, _Prefixes]] = {}


def received(messages: Sequence[bytes], ack_head: bytes, ack_rests: Sequence[bytes], attempt: int) -> bytes:
    """Encode deliveries whose ack ids are `ack_head` + one of `ack_rests` (all of one length), with one delivery attempt (0: none).

    0.10 us a message of 100 bytes: whole lists move through C (a loop of formats: 1.1 us; message objects: 2.9 us).
    """
    suffix = b"\x18" + varint(attempt) if attempt else b""
    ack_size = len(ack_head) + len(ack_rests[0])
    head = b"\x0a%c%b" % (ack_size, ack_head)
    rest = ack_size + 2 + len(suffix)
    prefixes = _PREFIXES.get(rest)
    if prefixes is None:
        prefixes = _PREFIXES[rest] = _Prefixes(rest)
    if len(messages) == 1:
        message = messages[0]
        return b"".join((prefixes[len(message)], message, head, ack_rests[0], suffix))
    step = 5 if suffix else 4
    parts: list[bytes] = [b""] * (len(messages) * step)
    parts[0::step] = map(prefixes.__getitem__, map(len, messages))
    parts[1::step] = messages
    parts[2::step] = repeat(head, len(messages))
    parts[3::step] = ack_rests
    if suffix:
        parts[4::step] = repeat(suffix, len(messages))
    return b"".join(parts)


def received_size(message: bytes) -> int:
    """Give an upper bound of the bytes that one delivery of `message` takes in a response."""
    return len(message) + 48


def subscription_properties(*, exactly_once: bool, ordering: bool) -> bytes:
    """Encode StreamingPullResponse.subscription_properties (field 4)."""
    value = (b"\x08\x01" if exactly_once else b"") + (b"\x10\x01" if ordering else b"")
    return b"\x22" + bytes((len(value),)) + value
