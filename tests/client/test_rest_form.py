"""How requests look over REST: every RPC has a form, and the fast forms say what the general one says."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from publican import types
from publican.transport import rest_form
from publican_protocol import json_form
from publican_protocol.methods import PUBLISHER, SUBSCRIBER, Method, methods
from publican_protocol.pool import message_class
from publican_protocol.routes import match, routes

SERVED = [each for each in methods().values() if any(route.method_path == each.path for route in routes())]
VALUES = {"topics": "projects/p/topics/orders", "subscriptions": "projects/p/subscriptions/billing"}
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


@pytest.mark.parametrize("method", SERVED, ids=lambda method: method.name)
def test_every_rpc_reaches_its_own_route(method: Method) -> None:
    for route in routes():
        if route.method_path != method.path:
            continue
        _, _, rest = route.template.partition("{")
        field, _, pattern = rest.partition("=")
        value = pattern.partition("}")[0].replace("*", "some-thing")
        request: Any = message_class(method.request)()
        target = request
        *parents, last = field.split(".")
        for parent in parents:
            target = getattr(target, parent)
        setattr(target, last, value)
        verb, path, _, _, resource = rest_form.form(method.path).written(request)
        found = match(verb, f"/v1/{path}")
        assert found is not None, path
        assert found[0].method_path == method.path
        assert resource == value


MESSAGES = st.lists(
    st.builds(
        lambda data, attributes, key: types.PubsubMessage(data=data, attributes=attributes, ordering_key=key),
        st.binary(max_size=40),
        st.dictionaries(TEXT, TEXT, max_size=3),
        TEXT,
    ),
    max_size=4,
)


def body_of(written: rest_form.Written) -> Any:
    assert written[2] is not None
    return json.loads(written[2])


@settings(max_examples=40)
@given(MESSAGES)
def test_the_fast_form_of_publish_says_what_the_general_one_says(messages: list[Any]) -> None:
    request = types.PublishRequest(topic=VALUES["topics"], messages=messages)
    general = rest_form._general(methods()[f"/{PUBLISHER}/Publish"]).written(request)
    fast = rest_form.publish_fast(request)
    assert (fast[0], fast[1], fast[3], fast[4]) == (general[0], general[1], general[3], general[4])
    read: Any = types.PublishRequest(topic=VALUES["topics"])
    assert fast[2] is not None
    json_form.parse(fast[2], read)
    assert read == request


@settings(max_examples=40)
@given(st.lists(TEXT, max_size=4), st.integers(0, 600))
def test_the_fast_forms_of_acks_say_what_the_general_ones_say(ack_ids: list[str], seconds: int) -> None:
    ack = types.AcknowledgeRequest(subscription=VALUES["subscriptions"], ack_ids=ack_ids)
    change = types.ModifyAckDeadlineRequest(subscription=VALUES["subscriptions"], ack_ids=ack_ids, ack_deadline_seconds=seconds)
    for request, fast in ((ack, rest_form.acknowledge_fast(ack)), (change, rest_form.modify_fast(change))):
        name = type(request).__name__.removesuffix("Request")
        general = rest_form._general(methods()[f"/{SUBSCRIBER}/{name}"]).written(request)
        assert fast[:2] == general[:2]
        read: Any = type(request)(subscription=VALUES["subscriptions"])
        assert fast[2] is not None
        json_form.parse(fast[2], read)
        assert read == request


@settings(max_examples=40)
@given(MESSAGES, TEXT, st.integers(0, 9), st.integers(0, 4_000_000_000), st.integers(0, 999_999_999))
def test_the_fast_form_reads_what_the_general_one_reads(messages: list[Any], ack_id: str, attempt: int, seconds: int, nanos: int) -> None:
    response = types.PullResponse()
    for message in messages:
        message.message_id = "17"
        message.publish_time.seconds, message.publish_time.nanos = seconds, nanos
        response.received_messages.append(types.ReceivedMessage(ack_id=ack_id or "a", message=message, delivery_attempt=attempt))
    body = json_form.dump(response)
    assert rest_form.pulled_fast(body) == rest_form._general(methods()[f"/{SUBSCRIBER}/Pull"]).read(body) == response


def test_both_alphabets_of_base64_are_read() -> None:
    text = '{"receivedMessages":[{"ackId":"a","message":{"data":"%s","messageId":"1","publishTime":"2026-01-01T00:00:00Z"}}]}'
    for data in ("-_8=", "+/8=", "-_8", "+/8"):
        assert rest_form.pulled_fast((text % data).encode()).received_messages[0].message.data == b"\xfb\xff"


def test_lists_travel_as_a_query() -> None:
    request = types.ListTopicsRequest(project="projects/p", page_size=7, page_token="x")
    assert rest_form.form(f"/{PUBLISHER}/ListTopics").written(request) == (
        "GET",
        "projects/p/topics",
        None,
        {"pageSize": "7", "pageToken": "x"},
        "projects/p",
    )


def test_an_update_travels_with_its_mask() -> None:
    request = types.UpdateTopicRequest(topic=types.Topic(name=VALUES["topics"], labels={"a": "b"}))
    request.update_mask.paths.append("labels")
    written = rest_form.form(f"/{PUBLISHER}/UpdateTopic").written(request)
    assert written[:2] == ("PATCH", VALUES["topics"])
    assert body_of(written) == {"topic": {"name": VALUES["topics"], "labels": {"a": "b"}}, "updateMask": "labels"}
