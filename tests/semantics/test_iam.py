"""IAM policies: stored, told, and guarded by their etags; nothing is enforced."""

from typing import Any, Final

import pytest

from publican_protocol import iam, known
from publican_protocol import pubsub as api
from tests.semantics.backends.backend import Refused
from tests.semantics.pubsub import PROJECT, Pubsub
from tests.semantics.spec import spec

KINDS: Final = ("topics", "subscriptions", "snapshots", "schemas")
CONDITION: Final = iam.Expr(expression="request.time < timestamp('2030-01-01T00:00:00Z')", title="until 2030", description="d", location="l")


def made(pubsub: Pubsub, kind: str) -> str:
    """Create a resource of a kind and give its name."""
    topic, subscription = pubsub.pair()
    if kind == "topics":
        return topic.name
    if kind == "subscriptions":
        return subscription.name
    name = pubsub.name(kind)
    if kind == "snapshots":
        pubsub.call("CreateSnapshot", api.CreateSnapshotRequest(name=name, subscription=subscription.name))
    else:
        schema = api.Schema(type=2, definition='{"type": "record", "name": "R", "fields": []}')
        pubsub.call("CreateSchema", api.CreateSchemaRequest(parent=PROJECT, schema_id=name.rpartition("/")[2], schema=schema))
    return name


def get(pubsub: Pubsub, resource: str, version: int = 0) -> iam.Policy:
    options = iam.GetPolicyOptions(requested_policy_version=version) if version else None
    found: iam.Policy = pubsub.call("GetIamPolicy", iam.GetIamPolicyRequest(resource=resource, options=options))
    return found


def put(pubsub: Pubsub, resource: str, *bindings: iam.Binding, mask: Any = None, **fields: Any) -> iam.Policy:
    update_mask = known.FieldMask(paths=mask) if mask else None
    policy = iam.Policy(bindings=bindings, **fields)
    stored: iam.Policy = pubsub.call("SetIamPolicy", iam.SetIamPolicyRequest(resource=resource, policy=policy, update_mask=update_mask))
    return stored


def granted(pubsub: Pubsub, resource: str, *permissions: str) -> list[str]:
    return list(pubsub.call("TestIamPermissions", iam.TestIamPermissionsRequest(resource=resource, permissions=permissions)).permissions)


VIEWER: Final = iam.Binding(role="roles/pubsub.viewer", members=["user:b@example.com", "allUsers", "serviceAccount:a@p.iam.gserviceaccount.com"])


@spec("iam/1", "iam/2")
@pytest.mark.parametrize("kind", KINDS)
def test_a_policy_is_set_and_given_back(pubsub: Pubsub, kind: str) -> None:
    name = made(pubsub, kind)
    empty = get(pubsub, name)
    assert (empty.etag, list(empty.bindings)) == (b"\x00\x20\x01", [])
    custom = iam.Binding(role="projects/p/roles/ours", members=["domain:example.com", "domain:example.com"])
    stored = put(pubsub, name, VIEWER, custom, etag=empty.etag)
    assert stored.etag not in {b"", empty.etag}
    assert [(each.role, list(each.members)) for each in stored.bindings] == [
        (VIEWER.role, list(VIEWER.members)),
        (custom.role, ["domain:example.com"]),
    ]
    assert get(pubsub, name) == stored
    assert put(pubsub, name).bindings == []
    for absent, code in ((f"{PROJECT}/{kind}/absent", "NOT_FOUND"), (f"{PROJECT}/{kind}/x", "INVALID_ARGUMENT"), (PROJECT, "INVALID_ARGUMENT")):
        if absent != PROJECT or pubsub.backend.name != "rest":  # which has no path for it
            with pytest.raises(Refused, match=code):
                get(pubsub, absent)
            with pytest.raises(Refused, match=code):
                put(pubsub, absent)


@spec("iam/3")
def test_who_does_not_know_the_policy_of_now_does_not_change_it(pubsub: Pubsub) -> None:
    name = made(pubsub, "topics")
    first = get(pubsub, name)
    second = put(pubsub, name, VIEWER, etag=first.etag)
    with pytest.raises(Refused, match="ABORTED: There were concurrent policy changes"):
        put(pubsub, name, etag=first.etag)
    assert get(pubsub, name) == second
    third = put(pubsub, name)
    assert third.etag != second.etag
    assert not third.bindings


@spec("iam/4")
def test_conditions_are_for_who_asks_for_version_three(pubsub: Pubsub) -> None:
    name = made(pubsub, "subscriptions")
    conditional = iam.Binding(role="roles/pubsub.subscriber", members=["allUsers"], condition=CONDITION)
    for version in (0, 1):
        with pytest.raises(Refused, match=r"INVALID_ARGUMENT: .*must have version 3"):
            put(pubsub, name, conditional, version=version)
    stored = put(pubsub, name, VIEWER, conditional, version=3)
    assert stored.version == 3
    assert get(pubsub, name, 3) == stored
    assert stored.bindings[1].condition == CONDITION
    below = get(pubsub, name)
    assert below.version == 1
    assert below.bindings[0] == stored.bindings[0]
    assert below.bindings[1].role.startswith("roles/pubsub.subscriber_withcond_")
    assert not below.bindings[1].HasField("condition")
    with pytest.raises(Refused, match="INVALID_ARGUMENT"):
        get(pubsub, name, 2)


@spec("iam/5")
@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ({"bindings": [iam.Binding(role="viewer")]}, "argument=policy.bindings.role"),
        ({"bindings": [iam.Binding(members=["allUsers"])]}, "argument=policy.bindings.role"),
        ({"bindings": [iam.Binding(role="roles/x", members=["somebody"])]}, "argument=policy.bindings.members"),
        ({"bindings": [iam.Binding(role="roles/x", members=["user:"])]}, "argument=policy.bindings.members"),
        ({"bindings": [iam.Binding(role="roles/x", condition=iam.Expr(title="t"))], "version": 3}, "condition.expression"),
        ({"version": 2}, "argument=policy.version"),
        ({"version": -1}, "argument=policy.version"),
        ({"audit_configs": [iam.AuditConfig()]}, "argument=policy.audit_configs.service"),
        ({"bindings": [iam.Binding(role="roles/x", members=[f"user:{number}@x" for number in range(1_501)])]}, "the maximum is 1500"),
    ],
)
def test_what_is_no_policy_is_refused(pubsub: Pubsub, policy: dict[str, Any], why: str) -> None:
    name = made(pubsub, "topics")
    error = pubsub.refuses("SetIamPolicy", iam.SetIamPolicyRequest(resource=name, policy=iam.Policy(**policy)))
    assert error.code == "INVALID_ARGUMENT"
    assert why in error.text
    assert get(pubsub, name).etag == b"\x00\x20\x01"


@spec("iam/6")
def test_everybody_has_the_permissions_that_there_are(pubsub: Pubsub) -> None:
    name = made(pubsub, "topics")
    assert granted(pubsub, name, "pubsub.topics.publish", "pubsub.subscriptions.consume", "pubsub.topics.get") == [
        "pubsub.topics.publish",
        "pubsub.topics.get",
    ]
    assert granted(pubsub, f"{PROJECT}/topics/absent", "pubsub.topics.publish") == []
    for bad in ("pubsub.topics.*", "storage.buckets.get", ""):
        with pytest.raises(Refused, match="INVALID_ARGUMENT"):
            granted(pubsub, name, "pubsub.topics.publish", bad)


@spec("iam/7")
def test_a_policy_ends_with_its_resource(pubsub: Pubsub) -> None:
    topic, subscription = pubsub.pair()
    put(pubsub, topic.name, VIEWER)
    pubsub.call("DeleteTopic", api.DeleteTopicRequest(topic=topic.name))
    pubsub.topic(topic.name)
    assert not get(pubsub, topic.name).bindings
    put(pubsub, subscription.name, VIEWER)
    pubsub.advance(32 * 24 * 3600)  # nobody uses it, so it expires
    pubsub.subscription(topic, subscription.name)
    assert not get(pubsub, subscription.name).bindings


@spec("iam/8")
def test_a_mask_names_what_is_replaced(pubsub: Pubsub) -> None:
    name = made(pubsub, "snapshots")
    audit = iam.AuditConfig(service="allServices", audit_log_configs=[iam.AuditLogConfig(log_type=1, exempted_members=["user:a@b.c"])])
    assert list(put(pubsub, name, VIEWER, audit_configs=[audit]).audit_configs) == []
    both = put(pubsub, name, audit_configs=[audit], mask=["audit_configs"])
    assert [each.role for each in both.bindings] == [VIEWER.role]
    assert list(both.audit_configs) == [audit]
    assert list(put(pubsub, name).audit_configs) == [audit]
    with pytest.raises(Refused, match=r"INVALID_ARGUMENT: .*rules is not a known Policy field"):
        put(pubsub, name, mask=["rules"])
