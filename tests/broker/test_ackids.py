"""Ack ids: fixed length, one name for one delivery, and forged ones told from old ones."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publican_emulator.broker import ackids
from publican_emulator.broker.errors import InvalidArgument

SUBSCRIPTIONS = st.integers(0, 2**32 - 1)
NUMBERS = st.integers(0, 2**40 - 1)
KINDS = st.sampled_from([ackids.GROUP, ackids.SINGLE])
GROUP_HEAD = ackids.head(ackids.GROUP, 3, 7)
SINGLE_HEAD = ackids.head(ackids.SINGLE, 3, 8)


@given(KINDS, SUBSCRIPTIONS, NUMBERS)
def test_a_head_says_what_it_was_made_of(kind: bytes, subscription: int, number: int) -> None:
    made = ackids.head(kind, subscription, number)
    assert ackids.decode_head(made) == ackids.Head(kind, subscription, number)


@given(KINDS, SUBSCRIPTIONS, NUMBERS, st.integers(1, 2**24 - 1))
def test_an_id_has_21_characters_that_need_no_escaping(kind: bytes, subscription: int, number: int, attempt: int) -> None:
    head = ackids.head(kind, subscription, number)
    rests = [ackids.attempt_rest(attempt), ackids.SLOTS[attempt % 10_000]]
    for rest in rests:
        assert re.fullmatch(r"[A-Za-z0-9_-]{21}", (head + rest).decode())


@given(KINDS, SUBSCRIPTIONS, NUMBERS, st.integers(0, 16), st.sampled_from(b"ABCabc019-_gmxyz"))
def test_a_head_with_one_character_changed_is_refused(kind: bytes, subscription: int, number: int, place: int, other: int) -> None:
    made = bytearray(ackids.head(kind, subscription, number))
    if made[place] == other:
        return
    made[place] = other
    assert ackids.decode_head(bytes(made)) is None


@pytest.mark.parametrize(
    "text",
    [b"", b"g", GROUP_HEAD[:-1], GROUP_HEAD + b"A", b"x" + GROUP_HEAD[1:], b"g" + b"!" * 16, b"g" + b"=" * 16, GROUP_HEAD[:-1] + b"+", b"\xff" * 17],
)
def test_what_was_never_a_head_is_refused(text: bytes) -> None:
    assert ackids.decode_head(text) is None


def test_a_group_and_a_message_of_one_number_have_different_heads() -> None:
    assert ackids.head(ackids.GROUP, 1, 1)[1:] != ackids.head(ackids.SINGLE, 1, 1)[1:]


def test_attempts_have_different_rests_up_to_sixteen_million() -> None:
    rests = {ackids.attempt_rest(attempt) for attempt in (1, 2, 63, 64, 4095, 4096, 2**24 - 1)}
    assert len(rests) == 7
    assert {len(rest) for rest in rests} == {ackids.REST_CHARS}


@given(st.integers(1, 2**24 - 1))
def test_a_rest_says_its_attempt(attempt: int) -> None:
    assert ackids.attempt_of(ackids.attempt_rest(attempt)) == attempt


@pytest.mark.parametrize("rest", [b"AAAA", b"", b"AAA", b"AAA=", b"A+AB", b"!!!!", b"\xff\xff\xff\xff"])
def test_what_was_never_a_rest_has_no_attempt(rest: bytes) -> None:
    assert ackids.attempt_of(rest) == 0


def test_slots_are_numbered_in_publish_order() -> None:
    assert list(ackids.SLOTS) == sorted(ackids.SLOTS)
    assert [int(slot) for slot in ackids.SLOTS[:1_000]] == list(range(1_000))


def test_ids_are_sorted_by_head_in_the_order_of_their_first_mention() -> None:
    single = (SINGLE_HEAD + ackids.attempt_rest(2)).decode()
    first, second = (GROUP_HEAD + b"0002").decode(), (GROUP_HEAD + b"0001").decode()
    named = ackids.read([first, single, second])
    assert list(named.by_head.items()) == [(GROUP_HEAD, [b"0002", b"0001"]), (SINGLE_HEAD, [ackids.attempt_rest(2)])]
    assert named.malformed == []


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "x",
        (GROUP_HEAD + b"000").decode(),
        (GROUP_HEAD + b"00000").decode(),
        (GROUP_HEAD + b"000x").decode(),
        (GROUP_HEAD + b"00-1").decode(),
        (GROUP_HEAD[:-1] + b"!0001").decode(),
        (SINGLE_HEAD + b"AAAA").decode(),
        (SINGLE_HEAD + b"A+AB").decode(),
        "é" * 21,
        "g" + "é" * 10,
        "projects/p/subscriptions/s:1",
    ],
)
def test_an_id_that_was_never_ours_is_malformed_and_the_others_are_not(bad: str) -> None:
    good = (GROUP_HEAD + b"0001").decode()
    named = ackids.read([good, bad, good])
    assert named.malformed == [bad]
    assert named.by_head == {GROUP_HEAD: [b"0001", b"0001"]}


def test_the_refusal_names_the_first_malformed_id_in_the_services_words() -> None:
    named = ackids.read(["short", "also short"])
    with pytest.raises(InvalidArgument, match=re.escape("You have passed an invalid ack ID to the service (ack_id=short).")):
        named.refuse_malformed()


def test_well_formed_ids_are_not_refused() -> None:
    ackids.read([(GROUP_HEAD + b"0001").decode()]).refuse_malformed()


def test_a_head_that_is_known_is_not_decoded_again() -> None:
    forged = b"g" + b"A" * 16
    assert ackids.read_split({forged: [b"0001"]}).malformed == [(forged + b"0001").decode()]
    assert ackids.read_split({forged: [b"0001"]}, known={forged}).by_head == {forged: [b"0001"]}


RESTS = st.sampled_from([b"0000", b"0999", b"9999", b"AAAB", b"00x0", b"____"])
HEADS = st.sampled_from([GROUP_HEAD, SINGLE_HEAD, ackids.head(ackids.GROUP, 9, 9), b"g" + b"A" * 16])


@given(st.lists(st.tuples(HEADS, RESTS)))
def test_ids_one_by_one_and_split_ids_are_read_alike(ids: list[tuple[bytes, bytes]]) -> None:
    split: dict[bytes, list[bytes]] = {}
    for head, rest in ids:
        split.setdefault(head, []).append(rest)
    assert ackids.read([(head + rest).decode() for head, rest in ids]) == ackids.read_split(split)
