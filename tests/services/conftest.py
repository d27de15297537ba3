"""A fresh broker at a clock that stands still, and the services in front of it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.protobuf.message import Message

from publican_emulator.broker.broker import Broker
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.driver import Driver, VirtualClock
from publican_emulator.rpc.call import CallInfo
from publican_emulator.rpc.dispatch import Dispatcher
from publican_emulator.rpc.status import Failure
from publican_emulator.schemas.compiler import compile_definition
from publican_emulator.services import table
from publican_protocol.methods import methods
from publican_protocol.pool import message_class

NOON = Nanos(1_700_000_000 * SECOND)

Call = Callable[..., Any]


@pytest.fixture
def driver() -> Driver:
    return Driver(Broker(compile_schema=compile_definition), VirtualClock(NOON))


@pytest.fixture
def dispatcher(driver: Driver) -> Iterator[Dispatcher]:
    dispatcher = Dispatcher(table.unary(driver, {}))
    yield dispatcher
    assert dispatcher.surprises == []


@pytest.fixture
def call(dispatcher: Dispatcher) -> Call:
    """Call an RPC by its name with the fields of its request: the response message, or the error as it was raised."""
    by_name = {method.name: method for method in methods().values()}

    def make(rpc: str, **fields: Any) -> Message:
        method = by_name[rpc]
        request = message_class(method.request)(**fields)
        answer = dispatcher.call(method.path, request.SerializeToString(), CallInfo(method.path, "grpc"))
        if isinstance(answer, Failure):
            assert answer.error is not None
            raise answer.error
        assert isinstance(answer, bytes)
        return message_class(method.response).FromString(answer)

    return make
