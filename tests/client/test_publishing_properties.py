"""What holds of a publisher whatever the service answers: each message is in exactly one accepted request, or its caller knows that it is not."""

import asyncio
from collections import Counter
from typing import Any

import hypothesis
import hypothesis.strategies as st

from publican.errors import OrderingKeyPaused, PubsubError
from publican.room import PublishLimits
from tests.client.world import TOPIC, World

KEYS = ("", "a", "b")
STEPS = st.one_of(
    st.tuples(st.just("submit"), st.sampled_from(KEYS)),
    st.tuples(st.just("fail"), st.sampled_from(["UNAVAILABLE", "ABORTED", "PERMISSION_DENIED"])),
    st.tuples(st.just("trouble"), st.sampled_from(KEYS)),
    st.tuples(st.just("cancel"), st.integers(0, 30)),
    st.tuples(st.just("resume"), st.sampled_from(KEYS[1:])),
    st.tuples(st.just("advance"), st.sampled_from([0.0, 0.005, 1.0, 100.0])),
    st.tuples(st.just("flush"), st.none()),
)


@hypothesis.settings(max_examples=40, deadline=None)
@hypothesis.given(st.lists(STEPS, max_size=40), st.integers(1, 4), st.integers(1, 6))
def test_each_message_is_in_exactly_one_accepted_request_or_its_future_has_failed(steps: list[tuple[str, Any]], max_messages: int, room: int) -> None:
    asyncio.run(history(steps, max_messages, room))


async def history(steps: list[tuple[str, Any]], max_messages: int, room: int) -> None:
    async with World(history=False) as world:
        accepted: list[bytes] = []
        unary = world.transport.unary

        async def noting(method: str, request: Any, *, timeout: float | None) -> Any:
            answer = await unary(method, request, timeout=timeout)
            accepted.extend(each.data for each in request.messages)
            return answer

        world.transport.unary = noting  # type: ignore[method-assign]  # the test's eye on it
        publisher = world.publisher(max_messages=max_messages, ordering=True, limits=PublishLimits(max_messages=room))
        callers: dict[bytes, asyncio.Task[str]] = {}
        keys: dict[bytes, str] = {}

        def submit(key: str) -> None:
            data = b"%d" % len(callers)
            keys[data] = key
            callers[data] = asyncio.create_task(publisher.publish(TOPIC, data, ordering_key=key))

        for what, about in steps:
            match what:
                case "submit":
                    submit(about)
                    await asyncio.sleep(0)
                case "trouble":  # the first request of several fails for now
                    world.emulator.faults.fail("Publish", "UNAVAILABLE", times=1)
                    for _ in range(max_messages + 2):
                        submit(about)
                    await world.advance(0.01)
                case "fail":
                    world.emulator.faults.fail("Publish", about, times=1)
                case "cancel" if callers:
                    list(callers.values())[about % len(callers)].cancel()
                    await asyncio.sleep(0)
                case "resume":
                    publisher.resume(TOPIC, about)
                case "advance":
                    await world.advance(about)
                case "flush":
                    flushing = asyncio.create_task(publisher.flush())
                    await world.advance(700)
                    await flushing
        world.emulator.faults.clear()
        closing = asyncio.create_task(publisher.close())
        await world.advance(100)
        await closing
        await asyncio.gather(*callers.values(), return_exceptions=True)

    counts = Counter(accepted)
    assert all(count == 1 for count in counts.values()), "a message was accepted twice"
    for data, caller in callers.items():
        if caller.cancelled():
            continue
        error = caller.exception()
        assert isinstance(error, PubsubError | None)
        assert counts[data] == (0 if error is not None else 1)
        assert keys[data] or not isinstance(error, OrderingKeyPaused), "a message without a key was stopped by one"
    for key in KEYS[1:]:
        order = [int(data) for data in accepted if keys[data] == key]
        assert order == sorted(order), "a key's messages were overtaken"
