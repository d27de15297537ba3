"""`running()`: the fixture without pytest, synchronous and not."""

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

import publican_emulator
from publican_emulator.testing.checks import PubsubWarning
from tests.plugin.test_handle import pull


def test_it_gives_an_empty_pubsub_and_sets_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "elsewhere:1")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "key.json")
    monkeypatch.delenv("PUBSUB_PROJECT_ID", raising=False)
    with publican_emulator.running(seed={"orders": ["billing"]}, start=datetime(2030, 1, 1, tzinfo=UTC), project="acme") as pubsub:
        assert (os.environ["PUBSUB_EMULATOR_HOST"], os.environ["PUBSUB_PROJECT_ID"]) == (pubsub.address, "acme")
        assert "GOOGLE_APPLICATION_CREDENTIALS" not in os.environ
        billing = "projects/acme/subscriptions/billing"
        pubsub.publish("orders", b"one")
        assert len(pull(pubsub, billing)) == 1
        assert [event.kind for event in pubsub.advance(10)] == ["expired"]
        assert pubsub.now() == datetime(2030, 1, 1, 0, 0, 10, tzinfo=UTC)
    assert os.environ["PUBSUB_EMULATOR_HOST"] == "elsewhere:1"
    assert os.environ["GOOGLE_APPLICATION_CREDENTIALS"] == "key.json"
    assert "PUBSUB_PROJECT_ID" not in os.environ


def test_two_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST", raising=False)
    with publican_emulator.running() as outer, publican_emulator.running(set_environment=False) as inner:
        assert os.environ["PUBSUB_EMULATOR_HOST"] == outer.address != inner.address
        outer.topic("orders")
        inner.topic("orders")
    assert "PUBSUB_EMULATOR_HOST" not in os.environ


def test_an_error_carries_the_history_and_leaves_nothing_behind() -> None:
    def fails() -> None:
        with publican_emulator.running() as pubsub:
            pubsub.topic("orders").publish(b"one")
            raise AssertionError("no")

    before = os.environ.get("PUBSUB_EMULATOR_HOST")
    with pytest.raises(AssertionError) as failed:
        fails()
    assert failed.value.__notes__ == ["pubsub history\nm1  topic=orders  b'one'\n  +0.000s   published    nobody reads it"]
    assert os.environ.get("PUBSUB_EMULATOR_HOST") == before


def test_a_strict_block_fails_for_what_it_leaves_behind() -> None:
    def leaves_it() -> None:
        with publican_emulator.running(strict=True) as pubsub:
            billing = pubsub.subscription("billing", pubsub.topic("orders"))
            pubsub.publish("orders", b"one")
            pull(pubsub, billing)
            pubsub.fail("Publish", "ABORTED")

    with pytest.raises(AssertionError, match=r"still leased: m1 on billing\n  never hit: fail"):
        leaves_it()


def test_another_block_warns_of_faults_that_met_nothing() -> None:
    with pytest.warns(PubsubWarning, match="never hit: fail"), publican_emulator.running() as pubsub:
        pubsub.fail("Publish", "ABORTED")


def test_a_bug_of_ours_surfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    from publican_emulator.broker.broker import Broker

    monkeypatch.setattr(Broker, "list_topics", lambda *_: 1 / 0)
    with pytest.raises(ExceptionGroup, match="bugs in Publican"), publican_emulator.running() as pubsub, pytest.raises(Exception, match="Internal"):
        pubsub.link.ask("GET", "/v1/projects/p/topics")


def test_an_asynchronous_block() -> None:
    async def main() -> None:
        async with publican_emulator.running() as pubsub:
            billing = pubsub.subscription("billing", pubsub.topic("orders"))
            pubsub.publish("orders", b"one")
            await pubsub.until(lambda: billing.peek())
            assert await asyncio.to_thread(pull, pubsub, billing)
            assert [event.kind for event in await pubsub.aio.advance(10)] == ["expired"]

    asyncio.run(main())


@pytest.mark.parametrize(("words", "why"), [({"clock": "sand"}, "it must be virtual or real"), ({"start": datetime(2030, 1, 1)}, "no time zone")])  # noqa: DTZ001
def test_words_that_mean_nothing_are_refused(words: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        publican_emulator.running(**words)  # type: ignore[arg-type]  # that is the point


def test_it_needs_no_pytest() -> None:
    program = """
import sys, publican_emulator
with publican_emulator.running() as pubsub:
    pubsub.topic("orders")
assert not {"pytest", "_pytest", "grpc", "hypothesis"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)
