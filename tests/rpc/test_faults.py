"""Faults: a call meets the first wish that means it, so many times, and none when there are none."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from publican_emulator.rpc.call import CallInfo
from publican_emulator.rpc.dispatch import Dispatcher
from publican_emulator.rpc.faults import Faults
from publican_emulator.rpc.status import Failure
from publican_protocol.codes import Code

PUBLISH = "/google.pubsub.v1.Publisher/Publish"
PULL = "/google.pubsub.v1.Subscriber/Pull"


class Carried:
    """A dispatcher whose handlers keep what they were asked, and the seconds that were slept."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.asked: list[bytes] = []
        self.faults = Faults(self._sleep)
        self._dispatcher = Dispatcher({PUBLISH: self._handle, PULL: self._handle_later}, faults=self.faults)

    async def _sleep(self, seconds: float) -> None:
        assert self.asked == []  # a delay comes before the call, not after it
        self.slept.append(seconds)

    def _handle(self, body: bytes, info: CallInfo) -> bytes:
        self.asked.append(body)
        return b"answer"

    async def _handle_later(self, body: bytes, info: CallInfo) -> bytes:
        return self._handle(body, info)

    def call(self, path: str = PUBLISH, body: bytes = b"request") -> bytes | tuple[Code, str]:
        """Give the answer, or the code and message of the failure."""
        answer = self._dispatcher.call(path, body, CallInfo(path, "grpc"))
        if isinstance(answer, Coroutine):
            answer = asyncio.run(_awaited(answer))
        return (answer.code, answer.message) if isinstance(answer, Failure) else answer


async def _awaited(answer: Coroutine[Any, Any, bytes | Failure]) -> bytes | Failure:
    return await answer


@pytest.fixture
def carried() -> Carried:
    return Carried()


def test_a_method_fails_as_often_as_wished_and_then_works(carried: Carried) -> None:
    fault = carried.faults.fail("Publish", "UNAVAILABLE", "try again", times=2)
    assert [carried.call() for _ in range(3)] == [(Code.UNAVAILABLE, "try again"), (Code.UNAVAILABLE, "try again"), b"answer"]
    assert fault.hits == 2
    assert len(carried.asked) == 1


def test_another_method_is_not_meant(carried: Carried) -> None:
    fault = carried.faults.fail("Publish", "UNAVAILABLE")
    assert carried.call(PULL) == b"answer"
    assert fault.hits == 0


def test_a_star_means_every_method_until_it_is_taken_back(carried: Carried) -> None:
    fault = carried.faults.fail("*", Code.RESOURCE_EXHAUSTED, "no more", times=None)
    assert {carried.call(path) for path in (PUBLISH, PULL, PUBLISH)} == {(Code.RESOURCE_EXHAUSTED, "no more")}
    carried.faults.remove(fault)
    assert carried.call() == b"answer"
    assert fault.hits == 3


def test_a_condition_picks_the_calls(carried: Carried) -> None:
    carried.faults.fail("Publish", "INTERNAL", when=lambda body, info: b"poison" in body)
    assert carried.call(body=b"good") == b"answer"
    assert carried.call(body=b"poison") == (Code.INTERNAL, "A fault that the test has wished for: INTERNAL.")


def test_a_delay_passes_before_the_call_is_carried_out(carried: Carried) -> None:
    carried.faults.delay("Pull", 5.0)
    assert carried.call(PULL) == b"answer"
    assert carried.slept == [5.0]


def test_a_delay_holds_back_what_is_answered_at_once_as_well(carried: Carried) -> None:
    carried.faults.delay("Publish", 2.5)
    assert [carried.call(), carried.call()] == [b"answer", b"answer"]
    assert carried.slept == [2.5]


def test_first_made_first_met(carried: Carried) -> None:
    carried.faults.fail("Publish", "ABORTED")
    carried.faults.fail("*", "UNAVAILABLE")
    assert [carried.call()[0] for _ in range(2)] == [Code.ABORTED, Code.UNAVAILABLE]


def test_taking_all_back_tells_which_met_nothing(carried: Carried) -> None:
    met, unmet = carried.faults.fail("Publish", "ABORTED"), carried.faults.delay("Pull", 1.0)
    carried.call()
    assert met.hits == 1
    assert carried.faults.clear() == [unmet]
    assert carried.faults.wished == []


@pytest.mark.parametrize("code", [code for code in Code if code is not Code.OK], ids=lambda code: code.name)
def test_every_code_can_be_wished_for(carried: Carried, code: Code) -> None:
    carried.faults.fail("Publish", code.name, "words")
    assert carried.call() == (code, "words")


@pytest.mark.parametrize("code", ["OK", "NO_SUCH_CODE"])
def test_what_is_no_failure_is_refused(carried: Carried, code: str) -> None:
    with pytest.raises(KeyError):
        carried.faults.fail("Publish", code)
