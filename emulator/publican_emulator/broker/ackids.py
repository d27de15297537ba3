"""Ack ids: 21 characters that name one delivery, and how to tell a forged one from an old one.

An id is a *head* of 17 characters and a *rest* of 4. The head says what kind of lease it names, the subscription's serial number, the lease's own
number, and a check sum; the rest is the slot within a group of messages leased together ("g"), or the delivery attempt of a single message ("m").
Ids of one group share their head, so 1,000 of them are decoded once. A serial number is never used twice by a broker: an id of a deleted
subscription, or of another one, is well-formed and names nothing.

PYTEST_DONT_REWRITE
"""

import binascii
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from publican_emulator.broker.errors import InvalidArgument

HEAD_CHARS: Final = 17
REST_CHARS: Final = 4
ACK_ID_CHARS: Final = HEAD_CHARS + REST_CHARS
GROUP: Final = b"g"
SINGLE: Final = b"m"

_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = bytes.maketrans(b"-_+/", b"+/!!")
SLOTS: Final = tuple(b"%04d" % slot for slot in range(10_000))
"""Slot number -> the rest of its ack id."""

AckIds = Sequence[str] | Mapping[bytes, list[bytes]]
"""Ack ids one by one, or already split into heads and rests."""


def head(kind: bytes, subscription: int, number: int) -> bytes:
    """Give the head of the ids of one lease."""
    body = subscription.to_bytes(4) + number.to_bytes(5)
    return kind + binascii.b2a_base64(body + _check(kind, body), newline=False).translate(_TO_URL)


def attempt_rest(attempt: int) -> bytes:
    """Give the rest of the id of a single message's `attempt`-th delivery."""
    return binascii.b2a_base64((attempt & 0xFFFFFF).to_bytes(3), newline=False).translate(_TO_URL)


def attempt_of(rest: bytes) -> int:
    """Give the attempt that `attempt_rest` made it of; 0 when it was never made so."""
    try:
        return int.from_bytes(binascii.a2b_base64(rest.translate(_FROM_URL), strict_mode=True))
    except binascii.Error:
        return 0


@dataclass(slots=True, frozen=True)
class Head:
    """What the head of a well-formed ack id says."""

    kind: bytes
    subscription: int
    number: int


def decode_head(text: bytes) -> Head | None:
    """Give what a head says; None when it was never made by `head`."""
    kind = text[:1]
    if len(text) != HEAD_CHARS or kind not in (GROUP, SINGLE):
        return None
    try:
        raw = binascii.a2b_base64(text[1:].translate(_FROM_URL), strict_mode=True)
    except binascii.Error:
        return None
    body = raw[:9]
    if _check(kind, body) != raw[9:]:
        return None
    return Head(kind, int.from_bytes(body[:4]), int.from_bytes(body[4:]))


def _check(kind: bytes, body: bytes) -> bytes:
    return (binascii.crc32(body, kind[0]) & 0xFFFFFF).to_bytes(3)


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


def read(ack_ids: Iterable[str], known: Container[bytes] = ()) -> Named:
    """Sort ack ids by head; the general form of `read_split`."""
    by_head: dict[bytes, list[bytes]] = {}
    odd: list[str] = []
    for ack_id in ack_ids:
        raw = ack_id.encode()
        if len(raw) != ACK_ID_CHARS:
            odd.append(ack_id)
        else:
            by_head.setdefault(raw[:HEAD_CHARS], []).append(raw[HEAD_CHARS:])
    named = read_split(by_head, known)
    named.malformed += odd
    return named


def read_split(by_head: Mapping[bytes, list[bytes]], known: Container[bytes] = ()) -> Named:
    """Check ack ids that are already sorted by head: each head once (none that is `known`), the rests by form."""
    named = Named()
    for name, rests in by_head.items():
        bad = _malformed(name[:1], rests) if name in known or decode_head(name) is not None else rests
        named.malformed += [(name + rest).decode(errors="replace") for rest in bad]
        if good := [rest for rest in rests if rest not in bad] if bad else rests:
            named.by_head[name] = good
    return named


def _malformed(kind: bytes, rests: list[bytes]) -> list[bytes]:
    if kind == GROUP:
        return [] if b"".join(rests).isdigit() else [rest for rest in rests if not rest.isdigit()]
    return [rest for rest in rests if not attempt_of(rest)]
