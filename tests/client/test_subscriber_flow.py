"""What a subscriber takes, holds, extends and settles, seen from the service: against the emulator, in virtual time."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from publican.flow import FlowControl
from publican.message import SubscriberMessage
from publican_protocol import pubsub
from tests.client.test_subscriber_faults import acked, handled
from tests.client.world import SUBSCRIPTION, TOPIC, InMemoryStream, World


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


class Gate:
    """A handler that holds each message until it is let go."""

    def __init__(self) -> None:
        self.held: list[tuple[SubscriberMessage, asyncio.Event]] = []

    async def __call__(self, message: SubscriberMessage) -> None:
        free = asyncio.Event()
        self.held.append((message, free))
        await free.wait()

    async def free(self, world: World, count: int) -> None:
        for _ in range(count):
            self.held.pop(0)[1].set()
        await world.advance(0.02)


def overfill(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the service send more than it was asked for, as one may that had it on its way."""
    opening = world.transport.streaming_pull

    async def greedy(first: pubsub.StreamingPullRequest) -> InMemoryStream:
        changed = pubsub.StreamingPullRequest()
        changed.CopyFrom(first)
        changed.max_outstanding_messages = changed.max_outstanding_bytes = 0
        return await opening(changed)

    monkeypatch.setattr(world.transport, "streaming_pull", greedy)


def test_at_load_one_nothing_more_is_read_and_below_four_fifths_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription()
            overfill(world, monkeypatch)
            gate = Gate()
            async with handled(world, gate, flow_control=FlowControl(max_messages=10)) as (subscriber, _):
                for number in range(10):
                    world.publish(b"%d" % number)
                    await world.rest()
                assert (len(gate.held), subscriber.stats()[0].load) == (10, 1.0)
                world.publish(b"more")
                await world.advance(5)
                assert subscriber.stats()[0].load == 1.0  # the response stays in the stream
                await gate.free(world, 2)
                assert (len(gate.held), subscriber.stats()[0].load) == (8, 0.8)
                await gate.free(world, 1)
                assert (len(gate.held), subscriber.stats()[0].load) == (8, 0.8)
                assert gate.held[-1][0].data == b"more"

    run(test())


def test_an_overshooting_response_is_held_and_its_leases_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription()
            overfill(world, monkeypatch)
            world.publish(*(b"%d" % number for number in range(5)))
            gate = Gate()
            async with handled(world, gate, flow_control=FlowControl(max_messages=2, max_duration_per_lease_extension=10)) as (subscriber, _):
                stats = subscriber.stats()[0]
                assert (stats.running, stats.held, stats.load) == (2, 3, 2.5)
                await world.advance(60)
                assert "expired" not in world.history()
                for left in (4, 3, 2, 1, 0):
                    await gate.free(world, 1)
                    assert len(gate.held) == min(left, 2)
                assert await acked(world) == 5

    run(test())


def test_bytes_bind_where_they_are_reached_first(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription()
            overfill(world, monkeypatch)
            world.publish(*(b"x" * 400 for _ in range(5)))
            gate = Gate()
            async with handled(world, gate, flow_control=FlowControl(max_bytes=1000)) as (subscriber, _):
                assert (subscriber.stats()[0].running, subscriber.stats()[0].held) == (2, 3)

    run(test())


def test_one_giant_message_passes_alone() -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription()
            world.publish(b"x" * 5000)
            gate = Gate()
            async with handled(world, gate, flow_control=FlowControl(max_bytes=1000)):
                world.publish(b"small")
                await world.rest()
                assert [len(message.data or b"") for message, _ in gate.held] == [5000]
                await gate.free(world, 1)
                await world.rest()
                assert [message.data for message, _ in gate.held] == [b"small"]

    run(test())


def test_an_ack_within_the_window_leaves_without_a_receipt() -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription()
            world.publish(b"1", b"2")

            async def handler(message: SubscriberMessage) -> None:
                pass

            async with handled(world, handler):
                await world.advance(1)
                assert await acked(world) == 2
                assert world.transport.of("ModifyAckDeadline") == []

    run(test())


def test_1001_acks_are_two_requests() -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription()
            gate = Gate()
            async with handled(world, gate, flow_control=FlowControl(max_messages=2000)):
                world.publish(*(b"x" for _ in range(1000)))
                world.publish(b"x")
                await world.rest()
                await gate.free(world, 1001)
                assert [len(each.ack_ids) for each in world.transport.of("Acknowledge")] == [1000, 1]

    run(test())


def test_one_bad_ack_id_does_not_lose_the_others() -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription()
            world.publish(*(b"%d" % number for number in range(100)))
            spoilt = "not an ack id"

            async def handler(message: SubscriberMessage) -> None:
                if message.data == b"61":
                    message._settler.ack_id = spoilt  # type: ignore[union-attr]  # the delivery of a stream

            async with handled(world, handler):
                await world.advance(1)
                assert await acked(world) == 99

    run(test())


def test_a_failed_extension_is_repeated_before_the_lease_ends() -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription(ack_deadline_s=10)
            world.publish(b"x")
            gate = Gate()
            async with handled(world, gate, flow_control=FlowControl(max_duration_per_lease_extension=10)):
                await world.advance(1)
                world.emulator.faults.fail("ModifyAckDeadline", "UNAVAILABLE", times=3)
                await world.advance(30)
                assert "expired" not in world.history()
                assert len(gate.held) == 1

    run(test())


def test_a_peer_that_goes_silent_is_left_within_40_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription()
            gate = Gate()
            async with handled(world, gate):
                await world.advance(61)  # two pings, answered
                [stream] = world.transport.open

                async def into_the_void(request: pubsub.StreamingPullRequest) -> None:
                    pass

                monkeypatch.setattr(stream, "send", into_the_void)
                await world.advance(38)
                assert len(world.transport.opened) == 1
                await world.advance(3)
                assert len(world.transport.opened) == 2
                world.publish(b"x")
                await world.advance(1)
                assert len(gate.held) == 1

    run(test())


def test_the_service_s_word_in_mid_stream_switches_to_exactly_once() -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription()
            gate = Gate()
            async with handled(world, gate):
                world.publish(b"1")
                await world.rest()
                assert world.transport.of("ModifyAckDeadline") == []  # its receipt waits for the window
                request = pubsub.UpdateSubscriptionRequest()
                request.subscription.name, request.subscription.topic = SUBSCRIPTION, TOPIC
                request.subscription.enable_exactly_once_delivery = True
                request.update_mask.paths.append("enable_exactly_once_delivery")
                await world.transport.unary("/google.pubsub.v1.Subscriber/UpdateSubscription", request, timeout=5)
                world.emulator.faults.fail("ModifyAckDeadline", "UNAVAILABLE", times=1)
                world.publish(b"2")
                await world.rest()
                assert [message.data for message, _ in gate.held] == [b"1"], "handed out before its receipt was confirmed"
                await world.advance(1)
                assert [message.data for message, _ in gate.held] == [b"1", b"2"]

    run(test())


def test_a_dropped_message_comes_again_when_its_lease_has_run_out() -> None:
    async def test() -> None:
        async with World() as world:
            world.subscription()
            world.publish(b"x")
            seen = 0

            async def handler(message: SubscriberMessage) -> None:
                nonlocal seen
                seen += 1
                if seen == 1:
                    message.drop()

            async with handled(world, handler):
                await world.advance(59)
                assert seen == 1
                await world.advance(2)
                assert (seen, await acked(world)) == (2, 1)

    run(test())
