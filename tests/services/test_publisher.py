"""Topics over the wire: fields, echoes, masks, lists, codes and texts."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from publican_emulator.broker.errors import AlreadyExists, InvalidArgument, NotFound, PubsubError
from publican_protocol import pubsub

Call = Callable[..., Any]

T = "projects/p/topics/orders"
S = "projects/p/subscriptions/billing"
KEY = "projects/p/locations/l/keyRings/r/cryptoKeys/k"


def test_a_new_topic_is_echoed_as_it_was_sent(call: Call) -> None:
    topic = pubsub.Topic(
        name=T,
        labels={"team": "a"},
        kms_key_name=KEY,
        message_storage_policy=pubsub.MessageStoragePolicy(allowed_persistence_regions=["europe-west1"], enforce_in_transit=True),
        message_retention_duration=timedelta(seconds=600.5),
    )
    fields = {field.name: value for field, value in topic.ListFields()}
    assert call("CreateTopic", **fields) == topic
    assert call("GetTopic", topic=T) == topic


def test_a_plain_topic_is_just_its_name(call: Call) -> None:
    assert call("CreateTopic", name=T) == pubsub.Topic(name=T)


def test_what_only_the_service_sets_is_ignored_in_a_request(call: Call) -> None:
    assert call("CreateTopic", name=T, satisfies_pzs=True, state=pubsub.Topic.State.ACTIVE) == pubsub.Topic(name=T)


def test_a_topic_is_created_once(call: Call) -> None:
    call("CreateTopic", name=T)
    with pytest.raises(AlreadyExists, match=r"Resource already exists in the project \(resource=orders\)\."):
        call("CreateTopic", name=T)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "orders",
        "projects/p/topics/ab",
        "projects/p/topics/1ab",
        "projects/p/topics/google-x",
        "projects/p/topics/" + "a" * 256,
        "projects/p/topics/a/b",
        "projects//topics/abc",
        "projects/p/topics/ab c",
        "projects/p/subscriptions/abc",
        "/projects/p/topics/abc",
        "projects/p/topics/abc\n",
        "_deleted-topic_",
    ],
)
@pytest.mark.parametrize(
    ("rpc", "field"),
    [
        ("CreateTopic", "name"),
        ("GetTopic", "topic"),
        ("DeleteTopic", "topic"),
        ("ListTopicSubscriptions", "topic"),
        ("ListTopicSnapshots", "topic"),
    ],
)
def test_a_malformed_name_is_refused_before_anything_is_looked_up(call: Call, rpc: str, field: str, name: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        call(rpc, **{field: name})
    assert str(refused.value) == (
        f"Invalid resource name given (name={name}). Refer to https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names for more information."
    )


def test_a_malformed_name_is_refused_before_the_fields_are_looked_at(call: Call) -> None:
    with pytest.raises(InvalidArgument, match=r"\(name=x\)"):
        call("CreateTopic", name="x", kms_key_name="not a key")


@pytest.mark.parametrize("rpc", ["GetTopic", "DeleteTopic", "ListTopicSubscriptions", "ListTopicSnapshots"])
def test_an_absent_topic_is_not_found(call: Call, rpc: str) -> None:
    with pytest.raises(NotFound, match=r"Resource not found \(resource=orders\)\."):
        call(rpc, topic=T)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"message_retention_duration": {"seconds": 599}}, "You passed 9m59s in the request, but the value must be between 10m and 744h."),
        ({"message_retention_duration": {"seconds": 31 * 86_400 + 1}}, "the value must be between 10m and 744h."),
        ({"message_retention_duration": {"seconds": 600, "nanos": -1}}, "(argument=message_retention_duration)"),
        ({"message_retention_duration": {"seconds": 600, "nanos": 10**9}}, "(argument=message_retention_duration)"),
        ({"message_storage_policy": {}}, "(argument=message_storage_policy.allowed_persistence_regions)"),
        ({"message_storage_policy": {"allowed_persistence_regions": ["europe-west1", ""]}}, "and no empty one"),
        ({"kms_key_name": "key"}, "(argument=kms_key_name)"),
        ({"labels": {"Upper": "x"}}, 'key "Upper" does not conform'),
    ],
)
def test_a_field_out_of_bounds_is_refused(call: Call, fields: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        call("CreateTopic", name=T, **fields)
    assert text in str(refused.value)
    with pytest.raises(NotFound):
        call("GetTopic", topic=T)


def test_an_update_changes_what_the_mask_names_and_nothing_else(call: Call) -> None:
    call("CreateTopic", name=T, labels={"a": "1"}, kms_key_name=KEY)
    patch = {"name": T, "labels": {"b": "2"}, "message_retention_duration": {"seconds": 3600}, "kms_key_name": "ignored"}
    updated = call("UpdateTopic", topic=patch, update_mask={"paths": ["message_retention_duration"]})
    expected = pubsub.Topic(name=T, labels={"a": "1"}, kms_key_name=KEY, message_retention_duration=timedelta(hours=1))
    assert updated == expected
    assert call("GetTopic", topic=T) == expected


def test_a_masked_field_that_is_absent_is_reset(call: Call) -> None:
    call("CreateTopic", name=T, labels={"a": "1"}, message_retention_duration={"seconds": 3600})
    paths = ["labels", "message_retention_duration", "message_storage_policy"]
    assert call("UpdateTopic", topic={"name": T}, update_mask={"paths": paths}) == pubsub.Topic(name=T)


@pytest.mark.parametrize(
    ("topic", "paths", "error", "text"),
    [
        ({"name": "x"}, [], InvalidArgument, "Invalid resource name given (name=x)."),
        ({}, ["labels"], InvalidArgument, "Invalid resource name given (name=)."),
        ({"name": T}, [], InvalidArgument, "The update_mask in the UpdateTopicRequest must be set"),
        ({"name": T}, ["labelz"], InvalidArgument, "labelz is not a known Topic field."),
        ({"name": T}, ["kms_key_name"], InvalidArgument, "the 'kms_key_name' field in the Topic is not mutable."),
        ({"name": "projects/p/topics/absent"}, ["labelz"], InvalidArgument, "labelz is not a known Topic field."),
        ({"name": "projects/p/topics/absent"}, ["labels"], NotFound, "Resource not found (resource=absent)."),
    ],
)
def test_an_update_checks_name_then_mask_then_existence(
    call: Call, topic: dict[str, Any], paths: list[str], error: type[PubsubError], text: str
) -> None:
    call("CreateTopic", name=T)
    with pytest.raises(error) as refused:
        call("UpdateTopic", topic=topic, update_mask={"paths": paths})
    assert text in str(refused.value)


def test_an_update_is_all_or_nothing(call: Call) -> None:
    call("CreateTopic", name=T, labels={"a": "1"})
    patch = {"name": T, "labels": {"b": "2"}, "message_retention_duration": {"seconds": 1}}
    with pytest.raises(InvalidArgument):
        call("UpdateTopic", topic=patch, update_mask={"paths": ["labels", "message_retention_duration"]})
    assert call("GetTopic", topic=T) == pubsub.Topic(name=T, labels={"a": "1"})


def test_topics_are_listed_by_project_in_pages(call: Call) -> None:
    for name in ("projects/p/topics/ccc", "projects/p/topics/aaa", "projects/p2/topics/zzz", "projects/p/topics/bbb"):
        call("CreateTopic", name=name)
    first = call("ListTopics", project="projects/p", page_size=2)
    assert [topic.name for topic in first.topics] == ["projects/p/topics/aaa", "projects/p/topics/bbb"]
    rest = call("ListTopics", project="projects/p", page_size=2, page_token=first.next_page_token)
    assert [topic.name for topic in rest.topics] == ["projects/p/topics/ccc"]
    assert rest.next_page_token == ""
    with pytest.raises(InvalidArgument, match=r"\(argument=page_token\)"):
        call("ListTopics", project="projects/p2", page_token=first.next_page_token)


def test_an_unknown_project_has_no_topics(call: Call) -> None:
    assert call("ListTopics", project="projects/nobody") == pubsub.ListTopicsResponse()


@pytest.mark.parametrize("project", ["", "p", "projects/", "projects/p/", "projects/p/topics"])
@pytest.mark.parametrize("rpc", ["ListTopics", "ListSubscriptions", "ListSnapshots"])
def test_a_malformed_project_is_refused(call: Call, rpc: str, project: str) -> None:
    with pytest.raises(InvalidArgument, match="Invalid resource name given"):
        call(rpc, project=project)


def test_a_topic_lists_the_names_of_what_hangs_on_it(call: Call) -> None:
    call("CreateTopic", name=T)
    for name in ("sub-b", "sub-a", "sub-c"):
        call("CreateSubscription", name=f"projects/q/subscriptions/{name}", topic=T)
    call("CreateSnapshot", name="projects/p/snapshots/snap", subscription="projects/q/subscriptions/sub-a")
    call("DetachSubscription", subscription="projects/q/subscriptions/sub-c")
    page = call("ListTopicSubscriptions", topic=T, page_size=1)
    assert list(page.subscriptions) == ["projects/q/subscriptions/sub-a"]
    page = call("ListTopicSubscriptions", topic=T, page_size=1, page_token=page.next_page_token)
    assert list(page.subscriptions) == ["projects/q/subscriptions/sub-b"]
    assert page.next_page_token == ""
    assert list(call("ListTopicSnapshots", topic=T).snapshots) == ["projects/p/snapshots/snap"]


def test_a_deleted_topic_is_gone_and_its_subscription_says_so(call: Call) -> None:
    call("CreateTopic", name=T, message_retention_duration={"seconds": 600})
    call("CreateSubscription", name=S, topic=T)
    assert call("GetSubscription", subscription=S).topic_message_retention_duration.seconds == 600
    call("DeleteTopic", topic=T)
    with pytest.raises(NotFound):
        call("GetTopic", topic=T)
    left = call("GetSubscription", subscription=S)
    assert left.topic == "_deleted-topic_"
    assert not left.HasField("topic_message_retention_duration")


def test_a_subscription_is_detached_for_good(call: Call) -> None:
    call("CreateTopic", name=T)
    call("CreateSubscription", name=S, topic=T)
    for _ in range(2):
        assert call("DetachSubscription", subscription=S) == pubsub.DetachSubscriptionResponse()
    subscription = call("GetSubscription", subscription=S)
    assert subscription.detached
    assert subscription.topic == T


@pytest.mark.parametrize(("name", "error"), [("x", InvalidArgument), (S, NotFound)])
def test_what_cannot_be_detached(call: Call, name: str, error: type[PubsubError]) -> None:
    with pytest.raises(error):
        call("DetachSubscription", subscription=name)
