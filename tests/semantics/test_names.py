"""docs/semantics.md, names: what a resource may be called, and what follows from a name."""

import pytest

from publican_protocol import pubsub as api
from tests.semantics.pubsub import Pubsub
from tests.semantics.spec import backends, spec

LEGAL = ["abc", "a" * 255, "Abc", "a-_.~+%", "GOOGle", "a12", "topic.with.dots", "loog"]
ILLEGAL = ["ab", "a" * 256, "1bc", "-bc", "_bc", "a b", "a$b", "añb", "a*c", "a:b", "a(b"]


def invalid(name: str) -> str:
    return (
        f"Invalid resource name given (name={name}). Refer to https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names for more information."
    )


@spec("names/1")
@pytest.mark.parametrize("id_", LEGAL)
def test_a_legal_id_is_taken_for_a_topic_a_subscription_and_a_snapshot(pubsub: Pubsub, id_: str) -> None:
    topic = pubsub.topic(f"projects/p/topics/{id_}")
    subscription = pubsub.subscription(topic, f"projects/p/subscriptions/{id_}")
    assert topic.get().name == f"projects/p/topics/{id_}"
    assert subscription.get().name == f"projects/p/subscriptions/{id_}"
    assert subscription.snapshot(f"projects/p/snapshots/{id_}").name == f"projects/p/snapshots/{id_}"


@spec("names/1")
@pytest.mark.parametrize("id_", ILLEGAL)
def test_another_id_is_refused(pubsub: Pubsub, id_: str) -> None:
    topic, subscription = pubsub.pair()
    for method, request, name in [
        ("CreateTopic", api.Topic(name=f"projects/p/topics/{id_}"), f"projects/p/topics/{id_}"),
        (
            "CreateSubscription",
            api.Subscription(name=f"projects/p/subscriptions/{id_}", topic=topic.name),
            f"projects/p/subscriptions/{id_}",
        ),
        (
            "CreateSnapshot",
            api.CreateSnapshotRequest(name=f"projects/p/snapshots/{id_}", subscription=subscription.name),
            f"projects/p/snapshots/{id_}",
        ),
    ]:
        error = pubsub.refuses(method, request)
        assert (error.code, error.text) == ("INVALID_ARGUMENT", invalid(name))


@spec("names/2")
@pytest.mark.parametrize("id_", ["goog", "google", "goog-1"])
def test_an_id_does_not_begin_with_goog(pubsub: Pubsub, id_: str) -> None:
    error = pubsub.refuses("CreateTopic", api.Topic(name=f"projects/p/topics/{id_}"))
    assert (error.code, error.text) == ("INVALID_ARGUMENT", invalid(f"projects/p/topics/{id_}"))


CALLS = {
    "GetTopic": lambda name: api.GetTopicRequest(topic=name),
    "DeleteTopic": lambda name: api.DeleteTopicRequest(topic=name),
    "ListTopicSubscriptions": lambda name: api.ListTopicSubscriptionsRequest(topic=name),
    "ListTopicSnapshots": lambda name: api.ListTopicSnapshotsRequest(topic=name),
    "Publish": lambda name: api.PublishRequest(topic=name, messages=[api.PubsubMessage(data=b"m")]),
    "GetSubscription": lambda name: api.GetSubscriptionRequest(subscription=name),
    "DeleteSubscription": lambda name: api.DeleteSubscriptionRequest(subscription=name),
    "DetachSubscription": lambda name: api.DetachSubscriptionRequest(subscription=name),
    "Pull": lambda name: api.PullRequest(subscription=name, max_messages=1),
    "Acknowledge": lambda name: api.AcknowledgeRequest(subscription=name, ack_ids=["g"]),
    "ModifyAckDeadline": lambda name: api.ModifyAckDeadlineRequest(subscription=name, ack_ids=["g"]),
    "Seek": lambda name: api.SeekRequest(subscription=name, snapshot="projects/p/snapshots/abc"),
    "GetSnapshot": lambda name: api.GetSnapshotRequest(snapshot=name),
    "DeleteSnapshot": lambda name: api.DeleteSnapshotRequest(snapshot=name),
}


def collection_of(method: str) -> str:
    if "Snapshot" in method and "List" not in method:
        return "snapshots"
    return "topics" if "Topic" in method or method == "Publish" else "subscriptions"


@spec("names/3")
@pytest.mark.parametrize("method", CALLS)
def test_a_name_of_nothing_is_not_found_and_a_malformed_one_is_invalid(pubsub: Pubsub, method: str) -> None:
    collection = collection_of(method)
    error = pubsub.refuses(method, CALLS[method](f"projects/p/{collection}/nothing"))
    assert (error.code, error.text) == ("NOT_FOUND", "Resource not found (resource=nothing).")
    error = pubsub.refuses(method, CALLS[method](f"projects/p/{collection}/no"))
    assert (error.code, error.text) == ("INVALID_ARGUMENT", invalid(f"projects/p/{collection}/no"))


@backends("core", "grpc")  # in REST the collection is part of the path: another one is another method
@spec("names/3")
@pytest.mark.parametrize("method", CALLS)
def test_a_name_of_another_collection_is_malformed(pubsub: Pubsub, method: str) -> None:
    for name in ("projects/p/schemas/abc", "abc", "", "topics/abc", "projects//topics/abc", f"/projects/p/{collection_of(method)}/abc"):
        error = pubsub.refuses(method, CALLS[method](name))
        assert (error.code, error.text) == ("INVALID_ARGUMENT", invalid(name))


@spec("names/3")
def test_names_in_a_body_are_looked_at_in_the_same_way(pubsub: Pubsub) -> None:
    _, subscription = pubsub.pair()
    request = api.Subscription(name="projects/p/subscriptions/abc", topic=subscription.name)
    error = pubsub.refuses("CreateSubscription", request)
    assert (error.code, error.text) == ("INVALID_ARGUMENT", invalid(subscription.name))
    request = api.Subscription(name="projects/p/subscriptions/abc", topic="projects/p/topics/nothing")
    error = pubsub.refuses("CreateSubscription", request)
    assert (error.code, error.text) == ("NOT_FOUND", "Resource not found (resource=nothing).")


@spec("names/4")
def test_names_are_case_sensitive_and_each_kind_has_its_own(pubsub: Pubsub) -> None:
    topic = pubsub.topic("projects/p/topics/orders")
    other = pubsub.topic("projects/p/topics/Orders")
    subscription = pubsub.subscription(topic, "projects/p/subscriptions/orders")
    subscription.snapshot("projects/p/snapshots/orders")
    other.publish(b"not for orders")
    topic.publish(b"for orders")
    assert subscription.take_data() == [b"for orders"]


@spec("names/4", "names/5")
@pytest.mark.parametrize("project", ["q", "my_project", "example.com:proj", "123456", "UPPER"])
def test_the_same_id_in_another_project_is_another_resource(pubsub: Pubsub, project: str) -> None:
    here, there = pubsub.topic("projects/p/topics/orders"), pubsub.topic(f"projects/{project}/topics/orders")
    subscription = pubsub.subscription(there, "projects/p/subscriptions/orders")
    here.publish(b"here")
    there.publish(b"there")
    assert subscription.take_data() == [b"there"]


@spec("names/6")
def test_a_percent_sign_is_itself(pubsub: Pubsub) -> None:
    one, other = pubsub.topic("projects/p/topics/a%62c"), pubsub.topic("projects/p/topics/abc")
    subscription = pubsub.subscription(one)
    other.publish(b"abc")
    one.publish(b"a%62c")
    assert subscription.get().topic == "projects/p/topics/a%62c"
    assert subscription.take_data() == [b"a%62c"]


@spec("names/7")
def test_a_name_that_is_taken_is_refused_also_with_the_same_settings(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(ack_deadline_seconds=20)
    snapshot = subscription.snapshot()
    for method, request, id_ in [
        ("CreateTopic", api.Topic(name=topic.name), topic.id),
        ("CreateSubscription", api.Subscription(name=subscription.name, topic=topic.name, ack_deadline_seconds=20), subscription.id),
        (
            "CreateSnapshot",
            api.CreateSnapshotRequest(name=snapshot.name, subscription=subscription.name),
            snapshot.name.rpartition("/")[2],
        ),
    ]:
        error = pubsub.refuses(method, request)
        assert (error.code, error.text) == ("ALREADY_EXISTS", f"Resource already exists in the project (resource={id_}).")


@backends("core", "grpc")  # in REST the name is the path
@spec("names/8")
def test_what_is_created_without_a_name_gets_one(pubsub: Pubsub) -> None:
    topic = pubsub.topic("projects/elsewhere/topics/orders")
    made = [pubsub.call("CreateSubscription", api.Subscription(topic=topic.name)) for _ in range(2)]
    assert made[0].name != made[1].name
    assert all(each.name.startswith("projects/elsewhere/subscriptions/") for each in made)
    assert pubsub.call("GetSubscription", api.GetSubscriptionRequest(subscription=made[1].name)) == made[1]
    snapshot = pubsub.call("CreateSnapshot", api.CreateSnapshotRequest(subscription=made[0].name))
    assert snapshot.name.startswith("projects/elsewhere/snapshots/")
    assert pubsub.call("GetSnapshot", api.GetSnapshotRequest(snapshot=snapshot.name)) == snapshot
    assert pubsub.refuses("CreateTopic", api.Topic()).code == "INVALID_ARGUMENT"


@spec("names/9")
def test_nothing_is_created_on_a_deleted_topic(pubsub: Pubsub) -> None:
    error = pubsub.refuses("CreateSubscription", api.Subscription(name="projects/p/subscriptions/abc", topic="_deleted-topic_"))
    assert (error.code, error.text) == ("INVALID_ARGUMENT", invalid("_deleted-topic_"))


@spec("names/10")
@pytest.mark.parametrize(
    "labels",
    [
        {},
        {"k": ""},
        {"k" * 63: "v" * 63},
        {"a-b_c": "0-_"},
        {"clé": "été"},
        {"日本": "語"},
        {f"k{n}": "" for n in range(64)},
    ],
)
def test_legal_labels_are_stored_and_shown(pubsub: Pubsub, labels: dict[str, str]) -> None:
    topic = pubsub.topic(labels=labels)
    subscription = pubsub.subscription(topic, labels=labels)
    assert topic.get().labels == subscription.get().labels == subscription.snapshot(labels=labels).labels == labels


@spec("names/10")
@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ({f"k{n}": "" for n in range(65)}, "There are 65 labels"),
        ({"k" * 64: ""}, "it has 64 characters"),
        ({"k": "v" * 64}, "it has 64 characters"),
        ({"": ""}, "it is empty"),
        ({"1k": ""}, 'first character "1" is not a non-uppercased letter'),
        ({"-k": ""}, 'first character "-" is not a non-uppercased letter'),
        ({"kK": ""}, 'character "K"'),
        ({"k": "V"}, 'character "V"'),
        ({"k": "a b"}, 'character " "'),
        ({"k.l": ""}, 'character "."'),
    ],
)
def test_other_labels_are_refused(pubsub: Pubsub, labels: dict[str, str], told: str) -> None:
    topic, subscription = pubsub.pair()
    snapshot = api.CreateSnapshotRequest(name="projects/p/snapshots/abc", subscription=subscription.name, labels=labels)
    for error in (
        pubsub.refuses("CreateTopic", api.Topic(name="projects/p/topics/abc", labels=labels)),
        pubsub.refuses_subscription(topic, labels=labels),
        pubsub.refuses("CreateSnapshot", snapshot),
    ):
        assert error.code == "INVALID_ARGUMENT"
        assert told in error.text


@spec("names/10")
def test_a_bad_label_is_told_in_the_words_of_the_service(pubsub: Pubsub) -> None:
    error = pubsub.refuses("CreateTopic", api.Topic(name="projects/p/topics/abc", labels={"Upper": "v"}))
    assert error.text == (
        'You have passed an invalid argument to the service (argument=Invalid labels: Invalid field "labels"; key "Upper" does not conform to '
        r'regular expression "[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{N}_-]{0,62}"; first character "U" is not a non-uppercased letter '
        "(Unicode character class Ll or Lo))."
    )


@spec("names/11")
def test_a_list_has_one_project_sorted_by_name(pubsub: Pubsub) -> None:
    made = [pubsub.topic(f"projects/p/topics/{id_}") for id_ in ("zebra", "apple", "mango")]
    elsewhere = pubsub.topic("projects/pp/topics/other")
    names = ["projects/p/topics/apple", "projects/p/topics/mango", "projects/p/topics/zebra"]
    assert [topic.name for topic in pubsub.call("ListTopics", api.ListTopicsRequest(project="projects/p")).topics] == names
    subscriptions = [pubsub.subscription(made[0], f"projects/p/subscriptions/{id_}") for id_ in ("zzz", "aaa")]
    pubsub.subscription(elsewhere, "projects/pp/subscriptions/mmm")
    snapshots = [subscriptions[0].snapshot(f"projects/p/snapshots/{id_}").name for id_ in ("zzz", "aaa")]
    found = pubsub.call("ListSubscriptions", api.ListSubscriptionsRequest(project="projects/p")).subscriptions
    assert [each.name for each in found] == sorted(each.name for each in subscriptions)
    found = pubsub.call("ListSnapshots", api.ListSnapshotsRequest(project="projects/p")).snapshots
    assert [each.name for each in found] == sorted(snapshots)


@spec("names/11")
def test_a_list_comes_in_pages(pubsub: Pubsub) -> None:
    names = [pubsub.topic(f"projects/p/topics/topic-{n:03}").name for n in range(101)]
    first = pubsub.call("ListTopics", api.ListTopicsRequest(project="projects/p"))
    assert [topic.name for topic in first.topics] == names[:100]
    last = pubsub.call("ListTopics", api.ListTopicsRequest(project="projects/p", page_token=first.next_page_token))
    assert [topic.name for topic in last.topics] == names[100:]
    assert last.next_page_token == ""
    page = pubsub.call("ListTopics", api.ListTopicsRequest(project="projects/p", page_size=2))
    pubsub.call("DeleteTopic", api.DeleteTopicRequest(topic=names[1]))
    page = pubsub.call("ListTopics", api.ListTopicsRequest(project="projects/p", page_size=2, page_token=page.next_page_token))
    assert [topic.name for topic in page.topics] == names[2:4], "what is deleted in between changes nothing else"


@spec("names/11")
def test_bad_pages_are_refused(pubsub: Pubsub) -> None:
    topic, _ = pubsub.pair()
    pubsub.subscription(topic)
    pubsub.topic()
    token = pubsub.call("ListTopics", api.ListTopicsRequest(project="projects/p", page_size=1)).next_page_token
    assert token
    for request in (
        api.ListTopicsRequest(project="projects/p", page_size=-1),
        api.ListTopicsRequest(project="projects/p", page_token="nonsense"),
        api.ListTopicsRequest(project="projects/q", page_token=token),
    ):
        assert pubsub.refuses("ListTopics", request).code == "INVALID_ARGUMENT"
    of_another_list = api.ListSubscriptionsRequest(project="projects/p", page_token=token)
    assert pubsub.refuses("ListSubscriptions", of_another_list).code == "INVALID_ARGUMENT"


@backends("core")  # a thousand and one of them: the same code, and slower calls
@spec("names/11")
@pytest.mark.parametrize(("page_size", "found"), [(999, 999), (1000, 1000), (1001, 1000)])
def test_a_page_never_has_more_than_a_thousand(pubsub: Pubsub, page_size: int, found: int) -> None:
    for n in range(1001):
        pubsub.topic(f"projects/p/topics/topic-{n}")
    assert len(pubsub.call("ListTopics", api.ListTopicsRequest(project="projects/p", page_size=page_size)).topics) == found


@spec("names/12")
def test_a_topic_lists_what_belongs_to_it(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    other, theirs = pubsub.pair()
    foreign = pubsub.subscription(topic, "projects/q/subscriptions/foreign")
    snapshot = subscription.snapshot()
    assert topic.subscriptions() == sorted([subscription.name, foreign.name])
    assert other.subscriptions() == [theirs.name]
    listed = pubsub.call("ListTopicSnapshots", api.ListTopicSnapshotsRequest(topic=topic.name))
    assert list(listed.snapshots) == [snapshot.name]
    assert not pubsub.call("ListTopicSnapshots", api.ListTopicSnapshotsRequest(topic=other.name)).snapshots
    page = pubsub.call("ListTopicSubscriptions", api.ListTopicSubscriptionsRequest(topic=topic.name, page_size=1))
    assert list(page.subscriptions) == topic.subscriptions()[:1]
