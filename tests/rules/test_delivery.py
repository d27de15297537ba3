"""Pull, exactly-once, dead letters, retry, filters, ordering: docs/semantics.md, the chapters of those names."""

from typing import Any

import pytest

from publican_protocol import pubsub
from tests.rules.conftest import TOPIC, Pubsub, message, spec
from tests.rules.ways import Refused

DEAD = "projects/p/topics/dead"
UNDERTAKER = "projects/p/subscriptions/undertaker"
FAILURE = "PERMANENT_FAILURE_INVALID_ACK_ID"


@spec("pull/1")
@pytest.mark.parametrize("most", [0, -1])
def test_max_messages_must_be_above_0(pubsub_: Pubsub, most: int) -> None:
    pubsub_.both()
    with pytest.raises(Refused) as refused:
        pubsub_.pull(most)
    assert refused.value.code == "INVALID_ARGUMENT"
    assert refused.value.message.startswith("You have passed an invalid argument to the service (argument=max_messages).")


@spec("pull/2")
@pytest.mark.parametrize(("most", "got"), [(1, 1), (2, 2), (999, 999), (1_000, 1_000), (100_000, 1_000)])
def test_a_response_has_at_most_what_was_asked_for_and_at_most_1000(pubsub_: Pubsub, most: int, got: int) -> None:
    pubsub_.both()
    for _ in range(2):
        pubsub_.publish(*[b"x"] * 600)
    assert len(pubsub_.pull(most)) == got


@spec("pull/3")
def test_first_deliveries_come_in_publish_order_and_redeliveries_before_them(pubsub_: Pubsub) -> None:
    pubsub_.both()
    pubsub_.publish(b"1", b"2", b"3", b"4")
    one, two = pubsub_.pull(2)
    pubsub_.nack(two)
    pubsub_.nack(one)
    assert pubsub_.datas(3) == [b"1", b"2", b"3"]
    assert pubsub_.datas() == [b"4"]


@spec("pull/4")
def test_without_a_dead_letter_policy_no_delivery_attempt_is_told(pubsub_: Pubsub) -> None:
    pubsub_.both()
    pubsub_.publish(b"one")
    for _ in range(2):
        (received,) = pubsub_.pull()
        assert received.attempt == 0
        pubsub_.nack(received)


@spec("pull/5")
def test_a_pull_of_a_subscription_that_is_not_there_is_not_found(pubsub_: Pubsub) -> None:
    with pytest.raises(Refused) as refused:
        pubsub_.pull()
    assert (refused.value.code, refused.value.message) == ("NOT_FOUND", "Resource not found (resource=billing).")


@spec("pull/6")
def test_a_response_stays_below_what_a_client_with_default_settings_reads(pubsub_: Pubsub) -> None:
    pubsub_.both()
    for _ in range(3):
        pubsub_.publish(bytes(1_500_000))
    assert [len(data) for data in pubsub_.datas()] == [1_500_000] * 2
    assert [len(data) for data in pubsub_.datas()] == [1_500_000]
    pubsub_.publish(bytes(9_000_000))
    assert [len(data) for data in pubsub_.datas()] == [9_000_000], "a single larger message is delivered all the same"


@spec("retry/1")
def test_without_a_policy_a_failed_message_comes_back_at_once(pubsub_: Pubsub) -> None:
    pubsub_.both()
    pubsub_.publish(b"one")
    for _ in range(5):
        pubsub_.nack(*pubsub_.pull())
    assert pubsub_.datas() == [b"one"]


@spec("retry/2")
def test_the_wait_doubles_from_the_minimum_to_the_maximum_for_each_message(pubsub_: Pubsub) -> None:
    policy = pubsub.RetryPolicy()
    policy.minimum_backoff.FromNanoseconds(10 * 10**9)
    policy.maximum_backoff.FromNanoseconds(35 * 10**9)
    pubsub_.both(retry_policy=policy)
    pubsub_.publish(b"one")
    for wait_s in (10, 20, 35, 35):
        pubsub_.nack(*pubsub_.pull())
        pubsub_.advance(wait_s - 0.001)
        assert pubsub_.datas() == []
        pubsub_.advance(0.001)
    pubsub_.publish(b"two")
    assert pubsub_.datas() == [b"one", b"two"], "another message does not wait"


@spec("retry/3")
def test_the_wait_after_an_expiry_begins_at_the_expiry(pubsub_: Pubsub) -> None:
    pubsub_.both(retry_policy=pubsub.RetryPolicy())
    pubsub_.publish(b"one")
    pubsub_.pull()
    pubsub_.advance(19.999)
    assert pubsub_.datas() == []
    pubsub_.advance(0.001)
    assert pubsub_.datas() == [b"one"]


@spec("retry/4")
def test_a_late_ack_acks_a_message_that_waits(pubsub_: Pubsub) -> None:
    pubsub_.both(retry_policy=pubsub.RetryPolicy())
    pubsub_.publish(b"one")
    (one,) = pubsub_.pull()
    pubsub_.nack(one)
    pubsub_.ack(one)
    pubsub_.advance(1_000)
    assert pubsub_.datas() == []


@spec("dead-letters/1", "dead-letters/2")
def test_the_attempt_is_told_and_after_the_last_one_the_message_is_forwarded(pubsub_: Pubsub) -> None:
    pubsub_.topic(DEAD)
    pubsub_.subscription(UNDERTAKER, DEAD)
    pubsub_.both(dead_letter_policy=pubsub.DeadLetterPolicy(dead_letter_topic=DEAD))
    pubsub_.publish(message(b"poison", key="k", kind="new"))
    for attempt in (1, 2, 3, 4, 5):
        (received,) = pubsub_.pull()
        assert received.attempt == attempt
        if attempt % 2:
            pubsub_.nack(received)
        else:
            pubsub_.advance(10)
    assert pubsub_.datas() == []
    (dead,) = pubsub_.pull(subscription=UNDERTAKER)
    assert dead.data == b"poison"
    assert dead.message.message_id == "2"
    assert dead.message.ordering_key == "k"
    prefix = "CloudPubSubDeadLetterSource"
    assert dict(dead.message.attributes) == {
        "kind": "new",
        f"{prefix}DeliveryCount": "5",
        f"{prefix}Subscription": "billing",
        f"{prefix}SubscriptionProject": "p",
        f"{prefix}TopicPublishTime": "2026-01-02T00:00:00.000+00:00",
    }


@spec("dead-letters/3")
@pytest.mark.parametrize(("attempts", "text"), [(4, "too small"), (5, ""), (100, ""), (101, "too large")])
def test_the_number_of_attempts_has_bounds(pubsub_: Pubsub, attempts: int, text: str) -> None:
    pubsub_.topic(DEAD)
    policy = pubsub.DeadLetterPolicy(dead_letter_topic=DEAD, max_delivery_attempts=attempts)
    if not text:
        pubsub_.both(dead_letter_policy=policy)
        assert pubsub_.get().dead_letter_policy.max_delivery_attempts == attempts
        return
    with pytest.raises(Refused) as refused:
        pubsub_.both(dead_letter_policy=policy)
    assert refused.value.code == "INVALID_ARGUMENT"
    assert refused.value.message.startswith(f"The value for max_delivery_attempts is {text}. You passed {attempts} in the request, but the ")


@spec("dead-letters/4")
def test_the_dead_letter_topic_must_exist_when_it_is_named(pubsub_: Pubsub) -> None:
    with pytest.raises(Refused) as refused:
        pubsub_.both(dead_letter_policy=pubsub.DeadLetterPolicy(dead_letter_topic=DEAD))
    assert refused.value.code == "NOT_FOUND"


@spec("dead-letters/5")
def test_while_the_dead_letter_topic_is_gone_the_message_stays(pubsub_: Pubsub) -> None:
    pubsub_.topic(DEAD)
    pubsub_.both(dead_letter_policy=pubsub.DeadLetterPolicy(dead_letter_topic=DEAD))
    pubsub_.publish(b"poison")
    pubsub_.call("DeleteTopic", pubsub.DeleteTopicRequest(topic=DEAD))
    pubsub_.topic(DEAD)
    for attempt in range(1, 9):
        (received,) = pubsub_.pull()
        assert received.attempt == attempt
        pubsub_.nack(received)
    pubsub_.subscription(UNDERTAKER, DEAD)
    pubsub_.update("dead_letter_policy", dead_letter_policy=pubsub.DeadLetterPolicy(dead_letter_topic=DEAD))
    pubsub_.nack(*pubsub_.pull())
    assert pubsub_.datas() == []
    assert pubsub_.datas(subscription=UNDERTAKER) == [b"poison"]


@spec("dead-letters/6")
def test_failures_from_before_the_policy_do_not_count(pubsub_: Pubsub) -> None:
    pubsub_.topic(DEAD)
    pubsub_.both()
    pubsub_.publish(b"one")
    for _ in range(7):
        pubsub_.nack(*pubsub_.pull())
    pubsub_.update("dead_letter_policy", dead_letter_policy=pubsub.DeadLetterPolicy(dead_letter_topic=DEAD))
    for attempt in (1, 2, 3, 4, 5):
        (received,) = pubsub_.pull()
        assert received.attempt == attempt
        pubsub_.nack(received)
    assert pubsub_.datas() == []


@spec("filters/1")
def test_only_messages_that_pass_are_delivered(pubsub_: Pubsub) -> None:
    pubsub_.both(filter='attributes.kind = "new" AND NOT attributes:test')
    pubsub_.publish(message(b"1", kind="new"), message(b"2", kind="old"), message(b"3", kind="new", test=""), message(b"4"))
    assert pubsub_.datas() == [b"1"]
    assert pubsub_.get().filter == 'attributes.kind = "new" AND NOT attributes:test'


@spec("filters/2")
@pytest.mark.parametrize("bad", ["attributes.kind = new", "kind", "attributes:a AND attributes:b OR attributes:c", 'attributes.a = "' + "x" * 250])
def test_a_filter_that_is_none_is_refused_with_the_column(pubsub_: Pubsub, bad: str) -> None:
    with pytest.raises(Refused) as refused:
        pubsub_.both(filter=bad)
    assert refused.value.code == "INVALID_ARGUMENT"
    assert refused.value.message.startswith(f"Invalid filter (filter={bad}):")
    assert "position" in refused.value.message or "256" in refused.value.message
    with pytest.raises(Refused):
        pubsub_.get()


@spec("filters/3")
@pytest.mark.parametrize(("field", "value"), [("filter", "attributes:x"), ("enable_message_ordering", True), ("topic", TOPIC)])
def test_filter_ordering_and_topic_cannot_be_changed(pubsub_: Pubsub, field: str, value: Any) -> None:
    pubsub_.both()
    with pytest.raises(Refused) as refused:
        pubsub_.update(field, **{field: value})
    text = f"Invalid update_mask provided in the UpdateSubscriptionRequest: the '{field}' field in the Subscription is not mutable."
    assert (refused.value.code, refused.value.message) == ("INVALID_ARGUMENT", text)


@spec("ordering/1")
def test_messages_of_a_key_come_in_order_and_a_pull_holds_its_keys(pubsub_: Pubsub) -> None:
    pubsub_.both(enable_message_ordering=True)
    for place in range(4):
        pubsub_.publish(message(b"a%d" % place, key="a"))
    pubsub_.publish(message(b"b0", key="b"))
    held = pubsub_.pull(2)
    assert [received.data for received in held] == [b"a0", b"a1"]
    assert pubsub_.datas() == [b"b0"], "the rest of a waits for the first two"
    pubsub_.ack(held[0])
    assert pubsub_.datas() == []
    pubsub_.ack(held[1])
    assert pubsub_.datas() == [b"a2", b"a3"]


@spec("ordering/2")
def test_a_redelivery_brings_the_later_ones_of_its_key_with_it(pubsub_: Pubsub) -> None:
    pubsub_.both(enable_message_ordering=True)
    for place in range(3):
        pubsub_.publish(message(b"a%d" % place, key="a"))
    first, second, third = pubsub_.pull()
    pubsub_.ack(first)
    pubsub_.nack(second)
    again = pubsub_.pull()
    assert [received.data for received in again] == [b"a1", b"a2"]
    pubsub_.modack(600, third)
    pubsub_.advance(10)
    assert pubsub_.datas() == [b"a1", b"a2"], "the old id of a2 has nothing to say"


@spec("ordering/3")
def test_back_off_blocks_the_whole_key_and_no_other(pubsub_: Pubsub) -> None:
    pubsub_.both(enable_message_ordering=True, retry_policy=pubsub.RetryPolicy())
    pubsub_.publish(message(b"a0", key="a"))
    pubsub_.publish(message(b"a1", key="a"))
    pubsub_.nack(pubsub_.pull(1)[0])
    pubsub_.publish(message(b"b0", key="b"))
    assert pubsub_.datas() == [b"b0"]
    pubsub_.advance(10)
    assert b"a0" in pubsub_.datas(1)


@spec("ordering/4")
def test_without_the_setting_a_key_means_nothing_but_is_delivered(pubsub_: Pubsub) -> None:
    pubsub_.both()
    pubsub_.publish(message(b"a0", key="a"))
    pubsub_.publish(message(b"a1", key="a"))
    (first,) = pubsub_.pull(1)
    assert first.message.ordering_key == "a"
    assert pubsub_.datas() == [b"a1"]


@spec("exactly-once/1", "exactly-once/2")
def test_only_the_newest_ack_id_is_good_and_the_failure_names_the_bad_ones(pubsub_: Pubsub) -> None:
    pubsub_.both(enable_exactly_once_delivery=True)
    pubsub_.publish(b"one", b"two")
    old, good = pubsub_.pull()
    pubsub_.modack(600, good)
    pubsub_.advance(10)
    (new,) = pubsub_.pull()
    for step in (lambda: pubsub_.ack(old, good), lambda: pubsub_.nack(old)):
        with pytest.raises(Refused) as refused:
            step()
        assert refused.value.code == "INVALID_ARGUMENT"
        assert refused.value.message.startswith("Some acknowledgement ids in the request were invalid.")
        assert old.ack_id in str(refused.value.details)
        assert good.ack_id not in str(refused.value.details)
        assert FAILURE in str(refused.value.details)
        assert "EXACTLY_ONCE_ACKID_FAILURE" in str(refused.value.details)
    pubsub_.ack(new)
    pubsub_.advance(600)
    assert pubsub_.datas() == [], "the good id of the failed request was applied"


@spec("exactly-once/3")
def test_an_ack_that_is_repeated_succeeds_again(pubsub_: Pubsub) -> None:
    pubsub_.both(enable_exactly_once_delivery=True)
    pubsub_.publish(b"one")
    (received,) = pubsub_.pull()
    pubsub_.ack(received)
    pubsub_.ack(received)


@spec("exactly-once/4")
def test_an_ack_at_the_deadline_is_late(pubsub_: Pubsub) -> None:
    pubsub_.both(enable_exactly_once_delivery=True)
    pubsub_.publish(b"one")
    (received,) = pubsub_.pull()
    pubsub_.advance(10)
    with pytest.raises(Refused):
        pubsub_.ack(received)
    assert pubsub_.datas() == [b"one"]
