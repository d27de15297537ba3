"""google-api-python-client: `build()` from the discovery document that the emulator gives, and from the one that the library ships."""

import base64
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import httplib2
import pytest
from google.auth.credentials import AnonymousCredentials
from googleapiclient import discovery
from googleapiclient.errors import HttpError

DISCOVERED = "http://{address}/$discovery/rest?version=v1"


def from_the_emulator(address: str) -> Any:
    return discovery.build("pubsub", "v1", http=httplib2.Http(), discoveryServiceUrl=DISCOVERED.format(address=address), static_discovery=False)


def from_the_library(address: str) -> Any:
    options = {"api_endpoint": f"http://{address}"}
    return discovery.build("pubsub", "v1", credentials=AnonymousCredentials(), client_options=options, static_discovery=True)


@pytest.fixture(params=[from_the_emulator, from_the_library], ids=lambda each: each.__name__)
def pubsub(request: pytest.FixtureRequest, address: str) -> Iterator[Any]:
    build: Callable[[str], Any] = request.param
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the library's own use of its parsers
        with build(address) as service:
            yield service


def test_a_message_goes_round(pubsub: Any, project: str) -> None:
    topics, subscriptions = pubsub.projects().topics(), pubsub.projects().subscriptions()
    topic, subscription = f"projects/{project}/topics/orders", f"projects/{project}/subscriptions/a+b~c.d"
    assert topics.create(name=topic, body={"labels": {"a": "b"}}).execute() == {"name": topic, "labels": {"a": "b"}}
    made = subscriptions.create(name=subscription, body={"topic": topic, "ackDeadlineSeconds": 20}).execute()
    assert (made["name"], made["ackDeadlineSeconds"]) == (subscription, 20)
    data = base64.b64encode(bytes(range(256))).decode()
    messages = [{"data": data, "attributes": {"ключ": "значение"}}]
    ids = topics.publish(topic=topic, body={"messages": messages}).execute()["messageIds"]
    pulled = subscriptions.pull(subscription=subscription, body={"maxMessages": 10}).execute()["receivedMessages"]
    assert [each["message"]["messageId"] for each in pulled] == ids
    assert pulled[0]["message"]["data"] == data
    assert pulled[0]["message"]["attributes"] == {"ключ": "значение"}
    ack_ids = [each["ackId"] for each in pulled]
    assert subscriptions.modifyAckDeadline(subscription=subscription, body={"ackIds": ack_ids, "ackDeadlineSeconds": 30}).execute() == {}
    assert subscriptions.acknowledge(subscription=subscription, body={"ackIds": ack_ids}).execute() == {}
    patched = subscriptions.patch(name=subscription, body={"subscription": {"ackDeadlineSeconds": 40}, "updateMask": "ackDeadlineSeconds"}).execute()
    assert patched["ackDeadlineSeconds"] == 40
    assert subscriptions.get(subscription=subscription).execute() == patched
    assert topics.subscriptions().list(topic=topic).execute() == {"subscriptions": [subscription]}
    assert subscriptions.delete(subscription=subscription).execute() == {}
    assert topics.delete(topic=topic).execute() == {}


def test_lists_have_pages_that_the_library_follows(pubsub: Any, project: str) -> None:
    topics = pubsub.projects().topics()
    names = [f"projects/{project}/topics/topic-{place}" for place in range(5)]
    for name in names:
        topics.create(name=name, body={}).execute()
    request, found, pages = topics.list(project=f"projects/{project}", pageSize=2), [], 0
    while request is not None:
        answer = request.execute()
        found += [each["name"] for each in answer["topics"]]
        pages += 1
        request = topics.list_next(request, answer)
    assert (sorted(found), pages) == (names, 3)
    assert topics.list(project=f"projects/{project}", fields="topics(name)", prettyPrint=False, x__xgafv="2").execute()["topics"][0].keys() == {
        "name"
    }


def test_an_error_names_its_reason(pubsub: Any, project: str) -> None:
    with pytest.raises(HttpError) as missing:
        pubsub.projects().topics().get(topic=f"projects/{project}/topics/none").execute()
    assert missing.value.status_code == 404
    assert "Resource not found" in missing.value.reason
    with pytest.raises(HttpError) as invalid:
        pubsub.projects().subscriptions().create(name=f"projects/{project}/subscriptions/none", body={"topik": "x"}).execute()
    assert invalid.value.status_code == 400
    assert invalid.value.error_details[0]["@type"] == "type.googleapis.com/google.rpc.BadRequest"


def test_a_get_that_is_too_long_for_a_url_is_sent_as_a_post(pubsub: Any, project: str) -> None:
    topics = pubsub.projects().topics()
    topics.create(name=f"projects/{project}/topics/one", body={}).execute()
    fields = ",".join(["topics(name)"] * 300)
    assert topics.list(project=f"projects/{project}", fields=fields).execute() == {"topics": [{"name": f"projects/{project}/topics/one"}]}
