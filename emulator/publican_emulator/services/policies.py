"""google.iam.v1.IAMPolicy: the policies of topics, subscriptions, snapshots and schemas.

Nothing is enforced: everybody may do everything, but for what a test has denied.

PYTEST_DONT_REWRITE
"""

from collections.abc import Callable

from publican_emulator.broker.errors import InvalidArgument
from publican_emulator.broker.operations.policies import FIELDS
from publican_emulator.broker.policies import AuditConfig, AuditLogConfig, Binding, Condition, Policy
from publican_emulator.driver import Driver
from publican_emulator.rpc.call import CallInfo
from publican_emulator.services.answer import Answer
from publican_protocol import iam

IsDenied = Callable[[str, str], bool]
"""Says of a permission and a resource whether a test has denied it."""


class IamPolicy:
    """The policies' side of the API."""

    def __init__(self, driver: Driver, is_denied: IsDenied) -> None:
        self._driver = driver
        self._is_denied = is_denied

    def get_iam_policy(self, request: iam.GetIamPolicyRequest, info: CallInfo) -> Answer[iam.Policy]:
        """Give a resource's policy; one that was given none has an etag and no bindings."""
        version = request.options.requested_policy_version
        policy, commit = self._driver.run(self._driver.broker.get_policy, request.resource, version)
        return policy_message(policy), commit

    def set_iam_policy(self, request: iam.SetIamPolicyRequest, info: CallInfo) -> Answer[iam.Policy]:
        """Replace what the mask names of a resource's policy; without a mask, its bindings."""
        paths = list(request.update_mask.paths) or ["bindings", "etag"]
        for path in paths:
            if path not in FIELDS:
                raise InvalidArgument(f"Invalid update_mask provided in the SetIamPolicyRequest: {path} is not a known Policy field.")
        policy, commit = self._driver.run(self._driver.broker.set_policy, request.resource, policy_settings(request.policy), paths)
        return policy_message(policy), commit

    def test_iam_permissions(self, request: iam.TestIamPermissionsRequest, info: CallInfo) -> Answer[iam.TestIamPermissionsResponse]:
        """Give those of the permissions that the caller has: all that there are for such a resource, but for what a test has denied."""
        permissions, commit = self._driver.run(self._driver.broker.test_permissions, request.resource, list(request.permissions))
        granted = [permission for permission in permissions if not self._is_denied(permission, request.resource)]
        return iam.TestIamPermissionsResponse(permissions=granted), commit


def policy_settings(message: iam.Policy) -> Policy:
    """Read a policy."""
    bindings = tuple(Binding(each.role, tuple(dict.fromkeys(each.members)), _condition(each)) for each in message.bindings)
    audits = tuple(
        AuditConfig(each.service, tuple(AuditLogConfig(log.log_type, tuple(log.exempted_members)) for log in each.audit_log_configs))
        for each in message.audit_configs
    )
    return Policy(message.version, bindings, audits, message.etag)


def policy_message(policy: Policy) -> iam.Policy:
    """Write a policy as every answer shows it."""
    message = iam.Policy(version=policy.version, etag=policy.etag)
    for binding in policy.bindings:
        message.bindings.append(iam.Binding(role=binding.role, members=binding.members))
        if (condition := binding.condition) is not None:
            said = iam.Expr(expression=condition.expression, title=condition.title, description=condition.description, location=condition.location)
            message.bindings[-1].condition.CopyFrom(said)
    for audit in policy.audit_configs:
        logs = [iam.AuditLogConfig(log_type=log.log_type, exempted_members=log.exempted_members) for log in audit.logs]
        message.audit_configs.append(iam.AuditConfig(service=audit.service, audit_log_configs=logs))
    return message


def _condition(binding: iam.Binding) -> Condition | None:
    if not binding.HasField("condition"):
        return None
    said = binding.condition
    return Condition(said.expression, said.title, said.description, said.location)
