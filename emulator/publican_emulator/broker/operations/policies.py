"""IAM policies of resources: give and set them, and say which permissions a caller has, which is all of them.

A policy lives and ends with its resource.

Source: google/iam/v1/iam_policy.proto; cloud.google.com/pubsub/docs/access-control.

PYTEST_DONT_REWRITE
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from publican_emulator.broker.errors import Aborted, BadArgument, InvalidName
from publican_emulator.broker.events import Kind
from publican_emulator.broker.instants import Nanos
from publican_emulator.broker.policies import EVERY_PERMISSION, PERMISSIONS, VERSIONS, Policy
from publican_emulator.broker.shelf import AnyShelf
from publican_protocol import names

if TYPE_CHECKING:
    from publican_emulator.broker.broker import Broker

FIELDS: Final = frozenset({"version", "bindings", "audit_configs", "etag"})
"""What a mask of SetIamPolicy may name."""

CONFLICT: Final = "There were concurrent policy changes. Please retry the whole read-modify-write with exponential backoff."


def get_policy(broker: "Broker", resource: str, version: int, now: Nanos) -> Policy:
    """Give the policy of a resource, as `version` understands it.

    Raises:
        InvalidArgument: the name's form, or there is no such version.
        NotFound: the resource does not exist.
    """
    broker.settle(now)
    if version not in VERSIONS:
        raise BadArgument("options.requested_policy_version", f"It is {version}, but must be 1 or 3 (0 stands for 1).")
    shelf = _shelf(broker, resource)
    shelf.get(resource)
    return shelf.policies.get(resource, Policy()).at_version(version)


def set_policy(broker: "Broker", resource: str, policy: Policy, fields: Collection[str], now: Nanos) -> Policy:
    """Replace the `fields` of a resource's policy; one that carries an etag must carry that of now.

    Raises:
        InvalidArgument: the name's form.
        NotFound: the resource does not exist.
        Aborted: somebody else has changed the policy since its etag was read.
    """
    broker.settle(now)
    shelf = _shelf(broker, resource)
    shelf.get(resource)
    old = shelf.policies.get(resource, Policy())
    if policy.etag and policy.etag != old.etag:
        raise Aborted(CONFLICT)
    etag = b"\x07" + broker.counters.next_serial().to_bytes(7, "big")
    new = replace(
        old,
        etag=etag,
        version=(policy.version or 1) if "bindings" in fields or "version" in fields else old.version,
        bindings=policy.bindings if "bindings" in fields else old.bindings,
        audit_configs=policy.audit_configs if "audit_configs" in fields else old.audit_configs,
    )
    shelf.policies[resource] = new
    broker.state(Kind.UPDATED, resource, now, note="its IAM policy")
    return new


def test_permissions(broker: "Broker", resource: str, permissions: Sequence[str], now: Nanos) -> list[str]:
    """Give those of `permissions` that there are for such a resource; none when it does not exist.

    Raises:
        InvalidArgument: the name's form, or there is no such permission.
    """
    broker.settle(now)
    shelf = _shelf(broker, resource)
    # Divergence: IAM policies are kept and not enforced.
    for permission in permissions:
        if permission not in EVERY_PERMISSION:
            raise BadArgument("permissions", f"There is no permission {permission!r}.")
    if shelf.find(resource) is None:
        return []
    return [permission for permission in permissions if permission in PERMISSIONS[shelf.collection]]


def _shelf(broker: "Broker", resource: str) -> AnyShelf:
    for shelf in broker.shelves():
        if names.matches(shelf.collection, resource):
            return shelf
    raise InvalidName(resource)
