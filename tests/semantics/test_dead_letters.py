"""docs/semantics.md, dead letters: when a subscription gives a message up, and what becomes of it."""

import pytest

from publican_protocol import pubsub as api
from tests.semantics.pubsub import Pubsub, Subscription, Topic, seconds
from tests.semantics.spec import spec

PREFIX = "CloudPubSubDeadLetterSource"


class Yard:
    """A topic with a subscription that gives up, and where the letters go."""

    def __init__(self, pubsub: Pubsub, attempts: int = 5, **fields: object) -> None:
        self.dead = pubsub.topic()
        self.grave = pubsub.subscription(self.dead)
        self.policy = {"dead_letter_topic": self.dead.name, "max_delivery_attempts": attempts}
        self.topic, self.subscription = pubsub.pair(dead_letter_policy=self.policy, **fields)


def fail(subscription: Subscription, times: int) -> None:
    """Take and nack the one message that is there."""
    for _ in range(times):
        subscription.take().nack()


@spec("dead-letters/1")
@pytest.mark.parametrize(("attempts", "shown"), [(0, 5), (5, 5), (6, 6), (100, 100)])
def test_the_number_of_attempts_is_5_to_100(pubsub: Pubsub, attempts: int, shown: int) -> None:
    yard = Yard(pubsub, attempts)
    assert yard.subscription.get().dead_letter_policy.max_delivery_attempts == shown
    yard.topic.publish(b"m")
    fail(yard.subscription, shown)
    assert yard.subscription.take_data() == []
    assert yard.grave.take_data() == [b"m"]


@spec("dead-letters/1")
@pytest.mark.parametrize(("attempts", "text"), [(4, "too small"), (1, "too small"), (-1, "too small"), (101, "too large")])
def test_another_number_of_attempts_is_refused(pubsub: Pubsub, attempts: int, text: str) -> None:
    dead = pubsub.topic()
    error = pubsub.refuses_subscription(pubsub.topic(), dead_letter_policy={"dead_letter_topic": dead.name, "max_delivery_attempts": attempts})
    bound = "maximum value is 100" if attempts > 5 else "minimum value is 5"
    assert error.code == "INVALID_ARGUMENT"
    assert error.text == f"The value for max_delivery_attempts is {text}. You passed {attempts} in the request, but the {bound}."


@spec("dead-letters/2")
def test_the_topic_has_to_exist_in_whatever_project(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    absent = {"dead_letter_topic": "projects/p/topics/absent"}
    assert pubsub.refuses_subscription(topic, dead_letter_policy=absent).code == "NOT_FOUND"
    assert subscription.refuses_update("dead_letter_policy", dead_letter_policy=absent).code == "NOT_FOUND"
    elsewhere = pubsub.topic("projects/elsewhere/topics/dead")
    subscription.update("dead_letter_policy", dead_letter_policy={"dead_letter_topic": elsewhere.name})
    assert subscription.get().dead_letter_policy.dead_letter_topic == elsewhere.name


@spec("dead-letters/2")
@pytest.mark.parametrize("name", ["", "dead", "projects/p/subscriptions/dead", "projects/p/topics/ab"])
def test_the_topics_name_has_to_be_one(pubsub: Pubsub, name: str) -> None:
    error = pubsub.refuses_subscription(pubsub.topic(), dead_letter_policy={"dead_letter_topic": name, "max_delivery_attempts": 5})
    assert error.code == "INVALID_ARGUMENT"
    assert error.text.startswith(f"Invalid resource name given (name={name}).")


@spec("dead-letters/3")
def test_the_attempt_counts_nacks_and_expiries_of_the_message_in_this_subscription(pubsub: Pubsub) -> None:
    yard = Yard(pubsub, 100)
    other = pubsub.subscription(yard.topic, dead_letter_policy=yard.policy)
    yard.topic.publish(b"m")
    for attempt in range(1, 10):
        delivery = yard.subscription.take()
        assert delivery.attempt == attempt
        if attempt % 2:
            delivery.nack()
        else:
            pubsub.advance(10)
    assert other.take().attempt == 1


@spec("dead-letters/3")
def test_each_message_counts_for_itself(pubsub: Pubsub) -> None:
    yard = Yard(pubsub)
    yard.topic.publish(b"a", b"b", b"c")
    _, b, _ = yard.subscription.pull()
    b.nack()
    assert yard.subscription.take().attempt == 2
    pubsub.advance(10)
    assert [(each.data, each.attempt) for each in yard.subscription.pull()] == [(b"a", 2), (b"b", 3), (b"c", 2)]


@spec("dead-letters/4")
def test_a_message_is_forwarded_at_its_last_failure_and_only_once(pubsub: Pubsub) -> None:
    yard = Yard(pubsub)
    yard.topic.publish(b"m")
    fail(yard.subscription, 4)
    assert yard.grave.take_data() == []
    last = yard.subscription.take()
    assert yard.grave.take_data() == []
    last.nack()
    last.nack()
    assert yard.grave.ack_all() == [b"m"]
    pubsub.advance(3600)
    assert yard.subscription.take_data() == []
    assert yard.grave.take_data() == []


@spec("dead-letters/4")
def test_the_last_failure_may_be_an_expiry(pubsub: Pubsub) -> None:
    yard = Yard(pubsub)
    yard.topic.publish(b"m")
    fail(yard.subscription, 4)
    yard.subscription.take()
    pubsub.advance(9.999)
    assert yard.grave.take_data() == []
    pubsub.advance(0.001)
    assert yard.grave.take_data() == [b"m"]


@spec("dead-letters/4")
def test_a_message_that_is_acked_at_its_last_attempt_is_not_forwarded(pubsub: Pubsub) -> None:
    yard = Yard(pubsub)
    yard.topic.publish(b"m")
    fail(yard.subscription, 4)
    yard.subscription.take().ack()
    pubsub.advance(600)
    assert yard.grave.take_data() == []


@spec("dead-letters/5")
def test_a_dead_letter_is_a_new_message_that_tells_where_it_comes_from(pubsub: Pubsub) -> None:
    yard = Yard(pubsub)
    (first_id,) = yard.topic.publish(b"poison", key="k", colour="red")
    pubsub.advance(1.234)
    fail(yard.subscription, 5)
    letter = yard.grave.take()
    assert (letter.data, letter.message.ordering_key) == (b"poison", "k")
    assert int(letter.id) == int(first_id) + 1
    assert letter.message.publish_time.ToNanoseconds() == pubsub.now()
    assert letter.attributes == {
        "colour": "red",
        f"{PREFIX}DeliveryCount": "5",
        f"{PREFIX}Subscription": yard.subscription.id,
        f"{PREFIX}SubscriptionProject": "p",
        f"{PREFIX}TopicPublishTime": "2023-11-14T22:13:20.000+00:00",
    }


@spec("dead-letters/5")
def test_a_message_with_as_many_attributes_as_it_may_have_is_forwarded_too(pubsub: Pubsub) -> None:
    yard = Yard(pubsub)
    yard.topic.publish(b"m", **{f"k{number}": "" for number in range(100)})
    fail(yard.subscription, 5)
    assert len(yard.grave.take().attributes) == 104


@spec("dead-letters/6")
def test_what_is_forwarded_is_acked_where_it_was_also_when_nobody_gets_it(pubsub: Pubsub) -> None:
    yard = Yard(pubsub, retain_acked_messages=True)
    start = pubsub.now()
    yard.grave.delete()
    yard.topic.publish(b"m")
    fail(yard.subscription, 5)
    pubsub.advance(600)
    assert yard.subscription.take_data() == []
    yard.subscription.seek_to(start)
    assert yard.subscription.take().attempt == 1, "it is retained as what was acked is"
    late = pubsub.subscription(yard.dead)
    assert late.take_data() == []


def delete_and_create(pubsub: Pubsub, topic: Topic) -> Subscription:
    topic.delete()
    pubsub.topic(topic.name)
    return pubsub.subscription(topic)


@spec("dead-letters/7")
def test_without_its_topic_nothing_is_forwarded_until_the_policy_is_set_again(pubsub: Pubsub) -> None:
    yard = Yard(pubsub)
    yard.topic.publish(b"m")
    fail(yard.subscription, 2)
    grave = delete_and_create(pubsub, yard.dead)
    assert yard.subscription.get().dead_letter_policy.dead_letter_topic == "_deleted-topic_"
    for attempt in range(3, 9):
        delivery = yard.subscription.take()
        assert delivery.attempt == attempt
        delivery.nack()
    assert grave.take_data() == []
    yard.subscription.update("dead_letter_policy", dead_letter_policy=yard.policy)
    fail(yard.subscription, 1)
    assert yard.subscription.take_data() == []
    assert grave.take_data() == [b"m"]


@spec("dead-letters/7")
def test_other_settings_can_be_changed_while_the_topic_is_gone(pubsub: Pubsub) -> None:
    yard = Yard(pubsub)
    yard.dead.delete()
    yard.subscription.update("ack_deadline_seconds", ack_deadline_seconds=20)
    shown = yard.subscription.get()
    assert (shown.ack_deadline_seconds, shown.dead_letter_policy.dead_letter_topic) == (20, "_deleted-topic_")


@spec("dead-letters/8")
def test_failures_from_before_the_policy_do_not_count(pubsub: Pubsub) -> None:
    yard = Yard(pubsub)
    _, subscription = yard.topic, pubsub.subscription(yard.topic)
    yard.topic.publish(b"m")
    for _ in range(7):
        delivery = subscription.take()
        assert delivery.attempt == 0
        delivery.nack()
    subscription.update("dead_letter_policy", dead_letter_policy=yard.policy)
    for attempt in (1, 2, 3, 4, 5):
        delivery = subscription.take()
        assert delivery.attempt == attempt
        delivery.nack()
    assert subscription.take_data() == []


@spec("dead-letters/8")
def test_without_the_policy_the_attempt_is_0_and_nothing_is_forwarded(pubsub: Pubsub) -> None:
    yard = Yard(pubsub)
    yard.topic.publish(b"m")
    fail(yard.subscription, 4)
    yard.subscription.update("dead_letter_policy")
    for _ in range(3):
        delivery = yard.subscription.take()
        assert delivery.attempt == 0
        delivery.nack()
    assert yard.grave.take_data() == []


@spec("dead-letters/9")
def test_a_lower_maximum_counts_at_the_next_failure(pubsub: Pubsub) -> None:
    yard = Yard(pubsub, 20)
    yard.topic.publish(b"m")
    fail(yard.subscription, 9)
    yard.subscription.update("dead_letter_policy.max_delivery_attempts", dead_letter_policy={"max_delivery_attempts": 5})
    delivery = yard.subscription.take()
    assert delivery.attempt == 10
    assert yard.grave.take_data() == []
    delivery.nack()
    assert yard.grave.take().attributes[f"{PREFIX}DeliveryCount"] == "10"


@spec("dead-letters/10")
def test_letters_may_be_given_up_again_and_tell_of_their_last_hop(pubsub: Pubsub) -> None:
    yard = Yard(pubsub)
    last = pubsub.topic()
    yard.grave.update("dead_letter_policy", dead_letter_policy={"dead_letter_topic": last.name, "max_delivery_attempts": 7})
    end = pubsub.subscription(last)
    yard.topic.publish(b"m")
    fail(yard.subscription, 5)
    fail(yard.grave, 7)
    letter = end.take()
    assert (letter.attributes[f"{PREFIX}Subscription"], letter.attributes[f"{PREFIX}DeliveryCount"]) == (yard.grave.id, "7")
    assert len(letter.attributes) == 4


@spec("dead-letters/10")
def test_a_subscription_may_give_up_into_its_own_topic(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    subscription.update("dead_letter_policy", dead_letter_policy={"dead_letter_topic": topic.name})
    (first_id,) = topic.publish(b"m")
    for _ in range(3):
        fail(subscription, 5)
    again = subscription.take()
    assert (again.data, again.attempt) == (b"m", 1)
    assert int(again.id) == int(first_id) + 3


@spec("dead-letters/11")
def test_forwarding_does_not_wait_for_the_back_off(pubsub: Pubsub) -> None:
    yard = Yard(pubsub, retry_policy={"minimum_backoff": seconds(60), "maximum_backoff": seconds(60)})
    yard.topic.publish(b"m")
    for _ in range(4):
        fail(yard.subscription, 1)
        assert yard.subscription.take_data() == []
        pubsub.advance(60)
    assert yard.grave.take_data() == []
    fail(yard.subscription, 1)
    assert yard.grave.take_data() == [b"m"]


@spec("dead-letters/12")
def test_a_nack_after_the_deadline_does_not_count_again(pubsub: Pubsub) -> None:
    yard = Yard(pubsub)
    yard.topic.publish(b"m")
    late = yard.subscription.take()
    pubsub.advance(10)
    for _ in range(3):
        late.nack()
    assert yard.subscription.take().attempt == 2
    late.nack()
    pubsub.advance(10)
    assert yard.subscription.take().attempt == 3


@spec("dead-letters/13")
def test_a_seek_begins_the_counting_anew(pubsub: Pubsub) -> None:
    yard = Yard(pubsub)
    start = pubsub.now()
    yard.topic.publish(b"m")
    fail(yard.subscription, 4)
    yard.subscription.seek_to(start)
    for attempt in (1, 2, 3, 4, 5):
        delivery = yard.subscription.take()
        assert delivery.attempt == attempt
        delivery.nack()
    assert yard.grave.take_data() == [b"m"]


@spec("dead-letters/4", "filters/6")
def test_what_the_filter_keeps_out_is_never_forwarded(pubsub: Pubsub) -> None:
    yard = Yard(pubsub, filter="attributes:in")
    yard.topic.publish(b"out")
    pubsub.advance(600)
    assert yard.subscription.take_data() == []
    assert yard.grave.take_data() == []


@spec("dead-letters/5")
@pytest.mark.parametrize("data", [b"", b"x" * 100_000])
def test_data_of_any_size_is_forwarded(pubsub: Pubsub, data: bytes) -> None:
    yard = Yard(pubsub)
    yard.topic.send(api.PubsubMessage(data=data, attributes={"a": ""}))
    fail(yard.subscription, 5)
    assert yard.grave.take().data == data
