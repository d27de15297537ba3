"""Faults as clients meet them: over gRPC and REST, in virtual time, and gone after a reset."""

import threading
from collections.abc import Iterator

import grpc
import pytest

from publican_emulator import Emulator, VirtualClock
from publican_emulator.broker.broker import Broker
from publican_emulator.broker.settings import SubscriptionSettings, TopicSettings
from publican_protocol import pubsub
from tests.emulator.conftest import Rest
from tests.emulator.test_streams import SUBSCRIPTION, TOPIC, Stream

PUBLISH = f"/v1/{TOPIC}:publish"
BODY = {"messages": [{"data": "b25l"}]}


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(clock=VirtualClock()) as running:
        running.run(Broker.create_topic, TOPIC, TopicSettings())
        running.run(Broker.create_subscription, SUBSCRIPTION, TOPIC, SubscriptionSettings())
        yield running


def publish_by_grpc(emulator: Emulator) -> list[str]:
    with grpc.insecure_channel(emulator.address) as channel:
        publish = channel.unary_unary(
            "/google.pubsub.v1.Publisher/Publish",
            request_serializer=pubsub.PublishRequest.SerializeToString,
            response_deserializer=pubsub.PublishResponse.FromString,
        )
        return list(publish(pubsub.PublishRequest(topic=TOPIC, messages=[pubsub.PubsubMessage(data=b"one")]), timeout=10).message_ids)


def test_grpc_clients_get_the_code_and_nothing_is_carried_out(emulator: Emulator) -> None:
    fault = emulator.faults.fail("Publish", "UNAVAILABLE", "closed for a private party")
    with pytest.raises(grpc.RpcError) as refused:
        publish_by_grpc(emulator)
    assert (refused.value.code(), refused.value.details()) == (grpc.StatusCode.UNAVAILABLE, "closed for a private party")  # type: ignore[attr-defined]
    assert publish_by_grpc(emulator) == ["1"]
    assert fault.hits == 1


def test_rest_clients_get_the_status(emulator: Emulator, rest: Rest) -> None:
    emulator.faults.fail("Publish", "RESOURCE_EXHAUSTED", "enough")
    status, body = rest(emulator.address, "POST", PUBLISH, BODY)
    assert (status, body["error"]["status"], body["error"]["message"]) == (429, "RESOURCE_EXHAUSTED", "enough")
    assert rest(emulator.address, "POST", PUBLISH, BODY) == (200, {"messageIds": ["1"]})


def test_a_delay_waits_for_virtual_time(emulator: Emulator, rest: Rest) -> None:
    delayed = emulator.faults.delay("Publish", 30.0)
    answers: list[object] = []
    caller = threading.Thread(target=lambda: answers.append(rest(emulator.address, "POST", PUBLISH, BODY)))
    caller.start()
    while not delayed.hits:  # the call is on its way: no time passes
        emulator.advance(0)
    emulator.advance(29)
    assert answers == []
    emulator.advance(1)
    caller.join(timeout=10)
    assert answers == [(200, {"messageIds": ["1"]})]


def test_a_reset_ends_what_is_delayed_and_takes_the_faults_back(emulator: Emulator, rest: Rest) -> None:
    delayed = emulator.faults.delay("Publish", 30.0, times=None)
    answers: list[tuple[int, dict[str, dict[str, str]]]] = []
    caller = threading.Thread(target=lambda: answers.append(rest(emulator.address, "POST", PUBLISH, BODY)))
    caller.start()
    while not delayed.hits:
        emulator.advance(0)
    emulator.reset("test_one is over")
    caller.join(timeout=10)
    assert [(status, body["error"]["message"]) for status, body in answers] == [(400, "test_one is over")]
    assert emulator.faults.wished == []


def test_a_stream_fails_at_its_opening(emulator: Emulator) -> None:
    emulator.faults.fail("StreamingPull", "PERMISSION_DENIED", "members only")
    stream = Stream(emulator.address)
    assert stream.ended.get(timeout=10) == (grpc.StatusCode.PERMISSION_DENIED, "members only")
    stream.close()


def test_open_streams_are_cut_and_their_leases_stay(emulator: Emulator) -> None:
    stream = Stream(emulator.address)
    publish_by_grpc(emulator)
    first = stream.received.get(timeout=10)
    assert emulator.break_streams() == 1
    assert stream.ended.get(timeout=10)[0] is grpc.StatusCode.UNAVAILABLE
    again = Stream(emulator.address)
    emulator.advance(9)
    assert again.received.empty()
    emulator.advance(1)
    assert again.received.get(timeout=10).message == first.message
    for each in (stream, again):
        each.close()
