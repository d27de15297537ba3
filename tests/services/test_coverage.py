"""docs/api.md says what the server does, RPC by RPC."""

from pathlib import Path

import pytest

from publican_emulator.broker.broker import Broker
from publican_emulator.broker.errors import Unimplemented
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
def test_an_rpc_is_unimplemented_exactly_when_the_page_says_not_yet(driver: Driver, path: str) -> None:
    if methods()[path].is_streaming:
        assert coverage.status(path) == coverage.COMPLETE
        return
    dispatcher = Dispatcher(table.unary(driver, Messages(driver, pull_wait_s=0).handlers()))
    answer = dispatcher.call(path, b"", CallInfo(path, "grpc"))
    is_refused = isinstance(answer, Failure) and answer.code is Code.UNIMPLEMENTED
    assert is_refused == (coverage.status(path) == coverage.NOT_YET)
    if is_refused:
        assert isinstance(answer, Failure)
        assert isinstance(answer.error, Unimplemented)
        assert answer.message.startswith("Publican does not do ")
        assert answer.message.endswith(" yet (docs/api.md)")
    assert dispatcher.surprises == []


def test_what_is_partly_there_is_an_rpc_of_the_api() -> None:
    assert set(coverage.PARTS) <= set(methods())
