"""A subscriber's decisions, one sentence of the documentation each, on the pure machine."""

import pytest

from publican import effects
from publican.clock import SECOND, Nanos
from publican.errors import InvalidArgument, NotFound, PermissionDenied, PubsubError, Unavailable
from publican.flow import FlowControl, checked
from publican.receiving import Phase
from publican.settlement import AckResult, How, Kind
from tests.client.driven import START, SUBSCRIPTION, Driven, ack_failures, response

# flow control


@pytest.mark.parametrize(("count", "paused"), [(9, False), (10, True), (11, True)])
def test_taking_stops_when_the_load_is_one(count: int, paused: bool) -> None:
    driven = Driven(flow_control=FlowControl(max_messages=10))
    driven.receive(*range(count))
    assert driven.machine.outstanding.is_paused is paused
    assert driven.machine.outstanding.room == (0 if paused else 1)


def test_taking_goes_on_below_four_fifths_and_not_at_them() -> None:
    driven = Driven(flow_control=FlowControl(max_messages=10))
    handed = driven.receive(*range(10))
    driven.settle(handed[:2])
    assert driven.machine.outstanding.load == 0.8
    assert driven.machine.outstanding.is_paused
    assert not driven.happened(effects.Resume)
    driven.settle(handed[2])
    assert driven.machine.outstanding.room == 3
    assert len(driven.happened(effects.Resume)) == 1


@pytest.mark.parametrize("max_messages", range(1, 30))
def test_four_fifths_of_any_limit_are_exact(max_messages: int) -> None:
    driven = Driven(flow_control=FlowControl(max_messages=max_messages))
    for each in driven.receive(*range(max_messages)):
        driven.settle(each)
        left = driven.machine.outstanding.count
        assert driven.machine.outstanding.is_paused is (left * 10 >= max_messages * 8)


def test_bytes_bind_before_the_count() -> None:
    driven = Driven(flow_control=FlowControl(max_messages=100, max_bytes=1000))
    handed = driven.receive(1, 2, 3, 4, size=260)
    assert driven.machine.outstanding.is_paused
    assert len(handed) == 3  # a fourth would exceed the bytes
    driven.settle(handed[0])
    assert len(driven.handed) == 4


def test_the_count_binds_before_the_bytes() -> None:
    driven = Driven(flow_control=FlowControl(max_messages=2, max_bytes=1000))
    assert len(driven.receive(1, 2, 3, size=10)) == 2
    assert driven.machine.outstanding.is_paused


def test_what_overshoots_is_held_leased_and_not_handed_out() -> None:
    driven = Driven(flow_control=FlowControl(max_messages=2))
    handed = driven.receive(1, 2, 3, 4, 5)
    assert driven.ids() == [1, 2]
    assert driven.machine.held == 3
    driven.advance(1)
    assert driven.calls(Kind.MODACK) == [["1", "2", "3", "4", "5"]]
    driven.settle(handed[0])
    assert driven.ids() == [1, 2, 3]
    assert driven.machine.outstanding.handed_count == 2


def test_one_message_larger_than_the_limit_passes_alone() -> None:
    driven = Driven(flow_control=FlowControl(max_bytes=100))
    [giant] = driven.receive(1, size=5000)
    assert driven.receive(2, size=10) == []
    driven.settle(giant)
    assert driven.ids() == [1, 2]


def test_a_giant_waits_until_nothing_else_is_out() -> None:
    driven = Driven(flow_control=FlowControl(max_bytes=100))
    [small] = driven.receive(1, size=10)
    assert driven.receive(2, size=5000) == []
    driven.settle(small)
    assert driven.ids() == [1, 2]


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (FlowControl(max_messages=0), "max_messages is 0; it must be at least 1"),
        (FlowControl(max_bytes=0), "max_bytes is 0"),
        (FlowControl(max_lease_duration=0.5), "max_lease_duration is 0.5"),
        (FlowControl(max_duration_per_lease_extension=9), "max_duration_per_lease_extension is 9; it must be 0"),
        (FlowControl(max_duration_per_lease_extension=601), "10..600"),
        (FlowControl(min_duration_per_lease_extension=9), "min_duration_per_lease_extension is 9"),
    ],
)
def test_limits_that_nothing_could_meet_are_refused(limits: FlowControl, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        checked(limits)


def test_a_plain_tuple_is_flow_control_in_the_order_of_the_seed() -> None:
    assert checked((1024, 5, 10, 0)) == FlowControl(max_bytes=1024, max_messages=5, max_lease_duration=10)
    assert FlowControl(max_duration_per_lease_extension=7)[3] == 7
    assert checked(()) == FlowControl()


# leases


def test_leases_are_extended_with_a_margin_of_three_tenths() -> None:
    driven = Driven(flow_control=FlowControl(max_duration_per_lease_extension=10))
    driven.receive(1)
    driven.advance(6.9)
    assert len(driven.calls(Kind.MODACK)) == 1  # the receipt
    driven.advance(0.2)
    assert driven.calls(Kind.MODACK) == [["1"], ["1"]]
    assert {batch.seconds for batch in driven.sent} == {10}


def test_jitter_extends_earlier_and_never_later() -> None:
    driven = Driven(jitter=1.0, flow_control=FlowControl(max_duration_per_lease_extension=10))
    driven.receive(1)
    driven.advance(5.9)
    assert len(driven.calls(Kind.MODACK)) == 1
    driven.advance(0.2)
    assert len(driven.calls(Kind.MODACK)) == 2


def test_messages_of_one_response_are_extended_together() -> None:
    driven = Driven()
    driven.receive(*range(500))
    driven.advance(100)
    assert [len(each) for each in driven.calls(Kind.MODACK)] == [500] * 3  # the receipt, and at 42 and 84 s


def test_held_messages_are_extended_too() -> None:
    driven = Driven(flow_control=FlowControl(max_messages=1))
    driven.receive(1, 2)
    driven.advance(43)
    assert driven.calls(Kind.MODACK)[-1] == ["1", "2"]


def test_the_99th_percentile_of_handling_moves_the_length_after_ten_samples() -> None:
    driven = Driven()
    keeper = driven.machine.keeper
    for count in range(10):
        assert keeper.length_s == 60, count
        [one] = driven.receive(count)
        driven.advance(200)
        driven.settle(one)
    assert keeper.length_s == 200


@pytest.mark.parametrize(("handling_s", "length_s"), [(0.01, 30), (30, 30), (45, 45), (600, 600), (900, 600)])
def test_the_length_is_within_30_and_600_seconds(handling_s: float, length_s: int) -> None:
    keeper = Driven().machine.keeper
    for _ in range(10):
        keeper.handling.add(int(handling_s * SECOND))
    assert keeper.length_s == length_s


def test_a_lease_is_never_shorter_than_four_extension_calls() -> None:
    keeper = Driven().machine.keeper
    for _ in range(10):
        keeper.handling.add(SECOND)
        keeper.round_trips.add(20 * SECOND)
    assert keeper.length_s == 80


@pytest.mark.parametrize(
    ("minimum", "maximum", "exactly_once", "length_s"),
    [(0, 0, False, 30), (0, 0, True, 60), (45, 0, True, 45), (100, 0, False, 100), (0, 10, False, 10), (0, 10, True, 10), (100, 50, False, 50)],
)
def test_the_minimum_the_maximum_and_60_s_under_exactly_once(minimum: int, maximum: int, exactly_once: bool, length_s: int) -> None:
    limits = FlowControl(min_duration_per_lease_extension=minimum, max_duration_per_lease_extension=maximum)
    keeper = Driven(flow_control=limits).machine.keeper
    keeper.is_exactly_once = exactly_once
    for _ in range(10):
        keeper.handling.add(SECOND)
    assert keeper.length_s == length_s


def test_max_lease_duration_nacks_frees_the_place_once_and_the_handler_goes_on() -> None:
    driven = Driven(flow_control=FlowControl(max_messages=1, max_lease_duration=100))
    [first] = driven.receive(1)
    driven.receive(2)
    driven.advance(99)
    assert driven.lost == []
    driven.advance(1)
    assert driven.lost[0] is first
    assert first.is_lease_lost("")
    assert driven.calls(Kind.NACK) == [] or driven.calls(Kind.NACK) == [["1", "2"]]
    driven.advance(1)
    assert driven.calls(Kind.NACK) == [["1", "2"]]
    assert driven.machine.outstanding.count == 0
    assert driven.machine.outstanding.handed_count == 0
    first.wants_result = True
    driven.settle(first)
    assert driven.said[-1] == effects.Resolved(first, AckResult.LEASE_LOST)
    assert driven.machine.late == 1
    assert driven.machine.outstanding.count == 0
    assert driven.calls(Kind.ACK) == []


def test_half_of_max_lease_duration_is_told() -> None:
    driven = Driven(flow_control=FlowControl(max_lease_duration=100))
    handed = driven.receive(1, 2)
    driven.settle(handed[0])
    driven.advance(51)
    assert driven.happened(effects.HalfTime) == [effects.HalfTime([handed[1]])]


def test_a_failed_extension_is_repeated_inside_the_margin() -> None:
    driven = Driven(jitter=1.0, flow_control=FlowControl(max_duration_per_lease_extension=10))
    driven.receive(1)
    driven.advance(1)
    driven.answers = False
    driven.advance(5.1)
    for _ in range(4):
        driven.answer(driven.sent[-1], Unavailable("not now"))
        driven.advance(0.3)
    assert len(driven.calls(Kind.MODACK)) == 6
    assert driven.now < START + 10 * SECOND
    driven.answer(driven.sent[-1])
    assert driven.lost == []


def test_a_failed_extension_is_not_repeated_for_what_is_settled_meanwhile() -> None:
    driven = Driven(jitter=1.0)
    handed = driven.receive(1, 2)
    driven.answers = False
    driven.advance(0.01)
    driven.answer(driven.sent[-1], Unavailable("not now"))
    driven.settle(handed[0])
    driven.advance(0.5)
    assert driven.calls(Kind.MODACK) == [["1", "2"], ["2"]]


def test_leases_that_are_not_to_be_kept_are_neither_confirmed_nor_extended() -> None:
    driven = Driven(keeps_leases=False)
    driven.receive(1)
    driven.advance(1000)
    assert driven.sent == []


def test_settled_groups_leave_nothing_behind() -> None:
    driven = Driven()
    for each in range(5000):
        driven.settle(driven.receive(each))
    assert len(driven.machine.keeper._heap) < 2100
    driven.advance(100)
    assert driven.machine.keeper._heap == []


# settlements


def test_an_ack_in_the_same_instant_as_the_extension_leaves_alone() -> None:
    driven = Driven()
    handed = driven.receive(1)
    driven.settle(handed)
    driven.advance(1)
    assert [batch.kind for batch in driven.sent] == [Kind.ACK]


@pytest.mark.parametrize("second", list(How))
def test_the_first_of_ack_and_nack_is_final(second: How) -> None:
    driven = Driven()
    handed = driven.receive(1)
    driven.settle(handed)
    driven.settle(handed, second)
    driven.advance(1)
    assert [batch.kind for batch in driven.sent] == [Kind.ACK]
    assert driven.machine.outstanding.count == 0


def test_1001_acks_are_two_requests() -> None:
    driven = Driven(flow_control=FlowControl(max_messages=5000))
    driven.settle(driven.receive(*range(1001)))
    driven.advance(1)
    assert [len(each) for each in driven.calls(Kind.ACK)] == [1000, 1]


def test_a_thousand_acks_leave_without_waiting() -> None:
    driven = Driven(window=Nanos(100 * SECOND))
    driven.settle(driven.receive(*range(1000)))
    assert driven.machine.next_due() == driven.now


def test_requests_are_cut_by_their_size_too() -> None:
    driven = Driven()
    handed = driven.receive(*range(1000))
    for each in handed:
        each.ack_id = each.ack_id.ljust(1000, "x")
    driven.settle(handed)
    driven.advance(1)
    assert sum(len(batch.deliveries) for batch in driven.sent) == 1000
    assert all(sum(map(len, batch.ack_ids)) <= 512 * 1024 for batch in driven.sent)


def test_one_bad_id_among_a_thousand_does_not_lose_the_others() -> None:
    driven = Driven()
    handed = driven.receive(*range(1000))
    driven.answers = False
    driven.settle(handed)
    driven.advance(1)
    accepted: set[str] = set()
    at = 0
    while at < len(driven.sent):
        batch = driven.sent[at]
        at += 1
        bad = "ack-617" in batch.ack_ids
        if not bad:
            accepted |= set(batch.ack_ids)
        driven.answer(batch, InvalidArgument("You have passed an invalid ack ID to the service.") if bad else None)
        driven.advance(0)
    assert accepted == {each.ack_id for each in handed} - {"ack-617"}
    assert len(driven.sent) <= 25
    assert driven.machine.settlements.given_up == 1


def test_acks_that_fail_for_now_are_kept_until_their_lease_is_over_and_then_counted() -> None:
    driven = Driven(jitter=1.0, flow_control=FlowControl(max_duration_per_lease_extension=10))
    [one] = driven.receive(1)
    driven.answers = False
    one.wants_result = True
    driven.settle(one)
    driven.advance(0.01)
    at = 0
    while at < len(driven.sent):
        driven.answer(driven.sent[at], Unavailable("not now"))
        at += 1
        driven.advance(1)
    assert len(driven.sent) > 5
    assert driven.machine.settlements.given_up == 1
    assert effects.Resolved(one, AckResult.LEASE_LOST) in driven.said


def test_a_dropped_message_is_not_spoken_of_and_frees_its_place() -> None:
    driven = Driven()
    driven.settle(driven.receive(1), How.DROP)
    driven.advance(1000)
    assert driven.sent == []
    assert driven.machine.outstanding.count == 0


def test_requests_on_their_way_are_bounded_and_nothing_is_dropped() -> None:
    driven = Driven(flow_control=FlowControl(max_messages=100_000))
    driven.answers = False
    driven.settle(driven.receive(*range(40_000)))
    driven.advance(1)
    assert len(driven.sent) == 16
    at = 0
    while at < len(driven.sent):
        driven.answer(driven.sent[at])
        at += 1
    assert sum(len(batch.deliveries) for batch in driven.sent) == 40_000


# order


def test_one_message_of_a_key_is_out_at_a_time() -> None:
    driven = Driven()
    driven.receive(1, 2, 3, key="k", ordered=True)
    driven.receive(4, 5, key="other")
    assert driven.ids() == [1, 4]
    driven.settle(driven.handed[0])
    assert driven.ids() == [1, 4, 2]


def test_messages_without_a_key_never_wait() -> None:
    driven = Driven()
    driven.receive(1, 2, 3, ordered=True)
    assert driven.ids() == [1, 2, 3]


def test_keys_mean_nothing_on_a_subscription_without_ordering() -> None:
    driven = Driven()
    driven.receive(1, 2, 3, key="k", ordered=False)
    assert driven.ids() == [1, 2, 3]


def test_a_nack_of_a_keys_first_gives_up_the_rest_the_failed_one_first() -> None:
    driven = Driven()
    driven.receive(1, 2, 3, key="k", ordered=True)
    driven.settle(driven.handed[0], How.NACK)
    driven.advance(1)
    assert driven.ids() == [1]
    assert driven.calls(Kind.NACK) == [["1", "2", "3"]]
    driven.receive(1, 2, 3, key="k", attempt="b")
    driven.settle(driven.handed[-1])
    assert driven.ids() == [1, 1, 2]


def test_what_was_sent_before_the_nack_arrived_does_not_overtake() -> None:
    driven = Driven()
    driven.receive(1, 2, key="k", ordered=True)
    driven.settle(driven.handed[0], How.NACK)
    driven.receive(3, key="k")  # the service had sent it already
    driven.advance(1)
    assert driven.ids() == [1]
    driven.receive(1, 2, 3, key="k", attempt="b")
    driven.settle(driven.handed[-1])
    driven.settle(driven.handed[-1])
    assert driven.ids() == [1, 1, 2, 3]


def test_a_key_whose_failed_message_never_comes_again_goes_on_all_the_same() -> None:
    driven = Driven()
    driven.receive(1, key="k", ordered=True)
    driven.settle(driven.handed[0], How.NACK)  # and the service forwards it to the dead-letter topic
    driven.receive(2, key="k")
    driven.receive(2, key="k", attempt="b")
    assert driven.ids() == [1, 2]


def test_a_lost_lease_holds_its_key_back_like_a_nack() -> None:
    driven = Driven(flow_control=FlowControl(max_lease_duration=100))
    driven.receive(1, key="k", ordered=True)
    driven.advance(50)
    driven.receive(2, 3, key="k")
    driven.advance(51)
    assert driven.ids() == [1]
    assert driven.calls(Kind.NACK) == [["1", "2", "3"]]


def test_receipts_confirmed_in_another_order_do_not_change_the_order_of_a_key() -> None:
    driven = Driven()
    driven.answers = False
    driven.receive(1, key="k", ordered=True, exactly_once=True)
    driven.receive(2, key="k")
    first, second = driven.sent
    driven.answer(second)
    assert driven.ids() == []
    driven.answer(first)
    assert driven.ids() == [1]
    driven.settle(driven.handed[0])
    assert driven.ids() == [1, 2]


def test_a_message_follows_an_acked_one_only_when_its_own_receipt_is_confirmed() -> None:
    driven = Driven()
    driven.answers = False
    driven.receive(1, key="k", ordered=True, exactly_once=True)
    driven.receive(2, key="k")
    first, second = driven.sent
    driven.answer(first)
    driven.settle(driven.handed[0])
    assert driven.ids() == [1]
    driven.answer(second)
    assert driven.ids() == [1, 2]


def test_a_refused_receipt_holds_its_key_back_like_a_nack() -> None:
    driven = Driven()
    driven.answers = False
    driven.receive(1, key="k", ordered=True, exactly_once=True)
    driven.receive(2, key="k")
    first, second = driven.sent
    driven.answer(first, ack_failures({"ack-1": "PERMANENT_FAILURE_INVALID_ACK_ID"}))
    driven.answer(second)  # its receipt comes too late: it has been given up with the one before it
    driven.advance(1)
    assert driven.ids() == []
    assert driven.calls(Kind.NACK) == [["2"]]
    driven.answers = True
    driven.receive(1, 2, key="k", attempt="b")
    driven.settle(driven.handed[-1])
    assert driven.ids() == [1, 2]


# exactly-once


def test_a_message_is_handed_out_after_its_receipt_is_confirmed() -> None:
    driven = Driven()
    driven.answers = False
    driven.receive(1, 2, exactly_once=True)
    assert driven.handed == []
    [receipt] = driven.sent
    assert receipt.kind is Kind.MODACK
    driven.answer(receipt, ack_failures({"ack-1": "PERMANENT_FAILURE_INVALID_ACK_ID"}))
    assert driven.ids() == [2]
    assert driven.machine.outstanding.count == 1


def test_an_ack_that_failed_for_now_is_sent_again_by_itself_and_the_others_are_done() -> None:
    driven = Driven(jitter=1.0)
    handed = driven.receive(1, 2, exactly_once=True)
    for each in handed:
        each.wants_result = True
    driven.answers = False
    driven.settle(handed)
    driven.advance(0.01)
    driven.answer(driven.sent[-1], ack_failures({"ack-1": "TRANSIENT_FAILURE_SERVICE_UNAVAILABLE"}))
    assert effects.Resolved(handed[1], AckResult.SUCCESS) in driven.said
    driven.advance(0.9)
    assert driven.calls(Kind.ACK) == [["1", "2"]]
    driven.advance(0.2)
    assert driven.calls(Kind.ACK) == [["1", "2"], ["1"]]
    driven.answer(driven.sent[-1])
    assert effects.Resolved(handed[0], AckResult.SUCCESS) in driven.said


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (ack_failures({"ack-1": "PERMANENT_FAILURE_INVALID_ACK_ID"}), AckResult.INVALID_ACK_ID),
        (ack_failures({"ack-1": "PERMANENT_FAILURE_OTHER"}), AckResult.OTHER),
        (PermissionDenied("no"), AckResult.PERMISSION_DENIED),
    ],
)
def test_a_permanent_failure_is_final(error: PubsubError, result: AckResult) -> None:
    driven = Driven()
    [one] = driven.receive(1, exactly_once=True)
    one.wants_result = True
    driven.answers = False
    driven.settle(one)
    driven.advance(0.01)
    driven.answer(driven.sent[-1], error)
    assert effects.Resolved(one, result) in driven.said
    driven.advance(700)
    assert len(driven.calls(Kind.ACK)) == 1


def test_a_transient_failure_is_given_up_after_ten_minutes() -> None:
    driven = Driven(jitter=1.0)
    [one] = driven.receive(1, exactly_once=True)
    one.wants_result = True
    driven.answers = False
    driven.settle(one)
    driven.advance(0.01)
    at = len(driven.sent) - 1
    while at < len(driven.sent):
        driven.answer(driven.sent[at], ack_failures({"ack-1": "TRANSIENT_FAILURE_SERVICE_UNAVAILABLE"}))
        at += 1
        driven.advance(64)
    assert effects.Resolved(one, AckResult.OTHER) in driven.said
    assert driven.now < START + 720 * SECOND
    assert len(driven.calls(Kind.ACK)) >= 9


def test_properties_may_switch_to_exactly_once_in_mid_stream() -> None:
    driven = Driven()
    assert len(driven.receive(1, exactly_once=False)) == 1
    driven.answers = False
    assert driven.receive(2, exactly_once=True) == []
    driven.answer(driven.sent[-1])
    assert driven.ids() == [1, 2]
    assert len(driven.receive(3, exactly_once=False)) == 1


# the stream


def test_reconnect_delays_follow_the_table_and_begin_anew_after_a_message() -> None:
    driven = Driven(jitter=1.0, connected=False)
    delays = []
    for _ in range(12):
        driven.machine.stream_ended(Unavailable("gone"), driven.now)
        due = driven.machine.next_due()
        assert due is not None
        delays.append((due - driven.now) / SECOND)
        driven.advance(delays[-1])
    assert delays == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30, 30]
    driven.machine.connected(driven.now)
    driven.receive(1)
    driven.machine.stream_ended(None, driven.now)
    assert driven.machine.reconnects_at == driven.now + SECOND // 10


@pytest.mark.parametrize(("lived_s", "delay_s"), [(9.9, 0.2), (10, 0.1)])
def test_ten_seconds_of_life_begin_the_delays_anew(lived_s: float, delay_s: float) -> None:
    driven = Driven(jitter=1.0, connected=False)
    driven.machine.stream_ended(Unavailable("gone"), driven.now)
    driven.advance(0.1)
    driven.machine.connected(driven.now)
    driven.advance(lived_s)
    driven.machine.stream_ended(Unavailable("gone"), driven.now)
    assert driven.machine.reconnects_at == driven.now + int(delay_s * SECOND)


def test_jitter_draws_the_whole_delay() -> None:
    driven = Driven(jitter=0.25, connected=False)
    driven.machine.stream_ended(Unavailable("gone"), driven.now)
    assert driven.machine.reconnects_at == driven.now + SECOND // 40


def test_the_server_s_wish_is_the_least_delay() -> None:
    driven = Driven(connected=False)
    wish = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}
    driven.machine.stream_ended(Unavailable("gone", details=[wish]), driven.now)
    assert driven.machine.reconnects_at == driven.now + 7 * SECOND


def test_a_permanent_error_ends_the_subscription_with_itself() -> None:
    driven = Driven()
    error = NotFound("Resource not found (resource=billing).")
    driven.machine.stream_ended(error, driven.now)
    driven.look()
    [end] = driven.happened(effects.Ended)
    assert isinstance(end, effects.Ended)
    assert end.error is error


def test_acks_outlive_a_broken_stream() -> None:
    driven = Driven()
    handed = driven.receive(1)
    driven.machine.stream_ended(Unavailable("gone"), driven.now)
    driven.settle(handed)
    driven.advance(0.02)
    assert driven.calls(Kind.ACK) == [["1"]]


def test_leases_outlive_a_broken_stream() -> None:
    driven = Driven(jitter=1.0)
    driven.receive(1)
    driven.machine.stream_ended(Unavailable("gone"), driven.now)
    driven.advance(50)
    assert len(driven.calls(Kind.MODACK)) == 2
    assert driven.lost == []


def test_a_peer_that_answered_pings_and_goes_silent_is_left_within_40_seconds() -> None:
    driven = Driven()
    driven.advance(30)
    assert len(driven.happened(effects.Ping)) == 1
    driven.advance(10)
    assert not driven.happened(effects.Disconnect)  # this peer may not know pings
    driven.advance(20)
    driven.machine.received(response(), driven.now)
    driven.advance(30)
    driven.machine.received(response(), driven.now)
    driven.advance(39)
    assert not driven.happened(effects.Disconnect)
    driven.advance(1)
    assert driven.happened(effects.Disconnect) == [effects.Disconnect(is_final=False)]


def test_the_first_request_carries_the_limits_and_the_deadline() -> None:
    driven = Driven(client_id="me", flow_control=FlowControl(max_messages=7, max_bytes=4096), connected=False)
    [connect] = driven.happened(effects.Connect)
    assert isinstance(connect, effects.Connect)
    first = connect.first
    assert (first.subscription, first.client_id) == (SUBSCRIPTION, "me")
    assert (first.max_outstanding_messages, first.max_outstanding_bytes, first.stream_ack_deadline_seconds) == (7, 4096, 60)
    assert first.protocol_version == 1


# the end


def test_draining_acks_what_is_finished_nacks_what_is_held_and_cancels_what_is_late() -> None:
    driven = Driven(flow_control=FlowControl(max_messages=3))
    one, two, three = driven.receive(1, 2, 3, 4, 5)
    driven.machine.close(driven.now, timeout_s=30)
    driven.look()
    assert driven.calls(Kind.NACK) == [["4", "5"]]
    assert driven.happened(effects.Disconnect) == [effects.Disconnect(is_final=True)]
    driven.settle(one)
    driven.advance(29)
    driven.settle(two)
    assert driven.machine.phase is Phase.CLOSING
    driven.advance(1)
    assert driven.happened(effects.Abandon) == [effects.Abandon([three])]
    assert [ack for call in driven.calls(Kind.ACK) for ack in call] == ["1", "2"]
    assert driven.calls(Kind.NACK)[-1] == ["3"]
    [end] = driven.happened(effects.Ended)
    assert end == effects.Ended(None, effects.Drained(finished=2, nacked=2, abandoned=1))
    assert driven.machine.next_due() is None


def test_leases_are_kept_while_handlers_finish() -> None:
    driven = Driven(flow_control=FlowControl(max_duration_per_lease_extension=10))
    driven.receive(1)
    driven.machine.close(driven.now, timeout_s=100)
    driven.advance(50)
    assert len(driven.calls(Kind.MODACK)) >= 6


def test_held_messages_may_be_processed_until_five_seconds_before_the_end() -> None:
    driven = Driven(flow_control=FlowControl(max_messages=1))
    driven.receive(1, 2, 3)
    driven.machine.close(driven.now, timeout_s=30, held="process")
    driven.settle(driven.handed[0])
    assert driven.ids() == [1, 2]
    driven.advance(25)
    driven.settle(driven.handed[1])
    assert driven.ids() == [1, 2]
    [end] = driven.happened(effects.Ended)
    assert isinstance(end, effects.Ended)
    assert end.drained == effects.Drained(finished=2, nacked=1, abandoned=0)


def test_a_second_close_shortens_the_time_and_never_lengthens_it() -> None:
    driven = Driven()
    driven.receive(1)
    driven.machine.close(driven.now, timeout_s=30)
    driven.machine.close(driven.now, timeout_s=60)
    driven.advance(29)
    assert not driven.happened(effects.Ended)
    driven.machine.close(driven.now, timeout_s=0)
    driven.look()
    assert driven.happened(effects.Ended)


def test_the_last_acks_are_waited_for_and_given_up_after_five_seconds() -> None:
    driven = Driven()
    [one] = driven.receive(1)
    driven.answers = False
    driven.settle(one)
    one.wants_result = True
    driven.machine.close(driven.now)
    driven.look()
    assert not driven.happened(effects.Ended)
    driven.answer(driven.sent[-1], Unavailable("not now"))
    driven.advance(4.9)
    assert not driven.happened(effects.Ended)
    driven.advance(0.2)
    assert driven.happened(effects.Ended)
    assert effects.Resolved(one, AckResult.LEASE_LOST) in driven.said


def test_what_comes_after_closing_is_nacked_at_once() -> None:
    driven = Driven()
    driven.receive(1)
    driven.machine.close(driven.now)
    driven.machine.received(response(2), driven.now)
    driven.advance(0)
    assert driven.calls(Kind.NACK) == [["2"]]
    assert driven.ids() == [1]
