"""What a push request looks like, to the letter."""

import json
from typing import Any

import pytest

from publican_emulator.broker.batch import Delivery
from publican_emulator.broker.push import PushConfig
from publican_emulator.push.requests import ACKED_BY, PushRequest, is_header, is_reserved, push_request
from publican_protocol import pubsub, wire

S = "projects/p/subscriptions/s"
NOON = 1_700_000_000_123_000_000


def delivery(data: bytes = b"Hello", key: str = "", attempt: int = 0, attributes: dict[str, str] | None = None) -> Delivery:
    message = pubsub.PubsubMessage(data=data, ordering_key=key, attributes=attributes or {}).SerializeToString()
    return Delivery("id", wire.stamp([message], 136969346945, NOON)[0], attempt)


def request(given: Delivery, **config: Any) -> PushRequest:
    return push_request(given, S, PushConfig("https://example.com/push", **config))


def test_a_wrapped_request_has_all_that_is_known_of_its_message() -> None:
    made = request(delivery(key="k", attempt=5, attributes={"key": "välue"}))
    assert json.loads(made.body) == {
        "deliveryAttempt": 5,
        "message": {
            "attributes": {"key": "välue"},
            "data": "SGVsbG8=",
            "messageId": "136969346945",
            "message_id": "136969346945",
            "orderingKey": "k",
            "publishTime": "2023-11-14T22:13:20.123Z",
            "publish_time": "2023-11-14T22:13:20.123Z",
        },
        "subscription": S,
    }
    assert made.headers == {
        "User-Agent": "CloudPubSub-Google",
        "From": "noreply@google.com",
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate, br",
        "Content-Type": "application/json",
    }


def test_what_a_message_does_not_have_is_left_out() -> None:
    made = json.loads(request(delivery(b"", attributes={"a": ""})).body)
    assert set(made) == {"message", "subscription"}
    assert set(made["message"]) == {"attributes", "messageId", "message_id", "publishTime", "publish_time"}


@pytest.mark.parametrize(
    "config", [{"wrapper": "pubsub_wrapper"}, {"attributes": {"x-goog-version": "v1"}}, {"attributes": {"x-goog-version": "v1beta2"}}]
)
def test_the_wrapper_said_in_words_and_the_versions_since_v1beta2_are_the_same(config: dict[str, Any]) -> None:
    assert request(delivery(), **config) == request(delivery())


def test_v1beta1_has_the_old_body() -> None:
    made = json.loads(request(delivery(attributes={"a": "b"}), attributes={"x-goog-version": "v1beta1"}).body)
    assert made == {"subscription": S, "message": {"data": "SGVsbG8=", "label": [{"key": "a", "strValue": "b"}], "messageId": "136969346945"}}


@pytest.mark.parametrize("data", [b"", b"\x00\xff raw"])
def test_an_unwrapped_request_is_the_data_and_tells_nothing_else(data: bytes) -> None:
    made = request(delivery(data, key="k", attempt=2, attributes={"a": "b", "Content-Type": "text/plain"}), wrapper="no_wrapper")
    assert made.body == data
    assert made.headers["Content-Type"] == "application/octet-stream"
    assert set(made.headers) == {"User-Agent", "From", "Accept", "Accept-Encoding", "Content-Type"}


def test_metadata_stands_in_headers_when_it_is_asked_for() -> None:
    given = delivery(key="k", attempt=2, attributes={"a": "b", "content-type": "text/plain", "x-custom": "1, 2"})
    made = request(given, wrapper="no_wrapper", write_metadata=True)
    assert {name: value for name, value in made.headers.items() if name not in {"User-Agent", "From", "Accept", "Accept-Encoding"}} == {
        "Content-Type": "text/plain",
        "a": "b",
        "x-custom": "1, 2",
        "x-goog-pubsub-subscription-name": S,
        "x-goog-pubsub-message-id": "136969346945",
        "x-goog-pubsub-publish-time": "2023-11-14T22:13:20.123Z",
        "x-goog-pubsub-ordering-key": "k",
        "x-goog-pubsub-delivery-attempt": "2",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [("a b", "c"), ("ä", "c"), ("", "c"), ("a", "b\r\nX-Evil: 1"), ("a", "b\nc"), ("a", "ü"), ("a", " b"), ("a:", "b"), ("a", "\x00")],
)
def test_an_attribute_that_is_no_header_is_not_sent(name: str, value: str) -> None:
    assert not is_header(name, value)
    made = request(delivery(attributes={name: value} if name else {}), wrapper="no_wrapper", write_metadata=True)
    assert name not in made.headers


@pytest.mark.parametrize(
    "name",
    ["Host", "CONTENT-LENGTH", "connection", "Transfer-Encoding", "authorization", "X-Goog-Anything", "Cookie", "Proxy-X", "user-agent"],
)
def test_an_attribute_cannot_stand_for_the_requests_own_headers(name: str) -> None:
    assert is_reserved(name)
    assert name not in request(delivery(attributes={name: "1"}), wrapper="no_wrapper", write_metadata=True).headers or name == "User-Agent"


def test_five_statuses_ack() -> None:
    assert {102, 200, 201, 202, 204} == ACKED_BY
