"""Subscriptions and Seek over the wire: fields, defaults, echoes, masks, lists, codes and texts."""

from collections.abc import Callable
from typing import Any

import pytest

from publican_emulator.broker.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, PubsubError
from publican_protocol import known, pubsub

Call = Callable[..., Any]

T = "projects/p/topics/orders"
D = "projects/p/topics/dead"
S = "projects/p/subscriptions/billing"
N = "projects/p/snapshots/before"

DAY_S = 86_400
DEFAULTS: dict[str, Any] = {
    "name": S,
    "topic": T,
    "push_config": {},
    "ack_deadline_seconds": 10,
    "message_retention_duration": {"seconds": 7 * DAY_S},
    "expiration_policy": {"ttl": {"seconds": 31 * DAY_S}},
    "state": pubsub.Subscription.State.ACTIVE,
}


@pytest.fixture(autouse=True)
def topics(call: Call) -> None:
    call("CreateTopic", name=T)
    call("CreateTopic", name=D)


TRANSFORMS: list[dict[str, Any]] = [
    {"compression": {"compression_algorithm": pubsub.Compression.CompressionAlgorithm.ZLIB, "compression_mode": mode}, "disabled": True}
    for mode in (pubsub.Compression.CompressionMode.COMPRESS, pubsub.Compression.CompressionMode.DECOMPRESS)
] + [
    {"ai_inference": {"endpoint": "projects/p/locations/l/endpoints/e", "service_account_email": "a@b"}, "enabled": True},
    {"ai_inference": {"endpoint": "projects/p/locations/l/endpoints/e", "unstructured_inference": {}}},
    {"ai_inference": {"endpoint": "projects/p/locations/l/endpoints/e", "unstructured_inference": {"parameters": {"a": [1, None]}}}},
]


PUSH_PARTS: list[dict[str, Any]] = [
    {"pubsub_wrapper": {}},
    {"no_wrapper": {}},
    {"no_wrapper": {"write_metadata": True}},
    {"oidc_token": {"service_account_email": "a@b", "audience": "c"}},
]


def test_a_plain_subscription_shows_the_values_in_effect(call: Call) -> None:
    assert call("CreateSubscription", name=S, topic=T) == pubsub.Subscription(**DEFAULTS)
    assert call("GetSubscription", subscription=S) == pubsub.Subscription(**DEFAULTS)
    assert list(call("ListSubscriptions", project="projects/p").subscriptions) == [pubsub.Subscription(**DEFAULTS)]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"ack_deadline_seconds": 600}, {"ack_deadline_seconds": 600}),
        ({"retain_acked_messages": True}, {"retain_acked_messages": True}),
        (
            {"message_retention_duration": {"seconds": 600, "nanos": 500_000_000}},
            {"message_retention_duration": {"seconds": 600, "nanos": 500_000_000}},
        ),
        ({"labels": {"a": "b"}}, {"labels": {"a": "b"}}),
        ({"enable_message_ordering": True}, {"enable_message_ordering": True}),
        ({"expiration_policy": {}}, {"expiration_policy": {}}),
        ({"expiration_policy": {"ttl": {"seconds": 8 * DAY_S}}}, {"expiration_policy": {"ttl": {"seconds": 8 * DAY_S}}}),
        (
            {"expiration_policy": {"ttl": {"seconds": DAY_S}}},
            {"expiration_policy": {"ttl": {"seconds": DAY_S}}, "message_retention_duration": {"seconds": DAY_S}},
        ),
        ({"filter": 'attributes.a = "b"'}, {"filter": 'attributes.a = "b"'}),
        ({"dead_letter_policy": {"dead_letter_topic": D}}, {"dead_letter_policy": {"dead_letter_topic": D, "max_delivery_attempts": 5}}),
        (
            {"dead_letter_policy": {"dead_letter_topic": D, "max_delivery_attempts": 100}},
            {"dead_letter_policy": {"dead_letter_topic": D, "max_delivery_attempts": 100}},
        ),
        ({"retry_policy": {}}, {"retry_policy": {"minimum_backoff": {"seconds": 10}, "maximum_backoff": {"seconds": 600}}}),
        (
            {"retry_policy": {"minimum_backoff": {}, "maximum_backoff": {"nanos": 1}}},
            {"retry_policy": {"minimum_backoff": {}, "maximum_backoff": {"nanos": 1}}},
        ),
        ({"enable_exactly_once_delivery": True}, {"enable_exactly_once_delivery": True}),
        ({"push_config": {}}, {}),
        *(({"message_transforms": [each]},) * 2 for each in TRANSFORMS),
        ({"push_config": {"attributes": {"x-goog-version": "v1"}, "no_wrapper": {}}}, {}),
        (
            {"push_config": {"push_endpoint": "https://x"}},
            {"push_config": {"push_endpoint": "https://x", "attributes": {"x-goog-version": "v1"}}},
        ),
        *(({"push_config": {"push_endpoint": "http://x", "attributes": {"x-goog-version": "v1beta1"}, **each}},) * 2 for each in PUSH_PARTS),
        ({"detached": True, "state": pubsub.Subscription.State.RESOURCE_ERROR}, {}),
        ({"topic_message_retention_duration": {"seconds": 5}, "analytics_hub_subscription_info": {"listing": "x"}}, {}),
    ],
)
def test_a_field_is_echoed_as_it_takes_effect(call: Call, sent: dict[str, Any], shown: dict[str, Any]) -> None:
    expected = pubsub.Subscription(**{**DEFAULTS, **shown})
    assert call("CreateSubscription", name=S, topic=T, **sent) == expected
    assert call("GetSubscription", subscription=S) == expected


BAD_TRANSFORMS: list[tuple[dict[str, Any], str]] = [
    ({}, "(argument=message_transforms). Each needs a javascript_udf, a compression or an ai_inference."),
    ({"compression": {"compression_mode": 1}}, "(argument=compression.compression_algorithm). It must be ZLIB or ZSTD."),
    ({"compression": {"compression_algorithm": 1}}, "(argument=compression.compression_mode). It must be COMPRESS or DECOMPRESS."),
    ({"compression": {"compression_algorithm": 2, "compression_mode": 1}}, "(argument=compression.compression_algorithm)"),
    ({"javascript_udf": {"code": "x"}}, "(argument=javascript_udf.function_name)"),
    ({"javascript_udf": {"function_name": "x"}}, "(argument=javascript_udf.code)"),
    ({"ai_inference": {"endpoint": "x"}}, "(argument=ai_inference.endpoint)"),
]


@pytest.mark.parametrize(("transform", "text"), BAD_TRANSFORMS)
def test_a_transform_that_is_none_is_refused(call: Call, transform: dict[str, Any], text: str) -> None:
    for rpc, fields in (("CreateSubscription", {"name": S, "topic": T}), ("CreateTopic", {"name": f"{T}2"})):
        with pytest.raises(InvalidArgument) as refused:
            call(rpc, message_transforms=[transform], **fields)
        assert text in str(refused.value)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_a_topics_transforms_are_echoed_and_updated(call: Call, transform: dict[str, Any]) -> None:
    made = call("CreateTopic", name=f"{T}2", message_transforms=[transform])
    assert list(made.message_transforms) == [pubsub.MessageTransform(**transform)]
    assert call("GetTopic", topic=f"{T}2") == made
    updated = call("UpdateTopic", topic={"name": f"{T}2"}, update_mask={"paths": ["message_transforms"]})
    assert updated == pubsub.Topic(name=f"{T}2")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"ack_deadline_seconds": 9}, "Invalid ack deadline given (ack_deadline=9). The ack deadline must be between 10 and 600 seconds."),
        ({"ack_deadline_seconds": 601}, "(ack_deadline=601)"),
        ({"ack_deadline_seconds": -1}, "(ack_deadline=-1)"),
        ({"message_retention_duration": {"seconds": 599}}, "must be between 10m and 744h."),
        ({"message_retention_duration": {}}, "You passed 0s in the request"),
        (
            {"expiration_policy": {"ttl": {"seconds": 3600}}},
            "The value for expiration duration is too small. You passed 1h in the request, but the minimum value is 24h.",
        ),
        ({"expiration_policy": {"ttl": {"seconds": 5}}}, "You passed 5s in the request, but the minimum value is 24h."),
        ({"filter": "attributes.a ="}, "filter"),
        ({"filter": "x" * 257}, "256"),
        ({"dead_letter_policy": {}}, "Invalid resource name given (name=)."),
        ({"dead_letter_policy": {"dead_letter_topic": D, "max_delivery_attempts": 4}}, "max_delivery_attempts"),
        ({"dead_letter_policy": {"dead_letter_topic": D, "max_delivery_attempts": 101}}, "max_delivery_attempts"),
        ({"retry_policy": {"minimum_backoff": {"seconds": 601}}}, "(argument=retry_policy.minimum_backoff)"),
        ({"retry_policy": {"minimum_backoff": {"seconds": -1}}}, "(argument=retry_policy.minimum_backoff)"),
        (
            {"retry_policy": {"minimum_backoff": {"seconds": 5}, "maximum_backoff": {"seconds": 4}}},
            "(argument=retry_policy.minimum_backoff)",
        ),
        ({"retry_policy": {"maximum_backoff": {"seconds": 1, "nanos": -1}}}, "(argument=maximum_backoff)"),
        ({"labels": {"a": "B"}}, 'value "B" for key "a"'),
    ],
)
def test_a_field_out_of_bounds_is_refused(call: Call, fields: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        call("CreateSubscription", name=S, topic=T, **fields)
    assert text in str(refused.value)
    with pytest.raises(NotFound):
        call("GetSubscription", subscription=S)


@pytest.mark.parametrize(
    ("name", "topic", "error", "text"),
    [
        ("x", T, InvalidArgument, "(name=x)"),
        (S, "", InvalidArgument, "(name=)"),
        (S, "_deleted-topic_", InvalidArgument, "(name=_deleted-topic_)"),
        (S, S, InvalidArgument, f"(name={S})"),
        (T, T, InvalidArgument, f"(name={T})"),
        (S, "projects/p/topics/absent", NotFound, "Resource not found (resource=absent)."),
    ],
)
def test_names_are_checked_before_they_are_looked_up(call: Call, name: str, topic: str, error: type[PubsubError], text: str) -> None:
    with pytest.raises(error) as refused:
        call("CreateSubscription", name=name, topic=topic)
    assert text in str(refused.value)
    if error is InvalidArgument:  # before the fields, too
        with pytest.raises(error) as refused:
            call("CreateSubscription", name=name, topic=topic, ack_deadline_seconds=1)
        assert text in str(refused.value)


def test_an_absent_dead_letter_topic_is_not_found(call: Call) -> None:
    with pytest.raises(NotFound, match="absent"):
        call("CreateSubscription", name=S, topic=T, dead_letter_policy={"dead_letter_topic": "projects/p/topics/absent"})


def test_a_subscription_is_created_once_also_with_the_same_settings(call: Call) -> None:
    call("CreateSubscription", name=S, topic=T)
    with pytest.raises(AlreadyExists, match=r"\(resource=billing\)"):
        call("CreateSubscription", name=S, topic=T)


def test_a_subscription_without_a_name_gets_one_in_its_topics_project(call: Call) -> None:
    names = [call("CreateSubscription", topic=T).name for _ in range(2)]
    assert all(name.startswith("projects/p/subscriptions/") for name in names)
    assert len(set(names)) == 2
    assert [call("GetSubscription", subscription=name).name for name in names] == names


@pytest.mark.parametrize("rpc", ["GetSubscription", "DeleteSubscription", "ModifyPushConfig"])
@pytest.mark.parametrize(("name", "error"), [("x", InvalidArgument), (S, NotFound)])
def test_an_absent_subscription_is_not_found(call: Call, rpc: str, name: str, error: type[PubsubError]) -> None:
    with pytest.raises(error):
        call(rpc, subscription=name)


def test_a_deleted_subscription_is_gone(call: Call) -> None:
    call("CreateSubscription", name=S, topic=T)
    assert call("DeleteSubscription", subscription=S) == known.Empty()
    with pytest.raises(NotFound):
        call("GetSubscription", subscription=S)


def test_an_update_changes_what_the_mask_names_and_nothing_else(call: Call) -> None:
    call("CreateSubscription", name=S, topic=T, labels={"a": "1"}, enable_message_ordering=True, filter='attributes.a = "b"')
    patch = {"name": S, "ack_deadline_seconds": 30, "labels": {"b": "2"}, "topic": "ignored"}
    updated = call("UpdateSubscription", subscription=patch, update_mask={"paths": ["ack_deadline_seconds"]})
    expected = {
        **DEFAULTS,
        "labels": {"a": "1"},
        "enable_message_ordering": True,
        "filter": 'attributes.a = "b"',
        "ack_deadline_seconds": 30,
    }
    assert updated == pubsub.Subscription(**expected)
    assert call("GetSubscription", subscription=S) == updated


@pytest.mark.parametrize(
    ("path", "before"),
    [
        ("ack_deadline_seconds", {"ack_deadline_seconds": 30}),
        ("retain_acked_messages", {"retain_acked_messages": True}),
        ("message_retention_duration", {"message_retention_duration": {"seconds": 600}}),
        ("labels", {"labels": {"a": "b"}}),
        ("expiration_policy", {"expiration_policy": {}}),
        ("dead_letter_policy", {"dead_letter_policy": {"dead_letter_topic": D}}),
        ("retry_policy", {"retry_policy": {}}),
        ("enable_exactly_once_delivery", {"enable_exactly_once_delivery": True}),
        ("push_config", {"push_config": {"push_endpoint": "https://x"}}),
        ("bigquery_config", {}),
    ],
)
def test_a_masked_field_that_is_absent_is_reset_to_its_default(call: Call, path: str, before: dict[str, Any]) -> None:
    call("CreateSubscription", name=S, topic=T, **before)
    updated = call("UpdateSubscription", subscription={"name": S}, update_mask={"paths": [path]})
    assert updated == pubsub.Subscription(**DEFAULTS)


def test_a_part_of_a_policy_is_updated_by_its_path(call: Call) -> None:
    call("CreateSubscription", name=S, topic=T, dead_letter_policy={"dead_letter_topic": D, "max_delivery_attempts": 7})
    patch = {"name": S, "dead_letter_policy": {"max_delivery_attempts": 9}}
    updated = call("UpdateSubscription", subscription=patch, update_mask={"paths": ["dead_letter_policy.max_delivery_attempts"]})
    assert updated.dead_letter_policy == pubsub.DeadLetterPolicy(dead_letter_topic=D, max_delivery_attempts=9)


@pytest.mark.parametrize(
    ("subscription", "paths", "error", "text"),
    [
        ({"name": "x"}, [], InvalidArgument, "(name=x)"),
        ({"name": S}, [], InvalidArgument, "The update_mask in the UpdateSubscriptionRequest must be set"),
        ({"name": S}, ["pushConfig"], InvalidArgument, "pushConfig is not a known Subscription field."),
        ({"name": S}, ["filter"], InvalidArgument, "the 'filter' field in the Subscription is not mutable."),
        ({"name": S, "ack_deadline_seconds": 5}, ["ack_deadline_seconds"], InvalidArgument, "(ack_deadline=5)"),
        ({"name": S, "dead_letter_policy": {"dead_letter_topic": "projects/p/topics/absent"}}, ["dead_letter_policy"], NotFound, "absent"),
        ({"name": S + "2"}, ["filter"], InvalidArgument, "not mutable"),
        ({"name": S + "2"}, ["labels"], NotFound, "(resource=billing2)"),
    ],
)
def test_an_update_that_is_refused_changes_nothing(
    call: Call, subscription: dict[str, Any], paths: list[str], error: type[PubsubError], text: str
) -> None:
    before = call("CreateSubscription", name=S, topic=T)
    with pytest.raises(error) as refused:
        call("UpdateSubscription", subscription=subscription, update_mask={"paths": paths})
    assert text in str(refused.value)
    assert call("GetSubscription", subscription=S) == before


def test_a_subscription_follows_its_topics_retention(call: Call) -> None:
    call("CreateSubscription", name=S, topic=T)
    call(
        "UpdateTopic",
        topic={"name": T, "message_retention_duration": {"seconds": 900}},
        update_mask={"paths": ["message_retention_duration"]},
    )
    assert call("GetSubscription", subscription=S).topic_message_retention_duration == known.Duration(seconds=900)
    call("UpdateTopic", topic={"name": T}, update_mask={"paths": ["message_retention_duration"]})
    assert not call("GetSubscription", subscription=S).HasField("topic_message_retention_duration")


def test_subscriptions_are_listed_by_project_in_pages(call: Call) -> None:
    for name in ("projects/p/subscriptions/bbb", "projects/p2/subscriptions/aaa", "projects/p/subscriptions/aaa"):
        call("CreateSubscription", name=name, topic=T)
    first = call("ListSubscriptions", project="projects/p", page_size=1)
    rest = call("ListSubscriptions", project="projects/p", page_token=first.next_page_token)
    assert [page.subscriptions[0].name for page in (first, rest)] == ["projects/p/subscriptions/aaa", "projects/p/subscriptions/bbb"]
    assert rest.next_page_token == ""
    with pytest.raises(InvalidArgument, match="page_size"):
        call("ListSubscriptions", project="projects/p", page_size=-1)


def test_modify_push_config_replaces_the_whole_config_but_an_unsaid_version(call: Call) -> None:
    call("CreateSubscription", name=S, topic=T)
    config: dict[str, Any] = {"push_endpoint": "https://x", "attributes": {"x-goog-version": "v1beta1"}, "no_wrapper": {"write_metadata": True}}
    assert call("ModifyPushConfig", subscription=S, push_config=config) == known.Empty()
    assert call("GetSubscription", subscription=S).push_config == pubsub.PushConfig(**config)
    call("ModifyPushConfig", subscription=S, push_config={"push_endpoint": "https://y"})
    expected = pubsub.PushConfig(push_endpoint="https://y", attributes={"x-goog-version": "v1beta1"})
    assert call("GetSubscription", subscription=S).push_config == expected
    call("ModifyPushConfig", subscription=S)
    assert call("GetSubscription", subscription=S).push_config == pubsub.PushConfig()
    with pytest.raises(NotFound):
        call("ModifyPushConfig", subscription=f"{S}x")


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"push_endpoint": "x"}, "Invalid push endpoint given (endpoint=x). Refer to https://cloud.google.com/pubsub/docs/create-push-subscription"),
        ({"push_endpoint": "http://x", "attributes": {"a": "b"}}, '(argument=push_config.attributes). The only attribute is "x-goog-version"'),
        ({"push_endpoint": "http://x", "oidc_token": {}}, "(argument=push_config.oidc_token.service_account_email)"),
    ],
)
def test_a_push_config_that_is_wrong_changes_nothing(call: Call, config: dict[str, Any], text: str) -> None:
    call("CreateSubscription", name=S, topic=T)
    patch = {"name": S, "push_config": config}
    for name, fields in (
        ("ModifyPushConfig", {"subscription": S, "push_config": config}),
        ("UpdateSubscription", {"subscription": patch, "update_mask": {"paths": ["push_config"]}}),
        ("CreateSubscription", {"name": f"{S}2", "topic": T, "push_config": config}),
    ):
        with pytest.raises(InvalidArgument) as refused:
            call(name, **fields)
        assert text in str(refused.value)
    assert call("GetSubscription", subscription=S) == pubsub.Subscription(**DEFAULTS)
    assert len(call("ListSubscriptions", project="projects/p").subscriptions) == 1


def test_one_part_of_a_push_config_is_updated_by_its_path(call: Call) -> None:
    call("CreateSubscription", name=S, topic=T, push_config={"push_endpoint": "https://x", "no_wrapper": {"write_metadata": True}})
    patch = {"name": S, "push_config": {"push_endpoint": "https://y"}}
    updated = call("UpdateSubscription", subscription=patch, update_mask={"paths": ["push_config.push_endpoint"]})
    expected: dict[str, Any] = {"push_endpoint": "https://y", "attributes": {"x-goog-version": "v1"}, "no_wrapper": {"write_metadata": True}}
    assert updated.push_config == pubsub.PushConfig(**expected)


@pytest.mark.parametrize(
    ("target", "error", "text"),
    [
        ({}, InvalidArgument, "(argument=target)"),
        ({"time": {"seconds": 1, "nanos": -1}}, InvalidArgument, "(argument=time)"),
        ({"time": {"seconds": 253402300800}}, InvalidArgument, "(argument=time)"),
        ({"snapshot": "x"}, InvalidArgument, "(name=x)"),
        ({"snapshot": N}, NotFound, "(resource=before)"),
    ],
)
def test_a_seek_needs_a_place_to_go(call: Call, target: dict[str, Any], error: type[PubsubError], text: str) -> None:
    call("CreateSubscription", name=S, topic=T)
    with pytest.raises(error) as refused:
        call("Seek", subscription=S, **target)
    assert text in str(refused.value)


@pytest.mark.parametrize("target", [{"time": {}}, {"time": {"seconds": 1_600_000_000}}, {"time": {"seconds": 4_000_000_000}}, {"snapshot": N}])
def test_a_seek_goes_to_a_time_or_a_snapshot(call: Call, target: dict[str, Any]) -> None:
    call("CreateSubscription", name=S, topic=T)
    call("CreateSnapshot", name=N, subscription=S)
    assert call("Seek", subscription=S, **target) == pubsub.SeekResponse()


def test_a_detached_subscription_cannot_seek(call: Call) -> None:
    call("CreateSubscription", name=S, topic=T)
    call("DetachSubscription", subscription=S)
    with pytest.raises(FailedPrecondition):
        call("Seek", subscription=S, time={"seconds": 1})
