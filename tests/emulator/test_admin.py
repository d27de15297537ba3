"""The admin API: what it does, what it refuses, and that it says so in JSON."""

import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from publican_emulator import Emulator, VirtualClock
from publican_emulator.broker.broker import Broker
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.settings import SubscriptionSettings, TopicSettings
from publican_protocol import pubsub
from tests.emulator.conftest import Rest

TOPIC = "projects/p/topics/orders"
SUBSCRIPTION = "projects/p/subscriptions/billing"
START = Nanos(1_767_225_600 * SECOND)  # 2026-01-01T00:00:00Z
PULL = f"/v1/{SUBSCRIPTION}:pull"


class Admin:
    """A caller over a socket."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator

    def ask(self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(self.emulator.address, timeout=10)
        try:
            data = body if isinstance(body, bytes) else None if body is None else json.dumps(body)
            connection.request(method, f"/_publican{path}", data, {"X-Publican-Admin": "test"} if headers is None else headers)
            response = connection.getresponse()
            text = response.read()
            assert response.headers["X-Publican-Version"]
            return response.status, json.loads(text) if "json" in response.headers["Content-Type"] else text.decode()
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        status, answer = self.ask("GET", path)
        assert status == 200, answer
        return answer

    def post(self, path: str, **body: object) -> Any:
        status, answer = self.ask("POST", path, body)
        assert status == 200, answer
        return answer


@pytest.fixture
def admin() -> Iterator[Admin]:
    with Emulator(clock=VirtualClock(START), history=True, pull_wait_s=0.0) as emulator:
        emulator.run(Broker.create_topic, TOPIC, TopicSettings())
        emulator.run(Broker.create_subscription, SUBSCRIPTION, TOPIC, SubscriptionSettings())
        yield Admin(emulator)


def publish(admin: Admin, data: bytes = b"one") -> None:
    admin.emulator.run(Broker.publish, TOPIC, [pubsub.PubsubMessage(data=data).SerializeToString()])


def pull(admin: Admin, rest: Rest) -> list[dict[str, Any]]:
    status, answer = rest(admin.emulator.address, "POST", PULL, {"maxMessages": 10, "returnImmediately": True})
    assert status == 200
    received: list[dict[str, Any]] = answer.get("receivedMessages", [])
    return received


def test_health_and_info(admin: Admin) -> None:
    assert admin.get("/health") == {"status": "ok"}
    told = admin.get("/info")
    assert (told["name"], told["address"], told["clock"], told["history"]) == ("publican", admin.emulator.address, "virtual", True)


def test_time_is_told_and_moved_and_tells_what_happened(admin: Admin, rest: Rest) -> None:
    assert admin.get("/clock") == {"now": "2026-01-01T00:00:00.000000000Z", "clock": "virtual"}
    publish(admin)
    assert len(pull(admin, rest)) == 1
    told = admin.post("/clock/advance", seconds=9.5)
    assert (told["now"], told["events"]) == ("2026-01-01T00:00:09.500000000Z", [])
    (expired,) = admin.post("/clock/move", to="2026-01-01T00:00:30Z")["events"]
    assert (expired["kind"], expired["at"], expired["messageIds"]) == ("expired", "2026-01-01T00:00:10.000000000Z", ["1"])
    assert len(pull(admin, rest)) == 1
    assert admin.post("/clock/step", withinSeconds=5)["moved"] is False
    stepped = admin.post("/clock/step", withinSeconds=60)
    assert (stepped["moved"], stepped["now"]) == (True, "2026-01-01T00:00:40.000000000Z")


def test_time_does_not_run_backwards(admin: Admin) -> None:
    for path, body in (("/clock/advance", {"seconds": -1}), ("/clock/move", {"to": "2025-12-31T00:00:00Z"})):
        status, answer = admin.ask("POST", path, body)
        assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT")
        assert "backwards" in answer["error"]["message"]


def test_real_time_is_not_moved(admin: Admin) -> None:
    admin.post("/reset", clock="real")
    status, answer = admin.ask("POST", "/clock/advance", {"seconds": 1})
    assert (status, answer["error"]["status"]) == (400, "FAILED_PRECONDITION")


def test_a_reset_begins_with_an_empty_broker_at_a_time_of_choice(admin: Admin, rest: Rest) -> None:
    publish(admin)
    assert admin.post("/reset", start="2030-06-01T12:00:00.5Z") == {"now": "2030-06-01T12:00:00.500000000Z", "clock": "virtual"}
    assert admin.get("/messages") == {"messages": []}
    assert rest(admin.emulator.address, "GET", f"/v1/{TOPIC}")[0] == 404


def test_messages_come_with_their_events_and_states(admin: Admin, rest: Rest) -> None:
    publish(admin, b"one")
    publish(admin, b"two")
    (first, _) = pull(admin, rest)
    rest(admin.emulator.address, "POST", f"/v1/{SUBSCRIPTION}:acknowledge", {"ackIds": [first["ackId"]]})
    one, two = admin.get("/messages")["messages"]
    assert (one["messageId"], one["data"], one["topic"], one["publishTime"]) == ("1", "b25l", TOPIC, "2026-01-01T00:00:00.000000000Z")
    assert [each["kind"] for each in one["events"]] == ["published", "delivered", "acked"]
    assert one["states"] == {SUBSCRIPTION: {"state": "acked", "attempt": 1}}
    assert two["states"] == {SUBSCRIPTION: {"state": "leased", "attempt": 1, "until": "2026-01-01T00:00:10.000000000Z"}}
    assert [each["messageId"] for each in admin.get(f"/messages?resource={SUBSCRIPTION}")["messages"]] == ["1", "2"]
    assert admin.get("/messages?resource=projects/p/topics/other") == {"messages": []}


def test_what_nobody_reads_is_told_as_well(admin: Admin) -> None:
    admin.emulator.run(Broker.create_topic, "projects/p/topics/lonely", TopicSettings())
    admin.emulator.run(Broker.publish, "projects/p/topics/lonely", [pubsub.PubsubMessage(data=b"hello?").SerializeToString()])
    (told,) = admin.get("/messages")["messages"]
    assert (told["topic"], told["states"], told["events"][0]["note"]) == ("projects/p/topics/lonely", {}, "nobody reads it")


def test_the_history_is_text(admin: Admin, rest: Rest) -> None:
    publish(admin)
    pull(admin, rest)
    assert admin.get("/history").splitlines()[0] == "m1  topic=orders  b'one'"


def test_events_are_waited_for(admin: Admin) -> None:
    last = admin.get("/events")["last"]
    answers: list[Any] = []
    waiter = threading.Thread(target=lambda: answers.append(admin.get(f"/events?after={last}&waitSeconds=10")))
    waiter.start()
    publish(admin)
    waiter.join(timeout=10)
    (told,) = answers
    assert [each["kind"] for each in told["events"]] == ["published"]
    assert admin.get(f"/events?after={told['last']}&waitSeconds=0")["events"] == []


def test_faults_are_made_told_and_taken_back(admin: Admin, rest: Rest) -> None:
    number = admin.post("/faults", method="Pull", code="UNAVAILABLE", message="closed", times=2)["fault"]
    assert rest(admin.emulator.address, "POST", PULL, {"maxMessages": 1})[0] == 503
    (told,) = admin.get("/faults")["faults"]
    assert told == {"fault": number, "method": "Pull", "hits": 1, "times": 2, "code": "UNAVAILABLE", "message": "closed"}
    assert admin.ask("DELETE", f"/faults/{number}")[1]["hits"] == 1
    assert pull(admin, rest) == []
    admin.post("/faults", method="Publish", delaySeconds=5)
    assert [each["hits"] for each in admin.ask("DELETE", "/faults")[1]["faults"]] == [0]
    assert admin.ask("DELETE", "/faults/77")[0] == 404


def test_mischief(admin: Admin, rest: Rest) -> None:
    publish(admin)
    (received,) = pull(admin, rest)
    admin.post(f"/{SUBSCRIPTION}/loseAcks", count=1)
    rest(admin.emulator.address, "POST", f"/v1/{SUBSCRIPTION}:acknowledge", {"ackIds": [received["ackId"]]})
    admin.post(f"/{SUBSCRIPTION}/failAcks", count=2)
    done = {"acksLost": 1, "acksToLose": 0, "acksFailed": 0, "acksToFail": 2, "batchesReordered": 0, "batchesToReorder": 0}
    assert admin.get(f"/{SUBSCRIPTION}/mischief") == done
    assert admin.post(f"/{SUBSCRIPTION}/expire", messageId="1") == {"count": 1}
    assert len(pull(admin, rest)) == 1
    assert admin.post(f"/{SUBSCRIPTION}/duplicate", messageId="1") == {"count": 1}
    assert len(pull(admin, rest)) == 1
    assert admin.post(f"/{SUBSCRIPTION}/expire", messageId="99") == {"count": 0}
    assert admin.ask("POST", "/projects/p/subscriptions/none/loseAcks", {})[0] == 404


def test_a_restart_ends_connections_and_keeps_messages(admin: Admin, rest: Rest) -> None:
    publish(admin)
    idle = http.client.HTTPConnection(admin.emulator.address, timeout=10)
    idle.request("GET", "/healthz")
    assert idle.getresponse().read() == b"ok\n"
    admin.post("/restart")
    assert idle.sock.recv(1) == b""
    idle.close()
    assert len(pull(admin, rest)) == 1


@pytest.mark.parametrize("path", ["/reset", "/restart", "/clock/advance", "/faults", "/streams/break"])
def test_a_change_without_the_header_is_refused(admin: Admin, path: str) -> None:
    status, answer = admin.ask("POST", path, {}, headers={})
    assert (status, answer["error"]["status"]) == (403, "PERMISSION_DENIED")
    assert "x-publican-admin" in answer["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("GET", "/nothing", None, 404, "GET /_publican/ lists"),
        ("GET", "/reset", None, 404, "it takes POST"),
        ("POST", "/clock/advance", {}, 400, "Missing seconds"),
        ("POST", "/clock/advance", {"seconds": "soon"}, 400, "Invalid seconds: 'soon'"),
        ("POST", "/clock/advance", {"seconds": 1e300}, 400, "Invalid seconds: 1e+300"),
        ("POST", "/clock/advance", {"hours": 1}, 400, "Unknown field 'hours': POST /clock/advance takes seconds"),
        ("POST", "/clock/advance", b"{", 400, "not a JSON object"),
        ("POST", "/clock/advance", b"[1]", 400, "not a JSON object"),
        ("POST", "/clock/advance", b"[" * 100_000, 400, "not a JSON object"),
        ("POST", "/clock/move", {"to": "tomorrow"}, 400, "Invalid to: 'tomorrow'"),
        ("POST", "/clock/move", {"to": "2026-01-01T00:00:00"}, 400, "no time zone"),
        ("POST", "/reset", {"clock": "sand"}, 400, "Invalid clock: 'sand'"),
        ("POST", "/faults", {"code": "UNAVAILABLE"}, 400, "Missing method"),
        ("POST", "/faults", {"method": "Pull", "code": "OK"}, 400, "Invalid code: 'OK'"),
        ("POST", "/faults", {"method": "Pull", "code": "ABORTED", "times": -1}, 400, "Invalid times"),
        ("POST", f"/{SUBSCRIPTION}/expire", {"messageId": "m1"}, 400, "Invalid messageId: 'm1'"),
    ],
)
def test_bad_input_is_refused_by_name(admin: Admin, method: str, path: str, body: object, status: int, words: str) -> None:
    found, answer = admin.ask(method, path, body)
    assert found == status
    assert words in answer["error"]["message"]
    assert admin.emulator.surprises == []


def test_the_pages_list_every_operation(admin: Admin) -> None:
    told = admin.get("/openapi.json")["paths"]
    assert set(told["/_publican/faults"]) == {"get", "post", "delete"}
    page = admin.get("/")
    assert all(path.replace("&", "&amp;") in page for path in told)


def test_it_is_off_where_other_machines_can_ask() -> None:
    with Emulator(host="0.0.0.0") as emulator:
        refused = Admin(emulator).ask("GET", "/info")
    assert refused[0] == 403
    assert "--admin" in refused[1]["error"]["message"]
    with Emulator(host="0.0.0.0", admin=True) as emulator:
        assert Admin(emulator).ask("GET", "/info")[0] == 200


def test_nack_loops_are_told(admin: Admin) -> None:
    publish(admin)

    def nack_at_once(broker: Broker, now: Nanos) -> None:
        for _ in range(1000):
            consumer = broker.open_pull(SUBSCRIPTION, 1, now)
            batch = broker.lease(consumer, 1000, now)
            (ack_id,) = [each.ack_id for each in pubsub.PullResponse.FromString(batch.encoded()).received_messages]
            broker.modify_ack_deadline(SUBSCRIPTION, [ack_id], 0, now)
            broker.close(consumer, now)

    admin.emulator.run(nack_at_once)
    (told,) = admin.get("/surprises")["nackLoops"]
    assert told.startswith("nack loop: billing has handed out m1 1000 times at one instant: its consumer gives it back")
