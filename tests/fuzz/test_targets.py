"""What fuzzing found, by name; and that each target takes what is nearly right."""

import pytest

from fuzz.targets import TARGETS, connection

SEEDS = [b"", b"\0" * 20, b"\xff" * 40, b"\x0a\x03abc\x12\x00", b'{"messages":[{"data":"eA=="}]}', b"2projects/p/topics/abc:publish\n{}"]


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_every_target_takes_what_is_nearly_right(target: object) -> None:
    assert callable(target)
    for seed in SEEDS:
        assert target(seed) is None


def test_the_reason_of_a_fault_holds_no_address_of_memory() -> None:
    # hpack's own text named the buffer's address, so two equal connections did not say the same
    connection(b"\x00\x00\n\x01\x06" + b"\xff" * 54 + b"\x82\x00\x00\x00 ")
