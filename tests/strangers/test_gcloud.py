"""`gcloud pubsub ...` against Publican, by the endpoint override: what a person types at a terminal. Slow: each command is a process of its own.

Skipped aloud where there is no gcloud. docs/gcloud.md says which commands work, and with which version that was seen.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from publican_emulator import Emulator

GCLOUD = shutil.which("gcloud")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(GCLOUD is None, reason="there is no gcloud on the PATH")]

Gcloud = Callable[..., Any]
PROJECT = "projects/p"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(pull_wait_s=0.5) as running:
        yield running


class Failed(Exception):
    """A command that ended with an error: what it wrote."""


@pytest.fixture
def gcloud(emulator: Emulator, tmp_path: Path) -> Gcloud:
    """Run a command of `gcloud pubsub`, and give what it says as objects."""
    emulator.reset()
    environment = {
        **os.environ,
        "CLOUDSDK_CONFIG": str(tmp_path / "config"),
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": f"http://{emulator.address}/",
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_CORE_PROJECT": "p",
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
        "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "true",
    }

    def run(command: str, *more: str) -> Any:
        words = [str(GCLOUD), "pubsub", *command.split(), *more, "--format=json"]
        ran = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120, check=False)
        if ran.returncode:
            raise Failed(ran.stderr)
        return json.loads(ran.stdout) if ran.stdout.strip() else None

    return run


def test_topics(gcloud: Gcloud) -> None:
    (made,) = gcloud("topics create orders --labels=team=shop --message-retention-duration=1h")
    assert made == {"name": f"{PROJECT}/topics/orders", "labels": {"team": "shop"}, "messageRetentionDuration": "3600s"}
    assert gcloud("topics describe orders") == made
    assert gcloud("topics list") == [made]
    updated = gcloud("topics update orders --update-labels=team=bar --clear-message-retention-duration")
    assert updated == {"name": f"{PROJECT}/topics/orders", "labels": {"team": "bar"}}
    gcloud("subscriptions create billing --topic=orders")
    assert gcloud("topics list-subscriptions orders") == [f"{PROJECT}/subscriptions/billing"]
    assert gcloud("topics publish orders --attribute=kind=new", "--message=hello") == {"messageIds": ["1"]}
    (received,) = gcloud("subscriptions pull billing")
    assert (received["message"]["data"], received["message"]["attributes"]) == ("aGVsbG8=", {"kind": "new"})
    gcloud("topics detach-subscription billing")
    assert gcloud("topics list-subscriptions orders") == []
    gcloud("topics delete orders")
    assert gcloud("topics list") == []
    with pytest.raises(Failed, match=r"NOT_FOUND: Resource not found \(resource=orders\)"):
        gcloud("topics describe orders")


def test_subscriptions(gcloud: Gcloud) -> None:
    gcloud("topics create orders")
    gcloud("topics create letters")
    (made,) = gcloud(
        "subscriptions create billing --topic=orders --ack-deadline=20 --enable-message-ordering --expiration-period=never "
        "--dead-letter-topic=letters --max-delivery-attempts=5 --min-retry-delay=1s --max-retry-delay=2s --labels=a=b"
    )
    assert (made["ackDeadlineSeconds"], made["enableMessageOrdering"], made["expirationPolicy"]) == (20, True, {})
    assert gcloud("subscriptions describe billing") == made
    assert gcloud("subscriptions list") == [made]
    assert gcloud("subscriptions update billing --ack-deadline=30 --clear-dead-letter-policy")["ackDeadlineSeconds"] == 30
    gcloud("topics publish orders", "--message=one")
    (received,) = gcloud("subscriptions pull billing")
    gcloud("subscriptions modify-message-ack-deadline billing --ack-deadline=60", f"--ack-ids={received['ackId']}")
    gcloud("subscriptions ack billing", f"--ack-ids={received['ackId']}")
    gcloud("topics publish orders", "--message=two")
    assert len(gcloud("subscriptions pull billing --auto-ack --limit=5")) == 1
    assert gcloud("subscriptions pull billing") == []
    gcloud("subscriptions modify-push-config billing --push-endpoint=http://127.0.0.1:9/")
    assert gcloud("subscriptions describe billing")["pushConfig"]["pushEndpoint"] == "http://127.0.0.1:9/"
    gcloud("subscriptions delete billing")
    assert gcloud("subscriptions list") == []


def test_snapshots_and_seek(gcloud: Gcloud) -> None:
    gcloud("topics create orders")
    gcloud("subscriptions create billing --topic=orders --retain-acked-messages")
    gcloud("topics publish orders", "--message=one")
    (made,) = gcloud("snapshots create monday --subscription=billing --labels=a=b")
    assert made["snapshotId"] == f"{PROJECT}/snapshots/monday"
    assert gcloud("snapshots describe monday")["topic"] == f"{PROJECT}/topics/orders"
    assert [each["name"] for each in gcloud("snapshots list")] == [f"{PROJECT}/snapshots/monday"]
    gcloud("subscriptions pull billing --auto-ack")
    gcloud("subscriptions seek billing --snapshot=monday")
    assert len(gcloud("subscriptions pull billing --auto-ack")) == 1
    gcloud("subscriptions seek billing --time=2020-01-01T00:00:00Z")
    assert len(gcloud("subscriptions pull billing --auto-ack")) == 1
    gcloud("snapshots delete monday")
    assert gcloud("snapshots list") == []


AVRO = '{"type":"record","name":"R","fields":[{"name":"id","type":"string"}]}'
AVRO_2 = '{"type":"record","name":"R","fields":[{"name":"id","type":"string"},{"name":"n","type":"int","default":0}]}'


def test_schemas(gcloud: Gcloud) -> None:
    made = gcloud("schemas create order --type=avro", f"--definition={AVRO}")
    first = made["revisionId"]
    described = gcloud("schemas describe order")
    assert (described["definition"], described["revisionId"]) == (AVRO, first)
    assert [each["name"] for each in gcloud("schemas list")] == [f"{PROJECT}/schemas/order"]
    second = gcloud("schemas commit order --type=avro", f"--definition={AVRO_2}")["revisionId"]
    assert [each["revisionId"] for each in gcloud("schemas list-revisions order")] == [second, first]
    rolled = gcloud(f"schemas rollback order --revision-id={first}")["revisionId"]
    assert rolled not in {first, second}
    gcloud(f"schemas delete-revision order@{second}")
    gcloud("schemas validate-schema --type=avro", f"--definition={AVRO}")
    with pytest.raises(Failed, match="Invalid schema definition"):
        gcloud("schemas validate-schema --type=avro", "--definition={}")
    gcloud("schemas validate-message --message-encoding=json --schema-name=order", '--message={"id":"x"}')
    with pytest.raises(Failed, match="field id: expected a text, not a number: 5"):
        gcloud("schemas validate-message --message-encoding=json --schema-name=order", '--message={"id":5}')
    gcloud("topics create orders --schema=order --message-encoding=json")
    gcloud("topics publish orders", '--message={"id":"x"}')
    with pytest.raises(Failed, match="Message failed schema validation"):
        gcloud("topics publish orders", "--message=x")
    gcloud("schemas delete order")
    assert gcloud("topics describe orders")["schemaSettings"]["schema"] == "_deleted-schema_"


def test_iam(gcloud: Gcloud) -> None:
    gcloud("topics create orders")
    gcloud("subscriptions create billing --topic=orders")
    for what in ("topics", "subscriptions"):
        name = {"topics": "orders", "subscriptions": "billing"}[what]
        assert gcloud(f"{what} get-iam-policy {name}") == {"etag": "ACAB"}
        bound = gcloud(f"{what} add-iam-policy-binding {name} --member=allUsers --role=roles/pubsub.viewer")
        assert bound["bindings"] == [{"role": "roles/pubsub.viewer", "members": ["allUsers"]}]
        left = gcloud(f"{what} remove-iam-policy-binding {name} --member=allUsers --role=roles/pubsub.viewer")
        assert "bindings" not in left


def test_message_transforms(gcloud: Gcloud, tmp_path: Path) -> None:
    upper = "function up(m, d) { return {data: m.data.toUpperCase(), attributes: m.attributes}; }"
    one = {"javascriptUdf": {"functionName": "up", "code": upper}}
    file, files = tmp_path / "one.json", tmp_path / "all.json"
    file.write_text(json.dumps(one))
    files.write_text(json.dumps([one]))
    gcloud("message-transforms validate", f"--message-transform-file={file}")
    tested = gcloud("message-transforms test --message=abc", f"--message-transforms-file={files}")
    assert "QUJD" in json.dumps(tested) or re.search("ABC", json.dumps(tested))
    gcloud("topics create orders", f"--message-transforms-file={files}")
    gcloud("subscriptions create billing --topic=orders")
    gcloud("topics publish orders", "--message=abc")
    (received,) = gcloud("subscriptions pull billing --auto-ack")
    assert received["message"]["data"] == "QUJD"
