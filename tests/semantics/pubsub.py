"""The words of the field, for the tests: topics that publish, subscriptions that pull and stream, deliveries that are acked or nacked.

Every word is one call of the API on the way in that the test runs over; fields are those of the API's messages, so that a test sends nothing that a
client could not send.
"""

import itertools
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, cast

import pytest

from publican_protocol import known
from publican_protocol import pubsub as api
from tests.semantics.backends.backend import Backend, Refused, Stream, Waiting

SECOND = 1_000_000_000
PROJECT = "projects/p"
MANY = 1000


def seconds(number: float) -> timedelta:
    """Give a span for a Duration field."""
    return timedelta(seconds=number)


def days(number: float) -> timedelta:
    """Give a span for a Duration field."""
    return timedelta(days=number)


def data_of(deliveries: Iterable["Delivery"]) -> list[bytes]:
    """Give what was delivered, in its order."""
    return [delivery.data for delivery in deliveries]


class Pubsub:
    """One empty Pub/Sub, and a clock."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._numbers = itertools.count(1)
        self._open: list[Stream | Waiting] = []

    # calls

    def call(self, method: str, request: Any) -> Any:
        """Make a call by its method's name."""
        return self.backend.call(method, request)

    def refuses(self, method: str, request: Any) -> Refused:
        """Make a call that has to fail, and give the error."""
        with pytest.raises(Refused) as raised:
            self.backend.call(method, request)
        return raised.value

    def opened(self, waiting: Stream | Waiting) -> None:
        """Note what has to be closed at the end of the test."""
        self._open.append(waiting)

    def close(self) -> None:
        """Close what is open."""
        for each in self._open:
            each.cancel() if hasattr(each, "cancel") else each.close()

    # time

    def now(self) -> int:
        """Give the instant."""
        return self.backend.now()

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.backend.advance(seconds)

    # resources

    def name(self, collection: str) -> str:
        """Give a name that is free."""
        return f"{PROJECT}/{collection}/{collection[:-1]}-{next(self._numbers)}"

    def topic(self, name: str = "", **fields: Any) -> "Topic":
        """Create a topic."""
        topic = Topic(self, name or self.name("topics"))
        self.call("CreateTopic", api.Topic(name=topic.name, **fields))
        return topic

    def subscription(self, topic: "Topic", name: str = "", **fields: Any) -> "Subscription":
        """Create a subscription."""
        subscription = Subscription(self, name or self.name("subscriptions"))
        self.call("CreateSubscription", api.Subscription(name=subscription.name, topic=topic.name, **fields))
        return subscription

    def pair(self, **fields: Any) -> tuple["Topic", "Subscription"]:
        """Create a topic, and a subscription on it with these fields."""
        topic = self.topic()
        return topic, self.subscription(topic, **fields)

    def refuses_subscription(self, topic: "Topic", **fields: Any) -> Refused:
        """Try to create a subscription, and give the error; nothing may have been created."""
        name = self.name("subscriptions")
        error = self.refuses("CreateSubscription", api.Subscription(name=name, topic=topic.name, **fields))
        assert self.refuses("GetSubscription", api.GetSubscriptionRequest(subscription=name)).code == "NOT_FOUND"
        return error


class Topic:
    """One topic."""

    def __init__(self, pubsub: Pubsub, name: str) -> None:
        self._pubsub = pubsub
        self.name = name
        self.id = name.rpartition("/")[2]

    def publish(self, *data: bytes, key: str = "", **attributes: str) -> list[str]:
        """Publish messages that differ in their data, and give their ids."""
        return self.send(*(api.PubsubMessage(data=each, ordering_key=key, attributes=attributes) for each in data))

    def send(self, *messages: api.PubsubMessage) -> list[str]:
        """Publish messages, and give their ids."""
        return list(self._pubsub.call("Publish", api.PublishRequest(topic=self.name, messages=messages)).message_ids)

    def refuses(self, *messages: api.PubsubMessage) -> Refused:
        """Try to publish, and give the error."""
        return self._pubsub.refuses("Publish", api.PublishRequest(topic=self.name, messages=messages))

    def get(self) -> api.Topic:
        """Give it as it is shown."""
        return cast("api.Topic", self._pubsub.call("GetTopic", api.GetTopicRequest(topic=self.name)))

    def update(self, *paths: str, **fields: Any) -> api.Topic:
        """Change what the paths name."""
        request = api.UpdateTopicRequest(topic=api.Topic(name=self.name, **fields), update_mask=known.FieldMask(paths=paths))
        return cast("api.Topic", self._pubsub.call("UpdateTopic", request))

    def delete(self) -> None:
        """Delete it."""
        self._pubsub.call("DeleteTopic", api.DeleteTopicRequest(topic=self.name))

    def subscriptions(self) -> list[str]:
        """List the subscriptions that are attached to it."""
        return list(self._pubsub.call("ListTopicSubscriptions", api.ListTopicSubscriptionsRequest(topic=self.name)).subscriptions)


class Delivery:
    """One handing-out of one message."""

    def __init__(self, subscription: "Subscription", received: api.ReceivedMessage) -> None:
        self._subscription = subscription
        self.ack_id = received.ack_id
        self.attempt = received.delivery_attempt
        self.message = received.message
        self.data = received.message.data
        self.id = received.message.message_id
        self.attributes = dict(received.message.attributes)

    def ack(self) -> None:
        """Ack it."""
        self._subscription.ack(self)

    def nack(self) -> None:
        """Nack it."""
        self._subscription.modify(0, self)

    def extend(self, seconds: int) -> None:
        """Give it a deadline `seconds` from now."""
        self._subscription.modify(seconds, self)


class Subscription:
    """One subscription."""

    def __init__(self, pubsub: Pubsub, name: str) -> None:
        self._pubsub = pubsub
        self.name = name
        self.id = name.rpartition("/")[2]

    # messages

    def pull(self, most: int = MANY) -> list[Delivery]:
        """Take what is available now."""
        request = api.PullRequest(subscription=self.name, max_messages=most, return_immediately=True)
        return self.deliveries(self._pubsub.call("Pull", request).received_messages)

    def take(self) -> Delivery:
        """Take the one message that is available now."""
        (delivery,) = self.pull()
        return delivery

    def take_data(self, most: int = MANY) -> list[bytes]:
        """Take what is available now, and give its data."""
        return data_of(self.pull(most))

    def deliveries(self, received: Iterable[api.ReceivedMessage]) -> list[Delivery]:
        """Give what was received as deliveries."""
        return [Delivery(self, each) for each in received]

    def waiting_pull(self, most: int = MANY) -> "WaitingPull":
        """Make a Pull that waits."""
        waiting = self._pubsub.backend.start("Pull", api.PullRequest(subscription=self.name, max_messages=most))
        self._pubsub.opened(waiting)
        return WaitingPull(self, waiting)

    def stream(self, **fields: Any) -> "OpenStream":
        """Open a stream; its leases are of 10 s unless said otherwise."""
        fields = {"stream_ack_deadline_seconds": 10, "protocol_version": 1, **fields}
        stream = self._pubsub.backend.stream(api.StreamingPullRequest(subscription=self.name, **fields))
        self._pubsub.opened(stream)
        return OpenStream(self, stream)

    def ack(self, *deliveries: Delivery | str) -> None:
        """Ack deliveries, or ack ids."""
        self._pubsub.call("Acknowledge", api.AcknowledgeRequest(subscription=self.name, ack_ids=ids_of(deliveries)))

    def refuses_ack(self, *deliveries: Delivery | str) -> Refused:
        """Try to ack, and give the error."""
        return self._pubsub.refuses("Acknowledge", api.AcknowledgeRequest(subscription=self.name, ack_ids=ids_of(deliveries)))

    def modify(self, seconds: int, *deliveries: Delivery | str) -> None:
        """Give deliveries a deadline `seconds` from now."""
        request = api.ModifyAckDeadlineRequest(subscription=self.name, ack_ids=ids_of(deliveries), ack_deadline_seconds=seconds)
        self._pubsub.call("ModifyAckDeadline", request)

    def refuses_modify(self, seconds: int, *deliveries: Delivery | str) -> Refused:
        """Try to change deadlines, and give the error."""
        request = api.ModifyAckDeadlineRequest(subscription=self.name, ack_ids=ids_of(deliveries), ack_deadline_seconds=seconds)
        return self._pubsub.refuses("ModifyAckDeadline", request)

    def nack(self, *deliveries: Delivery | str) -> None:
        """Nack deliveries."""
        self.modify(0, *deliveries)

    def ack_all(self) -> list[bytes]:
        """Take and ack whatever is available, and give its data."""
        taken = self.pull()
        if taken:
            self.ack(*taken)
        return data_of(taken)

    # itself

    def get(self) -> api.Subscription:
        """Give it as it is shown."""
        return cast("api.Subscription", self._pubsub.call("GetSubscription", api.GetSubscriptionRequest(subscription=self.name)))

    def _update(self, paths: Sequence[str], fields: Any) -> api.UpdateSubscriptionRequest:
        return api.UpdateSubscriptionRequest(subscription=api.Subscription(name=self.name, **fields), update_mask=known.FieldMask(paths=paths))

    def update(self, *paths: str, **fields: Any) -> api.Subscription:
        """Change what the paths name."""
        return cast("api.Subscription", self._pubsub.call("UpdateSubscription", self._update(paths, fields)))

    def refuses_update(self, *paths: str, **fields: Any) -> Refused:
        """Try to change it, and give the error; nothing may have changed."""
        before = self.get()
        error = self._pubsub.refuses("UpdateSubscription", self._update(paths, fields))
        assert self.get() == before
        return error

    def delete(self) -> None:
        """Delete it."""
        self._pubsub.call("DeleteSubscription", api.DeleteSubscriptionRequest(subscription=self.name))

    def detach(self) -> None:
        """Detach it."""
        self._pubsub.call("DetachSubscription", api.DetachSubscriptionRequest(subscription=self.name))

    # seek

    def seek_to(self, instant: int) -> None:
        """Seek to an instant, in nanoseconds since the epoch."""
        time = known.Timestamp(seconds=instant // SECOND, nanos=instant % SECOND)
        self._pubsub.call("Seek", api.SeekRequest(subscription=self.name, time=time))

    def seek_to_snapshot(self, snapshot: api.Snapshot) -> None:
        """Seek to a snapshot."""
        self._pubsub.call("Seek", api.SeekRequest(subscription=self.name, snapshot=snapshot.name))

    def snapshot(self, name: str = "", **fields: Any) -> api.Snapshot:
        """Make a snapshot."""
        request = api.CreateSnapshotRequest(name=name or self._pubsub.name("snapshots"), subscription=self.name, **fields)
        return cast("api.Snapshot", self._pubsub.call("CreateSnapshot", request))


def ids_of(deliveries: Iterable[Delivery | str]) -> list[str]:
    """Give the ack ids of deliveries."""
    return [each if isinstance(each, str) else each.ack_id for each in deliveries]


class WaitingPull:
    """A Pull that waits for messages."""

    def __init__(self, subscription: Subscription, waiting: Waiting) -> None:
        self._subscription = subscription
        self._waiting = waiting

    def is_answered(self) -> bool:
        """Say whether the answer is there."""
        return self._waiting.is_answered()

    def deliveries(self) -> list[Delivery]:
        """Wait for the answer."""
        return self._subscription.deliveries(cast("api.PullResponse", self._waiting.result()).received_messages)

    def data(self) -> list[bytes]:
        """Wait for the answer, and give the data of its messages."""
        return data_of(self.deliveries())

    def error(self) -> Refused:
        """Wait for an answer that is an error."""
        with pytest.raises(Refused) as raised:
            self._waiting.result()
        return raised.value

    def cancel(self) -> None:
        """Go away."""
        self._waiting.cancel()


class OpenStream:
    """A StreamingPull, whose client reads at once."""

    def __init__(self, subscription: Subscription, stream: Any) -> None:
        self._subscription = subscription
        self.raw = stream

    def send(self, **fields: Any) -> None:
        """Send another request."""
        self.raw.send(api.StreamingPullRequest(**fields))

    def responses(self) -> list[api.StreamingPullResponse]:
        """Give the responses since the last look."""
        return cast("list[api.StreamingPullResponse]", self.raw.responses())

    def deliveries(self) -> list[Delivery]:
        """Give what has come since the last look."""
        return self._subscription.deliveries([each for response in self.responses() for each in response.received_messages])

    def data(self) -> list[bytes]:
        """Give the data of what has come since the last look."""
        return data_of(self.deliveries())

    def ack(self, *deliveries: Delivery | str) -> None:
        """Ack on the stream."""
        self.send(ack_ids=ids_of(deliveries))

    def modify(self, seconds: int, *deliveries: Delivery | str) -> None:
        """Change deadlines on the stream."""
        self.send(modify_deadline_ack_ids=ids_of(deliveries), modify_deadline_seconds=[seconds] * len(deliveries))

    def nack(self, *deliveries: Delivery | str) -> None:
        """Nack on the stream."""
        self.modify(0, *deliveries)

    def error(self) -> Refused:
        """Wait for the end."""
        return cast("Refused", self.raw.error())

    def close(self) -> None:
        """End it from this side."""
        self.raw.close()
