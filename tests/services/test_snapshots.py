"""Snapshots over the wire."""

from collections.abc import Callable
from typing import Any

import pytest

from publican_emulator.broker.errors import AlreadyExists, InvalidArgument, NotFound, PubsubError
from publican_emulator.broker.instants import SECOND
from publican_emulator.driver import Driver
from publican_protocol import known, pubsub

Call = Callable[..., Any]

T = "projects/p/topics/orders"
S = "projects/p/subscriptions/billing"
N = "projects/p/snapshots/before"
WEEK_S = 7 * 86_400


@pytest.fixture(autouse=True)
def subscription(call: Call) -> None:
    call("CreateTopic", name=T)
    call("CreateSubscription", name=S, topic=T)


@pytest.fixture
def now_s(driver: Driver) -> int:
    return driver.clock.now() // SECOND


def test_a_snapshot_of_nothing_lives_a_week(call: Call, now_s: int) -> None:
    snapshot = call("CreateSnapshot", name=N, subscription=S, labels={"a": "b"})
    assert snapshot == pubsub.Snapshot(name=N, topic=T, expire_time=known.Timestamp(seconds=now_s + WEEK_S), labels={"a": "b"})
    assert call("GetSnapshot", snapshot=N) == snapshot
    assert list(call("ListSnapshots", project="projects/p").snapshots) == [snapshot]


def test_a_snapshot_without_a_name_gets_one_in_its_subscriptions_project(call: Call) -> None:
    assert call("CreateSnapshot", subscription=S).name.startswith("projects/p/snapshots/")


@pytest.mark.parametrize(
    ("fields", "error", "text"),
    [
        ({"name": "x", "subscription": S}, InvalidArgument, "(name=x)"),
        ({"name": N, "subscription": "x"}, InvalidArgument, "(name=x)"),
        ({"name": N, "subscription": S + "2"}, NotFound, "(resource=billing2)"),
        ({"name": N, "subscription": S, "labels": {"A": "b"}}, InvalidArgument, 'key "A"'),
        ({"name": N, "subscription": S, "tags": {"a": "b"}}, InvalidArgument, "'a' is not of the form ORGANIZATION_OR_PROJECT/TAG_KEY."),
    ],
)
def test_a_snapshot_that_is_refused_is_not_made(call: Call, fields: dict[str, Any], error: type[PubsubError], text: str) -> None:
    with pytest.raises(error) as refused:
        call("CreateSnapshot", **fields)
    assert text in str(refused.value)
    assert call("ListSnapshots", project="projects/p") == pubsub.ListSnapshotsResponse()


def test_a_snapshot_is_created_once_and_deleted_once(call: Call) -> None:
    call("CreateSnapshot", name=N, subscription=S)
    with pytest.raises(AlreadyExists, match=r"\(resource=before\)"):
        call("CreateSnapshot", name=N, subscription=S)
    assert call("DeleteSnapshot", snapshot=N) == known.Empty()
    with pytest.raises(NotFound):
        call("DeleteSnapshot", snapshot=N)
    with pytest.raises(NotFound):
        call("GetSnapshot", snapshot=N)


def test_labels_and_expire_time_can_be_updated_each_alone(call: Call, now_s: int) -> None:
    call("CreateSnapshot", name=N, subscription=S, labels={"a": "1"})
    patch = {"name": N, "labels": {"b": "2"}, "expire_time": {"seconds": now_s + 60}}
    updated = call("UpdateSnapshot", snapshot=patch, update_mask={"paths": ["labels"]})
    assert (dict(updated.labels), updated.expire_time.seconds) == ({"b": "2"}, now_s + WEEK_S)
    updated = call("UpdateSnapshot", snapshot={"name": N, "expire_time": {"seconds": now_s + 60}}, update_mask={"paths": ["expire_time"]})
    assert (dict(updated.labels), updated.expire_time.seconds) == ({"b": "2"}, now_s + 60)


@pytest.mark.parametrize(
    ("snapshot", "paths", "error", "text"),
    [
        ({"name": "x"}, [], InvalidArgument, "(name=x)"),
        ({"name": N}, [], InvalidArgument, "The update_mask in the UpdateSnapshotRequest must be set"),
        ({"name": N}, ["topic"], InvalidArgument, "the 'topic' field in the Snapshot is not mutable."),
        ({"name": N}, ["expire_time"], InvalidArgument, "(argument=snapshot.expire_time)"),
        ({"name": N, "expire_time": {"nanos": -1}}, ["expire_time"], InvalidArgument, "(argument=expire_time)"),
        ({"name": N + "2"}, ["labels"], NotFound, "(resource=before2)"),
    ],
)
def test_an_update_that_is_refused_changes_nothing(
    call: Call, snapshot: dict[str, Any], paths: list[str], error: type[PubsubError], text: str
) -> None:
    before = call("CreateSnapshot", name=N, subscription=S, labels={"a": "1"})
    with pytest.raises(error) as refused:
        call("UpdateSnapshot", snapshot=snapshot, update_mask={"paths": paths})
    assert text in str(refused.value)
    assert call("GetSnapshot", snapshot=N) == before


def test_snapshots_are_listed_in_pages(call: Call) -> None:
    for name in ("bbb", "aaa"):
        call("CreateSnapshot", name=f"projects/p/snapshots/{name}", subscription=S)
    first = call("ListSnapshots", project="projects/p", page_size=1)
    rest = call("ListSnapshots", project="projects/p", page_token=first.next_page_token)
    assert [page.snapshots[0].name for page in (first, rest)] == ["projects/p/snapshots/aaa", "projects/p/snapshots/bbb"]


def test_a_snapshot_outlives_its_topic(call: Call) -> None:
    call("CreateSnapshot", name=N, subscription=S)
    call("DeleteTopic", topic=T)
    assert call("GetSnapshot", snapshot=N).topic == "_deleted-topic_"
