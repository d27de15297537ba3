"""The emulator as a thing in a program: it listens when it is there, several fit beside each other, and nothing of it is left."""

import asyncio
import gc
import http.client
import socket
import threading
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from publican_emulator import Emulator, VirtualClock
from publican_emulator.broker.broker import Broker
from publican_emulator.broker.errors import AlreadyExists
from publican_emulator.broker.settings import SubscriptionSettings, TopicSettings
from publican_emulator.emulator import STOP_GRACE_S

Rest = Callable[..., tuple[int, Any]]

TOPIC = "projects/p/topics/orders"
SUBSCRIPTION = "projects/p/subscriptions/billing"


def _create(rest: Rest, address: str) -> None:
    assert rest(address, "PUT", f"/v1/{TOPIC}", {})[0] == 200
    assert rest(address, "PUT", f"/v1/{SUBSCRIPTION}", {"topic": TOPIC})[0] == 200


def _publish(rest: Rest, address: str) -> list[str]:
    status, body = rest(address, "POST", f"/v1/{TOPIC}:publish", {"messages": [{"data": "aGVsbG8="}]})
    assert status == 200
    ids: list[str] = body["messageIds"]
    return ids


def _pull(rest: Rest, address: str) -> list[Any]:
    status, body = rest(address, "POST", f"/v1/{SUBSCRIPTION}:pull", {"maxMessages": 10, "returnImmediately": True})
    assert status == 200
    received: list[Any] = body.get("receivedMessages", [])
    return received


def test_it_listens_when_its_context_is_entered(rest: Rest) -> None:
    with Emulator() as emulator:
        socket.create_connection(("127.0.0.1", emulator.port)).close()
        assert emulator.address == f"127.0.0.1:{emulator.port}"
        _create(rest, emulator.address)
        assert _publish(rest, emulator.address) == ["1"]
        assert [each["message"]["data"] for each in _pull(rest, emulator.address)] == ["aGVsbG8="]


def test_it_does_not_listen_any_more_when_its_context_is_left() -> None:
    with Emulator() as emulator:
        port = emulator.port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    with Emulator(port=port) as again:
        assert again.port == port


def test_it_runs_in_the_callers_loop(rest: Rest) -> None:
    async def main() -> list[str]:
        async with Emulator() as emulator:
            await asyncio.to_thread(_create, rest, emulator.address)
            return await asyncio.to_thread(_publish, rest, emulator.address)

    threads = threading.active_count()
    assert asyncio.run(main()) == ["1"]
    assert threading.active_count() == threads


def test_several_run_beside_each_other_and_share_nothing(rest: Rest) -> None:
    with Emulator() as one, Emulator() as two:
        assert one.port != two.port
        _create(rest, one.address)
        assert rest(two.address, "GET", f"/v1/{TOPIC}")[0] == 404


def test_a_port_in_use_is_an_error_in_the_caller_and_leaves_no_thread() -> None:
    before = threading.enumerate()
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"), Emulator(port=taken.getsockname()[1]):
        pass
    assert threading.enumerate() == before


def test_two_emulators_never_share_a_port() -> None:
    with Emulator() as one, pytest.raises(OSError, match="in use"), Emulator(port=one.port):
        pass


def test_it_is_entered_once() -> None:
    with Emulator() as emulator:
        pass
    with pytest.raises(RuntimeError, match="make another"), emulator:
        pass


def test_an_error_in_the_context_passes_through() -> None:
    with pytest.raises(KeyError), Emulator():
        raise KeyError


def test_localhost_is_both_loopback_addresses_on_one_port(rest: Rest) -> None:
    with Emulator(host="localhost") as emulator:
        assert emulator.address == f"localhost:{emulator.port}"
        assert emulator.addresses[0] == f"127.0.0.1:{emulator.port}"
        for address in emulator.addresses:
            assert rest(address, "GET", f"/v1/{TOPIC}")[0] == 404


def test_a_reset_empties_it_behind_the_same_port(rest: Rest) -> None:
    with Emulator() as emulator:
        _create(rest, emulator.address)
        _publish(rest, emulator.address)
        address = emulator.address
        emulator.reset()
        assert emulator.address == address
        assert rest(address, "GET", f"/v1/{TOPIC}")[0] == 404
        _create(rest, address)
        assert _pull(rest, address) == []
        assert _publish(rest, address) == ["1"]


def test_a_connection_outlives_a_reset() -> None:
    with Emulator() as emulator:
        connection = http.client.HTTPConnection(emulator.address, timeout=10)
        for _ in range(2):
            connection.request("PUT", f"/v1/{TOPIC}", "{}")
            response = connection.getresponse()
            response.read()
            assert response.status == 200
            emulator.reset()
        connection.close()


def test_a_pull_that_waits_ends_at_a_reset_with_the_reason(rest: Rest) -> None:
    with Emulator() as emulator, ThreadPoolExecutor() as pool:
        _create(rest, emulator.address)
        waiting = pool.submit(rest, emulator.address, "POST", f"/v1/{SUBSCRIPTION}:pull", {"maxMessages": 1})
        while not emulator.run(_open_consumers, SUBSCRIPTION):
            pass
        emulator.reset("the test is over")
        status, body = waiting.result(timeout=10)
    assert status == 400
    assert body["error"]["status"] == "FAILED_PRECONDITION"
    assert body["error"]["message"] == "the test is over"


def test_a_pull_that_waits_is_told_to_try_again_at_the_end(rest: Rest) -> None:
    with ThreadPoolExecutor() as pool:
        with Emulator() as emulator:
            _create(rest, emulator.address)
            waiting = pool.submit(rest, emulator.address, "POST", f"/v1/{SUBSCRIPTION}:pull", {"maxMessages": 1})
            while not emulator.run(_open_consumers, SUBSCRIPTION):
                pass
        status, body = waiting.result(timeout=10)
    assert (status, body["error"]["status"]) == (503, "UNAVAILABLE")


def test_a_connection_that_says_nothing_more_does_not_delay_the_end() -> None:
    with Emulator() as emulator:
        connection = http.client.HTTPConnection(emulator.address, timeout=10)
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        start = time.perf_counter()
    assert time.perf_counter() - start < STOP_GRACE_S
    connection.close()


def _open_consumers(broker: Broker, subscription: str, now: object) -> bool:
    return broker.get_subscription(subscription, now).rotation.is_waited_on  # type: ignore[arg-type]


def test_an_operation_of_the_broker_runs_in_the_loop_and_its_refusal_comes_back() -> None:
    with Emulator() as emulator:
        assert emulator.run(Broker.create_topic, TOPIC, TopicSettings()).name == TOPIC
        with pytest.raises(AlreadyExists):
            emulator.run(Broker.create_topic, TOPIC, TopicSettings())


def test_time_moves_when_it_is_moved(rest: Rest) -> None:
    with Emulator(clock=VirtualClock()) as emulator:
        _create(rest, emulator.address)
        _publish(rest, emulator.address)
        start = emulator.now()
        assert len(_pull(rest, emulator.address)) == 1
        emulator.advance(9.999)
        assert _pull(rest, emulator.address) == []
        emulator.advance(0.001)
        assert len(_pull(rest, emulator.address)) == 1
        assert emulator.now() - start == 10_000_000_000


def test_a_reset_keeps_the_time_unless_it_is_given_another_clock() -> None:
    with Emulator(clock=VirtualClock()) as emulator:
        emulator.advance(100)
        then = emulator.now()
        emulator.reset()
        assert emulator.now() == then
        emulator.reset(clock=VirtualClock())
        assert emulator.now() < then


def test_real_time_is_not_moved_by_hand() -> None:
    with Emulator() as emulator, pytest.raises(RuntimeError, match="virtual clock"):
        emulator.advance(1)


def test_in_the_callers_loop_time_is_moved_by_the_control() -> None:
    async def main() -> None:
        async with Emulator(clock=VirtualClock()) as emulator:
            start = emulator.now()
            await emulator.control.advance(5)
            assert emulator.now() - start == 5_000_000_000
            with pytest.raises(RuntimeError, match="control"):
                emulator.advance(1)
            emulator.reset()

    asyncio.run(main())


def test_errors_of_ours_are_kept_until_the_reset(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with Emulator() as emulator:
        monkeypatch.setattr(Broker, "get_topic", fail)
        status, body = rest(emulator.address, "GET", f"/v1/{TOPIC}")
        assert (status, body["error"]["status"]) == (500, "INTERNAL")
        assert [type(each) for each in emulator.surprises] == [ZeroDivisionError]
        emulator.reset()
        assert emulator.surprises == []


def test_threads_descriptors_and_tasks_are_given_back(rest: Rest) -> None:
    descriptors = Path("/proc/self/fd")

    def use() -> None:
        with Emulator() as emulator:
            _create(rest, emulator.address)
            emulator.run(Broker.create_subscription, f"{SUBSCRIPTION}-2", TOPIC, SubscriptionSettings())

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        use()
        gc.collect()
        threads, open_files = threading.enumerate(), len(list(descriptors.iterdir()))
        for _ in range(10):
            use()
        gc.collect()
    assert threading.enumerate() == threads
    assert len(list(descriptors.iterdir())) == open_files
    assert not caught


def test_no_task_is_left_in_the_callers_loop(rest: Rest) -> None:
    async def main() -> set[Any]:
        async with Emulator() as emulator:
            await asyncio.to_thread(_create, rest, emulator.address)
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert asyncio.run(main()) == set()
