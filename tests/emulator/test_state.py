"""A state that is dumped and loaded: what clients see of it. What it holds is compared by tests/properties, step by step."""

import base64
import json
import pathlib
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from publican_emulator import Emulator, VirtualClock
from publican_emulator.broker.broker import Broker
from publican_emulator.broker.errors import Aborted, InvalidArgument, Unavailable
from publican_emulator.broker.exports import BigQueryConfig, BigtableConfig, CloudStorageConfig, DelimitedKey
from publican_emulator.broker.instants import SECOND, Nanos
from publican_emulator.broker.policies import Binding, Condition, Policy
from publican_emulator.broker.push import OidcToken, PushConfig
from publican_emulator.broker.schema_settings import Definition, Encoding, Language, SchemaSettings
from publican_emulator.broker.settings import DeadLetterPolicy, SubscriptionSettings, TopicSettings
from publican_emulator.broker.transforms import Compression, Inference, Transform
from publican_protocol import pubsub

TOPIC, SUBSCRIPTION = "projects/p/topics/orders", "projects/p/subscriptions/billing"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(clock=VirtualClock(Nanos(1_700_000_000 * SECOND))) as emulator:
        emulator.run(Broker.create_topic, TOPIC, TopicSettings())
        emulator.run(Broker.create_subscription, SUBSCRIPTION, TOPIC, SubscriptionSettings())
        yield emulator


def publish(emulator: Emulator, *texts: bytes) -> list[int]:
    return list(emulator.run(Broker.publish, TOPIC, [pubsub.PubsubMessage(data=text).SerializeToString() for text in texts]))


def pull(emulator: Emulator, most: int = 100) -> list[tuple[bytes, str]]:
    consumer = emulator.run(Broker.open_pull, SUBSCRIPTION, most)
    batch = emulator.run(Broker.lease, consumer, 1_000_000)
    return [(pubsub.PubsubMessage.FromString(each.message).data, each.ack_id) for each in batch.deliveries()]


def test_another_emulator_goes_on_where_the_first_one_was(emulator: Emulator) -> None:
    publish(emulator, b"held", b"acked later")
    ids = [ack_id for _, ack_id in pull(emulator)]
    publish(emulator, b"waiting")
    emulator.advance(3)
    state = emulator.dump_state()
    with Emulator(clock=VirtualClock(Nanos(0))) as other:
        other.load_state(state)
        assert other.now() == emulator.now(), "a clock that is behind moves to the instant of the dump"
        other.run(Broker.acknowledge, SUBSCRIPTION, ids[1:])
        assert [data for data, _ in pull(other)] == [b"waiting"]
        other.advance(6.999)
        assert pull(other) == []
        other.advance(0.001)
        assert [data for data, _ in pull(other)] == [b"held"], "its lease went on to its deadline"
        assert publish(other, b"next") == [4], "message ids go on"


def test_what_fell_due_meanwhile_happens_at_the_load(emulator: Emulator) -> None:
    publish(emulator, b"one")
    pull(emulator)
    state = emulator.dump_state()
    emulator.run(Broker.delete_subscription, SUBSCRIPTION)
    emulator.advance(20)
    emulator.load_state(state)
    assert [data for data, _ in pull(emulator)] == [b"one"]


def test_failures_from_before_a_dead_letter_policy_stay_uncounted(emulator: Emulator) -> None:
    emulator.run(Broker.create_topic, "projects/p/topics/dead", TopicSettings())
    publish(emulator, b"one", b"two")
    pull(emulator)
    emulator.advance(10)
    emulator.run(Broker.update_subscription, SUBSCRIPTION, SubscriptionSettings(dead_letter=DeadLetterPolicy("projects/p/topics/dead")))
    emulator.load_state(emulator.dump_state())
    consumer = emulator.run(Broker.open_pull, SUBSCRIPTION, 100)
    assert [each.delivery_attempt for each in emulator.run(Broker.lease, consumer, 1_000).deliveries()] == [1, 1]


def test_a_key_stays_with_its_holder_and_goes_on_when_that_has_settled(emulator: Emulator) -> None:
    emulator.run(Broker.delete_subscription, SUBSCRIPTION)
    emulator.run(Broker.create_subscription, SUBSCRIPTION, TOPIC, SubscriptionSettings(enable_message_ordering=True))
    for text in (b"a1", b"a2", b"a3"):
        emulator.run(Broker.publish, TOPIC, [pubsub.PubsubMessage(data=text, ordering_key="a").SerializeToString()])
    [(_, first)] = pull(emulator, 1)
    emulator.load_state(emulator.dump_state())
    assert pull(emulator) == []
    emulator.run(Broker.acknowledge, SUBSCRIPTION, [first])
    assert [data for data, _ in pull(emulator)] == [b"a2", b"a3"]


def test_schemas_and_what_topics_want_of_them_go_along(emulator: Emulator) -> None:
    definition = Definition(Language.AVRO, '{"type": "record", "name": "Order", "fields": [{"name": "id", "type": "int"}]}')
    emulator.run(Broker.create_schema, "projects/p/schemas/order", definition)
    checked = TopicSettings(schema=SchemaSettings("projects/p/schemas/order", Encoding.JSON))
    emulator.run(Broker.update_topic, TOPIC, checked)
    state = emulator.dump_state()
    emulator.reset()
    emulator.load_state(state)
    assert emulator.run(Broker.get_topic, TOPIC).settings == checked
    publish(emulator, b'{"id": 1}')
    with pytest.raises(InvalidArgument, match="id"):
        publish(emulator, b'{"id": "one"}')


def test_a_dump_changes_nothing(emulator: Emulator) -> None:
    publish(emulator, b"one", b"two")
    [_, (_, kept)] = pull(emulator)
    assert emulator.dump_state() == emulator.dump_state()
    emulator.run(Broker.modify_ack_deadline, SUBSCRIPTION, [kept], 0)
    assert [data for data, _ in pull(emulator)] == [b"two"]


def test_who_waits_on_the_present_state_ends_unavailable(emulator: Emulator) -> None:
    consumer = emulator.run(Broker.open_stream, SUBSCRIPTION, 10, 0, 0, "")
    emulator.load_state(emulator.dump_state())
    with pytest.raises(Unavailable, match="another state"):
        emulator.run(Broker.lease, consumer, 1_000)


@pytest.mark.parametrize(
    ("spoilt", "complaint"),
    [
        (b"", "not JSON"),
        (b"\xff\x00", "not JSON"),
        (b"[]", "publican-state"),
        (b'{"format": "publican-state", "version": 2}', "version 2; this Publican reads version 1"),
        (b'{"format": "publican-state", "version": 1}', "messages"),
        (b'{"format": "publican-state", "version": 1, "messages": ["?"]}', "messages"),
        (b'{"format": "publican-state", "version": 1, "messages": [], "topics": [{}]}', "topics: KeyError: 'name'"),
    ],
)
def test_what_is_no_state_is_refused_and_changes_nothing(emulator: Emulator, spoilt: bytes, complaint: str) -> None:
    publish(emulator, b"one")
    with pytest.raises(InvalidArgument, match=complaint):
        emulator.load_state(spoilt)
    assert [data for data, _ in pull(emulator)] == [b"one"]


@pytest.mark.parametrize("chapter", ["topics", "subscriptions", "snapshots", "counters", "messages"])
def test_a_state_with_a_spoilt_chapter_is_refused(emulator: Emulator, chapter: str) -> None:
    publish(emulator, b"one")
    pull(emulator)
    emulator.run(Broker.create_snapshot, "projects/p/snapshots/then", SUBSCRIPTION, {})
    state = json.loads(emulator.dump_state())
    state[chapter] = {"serial": 1, "no such thing": 1} if chapter == "counters" else [1, 2, 3]
    with pytest.raises(InvalidArgument, match=chapter):
        emulator.load_state(json.dumps(state).encode())
    assert emulator.run(Broker.list_snapshots, "projects/p")


def test_iam_policies_go_on_with_their_etags(emulator: Emulator) -> None:
    binding = Binding("roles/pubsub.viewer", ("allUsers",), Condition("true", "always"))
    stored = emulator.run(Broker.set_policy, TOPIC, Policy(3, (binding,), etag=b""), {"bindings"})
    with Emulator(clock=VirtualClock(Nanos(0))) as other:
        other.load_state(emulator.dump_state())
        assert other.run(Broker.get_policy, TOPIC, 3) == stored
        with pytest.raises(Aborted):
            other.run(Broker.set_policy, TOPIC, Policy(etag=b"another"), {"bindings"})


def test_targets_and_transforms_are_in_a_state_and_go_on(tmp_path: pathlib.Path) -> None:
    compress = Transform(Compression("ZLIB", "COMPRESS"))
    inference = Transform(Inference("projects/p/locations/l/endpoints/e", b"", "a@b"), disabled=True)
    key = DelimitedKey(("a", "b"), b"#")
    targets: list[dict[str, Any]] = [
        {"push": PushConfig("http://127.0.0.1:9/", {"x-goog-version": "v1beta1"}, OidcToken("a@b", "c"), "no_wrapper", write_metadata=True)},
        {"bigquery": BigQueryConfig("p.d.t", write_metadata=True)},
        {"cloud_storage": CloudStorageConfig("bucket", "a", "b", "", "avro", write_metadata=True, max_duration=Nanos(60 * SECOND))},
        {"bigtable": BigtableConfig("projects/p/instances/i/tables/t", maps_column_families=True, key=key)},
    ]
    with Emulator(clock=VirtualClock(Nanos(1_700_000_000 * SECOND))) as emulator:
        emulator.run(Broker.create_topic, TOPIC, TopicSettings(transforms=(inference,)))
        for number, target in enumerate(targets):
            settings = SubscriptionSettings(transforms=(compress, inference), **target)
            emulator.run(Broker.create_subscription, f"{SUBSCRIPTION}{number}", TOPIC, settings)
        publish(emulator, b"one")
        state = emulator.dump_state()
    with Emulator(clock=VirtualClock(Nanos(0)), export_dir=tmp_path) as other:
        other.load_state(state)
        for number, target in enumerate(targets):
            settings = other.run(Broker.get_subscription, f"{SUBSCRIPTION}{number}").settings
            assert settings == SubscriptionSettings(transforms=(compress, inference), **target)
        assert other.run(Broker.get_topic, TOPIC).settings.transforms == (inference,)
        other.advance(60)
        row = json.loads((tmp_path / "bigquery/p/d/t.jsonl").read_text())
        assert zlib.decompress(base64.b64decode(row["data"])) == b"one", "what was waiting is exported, through the transforms"
