"""Plain HTTP as curl, urllib and aiohttp speak it: the forms of the public REST reference."""

import asyncio
import base64
import json
import urllib.error
import urllib.request
from typing import Any

import aiohttp
import pytest

LIMIT_S = 20.0


def call(address: str, verb: str, path: str, body: object = None) -> Any:
    """Make one call with urllib and return its JSON."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://{address}{path}", data, {"content-type": "application/json"}, method=verb)
    with urllib.request.urlopen(request, timeout=LIMIT_S) as response:
        return json.load(response)


def test_a_message_goes_round_with_urllib(address: str, project: str) -> None:
    topic, subscription = f"projects/{project}/topics/orders", f"projects/{project}/subscriptions/billing"
    assert call(address, "PUT", f"/v1/{topic}", {})["name"] == topic
    created = call(address, "PUT", f"/v1/{subscription}", {"topic": topic})
    assert (created["name"], created["topic"], created["ackDeadlineSeconds"]) == (subscription, topic, 10)
    data = base64.b64encode(b"caf\xc3\xa9").decode()
    published = call(address, "POST", f"/v1/{topic}:publish", {"messages": [{"data": data, "attributes": {"k": "v"}}]})
    pulled = call(address, "POST", f"/v1/{subscription}:pull", {"maxMessages": 5})
    [received] = pulled["receivedMessages"]
    message = received["message"]
    assert (message["data"], message["attributes"], [message["messageId"]]) == (data, {"k": "v"}, published["messageIds"])
    assert message["publishTime"].endswith("Z")
    assert call(address, "POST", f"/v1/{subscription}:acknowledge", {"ackIds": [received["ackId"]]}) == {}
    assert call(address, "POST", f"/v1/{subscription}:pull", {"maxMessages": 5, "returnImmediately": True}) == {}
    assert call(address, "GET", f"/v1/projects/{project}/topics")["topics"][0]["name"] == topic
    assert call(address, "DELETE", f"/v1/{subscription}") == {}
    assert call(address, "DELETE", f"/v1/{topic}") == {}


def test_an_error_has_googles_form(address: str, project: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        call(address, "GET", f"/v1/projects/{project}/topics/nobody-made-this")
    with refused.value as response:
        error = json.load(response)["error"]
    assert (response.code, error["code"], error["status"]) == (404, 404, "NOT_FOUND")
    assert "nobody-made-this" in error["message"]


def test_a_pull_over_http_waits_for_a_message(address: str, project: str) -> None:
    topic, subscription = f"projects/{project}/topics/orders", f"projects/{project}/subscriptions/billing"

    async def story() -> None:
        async with aiohttp.ClientSession(f"http://{address}") as session, asyncio.timeout(LIMIT_S):
            await session.put(f"/v1/{topic}", json={})
            await session.put(f"/v1/{subscription}", json={"topic": topic})

            async def pull() -> Any:
                async with session.post(f"/v1/{subscription}:pull", json={"maxMessages": 1}) as response:
                    return await response.json()

            pulling = asyncio.ensure_future(pull())
            async with session.post(f"/v1/{topic}:publish", json={"messages": [{"data": "bGF0ZQ=="}]}) as response:
                assert response.status == 200
            [received] = (await pulling)["receivedMessages"]
            assert received["message"]["data"] == "bGF0ZQ=="

    asyncio.run(story())
