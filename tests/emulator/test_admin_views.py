"""What the admin API shows: events as they come, what there is, what is unacked; whom it answers; which calls a fault means."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from publican_emulator.admin import following
from publican_emulator.broker.broker import Broker
from tests.emulator.conftest import Rest
from tests.emulator.test_admin import SUBSCRIPTION, TOPIC, Admin, admin, publish, pull

__all__ = ["admin"]  # the fixture


@contextmanager
def followed(admin: Admin, after: str = "", headers: dict[str, str] | None = None) -> Iterator[http.client.HTTPResponse]:
    connection = http.client.HTTPConnection(admin.emulator.address, timeout=10)
    connection.request("GET", f"/_publican/events?follow=true{after}", headers=headers or {})
    response = connection.getresponse()
    assert (response.status, response.headers["Content-Type"]) == (200, "text/event-stream; charset=UTF-8")
    yield response
    response.close()
    connection.close()


def next_event(response: http.client.HTTPResponse) -> dict[str, str]:
    event: dict[str, str] = {}
    while line := response.readline().decode().rstrip("\n"):
        name, _, value = line.partition(": ")
        event[name] = value
    return event


def test_events_are_followed_as_they_come(admin: Admin) -> None:
    with followed(admin) as response:
        kinds = [next_event(response)["event"] for _ in range(2)]
        assert kinds == ["created", "created"]
        publish(admin)
        published = next_event(response)
        assert (published["event"], published["id"]) == ("published", "3")
        assert json.loads(published["data"])["messageIds"] == ["1"]


def test_following_goes_on_where_it_was_cut(admin: Admin) -> None:
    publish(admin)
    with followed(admin, headers={"Last-Event-ID": "2"}) as response:
        assert next_event(response)["event"] == "published"
    with followed(admin, after="&after=1") as response:
        assert next_event(response)["id"] == "2"


def test_followers_are_told_of_a_reset(admin: Admin) -> None:
    publish(admin)
    with followed(admin, after="&after=2") as response:
        assert next_event(response)["event"] == "published"
        admin.emulator.reset()
        admin.emulator.ask("PUT", f"/v1/{TOPIC}", b"{}")
        assert [next_event(response)["event"] for _ in range(2)] == ["reset", "created"]


def test_silence_has_a_sign_of_life(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "BEAT_S", 0.01)
    with followed(admin, after="&after=2") as response:
        assert response.readline() == b": nothing yet\n"


def test_the_state_tells_what_waits_and_what_is_leased(admin: Admin, rest: Rest) -> None:
    for _ in range(3):
        publish(admin)
    rest(admin.emulator.address, "POST", f"/v1/{SUBSCRIPTION}:pull", {"maxMessages": 1, "returnImmediately": True})
    assert admin.get("/state") == {
        "topics": [TOPIC],
        "subscriptions": [{"name": SUBSCRIPTION, "topic": TOPIC, "leased": 1, "waiting": 2, "consumers": 0}],
        "snapshots": [],
    }


def test_peeking_takes_nothing(admin: Admin, rest: Rest) -> None:
    publish(admin, b"one")
    publish(admin, b"two")
    for _ in range(2):
        told = admin.get(f"/{SUBSCRIPTION}/messages")["messages"]
        assert [(each["messageId"], each["data"], each["state"]) for each in told] == [("1", "b25l", "waiting"), ("2", "dHdv", "waiting")]
    assert len(admin.get(f"/{SUBSCRIPTION}/messages?max=1")["messages"]) == 1
    assert len(pull(admin, rest)) == 2
    (first, _) = admin.get(f"/{SUBSCRIPTION}/messages")["messages"]
    assert (first["state"], first["until"]) == ("leased", "2026-01-01T00:00:10.000000000Z")


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8085", "127.0.0.1:1", "[::1]:8085", "publican:8085", "host.docker.internal:8085", "box.local"]
)
def test_names_that_only_this_machine_or_network_knows_are_answered(admin: Admin, host: str) -> None:
    assert admin.ask("GET", "/health", headers={"Host": host})[0] == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8085", "127.0.0.1.evil.example", "localhost.evil.example:80", "EVIL.example."])
def test_a_name_that_a_strangers_dns_can_point_here_is_refused(admin: Admin, host: str) -> None:
    status, answer = admin.ask("GET", "/messages", headers={"Host": host})
    assert status == 403
    assert "does not answer to the name" in answer["error"]["message"]


def fault(admin: Admin, **fields: object) -> tuple[int, Any]:
    return admin.ask("POST", "/faults", {"code": "UNAVAILABLE", **fields})


def test_a_fault_may_mean_calls_with_certain_fields_only(admin: Admin, rest: Rest) -> None:
    status, _ = fault(admin, method="Acknowledge", when={"subscription": SUBSCRIPTION}, times=0)
    assert status == 200
    other = f"{SUBSCRIPTION}-2"
    assert rest(admin.emulator.address, "PUT", f"/v1/{other}", {"topic": TOPIC})[0] == 200
    assert [rest(admin.emulator.address, "POST", f"/v1/{name}:acknowledge", {"ackIds": ["x"]})[0] for name in (SUBSCRIPTION, other)] == [503, 400]
    assert admin.get("/faults")["faults"][0]["hits"] == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"method": "Publihs"}, "'Publihs' is none of the API's; did you mean Publish?"),
        ({"method": "Publish", "when": {"topik": "x"}}, 'Unknown name "topik"'),
        ({"method": "Publish", "when": "orders"}, "Invalid when"),
        ({"method": "*", "when": {"topic": "x"}}, "means every call"),
        ({"method": "StreamingPull", "when": {"subscription": "x"}}, "means every call"),
    ],
)
def test_a_fault_that_could_mean_nothing_is_refused(admin: Admin, fields: dict[str, object], words: str) -> None:
    status, answer = fault(admin, **fields)
    assert status == 400
    assert words in answer["error"]["message"]
    assert admin.get("/faults")["faults"] == []


def test_mischief_that_is_still_to_be_done_is_taken_back(admin: Admin) -> None:
    admin.post(f"/{SUBSCRIPTION}/loseAcks", count=3)
    assert admin.ask("DELETE", f"/{SUBSCRIPTION}/mischief", {"acksToLose": 2})[1]["acksToLose"] == 1
    assert admin.ask("DELETE", f"/{SUBSCRIPTION}/mischief", {"acksToLose": 9, "batchesToReorder": 1})[1]["acksToLose"] == 0


def test_a_lease_that_outlasts_the_deadline_that_was_waited_for_is_noted(admin: Admin) -> None:
    publish(admin)
    stream = admin.emulator.run(Broker.open_stream, SUBSCRIPTION, 60, 0, 0, "")
    admin.emulator.run(Broker.lease, stream, 1_000)
    admin.post("/clock/advance", seconds=9.999)
    assert admin.get("/history").splitlines()[2:] == [
        "  +0.000s   delivered    sub=billing  attempt=1  lease=1m  via StreamingPull #1  (set by the stream)",
        "still open: m1 leased on billing by StreamingPull #1 until +60.000s",
    ]
    admin.post("/clock/advance", seconds=0.001)
    assert admin.get("/history").splitlines()[-1] == (
        "note: billing's ack deadline of 10s has passed, but the stream asks for longer leases: one of them is leased all the same; "
        "subscription.expire(message) ends a lease now"
    )
    admin.post("/clock/advance", seconds=50)
    assert "note:" not in admin.get("/history")


def test_a_back_off_that_is_waited_for_is_still_open(admin: Admin, rest: Rest) -> None:
    rest(admin.emulator.address, "PUT", f"/v1/{SUBSCRIPTION}-2", {"topic": TOPIC, "retryPolicy": {"minimumBackoff": "10s", "maximumBackoff": "10s"}})
    publish(admin)
    pulled = rest(admin.emulator.address, "POST", f"/v1/{SUBSCRIPTION}-2:pull", {"maxMessages": 1})[1]["receivedMessages"]
    rest(admin.emulator.address, "POST", f"/v1/{SUBSCRIPTION}-2:modifyAckDeadline", {"ackIds": [pulled[0]["ackId"]], "ackDeadlineSeconds": 0})
    assert admin.get("/history").splitlines()[-1].startswith("still open: m1 waits for its back-off on billing-2 until +")


def test_a_pull_that_finds_nothing_is_told(admin: Admin, rest: Rest) -> None:
    assert pull(admin, rest) == []
    publish(admin)
    assert len(pull(admin, rest)) == 1
    assert admin.get("/history").splitlines()[3:5] == [
        "besides",
        "  +0.000s   pulled none  sub=billing  via Pull #1  (there was nothing to hand out)",
    ]
    assert [each["kind"] for each in admin.get("/events")["events"]].count("pulled none") == 1


def test_of_a_long_story_the_beginning_and_the_end_are_told(admin: Admin) -> None:
    publish(admin)
    for _ in range(30):
        pulled = json.loads(admin.emulator.ask("POST", f"/v1/{SUBSCRIPTION}:pull", b'{"maxMessages": 1}').body)["receivedMessages"]
        ack_ids = [each["ackId"] for each in pulled]
        admin.emulator.ask("POST", f"/v1/{SUBSCRIPTION}:modifyAckDeadline", json.dumps({"ackIds": ack_ids, "ackDeadlineSeconds": 0}).encode())
    lines = admin.get("/history").splitlines()
    assert (len(lines), lines[21]) == (42, "  (21 more in between)")
    assert lines[-1].endswith("attempt=30")


def test_messages_with_which_something_went_wrong_are_always_shown(admin: Admin) -> None:
    publish(admin, b"odd")
    admin.emulator.ask("POST", f"/v1/{SUBSCRIPTION}:pull", b'{"maxMessages": 1}')
    admin.post("/clock/advance", seconds=10)
    for _ in range(120):
        publish(admin)
    heads = [line.split()[0] for line in admin.get("/history").splitlines() if line.startswith("m")]
    assert (len(heads), heads[:2], heads[-1]) == (101, ["m1", "m22"], "m121")


def test_what_a_test_should_not_leave_is_waited_for(admin: Admin) -> None:
    stream = admin.emulator.run(Broker.open_stream, SUBSCRIPTION, 60, 0, 0, "")
    assert [each["label"] for each in admin.get("/ending")["consumers"]] == ["StreamingPull #1"]
    closing = threading.Timer(0.05, admin.emulator.run, (Broker.close, stream))
    closing.start()
    assert admin.get("/ending?waitSeconds=10") == {"errors": [], "nackLoops": [], "consumers": []}
    closing.join()


def test_a_snapshot_is_gone_on_with(admin: Admin, rest: Rest) -> None:
    publish(admin)
    pull(admin, rest)
    state = admin.get("/snapshot")
    admin.post("/reset")
    assert admin.get("/state")["topics"] == []
    assert admin.ask("PUT", "/snapshot", state)[0] == 200
    assert admin.get("/state")["subscriptions"][0]["leased"] == 1
    status, answer = admin.ask("PUT", "/snapshot", {"state": {"no": "such"}})
    assert status == 400, answer
    assert admin.ask("PUT", "/snapshot", {})[0] == 400
    assert admin.get("/state")["topics"] == [TOPIC]
