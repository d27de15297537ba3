"""Update masks."""

from typing import Any

import pytest
from google.protobuf.message import Message

from publican_emulator.broker.errors import InvalidArgument
from publican_emulator.services.masks import SNAPSHOT, SUBSCRIPTION, TOPIC, Updatable, checked_paths, merged
from publican_protocol import pubsub

RESOURCES: dict[str, tuple[Updatable, type[Message]]] = {
    "Topic": (TOPIC, pubsub.Topic),
    "Subscription": (SUBSCRIPTION, pubsub.Subscription),
    "Snapshot": (SNAPSHOT, pubsub.Snapshot),
}


def check(resource: str, *paths: str) -> list[str]:
    return checked_paths(RESOURCES[resource][0], paths)


@pytest.mark.parametrize("resource", RESOURCES)
def test_an_empty_mask_is_refused(resource: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        check(resource)
    assert str(refused.value) == f"The update_mask in the Update{resource}Request must be set, and must contain a non-empty paths list."


@pytest.mark.parametrize(
    ("resource", "path", "example"),
    [
        ("Subscription", "foo", "'push_config' rather than 'pushConfig'"),
        ("Subscription", "pushConfig", "'push_config' rather than 'pushConfig'"),
        ("Subscription", "*", "'push_config' rather than 'pushConfig'"),
        ("Subscription", "", "'push_config' rather than 'pushConfig'"),
        ("Subscription", "labels.a", "'push_config' rather than 'pushConfig'"),
        ("Subscription", "push_config.", "'push_config' rather than 'pushConfig'"),
        ("Subscription", "push_config.nothing", "'push_config' rather than 'pushConfig'"),
        ("Subscription", "ack_deadline_seconds.x", "'push_config' rather than 'pushConfig'"),
        ("Topic", "labelz", "'schema_settings' rather than 'schemaSetings'"),
        ("Topic", "message_transforms.disabled", "'schema_settings' rather than 'schemaSetings'"),
        ("Snapshot", "expireTime", "'expire_time' rather than 'expireTime'"),
    ],
)
def test_an_unknown_path_is_refused(resource: str, path: str, example: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        check(resource, "labels", path)
    assert str(refused.value) == (
        f"Invalid update_mask provided in the Update{resource}Request: {path} is not a known {resource} field. "
        f"Note that field paths must be of the form {example}."
    )


IMMUTABLE = {
    "Topic": ["name", "kms_key_name", "satisfies_pzs", "state", "tags"],
    "Subscription": [
        "name",
        "topic",
        "filter",
        "enable_message_ordering",
        "detached",
        "state",
        "topic_message_retention_duration",
        "topic_message_retention_duration.seconds",
        "analytics_hub_subscription_info",
        "tags",
    ],
    "Snapshot": ["name", "topic"],
}


@pytest.mark.parametrize(("resource", "path"), [(resource, path) for resource, paths in IMMUTABLE.items() for path in paths])
def test_an_immutable_path_is_refused(resource: str, path: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        check(resource, "labels", path)
    assert str(refused.value) == (
        f"Invalid update_mask provided in the Update{resource}Request: the '{path}' field in the {resource} is not mutable."
    )


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_field_is_mutable_or_not(resource: str) -> None:
    what, message = RESOURCES[resource]
    immutable = {path for path in IMMUTABLE[resource] if "." not in path}
    assert what.mutable | immutable == set(message.DESCRIPTOR.fields_by_name)
    assert not what.mutable & immutable


@pytest.mark.parametrize(
    ("paths", "kept"),
    [
        (["labels", "labels"], ["labels"]),
        (["retry_policy.minimum_backoff", "retry_policy"], ["retry_policy"]),
        (["retry_policy", "retry_policy.minimum_backoff"], ["retry_policy"]),
        (["expiration_policy.ttl", "labels"], ["expiration_policy.ttl", "labels"]),
    ],
)
def test_parents_win_and_duplicates_are_harmless(paths: list[str], kept: list[str]) -> None:
    assert check("Subscription", *paths) == kept


def subscription(**fields: Any) -> pubsub.Subscription:
    return pubsub.Subscription(**fields)


STORED = {
    "name": "s",
    "ack_deadline_seconds": 20,
    "labels": {"a": "1"},
    "dead_letter_policy": {"dead_letter_topic": "d", "max_delivery_attempts": 7},
    "retain_acked_messages": True,
}


@pytest.mark.parametrize(
    ("path", "patch", "changed"),
    [
        ("ack_deadline_seconds", {"ack_deadline_seconds": 30, "labels": {"b": "2"}}, {"ack_deadline_seconds": 30}),
        ("ack_deadline_seconds", {}, {"ack_deadline_seconds": 0}),
        ("retain_acked_messages", {}, {"retain_acked_messages": False}),
        ("labels", {"labels": {"b": "2"}}, {"labels": {"b": "2"}}),
        ("labels", {}, {"labels": {}}),
        ("dead_letter_policy", {"dead_letter_policy": {"dead_letter_topic": "e"}}, {"dead_letter_policy": {"dead_letter_topic": "e"}}),
        ("dead_letter_policy", {}, {"dead_letter_policy": None}),
        (
            "dead_letter_policy.max_delivery_attempts",
            {"dead_letter_policy": {"dead_letter_topic": "ignored", "max_delivery_attempts": 9}},
            {"dead_letter_policy": {"dead_letter_topic": "d", "max_delivery_attempts": 9}},
        ),
        ("dead_letter_policy.max_delivery_attempts", {}, {"dead_letter_policy": {"dead_letter_topic": "d"}}),
        ("expiration_policy", {"expiration_policy": {}}, {"expiration_policy": {}}),
        ("expiration_policy", {}, {}),
        ("retry_policy.minimum_backoff", {}, {}),
        (
            "retry_policy.minimum_backoff",
            {"retry_policy": {"minimum_backoff": {"seconds": 5}}},
            {"retry_policy": {"minimum_backoff": {"seconds": 5}}},
        ),
    ],
)
def test_what_the_mask_names_is_taken_and_what_is_absent_is_reset(path: str, patch: dict[str, object], changed: dict[str, object]) -> None:
    stored = subscription(**STORED)
    result = merged(stored, subscription(**patch), [path])
    assert result == subscription(**{**STORED, **changed})
    assert stored == subscription(**STORED)


def test_an_updatable_names_its_request() -> None:
    assert Updatable("Topic", frozenset(), "").request == "UpdateTopicRequest"
