"""Whatever is sent to whichever RPC, over gRPC or REST: the answer is a documented code, nothing is logged as a bug, an error has changed nothing."""

import logging
from collections.abc import Iterator
from typing import Any, Final

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publican_emulator import Emulator, VirtualClock
from publican_emulator.broker.broker import Broker
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.schema_settings import Definition, Language
from publican_emulator.broker.settings import SubscriptionSettings, TopicSettings
from publican_emulator.rpc.status import HTTP_STATUS
from publican_protocol.codes import Code
from publican_protocol.methods import methods
from tests.walk.requests import FIELDS, SCHEMA, SNAPSHOT, SUBSCRIPTION, TOPIC, http_requests, wire_bytes

DOCUMENTED: Final = {
    "OK",
    "INVALID_ARGUMENT",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "FAILED_PRECONDITION",
    "RESOURCE_EXHAUSTED",
    "ABORTED",
}
START: Final = Nanos(1_767_312_000 * SECOND)
UNARY: Final = [path for path, method in methods().items() if not method.is_streaming]
DEFINITION: Final = Definition(Language.AVRO, '{"type": "record", "name": "R", "fields": [{"name": "id", "type": "string"}]}')
QUIET: Final = (HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.large_base_example, HealthCheck.data_too_large)


class Shaken:
    """An emulator that is seeded anew for each example."""

    def __init__(self, emulator: Emulator, channel: grpc.Channel) -> None:
        self.emulator = emulator
        self.channel = channel

    def seed(self, path: str) -> None:
        self.emulator.reset(clock=VirtualClock(START))
        run = self.emulator.run
        run(Broker.create_schema, SCHEMA, DEFINITION)
        run(Broker.create_topic, TOPIC, TopicSettings())
        run(Broker.create_subscription, SUBSCRIPTION, TOPIC, SubscriptionSettings())
        if "UpdateSubscription" not in path and "ModifyPushConfig" not in path:  # else it would be pushed in the midst of it
            run(Broker.publish, TOPIC, [b"\x0a\x01x"])
        run(Broker.create_snapshot, SNAPSHOT, SUBSCRIPTION, {})

    def state(self) -> Any:
        return self.emulator.run(Broker.dump_state)

    def by_grpc(self, path: str, body: bytes) -> tuple[str, str]:
        try:
            self.channel.unary_unary(path)(body, timeout=30)
        except grpc.RpcError as error:
            failed: Any = error
            return failed.code().name, failed.details()
        return "OK", ""

    def by_rest(self, verb: str, target: str, body: bytes) -> tuple[str, str]:
        response = self.emulator.ask(verb, target, body)
        if response.status == 200:
            return "OK", ""
        found = [code.name for code in Code if HTTP_STATUS[code] == response.status]
        return next((name for name in found if name in DOCUMENTED), found[0]), response.body.decode()


@pytest.fixture(scope="module")
def running() -> Iterator[Shaken]:
    with Emulator(pull_wait_s=0.0, clock=VirtualClock(START)) as emulator, grpc.insecure_channel(emulator.address) as channel:
        yield Shaken(emulator, channel)


@pytest.fixture
def shaken(running: Shaken, caplog: pytest.LogCaptureFixture) -> Iterator[Shaken]:
    yield running
    assert running.emulator.surprises == []
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


def check(shaken: Shaken, path: str, data: st.DataObject) -> None:
    shaken.seed(path)
    before = shaken.state()
    for _ in range(data.draw(st.integers(1, 3))):
        if data.draw(st.booleans()):
            sent: Any = data.draw(wire_bytes(path))
            code, text = shaken.by_grpc(path, sent)
        else:
            sent = data.draw(http_requests(path))
            code, text = shaken.by_rest(*sent)
        assert code in DOCUMENTED, (sent, code, text)
        after = shaken.state()
        if code != "OK":
            assert after == before, (sent, code, text)
            assert text, sent
        before = after


@pytest.mark.parametrize("path", UNARY)
@given(data=st.data())
@settings(max_examples=6, deadline=None, suppress_health_check=QUIET)
def test_any_request_gets_a_documented_code_and_an_error_changes_nothing(shaken: Shaken, path: str, data: st.DataObject) -> None:
    check(shaken, path, data)


@pytest.mark.parametrize("path", FIELDS)
@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=QUIET)
def test_a_resource_that_is_refused_is_not_half_made(shaken: Shaken, path: str, data: st.DataObject) -> None:
    check(shaken, path, data)


@pytest.mark.slow
@pytest.mark.parametrize("path", UNARY)
@given(data=st.data())
@settings(max_examples=400, deadline=None, suppress_health_check=QUIET)
def test_many_requests_get_documented_codes_and_errors_change_nothing(shaken: Shaken, path: str, data: st.DataObject) -> None:
    check(shaken, path, data)


STREAM: Final = "/google.pubsub.v1.Subscriber/StreamingPull"


@given(bodies=st.lists(wire_bytes(STREAM), min_size=1, max_size=3))
@settings(max_examples=30, deadline=None, suppress_health_check=QUIET)
def test_any_stream_ends_with_a_documented_code_or_goes_on(shaken: Shaken, bodies: list[bytes]) -> None:
    shaken.seed(STREAM)
    stream = shaken.channel.stream_stream(STREAM)(iter(bodies), timeout=30)
    shaken.emulator.run(Broker.get_topic, TOPIC)  # the loop has come round: what was sent first is read first
    try:
        for _ in stream:
            stream.cancel()
    except grpc.RpcError as error:
        failed: Any = error
        assert failed.code().name in DOCUMENTED | {"CANCELLED", "UNAVAILABLE"}, (bodies, failed.details())
