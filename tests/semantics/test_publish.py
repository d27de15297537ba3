"""docs/semantics.md, publish: what may be published, and what becomes of it."""

import pytest

from publican_protocol import pubsub as api
from tests.semantics.backends.backend import START
from tests.semantics.pubsub import SECOND, Pubsub
from tests.semantics.spec import backends, spec

MILLISECOND = 1_000_000
EMPTY = "One or more messages in the publish request is empty. Each message must contain either non-empty data, or at least one attribute."
MIXED = "In a single publish request, all messages must have no ordering key or they must all have the same ordering key. [code=539b]"


def published_at(message: api.PubsubMessage) -> int:
    return message.publish_time.seconds * SECOND + message.publish_time.nanos


@spec("publish/1")
def test_ids_count_from_1_over_all_topics(pubsub: Pubsub) -> None:
    one, other = pubsub.topic(), pubsub.topic()
    pubsub.subscription(other)
    assert one.publish(b"a", b"b") == ["1", "2"]
    assert other.publish(b"c") == ["3"]
    assert one.publish(b"d") == ["4"]


@spec("publish/1")
def test_each_message_has_the_id_that_its_publisher_was_told(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    ids = topic.publish(*(b"%d" % n for n in range(20)))
    assert [(each.data, each.id) for each in subscription.pull()] == [(b"%d" % n, id_) for n, id_ in enumerate(ids)]


@spec("publish/2")
@pytest.mark.parametrize(("later_ns", "time_ns"), [(0, 0), (1, 0), (999_999, 0), (1_000_000, 1_000_000), (1_500_000_001, 1_500_000_000)])
def test_the_publish_time_is_the_servers_in_milliseconds(pubsub: Pubsub, later_ns: int, time_ns: int) -> None:
    topic, subscription = pubsub.pair()
    pubsub.advance(later_ns / SECOND)
    topic.publish(b"a", b"b")
    pubsub.advance(5)
    assert [published_at(each.message) for each in subscription.pull()] == [START + time_ns] * 2


@spec("publish/2")
def test_what_a_publisher_says_of_id_and_time_is_replaced(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    for said in (
        api.PubsubMessage(data=b"m", message_id="77", publish_time={"seconds": 5, "nanos": 7}),  # type: ignore[arg-type]  # a dict is fine
        api.PubsubMessage(data=b"m", message_id="", publish_time={"nanos": 1}),  # type: ignore[arg-type]  # a dict is fine
    ):
        ids = topic.send(said)
        delivery = subscription.take()
        assert [delivery.id] == ids
        assert delivery.id != "77"
        assert published_at(delivery.message) == START
        assert delivery.message.publish_time.nanos == 0


@spec("publish/3")
@pytest.mark.parametrize(
    "message",
    [
        api.PubsubMessage(data=b"\x00\xff plain"),
        api.PubsubMessage(attributes={"only": "attributes"}),
        api.PubsubMessage(data=b"m", attributes={"empty": "", "schlüssel": "wert ☃", "googclient_traceparent": "00"}),
        api.PubsubMessage(data=b"m", ordering_key="k ☃"),
        api.PubsubMessage(data=b"m" * 100_000, attributes={f"k{n}": "v" for n in range(100)}, ordering_key="k"),
    ],
)
def test_a_message_arrives_as_it_was_published(pubsub: Pubsub, message: api.PubsubMessage) -> None:
    topic, plain = pubsub.pair()
    ordered = pubsub.subscription(topic, enable_message_ordering=True)
    topic.send(message)
    for subscription in (plain, ordered):
        got = subscription.take().message
        assert (got.data, got.attributes, got.ordering_key) == (message.data, message.attributes, message.ordering_key)


@spec("publish/4")
@pytest.mark.parametrize("count", [1, 999, 1000])
def test_a_request_may_have_up_to_1000_messages(pubsub: Pubsub, count: int) -> None:
    topic, subscription = pubsub.pair()
    assert len(topic.publish(*[b"m"] * count)) == count
    assert len(subscription.pull()) == count


@spec("publish/4")
@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "The value for message_count is too small. You passed 0 in the request, but the minimum value is 1."),
        (1001, "The value for message_count is too large. You passed 1001 in the request, but the maximum value is 1000."),
    ],
)
def test_a_request_of_another_count_is_refused(pubsub: Pubsub, count: int, text: str) -> None:
    topic, subscription = pubsub.pair()
    error = topic.refuses(*[api.PubsubMessage(data=b"m")] * count)
    assert (error.code, error.text) == ("INVALID_ARGUMENT", text)
    assert subscription.take_data() == []


def request_of(topic: str, size: int) -> api.PublishRequest:
    """Give a request of exactly `size` bytes, in messages of a megabyte."""
    request = api.PublishRequest(topic=topic, messages=[api.PubsubMessage(data=b"x" * 1_000_000) for _ in range(9)])
    request.messages.append(api.PubsubMessage(data=b"x" * 900_000))
    request.messages[-1].data = b"x" * (900_000 + size - request.ByteSize())
    assert request.ByteSize() == size
    return request


@backends("core", "grpc")  # the size of a REST request is that of its JSON
@spec("publish/5")
@pytest.mark.parametrize("size", [9_999_999, 10_000_000])
def test_a_request_may_have_up_to_10_mb(pubsub: Pubsub, size: int) -> None:
    topic, subscription = pubsub.pair()
    pubsub.call("Publish", request_of(topic.name, size))
    taken = 0
    while more := len(subscription.pull()):
        taken += more
    assert taken == 10


@backends("core", "grpc")  # the size of a REST request is that of its JSON
@spec("publish/5")
@pytest.mark.parametrize(
    ("size", "text"),
    [
        (10_000_001, "The value for request_size is too large. You passed 10000001 in the request, but the maximum value is 10000000."),
        (10_485_760, "The value for request_size is too large. You passed 10485760 in the request, but the maximum value is 10000000."),
        (10_485_761, "Request payload size exceeds the limit: 10485760 bytes."),
    ],
)
def test_a_larger_request_is_refused(pubsub: Pubsub, size: int, text: str) -> None:
    topic, subscription = pubsub.pair()
    error = pubsub.refuses("Publish", request_of(topic.name, size))
    assert (error.code, error.text) == ("INVALID_ARGUMENT", text)
    assert subscription.take_data() == []


GOOD_ATTRIBUTES = {
    "100": {f"k{n}": "v" for n in range(100)},
    "a key of 256 bytes": {"é" * 128: "v"},
    "a value of 1,024 bytes": {"k": "é" * 512},
    "no value": {"k": ""},
}
BAD_ATTRIBUTES = {
    "101": {f"k{n}": "v" for n in range(101)},
    "no key": {"": "v"},
    "a key of 257 bytes": {"é" * 128 + "e": "v"},
    "a value of 1,025 bytes": {"k": "é" * 512 + "e"},
}


@spec("publish/6")
@pytest.mark.parametrize("attributes", GOOD_ATTRIBUTES.values(), ids=GOOD_ATTRIBUTES)
def test_attributes_within_their_bounds_arrive(pubsub: Pubsub, attributes: dict[str, str]) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"m", **attributes)
    assert subscription.take().attributes == attributes


@spec("publish/6")
@pytest.mark.parametrize("attributes", BAD_ATTRIBUTES.values(), ids=BAD_ATTRIBUTES)
def test_attributes_beyond_their_bounds_are_refused(pubsub: Pubsub, attributes: dict[str, str]) -> None:
    topic, subscription = pubsub.pair()
    assert topic.refuses(api.PubsubMessage(data=b"m", attributes=attributes)).code == "INVALID_ARGUMENT"
    assert subscription.take_data() == []


@spec("publish/7")
@pytest.mark.parametrize(
    ("key", "is_taken"),
    [("goog", False), ("google", False), ("goog-x", False), ("googclient", False), ("googclient_x", True), ("Goog", True), ("x-goog", True)],
)
def test_keys_that_begin_with_goog_are_googles(pubsub: Pubsub, key: str, is_taken: bool) -> None:
    topic, subscription = pubsub.pair()
    if is_taken:
        topic.publish(b"m", **{key: "v"})
        assert subscription.take().attributes == {key: "v"}
    else:
        assert topic.refuses(api.PubsubMessage(data=b"m", attributes={key: "v"})).code == "INVALID_ARGUMENT"
        assert subscription.take_data() == []


@spec("publish/8")
@pytest.mark.parametrize(("key", "is_taken"), [("k" * 1023, True), ("é" * 512, True), ("é" * 512 + "e", False)])
def test_an_ordering_key_has_at_most_1024_bytes(pubsub: Pubsub, key: str, is_taken: bool) -> None:
    topic, subscription = pubsub.pair()
    message = api.PubsubMessage(data=b"m", ordering_key=key)
    if is_taken:
        topic.send(message)
        assert subscription.take().message.ordering_key == key
    else:
        assert topic.refuses(message).code == "INVALID_ARGUMENT"
        assert subscription.take_data() == []


@spec("publish/9")
@pytest.mark.parametrize("message", [api.PubsubMessage(), api.PubsubMessage(ordering_key="k"), api.PubsubMessage(message_id="5", data=b"")])
def test_an_empty_message_is_refused(pubsub: Pubsub, message: api.PubsubMessage) -> None:
    topic, subscription = pubsub.pair()
    error = topic.refuses(message)
    assert (error.code, error.text) == ("INVALID_ARGUMENT", EMPTY)
    assert subscription.take_data() == []


@spec("publish/9")
@pytest.mark.parametrize("message", [api.PubsubMessage(data=b"m"), api.PubsubMessage(attributes={"k": "v"}), api.PubsubMessage(attributes={"k": ""})])
def test_data_or_an_attribute_is_enough(pubsub: Pubsub, message: api.PubsubMessage) -> None:
    topic, subscription = pubsub.pair()
    topic.send(message)
    assert len(subscription.pull()) == 1


@spec("publish/10")
@pytest.mark.parametrize("keys", [("a", "b"), ("a", ""), ("", "a"), ("a", "a", "b")])
def test_a_request_has_one_ordering_key(pubsub: Pubsub, keys: tuple[str, ...]) -> None:
    topic, subscription = pubsub.pair()
    error = topic.refuses(*(api.PubsubMessage(data=b"m", ordering_key=key) for key in keys))
    assert (error.code, error.text) == ("FAILED_PRECONDITION", MIXED)
    assert subscription.take_data() == []


@spec("publish/11")
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_bad_message_fails_the_request_and_uses_no_id(pubsub: Pubsub, place: int) -> None:
    topic, subscription = pubsub.pair()
    messages = [api.PubsubMessage(data=b"good") for _ in range(3)]
    messages[place] = api.PubsubMessage(data=b"bad", attributes={"goog": ""})
    assert topic.refuses(*messages).code == "INVALID_ARGUMENT"
    assert subscription.take_data() == []
    assert topic.publish(b"next") == ["1"]


@spec("publish/12")
def test_the_form_of_the_name_is_checked_before_the_count_and_the_count_before_the_topic(pubsub: Pubsub) -> None:
    nothing, malformed = "projects/p/topics/nothing", "projects/p/topics/no"
    empty = api.PubsubMessage()
    assert pubsub.refuses("Publish", api.PublishRequest(topic=malformed)).text.startswith("Invalid resource name given")
    assert pubsub.refuses("Publish", api.PublishRequest(topic=nothing)).text.startswith("The value for message_count is too small.")
    assert pubsub.refuses("Publish", api.PublishRequest(topic=nothing, messages=[empty])).code == "NOT_FOUND"


@spec("publish/13")
def test_every_attached_subscription_gets_its_copy_and_a_later_one_none(pubsub: Pubsub) -> None:
    topic, before = pubsub.pair()
    also = pubsub.subscription(topic, "projects/elsewhere/subscriptions/also")
    topic.publish(b"m")
    after = pubsub.subscription(topic)
    topic.publish(b"n")
    assert before.take_data() == also.take_data() == [b"m", b"n"]
    assert after.take_data() == [b"n"]


@spec("publish/13")
def test_what_is_published_for_nobody_is_gone(pubsub: Pubsub) -> None:
    topic = pubsub.topic()
    assert topic.publish(b"m") == ["1"]
    subscription = pubsub.subscription(topic)
    assert subscription.take_data() == []
    subscription.seek_to(START - 1)
    assert subscription.take_data() == []


@spec("publish/14")
def test_publishing_twice_makes_two_messages(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    ids = [topic.publish(b"m", k="v") for _ in range(2)]
    assert ids[0] != ids[1]
    assert subscription.take_data() == [b"m", b"m"]


KEY = "projects/p/locations/l/keyRings/r/cryptoKeys/k"


@spec("publish/15")
def test_regions_and_keys_are_stored_and_shown_and_change_nothing(pubsub: Pubsub) -> None:
    policy = api.MessageStoragePolicy(allowed_persistence_regions=["europe-west1"], enforce_in_transit=True)
    topic = pubsub.topic(message_storage_policy=policy, kms_key_name=KEY)
    assert (topic.get().message_storage_policy, topic.get().kms_key_name) == (policy, KEY)
    subscription = pubsub.subscription(topic)
    topic.publish(b"m")
    assert subscription.take_data() == [b"m"]


@spec("publish/15")
@pytest.mark.parametrize("fields", [{"message_storage_policy": {}}, {"kms_key_name": "k"}, {"kms_key_name": KEY + "/x"}, {"kms_key_name": KEY[:-1]}])
def test_a_policy_without_regions_and_a_malformed_key_are_refused(pubsub: Pubsub, fields: dict[str, object]) -> None:
    request = api.Topic(name="projects/p/topics/abc", **fields)  # type: ignore[arg-type]  # fields by name
    assert pubsub.refuses("CreateTopic", request).code == "INVALID_ARGUMENT"
    assert pubsub.refuses("GetTopic", api.GetTopicRequest(topic=request.name)).code == "NOT_FOUND"
