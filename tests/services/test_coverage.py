"""docs/api.md says what the server does, RPC by RPC."""

from pathlib import Path

import pytest

from publican_emulator.broker.broker import Broker
from publican_emulator.driver import Driver, VirtualClock
from publican_emulator.rpc.call import CallInfo
from publican_emulator.rpc.dispatch import Dispatcher
from publican_emulator.rpc.status import Failure
from publican_emulator.services import coverage, table
from publican_emulator.services.messages import Messages
from publican_emulator.services.streaming_pull import StreamingPull
from publican_protocol.codes import Code
from publican_protocol.methods import methods

API_PAGE = Path(__file__).parents[2] / "docs" / "api.md"


def test_the_page_is_what_the_code_says() -> None:
    assert API_PAGE.read_text(encoding="utf-8") == coverage.markdown(), "run: python -m publican_emulator.services.coverage docs/api.md"


@pytest.fixture
def driver() -> Driver:
    return Driver(Broker(), VirtualClock())


def test_the_table_has_every_rpc_and_no_other_but_grpcs_own(driver: Driver) -> None:
    unary = table.unary(driver, Messages(driver, pull_wait_s=0).handlers())
    streaming = table.streaming(StreamingPull(driver).handlers())
    own = {"/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch", *table.REFLECTION}
    assert set(unary) | set(streaming) == set(methods()) | own
    assert {path for path in streaming if path not in own} == {path for path, method in methods().items() if method.is_streaming}


@pytest.mark.parametrize("path", methods())
def test_no_rpc_is_unimplemented(driver: Driver, path: str) -> None:
    if methods()[path].is_streaming:
        return
    dispatcher = Dispatcher(table.unary(driver, Messages(driver, pull_wait_s=0).handlers()))
    answer = dispatcher.call(path, b"", CallInfo(path, "grpc"))
    assert not (isinstance(answer, Failure) and answer.code is Code.UNIMPLEMENTED)
    assert dispatcher.surprises == []


def test_what_is_partly_there_is_an_rpc_of_the_api() -> None:
    assert set(coverage.PARTS) <= set(methods())
