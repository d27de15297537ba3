"""Publish and names: docs/semantics.md, names and publish."""

import pytest

from publican_protocol import pubsub
from tests.rules.conftest import Pubsub, message, spec
from tests.rules.ways import Refused

INVALID_NAME = (
    "Invalid resource name given (name={}). Refer to https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names for more information."
)


@spec("names/1")
@pytest.mark.parametrize("topic_id", ["ab", "1bc", "googles", "a" * 256, "ab c"])
def test_an_id_that_breaks_the_rule_is_refused(pubsub_: Pubsub, topic_id: str) -> None:
    name = f"projects/p/topics/{topic_id}"
    with pytest.raises(Refused) as refused:
        pubsub_.topic(name)
    assert (refused.value.code, refused.value.message) == ("INVALID_ARGUMENT", INVALID_NAME.format(name))


@spec("names/2")
def test_the_form_of_a_name_counts_before_its_existence(pubsub_: Pubsub) -> None:
    with pytest.raises(Refused) as refused:
        pubsub_.call("GetTopic", pubsub.GetTopicRequest(topic="projects/p/topics/ab"))
    assert refused.value.code == "INVALID_ARGUMENT"
    with pytest.raises(Refused) as refused:
        pubsub_.call("GetTopic", pubsub.GetTopicRequest(topic="projects/p/topics/abc"))
    assert (refused.value.code, refused.value.message) == ("NOT_FOUND", "Resource not found (resource=abc).")


@spec("names/3")
def test_a_topic_and_a_subscription_may_share_an_id_and_case_counts(pubsub_: Pubsub) -> None:
    pubsub_.topic("projects/p/topics/same")
    pubsub_.topic("projects/p/topics/Same")
    assert pubsub_.subscription("projects/p/subscriptions/same", "projects/p/topics/same")


@spec("names/4")
def test_a_name_that_is_taken_already_exists(pubsub_: Pubsub) -> None:
    pubsub_.both()
    for step in (pubsub_.topic, pubsub_.subscription):
        with pytest.raises(Refused) as refused:
            step()
        assert refused.value.code == "ALREADY_EXISTS"
        assert refused.value.message.startswith("Resource already exists in the project (resource=")


@spec("publish/1")
def test_ids_are_counted_from_1_in_the_order_of_the_request(pubsub_: Pubsub) -> None:
    pubsub_.topic()
    assert pubsub_.publish(b"one", b"two") == ["1", "2"]
    assert pubsub_.publish(b"three") == ["3"]


@spec("publish/2")
def test_every_subscription_gets_what_is_published_after_its_creation(pubsub_: Pubsub) -> None:
    pubsub_.topic()
    pubsub_.publish(b"too early")
    first = pubsub_.subscription("projects/p/subscriptions/first")
    pubsub_.publish(b"one")
    second = pubsub_.subscription("projects/p/subscriptions/second")
    pubsub_.publish(b"two")
    assert pubsub_.datas(subscription=first) == [b"one", b"two"]
    assert pubsub_.datas(subscription=second) == [b"two"]


@spec("publish/3")
def test_a_message_carries_the_servers_id_and_time_whatever_its_publisher_wrote(pubsub_: Pubsub) -> None:
    pubsub_.both()
    forged = pubsub.PubsubMessage(data=b"x", message_id="99")
    forged.publish_time.FromNanoseconds(123_456_789)
    pubsub_.publish(forged)
    (received,) = pubsub_.pull()
    assert received.message.message_id == "1"
    assert received.message.publish_time.ToJsonString() == "2026-01-02T00:00:00Z"


@spec("publish/4")
@pytest.mark.parametrize(
    ("bad", "text"),
    [
        (pubsub.PubsubMessage(), "One or more messages in the publish request is empty."),
        (pubsub.PubsubMessage(ordering_key="k"), "One or more messages in the publish request is empty."),
        (message(**{"": "v"}), "attributes"),
        (message(**{"goog-mine": "v"}), "goog-mine"),
        (message(**{"k" * 257: "v"}), "257"),
        (message(k="v" * 1025), "1025"),
        (message(key="k" * 1025), "1025"),
        (message(**{f"k{place}": "v" for place in range(101)}), "101"),
    ],
    ids=["empty", "only a key", "empty attribute key", "goog", "long key", "long value", "long ordering key", "many attributes"],
)
def test_a_bad_message_refuses_the_whole_request(pubsub_: Pubsub, bad: pubsub.PubsubMessage, text: str) -> None:
    pubsub_.both()
    with pytest.raises(Refused) as refused:
        pubsub_.publish(b"good", bad)
    assert refused.value.code in {"INVALID_ARGUMENT", "FAILED_PRECONDITION"}
    if refused.value.code == "INVALID_ARGUMENT":
        assert text in refused.value.message
    assert pubsub_.datas() == []
    assert pubsub_.publish(b"next") == ["1"]


@spec("publish/4")
def test_what_is_just_within_the_bounds_is_published(pubsub_: Pubsub) -> None:
    pubsub_.both()
    wide = {f"k{place}": "v" for place in range(98)} | {"k" * 256: "v" * 1024, "googclient_traceparent": "00"}
    pubsub_.publish(message(b"", key="k" * 1024, **wide))
    (received,) = pubsub_.pull()
    assert dict(received.message.attributes) == wide
    assert received.message.ordering_key == "k" * 1024
    pubsub_.publish(message(b"", empty=""))


@spec("publish/5")
@pytest.mark.parametrize(("count", "text"), [(0, "too small"), (1_000, ""), (1_001, "too large")])
def test_a_request_has_1_to_1000_messages(pubsub_: Pubsub, count: int, text: str) -> None:
    pubsub_.topic()
    if not text:
        assert len(pubsub_.publish(*[b"x"] * count)) == count
        return
    with pytest.raises(Refused) as refused:
        pubsub_.publish(*[b"x"] * count)
    assert refused.value.code == "INVALID_ARGUMENT"
    bound = "minimum value is 1" if not count else "maximum value is 1000"
    assert refused.value.message == f"The value for message_count is {text}. You passed {count} in the request, but the {bound}."


@spec("publish/6")
@pytest.mark.parametrize("size", [9_999_900, 10_000_001])
def test_a_request_has_at_most_10_000_000_bytes(pubsub_: Pubsub, size: int) -> None:
    pubsub_.both()
    if size < 10_000_000:
        pubsub_.publish(bytes(size))
        assert [len(data) for data in pubsub_.datas()] == [size]
        return
    with pytest.raises(Refused) as refused:
        pubsub_.publish(bytes(size))
    assert refused.value.code == "INVALID_ARGUMENT"
    assert refused.value.message.startswith("The value for request_size is too large. You passed 1000")
    assert refused.value.message.endswith("but the maximum value is 10000000.")


@spec("publish/7")
def test_a_request_has_one_ordering_key_or_none(pubsub_: Pubsub) -> None:
    pubsub_.both()
    for pair in ((message(key="a"), message(key="b")), (message(key="a"), message())):
        with pytest.raises(Refused) as refused:
            pubsub_.publish(*pair)
        assert refused.value.code == "FAILED_PRECONDITION"
        assert refused.value.message.startswith("In a single publish request, all messages must have no ordering key or they must all")
    assert pubsub_.datas() == []


@spec("publish/8")
def test_a_topic_that_is_not_there_is_not_found(pubsub_: Pubsub) -> None:
    with pytest.raises(Refused) as refused:
        pubsub_.publish(b"x", topic="projects/p/topics/nope")
    assert (refused.value.code, refused.value.message) == ("NOT_FOUND", "Resource not found (resource=nope).")


@spec("publish/9")
def test_publishing_twice_makes_two_messages(pubsub_: Pubsub) -> None:
    pubsub_.both()
    pubsub_.publish(b"same")
    pubsub_.publish(b"same")
    assert [received.message.message_id for received in pubsub_.pull()] == ["1", "2"]


@spec("publish/10")
def test_all_messages_of_a_request_have_one_publish_time_in_whole_milliseconds(pubsub_: Pubsub) -> None:
    pubsub_.both()
    pubsub_.advance(0.0015)
    pubsub_.publish(b"one", b"two")
    assert {received.message.publish_time.ToJsonString() for received in pubsub_.pull()} == {"2026-01-02T00:00:00.001Z"}
