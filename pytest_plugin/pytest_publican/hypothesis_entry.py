"""What Hypothesis loads when it is first imported: `st.from_type(Message)` and the like find their strategies. Nothing happens without Hypothesis.

PYTEST_DONT_REWRITE
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


def register() -> None:
    """Say how messages and delivery plans are made; the strategies are loaded when one is asked for."""
    from hypothesis import strategies as st

    from pytest_publican.message import Message
    from pytest_publican.plan import DeliveryPlan

    st.register_type_strategy(Message, _messages)
    st.register_type_strategy(DeliveryPlan, _plans)


def _messages(_: type[Any]) -> "SearchStrategy[Any]":
    from pytest_publican.strategies import messages

    return messages()


def _plans(_: type[Any]) -> "SearchStrategy[Any]":
    from pytest_publican.strategies import delivery_plans

    return delivery_plans()
