"""Proto3 JSON both ways, with the strictness and the words of the front end."""

import json

import pytest
from google.protobuf.message import Message

from publican_protocol import iam, json_form, pubsub


def parsed(message: Message, text: str | bytes) -> Message:
    json_form.parse(text.encode() if isinstance(text, str) else text, message)
    return message


def written(message: Message, *, enum_as_int: bool = False) -> object:
    return json.loads(json_form.dump(message, enum_as_int=enum_as_int))


def violations(message: Message, text: str | bytes) -> list[tuple[str, str]]:
    with pytest.raises(json_form.JsonFormError) as caught:
        parsed(message, text)
    assert str(caught.value) == "\n".join(what for _, what in caught.value.violations)
    return list(caught.value.violations)


@pytest.mark.parametrize("text", ["", "  ", "{}", ' { "messages" : null } ', '{"topic":""}'])
def test_nothing_is_the_empty_message(text: str) -> None:
    assert parsed(pubsub.PublishRequest(), text) == pubsub.PublishRequest()


def test_a_publish_is_read() -> None:
    text = '{"messages":[{"data":"aGk=","attributes":{"a":"b"},"orderingKey":"k"},{"attributes":{"c":""}}],"topic":"t"}'
    request = parsed(pubsub.PublishRequest(), text)
    one = pubsub.PubsubMessage(data=b"hi", attributes={"a": "b"}, ordering_key="k")
    two = pubsub.PubsubMessage(attributes={"c": ""})
    assert request == pubsub.PublishRequest(topic="t", messages=[one, two])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ('{"ackDeadlineSeconds":20}', 20),
        ('{"ack_deadline_seconds":"20"}', 20),
        ('{"ackDeadlineSeconds":20.0}', 20),
        ('{"ackDeadlineSeconds":2e1}', 20),
    ],
)
def test_a_field_has_two_spellings_and_an_integer_three(text: str, seconds: int) -> None:
    assert parsed(pubsub.Subscription(), text) == pubsub.Subscription(ack_deadline_seconds=seconds)


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ('{"x":1}', "", 'Invalid JSON payload received. Unknown name "x": Cannot find field.'),
        (
            '{"messages":[{"x":1}]}',
            "messages[0]",
            "Invalid JSON payload received. Unknown name \"x\" at 'messages[0]': Cannot find field.",
        ),
        ('{"messages":[{},{"data":"!!!!"}]}', "messages[1].data", 'Base64 decoding failed for "!!!!"'),
        ('{"messages":[{"data":5}]}', "messages[0].data", "Invalid value at 'messages[0].data' (TYPE_BYTES), 5"),
        ('{"messages":[{"data":{}}]}', "messages[0].data", "Starting an object on a scalar field"),
        ('{"messages":[{"data":[]}]}', "messages[0].data", "Starting a list on a scalar field"),
        ('{"messages":[{"attributes":{"a":5}}]}', "messages[0].attributes[0].value", "(TYPE_STRING), 5"),
        ('{"messages":[{"attributes":{"a":null}}]}', "messages[0].attributes[0].value", "(TYPE_STRING), null"),
        ('{"messages":[{"attributes":{"a":"b","a":"c"}}]}', "messages[0].attributes[1]", "Repeated map key: 'a' is already set."),
        ('{"messages":[{"attributes":[]}]}', "messages[0].attributes", "Cannot bind a list to map for field 'attributes'."),
        ('{"messages":{"data":"aGk="}}', "messages", 'Invalid value at \'messages\' (List), {"data": "aGk="}'),
        ('{"messages":["a"]}', "messages[0]", '(type.googleapis.com/google.pubsub.v1.PubsubMessage), "a"'),
        ('{"messages":[[]]}', "messages[0]", "Proto field is not repeating, cannot start list."),
        ('{"messages":[null]}', "messages[0]", "(type.googleapis.com/google.pubsub.v1.PubsubMessage), null"),
        ('{"topic":"a","topic":"a"}', "", 'Unknown name "topic": The field topic is already set.'),
        ('{"messages":[{"orderingKey":"a","ordering_key":"a"}]}', "messages[0]", "The field ordering_key is already set."),
        (r'{"topic":"\ud800"}', "topic", "lone surrogate"),
        (r'{"\ud800":1}', "", 'Unknown name "?"'),
        (
            '{"messages":[{"publishTime":"yesterday"}]}',
            "messages[0].publish_time",
            'Invalid time format: Failed to parse input "yesterday"',
        ),
    ],
)
def test_what_is_not_understood_is_refused_with_its_place(text: str, where: str, what: str) -> None:
    ((found_where, found_what),) = violations(pubsub.PublishRequest(), text)
    assert found_where == where
    assert what in found_what


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('{"maxMessages":5.5}', "(TYPE_INT32), 5.5"),
        ('{"maxMessages":true}', "(TYPE_INT32), true"),
        ('{"maxMessages":"x"}', '(TYPE_INT32), "x"'),
        ('{"maxMessages":2147483648}', "(TYPE_INT32), 2147483648"),
        ('{"maxMessages":1e999}', "(TYPE_INT32), Infinity"),
        ('{"returnImmediately":1}', "(TYPE_BOOL), 1"),
        ('{"subscription":5}', "(TYPE_STRING), 5"),
    ],
)
def test_a_scalar_of_the_wrong_type_is_refused(text: str, what: str) -> None:
    assert what in violations(pubsub.PullRequest(), text)[0][1]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[]", 'Invalid JSON payload received. Unknown name "": Root element must be a message.'),
        ("3", "Root element must be a message."),
        ("null", "Root element must be a message."),
        ('{"topic":}', 'Invalid JSON payload received. Expecting value.\n{"topic":}\n         ^'),
        ('{"topic":"a"', "Invalid JSON payload received. "),
        ('{"topic":"a"}{}', "Extra data"),
        ("{'topic':'a'}", "Invalid JSON payload received. "),
        ('{"topic":NaN}', "Unexpected token NaN."),
        ('{"topic":-Infinity}', "Unexpected token -Infinity."),
        (b'{"topic":"\xff"}', "It is not UTF-8 at byte 10."),
        ('{"a":' + "[" * 100_000 + "]" * 100_000 + "}", "Message too deep."),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "Message too deep."),
        ('{"topic":' + "9" * 10_000 + "}", "A number has too many digits."),
    ],
)
def test_what_is_no_json_object_is_refused(text: str | bytes, what: str) -> None:
    ((where, found),) = violations(pubsub.PublishRequest(), text)
    assert where == ""
    assert what in found


def test_everything_wrong_is_told_at_once() -> None:
    found = violations(pubsub.PublishRequest(), '{"messages":[{"a":1},{"data":"!"}],"b":2}')
    assert [where for where, _ in found] == ["messages[0]", "messages[1].data", ""]


def test_a_thousand_mistakes_are_not_all_repeated() -> None:
    text = json.dumps({f"unknown{number}": number for number in range(1000)})
    assert len(violations(pubsub.PublishRequest(), text)) == 50


def test_two_members_of_one_oneof_are_refused() -> None:
    text = '{"cloudStorageConfig":{"bucket":"b","textConfig":{},"avroConfig":{}}}'
    ((where, what),) = violations(pubsub.Subscription(), text)
    assert where == "cloud_storage_config.avro_config"
    assert what.endswith("(oneof), oneof field 'output_format' is already set. Cannot set 'avroConfig'")


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ('{"updateMask":"labels,ackDeadlineSeconds"}', ["labels", "ack_deadline_seconds"]),
        ('{"updateMask":"ack_deadline_seconds"}', ["ack_deadline_seconds"]),
    ],
)
def test_a_field_mask_is_stored_in_snake_case(text: str, paths: list[str]) -> None:
    request = pubsub.UpdateSubscriptionRequest()
    parsed(request, text)
    assert list(request.update_mask.paths) == paths


@pytest.mark.parametrize("text", ['{"state":"RESOURCE_ERROR"}', '{"state":2}', '{"state":"2"}'])
def test_an_enum_is_a_name_or_a_number(text: str) -> None:
    assert parsed(pubsub.Subscription(), text) == pubsub.Subscription(state=pubsub.Subscription.State.RESOURCE_ERROR)


def test_an_unknown_enum_name_is_refused() -> None:
    what = violations(pubsub.Subscription(), '{"state":"SLEEPY"}')[0][1]
    assert what == "Invalid value at 'state' (type.googleapis.com/google.pubsub.v1.Subscription.State), \"SLEEPY\""


STRUCT = '{"a":[1,2.5,null,true,{"b":"c"}],"d":{"e":null},"f":"g","h":[],"i":{}}'


def test_a_struct_is_plain_json() -> None:
    message = parsed(pubsub.AIInference(), f'{{"unstructuredInference":{{"parameters":{STRUCT}}}}}')
    assert written(message) == {"unstructuredInference": {"parameters": json.loads(STRUCT)}}


@pytest.mark.parametrize(("depth", "is_read"), [(25, True), (40, False), (300, False)])
def test_a_struct_deeper_than_protobuf_reads_is_refused(depth: int, is_read: bool) -> None:
    text = '{"unstructuredInference":{"parameters":' + '{"a":' * depth + "1" + "}" * depth + "}}"
    message = pubsub.AIInference()
    if is_read:
        parsed(message, text)
        assert pubsub.AIInference.FromString(message.SerializeToString()) == message
    else:
        assert "Message too deep. Max recursion depth reached" in violations(message, text)[0][1]


@pytest.mark.parametrize("text", ['{"parameters":[]}', '{"parameters":{"a":1,"a":2}}', '{"parameters":5}'])
def test_what_is_no_struct_is_refused(text: str) -> None:
    assert violations(pubsub.AIInference(), f'{{"unstructuredInference":{text}}}')[0][0] == "unstructured_inference.parameters"


EVERYTHING = {
    "name": "projects/p/subscriptions/s",
    "topic": "projects/p/topics/t",
    "pushConfig": {},
    "ackDeadlineSeconds": 10,
    "messageRetentionDuration": "604800s",
    "labels": {"a": "1", "b": "2"},
    "expirationPolicy": {},
    "retryPolicy": {"minimumBackoff": "1.500s"},
    "cloudStorageConfig": {"bucket": "b", "maxBytes": "1000", "textConfig": {}},
    "state": "ACTIVE",
}


def test_an_answer_omits_defaults_and_keeps_empty_messages_that_are_set() -> None:
    subscription = pubsub.Subscription()
    parsed(subscription, json.dumps(EVERYTHING))
    assert written(subscription) == EVERYTHING
    assert written(pubsub.Subscription()) == {}


def test_enums_may_be_written_as_numbers() -> None:
    assert written(pubsub.Subscription(state=pubsub.Subscription.State.ACTIVE), enum_as_int=True) == {"state": 1}


def test_an_unknown_enum_number_is_written_as_a_number() -> None:
    assert written(parsed(pubsub.Subscription(), '{"state":7}')) == {"state": 7}


def test_an_answer_is_pretty_by_default() -> None:
    topic = pubsub.Topic(name="projects/p/topics/t", labels={"b": "é", "a": ""})
    assert json_form.dump(topic).decode() == ('{\n  "name": "projects/p/topics/t",\n  "labels": {\n    "a": "",\n    "b": "é"\n  }\n}\n')
    assert json_form.dump(topic, pretty=False).decode() == '{"name":"projects/p/topics/t","labels":{"a":"","b":"é"}}'
    assert json_form.dump(pubsub.Topic()) == b"{}\n"


@pytest.mark.parametrize(
    ("path", "texts", "expected"),
    [
        ("updateMask", ["labels,ackDeadlineSeconds"], {"updateMask": "labels,ackDeadlineSeconds"}),
        ("update_mask", ["labels"], {"updateMask": "labels"}),
        ("subscription.ackDeadlineSeconds", ["20"], {"subscription": {"ackDeadlineSeconds": 20}}),
        ("subscription.push_config.pushEndpoint", ["x"], {"subscription": {"pushConfig": {"pushEndpoint": "x"}}}),
        ("subscription.messageRetentionDuration", ["600s"], {"subscription": {"messageRetentionDuration": "600s"}}),
        ("subscription.retainAckedMessages", ["true"], {"subscription": {"retainAckedMessages": True}}),
        ("subscription.state", ["ACTIVE"], {"subscription": {"state": "ACTIVE"}}),
    ],
)
def test_a_query_parameter_sets_the_field_it_names(path: str, texts: list[str], expected: object) -> None:
    request = pubsub.UpdateSubscriptionRequest()
    json_form.bind(request, path, texts)
    assert written(request) == expected


def test_a_repeated_query_parameter_fills_a_repeated_field() -> None:
    request = iam.TestIamPermissionsRequest()
    json_form.bind(request, "permissions", ["a", "b"])
    assert list(request.permissions) == ["a", "b"]


@pytest.mark.parametrize(
    ("path", "texts", "why"),
    [
        ("x", ["1"], "Field 'x' could not be found in request message."),
        ("x.y", ["1"], "Field 'x' could not be found in request message."),
        ("subscription.x", ["1"], "Field 'x' could not be found in request message."),
        ("subscription", ["1"], "'subscription' is a message type."),
        ("subscription.labels", ["1"], "'labels' is a message type."),
        ("subscription.labels.a", ["1"], "could not be found"),
        ("subscription.name.a", ["1"], "could not be found"),
        ("subscription.name", ["a", "b"], "'name' is not repeated, but occurs 2 times."),
        ("", ["1"], "could not be found"),
    ],
)
def test_a_query_parameter_that_no_field_takes_is_refused(path: str, texts: list[str], why: str) -> None:
    with pytest.raises(json_form.JsonFormError) as caught:
        json_form.bind(pubsub.UpdateSubscriptionRequest(), path, texts)
    assert str(caught.value).startswith(f'Invalid JSON payload received. Unknown name "{path}": Cannot bind query parameter. ')
    assert why in str(caught.value)


def test_a_query_parameter_of_the_wrong_type_is_refused() -> None:
    with pytest.raises(json_form.JsonFormError, match=r'\(TYPE_INT32\), "x"'):
        json_form.bind(pubsub.ListTopicsRequest(), "pageSize", ["x"])
