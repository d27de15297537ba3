"""The pytest plugin: fixtures named `pubsub*`, and property testing with Hypothesis.

plugin.py is what pytest loads; publican_emulator.testing is what the fixtures give. What stands here is loaded when it is first used:
`delivery_plans`, `strategies` and `LeaseMachine` bring Hypothesis, the others do not.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publican_emulator.testing.handle import NackLoop as NackLoop
    from publican_emulator.testing.handle import Pubsub as Pubsub
    from publican_emulator.testing.handle import TimedOut as TimedOut
    from publican_emulator.testing.names import Subscription as Subscription
    from publican_emulator.testing.names import Topic as Topic
    from publican_emulator.testing.records import Event as Event
    from publican_emulator.testing.records import MessageRecord as MessageRecord
    from pytest_publican import strategies as strategies
    from pytest_publican.config import Config as Config
    from pytest_publican.factories import subscription_fixture as subscription_fixture
    from pytest_publican.factories import topic_fixture as topic_fixture
    from pytest_publican.lease_backends import CoreBackend as CoreBackend
    from pytest_publican.lease_backends import GrpcBackend as GrpcBackend
    from pytest_publican.lease_backends import LeaseBackend as LeaseBackend
    from pytest_publican.lease_backends import Refused as Refused
    from pytest_publican.lease_backends import RestBackend as RestBackend
    from pytest_publican.lease_machine import LeaseMachine as LeaseMachine
    from pytest_publican.message import Message as Message
    from pytest_publican.message import ReceivedMessage as ReceivedMessage
    from pytest_publican.plan import DeliveryPlan as DeliveryPlan
    from pytest_publican.report import PubsubWarning as PubsubWarning
    from pytest_publican.strategies import delivery_plans as delivery_plans
    from pytest_publican.survival import NotSurvived as NotSurvived
    from pytest_publican.survival import restartable as restartable
    from pytest_publican.survival import survives as survives

_HOMES = {
    "Event": "publican_emulator.testing.records",
    "MessageRecord": "publican_emulator.testing.records",
    "NackLoop": "publican_emulator.testing.handle",
    "Pubsub": "publican_emulator.testing.handle",
    "Subscription": "publican_emulator.testing.names",
    "TimedOut": "publican_emulator.testing.handle",
    "Topic": "publican_emulator.testing.names",
    "Config": "config",
    "CoreBackend": "lease_backends",
    "DeliveryPlan": "plan",
    "GrpcBackend": "lease_backends",
    "LeaseBackend": "lease_backends",
    "LeaseMachine": "lease_machine",
    "Message": "message",
    "NotSurvived": "survival",
    "PubsubWarning": "report",
    "ReceivedMessage": "message",
    "Refused": "lease_backends",
    "RestBackend": "lease_backends",
    "delivery_plans": "strategies",
    "restartable": "survival",
    "subscription_fixture": "factories",
    "survives": "survival",
    "topic_fixture": "factories",
}
__all__ = [
    "Config",
    "CoreBackend",
    "DeliveryPlan",
    "Event",
    "GrpcBackend",
    "LeaseBackend",
    "LeaseMachine",
    "Message",
    "MessageRecord",
    "NackLoop",
    "NotSurvived",
    "Pubsub",
    "PubsubWarning",
    "ReceivedMessage",
    "Refused",
    "RestBackend",
    "Subscription",
    "TimedOut",
    "Topic",
    "delivery_plans",
    "restartable",
    "strategies",
    "subscription_fixture",
    "survives",
    "topic_fixture",
]


def __getattr__(name: str) -> object:
    if name == "strategies":
        return importlib.import_module("pytest_publican.strategies")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _HOMES[name]
    return getattr(importlib.import_module(home if home.startswith("publican_emulator.") else f"pytest_publican.{home}"), name)
