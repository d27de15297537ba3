"""JavaScript in a real engine, within its bounds, and message transforms over REST."""

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from publican_emulator import Emulator, javascript
from publican_emulator.broker.errors import InvalidArgument
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.transforms import JavaScript, Pipeline, ScriptError, Transform
from publican_protocol import pubsub

quickjs = pytest.importorskip("quickjs")
T, S = "projects/p/topics/orders", "projects/p/subscriptions/billing"


def run(code: str, data: str = "hi", name: str = "f", **attributes: str) -> Any:
    """Run a function on one message: the message that it makes, or None."""
    engine = javascript.load()
    pipeline = Pipeline([Transform(JavaScript(name, code))], lambda: engine)
    pipeline.check()
    message = pubsub.PubsubMessage(data=data.encode(), attributes=attributes, ordering_key="k").SerializeToString()
    done = pipeline.apply(message, 7, Nanos(1_700_000_000 * SECOND))
    return None if done is None else pubsub.PubsubMessage.FromString(done)


def test_a_function_changes_data_and_attributes() -> None:
    done = run(
        "function f(message, metadata) { message.data += metadata.message_id; message.attributes.b = metadata.ordering_key; return message; }", a="1"
    )
    assert (done.data, dict(done.attributes), done.ordering_key) == (b"hi7", {"a": "1", "b": "k"}, "k")


@pytest.mark.parametrize(
    "code",
    [
        "const f = (message) => ({ data: message.data.toUpperCase() });",
        "var f = function (message) { return { data: message.data.toUpperCase() } }",
        "function g(text) { return text.toUpperCase() } function f({ data }) { return { data: g(data) } }",
        "class C { static up(text) { return text.toUpperCase() } } function f(m) { return { ...m, data: C.up(m.data) } }",
        "function f(m) { const o = JSON.parse('{\"a\": 1}'); return { data: [...m.data].map((c) => c.toUpperCase()).join('').slice(o.a - 1) } }",
    ],
)
def test_any_modern_javascript_will_do(code: str) -> None:
    assert run(code).data == b"HI"


def test_null_drops_the_message() -> None:
    assert run("function f() { return null }") is None


def test_text_goes_through_unharmed() -> None:
    text = 'ü \U0001f600 "\\ \u2028 </script> \x00'
    assert run("function f(m) { return m }", text, a=text).data.decode() == text


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("function f() {}", "it must return a message or null, not undefined"),
        ("function f() { return 5 }", "not number"),
        ("function f() { return 'x' }", "not string"),
        ("function f(m) { return [m] }", "not an array"),
        ("async function f(m) { return m }", "not a promise"),
        ("function f() { return {} }", "data of what it returns must be a string, not undefined"),
        ("function f() { return { data: 5 } }", "data of what it returns must be a string, not number"),
        ("function f() { return { data: 'x', attributes: [] } }", "attributes of what it returns must be an object, not an array"),
        ("function f() { return { data: 'x', attributes: null } }", "must be an object, not null"),
        ("function f() { return { data: 'x', attributes: { a: 1 } } }", 'attributes must be strings, and "a" is number'),
        ("function f() { return { data: '\\ud800' } }", "lone surrogate"),
        ("function f() { return { data: 'x', attributes: { a: '\\ud800' } } }", "lone surrogate"),
        ("function f() { throw new RangeError('out') }", "RangeError: out (at f (<input>:1"),
        ("function f() { throw 'text' }", "text"),
        ("function f() { return f() }", "Maximum call stack size exceeded"),
        ("function f(m) { let a = []; while (true) a.push('x'.repeat(1000) + a.length) }", "more than 64 MB of memory"),
        ("function f(m) { return { data: 'x'.repeat(10000001) } }", "message_size"),
        ("function f() { return require('fs') }", "ReferenceError: require is not defined"),
        ("function f() { return fetch('http://localhost') }", "fetch is not defined"),
        ("function f() { setTimeout(f, 1) }", "setTimeout is not defined"),
    ],
)
def test_whatever_else_it_does_is_an_error(code: str, why: str) -> None:
    with pytest.raises(InvalidArgument, match=r"^The message transform failed \(JavaScript function f\): ") as error:
        run(code)
    assert why in error.value.message


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("function f( {", "SyntaxError"),
        ("function g() {}", "the code has no function f"),
        ("const f = 5", "the code has no function f"),
        ("throw new Error('at once')", "Error: at once"),
        ("import fs from 'fs'; function f() {}", "SyntaxError"),
    ],
)
def test_code_that_does_not_compile_is_refused(code: str, why: str) -> None:
    with pytest.raises(InvalidArgument, match="argument=message_transforms") as error:
        run(code)
    assert why in error.value.message


def test_a_function_has_half_a_second() -> None:
    began = time.process_time()
    with pytest.raises(InvalidArgument, match="it took longer than 500 ms"):
        run("function f() { while (true) {} }")
    assert 0.4 < time.process_time() - began < 2


def test_all_functions_of_one_operation_have_two_seconds() -> None:
    engine = javascript.load()
    function = engine.compile("function f() { while (true) {} }", "f")
    engine.begin()
    calls = 0
    while not engine.is_spent:  # the engine may stop a call a little before its half second
        with pytest.raises(ScriptError, match="500 ms"):
            function("{}", "{}")
        calls += 1
    assert calls in (4, 5)
    with pytest.raises(ScriptError, match="longer than 2 s together"):
        function("{}", "{}")
    engine.begin()
    assert not engine.is_spent


def test_a_function_works_again_after_it_ran_out_of_memory() -> None:
    engine = javascript.load()
    code = "function f(m) { let a = []; while (m.data === 'big') a.push('x'.repeat(1000) + a.length); return m }"
    function = engine.compile(code, "f")
    with pytest.raises(ScriptError, match="memory"):
        function('{"data": "big"}', "{}")
    assert function('{"data": "small"}', "{}") == '{"data":"small"}'


def test_code_cannot_replace_what_reads_and_writes_its_messages() -> None:
    assert run("JSON.parse = JSON.stringify = () => 'evil'; Object.keys = () => []; function f(m) { return m }", "good", a="b").attributes["a"] == "b"


# over REST


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator
        assert emulator.surprises == []


def call(emulator: Emulator, method: str, path: str, body: object = None) -> tuple[int, Any]:
    answer = emulator.ask(method, path, json.dumps(body if body is not None else {}).encode())
    return answer.status, json.loads(answer.body)


def udf(name: str, body: str, **more: Any) -> dict[str, Any]:
    return {"javascriptUdf": {"functionName": name, "code": f"function {name}(message, metadata) {{ {body} }}"}, **more}


def test_from_publish_to_pull_over_rest(emulator: Emulator) -> None:
    topic = {"messageTransforms": [udf("redact", "message.data = message.data.replace(/[0-9]/g, '#'); return message;")]}
    subscription = {
        "topic": T,
        "messageTransforms": [udf("mark", "message.attributes.marked = 'yes'; return message;"), udf("off", "", disabled=True)],
    }
    status, made = call(emulator, "PUT", f"/v1/{T}", topic)
    assert (status, made["messageTransforms"]) == (200, topic["messageTransforms"])
    status, made = call(emulator, "PUT", f"/v1/{S}", subscription)
    assert (status, made["messageTransforms"]) == (200, subscription["messageTransforms"])
    call(emulator, "POST", f"/v1/{T}:publish", {"messages": [{"data": "Y2FyZCAxMjM="}]})
    _, pulled = call(emulator, "POST", f"/v1/{S}:pull", {"maxMessages": 10})
    (received,) = pulled["receivedMessages"]
    assert (received["message"]["data"], received["message"]["attributes"]) == ("Y2FyZCAjIyM=", {"marked": "yes"})
    status, updated = call(emulator, "PATCH", f"/v1/{S}", {"subscription": {"name": S}, "updateMask": "messageTransforms"})
    assert (status, "messageTransforms" in updated) == (200, False)


def test_a_schema_is_for_what_the_transforms_made(emulator: Emulator) -> None:
    definition = '{"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}]}'
    call(emulator, "POST", "/v1/projects/p/schemas?schemaId=number", {"type": "AVRO", "definition": definition})
    mend = udf("mend", "return { data: JSON.stringify({ a: Number(message.data) }) };")
    call(emulator, "PUT", f"/v1/{T}", {"messageTransforms": [mend], "schemaSettings": {"schema": "projects/p/schemas/number", "encoding": "JSON"}})
    call(emulator, "PUT", f"/v1/{S}", {"topic": T})
    assert call(emulator, "POST", f"/v1/{T}:publish", {"messages": [{"data": "NQ=="}]})[0] == 200
    status, answer = call(emulator, "POST", f"/v1/{T}:publish", {"messages": [{"data": "NQ=="}, {"data": "eA=="}]})
    assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT")
    _, pulled = call(emulator, "POST", f"/v1/{S}:pull", {"maxMessages": 10})
    (received,) = pulled["receivedMessages"]
    assert received["message"]["data"] == "eyJhIjo1fQ=="
    assert received["message"]["attributes"]["googclient_schemaname"] == "projects/p/schemas/number"


def test_a_transform_is_validated(emulator: Emulator) -> None:
    path = "/v1/projects/p:validateMessageTransform"
    assert call(emulator, "POST", path, {"messageTransform": udf("f", "return message;")}) == (200, {})
    status, answer = call(emulator, "POST", path, {"messageTransform": udf("f", "return (;")})
    assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert "SyntaxError" in answer["error"]["message"]
    wrong: list[object] = [{}, {"messageTransform": {}}, {"messageTransform": {"x": 1}}, {"other": {}}, [], {"messageTransform": 5}]
    for body in wrong:
        status, answer = call(emulator, "POST", path, body)
        assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT"), body


def test_transforms_are_tested_as_given_or_as_a_resource_has_them(emulator: Emulator) -> None:
    path = "/v1/projects/p:testMessageTransforms"
    steps = [udf("up", "message.data = message.data.toUpperCase(); return message;"), udf("drop", "return null;"), udf("never", "return message;")]
    call(emulator, "PUT", f"/v1/{T}", {"messageTransforms": steps})
    call(emulator, "PUT", f"/v1/{S}", {"topic": T, "messageTransforms": [udf("boom", "throw new Error('boom');")]})
    message = {"data": "aGk=", "attributes": {"a": "b"}}
    expected = {"transformedMessages": [{"transformedMessage": {"data": "SEk=", "attributes": {"a": "b"}}}, {"filtered": {}}]}
    assert call(emulator, "POST", path, {"message": message, "messageTransforms": {"messageTransforms": steps}}) == (200, expected)
    assert call(emulator, "POST", path, {"message": message, "topic": T}) == (200, expected)
    status, answer = call(emulator, "POST", path, {"message": message, "subscription": S})
    (result,) = answer["transformedMessages"]
    assert status == 200
    assert "Error: boom" in result["transformationFailure"]["errorMessage"]
    for body, code in (({}, 400), ({"message": message}, 400), ({"message": message, "topic": T, "subscription": S}, 400), ({"topic": T}, 400)):
        assert call(emulator, "POST", path, body)[0] == code
    assert call(emulator, "POST", path, {"message": message, "topic": f"{T}x"})[0] == 404


def test_without_the_engine_a_function_is_refused_over_the_api(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "quickjs", None)
    status, answer = call(emulator, "PUT", f"/v1/{T}", {"messageTransforms": [udf("f", "return message;")]})
    assert (status, answer["error"]["status"]) == (400, "FAILED_PRECONDITION")
    assert "pip install 'publican[transforms]'" in answer["error"]["message"]
    assert call(emulator, "GET", f"/v1/{T}")[0] == 404


def test_a_stream_whose_messages_all_fail_does_not_stall_the_emulator(emulator: Emulator) -> None:
    call(emulator, "PUT", f"/v1/{T}")
    call(emulator, "PUT", f"/v1/{S}", {"topic": T, "messageTransforms": [udf("f", "return null;")]})
    call(emulator, "POST", f"/v1/{T}:publish", {"messages": [{"data": "aGk="}] * 200})
    status, pulled = call(emulator, "POST", f"/v1/{S}:pull", {"maxMessages": 10, "returnImmediately": True})
    assert (status, pulled) == (200, {})
