"""Exactly-once delivery: only the newest delivery's id works, and the id that acked stays good."""

from collections.abc import Callable

import pytest

from publican_emulator.broker import ackids
from publican_emulator.broker.errors import ErrorInfo, InvalidArgument
from publican_emulator.broker.exactly_once import REMEMBERED, Retired, refusal
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.settings import DeadLetterPolicy, RetryPolicy, SubscriptionSettings
from tests.broker.bench import SUBSCRIPTION, Bench, Got, data

DEAD = "projects/p/topics/dead"


@pytest.fixture
def bench(empty: Bench) -> Bench:
    empty.subscription(enable_exactly_once_delivery=True)
    return empty


def refused_acks(bench: Bench, *got: Got) -> list[str]:
    """Ack, and give the data of the deliveries whose ids were refused."""
    by_id = {each.ack_id: each.data for each in got}
    return [by_id[ack_id] for ack_id in bench.broker.try_acknowledge(SUBSCRIPTION, [each.ack_id for each in got], bench.now)]


def refused_extensions(bench: Bench, *got: Got, seconds: int = 0) -> list[str]:
    by_id = {each.ack_id: each.data for each in got}
    return [by_id[each] for each in bench.broker.try_modify_ack_deadline(SUBSCRIPTION, [each.ack_id for each in got], seconds, bench.now)]


def both(bench: Bench) -> tuple[Got, Got]:
    """Give two deliveries: one of a group, one of a message with a story of its own."""
    bench.publish("group", "group too")
    bench.publish("single")
    group, _, single = bench.pull()
    bench.extend(single, seconds=10)
    return group, single


def redelivered(bench: Bench) -> tuple[Got, Got]:
    """Give the first and the second delivery of one message."""
    bench.publish("one")
    (first,) = bench.pull()
    bench.nack(first)
    (second,) = bench.pull()
    return first, second


def test_good_ids_are_accepted(bench: Bench) -> None:
    got = both(bench)
    assert refused_acks(bench, *got) == []


def test_the_id_that_acked_stays_good(bench: Bench) -> None:
    group, single = both(bench)
    for _ in range(3):
        assert refused_acks(bench, group, single) == []


def test_the_id_of_a_redelivery_that_acked_stays_good_and_the_older_one_stays_bad(bench: Bench) -> None:
    first, second = redelivered(bench)
    assert refused_acks(bench, first) == ["one"]
    assert refused_acks(bench, second) == []
    assert refused_acks(bench, second) == []
    assert refused_acks(bench, first) == ["one"]


@pytest.mark.parametrize("order", [["stale", "good"], ["good", "stale"]])
def test_a_stale_id_beside_the_good_one_of_its_message_is_refused_alone(bench: Bench, order: list[str]) -> None:
    first, second = redelivered(bench)
    ids = {"stale": first.ack_id, "good": second.ack_id}
    assert bench.broker.try_acknowledge(SUBSCRIPTION, [ids[each] for each in order], bench.now) == [first.ack_id]
    assert data(bench.pull()) == []


@pytest.mark.parametrize(("wait_s", "refused"), [(9.999, []), (10, ["group", "single"]), (10.001, ["group", "single"])])
def test_an_ack_at_the_deadline_is_late(bench: Bench, wait_s: float, refused: list[str]) -> None:
    got = both(bench)
    bench.jump(wait_s)
    assert refused_acks(bench, *got) == refused
    assert set(data(bench.pull())) >= set(refused)


def test_an_id_in_back_off_is_refused(empty: Bench) -> None:
    empty.subscription(enable_exactly_once_delivery=True, retry=RetryPolicy(Nanos(60 * SECOND), Nanos(60 * SECOND)))
    group, single = both(empty)
    empty.advance(10)
    assert refused_acks(empty, group, single) == ["group", "single"]
    empty.advance(60)
    assert set(data(empty.pull())) >= {"group", "single"}


def test_the_others_of_a_request_are_acked(bench: Bench) -> None:
    first, second = redelivered(bench)
    bench.publish("two")
    (two,) = bench.pull()
    with pytest.raises(InvalidArgument) as caught:
        bench.ack(first, two)
    (info,) = caught.value.details
    assert info == ErrorInfo("EXACTLY_ONCE_ACKID_FAILURE", "pubsub.googleapis.com", {first.ack_id: "PERMANENT_FAILURE_INVALID_ACK_ID"})
    bench.advance(10)
    assert data(bench.pull()) == [second.data]


@pytest.mark.parametrize("bad", ["x", "", "g" + "A" * 20, "m" + "A" * 20])
def test_a_malformed_id_is_one_of_those_that_failed_and_not_the_request(bench: Bench, bad: str) -> None:
    group, _ = both(bench)
    assert bench.broker.try_acknowledge(SUBSCRIPTION, [bad, group.ack_id], bench.now) == [bad]
    assert refused_acks(bench, group) == []
    assert bench.broker.try_modify_ack_deadline(SUBSCRIPTION, [bad], 10, bench.now) == [bad]


def test_ids_of_another_subscription_or_of_a_former_one_are_refused(bench: Bench) -> None:
    bench.subscription("projects/p/subscriptions/other", enable_exactly_once_delivery=True)
    bench.publish("one")
    (own,) = bench.pull()
    (foreign,) = bench.pull(of="projects/p/subscriptions/other")
    assert refused_acks(bench, foreign) == ["one"]
    bench.broker.delete_subscription(SUBSCRIPTION, bench.now)
    bench.subscription(enable_exactly_once_delivery=True)
    assert refused_acks(bench, own) == ["one"]


def test_ids_that_were_never_given_out_are_refused(bench: Bench) -> None:
    group, _ = both(bench)
    head = group.ack_id.encode()[: ackids.HEAD_CHARS]
    never = (head + b"0999").decode()
    unknown = (ackids.head(ackids.GROUP, 4_000, 1) + b"0000").decode()
    assert bench.broker.try_acknowledge(SUBSCRIPTION, [never, unknown], bench.now) == [never, unknown]


def test_a_seek_makes_every_id_from_before_bad_even_those_that_acked(bench: Bench) -> None:
    group, single = both(bench)
    assert refused_acks(bench, group) == []
    bench.seek(0)
    assert refused_acks(bench, group, single) == ["group", "single"]


def test_an_id_whose_message_was_forwarded_is_refused(empty: Bench) -> None:
    empty.topic(DEAD)
    empty.subscription(enable_exactly_once_delivery=True, dead_letter=DeadLetterPolicy(DEAD))
    empty.publish("one")
    seen = []
    for _ in range(5):
        seen += empty.pull()
        empty.nack(seen[-1])
    for each in seen:
        assert refused_acks(empty, each) == ["one"]


# extensions


def test_extending_a_live_lease_succeeds(bench: Bench) -> None:
    group, single = both(bench)
    assert refused_extensions(bench, group, single, seconds=60) == []
    bench.advance(59)
    assert refused_acks(bench, group, single) == []


@pytest.mark.parametrize("seconds", [0, 1, 600])
def test_a_stale_id_extends_and_nacks_nothing(bench: Bench, seconds: int) -> None:
    first, second = redelivered(bench)
    assert refused_extensions(bench, first, seconds=seconds) == ["one"]
    assert data(bench.pull()) == []
    assert refused_acks(bench, second) == []


@pytest.mark.parametrize("seconds", [0, 60])
def test_the_same_id_twice_in_a_request_counts_once(bench: Bench, seconds: int) -> None:
    group, single = both(bench)
    for each in (group, single):
        assert bench.broker.try_modify_ack_deadline(SUBSCRIPTION, [each.ack_id] * 2, seconds, bench.now) == []


@pytest.mark.parametrize("seconds", [0, 60])
def test_a_redelivery_that_is_named_twice_counts_once(bench: Bench, seconds: int) -> None:
    _, second = redelivered(bench)
    assert bench.broker.try_modify_ack_deadline(SUBSCRIPTION, [second.ack_id] * 2, seconds, bench.now) == []


def test_an_acked_id_extends_nothing(bench: Bench) -> None:
    group, single = both(bench)
    bench.ack(group, single)
    assert refused_extensions(bench, group, single, seconds=10) == ["group", "single"]


# changes of mind


def test_leases_in_flight_go_on_when_it_is_switched_on(empty: Bench) -> None:
    empty.subscription()
    empty.publish("one", "two")
    one, two = empty.pull()
    empty.broker.update_subscription(SUBSCRIPTION, SubscriptionSettings(enable_exactly_once_delivery=True), empty.now)
    assert refused_extensions(empty, one, seconds=60) == []
    assert refused_acks(empty, one, two) == []
    assert refused_acks(empty, one, two) == []


def test_late_acks_are_silent_again_when_it_is_switched_off(bench: Bench) -> None:
    first, _ = redelivered(bench)
    bench.broker.update_subscription(SUBSCRIPTION, SubscriptionSettings(), bench.now)
    assert refused_acks(bench, first) == []
    bench.advance(10)
    assert data(bench.pull()) == []


# what is remembered


def a_head(kind: bytes, number: int) -> bytes:
    return ackids.head(kind, 1, number)


def remember_group(retired: Retired, number: int) -> None:
    retired.group_over(a_head(ackids.GROUP, number), {b"0001"})


def remember_single(retired: Retired, number: int) -> None:
    retired.single_over(a_head(ackids.SINGLE, number), ackids.attempt_rest(2))


def test_a_group_that_is_over_acked_each_message_unless_it_is_said_otherwise() -> None:
    retired = Retired()
    remember_group(retired, 1)
    head = a_head(ackids.GROUP, 1)
    assert [retired.acked_by(head, rest, 1) for rest in (b"0000", b"0001", b"0002")] == [True, False, True]


def test_a_single_that_is_over_was_acked_by_one_id() -> None:
    retired = Retired()
    remember_single(retired, 1)
    head = a_head(ackids.SINGLE, 1)
    assert [retired.acked_by(head, ackids.attempt_rest(attempt), 1) for attempt in (1, 2, 3)] == [False, True, False]


@pytest.mark.parametrize("remember", [remember_group, remember_single])
def test_the_oldest_are_forgotten_first(remember: Callable[[Retired, int], None]) -> None:
    retired = Retired()
    for number in range(REMEMBERED + 1):
        remember(retired, number)
    groups = [retired.acked_by(a_head(ackids.GROUP, number), b"0001", 1) for number in (0, 1, REMEMBERED)]
    singles = [retired.acked_by(a_head(ackids.SINGLE, number), ackids.attempt_rest(2), 1) for number in (0, 1, REMEMBERED)]
    if remember is remember_group:
        assert groups == [True, False, False]
    else:
        assert singles == [False, True, True]


@pytest.mark.parametrize(("number", "good"), [(9, False), (10, True), (11, True)])
def test_ids_numbered_before_a_seek_are_bad(number: int, good: bool) -> None:
    retired = Retired()
    retired.forget_before(10)
    assert retired.acked_by(a_head(ackids.GROUP, number), b"0000", 1) is good


def test_ids_of_other_subscriptions_acked_nothing_here() -> None:
    assert not Retired().acked_by(a_head(ackids.GROUP, 1), b"0000", 2)
    assert not Retired().acked_by(b"x" * 17, b"0000", 1)


def test_the_refusal_has_the_services_words_and_names_each_id() -> None:
    error = refusal(["a", "b"])
    assert error.message == (
        "Some acknowledgement ids in the request were invalid. This could be because the acknowledgement ids have expired or "
        "the acknowledgement ids were malformed."
    )
    (info,) = error.details
    assert isinstance(info, ErrorInfo)
    assert dict(info.metadata) == dict.fromkeys(["a", "b"], "PERMANENT_FAILURE_INVALID_ACK_ID")
