"""A response leaves after its commit point; a request that is no message is refused."""

import asyncio
from collections.abc import Awaitable, Coroutine

import pytest

from publican_emulator.broker.errors import InvalidArgument
from publican_emulator.rpc.call import CallInfo
from publican_emulator.services.answer import Answer, handler
from publican_protocol import pubsub

INFO = CallInfo("/test", "grpc")


def test_a_response_whose_commit_point_has_passed_is_there_at_once() -> None:
    def method(request: pubsub.GetTopicRequest, info: CallInfo) -> Answer[pubsub.Topic]:
        return pubsub.Topic(name=request.topic), None

    body = pubsub.GetTopicRequest(topic="t").SerializeToString()
    assert handler("google.pubsub.v1.GetTopicRequest", method)(body, INFO) == pubsub.Topic(name="t").SerializeToString()


def test_a_response_waits_for_its_commit_point() -> None:
    steps: list[str] = []

    async def commit() -> None:
        await asyncio.sleep(0)
        steps.append("committed")

    def method(request: pubsub.Topic, info: CallInfo) -> Answer[pubsub.Topic]:
        return request, commit()

    answer = handler("google.pubsub.v1.Topic", method)(b"", INFO)
    assert isinstance(answer, Coroutine)
    assert steps == []
    asyncio.run(answer)
    assert steps == ["committed"]


def test_bytes_that_are_no_message_are_an_invalid_argument_and_not_internal() -> None:
    def method(request: pubsub.Topic, info: CallInfo) -> tuple[pubsub.Topic, Awaitable[object] | None]:
        raise AssertionError

    with pytest.raises(InvalidArgument, match=r"not a valid google\.pubsub\.v1\.Topic"):
        handler("google.pubsub.v1.Topic", method)(b"\xff", INFO)
