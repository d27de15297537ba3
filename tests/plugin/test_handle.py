"""The handle: what happened, faults, waiting, time; on this suite's own `pubsub`."""

import asyncio
import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from publican_emulator.broker.errors import PubsubError
from publican_emulator.testing.handle import NackLoop, Pubsub, TimedOut
from publican_emulator.testing.names import Subscription, Topic


def pull(pubsub: Pubsub, subscription: str, count: int = 10) -> list[dict[str, Any]]:
    received: list[dict[str, Any]] = pubsub.link.ask("POST", f"/v1/{subscription}:pull", {"maxMessages": count, "returnImmediately": True}).get(
        "receivedMessages", []
    )
    return received


def ack(pubsub: Pubsub, subscription: str, received: list[dict[str, Any]]) -> None:
    pubsub.link.ask("POST", f"/v1/{subscription}:acknowledge", {"ackIds": [each["ackId"] for each in received]})


def nack(pubsub: Pubsub, subscription: str, received: list[dict[str, Any]]) -> None:
    pubsub.link.ask("POST", f"/v1/{subscription}:modifyAckDeadline", {"ackIds": [each["ackId"] for each in received], "ackDeadlineSeconds": 0})


def test_a_published_message_is_on_record_even_when_nobody_subscribes(pubsub: Pubsub) -> None:
    topic = pubsub.topic("orders")
    made = topic.publish(b"hello", ordering_key="k", kind="new")
    (seen,) = pubsub.messages
    assert (seen.id, seen.topic, seen.data, seen.attributes, seen.ordering_key) == ("1", topic, b"hello", {"kind": "new"}, "k")
    assert (made, seen.state) == (seen, "unread")
    assert seen.publish_time == pubsub.now()


def test_a_record_tells_each_delivery_nack_expiry_and_ack(pubsub: Pubsub, pubsub_topic: Topic, pubsub_subscription: Subscription) -> None:
    pubsub.publish(pubsub_topic, b"one")
    nack(pubsub, pubsub_subscription, pull(pubsub, pubsub_subscription))
    pull(pubsub, pubsub_subscription)
    expired = pubsub.advance(10)
    assert [event.kind for event in expired] == ["expired"]
    received = pull(pubsub, pubsub_subscription)
    assert [each.state for each in pubsub_subscription.peek()] == ["leased"]
    ack(pubsub, pubsub_subscription, received)
    (seen,) = pubsub_subscription.messages
    assert ([each.attempt for each in seen.deliveries], len(seen.nacks), len(seen.expiries), len(seen.acks)) == ([1, 2, 3], 1, 1, 1)
    assert seen.state == "acked"
    assert pubsub_subscription.peek() == []
    assert pubsub_topic.messages[0].events == seen.events


def test_messages_of_one_subscription_tell_only_of_it(pubsub: Pubsub) -> None:
    topic = pubsub.topic("orders")
    billing, audit = pubsub.subscription("billing", topic), pubsub.subscription("audit", topic)
    topic.publish(b"one")
    ack(pubsub, billing, pull(pubsub, billing))
    pull(pubsub, audit)
    assert (billing.messages[0].state, audit.messages[0].state, topic.messages[0].state) == ("acked", "leased", "leased")


def test_settings_of_a_subscription(pubsub: Pubsub) -> None:
    topic, dead = pubsub.topic("orders", retention=600), pubsub.topic("dead")
    billing = pubsub.subscription(
        "billing", topic, ack_deadline=20, dead_letter=(dead, 7), retry=(1.5, 60), retention=1200, retain_acked=True, labels={"team": "money"}
    )
    told = pubsub.link.ask("GET", f"/v1/{billing}")
    assert told["deadLetterPolicy"] == {"deadLetterTopic": dead, "maxDeliveryAttempts": 7}
    assert told["retryPolicy"] == {"minimumBackoff": "1.500s", "maximumBackoff": "60s"}
    assert (told["ackDeadlineSeconds"], told["messageRetentionDuration"], told["retainAckedMessages"]) == (20, "1200s", True)
    assert told["labels"] == {"team": "money"}
    assert pubsub.link.ask("GET", f"/v1/{topic}")["messageRetentionDuration"] == "600s"
    assert pubsub.link.ask("GET", f"/v1/{pubsub.subscription('short', topic, dead_letter='dead')}")["deadLetterPolicy"]["maxDeliveryAttempts"] == 5


def test_a_fault_is_counted_and_ends_with_its_block(pubsub: Pubsub, pubsub_topic: Topic) -> None:
    with pubsub.fail("Publish", "UNAVAILABLE", "closed", times=None) as fault:
        for _ in range(2):
            with pytest.raises(PubsubError, match="closed") as refused:
                pubsub_topic.publish(b"one")
            assert refused.value.code.name == "UNAVAILABLE"
    assert fault.hits == 2
    assert pubsub_topic.publish(b"one").id == "1"
    assert pubsub.never_hit() == []


def test_offline_means_every_method(pubsub: Pubsub, pubsub_topic: Topic, pubsub_subscription: Subscription) -> None:
    with pubsub.offline() as fault:
        with pytest.raises(PubsubError, match="offline"):
            pubsub.link.ask("GET", f"/v1/{pubsub_topic}")
        with pytest.raises(PubsubError, match="offline"):
            pull(pubsub, pubsub_subscription)
    assert fault.hits == 2
    assert pull(pubsub, pubsub_subscription) == []


@pytest.mark.filterwarnings("ignore::pytest_publican.report.PubsubWarning")
def test_faults_that_meet_nothing_are_known(pubsub: Pubsub, pubsub_subscription: Subscription) -> None:
    pubsub.fail("Publish", "ABORTED", times=2)
    pubsub.delay("Pull", 5)
    pubsub_subscription.lose_acks(1)
    pubsub_subscription.reorder(1)
    assert pubsub.never_hit() == [
        "fail('Publish', 'ABORTED', times=2)",
        "delay('Pull', 5, times=1)",
        f"{pubsub_subscription.id}.lose_acks(1)",
        f"{pubsub_subscription.id}.reorder(1)",
    ]


def test_mischief(pubsub: Pubsub, pubsub_topic: Topic, pubsub_subscription: Subscription) -> None:
    lost = pubsub_subscription.lose_acks()
    message = pubsub_topic.publish(b"one")
    ack(pubsub, pubsub_subscription, pull(pubsub, pubsub_subscription))
    assert lost.hits == 1
    assert pubsub_subscription.expire(message) == 1
    assert pubsub_subscription.duplicate(message) == 1
    assert [each["message"]["messageId"] for each in pull(pubsub, pubsub_subscription)] == ["1", "1"]


def test_reordered_batches(pubsub: Pubsub, pubsub_topic: Topic, pubsub_subscription: Subscription) -> None:
    turned = pubsub_subscription.reorder()
    for number in range(3):
        pubsub_topic.publish(f"{number}".encode())
    assert [each["message"]["messageId"] for each in pull(pubsub, pubsub_subscription)] == ["3", "2", "1"]
    assert turned.hits == 1


def test_run_until_jumps_from_deadline_to_deadline(pubsub: Pubsub, pubsub_topic: Topic, pubsub_subscription: Subscription) -> None:
    pubsub_topic.publish(b"one")
    pull(pubsub, pubsub_subscription)
    start = pubsub.now()
    happened = pubsub.run_until(lambda: pubsub_subscription.messages[0].state == "waiting")
    assert ((pubsub.now() - start).total_seconds(), [event.kind for event in happened]) == (10.0, ["expired"])
    with pytest.raises(TimedOut, match="not true within 60 s"):
        pubsub.run_until(lambda: False, limit=60)
    assert (pubsub.now() - start).total_seconds() == 70.0


def test_waiting_is_woken_by_what_happens(pubsub: Pubsub, pubsub_topic: Topic) -> None:
    publisher = threading.Thread(target=lambda: pubsub_topic.publish(b"one"))
    publisher.start()
    pubsub.wait_for(lambda: pubsub.messages)
    publisher.join()
    with pytest.raises(TimedOut, match=r"not true within 0\.01 s"):
        pubsub.wait_for(lambda: len(pubsub.messages) > 1, timeout=0.01)


def test_wait_until_acked(pubsub: Pubsub, pubsub_topic: Topic, pubsub_subscription: Subscription) -> None:
    pubsub_topic.publish(b"one")
    received = pull(pubsub, pubsub_subscription)
    with pytest.raises(TimedOut):
        pubsub.wait_until_acked(pubsub_topic, timeout=0.01)
    acker = threading.Thread(target=lambda: ack(pubsub, pubsub_subscription, received))
    acker.start()
    pubsub.wait_until_acked(pubsub_topic)
    pubsub.wait_until_acked(pubsub_subscription)
    acker.join()


def test_what_nobody_has_taken_yet_is_not_acked(pubsub: Pubsub, pubsub_topic: Topic, pubsub_subscription: Subscription) -> None:
    pubsub_topic.publish(b"one")
    with pytest.raises(TimedOut):
        pubsub.wait_until_acked(pubsub_subscription, timeout=0.01)


def test_waiting_in_a_running_loop_is_refused_and_awaited_instead(pubsub: Pubsub, pubsub_topic: Topic, pubsub_subscription: Subscription) -> None:
    async def main() -> None:
        with pytest.raises(RuntimeError, match=r"pubsub\.until"):
            pubsub.wait_for(lambda: True)
        publishing = asyncio.create_task(asyncio.to_thread(pubsub_topic.publish, b"one"))
        await pubsub.until(lambda: pubsub.messages)
        await publishing
        pull(pubsub, pubsub_subscription)
        assert [event.kind for event in await pubsub.aio.advance(10)] == ["expired"]
        await pubsub.aio.run_until(lambda: True)

    asyncio.run(main())


def test_a_nack_loop_ends_whatever_the_test_waits_for(pubsub: Pubsub, pubsub_topic: Topic, pubsub_subscription: Subscription) -> None:
    pubsub_topic.publish(b"poison")
    for _ in range(999):
        nack(pubsub, pubsub_subscription, pull(pubsub, pubsub_subscription))
    pubsub.settle()
    pull(pubsub, pubsub_subscription)
    with pytest.raises(NackLoop, match="has handed out m1 1000 times at one instant"):
        pubsub.advance(1)
    pubsub.advance(1)  # told once


def test_a_reset_begins_again_at_the_same_time(pubsub: Pubsub, pubsub_topic: Topic) -> None:
    pubsub_topic.publish(b"one")
    pubsub.advance(60)
    now = pubsub.now()
    pubsub.reset()
    assert (pubsub.messages, pubsub.now()) == ([], now)
    assert pubsub.topic(pubsub_topic.id).publish(b"two").id == "1"


def test_a_restart_keeps_what_was_published(pubsub: Pubsub, pubsub_topic: Topic, pubsub_subscription: Subscription) -> None:
    pubsub_topic.publish(b"one")
    pubsub.restart()
    assert [each["message"]["messageId"] for each in pull(pubsub, pubsub_subscription)] == ["1"]


def test_the_dump_is_the_timeline(pubsub: Pubsub) -> None:
    pubsub.subscription("billing", pubsub.topic("orders")).topic.publish(b"one")
    assert pubsub.dump() == "m1  topic=orders  b'one'\n  +0.000s   published"


@pytest.mark.pubsub(start=datetime(2030, 1, 1, tzinfo=UTC), ack_deadline=30)
def test_the_marker_says_when_time_begins_and_what_the_subscription_is(pubsub: Pubsub, pubsub_subscription: Subscription) -> None:
    assert pubsub.now() == datetime(2030, 1, 1, tzinfo=UTC)
    assert pubsub.link.ask("GET", f"/v1/{pubsub_subscription}")["ackDeadlineSeconds"] == 30


@pytest.mark.pubsub(clock="real")
def test_a_real_clock_is_not_moved(pubsub: Pubsub) -> None:
    before = pubsub.now()
    assert pubsub.now() > before
    with pytest.raises(PubsubError, match="not moved"):
        pubsub.advance(1)


def test_a_denied_permission_ends_calls_until_it_is_given_back(pubsub: Pubsub, pubsub_topic: Topic) -> None:
    with pubsub.deny("pubsub.topics.publish", pubsub_topic) as denial:
        with pytest.raises(PubsubError, match=r"User not authorized to perform this action\.") as refused:
            pubsub.publish(pubsub_topic, b"one")
        assert refused.value.code.name == "PERMISSION_DENIED"
        assert denial.hits == 1
    pubsub.publish(pubsub_topic, b"two")
    short = pubsub.deny("pubsub.topics.get", pubsub_topic.rpartition("/")[2], times=1)
    with pytest.raises(PubsubError, match=r"pubsub\.topics\.get"):
        pubsub.link.ask("GET", f"/v1/{pubsub_topic}")
    assert short.hits == 1
    with pytest.raises(PubsubError, match=r"Did you mean 'pubsub\.topics\.publish'"):
        pubsub.deny("pubsub.topic.publish")
