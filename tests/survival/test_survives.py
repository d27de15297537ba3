"""What `survives` finds, what it lets pass, and what it says."""

import itertools
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from sqlite3 import Connection, connect
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from publican.errors import AckFailed
from publican.settlement import AckResult
from pytest_publican import DeliveryPlan, Message, NotSurvived, ReceivedMessage, delivery_plans, restartable, survives
from pytest_publican.lines import Places
from pytest_publican.rehearsal import Outcome, Rehearsal
from tests.survival import handlers
from tests.survival.handlers import Till

ORDERS = st.sampled_from(["A1", "B2"])
FAST = settings(
    database=None, deadline=None, max_examples=30, derandomize=True, report_multiple_bugs=False, suppress_health_check=[HealthCheck.too_slow]
)


def found(handler: Any, **plans: Any) -> str:
    """Let Hypothesis look for a plan that the handler does not survive, and give what is printed; empty: there is none."""
    effect = plans.pop("effect", handlers.charges)

    @FAST
    @given(delivery_plans(ORDERS, **plans))
    def check(plan: DeliveryPlan) -> None:
        survives(handler, plan, world=Till, effect=effect)

    try:
        check()
    except NotSurvived as error:
        return str(error)
    return ""


def told(handler: Any, plan: DeliveryPlan, **more: Any) -> list[str]:
    """Give the lines that are printed for a plan that the handler does not survive."""
    with pytest.raises(NotSurvived) as caught:
        survives(handler, plan, world=Till, **more)
    return str(caught.value).splitlines()


def rows(handler: Any, plan: DeliveryPlan) -> list[str]:
    """Give the timeline of a plan, whether the handler survives it or not."""

    def run(plan: DeliveryPlan, undisturbed: Outcome | None) -> Outcome:
        till = Till()
        return Rehearsal(plan, lambda: partial(handler, till), Places(handler, till), undisturbed).run()

    return [str(row) for row in run(plan, run(plan.with_fates(()), None)).rows]


# what it finds


def test_a_crash_between_the_charge_and_the_record_is_found_and_told_in_five_lines() -> None:
    shown = found(handlers.charge_first)
    line = "till.paid.add(order)"
    number = handlers.charge_first.__code__.co_firstlineno + 5
    assert shown.splitlines() == [
        "the effect is ['A1', 'A1']; after exactly one delivery ['A1']",
        "  +0.000s   m1  delivered        'A1'",
        f"  +0.000s   m1  consumer dies    before handlers.py:{number}: {line}",
        "  +10.000s  m1  delivered again  acked",
        f"@example(DeliveryPlan('A1').crash(before={line!r}))",
    ]


@pytest.mark.parametrize(
    ("handler", "mischief"),
    [
        (handlers.naive, "lose_ack"),
        (handlers.naive, "duplicate"),
        (handlers.charge_first, "crash"),
        (handlers.charge_first, "expire"),
        (handlers.charge_first_async, "crash"),
        (handlers.charge_first_async, "expire"),
        (handlers.ack_first, "crash"),
    ],
)
def test_each_kind_of_mischief_finds_its_bug_and_the_example_that_is_printed_fails_too(handler: Any, mischief: str) -> None:
    others = {"lose_ack", "crash", "duplicate", "expire", "reorder"} - {mischief}
    example = found(handler, without=others).splitlines()[-1]
    assert f".{mischief}(" in example
    plan = eval(example.removeprefix("@example(").removesuffix(")"), {"DeliveryPlan": DeliveryPlan})
    with pytest.raises(NotSurvived) as caught:
        survives(handler, plan, world=Till, effect=handlers.charges)
    assert str(caught.value).splitlines()[-1] == example


@pytest.mark.parametrize("handler", [handlers.charge_once, handlers.charge_once_async, handlers.ack_last])
@pytest.mark.parametrize("guarantees", [{}, {"ordering": True}, {"exactly_once": True}, {"dead_letter_after": 5}], ids=str)
def test_an_idempotent_handler_survives_whatever_comes(handler: Any, guarantees: dict[str, Any]) -> None:
    assert found(handler, **guarantees) == ""


def test_exactly_once_delivery_saves_a_naive_handler_from_all_but_death_and_delay() -> None:
    assert found(handlers.naive, exactly_once=True, without=("crash", "expire")) == ""
    assert found(handlers.naive, exactly_once=True, without=("expire",)) != ""


def test_a_handler_that_refuses_what_it_has_seen_is_never_rid_of_it() -> None:
    assert told(handlers.insert, DeliveryPlan("A1").lose_ack())[:3] == [
        "m1 is never acked: it is delivered again and again",
        "  +0.000s   m1  delivered        'A1', the ack is lost",
        "  +10.000s  m1  delivered again  raises KeyError: 'A1'",
    ]


def test_a_handler_for_which_the_last_message_wins_depends_on_order() -> None:
    assert told(handlers.last_wins, DeliveryPlan("A1", "B2").reorder()) == [
        "status is 'A1'; after exactly one delivery it is 'B2'",
        "  +0.000s   m2  delivered        'B2', acked",
        "  +0.000s   m1  delivered        'A1', acked",
        "@example(DeliveryPlan('A1', 'B2').reorder())",
    ]


def test_where_order_is_kept_it_is_kept() -> None:
    @FAST
    @given(delivery_plans(st.builds(Message, st.sampled_from([b"1", b"2", b"3"]), ordering_key=st.just("k")), ordering=True))
    def check(plan: DeliveryPlan) -> None:
        survives(handlers.last_wins, plan, world=Till)

    check()


def test_effects_that_differ_in_order_only_say_so() -> None:
    lines = told(handlers.charge_once, DeliveryPlan("A1", "B2").reorder(), effect=lambda till: till.bank.charges)
    assert lines[1] == "(they differ in order only: if that does not matter, let `effect` sort)"


def test_lists_in_the_world_are_compared_in_any_order() -> None:
    survives(handlers.charge_once, DeliveryPlan("A1", "B2").reorder(), world=Till)


def test_a_late_ack_is_told_and_so_is_a_refused_one() -> None:
    lines = told(handlers.naive, DeliveryPlan("A1", exactly_once=True).expire(before="ack"))
    assert lines[3:6] == [
        "  +0.000s   m1  lease runs out   before the ack",
        "  +0.000s   m1  delivered again  by a second consumer, acked",
        "  +0.000s   m1  first goes on    the ack is refused",
    ]


def test_what_a_failure_does_not_need_is_left_out() -> None:
    plan = DeliveryPlan("A1", "B2", "C3").lose_ack().deliver().crash(before="till.paid.add(order)").reorder().deliver()
    assert told(handlers.charge_first, plan)[-1] == "@example(DeliveryPlan('C3').crash(before='till.paid.add(order)'))"


# consumers


def test_a_memory_does_not_outlive_its_consumer() -> None:
    def start(till: Till) -> Callable[[Any], None]:
        return handlers.Remembering(till).on_message

    consumer = restartable(start)
    survives(consumer, DeliveryPlan("A1").lose_ack().lose_ack(), world=Till)
    assert told(consumer, DeliveryPlan("A1").crash("ack"))[-1] == "@example(DeliveryPlan('A1').crash(before='ack'))"


def test_a_second_consumer_has_a_memory_of_its_own() -> None:
    def start(till: Till) -> Callable[[Any], None]:
        return handlers.Remembering(till).on_message

    assert told(restartable(start), DeliveryPlan("A1").expire("ack"))[0].startswith("bank.calls is 2;")


def test_a_coroutine_that_dies_at_its_first_line_has_been_awaited() -> None:
    survives(handlers.charge_once_async, DeliveryPlan("A1").crash(1).crash(2), world=Till)


def test_a_crash_takes_the_rest_of_the_batch_with_it() -> None:
    assert [row.split()[:3] for row in rows(handlers.charge_once, DeliveryPlan("A1", "B2", "C3").deliver().crash("ack"))] == [
        ["+0.000s", "m1", "delivered"],
        ["+0.000s", "m2", "delivered"],
        ["+0.000s", "m2", "consumer"],
        ["+10.000s", "m2", "delivered"],
        ["+10.000s", "m3", "delivered"],
    ]


def test_a_handler_may_take_just_the_message() -> None:
    till = Till()

    def fresh() -> Till:
        till.__init__()  # type: ignore[misc]  # a world of module state is made anew by a reset
        return till

    def handle(message: Any) -> None:
        handlers.charge_first(till, message)

    survives(handle, DeliveryPlan("A1").lose_ack(), world=fresh)
    with pytest.raises(NotSurvived):
        survives(handle, DeliveryPlan("A1").crash(before="till.paid.add(order)"), world=fresh)


def test_a_handler_of_another_shape_is_refused() -> None:
    with pytest.raises(TypeError, match="takes 3 arguments"):
        survives(lambda _one, _two, _three: None, DeliveryPlan("A1"), world=Till)  # type: ignore[arg-type,misc]


def test_a_message_has_what_handlers_of_the_clients_use() -> None:
    got: list[ReceivedMessage] = []
    plan = DeliveryPlan(Message(b"x", {"kind": "new"}, "k"), ordering=True, dead_letter_after=5)
    survives(lambda _, message: got.append(message), plan, world=Till)
    first = got[0]
    assert (first.data, first.attributes, first.ordering_key, first.message_id, first.delivery_attempt) == (b"x", {"kind": "new"}, "k", "1", 1)
    assert first.publish_time.tzinfo is not None
    assert first.size == 1


def test_a_handler_of_our_own_client_is_told_how_its_ack_went() -> None:
    seen: list[object] = []

    async def handle(till: Till, message: Any) -> None:
        till.paid.add(message.data.decode())
        before = message.is_lease_lost
        try:
            seen.append((before, await message.ack_with_result()))
        except AckFailed as error:
            seen.append((before, error.result))

    survives(handle, DeliveryPlan("A1", exactly_once=True).expire(before="before = message.is_lease_lost"), world=Till)
    assert seen == [(False, AckResult.SUCCESS)] * 2 + [(True, AckResult.INVALID_ACK_ID)]  # undisturbed; the second consumer, then the first


def test_json_payloads_are_dictionaries() -> None:
    got: list[bytes] = []
    survives(lambda _, message: got.append(message.data), DeliveryPlan({"order": 7}), world=Till)
    assert set(got) == {b'{"order": 7}'}


def test_the_dead_ack_nothing() -> None:
    def handle(till: Till, message: Any) -> None:
        try:
            till.paid.add("begun")
            till.bank.charge("A1")
        finally:
            message.ack()

    plan = DeliveryPlan("A1").crash(before='till.bank.charge("A1")')
    survives(handle, plan, world=Till)  # had the ack counted, the charge would be missing


@pytest.mark.skipif(sys.version_info < (3, 12), reason="before Python 3.12 a watch ends when it raises")
def test_no_line_of_the_dead_runs() -> None:
    ran: list[str] = []

    def handle(_: Till, __: Any) -> None:
        try:
            ran.append("work")
        finally:
            ran.append("finally")

    survives(handle, DeliveryPlan("A1").crash(before='ran.append("work")'), world=Till)
    assert ran == ["work", "finally"] * 2


def test_what_the_world_does_it_does_in_one_piece() -> None:
    def handle(till: Till, message: Any) -> None:
        if not till.bank.charges:
            till.bank.charge_in_two_steps(message.data.decode())

    for line in range(1, 8):
        survives(handle, DeliveryPlan("A1").crash(before=line), world=Till)


def test_a_delivery_with_fewer_lines_ends_after_its_last() -> None:
    assert rows(handlers.charge_first, DeliveryPlan("A1").lose_ack().crash(before=4))[2].endswith("m1  consumer dies    before the ack")


@pytest.mark.parametrize(
    ("before", "line"),
    [
        (1, "order = message.data.decode()"),
        (4, "till.paid.add(order)"),
        (5, "the ack"),
        (6, "order = message.data.decode()"),
        (-1, "the ack"),
        (-2, "till.paid.add(order)"),
        (-5, "order = message.data.decode()"),
        (-6, "the ack"),
    ],
)
def test_lines_are_numbered_from_both_ends_and_go_round(before: int, line: str) -> None:
    assert rows(handlers.charge_first, DeliveryPlan("A1").crash(before=before))[1].endswith(line)


def test_the_head_of_a_coroutine_is_no_line_of_its_work() -> None:
    assert rows(handlers.charge_first_async, DeliveryPlan("A1").crash(1))[1].endswith(": order = message.data.decode()")


def test_long_payloads_are_cut() -> None:
    lines = told(handlers.naive, DeliveryPlan("A" * 100).lose_ack(), effect=handlers.charges)
    assert lines[1].endswith(f"'{'A' * 59}... (102 characters), the ack is lost")


# dead letters


def test_a_dead_letter_may_have_been_handled_in_part() -> None:
    def handle(till: Till, message: Any) -> None:
        order = message.data.decode()
        till.bank.charges = [order]
        till.paid.add(order)

    survives(handle, DeliveryPlan("A1", dead_letter_after=5).crash(before="till.paid.add(order)", times=5), world=Till)


def test_a_dead_letter_was_not_handled_twice() -> None:
    lines = told(handlers.charge_first, DeliveryPlan("A1", dead_letter_after=5).crash(before="till.paid.add(order)", times=5))
    assert lines[-1] == "@example(DeliveryPlan('A1', dead_letter_after=5).crash(before='till.paid.add(order)'))"


def test_a_dead_letter_is_told_as_one() -> None:
    timeline = rows(handlers.charge_first, DeliveryPlan("A1", dead_letter_after=5).lose_ack(times=5))
    assert timeline[-2].endswith("m1  delivered again  attempt 5, the ack is lost")
    assert timeline[-1] == "  +50.000s  m1  dead-lettered"


def test_a_poison_message_ends_as_a_dead_letter() -> None:
    def handle(_: Till, __: Any) -> None:
        raise ValueError("poison")

    survives(handle, DeliveryPlan("A1", dead_letter_after=5).crash(), world=Till)


# mistakes in the test itself


def test_what_a_handler_raises_undisturbed_is_raised() -> None:
    def handle(_: Till, __: Any) -> None:
        raise ValueError("not even once")

    with pytest.raises(ValueError, match="not even once") as caught:
        survives(handle, DeliveryPlan("A1"), world=Till)
    assert caught.value.__notes__ == ["The handler raises this at an undisturbed delivery of m1, 'A1'."]


def test_a_handler_that_never_acks_is_told_so() -> None:
    def handle(_: Till, message: Any) -> None:
        if message.data == b"A1":
            message.ack()

    with pytest.raises(NotSurvived, match="m2, 'B2', is never acked, although nothing disturbs its delivery"):
        survives(handle, DeliveryPlan("A1", "B2"), world=Till)


def test_a_plan_that_is_older_than_the_code_is_refused() -> None:
    with pytest.raises(ValueError, match=r"No line of the handler reads 'till\.gone\(\)'"):
        survives(handlers.charge_once, DeliveryPlan("A1").crash(before="till.gone()"), world=Till)


def test_a_world_that_nobody_can_look_into_needs_an_effect() -> None:
    class Closed:
        __slots__ = ()

    class World:
        def __init__(self) -> None:
            self.inner = Closed()

    with pytest.raises(TypeError, match=r"the world\.inner is a Closed: nothing can be seen of it"):
        survives(lambda _, __: None, DeliveryPlan("A1"), world=World)


def test_long_values_are_cut() -> None:
    (first, *_) = told(handlers.naive, DeliveryPlan("A" * 1_000).lose_ack(), effect=handlers.charges)
    assert len(first) < 500
    assert first.endswith("... (1004 characters)")


def test_a_world_may_have_an_end() -> None:
    open_worlds: list[Till] = []
    most = 0

    @contextmanager
    def opened() -> Iterator[Till]:
        nonlocal most
        open_worlds.append(Till())
        most = max(most, len(open_worlds))
        yield open_worlds[-1]
        open_worlds.pop()

    survives(handlers.charge_once, DeliveryPlan("A1").lose_ack(), world=opened)
    assert (most, open_worlds) == (1, [])
    survives(
        lambda connection, message: connection.execute("SELECT 1"), DeliveryPlan("A1"), world=lambda: closing(connect(":memory:")), effect=repr_of
    )


def repr_of(connection: Connection) -> str:
    return type(connection).__name__


def test_locks_and_loggers_are_no_state() -> None:
    class World:
        def __init__(self) -> None:
            self.lock = threading.Lock()
            self.log = logging.getLogger("shop")
            self.paid: set[bytes] = set()

    survives(lambda world, message: world.paid.add(message.data), DeliveryPlan("A1").lose_ack(), world=World)


def test_an_effect_that_is_another_each_time_is_told_so() -> None:
    numbers = itertools.count()

    def stamp(till: Till, _: Any) -> None:
        till.status = str(next(numbers))

    with pytest.raises(ValueError, match=r"status is another each time, although nothing disturbs the handler: '0', then '3'"):
        survives(stamp, DeliveryPlan("A1").lose_ack(), world=Till)


def test_mocks_are_worlds_too() -> None:
    class World:
        def __init__(self) -> None:
            self.mailer = Mock()

    def handle(world: World, message: Any) -> None:
        world.mailer.send(message.data)

    with pytest.raises(NotSurvived) as caught:
        survives(handle, DeliveryPlan("A1").lose_ack(), world=World)
    assert str(caught.value).splitlines()[0] == "mailer is [\"send(b'A1')\", \"send(b'A1')\"]; after exactly one delivery it is [\"send(b'A1')\"]"


def test_assumptions_in_a_handler_are_hypothesis_s_own() -> None:
    @settings(FAST, suppress_health_check=list(HealthCheck))
    @given(delivery_plans(ORDERS))
    def check(plan: DeliveryPlan) -> None:
        survives(lambda _, message: assume(message.data == b"A1"), plan, world=Till)

    check()


def test_it_works_inside_a_running_loop() -> None:
    import asyncio

    async def check() -> None:
        survives(handlers.charge_once_async, DeliveryPlan("A1").crash(2).expire(2), world=Till)
        with pytest.raises(NotSurvived):
            survives(handlers.charge_first_async, DeliveryPlan("A1").crash(before="till.paid.add(order)"), world=Till)

    asyncio.run(check())
