"""Plans: only what the service may do, and a repr that makes them again."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_publican import DeliveryPlan, Message, delivery_plans


@settings(database=None, deadline=None, max_examples=30)
@given(st.data(), st.booleans(), st.sampled_from([None, 5, 7]))
def test_the_repr_of_a_plan_makes_it_again(data: st.DataObject, ordering: bool, dead_letter_after: int | None) -> None:  # noqa: FBT001, RUF100
    plan = data.draw(delivery_plans(ordering=ordering, dead_letter_after=dead_letter_after))
    assert eval(repr(plan), {"DeliveryPlan": DeliveryPlan, "Message": Message}) == plan


def test_a_repr_leaves_out_what_is_usual() -> None:
    plan = DeliveryPlan("A1", {"order": 2}, ordering=True).deliver(times=2).crash(before="charge()").reorder().expire(3)
    assert repr(plan) == "DeliveryPlan('A1', {'order': 2}, ordering=True).deliver(times=2).crash(before='charge()').reorder().expire(before=3)"
    assert repr(Message(b"x", ordering_key="k")) == "Message(b'x', ordering_key='k')"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: DeliveryPlan(), "A plan needs a message"),
        (lambda: DeliveryPlan("A1", dead_letter_after=4), "dead_letter_after: 4 is outside 5..100"),
        (lambda: DeliveryPlan("A1", dead_letter_after=101), "dead_letter_after: 101 is outside 5..100"),
        (lambda: DeliveryPlan("A1", exactly_once=True).lose_ack(), "lose_ack: under exactly-once delivery"),
        (lambda: DeliveryPlan("A1", exactly_once=True).duplicate(), "duplicate: under exactly-once delivery"),
        (lambda: DeliveryPlan("A1", ordering=True).duplicate(), "duplicate: where order is kept"),
        (lambda: DeliveryPlan("A1").crash(before=0), "before: 0 is no line"),
        (lambda: delivery_plans(without=("sleep",)), "without: \\['sleep'\\] is none of lose_ack, crash"),  # type: ignore[arg-type]
        (lambda: delivery_plans(dead_letter_after=4), "dead_letter_after: 4 is outside 5..100"),
    ],
)
def test_what_the_service_would_not_do_cannot_be_said(make: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        make()


@pytest.mark.parametrize("guarantees", [{}, {"ordering": True}, {"exactly_once": True}, {"ordering": True, "exactly_once": True}], ids=str)
def test_only_what_is_legal_is_generated_and_all_of_it(guarantees: dict[str, bool]) -> None:
    kinds: set[str] = set()

    @settings(database=None, deadline=None, max_examples=100, derandomize=True)
    @given(delivery_plans(st.just("A1"), **guarantees))  # type: ignore[arg-type]
    def collect(plan: DeliveryPlan) -> None:
        kinds.update(fate.kind for fate in plan.fates)

    collect()
    assert kinds == {"deliver", "crash", "expire", "reorder"} | (set() if guarantees.get("exactly_once") else {"lose_ack"}) | (
        set() if guarantees else {"duplicate"}
    )
