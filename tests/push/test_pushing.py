"""Push subscriptions against a real endpoint: one that answers, fails, stalls, disconnects and redirects."""

import json
import threading
import time
from typing import Any

import pytest

from publican_emulator import Emulator, control
from publican_emulator.broker.broker import Broker
from publican_emulator.broker.errors import FailedPrecondition
from publican_emulator.broker.events import Kind
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.schema_settings import Definition, Encoding, Language, SchemaSettings
from publican_emulator.broker.settings import DeadLetterPolicy, RetryPolicy, SubscriptionSettings, TopicSettings
from publican_emulator.driver import VirtualClock
from publican_emulator.push import flights, pushing
from tests.push.bench import SUBSCRIPTION, TOPIC, PushBench
from tests.push.endpoint import Answer, Endpoint, in_turn, serving, status


def test_a_message_is_posted_once_and_acked_by_the_answer(bench: PushBench) -> None:
    bench.subscription(path="/push?token=abc&b=%2F#fragment")
    bench.publish("hello", kind="new")
    bench.advance(0)
    (received,) = bench.endpoint.received
    assert (received.request.method, received.path) == ("POST", "/push?token=abc&b=%2F")
    assert received.json["message"]["attributes"] == {"kind": "new"}
    assert received.json["subscription"] == SUBSCRIPTION
    assert received.headers["Content-Type"] == "application/json"
    bench.advance(3_600)
    assert len(bench.endpoint.received) == 1
    assert len(bench.facts(Kind.ACKED)) == 1


@pytest.mark.parametrize("code", [200, 201, 202, 204])
def test_these_statuses_ack(bench: PushBench, code: int) -> None:
    bench.endpoint.answer = status(code)
    bench.subscription()
    bench.publish("a")
    bench.advance(120)
    assert bench.data() == ["a"]


@pytest.mark.parametrize("code", [203, 205, 206, 301, 304, 400, 401, 404, 410, 429, 500, 503])
def test_any_other_status_is_a_nack_that_comes_back_after_100_ms(bench: PushBench, code: int) -> None:
    bench.endpoint.answer = in_turn(status(code), status(200))
    bench.subscription()
    bench.publish("a")
    bench.advance(0.099)
    assert bench.data() == ["a"]
    bench.advance(0.001)
    assert bench.data() == ["a", "a"]
    bench.advance(120)
    assert bench.data() == ["a", "a"]
    assert bench.facts(Kind.NACKED) == [f"HTTP {code}"]


def test_failures_back_off_from_100_ms_to_60_s_and_a_success_starts_afresh(bench: PushBench) -> None:
    bench.endpoint.answer = status(500)
    bench.subscription()
    start = bench.emulator.now()
    bench.publish("a")
    bench.advance(240)
    delivered = [(fact.at - start) / SECOND for fact in bench.emulator.history.facts if fact.kind is Kind.DELIVERED]
    assert delivered == [0, 0.1, 0.3, 0.7, 1.5, 3.1, 6.3, 12.7, 25.5, 51.1, 102.3, 162.3, 222.3]
    bench.endpoint.answer = in_turn(status(200), status(500), status(200))
    bench.advance(60)
    bench.publish("b")
    bench.advance(0.1)
    assert bench.data()[-2:] == ["b", "b"]


def test_a_redirect_is_not_followed(bench: PushBench) -> None:
    bench.endpoint.answer = in_turn(bench.endpoint.redirects, status(200))
    bench.subscription()
    bench.publish("a")
    bench.advance(1)
    assert [received.path for received in bench.endpoint.received] == ["/push", "/push"]


def test_a_disconnect_is_a_nack(bench: PushBench) -> None:
    bench.endpoint.answer = in_turn(bench.endpoint.disconnects, status(200))
    bench.subscription()
    bench.publish("a")
    bench.advance(1)
    assert bench.data()[-1] == "a"
    assert len(bench.facts(Kind.NACKED)) == 1
    assert len(bench.facts(Kind.ACKED)) == 1


def test_nobody_listening_is_a_nack_and_the_log_tells_it_once(bench: PushBench, caplog: pytest.LogCaptureFixture) -> None:
    with serving() as gone:
        url = gone.url
    bench.emulator.ask("PUT", "/v1/" + SUBSCRIPTION, json.dumps({"topic": TOPIC, "pushConfig": {"pushEndpoint": url}}).encode())
    bench.publish("a")
    bench.advance(1)
    assert len(bench.facts(Kind.NACKED)) == 4
    told = [record.getMessage() for record in caplog.records if record.name == pushing.__name__]
    assert len(told) == 1
    assert told[0].startswith(f"{SUBSCRIPTION}: a push to {url} failed and is tried again: ")


def test_a_request_is_given_up_when_the_ack_deadline_passes(bench: PushBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flights, "SETTLE_S", 0.2)
    bench.endpoint.answer = in_turn(bench.endpoint.stalls, status(200))
    bench.subscription(ack_deadline_s=30)
    bench.publish("a")
    bench.advance(29.999)
    assert (bench.data(), bench.endpoint.given_up) == (["a"], 0)
    bench.advance(0.001)
    bench.endpoint.wait_given_up(1)
    assert len(bench.facts(Kind.EXPIRED)) == 1
    bench.advance(0.1)
    assert bench.data() == ["a", "a"]
    assert len(bench.facts(Kind.ACKED)) == 1
    assert bench.facts(Kind.NACKED) == []


def test_the_answers_body_is_not_waited_for_and_not_kept(bench: PushBench, monkeypatch: pytest.MonkeyPatch) -> None:
    from aiohttp import web

    async def endless(received: Any) -> web.StreamResponse:
        response = web.StreamResponse(status=200)
        await response.prepare(received.request)
        for _ in range(1_000):
            await response.write(b"x" * 65_536)
        return response

    bench.endpoint.answer = endless
    bench.subscription()
    bench.publish("a")
    bench.advance(0)
    assert len(bench.facts(Kind.ACKED)) == 1


def test_requests_begin_few_and_grow_with_success(bench: PushBench) -> None:
    bench.subscription()
    bench.publish(*map(str, range(100)))
    bench.advance(0)
    assert sorted(bench.data(), key=int) == [str(number) for number in range(100)]
    slow = Endpoint.stalls
    bench.endpoint.answer = slow.__get__(bench.endpoint)
    with serving() as fresh:
        fresh.answer = fresh.stalls
        config = {"topic": TOPIC, "pushConfig": {"pushEndpoint": fresh.url}}
        bench.emulator.ask("PUT", "/v1/projects/p/subscriptions/fresh", json.dumps(config).encode())
        bench.publish(*map(str, range(50)))
        fresh.wait(10)
        assert fresh.most_at_once == 10


def test_of_a_key_one_message_is_under_way_and_a_failure_repeats_it_before_the_next(bench: PushBench) -> None:
    seen: list[str] = []

    async def second_fails_once(received: Any) -> Any:
        seen.append(received.data)
        return await status(500 if seen == ["1", "2"] else 200)(received)

    bench.endpoint.answer = second_fails_once
    bench.subscription(enable_message_ordering=True)
    bench.publish("1", "2", "3", key="k")
    bench.advance(1)
    assert seen == ["1", "2", "2", "3"]
    assert {received.json["message"]["orderingKey"] for received in bench.endpoint.received} == {"k"}


def test_a_retry_policy_says_when_a_message_comes_back_and_others_do_not_wait(bench: PushBench) -> None:
    bench.endpoint.answer = in_turn(status(500), status(200))
    bench.subscription(retry=RetryPolicy(Nanos(10 * SECOND), Nanos(600 * SECOND)))
    bench.publish("a")
    bench.advance(0)
    bench.publish("b")
    bench.advance(9.999)
    assert bench.data() == ["a", "b"]
    bench.advance(0.001)
    assert bench.data() == ["a", "b", "a"]


def test_after_its_attempts_a_message_goes_to_the_dead_letter_topic(bench: PushBench) -> None:
    bench.endpoint.answer = status(400)
    dead = bench.topic("projects/p/topics/dead")
    bench.emulator.run(Broker.create_subscription, "projects/p/subscriptions/dead", dead, SubscriptionSettings())
    bench.subscription(dead_letter=DeadLetterPolicy(dead, 5))
    bench.publish("a")
    bench.advance(60)
    assert [received.json["deliveryAttempt"] for received in bench.endpoint.received] == [1, 2, 3, 4, 5]
    assert bench.pull("projects/p/subscriptions/dead") == ["a"]


@pytest.mark.parametrize("fits", [True, False])
def test_a_dead_letter_topic_with_a_schema_takes_what_fits_and_the_rest_stays(bench: PushBench, fits: bool) -> None:
    bench.endpoint.answer = status(500)
    definition = Definition(Language.AVRO, '{"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}]}')
    bench.emulator.run(Broker.create_schema, "projects/p/schemas/number", definition)
    settings = TopicSettings(schema=SchemaSettings("projects/p/schemas/number", Encoding.JSON))
    bench.emulator.run(Broker.create_topic, "projects/p/topics/dead", settings)
    bench.emulator.run(Broker.create_subscription, "projects/p/subscriptions/dead", "projects/p/topics/dead", SubscriptionSettings())
    bench.subscription(dead_letter=DeadLetterPolicy("projects/p/topics/dead", 5), enable_message_ordering=True)
    sent = '{"a": 5}' if fits else '{"a": "x"}'
    bench.publish(sent, "next", key="k")
    bench.advance(6)
    attempts = [received.json["deliveryAttempt"] for received in bench.endpoint.received if received.data == sent]
    if fits:
        assert attempts == [1, 2, 3, 4, 5]
        assert bench.pull("projects/p/subscriptions/dead") == [sent]
        assert bench.data()[-1] == "next", "the key goes on"
    else:
        assert attempts == [1, 2, 3, 4, 5, 6]
        assert bench.pull("projects/p/subscriptions/dead") == []
        assert "next" not in bench.data(), "the key waits for its first message"


def test_without_a_dead_letter_policy_no_attempt_is_told(bench: PushBench) -> None:
    bench.endpoint.answer = in_turn(status(500), status(200))
    bench.subscription()
    bench.publish("a")
    bench.advance(1)
    assert [set(received.json) for received in bench.endpoint.received] == [{"message", "subscription"}] * 2


def test_an_unwrapped_push_has_the_data_alone(bench: PushBench) -> None:
    bench.subscription(config={"wrapper": "no_wrapper", "write_metadata": True})
    bench.publish("raw", kind="new", Host="evil")
    bench.advance(0)
    (received,) = bench.endpoint.received
    assert received.body == b"raw"
    assert received.headers["kind"] == "new"
    assert received.headers["Host"] == bench.endpoint.url.removeprefix("http://")
    assert received.headers["x-goog-pubsub-message-id"] == "1"
    assert received.headers["x-goog-pubsub-subscription-name"] == SUBSCRIPTION


# switching, over the API


def modify(bench: PushBench, config: dict[str, Any]) -> int:
    return bench.emulator.ask("POST", f"/v1/{SUBSCRIPTION}:modifyPushConfig", json.dumps({"pushConfig": config}).encode()).status


def test_from_pull_to_push_and_back_nothing_is_lost(bench: PushBench) -> None:
    bench.emulator.run(Broker.create_subscription, SUBSCRIPTION, TOPIC, SubscriptionSettings())
    bench.publish("1")
    assert modify(bench, {"pushEndpoint": f"{bench.endpoint.url}/here"}) == 200
    bench.advance(0)
    assert bench.data() == ["1"]
    with pytest.raises(FailedPrecondition):
        bench.emulator.run(Broker.open_pull, SUBSCRIPTION, 1)
    assert modify(bench, {}) == 200
    bench.publish("2")
    bench.advance(0)
    assert bench.data() == ["1"]
    assert bench.pull(SUBSCRIPTION) == ["2"]


def test_pushes_go_to_the_new_endpoint_after_a_change(bench: PushBench) -> None:
    bench.subscription(path="/old")
    bench.publish("1")
    bench.advance(0)
    assert modify(bench, {"pushEndpoint": f"{bench.endpoint.url}/new"}) == 200
    bench.publish("2")
    bench.advance(0)
    assert [received.path for received in bench.endpoint.received] == ["/old", "/new"]


def test_a_version_that_is_not_said_again_stays(bench: PushBench) -> None:
    bench.subscription(config={"attributes": {"x-goog-version": "v1beta1"}})
    assert modify(bench, {"pushEndpoint": f"{bench.endpoint.url}/new"}) == 200
    shown = json.loads(bench.emulator.ask("GET", f"/v1/{SUBSCRIPTION}").body)
    assert shown["pushConfig"] == {"pushEndpoint": f"{bench.endpoint.url}/new", "attributes": {"x-goog-version": "v1beta1"}}


def test_a_long_row_of_pushes_is_waited_for_at_one_instant(bench: PushBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "PARTICIPANT_S", 0.5)
    monkeypatch.setattr(flights, "SETTLE_S", 0.25)
    bench.subscription(enable_message_ordering=True)
    bench.publish(*map(str, range(150)), key="k")
    bench.advance(0)
    assert bench.data() == [str(number) for number in range(150)]


def test_what_a_seek_brings_back_is_pushed_again(bench: PushBench) -> None:
    bench.subscription(retain_acked_messages=True)
    start = bench.emulator.now()
    bench.publish("1", "2")
    bench.advance(10)
    bench.emulator.run(Broker.seek_to_time, SUBSCRIPTION, start)
    bench.advance(0)
    assert sorted(bench.data()) == ["1", "1", "2", "2"]


def test_detaching_stops_the_pushes(bench: PushBench) -> None:
    bench.endpoint.answer = status(500)
    bench.subscription()
    bench.publish("1")
    bench.advance(0)
    bench.emulator.run(Broker.detach_subscription, SUBSCRIPTION)
    bench.advance(600)
    assert bench.data() == ["1"]


def test_a_reset_forgets_requests_that_are_under_way(bench: PushBench) -> None:
    bench.endpoint.answer = bench.endpoint.stalls
    bench.subscription()
    bench.publish("1")
    bench.endpoint.wait(1)
    bench.emulator.reset()
    bench.endpoint.wait_given_up(1)
    bench.topic(TOPIC)
    bench.endpoint.answer = status(200)
    bench.subscription()
    bench.publish("2")
    bench.advance(60)
    assert bench.data() == ["1", "2"]


# many endpoints, and real time


@pytest.mark.parametrize("answer", ["stalls", "disconnects"])
def test_endpoints_that_do_not_answer_do_not_block_the_others(endpoint: Endpoint, answer: str) -> None:
    bad: Answer = getattr(endpoint, answer)

    async def by_path(received: Any) -> Any:
        return await (bad if received.path == "/bad" else status(200))(received)

    endpoint.answer = by_path
    with Emulator(clock=VirtualClock()) as emulator:
        bench = PushBench(emulator, endpoint)
        for number in range(300):
            bench.subscription(f"projects/p/subscriptions/s{number:03}", path="/bad" if number % 3 else f"/good{number}")
        bench.publish("a")
        deadline = time.monotonic() + 20
        good: set[str] = set()
        while len(good) < 100 and time.monotonic() < deadline:
            endpoint.wait(len(endpoint.received) + 1)
            good = {received.path for received in endpoint.received if received.path != "/bad"}
        assert len(good) == 100


def test_in_real_time_a_failed_push_comes_back_by_itself() -> None:
    with serving() as endpoint, Emulator() as emulator:
        endpoint.answer = in_turn(status(500), status(200))
        bench = PushBench(emulator, endpoint)
        bench.subscription()
        bench.publish("a")
        endpoint.wait(2)


def test_stopping_does_not_wait_for_an_endpoint() -> None:
    with serving() as endpoint:
        endpoint.answer = endpoint.stalls
        with Emulator() as emulator:
            bench = PushBench(emulator, endpoint)
            bench.subscription()
            bench.publish("a")
            endpoint.wait(1)
            began = time.monotonic()
        assert time.monotonic() - began < 5
        assert not [thread.name for thread in threading.enumerate() if "publican" in thread.name.lower() and not thread.daemon]
