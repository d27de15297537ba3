"""Ack ids: 18 characters that name one delivery, and how to tell a forged one from an old one.

An id is a *head* of 14 characters and a *rest* of 4. The head says what kind of lease it names, the subscription's serial number, the lease's own
number, and a check sum; the rest is the slot within a group of messages leased together ("g"), or the delivery attempt of a single message ("m").
Ids of one group share their head, so 1,000 of them are decoded once. A serial number is never used twice by a broker: an id of a deleted
subscription, or of another one, is well-formed and names nothing.

PYTEST_DONT_REWRITE
"""

import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from publican_emulator.broker.errors import InvalidArgument

HEAD_CHARS: Final = 14
REST_CHARS: Final = 4
ACK_ID_CHARS: Final = HEAD_CHARS + REST_CHARS
GROUP: Final = ord("g")
SINGLE: Final = ord("m")

_DIGITS: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz-"
_VALUES: Final = {digit: value for value, digit in enumerate(_DIGITS)}
SLOTS: Final = tuple(b"%04d" % slot for slot in range(10_000))
"""Slot number -> the rest of its ack id."""


def _base64(number: int, chars: int) -> bytes:
    out = bytearray(chars)
    for place in range(chars - 1, -1, -1):
        out[place] = _DIGITS[number & 63]
        number >>= 6
    return bytes(out)


def _number(chars: bytes) -> int:
    number = 0
    for char in chars:
        number = number << 6 | _VALUES[char]
    return number


def head(kind: int, subscription: int, number: int) -> bytes:
    """Give the head of the ids of one lease."""
    body = b"%c%b%b" % (kind, _base64(subscription, 4), _base64(number, 6))
    return body + _base64(binascii.crc32(body) & 0x3FFFF, 3)


def attempt_rest(attempt: int) -> bytes:
    """Give the rest of the id of a single message's `attempt`-th delivery."""
    return _base64(attempt, REST_CHARS)


@dataclass(slots=True, frozen=True)
class Head:
    """What the head of a well-formed ack id says."""

    kind: int
    subscription: int
    number: int


def decode_head(text: bytes) -> Head | None:
    """Give what a head says; None when it was never made by `head`."""
    body, check = text[:-3], text[-3:]
    if len(text) != HEAD_CHARS or text[0] not in (GROUP, SINGLE) or not all(char in _VALUES for char in text):
        return None
    if _base64(binascii.crc32(body) & 0x3FFFF, 3) != check:
        return None
    return Head(text[0], _number(text[1:5]), _number(text[5:11]))


@dataclass(slots=True)
class Named:
    """The deliveries that one request names: by head, in the order of their first mention, and the ids that are malformed."""

    by_head: dict[bytes, list[bytes]] = field(default_factory=dict)
    malformed: list[str] = field(default_factory=list)

    def refuse_malformed(self) -> None:
        """Refuse the request when an id is malformed.

        Raises:
            InvalidArgument: naming the first of them, as the service does.
        """
        if self.malformed:
            raise InvalidArgument(f"You have passed an invalid ack ID to the service (ack_id={self.malformed[0]}).")


def read(ack_ids: Iterable[str]) -> Named:
    """Sort ack ids by head; the general form of `read_split`."""
    by_head: dict[bytes, list[bytes]] = {}
    odd: list[str] = []
    for ack_id in ack_ids:
        raw = ack_id.encode()
        if len(raw) != ACK_ID_CHARS:
            odd.append(ack_id)
        else:
            by_head.setdefault(raw[:HEAD_CHARS], []).append(raw[HEAD_CHARS:])
    named = read_split(by_head)
    named.malformed += odd
    return named


def read_split(by_head: Mapping[bytes, list[bytes]]) -> Named:
    """Check ack ids that are already sorted by head: each head once, the rests by form."""
    named = Named()
    for name, rests in by_head.items():
        decoded = decode_head(name)
        if decoded is None:
            named.malformed += [(name + rest).decode(errors="replace") for rest in rests]
        elif decoded.kind == GROUP and not all(map(bytes.isdigit, rests)):
            good = [rest for rest in rests if rest.isdigit()]
            named.malformed += [(name + rest).decode(errors="replace") for rest in rests if not rest.isdigit()]
            if good:
                named.by_head[name] = good
        else:
            named.by_head[name] = rests
    return named
