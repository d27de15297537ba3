"""Message transforms in the core: what may be set, and what they do to messages that are published and delivered. The engine is a stand-in."""

import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from publican_emulator.broker import limits
from publican_emulator.broker.abilities import Abilities
from publican_emulator.broker.broker import Broker
from publican_emulator.broker.errors import FailedPrecondition, InvalidArgument
from publican_emulator.broker.events import Kind
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.push import PushConfig
from publican_emulator.broker.settings import DeadLetterPolicy, RetryPolicy, SubscriptionSettings, TopicSettings
from publican_emulator.broker.transforms import Compression, Function, Inference, JavaScript, ScriptError, Transform, TransformFailed
from publican_protocol import pubsub
from tests.broker.bench import SUBSCRIPTION, TOPIC, Bench, data, message

Python = Callable[[dict[str, Any], dict[str, str]], object]


class Stage:
    """An engine whose functions are Python's, by their names; `calls_left` is the time of an operation."""

    def __init__(self, **functions: Python) -> None:
        self.functions = functions
        self.calls_left = self.calls_at_most = 1_000

    def compile(self, code: str, function_name: str) -> Function:
        if "syntax error" in code:
            raise ScriptError("SyntaxError: here")
        function = self.functions[function_name]

        def call(message: str, metadata: str, /) -> str:
            self.calls_left -= 1
            return json.dumps(function(json.loads(message), json.loads(metadata)))

        return call

    def begin(self) -> None:
        self.calls_left = self.calls_at_most

    @property
    def is_spent(self) -> bool:
        return self.calls_left <= 0


def boom(message: dict[str, Any], metadata: dict[str, str]) -> object:
    raise ScriptError("Error: boom")


def upper(message: dict[str, Any], metadata: dict[str, str]) -> object:
    return {"data": message["data"].upper(), "attributes": {**message["attributes"], "seen": "yes"}}


STAGE: dict[str, Python] = {
    "upper": upper,
    "boom": boom,
    "drop": lambda message, metadata: None,
    "drop_odd": lambda message, metadata: None if int(message["data"]) % 2 else message,
    "exclaim": lambda message, metadata: {"data": message["data"] + "!"},
    "tell": lambda message, metadata: {"data": json.dumps(metadata)},
    "empty": lambda message, metadata: {"data": "", "attributes": {}},
    "clear": lambda message, metadata: {"data": message["data"], "attributes": {}},
    "too_many": lambda message, metadata: {"data": "", "attributes": {str(number): "" for number in range(101)}},
}


def js(name: str, *, disabled: bool = False, code: str = "code") -> Transform:
    return Transform(JavaScript(name, code), disabled)


@pytest.fixture
def stage() -> Stage:
    return Stage(**STAGE)


@pytest.fixture
def bench(stage: Stage) -> Bench:
    bench = Bench(listens=True)
    bench.broker = Broker(bench.facts.append, abilities=Abilities(lambda: stage))
    return bench


# what may be set


@pytest.mark.parametrize("size", [limits.UDF_BYTES - 1, limits.UDF_BYTES])
def test_code_within_its_limit_is_taken(size: int) -> None:
    JavaScript("f", "x" * size)


@pytest.mark.parametrize(
    ("name", "code", "text"),
    [
        ("f", "x" * (limits.UDF_BYTES + 1), "It has 20481 bytes, the maximum is 20480."),
        ("f", "ü" * (limits.UDF_BYTES // 2 + 1), "20482 bytes"),
        ("f", "", "It is empty."),
        ("", "x", '"" is not the name of a JavaScript function.'),
        ("1f", "x", "is not the name"),
        ("f()", "x", "is not the name"),
    ],
)
def test_a_function_needs_a_name_and_code(name: str, code: str, text: str) -> None:
    with pytest.raises(InvalidArgument, match=r"argument=javascript_udf\.") as error:
        JavaScript(name, code)
    assert text in error.value.message


@pytest.mark.parametrize("settings", [TopicSettings, SubscriptionSettings])
def test_a_resource_has_at_most_five_functions_with_names_of_their_own(settings: Callable[..., object]) -> None:
    settings(transforms=tuple(js(f"f{number}") for number in range(5)))
    settings(transforms=(*(js(f"f{number}") for number in range(5)), *[Transform(Compression("ZLIB", "COMPRESS"))] * 3))
    with pytest.raises(InvalidArgument, match="There are 6 JavaScript functions, the maximum is 5"):
        settings(transforms=tuple(js(f"f{number}") for number in range(6)))
    with pytest.raises(InvalidArgument, match='The function name "f" stands twice'):
        settings(transforms=(js("f"), js("f", disabled=True)))


@pytest.mark.parametrize("endpoint", ["projects/p/locations/l/endpoints/e", "projects/p/locations/l/publishers/google/models/m"])
def test_an_inference_names_an_endpoint_or_a_model(endpoint: str) -> None:
    Inference(endpoint)
    with pytest.raises(InvalidArgument, match=r"ai_inference\.endpoint"):
        Inference(endpoint + "/more")


def test_functions_are_compiled_when_they_are_set_the_disabled_ones_too(bench: Bench) -> None:
    bad = js("upper", code="syntax error", disabled=True)
    with pytest.raises(InvalidArgument, match="JavaScript function upper: SyntaxError: here"):
        bench.topic(transforms=(bad,))
    bench.topic()
    with pytest.raises(InvalidArgument, match="SyntaxError"):
        bench.subscription(transforms=(bad,))
    bench.subscription()
    with pytest.raises(InvalidArgument, match="SyntaxError"):
        bench.broker.update_topic(TOPIC, TopicSettings(transforms=(bad,)), bench.now)
    with pytest.raises(InvalidArgument, match="SyntaxError"):
        bench.broker.update_subscription(SUBSCRIPTION, SubscriptionSettings(transforms=(bad,)), bench.now)
    bench.publish("a")
    assert data(bench.pull()) == ["a"]


def test_without_an_engine_a_function_is_refused_and_the_message_names_the_extra() -> None:
    bench = Bench()
    with pytest.raises(FailedPrecondition, match=r"pip install 'publican\[transforms\]'"):
        bench.topic(transforms=(js("upper"),))
    bench.topic(transforms=(Transform(Compression("ZLIB", "COMPRESS")),))


# topics


def test_a_topics_transforms_run_in_order_before_the_message_is_stored(bench: Bench) -> None:
    bench.topic(transforms=(js("upper"), js("boom", disabled=True), js("exclaim")))
    bench.subscription()
    bench.publish("one", "two", key="k", kind="new")
    got = bench.pull()
    assert data(got) == ["ONE!", "TWO!"]
    assert dict(got[0].message.attributes) == {"kind": "new", "seen": "yes"}
    assert [(each.message.message_id, each.message.ordering_key) for each in got] == [("1", "k"), ("2", "k")]


def test_a_function_is_told_the_id_the_second_and_the_key(bench: Bench) -> None:
    bench.topic(transforms=(js("tell"),))
    bench.subscription()
    bench.publish("a", key="k")
    bench.publish("b")
    first, second = (json.loads(text) for text in data(bench.pull()))
    assert first == {"message_id": "1", "publish_time": "2023-11-14T22:13:20Z", "ordering_key": "k"}
    assert second == {"message_id": "2", "publish_time": "2023-11-14T22:13:20Z"}


def test_attributes_are_kept_when_the_function_does_not_return_them_and_cleared_when_it_returns_none(bench: Bench) -> None:
    bench.topic(transforms=(js("exclaim"),))
    bench.subscription()
    bench.publish("a", kind="new")
    bench.broker.update_topic(TOPIC, TopicSettings(transforms=(js("clear"),)), bench.now)
    bench.publish("b", kind="new")
    assert [dict(each.message.attributes) for each in bench.pull()] == [{"kind": "new"}, {}]


def test_what_a_topics_function_drops_has_an_id_and_is_not_stored(bench: Bench) -> None:
    bench.topic(transforms=(js("drop_odd"),))
    bench.subscription()
    assert bench.publish("1", "2", "3", "5", "4") == [1, 2, 3, 4, 5]
    assert [(each.message.message_id, each.data) for each in bench.pull()] == [("2", "2"), ("5", "4")]
    assert bench.publish("7") == [6]
    assert bench.pull() == []
    dropped = [fact for fact in bench.facts if fact.kind is Kind.DROPPED]
    assert [len(fact.messages) for fact in dropped] == [1, 2, 1]
    assert {(fact.resource, fact.note) for fact in dropped} == {(TOPIC, "by a message transform of the topic")}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("boom", "The message transform failed (JavaScript function boom): Error: boom"),
        ("empty", "(JavaScript function empty): One or more messages in the publish request is empty"),
        ("too_many", "(JavaScript function too_many): The value for attribute_count is too large"),
    ],
)
def test_a_function_that_fails_refuses_the_whole_publish(bench: Bench, name: str, text: str) -> None:
    bench.topic(transforms=(js(name),))
    bench.subscription()
    with pytest.raises(InvalidArgument) as error:
        bench.publish("a", "b")
    assert text in error.value.message
    assert bench.pull() == []
    bench.broker.update_topic(TOPIC, TopicSettings(), bench.now)
    assert bench.publish("c") == [1]


def test_data_that_is_no_text_cannot_go_through_a_function(bench: Bench) -> None:
    bench.topic(transforms=(js("exclaim"),))
    with pytest.raises(InvalidArgument, match="the data is not UTF-8"):
        bench.broker.publish(TOPIC, [message(b"\xff")], bench.now)


def test_filters_see_what_the_topics_transforms_made(bench: Bench) -> None:
    bench.topic(transforms=(js("upper"),))
    bench.subscription(filter='attributes.seen = "yes"')
    bench.publish("a")
    assert data(bench.pull()) == ["A"]


@pytest.mark.parametrize("algorithm", ["ZLIB", "ZSTD"])
def test_compression_compresses_and_decompresses_the_data(bench: Bench, algorithm: Any) -> None:
    if algorithm == "ZSTD":
        pytest.importorskip("backports.zstd")
    bench.topic(transforms=(Transform(Compression(algorithm, "COMPRESS")),))
    bench.subscription()
    bench.subscription("projects/p/subscriptions/plain", transforms=(Transform(Compression(algorithm, "DECOMPRESS")),))
    bench.broker.publish(TOPIC, [message(b"\x00\xff" * 1_000)], bench.now)
    consumer = bench.broker.open_pull(SUBSCRIPTION, 1, bench.now)
    (delivery,) = bench.broker.lease(consumer, 10_000, bench.now).deliveries()
    compressed = pubsub.PubsubMessage.FromString(delivery.message).data
    assert len(compressed) < 100
    if algorithm == "ZLIB":
        assert zlib.decompress(compressed) == b"\x00\xff" * 1_000
    consumer = bench.broker.open_pull("projects/p/subscriptions/plain", 1, bench.now)
    (delivery,) = bench.broker.lease(consumer, 10_000, bench.now).deliveries()
    assert pubsub.PubsubMessage.FromString(delivery.message).data == b"\x00\xff" * 1_000


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"not compressed", "not in ZLIB format"),
        (zlib.compress(b"a" * 100)[:-3], "it is cut short"),
        (zlib.compress(b"a") + b"b", "something follows it"),
        (zlib.compress(bytes(limits.MESSAGE_DATA_BYTES + 1)), "more than 10000000 bytes"),
    ],
)
def test_what_does_not_decompress_is_an_error(bench: Bench, text: bytes, why: str) -> None:
    bench.topic(transforms=(Transform(Compression("ZLIB", "DECOMPRESS")),))
    with pytest.raises(InvalidArgument, match=f"ZLIB decompress.*{why}"):
        bench.broker.publish(TOPIC, [message(text)], bench.now)


def test_an_inference_lets_messages_pass(bench: Bench) -> None:
    bench.topic(transforms=(Transform(Inference("projects/p/locations/l/endpoints/e")),))
    bench.subscription()
    bench.publish("a")
    assert data(bench.pull()) == ["a"]


def test_a_dead_letter_goes_through_the_transforms_of_its_topic(bench: Bench) -> None:
    bench.topic("projects/p/topics/dead", transforms=(js("exclaim"),))
    bench.subscription("projects/p/subscriptions/dead", topic="projects/p/topics/dead")
    bench.subscription(dead_letter=DeadLetterPolicy("projects/p/topics/dead", 5))
    bench.publish("a")
    for _ in range(5):
        (got,) = bench.pull()
        bench.broker.modify_ack_deadline(SUBSCRIPTION, [got.ack_id], 0, bench.now)
    assert data(bench.pull(of="projects/p/subscriptions/dead")) == ["a!"]


# subscriptions


def test_a_subscriptions_transforms_touch_its_own_deliveries_alone(bench: Bench) -> None:
    bench.subscription(transforms=(js("upper"), js("exclaim")))
    bench.subscription("projects/p/subscriptions/plain")
    bench.publish("a", key="k", kind="new")
    (got,) = bench.pull()
    assert (got.data, dict(got.message.attributes)) == ("A!", {"kind": "new", "seen": "yes"})
    assert (got.message.message_id, got.message.ordering_key) == ("1", "k")
    assert data(bench.pull(of="projects/p/subscriptions/plain")) == ["a"]
    bench.advance(10)
    assert data(bench.pull()) == ["A!"]


def test_what_a_subscriptions_function_drops_counts_as_acked(bench: Bench) -> None:
    bench.subscription(transforms=(js("drop_odd"),))
    bench.publish("1", "2", "3", "4")
    assert data(bench.pull()) == ["2", "4"]
    bench.advance(10)
    assert data(bench.pull()) == ["2", "4"]
    assert [fact.note for fact in bench.facts if fact.kind is Kind.DROPPED] == ["by a message transform"] * 2
    assert [len(fact.messages) for fact in bench.facts if fact.kind is Kind.ACKED] == [1, 1]


def test_a_filter_is_before_the_transforms(bench: Bench) -> None:
    bench.subscription(filter='attributes.kind = "new"', transforms=(js("clear"),))
    bench.publish("a", kind="new")
    bench.publish("b", kind="old")
    assert data(bench.pull()) == ["a"]


def test_a_message_on_which_a_function_fails_is_nacked_and_waits(bench: Bench) -> None:
    bench.subscription(transforms=(js("boom"),))
    bench.publish("a")
    assert bench.pull() == []
    (nacked,) = [fact for fact in bench.facts if fact.kind is Kind.NACKED]
    assert nacked.note == "The message transform failed (JavaScript function boom): Error: boom"
    assert nacked.until == bench.now + SECOND // 10
    bench.broker.update_subscription(SUBSCRIPTION, SubscriptionSettings(), bench.now)
    assert bench.pull() == []
    bench.advance(0.1)
    assert data(bench.pull()) == ["a"]


def test_a_retry_policy_says_how_long_it_waits(bench: Bench) -> None:
    bench.subscription(transforms=(js("boom"),), retry=RetryPolicy(Nanos(20 * SECOND), Nanos(600 * SECOND)))
    bench.publish("a")
    assert bench.pull() == []
    (nacked,) = [fact for fact in bench.facts if fact.kind is Kind.NACKED]
    assert nacked.until == bench.now + 20 * SECOND


@pytest.mark.parametrize("key", ["", "k"])
def test_after_its_attempts_the_message_goes_to_the_dead_letter_topic_as_it_was_published(bench: Bench, key: str) -> None:
    bench.topic("projects/p/topics/dead")
    bench.subscription("projects/p/subscriptions/dead", topic="projects/p/topics/dead")
    bench.subscription(
        transforms=(js("upper"), js("boom")), dead_letter=DeadLetterPolicy("projects/p/topics/dead", 5), enable_message_ordering=bool(key)
    )
    bench.publish("a", key=key)
    for _ in range(5):
        assert bench.pull() == []
        bench.advance(10)
    assert data(bench.pull(of="projects/p/subscriptions/dead")) == ["a"]


def test_order_holds_through_drops_and_failures(bench: Bench, stage: Stage) -> None:
    failing = {"2": 1}

    def sometimes(message: dict[str, Any], metadata: dict[str, str]) -> object:
        if failing.get(message["data"], 0):
            failing[message["data"]] -= 1
            raise ScriptError("not yet")
        return None if message["data"] == "3" else message

    stage.functions["sometimes"] = sometimes
    bench.subscription(transforms=(js("sometimes"),), enable_message_ordering=True)
    bench.publish("1", "2", "3", "4", key="k")
    seen = []
    for _ in range(8):
        for got in bench.pull():
            seen.append(got.data)
            bench.broker.acknowledge(SUBSCRIPTION, [got.ack_id], bench.now)
        bench.advance(1)
    assert seen == ["1", "2", "4"]


def test_an_operation_stops_when_its_functions_have_used_up_its_time(bench: Bench, stage: Stage) -> None:
    stage.calls_at_most = 3
    bench.subscription(transforms=(js("exclaim"),))
    bench.publish("a", "b", "c", "d")
    assert data(bench.pull()) == ["a!", "b!", "c!"]
    assert data(bench.pull()) == ["d!"]


def test_pushes_go_through_the_transforms_too(bench: Bench) -> None:
    subscription = bench.subscription(push=PushConfig("http://x"), transforms=(js("drop_odd"), js("exclaim")))
    assert subscription.outgoing is not None
    bench.publish("1", "2")
    batch = bench.broker.lease(subscription.outgoing.consumer, 1, bench.now)
    assert [pubsub.PubsubMessage.FromString(each.message).data for each in batch.deliveries()] == [b"2!"]


# trying


def test_transforms_can_be_tried_without_publishing(bench: Bench) -> None:
    def tried(*transforms: Transform) -> list[str | None]:
        seen = bench.broker.try_transforms(transforms, message("a"), bench.now)
        return [pubsub.PubsubMessage.FromString(each).data.decode() if isinstance(each, bytes) else each for each in seen]

    assert tried(js("upper"), js("exclaim")) == ["A", "A!"]
    assert tried(js("upper"), js("drop"), js("exclaim")) == ["A", None]
    assert tried(js("upper"), js("boom"), js("exclaim")) == ["A", "The message transform failed (JavaScript function boom): Error: boom"]
    assert tried(js("boom", disabled=True)) == []
    with pytest.raises(InvalidArgument, match="SyntaxError"):
        tried(js("upper", code="syntax error"))


def test_an_error_names_the_transform() -> None:
    assert TransformFailed(Transform(Compression("ZLIB", "COMPRESS")), "why").message == "The message transform failed (ZLIB compress): why"
    assert (
        "inference by projects/p/locations/l/endpoints/e" in TransformFailed(Transform(Inference("projects/p/locations/l/endpoints/e")), "").message
    )
