"""docs/semantics.md, limits: bounds on whole requests; those of single fields stand with their chapters."""

import pytest

import limits_page
from publican_emulator.broker import limits
from publican_protocol import pubsub as api
from tests.semantics.backends.over_grpc import GrpcBackend
from tests.semantics.pubsub import Pubsub
from tests.semantics.spec import backends, spec

SERVED = backends("grpc", "rest")  # the size of a request is what came on the wire


@spec("limits/1")
def test_the_page_is_the_table_that_the_checks_read() -> None:
    page = limits_page.PAGE.read_text()
    assert page == limits_page.text(), "run scripts/limits_page.py"
    assert f"{limits.PUBLISH_BYTES:,}" in page


def of_size(ack_id: str, size: int, subscription: str) -> api.AcknowledgeRequest:
    """Give a request of so many bytes that names one ack id again and again."""
    request = api.AcknowledgeRequest(subscription=subscription, ack_ids=[ack_id] * ((size - 200) // (len(ack_id) + 2)))
    missing = size - request.ByteSize()
    assert 5 < missing < 300
    request.ack_ids.append("x" * (missing - (2 if missing < 130 else 3)))
    assert request.ByteSize() == size
    return request


@SERVED
@spec("limits/2")
def test_a_request_of_acks_has_at_most_524288_bytes(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(enable_exactly_once_delivery=True)
    topic.publish(b"m")
    ack_id = subscription.take().ack_id
    text = "Request payload size exceeds the limit: 524288 bytes."
    error = pubsub.refuses("Acknowledge", of_size(ack_id, 524_289, subscription.name))
    assert (error.code, error.text) == ("INVALID_ARGUMENT", text)
    assert subscription.take_data() == []
    filler_is_bad = pubsub.refuses("Acknowledge", of_size(ack_id, 500_000, subscription.name))
    assert filler_is_bad.reason == "EXACTLY_ONCE_ACKID_FAILURE"
    pubsub.advance(10)
    assert subscription.take_data() == [], "the good id beside it was carried out"


@SERVED
@spec("limits/2")
def test_a_request_of_deadline_changes_too(pubsub: Pubsub) -> None:
    _, subscription = pubsub.pair()
    request = api.ModifyAckDeadlineRequest(subscription=subscription.name, ack_ids=["x" * 21] * 30_000, ack_deadline_seconds=10)
    error = pubsub.refuses("ModifyAckDeadline", request)
    assert (error.code, error.text) == ("INVALID_ARGUMENT", "Request payload size exceeds the limit: 524288 bytes.")


@spec("limits/2")
def test_2500_ack_ids_fit_into_a_request(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    for _ in range(3):
        topic.publish(*[b"m"] * 1_000)
    deliveries = [delivery for _ in range(3) for delivery in subscription.pull()]
    subscription.ack(*deliveries[:2_500])
    subscription.modify(0, *deliveries[2_500:])
    assert len(subscription.pull()) == 500


@backends("grpc")  # REST has no streams, the core no requests
@spec("limits/3")
@pytest.mark.parametrize(("ids", "is_good"), [(22_000, True), (23_000, False)])
def test_a_request_on_a_stream_has_at_most_524288_bytes(pubsub: Pubsub, ids: int, is_good: bool) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"m")
    stream = subscription.stream()
    (delivery,) = stream.deliveries()
    stream.send(ack_ids=[delivery.ack_id] * ids)
    if is_good:
        assert stream.data() == []
        pubsub.advance(10)
        assert stream.data() == []
    else:
        error = stream.error()
        assert (error.code, error.text) == ("INVALID_ARGUMENT", "Request payload size exceeds the limit: 524288 bytes.")


LARGEST = 9_999_900
"""Bytes of data that fit into a request of 10,000,000 with the topic's name around them, over REST also in base64's own terms."""


@spec("limits/4")
def test_the_largest_message_is_delivered_by_pull(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"x" * LARGEST)
    assert len(subscription.take().data) == LARGEST


@backends("core", "grpc")  # REST has no streams
@spec("limits/4")
def test_the_largest_message_is_delivered_on_a_stream(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    stream = subscription.stream()
    topic.publish(b"x" * LARGEST)
    assert [len(data) for data in stream.data()] == [LARGEST]


@spec("limits/5")
def test_there_may_be_more_resources_than_the_services_quota(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    count = 10_050 if pubsub.backend.name == "core" else 120
    for number in range(count):
        pubsub.subscription(topic, f"projects/p/subscriptions/s-{number:05}")
    assert len(topic.subscriptions()) == 100, "a page of them"


@spec("limits/5")
def test_where_quotas_are_enforced_one_more_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, most in (("TOPICS", 3), ("SUBSCRIPTIONS", 4), ("TOPIC_SUBSCRIPTIONS", 2), ("SNAPSHOTS", 1)):
        monkeypatch.setattr(limits, name, most)
    with GrpcBackend(enforce_quotas=True) as backend:
        pubsub = Pubsub(backend)
        first, second, third = (pubsub.topic() for _ in range(3))
        refused = pubsub.refuses("CreateTopic", api.Topic(name="projects/p/topics/fourth"))
        assert (refused.code, refused.text) == ("RESOURCE_EXHAUSTED", "The project p has 3 topics, as many as the quota allows.")
        pubsub.topic("projects/another/topics/fourth")
        subscriptions = [pubsub.subscription(topic) for topic in (first, first, second, second)]
        assert pubsub.refuses_subscription(third).code == "RESOURCE_EXHAUSTED"
        subscriptions[2].delete()
        assert first.name in pubsub.refuses_subscription(first).text
        pubsub.subscription(third)
        subscriptions[0].snapshot()
        request = api.CreateSnapshotRequest(name="projects/p/snapshots/second", subscription=subscriptions[0].name)
        assert pubsub.refuses("CreateSnapshot", request).code == "RESOURCE_EXHAUSTED"
