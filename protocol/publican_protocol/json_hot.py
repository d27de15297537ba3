"""JSON of the hot messages straight to wire bytes and back: Publish and Acknowledge bodies, Publish and Pull answers.

The general way (json_form.py) goes through a message object field by field; for each Pub/Sub message of 100 bytes with two attributes it
takes 10 us to read and 15 us to write, these forms 1.5 and 1.6 (`json.loads` alone: 0.5). Each answers None when it meets anything
unusual (another spelling, a null, the URL-safe alphabet, something wrong), and the general form has the say then: so they know nothing
about errors, and a test compares both over one corpus.

The tricks: `object_pairs_hook=tuple` makes objects hashable, so the attributes of a batch are encoded once, and shows names that occur
twice. In a delivery all that stands between data and message id (attributes, ordering key, publish time) is the same for most of a batch.

PYTEST_DONT_REWRITE
"""

import binascii
import json
from typing import Final, NamedTuple

from publican_protocol.json_values import timestamp_text
from publican_protocol.wire import WireError, read_varint, skip, varint

Pairs = tuple[tuple[str, object], ...]


class _UnusualError(Exception):
    """Not a case for a fast form."""


def publish_request_fast(body: bytes, topic: str) -> bytes | None:
    """Give the PublishRequest of a JSON body for `topic`; None when the general form must look at it."""
    try:
        items = _only_member(body, "messages")
        return b"".join([_text_field(b"\x0a", topic), *_messages(items)])
    except (_UnusualError, ValueError, TypeError, RecursionError):
        return None


def acknowledge_request_fast(body: bytes, subscription: str) -> bytes | None:
    """Give the AcknowledgeRequest of a JSON body for `subscription`; None when the general form must look at it."""
    try:
        ack_ids = _only_member(body, "ackIds")
        return _text_field(b"\x0a", subscription) + b"".join([_text_field(b"\x12", ack_id) for ack_id in ack_ids])
    except (_UnusualError, ValueError, TypeError, RecursionError):
        return None


def publish_response_fast(response: bytes, *, pretty: bool) -> bytes | None:
    """Give the JSON of a PublishResponse of plain ids."""
    ids: list[str] = []
    at, end = 0, len(response)
    while at < end:
        size = response[at + 1]
        digits = response[at + 2 : at + 2 + size]
        if response[at] != 0x0A or not digits.isdigit():
            return None
        ids.append(digits.decode())
        at += 2 + size
    if not ids:
        return None
    if pretty:
        return ('{\n  "messageIds": [\n    "' + '",\n    "'.join(ids) + '"\n  ]\n}\n').encode()
    return ('{"messageIds":["' + '","'.join(ids) + '"]}').encode()


def pull_response_fast(response: bytes, *, pretty: bool) -> bytes | None:
    """Give the JSON of a PullResponse whose deliveries are written as `wire.received` does."""
    layout = _PRETTY if pretty else _COMPACT
    middles: dict[bytes, tuple[bytes, bytes]] = {}
    out: list[bytes] = []
    at, end = 0, len(response)
    try:
        while at < end:
            if response[at] != 0x0A:
                return None
            size, at = _size(response, at + 1)
            out += _delivery(response, at, at + size, layout, middles)
            at += size
    except (_UnusualError, WireError, IndexError):
        return None
    if not out or at != end:
        return None
    out[0] = layout.first
    out.append(layout.last)
    return b"".join(out)


def _only_member(body: bytes, name: str) -> list[object]:
    tree = json.loads(body.decode(), object_pairs_hook=tuple)
    if type(tree) is not tuple or len(tree) != 1 or tree[0][0] != name or type(tree[0][1]) is not list:
        raise _UnusualError
    return tree[0][1]


def _messages(items: list[object]) -> list[bytes]:
    """Give the `messages` fields of a PublishRequest, as heads, data and tails; one flat loop: a call costs as much as a message."""
    out: list[bytes] = []
    tails: dict[Pairs, bytes] = {}
    heads: dict[tuple[int, int], bytes] = {}
    for item in items:
        if type(item) is not tuple or not item:
            raise _UnusualError
        name, encoded = item[0]
        rest = item[1:] if name == "data" else item
        tail = tails.get(rest)
        if tail is None:
            tail = tails[rest] = _tail(rest)
        data = b""
        if name == "data":
            data = binascii.a2b_base64(encoded, strict_mode=True)  # a TypeError is an unusual case, too
        sizes = len(data), len(tail)
        head = heads.get(sizes)
        if head is None:
            head = heads[sizes] = _message_head(*sizes)
        out += (head, data, tail)
    return out


def _message_head(data_size: int, tail_size: int) -> bytes:
    inner = b"\x0a" + varint(data_size) if data_size else b""
    return b"\x12" + varint(len(inner) + data_size + tail_size) + inner


def _tail(rest: Pairs) -> bytes:
    out = b""
    seen: set[str] = set()
    for name, value in rest:
        if name in seen:
            raise _UnusualError
        seen.add(name)
        if name == "attributes":
            out += _attributes(value)
        elif name == "orderingKey":
            out += _text_field(b"\x2a", value)
        else:  # also data behind something else: rare, and not worth a second way
            raise _UnusualError
    return out


def _attributes(pairs: object) -> bytes:
    if type(pairs) is not tuple or len(dict(pairs)) != len(pairs):
        raise _UnusualError
    return b"".join([_sized(b"\x12", _text_field(b"\x0a", key) + _text_field(b"\x12", value)) for key, value in pairs])


def _text_field(tag: bytes, value: object) -> bytes:
    if type(value) is not str:
        raise _UnusualError
    return _sized(tag, value.encode())


def _sized(tag: bytes, value: bytes) -> bytes:
    size = len(value)
    return b"%b%c%b" % (tag, size, value) if size < 0x80 else tag + varint(size) + value


class _Layout(NamedTuple):
    """The text between the values of a delivery."""

    first: bytes  # before the first ack id
    between: bytes  # between two deliveries
    message: bytes  # ack id -> message
    data: bytes
    data_end: bytes
    attributes: bytes
    attribute_separator: bytes
    colon: str
    attributes_end: bytes
    message_id: bytes
    publish_time: bytes
    ordering_key: bytes
    message_end: bytes
    attempt: bytes
    delivery_end: bytes
    last: bytes


_COMPACT: Final = _Layout(
    first=b'{"receivedMessages":[{"ackId":"',
    between=b',{"ackId":"',
    message=b'","message":{',
    data=b'"data":"',
    data_end=b'",',
    attributes=b'"attributes":{',
    attribute_separator=b",",
    colon=":",
    attributes_end=b"},",
    message_id=b'"messageId":"',
    publish_time=b'","publishTime":"',
    ordering_key=b',"orderingKey":',
    message_end=b"}",
    attempt=b',"deliveryAttempt":',
    delivery_end=b"}",
    last=b"]}",
)

_PRETTY: Final = _Layout(
    first=b'{\n  "receivedMessages": [\n    {\n      "ackId": "',
    between=b',\n    {\n      "ackId": "',
    message=b'",\n      "message": {\n',
    data=b'        "data": "',
    data_end=b'",\n',
    attributes=b'        "attributes": {\n          ',
    attribute_separator=b",\n          ",
    colon=": ",
    attributes_end=b"\n        },\n",
    message_id=b'        "messageId": "',
    publish_time=b'",\n        "publishTime": "',
    ordering_key=b',\n        "orderingKey": ',
    message_end=b"\n      }",
    attempt=b',\n      "deliveryAttempt": ',
    delivery_end=b"\n    }",
    last=b"\n  ]\n}\n",
)


def _delivery(response: bytes, at: int, end: int, layout: _Layout, middles: dict[bytes, tuple[bytes, bytes]]) -> tuple[bytes, ...]:
    """Give the JSON of one ReceivedMessage: message (2), ack id (1), delivery attempt (3), in this order."""
    if response[at] != 0x12:
        raise _UnusualError
    size, at = _size(response, at + 1)
    message_end = at + size
    id_at = response.rfind(b"\x1a", at, message_end)  # the id is decimal digits, and its length is below 0x1a: this is its tag
    message_id = response[id_at + 2 : message_end]
    data = b""
    if response[at] == 0x0A:
        size, at = _size(response, at + 1)
        data = layout.data + binascii.b2a_base64(response[at : at + size], newline=False) + layout.data_end
        at += size
    middle = response[at:id_at]
    written = middles.get(middle)
    if written is None:
        written = middles[middle] = _middle(middle, layout)
    if response[message_end] != 0x0A or not message_id.isdigit() or at > id_at:
        raise _UnusualError
    ack_at = message_end + 2
    ack_end = ack_at + response[message_end + 1]
    tail = layout.delivery_end
    if ack_end != end:
        if response[ack_end] != 0x18:
            raise _UnusualError
        attempt, after = read_varint(response, ack_end + 1)
        if after != end:
            raise _UnusualError
        tail = layout.attempt + b"%d" % attempt + tail
    ack_id = response[ack_at:ack_end]
    return (layout.between, ack_id, layout.message, data, written[0], layout.message_id, message_id, written[1], tail)


def _size(data: bytes, at: int) -> tuple[int, int]:
    """Give what `wire.read_varint` gives, in a third of the time for lengths below 16 KB."""
    first = data[at]
    if first < 0x80:
        return first, at + 1
    second = data[at + 1]
    if second < 0x80:
        return (first & 0x7F) | second << 7, at + 2
    return read_varint(data, at)


def _middle(middle: bytes, layout: _Layout) -> tuple[bytes, bytes]:
    """Give the JSON of what stands between data and message id: attributes before the id, publish time and ordering key behind it."""
    attributes: dict[str, str] = {}
    ordering_key, time = "", b""
    at = 0
    while at < len(middle):
        tag = middle[at]
        if tag not in {0x12, 0x22, 0x2A}:
            raise _UnusualError
        start = at + 1
        at = skip(middle, start, 2)
        value = middle[read_varint(middle, start)[1] : at]
        if tag == 0x12:
            key, text = _entry(value)
            attributes[key] = text
        elif tag == 0x22:
            time = value  # the last one is ours
        else:
            ordering_key = value.decode()
    before = b""
    if attributes:
        entries = [f"{_quoted(key)}{layout.colon}{_quoted(text)}".encode() for key, text in sorted(attributes.items())]
        before = layout.attributes + layout.attribute_separator.join(entries) + layout.attributes_end
    key_text = layout.ordering_key + _quoted(ordering_key).encode() if ordering_key else b""
    return before, layout.publish_time + _time(time).encode() + b'"' + key_text + layout.message_end


def _entry(entry: bytes) -> tuple[str, str]:
    key = value = ""
    at = 0
    while at < len(entry):
        tag, start = entry[at], at + 1
        if tag not in {0x0A, 0x12}:
            raise _UnusualError
        at = skip(entry, start, 2)
        text = entry[read_varint(entry, start)[1] : at].decode()
        key, value = (text, value) if tag == 0x0A else (key, text)
    return key, value


def _time(stamp: bytes) -> str:
    if not stamp or stamp[0] != 0x08:
        raise _UnusualError
    seconds, at = read_varint(stamp, 1)
    if stamp[at : at + 1] != b"\x10":
        raise _UnusualError
    nanos, at = read_varint(stamp, at + 1)
    if at != len(stamp):
        raise _UnusualError
    return timestamp_text(seconds, nanos)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
