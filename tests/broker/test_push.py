"""Push in the core: what may be configured, and at what pace an endpoint gets messages."""

from typing import Any

import pytest

from publican_emulator.broker import limits
from publican_emulator.broker.consumer import Consumer, Mood
from publican_emulator.broker.errors import FailedPrecondition, InvalidArgument
from publican_emulator.broker.instants import MILLISECOND, SECOND, Nanos
from publican_emulator.broker.push import OidcToken, Pace, PushConfig, push_backoff
from publican_emulator.broker.settings import DeadLetterPolicy, RetryPolicy, SubscriptionSettings
from publican_protocol import pubsub
from tests.broker.bench import NOON, SUBSCRIPTION, Bench

URL = "https://example.com/push"
PUSH = PushConfig(URL)


@pytest.mark.parametrize(
    "endpoint", ["http://localhost:8080", "https://a.b/c?d=e#f", "HTTP://[::1]:80/x", "https://u:p@h/", "http://host.docker.internal/a"]
)
def test_an_endpoint_is_an_http_url(endpoint: str) -> None:
    assert PushConfig(endpoint).endpoint == endpoint


@pytest.mark.parametrize(
    ("endpoint", "why"),
    [
        ("ftp://a/b", "must begin with https:// or http://"),
        ("localhost:8080", "must begin with"),
        ("http://", "no host"),
        ("http://a:99999/", "ort"),
        ("http://a:b/", "ort"),
        ("http://a b/", "blank"),
        ("http://a/\r\nX: y", "control"),
        ("http://a/" + "x" * 2_040, "2049 bytes, the maximum is 2048"),
    ],
)
def test_anything_else_is_refused_by_name(endpoint: str, why: str) -> None:
    with pytest.raises(InvalidArgument, match=r"^Invalid push endpoint given \(endpoint=") as error:
        PushConfig(endpoint)
    assert why in error.value.message


@pytest.mark.parametrize("attributes", [{"x-goog-version": "v2"}, {"x-goog-version": ""}, {"other": "v1"}])
def test_the_only_attribute_is_a_version_that_exists(attributes: dict[str, str]) -> None:
    with pytest.raises(InvalidArgument, match=r"argument=push_config\.attributes"):
        PushConfig(URL, attributes)


def test_a_token_needs_a_service_account() -> None:
    with pytest.raises(InvalidArgument, match="service_account_email"):
        OidcToken("")


def test_exactly_once_delivery_and_push_exclude_each_other() -> None:
    with pytest.raises(InvalidArgument, match="argument=enable_exactly_once_delivery"):
        SubscriptionSettings(push=PUSH, enable_exactly_once_delivery=True)


# the pace


def test_a_window_that_comes_through_whole_is_followed_by_twice_as_many_up_to_a_bound() -> None:
    pace = Pace()
    assert pace.window == limits.PUSH_WINDOW_START
    for _ in range(limits.PUSH_WINDOW_START):
        pace.succeeded()
    assert pace.window == 2 * limits.PUSH_WINDOW_START
    for _ in range(2_000):
        pace.succeeded()
    assert pace.window == limits.PUSH_WINDOW_MAX


def test_a_failure_halves_the_window_down_to_one() -> None:
    pace = Pace()
    seen = []
    for _ in range(5):
        pace.failed(NOON, rests=False)
        seen.append(pace.window)
    assert seen == [5, 2, 1, 1, 1]
    assert pace.resumes_at is None


@pytest.mark.parametrize(
    ("failures", "wait_ms"), [(1, 100), (2, 200), (3, 400), (9, 25_600), (10, 51_200), (11, 60_000), (12, 60_000), (10_000, 60_000)]
)
def test_the_back_off_doubles_from_100_ms_to_60_s(failures: int, wait_ms: int) -> None:
    assert push_backoff(failures) == wait_ms * MILLISECOND


def test_what_fails_while_the_endpoint_rests_counts_with_the_failure_before_it() -> None:
    pace = Pace()
    pace.failed(NOON, rests=True)
    pace.failed(Nanos(NOON + 99 * MILLISECOND), rests=True)
    assert (pace.window, pace.failures, pace.resumes_at) == (5, 1, NOON + 100 * MILLISECOND)
    rests = []
    for at in (-1, 0):
        pace.settle(Nanos(NOON + 100 * MILLISECOND + at))
        rests.append(pace.resumes_at is not None)
    assert rests == [True, False]
    pace.failed(Nanos(NOON + 100 * MILLISECOND), rests=True)
    assert pace.resumes_at == NOON + 300 * MILLISECOND


def test_a_success_ends_the_count_of_failures() -> None:
    pace = Pace()
    for _ in range(4):
        pace.failed(NOON, rests=False)
    pace.succeeded()
    pace.failed(NOON, rests=True)
    assert pace.resumes_at == NOON + 100 * MILLISECOND


# a subscription that pushes


class Carrier:
    """Carries by hand what the broker hands out to an endpoint."""

    def __init__(self, bench: Bench, **settings: Any) -> None:
        self.bench = bench
        self.subscription = bench.subscription("projects/p/subscriptions/pushed", push=PUSH, **settings)
        assert self.subscription.outgoing is not None
        self.consumer: Consumer = self.subscription.outgoing.consumer

    def take(self) -> list[tuple[str, str]]:
        """Take what there is, one message at a time: (data, ack id) each."""
        broker, now = self.bench.broker, self.bench.now
        taken = []
        while batch := broker.lease(self.consumer, 1, now):
            (delivery,) = batch.deliveries()
            taken.append((pubsub.PubsubMessage.FromString(delivery.message).data.decode(), delivery.ack_id))
        broker.want(self.consumer, now)
        return taken

    def ack(self, ack_id: str) -> None:
        self.bench.broker.carried(self.consumer, [ack_id], self.bench.now)

    def nack(self, ack_id: str, why: str = "HTTP 500") -> None:
        self.bench.broker.not_carried(self.consumer, [ack_id], why, self.bench.now)


def test_an_endpoint_gets_as_many_messages_at_once_as_its_window(bench: Bench) -> None:
    carrier = Carrier(bench)
    bench.publish(*(str(number) for number in range(30)))
    first = carrier.take()
    assert [data for data, _ in first] == [str(number) for number in range(10)]
    for _, ack_id in first:
        carrier.ack(ack_id)
    assert len(carrier.take()) == 20


def test_without_a_retry_policy_the_whole_endpoint_rests_after_a_failure(bench: Bench) -> None:
    carrier = Carrier(bench)
    bench.publish("a", "b", "c")
    (_, first), (_, second), _ = carrier.take()
    carrier.nack(first)
    carrier.ack(second)
    bench.publish("d")
    bench.advance(0.099)
    assert carrier.take() == []
    bench.advance(0.001)
    assert [data for data, _ in carrier.take()] == ["a", "d"]


def test_with_a_retry_policy_only_the_message_waits(bench: Bench) -> None:
    carrier = Carrier(bench, retry=RetryPolicy(Nanos(10 * SECOND), Nanos(600 * SECOND)))
    bench.publish("a")
    ((_, first),) = carrier.take()
    carrier.nack(first)
    bench.publish("b")
    assert [data for data, _ in carrier.take()] == ["b"]
    bench.advance(9.999)
    assert carrier.take() == []
    bench.advance(0.001)
    assert "a" in [data for data, _ in carrier.take()]


def test_a_lease_that_runs_out_is_a_failure(bench: Bench) -> None:
    carrier = Carrier(bench, ack_deadline_s=20)
    bench.publish("a")
    carrier.take()
    bench.advance(20)
    assert carrier.take() == []
    bench.advance(0.1)
    assert [data for data, _ in carrier.take()] == ["a"]


def test_of_an_ordering_key_an_endpoint_has_one_message_at_a_time(bench: Bench) -> None:
    carrier = Carrier(bench, enable_message_ordering=True)
    bench.publish("a1", "a2", key="a")
    bench.publish("b1", "b2", key="b")
    assert len(bench.broker.lease(carrier.consumer, 10_000, bench.now)) == 2
    assert carrier.take() == []
    bench.advance(10)
    bench.advance(0.1)
    first = dict(carrier.take())
    assert list(first) == ["a1", "b1"]
    carrier.ack(first["a1"])
    assert [data for data, _ in carrier.take()] == ["a2"]
    carrier.nack(first["b1"])
    bench.advance(0.1)
    assert [data for data, _ in carrier.take()] == ["b1"]


def test_the_attempts_of_pushes_count_towards_the_dead_letter_topic() -> None:
    bench = Bench(listens=True)
    bench.topic("projects/p/topics/dead")
    carrier = Carrier(bench, dead_letter=DeadLetterPolicy("projects/p/topics/dead", 5))
    bench.subscription("projects/p/subscriptions/dead", topic="projects/p/topics/dead")
    bench.publish("a")
    for _ in range(5):
        ((_, ack_id),) = carrier.take()
        carrier.nack(ack_id)
        bench.advance(60)
    assert carrier.take() == []
    assert [got.data for got in bench.pull(of="projects/p/subscriptions/dead")] == ["a"]
    assert {fact.note for fact in bench.facts if fact.kind.value == "nacked"} == {"HTTP 500"}


def test_nobody_pulls_from_a_subscription_that_pushes_but_it_can_be_sought(bench: Bench) -> None:
    carrier = Carrier(bench)
    name, broker = carrier.subscription.name, bench.broker
    for call in (lambda: broker.open_pull(name, 1, bench.now), lambda: broker.open_stream(name, 10, 0, 0, "", bench.now)):
        with pytest.raises(FailedPrecondition, match=r"^This method is not supported for this subscription type\."):
            call()
    bench.publish("a")
    ((_, ack_id),) = carrier.take()
    broker.modify_ack_deadline(name, [ack_id], 60, bench.now)
    broker.acknowledge(name, [ack_id], bench.now)
    broker.create_snapshot("projects/p/snapshots/s1s", name, {}, bench.now)
    broker.seek_to_time(name, bench.now, bench.now)


def test_a_switch_to_push_ends_streams_and_pulls_and_loses_nothing(bench: Bench) -> None:
    stream = bench.broker.open_stream(SUBSCRIPTION, 10, 0, 0, "", bench.now)
    bench.publish("leased", "waiting")
    bench.broker.lease(stream, 1, bench.now)
    bench.broker.update_subscription(SUBSCRIPTION, SubscriptionSettings(push=PUSH), bench.now)
    with pytest.raises(FailedPrecondition, match="not supported for this subscription type"):
        bench.broker.lease(stream, 100, bench.now)
    outgoing = bench.broker.get_subscription(SUBSCRIPTION, bench.now).outgoing
    assert outgoing is not None
    assert len(bench.broker.lease(outgoing.consumer, 10_000, bench.now)) == 1
    bench.advance(10)
    bench.advance(0.1)
    assert len(bench.broker.lease(outgoing.consumer, 10_000, bench.now)) == 2


def test_a_switch_to_pull_leaves_leases_to_the_endpoint_until_they_end(bench: Bench) -> None:
    carrier = Carrier(bench)
    bench.publish("acked later", "runs out", "waiting")
    (_, first), _, _ = carrier.take()
    bench.publish("new")
    bench.broker.update_subscription(carrier.subscription.name, SubscriptionSettings(), bench.now)
    assert carrier.consumer.mood is Mood.CLOSED
    pulled = bench.pull(of=carrier.subscription.name)
    assert [got.data for got in pulled] == ["new"]
    carrier.ack(first)
    bench.advance(10)
    again = [got.data for got in bench.pull(of=carrier.subscription.name)]
    assert sorted(again) == ["new", "runs out", "waiting"]


@pytest.mark.parametrize("end", ["delete_subscription", "detach_subscription"])
def test_an_endpoint_whose_subscription_goes_gets_nothing_more(bench: Bench, end: str) -> None:
    carrier = Carrier(bench)
    bench.publish("a")
    ((_, ack_id),) = carrier.take()
    bench.broker.ready.clear()
    getattr(bench.broker, end)(carrier.subscription.name, bench.now)
    assert bench.broker.ready == [carrier.consumer]
    assert carrier.consumer.end is not None
    carrier.ack(ack_id)
    carrier.nack(ack_id)
    bench.publish("b")
    bench.advance(3_600)
    assert bench.broker.ready == [carrier.consumer]


def test_a_push_that_succeeds_keeps_a_subscription_from_expiring(bench: Bench) -> None:
    day = 86_400
    carrier = Carrier(bench, expiration_ttl=Nanos(day * SECOND), message_retention=Nanos(day * SECOND))
    bench.publish("a")
    bench.advance(day - 10)
    ((_, ack_id),) = carrier.take()
    bench.advance(9)
    carrier.ack(ack_id)
    bench.advance(day - 1)
    assert carrier.subscription.name in bench.broker.existing_names("subscription")
    bench.advance(1)
    assert carrier.subscription.name not in bench.broker.existing_names("subscription")
