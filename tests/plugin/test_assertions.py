"""Assertions about messages, and the nearest miss that each shows when it fails."""

import pytest

from publican_emulator.testing.handle import Pubsub
from publican_emulator.testing.names import Subscription, Topic
from tests.plugin.test_handle import ack, nack, pull


def refusal(expected: pytest.ExceptionInfo[AssertionError]) -> list[str]:
    return str(expected.value).splitlines()


def test_acked(pubsub: Pubsub, pubsub_topic: Topic, pubsub_subscription: Subscription) -> None:
    first = pubsub_topic.publish(b"one", kind="new")
    pubsub_topic.publish(b"two", kind="old")
    ack(pubsub, pubsub_subscription, pull(pubsub, pubsub_subscription, 1))
    for wanted in (b"one", "1", first, {"kind": "new"}, lambda message: message.data == b"one"):
        (found,) = pubsub_subscription.assert_acked(wanted)
        assert found.id == "1"
    assert len(pubsub_subscription.assert_acked(times=1)) == 1
    with pytest.raises(AssertionError) as missed:
        pubsub_subscription.assert_acked()
    assert refusal(missed) == [
        f"{pubsub_subscription.id}: m2 is not acked: nobody has taken it yet",
        f"m2  topic={pubsub_topic.id}  attributes={{'kind': 'old'}}  b'two'",
        "  +0.000s   published",
    ]
    pull(pubsub, pubsub_subscription)
    with pytest.raises(AssertionError, match="m2 with data=b'two' is not acked: it is still leased"):
        pubsub_subscription.assert_acked(b"two")
    with pytest.raises(AssertionError, match="1 messages were acked, not 2"):
        pubsub_subscription.assert_acked(times=2)


def test_the_nearest_miss(pubsub: Pubsub, pubsub_topic: Topic, pubsub_subscription: Subscription) -> None:
    with pytest.raises(AssertionError, match="no message with data=b'x' was published, nor any other"):
        pubsub_topic.assert_published(b"x")
    for number in (7, 80, 900):
        pubsub_topic.publish(b'{"id": %d}' % number, kind="new", size="big")
    with pytest.raises(AssertionError) as missed:
        pubsub_topic.assert_published(b'{"id": 81}')
    assert refusal(missed)[1] == "nearest miss: m2, whose data differs: b'{\"id\": 80}'"
    assert refusal(missed)[2].startswith("m2  topic=")
    with pytest.raises(AssertionError) as missed:
        pubsub_topic.assert_published({"kind": "new", "size": "small", "colour": "red"})
    assert refusal(missed)[1] == "nearest miss: m1, whose attribute size is 'big'; which has no attribute colour"
    with pytest.raises(AssertionError, match="which is not m9"):
        pubsub_topic.assert_published("9")
    with pytest.raises(AssertionError, match="for which the function said no"):
        pubsub_topic.assert_published(lambda message: False)
    with pytest.raises(AssertionError, match=r"3 messages were published with attributes=\{'kind': 'new'\}, not 2"):
        pubsub_topic.assert_published({"kind": "new"}, times=2)
    assert len(pubsub_topic.assert_published(times=3)) == 3


def test_not_redelivered(pubsub: Pubsub, pubsub_topic: Topic, pubsub_subscription: Subscription) -> None:
    pubsub_topic.publish(b"acked")
    pubsub_topic.publish(b"kept")
    ack(pubsub, pubsub_subscription, pull(pubsub, pubsub_subscription, 1))
    before = pubsub.now()
    pubsub_subscription.assert_not_redelivered(b"acked", after=11)
    assert (pubsub.now() - before).total_seconds() == 11
    pull(pubsub, pubsub_subscription)
    pubsub_subscription.assert_not_redelivered(after=9.999)
    with pytest.raises(AssertionError) as missed:
        pubsub_subscription.assert_not_redelivered(after=0.001)
    assert refusal(missed)[0] == f"{pubsub_subscription.id}: m2 came back within 0.001 s, and waits to be handed out again"
    assert refusal(missed)[-1] == f"  +21.000s  expired      sub={pubsub_subscription.id}  attempt=1  (no ack)"


def test_delivered(pubsub: Pubsub, pubsub_topic: Topic, pubsub_subscription: Subscription) -> None:
    pubsub_topic.publish(b"one")
    with pytest.raises(AssertionError, match="m1 was handed to nobody"):
        pubsub_subscription.assert_delivered()
    for _ in range(2):
        nack(pubsub, pubsub_subscription, pull(pubsub, pubsub_subscription))
    pubsub_subscription.assert_delivered(b"one", times=2)
    with pytest.raises(AssertionError, match="m1 was handed out 2 times, not 1"):
        pubsub_subscription.assert_delivered(b"one", times=1)


def test_dead_lettered(pubsub: Pubsub) -> None:
    topic, dead = pubsub.topic("orders"), pubsub.topic("dead")
    billing, graves = pubsub.subscription("billing", topic, dead_letter=dead), pubsub.subscription("graves", dead)
    topic.publish(b"poison")
    for _ in range(5):
        with pytest.raises(AssertionError, match="m1 with data=b'poison' is not dead-lettered"):
            billing.assert_dead_lettered(b"poison")
        nack(pubsub, billing, pull(pubsub, billing))
    billing.assert_dead_lettered(b"poison", attempts=5)
    with pytest.raises(AssertionError, match="m1 was dead-lettered after 5 deliveries, not 6"):
        billing.assert_dead_lettered(attempts=6)
    assert [each.data for each in graves.peek()] == [b"poison"]


def test_mischief_ends_with_its_block(pubsub: Pubsub, pubsub_topic: Topic, pubsub_subscription: Subscription) -> None:
    with pubsub_subscription.lose_acks(3) as lost:
        pubsub_topic.publish(b"one")
        ack(pubsub, pubsub_subscription, pull(pubsub, pubsub_subscription))
        assert lost.hits == 1
    assert lost.hits == 1
    pubsub.advance(10)
    ack(pubsub, pubsub_subscription, pull(pubsub, pubsub_subscription))
    pubsub_subscription.assert_acked()
    with pubsub_subscription.reorder(2) as turned:
        pass
    assert turned.hits == 0
    assert pubsub.never_hit() == [f"{pubsub_subscription.id}.reorder(2)"]
    pubsub.reset()


def test_mischief_done_at_once_is_known_when_it_met_nothing(pubsub: Pubsub, pubsub_topic: Topic, pubsub_subscription: Subscription) -> None:
    message = pubsub_topic.publish(b"one")
    assert pubsub_subscription.expire(message) == 0
    assert pubsub_subscription.duplicate("9") == 0
    assert pubsub.break_streams(pubsub_subscription) == 0
    assert pubsub.never_hit() == [
        f"{pubsub_subscription.id}.expire(m1)",
        f"{pubsub_subscription.id}.duplicate(m9)",
        f"break_streams('{pubsub_subscription.id}')",
    ]
    pubsub.reset()


def test_a_fault_for_some_requests_only(pubsub: Pubsub) -> None:
    orders, events = pubsub.topic("orders"), pubsub.topic("events")
    with pubsub.fail("Publish", "UNAVAILABLE", "closed", times=None, when={"topic": orders}) as fault:
        events.publish(b"one")
        with pytest.raises(Exception, match="closed"):
            orders.publish(b"one")
    assert fault.hits == 1
    with pytest.raises(Exception, match="did you mean Publish"):
        pubsub.fail("Publihs", "UNAVAILABLE")


def test_a_function_chooses_the_calls_that_a_fault_means(pubsub: Pubsub, pubsub_topic: Topic, pubsub_subscription: Subscription) -> None:
    with pubsub.fail("Publish", "ABORTED", times=None, when=lambda request: request.messages[0].data == b"poison") as fault:
        pubsub_topic.publish(b"one")
        with pytest.raises(Exception, match="fault that the test has wished for"):
            pubsub_topic.publish(b"poison")
        assert fault.hits == 1
    pubsub_topic.publish(b"poison")
    with pubsub.delay("Pull", 5, when=lambda request: False):
        assert len(pull(pubsub, pubsub_subscription)) == 2
    assert pubsub.never_hit() == ["delay('Pull', 5, times=1, when=<lambda>)"]
    pubsub.reset()
