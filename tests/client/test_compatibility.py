"""gcloud-aio-pubsub 2.1.2, 8.0.0 and gcloud-rest-pubsub: their names, their signatures, their requests."""

import asyncio
import importlib
import inspect
import json
from collections.abc import Callable
from typing import Any

import aiohttp
import gcloud.aio.pubsub
import gcloud.aio.pubsub.subscriber
import gcloud.rest.pubsub
import pytest
from aiohttp import web

import publican.aio
import publican.aio.subscriber
import publican.rest
from publican.errors import AlreadyExists

# Public names by module, as both versions have them. Left out: the workers of 8.0.0's `subscribe` (acker, nacker, producer, consumer), which
# ours does without, 2.1.2's `convert_google_future_to_concurrent_future`, and the modules' loggers.
NAMES_2 = {
    "": ["FlowControl", "PublisherClient", "PubsubMessage", "SubscriberClient", "SubscriberMessage", "__version__"],
    "publisher_client": ["PublisherClient", "SCOPES"],
    "subscriber_client": ["FlowControl", "SubscriberClient"],
    "subscriber_message": ["SubscriberMessage"],
    "utils": ["PubsubMessage"],
}
NAMES_8 = {
    "": ["PublisherClient", "PubsubMessage", "SubscriberClient", "SubscriberMessage", "__version__"],
    "publisher_client": ["PublisherClient", "SCOPES", "init_api_root"],
    "subscriber_client": ["SubscriberClient", "SCOPES", "init_api_root"],
    "subscriber_message": ["SubscriberMessage", "parse_publish_time"],
    "utils": ["PubsubMessage"],
}
NAMES_8_AIO_ONLY = {"": ["subscribe"], "subscriber": ["subscribe", "AckDeadlineCache", "ApplicationHandler"]}
TOPIC, SUBSCRIPTION, SNAPSHOT = "projects/p/topics/orders", "projects/p/subscriptions/billing", "projects/p/snapshots/before"


@pytest.mark.parametrize("twin", ["aio", "rest"])
@pytest.mark.parametrize("names", [NAMES_2, NAMES_8], ids=["2.1.2", "8.0.0"])
def test_every_name_is_importable_by_its_full_path(names: dict[str, list[str]], twin: str) -> None:
    for module, found in names.items():
        home = importlib.import_module(f"publican.{twin}.{module}".rstrip("."))
        for name in found:
            assert getattr(home, name) is not None


def test_every_name_of_the_asynchronous_library_alone() -> None:
    for module, found in NAMES_8_AIO_ONLY.items():
        home = importlib.import_module(f"publican.aio.{module}".rstrip("."))
        for name in found:
            assert getattr(home, name) is not None
    assert not hasattr(publican.rest, "subscribe")
    assert inspect.iscoroutinefunction(publican.aio.subscribe)  # and not the module of that name


def test_the_names_above_are_those_of_the_library_that_is_installed() -> None:
    assert set(gcloud.aio.pubsub.__all__) == {*NAMES_8[""], *NAMES_8_AIO_ONLY[""]}
    assert set(publican.aio.__all__) >= set(gcloud.aio.pubsub.__all__) - {"__version__"}


CLASSES = ["PublisherClient", "SubscriberClient", "SubscriberMessage", "PubsubMessage"]


@pytest.mark.parametrize("twin", ["aio", "rest"])
@pytest.mark.parametrize("name", CLASSES)
def test_every_signature_is_a_subset_of_ours(name: str, twin: str) -> None:
    theirs = getattr(importlib.import_module(f"gcloud.{twin}.pubsub"), name)
    ours = getattr(importlib.import_module(f"publican.{twin}"), name)
    for method, function in inspect.getmembers(theirs, callable):
        if method == "__init__" or not method.startswith("_"):
            check(function, getattr(ours, method))
    if name == "SubscriberMessage":
        made = ours("a", "1", None, b"", {})
        assert all(
            hasattr(made, each) for each in ("ack_id", "message_id", "publish_time", "data", "attributes", "delivery_attempt", "force_ack_nack")
        )


def test_subscribe_has_every_argument() -> None:
    check(gcloud.aio.pubsub.subscribe, publican.aio.subscribe)
    check(gcloud.aio.pubsub.subscriber.AckDeadlineCache.__init__, publican.aio.subscriber.AckDeadlineCache.__init__)


def check(theirs: Callable[..., Any], ours: Callable[..., Any]) -> None:
    """Compare two signatures: each parameter of theirs is one of ours, at the same place, with the same default."""
    mine = inspect.signature(ours).parameters
    positional = [each.name for each in mine.values() if each.kind in {each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD}]
    place = 0
    for each in inspect.signature(theirs).parameters.values():
        if each.kind is each.VAR_KEYWORD:
            assert any(other.kind is other.VAR_KEYWORD for other in mine.values())
            continue
        assert each.name in mine, f"{ours} has no {each.name}"
        assert mine[each.name].default == each.default, f"{ours}: {each.name}"
        if each.kind is each.POSITIONAL_OR_KEYWORD:
            assert positional[place] == each.name, f"{ours}: {each.name}"
            place += 1
    assert inspect.iscoroutinefunction(ours) == inspect.iscoroutinefunction(theirs) or ours.__name__ == "create_subscription"


class Recorder:
    """A server that notes what comes, and answers as the service does."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str], Any]] = []
        self.message: dict[str, Any] = {"messageId": "7", "publishTime": "2026-01-31T12:00:00.123456Z", "data": "+/8=", "attributes": {"a": "b"}}

    async def answer(self, request: web.Request) -> web.Response:
        raw = await request.read()
        self.requests.append((request.method, request.raw_path.partition("?")[0], dict(request.query), json.loads(raw) if raw else None))
        assert "Authorization" not in request.headers
        if request.headers.get("Content-Type") != "application/json":
            self.requests.append(("content type", str(request.headers.get("Content-Type")), {}, None))
        if request.path.endswith("broken"):
            return web.json_response({"error": {"code": 409, "status": "ALREADY_EXISTS", "message": "taken"}}, status=409)
        if request.path.endswith(":pull"):
            return web.json_response({"receivedMessages": [{"ackId": "x", "message": self.message, "deliveryAttempt": 2}]})
        if request.path.endswith(":publish"):
            return web.json_response({"messageIds": ["1"]})
        for kind in ("subscriptions", "snapshots"):
            if request.path.endswith(f"p/{kind}"):
                page = {kind: [{"name": "one"}], "nextPageToken": "more"} if "pageToken" not in request.query else {kind: [{"name": "two"}]}
                return web.json_response(page)
        return web.json_response({})


async def script(library: Any, session: aiohttp.ClientSession) -> list[Any]:
    """Do everything that both libraries can, and give what came of it."""
    publisher = library.PublisherClient(session=session)
    subscriber = library.SubscriberClient(session=session)
    message = library.PubsubMessage
    results = [
        publisher.project_path("p"),
        publisher.topic_path("p", "t"),
        publisher.subscription_path("p", "s"),
        subscriber.snapshot_path("p", "s"),
        await publisher.create_topic(TOPIC),
        await publisher.create_topic(TOPIC, {"labels": {"a": "b"}}),
        await publisher.list_topics("projects/p", {"pageSize": "3"}),
        await publisher.publish(TOPIC, [message(b"\xfb\xff", colour="red"), message("text", ordering_key="k")]),
        await publisher.publish(TOPIC, []),
        await publisher.delete_topic(TOPIC),
        await subscriber.create_subscription(SUBSCRIPTION, TOPIC),
        await subscriber.create_subscription(SUBSCRIPTION, TOPIC, {"ackDeadlineSeconds": 30}),
        await subscriber.patch_subscription(SUBSCRIPTION, {"subscription": {}, "updateMask": "labels"}),
        await subscriber.get_subscription(SUBSCRIPTION),
        await subscriber.list_subscriptions("projects/p", {"pageSize": "1"}),
        await subscriber.acknowledge(SUBSCRIPTION, ["a", "b"]),
        await subscriber.modify_ack_deadline(SUBSCRIPTION, ["a"], 20),
        await subscriber.seek(SUBSCRIPTION, {"time": "2026-01-01T00:00:00Z"}),
        await subscriber.create_snapshot(SNAPSHOT, SUBSCRIPTION, {"labels": {"a": "b"}}),
        await subscriber.get_snapshot(SNAPSHOT),
        await subscriber.list_snapshots("projects/p"),
        await subscriber.delete_snapshot(SNAPSHOT),
        await subscriber.delete_subscription(SUBSCRIPTION),
    ]
    for pulled in await subscriber.pull(SUBSCRIPTION, 5):
        results += [getattr(pulled, name) for name in ("ack_id", "message_id", "publish_time", "data", "attributes", "delivery_attempt")]
    with pytest.raises(aiohttp.ClientResponseError) as refused:
        await publisher.create_topic("projects/p/topics/broken")
    results += [refused.value.status, refused.value.message, str(refused.value.request_info.url.path), isinstance(refused.value, AlreadyExists)]
    return results


def run(library: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Any], list[Any]]:
    async def story() -> tuple[list[Any], list[Any]]:
        recorder = Recorder()
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", recorder.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "{}:{}".format(*runner.addresses[0][:2]))
        try:
            async with aiohttp.ClientSession() as session:
                return await script(library, session), recorder.requests
        finally:
            await runner.cleanup()

    return asyncio.run(story())


def test_one_script_sends_the_same_requests_under_both_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    their_results, their_requests = run(gcloud.aio.pubsub, monkeypatch)
    our_results, our_requests = run(publican.aio, monkeypatch)
    assert our_requests == their_requests
    assert their_results.pop() is False
    assert our_results.pop() is True
    assert our_results == their_results
