"""Dead letters: the message that a subscription gives up on, as a new message of its dead-letter topic.

Source: "Dead-letter topics", cloud.google.com/pubsub/docs/dead-letter-topics; docs/semantics.md, dead-letters.

PYTEST_DONT_REWRITE
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from publican_emulator.broker.instants import MILLISECOND, Nanos
from publican_protocol import names, pubsub
from publican_protocol.wire import publish_time_of, unstamped

_PREFIX = "CloudPubSubDeadLetterSource"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class DeadLetters:
    """Forwards messages; `publish` gives the new id, or None when the topic is gone."""

    __slots__ = ("_publish",)

    def __init__(self, publish: Callable[[str, bytes, Nanos], str | None]) -> None:
        self._publish = publish

    def forward(self, message: bytes, topic: str, subscription: str, attempts: int, at: Nanos, why: str = "") -> str | None:
        """Publish a stored message of `subscription` to its dead-letter topic; None when that is not possible: the message must stay.

        `why` is what an export says of it.
        """
        if topic == names.DELETED_TOPIC:
            return None
        letter = pubsub.PubsubMessage.FromString(unstamped(message))
        letter.ClearField("message_id")
        letter.ClearField("publish_time")
        project, subscription_id = names.project_of(subscription), names.short_id(subscription)
        letter.attributes[f"{_PREFIX}DeliveryCount"] = str(attempts)
        letter.attributes[f"{_PREFIX}Subscription"] = subscription_id
        letter.attributes[f"{_PREFIX}SubscriptionProject"] = project
        letter.attributes[f"{_PREFIX}TopicPublishTime"] = _rfc3339(publish_time_of(message))
        if why:
            letter.attributes[f"{_PREFIX}DeliveryErrorMessage"] = why
        return self._publish(topic, letter.SerializeToString(), at)


def _rfc3339(instant: int) -> str:
    """Give an instant as the service writes it here: milliseconds, and `+00:00` rather than `Z`."""
    moment = _EPOCH + timedelta(milliseconds=instant // MILLISECOND)
    return moment.isoformat(timespec="milliseconds")
