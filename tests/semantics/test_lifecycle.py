"""docs/semantics.md, lifecycle: what deletion, detachment and disuse leave behind."""

from collections.abc import Callable

import pytest

from publican_protocol import pubsub as api
from tests.semantics.backends.backend import Refused
from tests.semantics.pubsub import Pubsub, Subscription, days, seconds
from tests.semantics.spec import backends, spec

DAY_S = 86_400
NOW_AND_THEN = {"expiration_policy": {"ttl": days(1)}, "message_retention_duration": seconds(600)}
"""Fields of a subscription that expires after a day without use."""


@spec("lifecycle/1")
def test_a_deleted_subscription_is_gone(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    topic.publish(b"m")
    delivery = subscription.take()
    subscription.delete()
    steps: list[Callable[[], object]] = [subscription.pull, subscription.get, subscription.delete, subscription.detach, delivery.ack, delivery.nack]
    steps += [lambda: subscription.seek_to(pubsub.now()), subscription.snapshot, lambda: subscription.update("labels")]
    for step in steps:
        with pytest.raises(Refused) as refused:
            step()
        assert refused.value.code == "NOT_FOUND"
        assert subscription.id in refused.value.text
    assert topic.subscriptions() == []


@spec("lifecycle/2")
def test_one_that_is_created_under_its_name_is_another(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(labels={"a": "b"})
    topic.publish(b"held", b"waiting")
    (held,) = subscription.pull(1)
    subscription.delete()
    pubsub.subscription(topic, subscription.name)
    assert not subscription.get().labels
    assert subscription.take_data() == []
    topic.publish(b"new")
    held.ack()
    held.nack()
    assert subscription.take_data() == [b"new"]
    pubsub.advance(10)
    assert subscription.take_data() == [b"new"]


@spec("lifecycle/3")
def test_subscriptions_of_a_deleted_topic_keep_their_backlog(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(message_retention_duration=seconds(600))
    detached = pubsub.subscription(topic)
    detached.detach()
    topic.publish(b"a", b"b", b"c")
    subscription.pull(1)[0].ack()
    topic.delete()
    assert subscription.get().topic == "_deleted-topic_"
    assert detached.get().topic == "_deleted-topic_"
    assert subscription.take_data() == [b"b", b"c"]
    pubsub.advance(10)
    assert subscription.take_data(1) == [b"b"]
    pubsub.advance(589.999)
    assert subscription.take_data() == [b"b", b"c"]
    pubsub.advance(10)
    assert subscription.take_data() == [], "too old"


@spec("lifecycle/3")
def test_of_a_deleted_topic_there_is_nothing_to_ask(pubsub: Pubsub) -> None:
    topic, _ = pubsub.pair()
    topic.delete()
    steps: list[Callable[[], object]] = [lambda: topic.publish(b"m"), topic.subscriptions, topic.get, topic.delete, lambda: topic.update("labels")]
    for step in steps:
        with pytest.raises(Refused) as refused:
            step()
        assert (refused.value.code, refused.value.text) == ("NOT_FOUND", f"Resource not found (resource={topic.id}).")


@spec("lifecycle/4")
def test_a_topic_that_is_created_under_its_name_is_another(pubsub: Pubsub) -> None:
    topic = pubsub.topic(labels={"a": "b"}, message_retention_duration=days(1))
    old = pubsub.subscription(topic)
    start = pubsub.now()
    topic.publish(b"old")
    topic.delete()
    pubsub.topic(topic.name)
    assert not topic.get().labels
    assert not topic.get().HasField("message_retention_duration")
    assert topic.subscriptions() == []
    topic.publish(b"new")
    assert old.take_data() == [b"old"]
    assert old.get().topic == "_deleted-topic_"
    new = pubsub.subscription(topic)
    new.seek_to(start)
    assert new.take_data() == []


@spec("lifecycle/5")
def test_a_detached_subscription_keeps_its_name_and_nothing_else(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(retain_acked_messages=True)
    other = pubsub.subscription(topic)
    topic.publish(b"m")
    subscription.detach()
    topic.publish(b"n")
    shown = subscription.get()
    assert (shown.detached, shown.topic) == (True, topic.name)
    assert topic.subscriptions() == [other.name]
    assert other.take_data() == [b"m", b"n"]
    steps: list[Callable[[], object]] = [subscription.pull, lambda: subscription.seek_to(pubsub.now()), subscription.snapshot]
    for step in steps:
        with pytest.raises(Refused) as refused:
            step()
        assert refused.value.code == "FAILED_PRECONDITION"
    assert subscription.update("labels", labels={"a": "b"}).detached
    subscription.delete()


@spec("lifecycle/6")
def test_detaching_twice_is_ok_and_of_an_absent_one_not_found(pubsub: Pubsub) -> None:
    _, subscription = pubsub.pair()
    subscription.detach()
    subscription.detach()
    assert subscription.get().detached
    with pytest.raises(Refused) as refused:
        Subscription(pubsub, "projects/p/subscriptions/absent").detach()
    assert (refused.value.code, refused.value.text) == ("NOT_FOUND", "Resource not found (resource=absent).")


def exists(pubsub: Pubsub, subscription: Subscription) -> bool:
    """Say whether it is there without using it."""
    listed = pubsub.call("ListSubscriptions", api.ListSubscriptionsRequest(project="projects/p")).subscriptions
    return subscription.name in [each.name for each in listed]


@spec("lifecycle/7")
def test_a_subscription_that_nobody_uses_is_gone_exactly_then(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(**NOW_AND_THEN)
    pubsub.advance(DAY_S - 0.001)
    assert exists(pubsub, subscription)
    pubsub.advance(0.001)
    assert not exists(pubsub, subscription)
    assert topic.subscriptions() == []
    pubsub.subscription(topic, subscription.name)


@spec("lifecycle/7")
def test_another_time_to_live_counts_from_the_last_use(pubsub: Pubsub) -> None:
    _, subscription = pubsub.pair(**NOW_AND_THEN)
    pubsub.advance(DAY_S / 2)
    subscription.update("expiration_policy", expiration_policy={"ttl": days(2)})
    pubsub.advance(2 * DAY_S - 0.001)
    assert exists(pubsub, subscription)
    pubsub.advance(0.001)
    assert not exists(pubsub, subscription)


USES: dict[str, Callable[[Subscription, str], object]] = {
    "pull": lambda subscription, ack_id: subscription.pull(),
    "ack": lambda subscription, ack_id: subscription.ack(ack_id),
    "modify ack deadline": lambda subscription, ack_id: subscription.modify(10, ack_id),
    "get": lambda subscription, ack_id: subscription.get(),
    "update": lambda subscription, ack_id: subscription.update("labels"),
    "seek": lambda subscription, ack_id: subscription.seek_to(0),
    "snapshot": lambda subscription, ack_id: subscription.snapshot(),
}


@spec("lifecycle/8")
@pytest.mark.parametrize("use", USES)
def test_use_keeps_a_subscription(pubsub: Pubsub, use: str) -> None:
    topic, subscription = pubsub.pair(**NOW_AND_THEN)
    topic.publish(b"m")
    ack_id = subscription.take().ack_id
    pubsub.advance(DAY_S - 1)
    USES[use](subscription, ack_id)
    pubsub.advance(DAY_S - 0.001)
    assert exists(pubsub, subscription)
    pubsub.advance(0.001)
    assert not exists(pubsub, subscription)


@spec("lifecycle/8")
def test_publishing_and_listing_are_no_use(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair(**NOW_AND_THEN)
    for _ in range(3):
        pubsub.advance(DAY_S / 4)
        topic.publish(b"m")
        assert topic.subscriptions() == [subscription.name]
    pubsub.advance(DAY_S / 4 - 0.001)
    assert exists(pubsub, subscription)
    pubsub.advance(0.001)
    assert not exists(pubsub, subscription)


@backends("core", "grpc")  # REST has no streams
@spec("lifecycle/8")
def test_an_open_stream_is_use_as_long_as_it_is_open(pubsub: Pubsub) -> None:
    _, subscription = pubsub.pair(**NOW_AND_THEN)
    stream = subscription.stream()
    pubsub.advance(10 * DAY_S + 1)
    stream.close()
    pubsub.advance(DAY_S - 0.001)
    assert exists(pubsub, subscription)
    pubsub.advance(0.001)
    assert not exists(pubsub, subscription)


@spec("lifecycle/9")
def test_without_a_ttl_a_subscription_never_expires(pubsub: Pubsub) -> None:
    _, subscription = pubsub.pair(expiration_policy={})
    pubsub.advance(3_650 * DAY_S)
    assert exists(pubsub, subscription)
    assert subscription.get().HasField("expiration_policy")


@spec("lifecycle/9")
def test_without_a_policy_it_is_31_days(pubsub: Pubsub) -> None:
    _, subscription = pubsub.pair()
    pubsub.advance(31 * DAY_S - 0.001)
    assert exists(pubsub, subscription)
    pubsub.advance(0.001)
    assert not exists(pubsub, subscription)
