"""REST over HTTP/1.1: Google's JSON form of the messages, and this table instead of the routes that the emulator reads from the API."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, Self
from urllib.parse import quote, urlencode

import google.iam.v1.iam_policy_pb2
import google.pubsub_v1  # noqa: F401  (they register Google's message classes)
from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.message import Message

from publican_protocol import pubsub
from publican_protocol.pool import message_class
from tests.semantics.backends.backend import BY_NAME, LIMIT_S, Refused
from tests.semantics.backends.over_grpc import EmulatorBackend

ROUTES: Final[Mapping[str, tuple[str, str]]] = {
    "CreateTopic": ("PUT", "/v1/{name}"),
    "UpdateTopic": ("PATCH", "/v1/{topic.name}"),
    "GetTopic": ("GET", "/v1/{topic}"),
    "DeleteTopic": ("DELETE", "/v1/{topic}"),
    "ListTopics": ("GET", "/v1/{project}/topics"),
    "ListTopicSubscriptions": ("GET", "/v1/{topic}/subscriptions"),
    "ListTopicSnapshots": ("GET", "/v1/{topic}/snapshots"),
    "Publish": ("POST", "/v1/{topic}:publish"),
    "DetachSubscription": ("POST", "/v1/{subscription}:detach"),
    "CreateSubscription": ("PUT", "/v1/{name}"),
    "UpdateSubscription": ("PATCH", "/v1/{subscription.name}"),
    "GetSubscription": ("GET", "/v1/{subscription}"),
    "DeleteSubscription": ("DELETE", "/v1/{subscription}"),
    "ListSubscriptions": ("GET", "/v1/{project}/subscriptions"),
    "Pull": ("POST", "/v1/{subscription}:pull"),
    "Acknowledge": ("POST", "/v1/{subscription}:acknowledge"),
    "ModifyAckDeadline": ("POST", "/v1/{subscription}:modifyAckDeadline"),
    "Seek": ("POST", "/v1/{subscription}:seek"),
    "CreateSnapshot": ("PUT", "/v1/{name}"),
    "UpdateSnapshot": ("PATCH", "/v1/{snapshot.name}"),
    "GetSnapshot": ("GET", "/v1/{snapshot}"),
    "DeleteSnapshot": ("DELETE", "/v1/{snapshot}"),
    "ListSnapshots": ("GET", "/v1/{project}/snapshots"),
    "CreateSchema": ("POST", "/v1/{parent}/schemas"),
    "GetSchema": ("GET", "/v1/{name}"),
    "ListSchemas": ("GET", "/v1/{parent}/schemas"),
    "ListSchemaRevisions": ("GET", "/v1/{name}:listRevisions"),
    "CommitSchema": ("POST", "/v1/{name}:commit"),
    "RollbackSchema": ("POST", "/v1/{name}:rollback"),
    "DeleteSchemaRevision": ("DELETE", "/v1/{name}:deleteRevision"),
    "DeleteSchema": ("DELETE", "/v1/{name}"),
    "GetIamPolicy": ("GET", "/v1/{resource}:getIamPolicy"),
    "SetIamPolicy": ("POST", "/v1/{resource}:setIamPolicy"),
    "TestIamPermissions": ("POST", "/v1/{resource}:testIamPermissions"),
    "ValidateSchema": ("POST", "/v1/{parent}/schemas:validate"),
    "ValidateMessage": ("POST", "/v1/{parent}/schemas:validateMessage"),
}
HTTP_STATUS: Final = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "PERMISSION_DENIED": 403,
    "UNIMPLEMENTED": 501,
    "RESOURCE_EXHAUSTED": 429,
}


def googles(full_name: str) -> Any:
    """Give Google's class of a message: theirs is the JSON form that counts."""
    return message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(full_name))


def as_http(method: str, request: Message) -> tuple[str, str, bytes | None]:
    """Give verb, target and body of a call."""
    verb, template = ROUTES[method]
    body = json_format.MessageToDict(googles(request.DESCRIPTOR.full_name).FromString(request.SerializeToString()))
    prefix, _, rest = template.partition("{")
    field, _, suffix = rest.partition("}")
    outer, dot, inner = field.partition(".")
    name = body.get(outer, {}).get(inner, "") if dot else body.pop(outer, "")
    target = prefix + quote(name, safe="/") + suffix
    if verb in ("GET", "DELETE"):
        return verb, f"{target}?{urlencode(dict(_flat(body)))}" if body else target, None
    if method == "CreateSchema":  # the one call whose body is not the whole request
        schema = body.pop("schema", {})
        return verb, f"{target}?{urlencode(body)}" if body else target, json.dumps(schema).encode()
    return verb, target, json.dumps(body).encode()


def _flat(body: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Give the fields of a request as query parameters: `options.requestedPolicyVersion`."""
    for name, value in body.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value


def from_http(method: str, status: int, body: bytes) -> Message:
    """Give the answer that an HTTP response holds."""
    said = json.loads(body)
    if status != 200:
        raise _refused(status, said["error"])
    name = BY_NAME[method].response
    return message_class(name).FromString(json_format.ParseDict(said, googles(name)()).SerializeToString())


def _refused(status: int, error: Mapping[str, Any]) -> Refused:
    code = error["status"]
    assert status == error["code"] == HTTP_STATUS[code]
    for detail in error.get("details", ()):
        if detail["@type"] == "type.googleapis.com/google.rpc.ErrorInfo":
            assert detail["domain"] == "pubsub.googleapis.com"
            return Refused(code, error["message"], detail["reason"], detail["metadata"])
    return Refused(code, error["message"])


class RestBackend(EmulatorBackend):
    """Calls over one kept connection, and one more for each call that waits."""

    name = "rest"

    def __enter__(self) -> Self:
        super().__enter__()
        self._connection = self.connection()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._connection.close()
        super().__exit__(*exc_info)

    def connection(self) -> http.client.HTTPConnection:
        """Give a connection of one's own."""
        return http.client.HTTPConnection("127.0.0.1", self.emulator.port, timeout=LIMIT_S)

    def call(self, method: str, request: Message) -> Message:
        """Make a call."""
        return exchange(self._connection, method, request)

    def start(self, method: str, request: Message) -> "RestWaiting":
        """Make a Pull that waits."""
        assert isinstance(request, pubsub.PullRequest)
        waiting = RestWaiting(self, method, request)
        self.until(lambda: waiting.is_answered() or self.is_waited_on(request.subscription))
        return waiting

    def stream(self, request: pubsub.StreamingPullRequest) -> Any:
        """There are no streams over REST."""
        raise NotImplementedError("mark the test with @backends")


def exchange(connection: http.client.HTTPConnection, method: str, request: Message) -> Message:
    """Send a request and read its response."""
    verb, target, body = as_http(method, request)
    connection.request(verb, target, body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    return from_http(method, response.status, response.read())


class RestWaiting:
    """A call that waits, on a thread and a connection of its own."""

    def __init__(self, backend: RestBackend, method: str, request: pubsub.PullRequest) -> None:
        self._backend = backend
        self._subscription = request.subscription
        self._answer: Message | Refused | None = None
        self._connection = backend.connection()
        self._connection.connect()
        self._thread = threading.Thread(target=self._exchange, args=(method, request))
        self._thread.start()

    def _exchange(self, method: str, request: Message) -> None:
        with suppress(OSError, http.client.HTTPException):  # cancelled
            try:
                self._answer = exchange(self._connection, method, request)
            except Refused as error:
                self._answer = error
        self._connection.close()

    def is_answered(self) -> bool:
        """Say whether the answer is there."""
        return self._answer is not None

    def result(self) -> Message:
        """Wait for the answer."""
        self._thread.join(LIMIT_S)
        assert self._answer is not None
        if isinstance(self._answer, Refused):
            raise self._answer
        return self._answer

    def cancel(self) -> None:
        """Go away, and wait for the server to notice."""
        sock = self._connection.sock
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(LIMIT_S)
        self._backend.until(lambda: not self._backend.is_waited_on(self._subscription))
