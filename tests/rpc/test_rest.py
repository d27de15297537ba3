"""REST from request to response, without a socket: paths, bodies, queries, answers, errors."""

import asyncio
import base64
import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from publican_emulator.broker.errors import FailedPrecondition
from publican_emulator.rpc.call import CallInfo
from publican_emulator.rpc.dispatch import Dispatcher
from publican_emulator.rpc.rest import HttpRequest, HttpResponse, Rest
from publican_protocol import json_form, known, pubsub
from publican_protocol.methods import methods
from publican_protocol.pool import message_class

T = "projects/p/topics/orders"
S = "projects/p/subscriptions/billing"


class Service:
    """Stands for the service behind the dispatcher: keeps the last request, gives what it was told to give."""

    def __init__(self) -> None:
        self.answer: Any = None
        self.request: Any = None
        self.info: CallInfo | None = None
        self.path = ""
        self.dispatcher = Dispatcher({path: self._serve(path) for path in methods()})

    def _serve(self, path: str) -> Callable[[bytes, CallInfo], bytes]:
        def serve(body: bytes, info: CallInfo) -> bytes:
            self.path, self.info = path, info
            self.request = message_class(methods()[path].request).FromString(body)
            if isinstance(self.answer, Exception):
                raise self.answer
            return message_class(methods()[path].response)().SerializeToString() if self.answer is None else self.answer.SerializeToString()

        return serve


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def ask(service: Service) -> Callable[..., HttpResponse]:
    """Send one request; give its response, which has to be there at once."""
    rest = Rest(service.dispatcher)

    def send(method: str, target: str, body: object = b"", **headers: str) -> HttpResponse:
        encoded = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = rest.answer(HttpRequest(method, target, named, encoded))
        assert isinstance(response, HttpResponse)
        return response

    return send


Ask = Callable[..., HttpResponse]


def unbound(name: str, field: str) -> str:
    why = f"Field '{field}' could not be found in request message."
    return f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter. {why}'


def json_of(response: HttpResponse) -> Any:
    assert ("Content-Type", "application/json; charset=UTF-8") in response.headers
    return json.loads(response.body)


def error_of(response: HttpResponse) -> Any:
    body = json_of(response)
    assert set(body) == {"error"}
    assert body["error"]["code"] == response.status
    return body["error"]


@pytest.mark.parametrize(("path", "body"), [("/", b"Ok\n"), ("/healthz", b"ok\n")])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_whoever_asks_whether_anybody_listens_gets_a_plain_answer(ask: Ask, method: str, path: str, body: bytes) -> None:
    response = ask(method, path)
    assert (response.status, response.body) == (200, body)
    assert ("Content-Type", "text/plain; charset=UTF-8") in response.headers


@pytest.mark.parametrize(
    ("method", "target", "body", "rpc", "request_json"),
    [
        ("PUT", f"/v1/{T}", b"", "CreateTopic", {"name": T}),
        ("PUT", f"/v1/{T}", {"labels": {"a": "b"}, "name": "the path wins"}, "CreateTopic", {"name": T, "labels": {"a": "b"}}),
        (
            "PATCH",
            f"/v1/{T}",
            {"topic": {"labels": {"a": "b"}}, "updateMask": "labels"},
            "UpdateTopic",
            {"topic": {"name": T, "labels": {"a": "b"}}, "updateMask": "labels"},
        ),
        (
            "PATCH",
            f"/v1/{T}?updateMask=labels,kmsKeyName",
            {"topic": {}},
            "UpdateTopic",
            {"topic": {"name": T}, "updateMask": "labels,kmsKeyName"},
        ),
        ("PATCH", f"/v1/{T}?update_mask=labels", b"", "UpdateTopic", {"topic": {"name": T}, "updateMask": "labels"}),
        (
            "GET",
            "/v1/projects/p/topics?pageSize=2&pageToken=x%3D&alt=json",
            b"",
            "ListTopics",
            {"project": "projects/p", "pageSize": 2, "pageToken": "x="},
        ),
        ("GET", "/v1/projects/p/topics?page_size=2", b"", "ListTopics", {"project": "projects/p", "pageSize": 2}),
        ("DELETE", f"/v1/{T}", b"{}", "DeleteTopic", {"topic": T}),
        ("POST", f"/v1/{S}:detach", b"", "DetachSubscription", {"subscription": S}),
        ("POST", f"/v1/{S}:detach", b" {} ", "DetachSubscription", {"subscription": S}),
        ("POST", f"/v1/{S}:pull", {"maxMessages": "5"}, "Pull", {"subscription": S, "maxMessages": 5}),
        ("POST", f"/v1/{S}:seek", {"time": "2026-01-02T03:04:05Z"}, "Seek", {"subscription": S, "time": "2026-01-02T03:04:05Z"}),
        (
            "POST",
            f"/v1/{S}:modifyAckDeadline",
            {"ackIds": ["a"], "ackDeadlineSeconds": 0},
            "ModifyAckDeadline",
            {"subscription": S, "ackIds": ["a"]},
        ),
        ("POST", f"/v1/{S}:acknowledge", {"ackIds": ["a", "b"]}, "Acknowledge", {"subscription": S, "ackIds": ["a", "b"]}),
        ("POST", f"/v1/{S}:acknowledge", {"ack_ids": ["a"]}, "Acknowledge", {"subscription": S, "ackIds": ["a"]}),
        ("POST", f"/v1/{T}:publish", {"messages": [{"data": "aGk="}]}, "Publish", {"topic": T, "messages": [{"data": "aGk="}]}),
        ("POST", f"/v1/{T}:publish", {"messages": [{"data": "_-8"}], "topic": T}, "Publish", {"topic": T, "messages": [{"data": "/+8="}]}),
        (
            "POST",
            "/v1/projects/p/schemas?schemaId=s&prettyPrint=false",
            {"type": "AVRO", "definition": "{}"},
            "CreateSchema",
            {"parent": "projects/p", "schemaId": "s", "schema": {"type": "AVRO", "definition": "{}"}},
        ),
        ("GET", "/v1/projects/p/schemas/s?view=BASIC", b"", "GetSchema", {"name": "projects/p/schemas/s", "view": "BASIC"}),
        (
            "GET",
            f"/v1/{T}:getIamPolicy?options.requestedPolicyVersion=3",
            b"",
            "GetIamPolicy",
            {"resource": T, "options": {"requestedPolicyVersion": 3}},
        ),
        ("POST", f"/v1/{S}:testIamPermissions", {"permissions": ["a"]}, "TestIamPermissions", {"resource": S, "permissions": ["a"]}),
    ],
)
def test_path_query_and_body_make_the_request(
    ask: Ask, service: Service, method: str, target: str, body: object, rpc: str, request_json: dict[str, Any]
) -> None:
    response = ask(method, target, body)
    assert response.status == 200, response.body
    assert json_of(response) == {}
    assert service.path.rpartition("/")[2] == rpc
    assert service.info is not None
    assert (service.info.carrier, service.info.path) == ("rest", service.path)
    assert json.loads(json_form.dump(service.request)) == request_json


def test_a_publish_and_a_pull_over_rest_carry_what_was_sent(ask: Ask, service: Service) -> None:
    service.answer = pubsub.PublishResponse(message_ids=["1", "2"])
    messages = [
        {"data": base64.b64encode(b"payload").decode(), "attributes": {"attribute": "value"}},
        {"data": "", "orderingKey": "k", "attributes": {"a": ""}},
    ]
    assert json_of(ask("POST", f"/v1/{T}:publish", {"messages": messages})) == {"messageIds": ["1", "2"]}
    assert service.request.messages[0] == pubsub.PubsubMessage(data=b"payload", attributes={"attribute": "value"})
    service.answer = pubsub.PullResponse()
    service.answer.received_messages.add(ack_id="a1", message={"data": b"payload", "message_id": "1"}, delivery_attempt=2)
    assert json_of(ask("POST", f"/v1/{S}:pull", {"maxMessages": 1})) == {
        "receivedMessages": [{"ackId": "a1", "message": {"data": "cGF5bG9hZA==", "messageId": "1"}, "deliveryAttempt": 2}]
    }


def test_an_answer_is_pretty_unless_asked_otherwise(ask: Ask, service: Service) -> None:
    service.answer = pubsub.Topic(name=T)
    assert ask("GET", f"/v1/{T}").body == f'{{\n  "name": "{T}"\n}}\n'.encode()
    assert ask("GET", f"/v1/{T}?prettyPrint=false").body == f'{{"name":"{T}"}}'.encode()
    assert ask("GET", "/v1/nothing?prettyPrint=false").body.count(b"\n") == 0


def test_an_answer_may_be_asked_for_in_part_with_numbers_or_in_bytes(ask: Ask, service: Service) -> None:
    service.answer = pubsub.Subscription(name=S, ack_deadline_seconds=10, state=pubsub.Subscription.State.ACTIVE)
    assert json_of(ask("GET", f"/v1/{S}?fields=name")) == {"name": S}
    assert json_of(ask("GET", f"/v1/{S}?$alt=json;enum-encoding=int"))["state"] == 1
    response = ask("GET", f"/v1/{S}?alt=proto")
    assert ("Content-Type", "application/x-protobuf") in response.headers
    assert pubsub.Subscription.FromString(response.body) == service.answer


def test_the_hot_answers_too_may_be_asked_for_in_part(ask: Ask, service: Service) -> None:
    service.answer = pubsub.PublishResponse(message_ids=["1"])
    assert json_of(ask("POST", f"/v1/{T}:publish?fields=nothing", {"messages": [{"data": "aGk="}]})) == {}


@pytest.mark.parametrize(
    ("method", "target", "body", "message", "field"),
    [
        (
            "POST",
            f"/v1/{T}:publish",
            {"messages": [{"x": 1}]},
            "Invalid JSON payload received. Unknown name \"x\" at 'messages[0]': Cannot find field.",
            "messages[0]",
        ),
        ("PUT", f"/v1/{T}", {"x": 1}, 'Invalid JSON payload received. Unknown name "x": Cannot find field.', None),
        ("PUT", f"/v1/{T}", b"[]", 'Invalid JSON payload received. Unknown name "": Root element must be a message.', None),
        (
            "GET",
            f"/v1/{T}?x=1",
            b"",
            unbound("x", "x"),
            "x",
        ),
        (
            "PUT",
            f"/v1/{T}?labels=1",
            b"",
            unbound("labels", "labels"),
            "labels",
        ),
        (
            "PUT",
            f"/v1/{T}?updateMask=a",
            b"",
            unbound("updateMask", "updateMask"),
            "updateMask",
        ),
        (
            "POST",
            "/v1/projects/p/schemas?schema.name=x",
            b"",
            unbound("schema.name", "schema"),
            "schema.name",
        ),
        ("POST", f"/v1/{T}:publish?x=1", {"messages": [{"data": "aGk="}]}, unbound("x", "x"), "x"),
        ("DELETE", f"/v1/{T}", {"force": True}, 'Invalid JSON payload received. Unknown name "force": Cannot find field.', None),
        ("POST", f"/v1/{S}:acknowledge", {"ackIds": "a"}, "Invalid value at 'ack_ids' (List), \"a\"", "ack_ids"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_place(
    ask: Ask, service: Service, method: str, target: str, body: object, message: str, field: str | None
) -> None:
    error = error_of(ask(method, target, body))
    assert (error["code"], error["status"], error["message"]) == (400, "INVALID_ARGUMENT", message)
    violation = {"description": message} if field is None else {"field": field, "description": message}
    assert error["details"] == [{"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]}]
    assert service.request is None


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/v1"),
        ("GET", "/v1/projects/p/unknown/x"),
        ("POST", f"/v1/{T}"),
        ("TRACE", f"/v1/{T}"),
        ("POST", "/"),
        ("POST", f"/v1beta2/{T}:publish"),
        ("GET", "/google.pubsub.v1.Publisher/Publish"),
        ("GET", ""),
    ],
)
def test_a_path_that_means_nothing_is_not_found(ask: Ask, method: str, target: str) -> None:
    error = error_of(ask(method, target))
    assert (error["code"], error["status"]) == (404, "NOT_FOUND")
    assert "was not found on this server" in error["message"]


def test_a_refusal_of_the_service_has_its_status_and_words(ask: Ask, service: Service) -> None:
    service.answer = FailedPrecondition("not so")
    error = error_of(ask("GET", f"/v1/{T}"))
    assert (error["code"], error["status"], error["message"]) == (400, "FAILED_PRECONDITION", "not so")
    assert "details" not in error


@pytest.mark.parametrize(
    ("target", "headers", "body"),
    [
        (f"/v1/{T}", {"content_encoding": "br"}, b"x"),
        (f"/v1/{T}", {"content_encoding": "gzip"}, b"x"),
        (f"/v1/{T}", {"x_http_method_override": "BREW"}, b""),
        (f"/v1/{T}?alt=media", {}, b""),
    ],
)
def test_a_request_that_cannot_be_read_is_refused(ask: Ask, target: str, headers: dict[str, str], body: bytes) -> None:
    assert error_of(ask("POST", target, body, **headers))["status"] == "INVALID_ARGUMENT"


def test_a_gzip_body_is_read(ask: Ask, service: Service) -> None:
    body = gzip.compress(json.dumps({"messages": [{"data": "aGk="}]}).encode())
    assert ask("POST", f"/v1/{T}:publish", body, content_encoding="gzip").status == 200
    assert service.request.messages[0].data == b"hi"


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/x-www-form-urlencoded", "text/plain", ""])
def test_the_content_type_does_not_matter(ask: Ask, service: Service, content_type: str) -> None:
    headers = {"content_type": content_type} if content_type else {}
    assert ask("POST", f"/v1/{S}:pull", {"maxMessages": 1}, **headers).status == 200
    assert service.request.max_messages == 1


def test_an_overridden_method_takes_the_route_of_the_one_that_is_meant(ask: Ask, service: Service) -> None:
    assert ask("POST", f"/v1/{T}", {"topic": {}, "updateMask": "labels"}, x_http_method_override="PATCH").status == 200
    assert service.path.endswith("/UpdateTopic")
    headers = {"x_http_method_override": "GET", "content_type": "application/x-www-form-urlencoded"}
    assert ask("POST", "/v1/projects/p/topics", b"pageSize=7&alt=json", **headers).status == 200
    assert service.request == pubsub.ListTopicsRequest(project="projects/p", page_size=7)


@pytest.mark.parametrize("target", ["/", "/healthz", f"/v1/{T}", "/nothing"])
@pytest.mark.parametrize("headers", [{"origin": "http://evil.example"}, {"sec_fetch_site": "cross-site"}])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
def test_a_foreign_web_page_is_refused_on_every_path(ask: Ask, service: Service, method: str, headers: dict[str, str], target: str) -> None:
    response = ask(method, target, **headers)
    assert error_of(response)["status"] == "PERMISSION_DENIED"
    assert response.status == 403
    assert service.request is None


def test_a_page_allowed_by_name_reads_answers_and_refusals(service: Service) -> None:
    rest = Rest(service.dispatcher, cors_origins=["http://friend.example"])
    for method, target, status in (("GET", f"/v1/{T}", 200), ("GET", "/nothing", 404), ("GET", "/", 200), ("OPTIONS", f"/v1/{T}", 204)):
        response = rest.answer(HttpRequest(method, target, {"origin": "http://friend.example"}))
        assert isinstance(response, HttpResponse)
        assert response.status == status
        assert ("Access-Control-Allow-Origin", "http://friend.example") in response.headers


@pytest.mark.parametrize(
    ("headers", "is_compressed"),
    [
        ({"accept-encoding": "gzip, deflate", "user-agent": "google-api-python-client (gzip)"}, True),
        ({"accept-encoding": "gzip, deflate", "user-agent": "python-requests/2"}, False),
        ({"accept-encoding": "identity", "user-agent": "(gzip)"}, False),
        ({"user-agent": "(gzip)"}, False),
    ],
)
@pytest.mark.parametrize("is_late", [False, True])
def test_an_answer_is_compressed_for_who_asks_for_it_as_the_service_wants(headers: dict[str, str], is_compressed: bool, is_late: bool) -> None:
    name = "projects/p/topics/" + "x" * 2_000

    def get(body: bytes, info: CallInfo) -> Any:
        answer = pubsub.Topic(name=name).SerializeToString()
        return _later(answer) if is_late else answer

    answer: Any = Rest(Dispatcher({"/google.pubsub.v1.Publisher/GetTopic": get})).answer(HttpRequest("GET", f"/v1/{T}", headers))
    response = asyncio.run(_awaited(answer)) if is_late else answer
    named = dict(response.headers)
    assert (named.get("Content-Encoding"), named.get("Vary")) == (("gzip", "Accept-Encoding") if is_compressed else (None, None))
    assert json.loads(gzip.decompress(response.body) if is_compressed else response.body) == {"name": name}


async def _later(answer: bytes) -> bytes:
    await asyncio.sleep(0)
    return answer


def test_an_answer_that_has_to_wait_is_a_coroutine_that_can_be_cancelled() -> None:
    left: list[str] = []

    async def pull(body: bytes, info: CallInfo) -> bytes:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            left.append("pull")
        return b""

    async def ask_and_leave() -> None:
        answer = Rest(Dispatcher({"/google.pubsub.v1.Subscriber/Pull": pull})).answer(HttpRequest("POST", f"/v1/{S}:pull", {}, b"{}"))
        assert not isinstance(answer, HttpResponse)
        task = asyncio.ensure_future(answer)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()

    asyncio.run(ask_and_leave())
    assert left == ["pull"]


def test_an_answer_that_came_later_is_written_like_any_other() -> None:
    async def pull(body: bytes, info: CallInfo) -> bytes:
        await asyncio.sleep(0)
        return b""

    answer = Rest(Dispatcher({"/google.pubsub.v1.Subscriber/Pull": pull})).answer(HttpRequest("POST", f"/v1/{S}:pull", {}, b"{}"))
    assert not isinstance(answer, HttpResponse)
    assert asyncio.run(_awaited(answer)).body == b"{}\n"


async def _awaited(answer: Any) -> HttpResponse:
    response = await answer
    assert isinstance(response, HttpResponse)
    return response


@pytest.mark.parametrize("wrong", [b"\xff", b"\x0a\xff"])
def test_an_answer_that_cannot_be_written_is_a_bug_that_is_kept(wrong: bytes) -> None:
    dispatcher = Dispatcher({"/google.pubsub.v1.Publisher/GetTopic": lambda body, info: wrong})
    response = Rest(dispatcher).answer(HttpRequest("GET", f"/v1/{T}", {}))
    assert isinstance(response, HttpResponse)
    assert error_of(response)["status"] == "INTERNAL"
    assert len(dispatcher.surprises) == 1


def test_an_answer_that_came_later_and_cannot_be_written_is_kept_too() -> None:
    async def get(body: bytes, info: CallInfo) -> bytes:
        await asyncio.sleep(0)
        return b"\xff"

    dispatcher = Dispatcher({"/google.pubsub.v1.Publisher/GetTopic": get})
    answer = Rest(dispatcher).answer(HttpRequest("GET", f"/v1/{T}", {}))
    assert error_of(asyncio.run(_awaited(answer)))["status"] == "INTERNAL"
    assert len(dispatcher.surprises) == 1


def test_the_callers_headers_reach_the_service_as_metadata(ask: Ask, service: Service) -> None:
    ask("GET", f"/v1/{T}", x_goog_user_project="p")
    assert service.info is not None
    assert (b"x-goog-user-project", b"p") in service.info.metadata


def test_an_empty_answer_is_the_empty_object(ask: Ask, service: Service) -> None:
    service.answer = known.Empty()
    assert ask("DELETE", f"/v1/{T}").body == b"{}\n"
