"""The same machine over a carrier: publish, pull, ack and extend go over gRPC or REST, the rest straight to the emulator's broker."""

import http.client
import json
from typing import Any, cast

import grpc
from google.protobuf import json_format

from publican_emulator.broker.batch import Batch, Part
from publican_emulator.broker.broker import Broker
from publican_emulator.broker.consumer import Consumer, a_pull
from publican_emulator.broker.instants import Nanos
from publican_emulator.driver import VirtualClock
from publican_emulator.emulator import Emulator
from publican_protocol.pool import message_class
from tests.properties.machine import NOON, Machine

PACKAGE = "google.pubsub.v1"
VERBS = {"Publish": "publish", "Pull": "pull", "Acknowledge": "acknowledge", "ModifyAckDeadline": "modifyAckDeadline"}


def made(kind: str, **fields: Any) -> Any:
    return message_class(f"{PACKAGE}.{kind}")(**fields)


class Refused(Exception):
    """What exactly-once delivery refused."""


class Carried:
    """Looks like a broker, and asks an emulator."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._pulls: dict[Consumer, str] = {}

    def call(self, service: str, method: str, request: Any, answer: str) -> Any:
        raise NotImplementedError

    def close_carrier(self) -> None:
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        def directly(*arguments: Any) -> Any:
            self.settle(arguments[-1])
            return self._emulator.run(getattr(Broker, name), *arguments[:-1])

        return directly

    def next_due(self) -> Nanos | None:
        return self._emulator._driver.broker.next_due()

    def settle(self, now: Nanos) -> None:
        if now != self._emulator.now():
            self._emulator.move_to(now)

    def publish(self, topic: str, messages: list[bytes], now: Nanos) -> list[str]:
        self.settle(now)
        read = [message_class(f"{PACKAGE}.PubsubMessage").FromString(message) for message in messages]
        return list(self.call("Publisher", "Publish", made("PublishRequest", topic=topic, messages=read), "PublishResponse").message_ids)

    def open_pull(self, subscription: str, count: int, now: Nanos) -> Consumer:
        consumer = a_pull(count)
        self._pulls[consumer] = subscription
        return consumer

    def lease(self, consumer: Consumer, _: int, now: Nanos) -> Batch:
        self.settle(now)
        request = made("PullRequest", subscription=self._pulls[consumer], max_messages=consumer.max_messages)
        answer = self.call("Subscriber", "Pull", request, "PullResponse")
        return Batch([Part((r.message.SerializeToString(),), r.ack_id.encode(), (b"",), r.delivery_attempt) for r in answer.received_messages])

    def close(self, consumer: Consumer, now: Nanos) -> None:
        del self._pulls[consumer]

    def try_acknowledge(self, subscription: str, ack_ids: list[str], now: Nanos) -> list[str]:
        return self._refused_of(now, "Acknowledge", made("AcknowledgeRequest", subscription=subscription, ack_ids=ack_ids))

    def try_modify_ack_deadline(self, subscription: str, ack_ids: list[str], seconds: int, now: Nanos) -> list[str]:
        request = made("ModifyAckDeadlineRequest", subscription=subscription, ack_ids=ack_ids, ack_deadline_seconds=seconds)
        return self._refused_of(now, "ModifyAckDeadline", request)

    def _refused_of(self, now: Nanos, method: str, request: Any) -> list[str]:
        self.settle(now)
        try:
            self.call("Subscriber", method, request, "google.protobuf.Empty")
        except Refused as error:
            return list(error.args[0])
        return []


class OverGrpc(Carried):
    """Asks with the grpc library."""

    def __init__(self, emulator: Emulator) -> None:
        super().__init__(emulator)
        self._channel = grpc.insecure_channel(emulator.address)

    def call(self, service: str, method: str, request: Any, answer: str) -> Any:
        kind = message_class(answer if "." in answer else f"{PACKAGE}.{answer}")
        ask = self._channel.unary_unary(f"/{PACKAGE}.{service}/{method}", type(request).SerializeToString, kind.FromString)
        try:
            return ask(request, timeout=10)
        except grpc.RpcError as error:
            trailers: dict[str, bytes] = dict(cast("Any", error).trailing_metadata())
            details = trailers["grpc-status-details-bin"]
            [info] = message_class("google.rpc.Status").FromString(details).details  # type: ignore[attr-defined]
            raise Refused(list(message_class("google.rpc.ErrorInfo").FromString(info.value).metadata)) from None  # type: ignore[attr-defined]

    def close_carrier(self) -> None:
        self._channel.close()


class OverRest(Carried):
    """Asks with JSON over HTTP/1."""

    def __init__(self, emulator: Emulator) -> None:
        super().__init__(emulator)
        self._connection = http.client.HTTPConnection(emulator.address, timeout=10)

    def call(self, service: str, method: str, request: Any, answer: str) -> Any:
        name = request.topic if method == "Publish" else request.subscription
        body = json_format.MessageToDict(request)
        del body["topic" if method == "Publish" else "subscription"]
        self._connection.request("POST", f"/v1/{name}:{VERBS[method]}", json.dumps(body), {"Content-Type": "application/json"})
        response = self._connection.getresponse()
        read = json.loads(response.read())
        if response.status != http.HTTPStatus.OK:
            raise Refused(list(read["error"]["details"][0]["metadata"]))
        return json_format.ParseDict(read, message_class(answer if "." in answer else f"{PACKAGE}.{answer}")())

    def close_carrier(self) -> None:
        self._connection.close()


class WireMachine(Machine):
    """The machine with a carrier between it and the broker."""

    most_streams = 0
    carrier: type[Carried]
    carried: Carried | None = None

    def new_broker(self, *, is_watched: bool) -> Broker:
        self.emulator = Emulator(clock=VirtualClock(Nanos(NOON)), pull_wait_s=0.0).__enter__()
        self.carried = self.carrier(self.emulator)
        return cast("Broker", self.carried)

    def reload(self) -> None:
        state = self.emulator.dump_state()
        self.emulator.load_state(state)
        assert self.emulator.dump_state() == state

    def teardown(self) -> None:
        try:
            super().teardown()
            assert self.carried is None or self.emulator.surprises == []
        finally:
            if self.carried is not None:
                self.carried.close_carrier()
                self.emulator.__exit__(None, None, None)


class GrpcMachine(WireMachine):
    carrier = OverGrpc


class RestMachine(WireMachine):
    carrier = OverRest
