"""The ways into Publican that the suite of semantics runs over: the services themselves, gRPC and REST. Each is one function: `call`.

Requests and responses are the API's own messages, so a test is written once. Time is virtual everywhere.
"""

import http.client
import json
import re
from collections.abc import Callable
from typing import Any, TypeVar, cast
from urllib.parse import quote, urlencode

import grpc
from google.protobuf.message import Message

from publican_emulator import Emulator
from publican_emulator.broker.broker import Broker
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.driver import Driver, VirtualClock
from publican_emulator.rpc.call import CallInfo
from publican_emulator.rpc.dispatch import Dispatcher
from publican_emulator.rpc.status import Failure
from publican_emulator.services import table
from publican_emulator.services.messages import Messages
from publican_protocol import json_form
from publican_protocol.methods import methods
from publican_protocol.pool import message_class
from publican_protocol.routes import Route, routes

Response = TypeVar("Response", bound=Message)
START = Nanos(1_767_312_000 * SECOND)  # 2026-01-02T00:00:00Z
_PATHS = {path.rpartition("/")[2]: path for path in methods()}


class Refused(Exception):
    """A call that was answered by an error."""

    def __init__(self, code: str, message: str, details: object = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.details = details


class Backend:
    """One way in."""

    name = ""

    def call(self, method: str, request: Message) -> Any:
        """Make a unary call by the method's short name and give the response message."""
        path = _PATHS[method]
        response = message_class(methods()[path].response)
        return self.answer(path, request, response)

    def answer(self, path: str, request: Message, response: type[Message]) -> Message:
        raise NotImplementedError

    def advance(self, seconds: float) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """Leave nothing behind."""


class Core(Backend):
    """The services on a broker, without a socket."""

    name = "core"

    def __init__(self) -> None:
        self.clock = VirtualClock(START)
        self.driver = Driver(Broker(), self.clock)
        self.dispatcher = Dispatcher(table.unary(self.driver, Messages(self.driver, pull_wait_s=0.0).handlers()))

    def answer(self, path: str, request: Message, response: type[Message]) -> Message:
        answered = self.dispatcher.call(path, request.SerializeToString(), CallInfo(path, "grpc"))
        if isinstance(answered, Failure):
            details = answered.error.details if answered.error else None
            raise Refused(answered.code.name, answered.message, _metadata(details))
        assert isinstance(answered, bytes), "a call that waits"
        return response.FromString(answered)

    def advance(self, seconds: float) -> None:
        until = Nanos(self.clock.now() + round(seconds * SECOND))
        while (due := self.driver.broker.next_due()) is not None and due <= until:
            self.clock.move_to(max(due, self.clock.now()))
            self.driver.settle()
        self.clock.move_to(until)
        self.driver.settle()


class Grpc(Backend):
    """An emulator on a port, spoken to by grpcio."""

    name = "grpc"

    def __init__(self) -> None:
        self.emulator = Emulator(clock=VirtualClock(START), pull_wait_s=0.0)
        self.emulator.__enter__()
        self.channel = grpc.insecure_channel(self.emulator.address, options=[("grpc.max_receive_message_length", -1)])

    def answer(self, path: str, request: Message, response: type[Message]) -> Message:
        send: Callable[..., bytes] = self.channel.unary_unary(path)
        try:
            return response.FromString(send(request.SerializeToString(), timeout=20))
        except grpc.RpcError as error:
            failed = cast("Any", error)
            raise Refused(failed.code().name, failed.details(), dict(failed.trailing_metadata()).get("grpc-status-details-bin")) from None

    def advance(self, seconds: float) -> None:
        self.emulator.advance(seconds)

    def close(self) -> None:
        self.channel.close()
        self.emulator.__exit__(None, None, None)


class Rest(Backend):
    """An emulator on a port, spoken to in JSON."""

    name = "rest"

    def __init__(self) -> None:
        self.emulator = Emulator(clock=VirtualClock(START), pull_wait_s=0.0)
        self.emulator.__enter__()
        self.connection = http.client.HTTPConnection(self.emulator.address, timeout=20)

    def answer(self, path: str, request: Message, response: type[Message]) -> Message:
        route = next(route for route in routes() if route.method_path == path and _matches(route, request))
        field, pattern = _path_field(route)
        target = route.template.replace(f"{{{field}={pattern}}}", quote(_value(request, field), safe="/"))
        body = b""
        if route.body:
            body = json_form.dump(request)
        else:
            asked = {k: v for k, v in json.loads(json_form.dump(request)).items() if k != field}
            target += f"?{urlencode(asked)}" if asked else ""
        self.connection.request(route.verb, target, body, {"Content-Type": "application/json"})
        answered = self.connection.getresponse()
        said = answered.read()
        if answered.status != 200:
            error = json.loads(said)["error"]
            assert error["code"] == answered.status
            raise Refused(error["status"], error["message"], _first_metadata(error))
        parsed = response()
        json_form.parse(said, parsed)
        return parsed

    def advance(self, seconds: float) -> None:
        self.emulator.advance(seconds)

    def close(self) -> None:
        self.connection.close()
        self.emulator.__exit__(None, None, None)


def _path_field(route: Route) -> tuple[str, str]:
    found = re.search(r"\{([a-z_.]+)=([^}]*)\}", route.template)
    assert found
    return found[1], found[2]


def _value(message: Any, field: str) -> str:
    for part in field.split("."):
        message = getattr(message, part)
    return str(message)


def _matches(route: Route, request: Message) -> bool:
    return True


def _metadata(details: object) -> object:
    return details or None


def _first_metadata(error: dict[str, Any]) -> object:
    return error.get("details")


BACKENDS: dict[str, type[Backend]] = {backend.name: backend for backend in (Core, Grpc, Rest)}
