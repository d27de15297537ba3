"""docs/semantics.md, filters: which messages a subscription gets. The grammar itself is tested in tests/broker/test_filters.py."""

import pytest

from publican_protocol import pubsub as api
from tests.semantics.pubsub import Pubsub, days
from tests.semantics.spec import spec

MESSAGES = {
    b"none": {},
    b"empty": {"name": ""},
    b"com": {"name": "com"},
    b"comet": {"name": "comet", "lang": "jp"},
    b"Com": {"name": "Com"},
    b"lang": {"lang": "jp"},
}


@spec("filters/1", "filters/2")
@pytest.mark.parametrize(
    ("text", "passing"),
    [
        ("attributes:name", b"empty com comet Com"),
        ('attributes.name = "com"', b"com"),
        ('attributes.name = ""', b"empty"),
        ('attributes.name != "com"', b"none empty comet Com lang"),
        ('hasPrefix(attributes.name, "com")', b"com comet"),
        ('hasPrefix(attributes.name, "")', b"empty com comet Com"),
        ("NOT attributes:name", b"none lang"),
        ("-attributes:name", b"none lang"),
        ('attributes:name AND attributes.lang = "jp"', b"comet"),
        ('attributes.name = "com" OR attributes:lang', b"com comet lang"),
        ("attributes:name AND NOT attributes:lang", b"empty com Com"),
        ('NOT (attributes:name OR attributes.lang = "jp")', b"none"),
        ('(attributes:name AND attributes:lang) OR attributes.name = "Com"', b"comet Com"),
        ('attributes:"name"', b"empty com comet Com"),
        ('\n( attributes.name="com" )\t', b"com"),
    ],
)
def test_the_attributes_decide(pubsub: Pubsub, text: str, passing: bytes) -> None:
    topic, subscription = pubsub.pair(filter=text)
    topic.send(*(api.PubsubMessage(data=data, attributes=attributes) for data, attributes in MESSAGES.items()))
    assert subscription.take_data() == passing.split()


@spec("filters/2")
@pytest.mark.parametrize(
    "text",
    [
        "attributes:a AND attributes:b OR attributes:c",
        "attributes:a OR attributes:b AND attributes:c",
        "attributes:a and attributes:b",
        "NOT NOT attributes:a",
        "attributes:a attributes:b",
        "- attributes:a",
    ],
)
def test_what_does_not_combine_is_refused(pubsub: Pubsub, text: str) -> None:
    assert pubsub.refuses_subscription(pubsub.topic(), filter=text).code == "INVALID_ARGUMENT"


@spec("filters/3")
@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("attributes.a = b", 16),
        ('name = "x"', 1),
        ('data = "x"', 1),
        ("attributes", 11),
        ("attributes.a", 13),
        ("()", 2),
        ('attributes.a = "b', 16),
        ("attributes.a = 'b'", 16),
        ('attributes.a < "b"', 14),
        ('attributes.a = "b" extra', 20),
        ('hasSuffix(attributes.a, "b")', 1),
    ],
)
def test_the_error_points_at_the_column(pubsub: Pubsub, text: str, position: int) -> None:
    error = pubsub.refuses_subscription(pubsub.topic(), filter=text)
    assert error.code == "INVALID_ARGUMENT"
    assert error.text.startswith(f"Invalid filter (filter={text}): ")
    assert f"position {position}" in error.text


def of_size(size: int) -> str:
    """Give a filter of so many bytes."""
    frame = 'attributes.a = ""'
    return f'attributes.a = "{"x" * (size - len(frame))}"'


@spec("filters/4")
@pytest.mark.parametrize("size", [255, 256])
def test_a_filter_of_256_bytes_is_taken(pubsub: Pubsub, size: int) -> None:
    topic, subscription = pubsub.pair(filter=of_size(size))
    topic.publish(b"in", a="x" * (size - 17))
    topic.publish(b"out", a="x")
    assert subscription.take_data() == [b"in"]


@spec("filters/4")
@pytest.mark.parametrize("text", [of_size(257), of_size(1_000), "attributes:" + "é" * 123])
def test_a_longer_filter_is_refused(pubsub: Pubsub, text: str) -> None:
    error = pubsub.refuses_subscription(pubsub.topic(), filter=text)
    assert error.code == "INVALID_ARGUMENT"
    assert f"it has {len(text.encode())} bytes, the maximum is 256" in error.text


@spec("filters/5")
@pytest.mark.parametrize("text", ["attributes:a", ' attributes."a" = "\\u00e9" ', "   "])
def test_a_filter_is_shown_as_it_was_sent(pubsub: Pubsub, text: str) -> None:
    _, subscription = pubsub.pair(filter=text)
    assert subscription.get().filter == text


@spec("filters/5")
@pytest.mark.parametrize("field", ["", "attributes:a", "attributes:b"])
def test_a_filter_cannot_be_changed(pubsub: Pubsub, field: str) -> None:
    _, subscription = pubsub.pair(filter="attributes:a")
    error = subscription.refuses_update("filter", filter=field)
    text = "Invalid update_mask provided in the UpdateSubscriptionRequest: the 'filter' field in the Subscription is not mutable."
    assert (error.code, error.text) == ("INVALID_ARGUMENT", text)


@spec("filters/6")
def test_what_does_not_match_is_in_no_backlog_and_does_not_age_a_snapshot(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(filter="attributes:a", message_retention_duration=days(10))
    topic.publish(b"out")
    pubsub.advance(3 * 86_400)
    week_from_now = pubsub.now() + 7 * 86_400 * 10**9
    assert subscription.snapshot().expire_time.ToNanoseconds() == week_from_now
    topic.publish(b"in", a="")
    pubsub.advance(86_400)
    assert subscription.snapshot().expire_time.ToNanoseconds() == week_from_now
    assert subscription.take_data() == [b"in"]


@spec("filters/6")
def test_subscriptions_of_one_topic_filter_for_themselves(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    everything, kind_a, kind_b = (pubsub.subscription(topic, filter=text) for text in ("", 'attributes.kind = "a"', 'attributes.kind = "b"'))
    for number in range(6):
        topic.publish(b"%d" % number, kind="ab"[number % 2])
    assert everything.take_data() == [b"0", b"1", b"2", b"3", b"4", b"5"]
    assert kind_a.take_data() == [b"0", b"2", b"4"]
    assert kind_b.take_data() == [b"1", b"3", b"5"]


@spec("filters/7")
@pytest.mark.parametrize("text", ["", " ", "\t\n "])
def test_a_filter_of_blanks_lets_everything_pass(pubsub: Pubsub, text: str) -> None:
    topic, subscription = pubsub.pair(filter=text)
    topic.publish(b"a")
    topic.publish(b"b", c="d")
    assert subscription.take_data() == [b"a", b"b"]


@spec("filters/8")
def test_it_counts_after_a_seek_back_in_time(pubsub: Pubsub) -> None:
    topic = pubsub.topic(message_retention_duration=days(1))
    subscription = pubsub.subscription(topic, filter="attributes:a", retain_acked_messages=True)
    start = pubsub.now()
    topic.publish(b"in", a="")
    topic.publish(b"out")
    assert subscription.ack_all() == [b"in"]
    subscription.seek_to(start)
    assert subscription.take_data() == [b"in"]


@spec("filters/8")
def test_it_counts_after_a_seek_to_the_snapshot_of_another(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    everything, filtered = pubsub.subscription(topic), pubsub.subscription(topic, filter="attributes:a")
    topic.publish(b"in", a="")
    topic.publish(b"out")
    snapshot = everything.snapshot()
    topic.publish(b"out later")
    topic.publish(b"in later", a="")
    filtered.ack_all()
    filtered.seek_to_snapshot(snapshot)
    assert filtered.take_data() == [b"in", b"in later"]
