"""What a plan does, the service may do: seen by a handler that looks."""

import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_publican import DeliveryPlan, Message, delivery_plans, survives
from tests.survival.handlers import Till

BRIEFLY = settings(database=None, deadline=None, max_examples=30, derandomize=True)
KEYED = st.builds(Message, st.just(b"x"), ordering_key=st.sampled_from(["k", "l"]))


def nothing(_: Till) -> None:
    """Compare nothing."""


@BRIEFLY
@given(delivery_plans(st.just("A1"), exactly_once=True, without=["expire"]))  # a first consumer that goes on was not handed it again
def test_under_exactly_once_delivery_nothing_comes_again_that_was_acked(plan: DeliveryPlan) -> None:
    again: list[str] = []

    def handle(acked: set[str], message: Any) -> None:
        if message.message_id in acked:
            again.append(message.message_id)
        if message.ack_with_response().exception() is None:
            acked.add(message.message_id)

    survives(handle, plan, world=set[str], effect=lambda _: None)
    assert again == []


@BRIEFLY
@given(delivery_plans(KEYED, ordering=True, max_messages=4))
def test_where_order_is_kept_a_key_never_skips_and_never_runs_back_without_coming_again(plan: DeliveryPlan) -> None:
    runs: list[list[tuple[str, int]]] = []

    def world() -> list[tuple[str, int]]:
        runs.append([])
        return runs[-1]

    def handle(seen: list[tuple[str, int]], message: Any) -> None:
        seen.append((message.ordering_key, int(message.message_id)))

    survives(handle, plan, world=world, effect=lambda _: None)
    published = [(payload.ordering_key, number) for number, payload in enumerate(plan.payloads, 1) if isinstance(payload, Message)]
    for seen in runs:
        for key in {key for key, _ in published}:
            numbers = [number for of, number in published if of == key]
            places = [numbers.index(number) for of, number in seen if of == key]
            assert places[0] == 0
            assert places[-1] == len(numbers) - 1, "what comes again brings the later ones along"
            assert all(after <= before + 1 for before, after in itertools.pairwise(places)), f"{places} skips one"


@BRIEFLY
@given(delivery_plans(st.just("A1"), dead_letter_after=5, max_messages=1))
def test_no_attempt_comes_twice_and_none_is_beyond_the_fifth(plan: DeliveryPlan) -> None:
    attempts: list[int] = []

    def world() -> Till:
        attempts.clear()
        return Till()

    def handle(_: Till, message: Any) -> None:
        attempts.append(message.delivery_attempt)

    survives(handle, plan, world=world, effect=nothing)
    assert set(attempts) <= set(range(1, 6))
    if not any(fate.kind == "duplicate" for fate in plan.fates):  # a copy counts for itself
        assert len(set(attempts)) == len(attempts), "no attempt comes twice"
