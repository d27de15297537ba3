"""The examples of gcloud-aio-pubsub 2.1.2's README, as printed there but for the import line and the placeholders, in both twins."""

import asyncio
import os
import re
import signal
import textwrap
import warnings
from typing import Any

import pytest

from publican.rest import PublisherClient, PubsubMessage, SubscriberClient
from publican_emulator import Emulator

SUBSCRIBER = """
from gcloud.aio.pubsub import SubscriberClient
from gcloud.aio.pubsub import SubscriberMessage

client = SubscriberClient()
# create subscription if it doesn't already exist
client.create_subscription(
    'projects/<project_name>/subscriptions/<subscription_name>',
    'projects/<project_name>/topics/<topic_name>')

async def message_callback(message: SubscriberMessage) -> None:
    try:
        # just an example: process the message however you need to here...
        result = handle(message)
        await upload_result(result)
    except Exception:
        message.nack()
    else:
        message.ack()

# subscribe to the subscription, receiving a Future that acts as a keepalive
keep_alive = client.subscribe(
    'projects/<project_name>/subscriptions/<subscription_name>',
    message_callback)

# have the client run forever, pulling messages from this subscription,
# passing them to the specified callback function, and wrapping it in an
# asyncio task.
client.run_forever(keep_alive)
"""
FLOW_CONTROL = """
example_flow_control = FlowControl(
    max_bytes=100*1024*1024,
    max_messages=1,
    max_lease_duration=10,
    max_duration_per_lease_extension=0,
)

keep_alive = client.subscribe(
    'projects/<project_name>/subscriptions/<subscription_name>',
    message_callback,
    flow_control=example_flow_control
)
"""
PUBLISHER = """
from gcloud.aio.pubsub import PubsubMessage
from gcloud.aio.pubsub import PublisherClient

async with aiohttp.ClientSession() as session:
    client = PublisherClient(session=session)

    topic = client.topic_path('my-gcp-project', 'my-topic-name')

    messages = [
        PubsubMessage(b'payload', attribute='value'),
        PubsubMessage(b'other payload', other_attribute='whatever',
                      more_attributes='something else'),
    ]
    response = await client.publish(topic, messages)
    # response == {'messageIds': ['1', '2']}
"""
TOPIC, SUBSCRIPTION = "projects/my-gcp-project/topics/my-topic-name", "projects/my-gcp-project/subscriptions/my-subscription"


def printed(source: str, twin: str) -> str:
    """Give an example for one twin: the import line changed, and for the blocking one what makes it asynchronous taken out."""
    source = (
        source.replace("<project_name>", "my-gcp-project").replace("<subscription_name>", "my-subscription").replace("<topic_name>", "my-topic-name")
    )
    source = source.replace("gcloud.aio.pubsub", f"publican.{twin}")
    if twin == "rest":
        source = source.replace("aiohttp.ClientSession", "requests.Session")
        source = re.sub(r"\b(async|await) ", "", source)
    return source


@pytest.fixture(params=["aio", "rest"])
def twin(request: pytest.FixtureRequest, emulated: Emulator) -> str:
    with PublisherClient() as publisher:
        publisher.create_topic(TOPIC)
    return str(request.param)


def backlog_is_empty() -> bool:
    with SubscriberClient() as client:
        try:
            client.pull(SUBSCRIPTION, 1, timeout=0.1)
        except TimeoutError:
            return True
        return False


@pytest.mark.parametrize("example", ["subscriber", "flow control"])
def test_the_subscriber(example: str, twin: str) -> None:
    with PublisherClient() as publisher, SubscriberClient() as subscriber:
        subscriber.create_subscription(SUBSCRIPTION, TOPIC)  # it exists already: the example forgives that
        publisher.publish(TOPIC, [PubsubMessage("good"), PubsubMessage("bad")])
    handled: list[str] = []

    def handle(message: Any) -> None:
        handled.append(message.data.decode())
        if message.data == b"bad" and handled.count("bad") == 1:
            raise ValueError(message)

    def upload(_: object) -> None:
        if {"good", "bad"} <= set(handled) and handled.count("bad") == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    async def upload_result(result: object) -> None:
        upload(result)

    source = printed(SUBSCRIBER, twin)
    if example == "flow control":
        head, _, rest = source.partition("# subscribe to the subscription")
        source = f"from publican.{twin} import FlowControl\n" + head + printed(FLOW_CONTROL, twin) + "\n" + rest.partition("message_callback)")[2]
    exec(compile(source, "README", "exec"), {"handle": handle, "upload_result": upload if twin == "rest" else upload_result})
    assert sorted(handled) == ["bad", "bad", "good"]
    assert backlog_is_empty()


def test_the_publisher(twin: str) -> None:
    import aiohttp
    import requests

    names: dict[str, Any] = {"aiohttp": aiohttp, "requests": requests}
    source = printed(PUBLISHER, twin)
    if twin == "aio":
        exec(compile(f"async def example():\n{textwrap.indent(source, '    ')}    return response\n", "README", "exec"), names)
        response = asyncio.run(names["example"]())
    else:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            exec(compile(source, "README", "exec"), names)
        names["client"].close()
        assert ["session= is not used" in str(each.message) for each in said if each.category is UserWarning] == [True]
        response = names["response"]
    assert response == {"messageIds": ["1", "2"]}
