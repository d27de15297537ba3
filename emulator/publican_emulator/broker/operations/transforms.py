"""Message transforms: checked when they are set, run when a message is published, and tried without publishing.

Source: "Single Message Transforms", cloud.google.com/pubsub/docs/smts; docs/transforms.md.

PYTEST_DONT_REWRITE
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from publican_emulator.broker.events import Fact, Kind
from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.topic import Topic
from publican_emulator.broker.transforms import Transform, check_transforms
from publican_protocol import wire

if TYPE_CHECKING:
    from publican_emulator.broker.broker import Broker


def check_pipeline(broker: "Broker", resource: str, transforms: tuple[Transform, ...]) -> None:
    """Compile the functions of a resource that is about to have these transforms.

    Raises:
        InvalidArgument: one does not compile.
        FailedPrecondition: nothing here runs JavaScript.
    """
    if transforms:
        broker.pipelines.begin()
        broker.pipelines.of(resource, transforms).check()


def transformed(broker: "Broker", topic: Topic, messages: Sequence[bytes], first_id: int, now: Nanos) -> list[bytes | None]:
    """Give messages as the topic's transforms leave them, None for those that they drop; all or nothing.

    Raises:
        InvalidArgument: a transform failed.
    """
    pipelines = broker.pipelines
    pipelines.begin()
    pipeline = pipelines.of(topic.name, topic.settings.transforms)
    return [pipeline.apply(message, first_id + place, now) for place, message in enumerate(messages)]


def state_dropped(broker: "Broker", topic: Topic, messages: Sequence[bytes], first_id: int, now: Nanos) -> None:
    """State that messages have an id and are not stored."""
    if broker.listener is not None:
        dropped = wire.stamp(messages, first_id, now)
        broker.listener(Fact(now, Kind.DROPPED, topic.name, tuple(dropped), note="by a message transform of the topic"))


def validate_transforms(broker: "Broker", transforms: tuple[Transform, ...], now: Nanos) -> None:
    """Check transforms as those of a resource would be.

    Raises:
        InvalidArgument, FailedPrecondition: as when they are set.
    """
    broker.settle(now)
    check_transforms(transforms)
    check_pipeline(broker, "", transforms)


def try_transforms(broker: "Broker", transforms: tuple[Transform, ...], message: bytes, now: Nanos) -> list[bytes | str | None]:
    """Give a message after each transform: None when that drops it, a text when that fails; nothing follows either.

    Raises:
        InvalidArgument: the message or a transform is none.
    """
    validate_transforms(broker, transforms, now)
    broker.intake.check_size([message], None)
    broker.intake.check([message])
    broker.pipelines.begin()
    return broker.pipelines.of("", transforms).tried(message, now)
