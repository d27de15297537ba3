"""The soak in its short form; ten minutes of it are `make soak`, and by `make check-all` for one."""

import pytest

from benchmarks.product import publican, started
from benchmarks.soak import Soaked, soak


def soaked(seconds: float) -> Soaked:
    with started(publican()) as server:
        return soak(server, seconds)


def test_nothing_is_lost_while_streams_come_and_go() -> None:
    result = soaked(3.0)
    assert result.published > 0
    assert result.seen == result.published, result
    assert result.streams > 4, result


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_grows_in_a_minute() -> None:
    result = soaked(60.0)
    assert not result.troubles, result
