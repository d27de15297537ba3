"""The pytest plugin: fixtures named `pubsub*`, and property testing with Hypothesis.

plugin.py is what pytest loads; handle.py is what the fixtures give. What stands here is loaded when it is first used: `delivery_plans`, `strategies`
and `LeaseMachine` bring Hypothesis, the others do not.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_publican import strategies as strategies
    from pytest_publican.message import Message as Message
    from pytest_publican.message import ReceivedMessage as ReceivedMessage
    from pytest_publican.plan import DeliveryPlan as DeliveryPlan
    from pytest_publican.strategies import delivery_plans as delivery_plans
    from pytest_publican.survival import NotSurvived as NotSurvived
    from pytest_publican.survival import restartable as restartable
    from pytest_publican.survival import survives as survives

_HOMES = {
    "DeliveryPlan": "plan",
    "Message": "message",
    "NotSurvived": "survival",
    "ReceivedMessage": "message",
    "delivery_plans": "strategies",
    "restartable": "survival",
    "survives": "survival",
}
__all__ = ["DeliveryPlan", "Message", "NotSurvived", "ReceivedMessage", "delivery_plans", "restartable", "strategies", "survives"]


def __getattr__(name: str) -> object:
    if name == "strategies":
        return importlib.import_module("pytest_publican.strategies")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"pytest_publican.{_HOMES[name]}"), name)
