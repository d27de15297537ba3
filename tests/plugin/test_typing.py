"""What a typed suite writes: mypy reads it as it reads every test, and it runs."""

from datetime import datetime

import publican_emulator
from pytest_publican import Event, MessageRecord, Pubsub, Subscription, Topic


def test_a_typed_test(pubsub: Pubsub, pubsub_topic: Topic, pubsub_subscription: Subscription) -> None:
    message: MessageRecord = pubsub_topic.publish(b"one", kind="new")
    happened: list[Event] = pubsub.advance(1)
    now: datetime = pubsub.now()
    waiting: list[MessageRecord] = pubsub_subscription.peek()
    full_name: str = pubsub_topic
    assert (waiting, happened, full_name) == ([message], [], f"projects/{pubsub.project}/topics/{pubsub_topic.id}")
    assert now > message.publish_time
    with pubsub.fail("Publish", "ABORTED", times=None, when=lambda request: False) as fault:
        hits: int = fault.hits
    assert hits == 0
    pubsub.reset()


def test_a_typed_block() -> None:
    with publican_emulator.running(pull_wait=0.0, seed={"orders": ["billing"]}) as pubsub:
        handle: Pubsub = pubsub
        assert handle.messages == []
