"""The fast forms of the hot messages say what the general forms say, or leave it to them."""

import base64
import json
from collections.abc import Callable, Sequence

import pytest
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from publican_protocol import json_form, json_hot, known, pubsub, wire

NOW_NS = 1_700_000_000_123_000_000


def general_publish(body: bytes) -> Message:
    request = pubsub.PublishRequest()
    json_form.parse(body, request)
    request.topic = "projects/p/topics/t"
    return request


def fast_publish(body: bytes) -> Message | None:
    encoded = json_hot.publish_request_fast(body, "projects/p/topics/t")
    return None if encoded is None else pubsub.PublishRequest.FromString(encoded)


def general_acknowledge(body: bytes) -> Message:
    request = pubsub.AcknowledgeRequest()
    json_form.parse(body, request)
    request.subscription = "projects/p/subscriptions/s"
    return request


def fast_acknowledge(body: bytes) -> Message | None:
    encoded = json_hot.acknowledge_request_fast(body, "projects/p/subscriptions/s")
    return None if encoded is None else pubsub.AcknowledgeRequest.FromString(encoded)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


PUBLISHES = [
    {"messages": []},
    {"messages": [{"data": b64(b"one")}]},
    {"messages": [{"data": b64(b"x" * 127)}, {"data": b64(b"x" * 128)}, {"data": b64(bytes(70_000))}]},
    {"messages": [{"data": ""}]},
    {"messages": [{"attributes": {"a": "b"}}]},
    {"messages": [{"attributes": {}}]},
    {"messages": [{"data": b64(b"one"), "attributes": {"a": "1", "é": "ß"}, "orderingKey": "k"}] * 3},
    {"messages": [{"data": b64(b"one"), "attributes": {"a": "x" * 300}}]},
    {"messages": [{"orderingKey": "only"}]},
]


@pytest.mark.parametrize("body", PUBLISHES)
def test_a_usual_publish_is_read_alike(body: object) -> None:
    encoded = json.dumps(body).encode()
    assert fast_publish(encoded) == general_publish(encoded)


ACKNOWLEDGES = [{"ackIds": []}, {"ackIds": ["a"]}, {"ackIds": ["a" * 32, "b" * 32]}, {"ackIds": ["x" * 200, ""]}]


@pytest.mark.parametrize("body", ACKNOWLEDGES)
def test_a_usual_acknowledge_is_read_alike(body: object) -> None:
    encoded = json.dumps(body).encode()
    assert fast_acknowledge(encoded) == general_acknowledge(encoded)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"messages":null}',
        '{"messages":{}}',
        '{"messages":[null]}',
        '{"messages":[{}]}',
        '{"messages":[[]]}',
        '{"messages":["a"]}',
        '{"messages":[{"data":null}]}',
        '{"messages":[{"data":5}]}',
        '{"messages":[{"data":0}]}',
        '{"messages":[{"data":false}]}',
        '{"messages":[{"data":[]}]}',
        '{"messages":[{"data":"_-8="}]}',
        '{"messages":[{"data":"aGk"}]}',
        '{"messages":[{"data":"!"}]}',
        '{"messages":[{"data":"aGk=","data":"aGk="}]}',
        '{"messages":[{"ordering_key":"k"}]}',
        '{"messages":[{"orderingKey":5}]}',
        '{"messages":[{"attributes":{"a":1}}]}',
        '{"messages":[{"attributes":{"a":null}}]}',
        '{"messages":[{"attributes":{"a":"b","a":"c"}}]}',
        '{"messages":[{"attributes":["a"]}]}',
        '{"messages":[{"attributes":[["a","b"]]}]}',
        '{"messages":[{"attributes":null}]}',
        '{"messages":[{"attributes":{},"attributes":{}}]}',
        '{"messages":[{"attributes":{"a":"b"},"data":"aGk="}]}',
        '{"messages":[{"x":1}]}',
        '{"messages":[],"topic":"t"}',
        '{"messages":[],"messages":[]}',
        '{"messages":[{"attributes":{"a":"\\ud800"}}]}',
        '{"messages":' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"messages":[NaN]}',
        '{"ackIds":["a"]}',
        '{"messages":[{"messageId":"5"}]}',
        "\xff",
    ],
)
@pytest.mark.parametrize("fast", [json_hot.publish_request_fast, json_hot.acknowledge_request_fast])
def test_anything_unusual_is_left_to_the_general_form(fast: Callable[[bytes, str], bytes | None], body: str) -> None:
    encoded = body.encode("latin-1")
    if "ackIds" not in body or fast is json_hot.publish_request_fast:
        assert fast(encoded, "t") is None


@pytest.mark.parametrize(
    "body", ['{"ackIds":[5]}', '{"ackIds":[null]}', '{"ackIds":"a"}', '{"ack_ids":["a"]}', '{"ackIds":["\\ud800"]}', '{"ackIds":[[]]}']
)
def test_unusual_ack_ids_are_left_to_the_general_form(body: str) -> None:
    assert json_hot.acknowledge_request_fast(body.encode(), "s") is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "aGk=", "YQ==", "_-8=", "a", "k", "é"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["messages", "data", "attributes", "orderingKey", "ordering_key", "ackIds", "a"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(deadline=None)  # a busy machine is no failure
@given(JSON | st.builds(lambda items: {"messages": items}, st.lists(JSON, max_size=3)))
def test_whatever_the_fast_publish_reads_the_general_form_reads_alike(body: object) -> None:
    encoded = json.dumps(body).encode()
    fast = fast_publish(encoded)
    if fast is not None:
        assert fast == general_publish(encoded)


@settings(deadline=None)  # a busy machine is no failure
@given(JSON | st.builds(lambda items: {"ackIds": items}, st.lists(JSON, max_size=3)))
def test_whatever_the_fast_acknowledge_reads_the_general_form_reads_alike(body: object) -> None:
    encoded = json.dumps(body).encode()
    fast = fast_acknowledge(encoded)
    if fast is not None:
        assert fast == general_acknowledge(encoded)


def stored(*messages: pubsub.PubsubMessage, first_id: int = 1) -> list[bytes]:
    return wire.stamp([message.SerializeToString() for message in messages], first_id, NOW_NS)


def pull_response(messages: Sequence[bytes], attempt: int) -> bytes:
    return wire.received(messages, b"h" * 20, [b"%04d" % slot for slot in range(len(messages))], attempt)


MESSAGES = [
    pubsub.PubsubMessage(data=b"one"),
    pubsub.PubsubMessage(data=b"\x1a" * 200, attributes={"b": "2", "a": 'quote " and \\ and \n and é'}, ordering_key="k"),
    pubsub.PubsubMessage(attributes={"only": ""}),
    pubsub.PubsubMessage(attributes={"only": ""}, ordering_key="\x1a\x1a"),
    pubsub.PubsubMessage(data=b"x" * 100_000),
    pubsub.PubsubMessage(data=b"", attributes={"a": "1"}, message_id="publisher's own"),
]


@pytest.mark.parametrize("pretty", [True, False])
@pytest.mark.parametrize("attempt", [0, 1, 300])
@pytest.mark.parametrize("messages", [[message] for message in MESSAGES] + [MESSAGES[:5]])
def test_a_pull_response_is_written_alike(messages: list[pubsub.PubsubMessage], attempt: int, pretty: bool) -> None:
    response = pull_response(stored(*messages, first_id=998), attempt)
    fast = json_hot.pull_response_fast(response, pretty=pretty)
    general = json_form.dump(pubsub.PullResponse.FromString(response), pretty=pretty)
    assert fast is None or fast == general
    if messages[0].message_id == "":
        assert fast is not None


PARTS = st.one_of(
    st.builds(lambda data: pubsub.PubsubMessage(data=data), st.binary(max_size=200)),
    st.builds(lambda key, text: pubsub.PubsubMessage(attributes={key: text}), st.text(max_size=3), st.text(max_size=3)),
    st.builds(lambda key: pubsub.PubsubMessage(ordering_key=key), st.text(max_size=3)),
    st.builds(lambda own: pubsub.PubsubMessage(message_id=own), st.text("0123456789x", max_size=3)),
    st.builds(lambda seconds: pubsub.PubsubMessage(publish_time=known.Timestamp(seconds=seconds)), st.integers(0, 10**9)),
).map(lambda message: message.SerializeToString())
UNKNOWN = st.sampled_from([b"\xf8\x01\x05", b"\xfa\x01\x02\x1a\x1a"])


@settings(deadline=None)  # a busy machine is no failure
@given(st.lists(st.lists(PARTS | UNKNOWN, max_size=4).map(b"".join), min_size=1, max_size=4), st.sampled_from([0, 7]), st.booleans())
def test_whatever_the_fast_pull_writes_the_general_form_writes_alike(published: list[bytes], attempt: int, pretty: bool) -> None:
    response = pull_response(wire.stamp(published, 999, NOW_NS), attempt)
    fast = json_hot.pull_response_fast(response, pretty=pretty)
    if fast is not None:
        assert fast == json_form.dump(pubsub.PullResponse.FromString(response), pretty=pretty)


def test_a_pull_response_of_another_layout_is_left_to_the_general_form() -> None:
    message = pubsub.PubsubMessage(data=b"one", message_id="1", publish_time=known.Timestamp(seconds=1))
    response = pubsub.PullResponse(received_messages=[pubsub.ReceivedMessage(ack_id="a", message=message)])
    assert json_hot.pull_response_fast(response.SerializeToString(), pretty=True) is None
    assert json_hot.pull_response_fast(b"", pretty=True) is None


@pytest.mark.parametrize("pretty", [True, False])
@pytest.mark.parametrize(("first", "count"), [(1, 1), (1, 3), (9, 2), (998, 5), (10**16, 1000)])
def test_a_publish_response_is_written_alike(first: int, count: int, pretty: bool) -> None:
    response = wire.publish_response(first, count)
    fast = json_hot.publish_response_fast(response, pretty=pretty)
    assert fast == json_form.dump(pubsub.PublishResponse.FromString(response), pretty=pretty)


@pytest.mark.parametrize("response", [b"", b"\x0a\x01a", b"\x12\x011", b"\x0a\x00"])
def test_an_unusual_publish_response_is_left_to_the_general_form(response: bytes) -> None:
    assert json_hot.publish_response_fast(response, pretty=True) is None
