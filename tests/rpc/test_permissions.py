"""Which permission each RPC needs, and what a denial meets."""

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

from publican_emulator import Emulator
from publican_emulator.broker.policies import EVERY_PERMISSION, PERMISSIONS
from publican_emulator.rpc.permissions import REQUIRED, TOPIC_OF_SUBSCRIPTION
from publican_protocol import iam, pubsub
from publican_protocol.methods import methods
from publican_protocol.pool import message_class

TOPIC = "projects/p/topics/orders"
SUBSCRIPTION = "projects/p/subscriptions/billing"
NAMES = {
    "topics": TOPIC,
    "subscriptions": SUBSCRIPTION,
    "snapshots": "projects/p/snapshots/monday",
    "schemas": "projects/p/schemas/order",
}
SUBSCRIBER = "/google.pubsub.v1.Subscriber"
PUBLISHER = "/google.pubsub.v1.Publisher"
CASES = [(path, permission, field) for path, needs in REQUIRED.items() for permission, field in needs]

Call = Callable[[str, Message], bytes]


def test_every_rpc_says_what_it_needs_and_every_permission_exists() -> None:
    assert set(REQUIRED) == set(methods())
    assert {permission for _, permission, _ in CASES} <= EVERY_PERMISSION
    unused = EVERY_PERMISSION - {permission for _, permission, _ in CASES}
    assert unused == {"pubsub.topics.updateTag", "pubsub.messageTransforms.validate"}


@pytest.fixture(scope="module")
def shared() -> Any:
    with Emulator(pull_wait_s=0.0) as running, grpc.insecure_channel(running.address) as channel:
        yield running, channel


@pytest.fixture
def emulator(shared: Any) -> Emulator:
    running: Emulator = shared[0]
    running.reset()
    return running


@pytest.fixture
def call(shared: Any, emulator: Emulator) -> Call:
    def make(path: str, request: Message) -> bytes:
        answer: bytes = shared[1].unary_unary(path)(request.SerializeToString(), timeout=10)
        return answer

    make(f"{PUBLISHER}/CreateTopic", pubsub.Topic(name=TOPIC))
    make(f"{SUBSCRIBER}/CreateSubscription", pubsub.Subscription(name=SUBSCRIPTION, topic=TOPIC))
    return make


def code_of(call: Call, path: str, request: Message) -> str:
    try:
        call(path, request)
    except grpc.RpcError as error:
        failed: Any = error
        return str(failed.code().name)
    return "OK"


def request_of(path: str, permission: str, field: str) -> Message:
    """Make a request that names a resource in a field, and nothing else."""
    request: Any = message_class(methods()[path].request)()
    collection = permission.split(".")[1]
    *parents, last = ("subscription" if field == TOPIC_OF_SUBSCRIPTION else field).split(".")
    owner = request
    for parent in parents:
        owner = getattr(owner, parent)
    name = {"project": "projects/p", "parent": "projects/p", "subscription": SUBSCRIPTION}.get(last, NAMES[collection])
    setattr(owner, last, name)
    message: Message = request
    return message


@pytest.mark.parametrize(("path", "permission", "field"), CASES, ids=lambda each: str(each).rpartition("/")[2])
def test_a_call_without_its_permission_is_refused(emulator: Emulator, call: Call, path: str, permission: str, field: str) -> None:
    request = request_of(path, permission, field)
    denial = emulator.faults.deny(permission)
    if methods()[path].is_streaming:
        return  # below
    assert code_of(call, path, request) == "PERMISSION_DENIED"
    assert denial.hits == 1
    emulator.faults.remove(denial)
    for other in sorted(EVERY_PERMISSION - {needed for needed, _ in REQUIRED[path]})[::7]:
        emulator.faults.deny(other)
    assert code_of(call, path, request) != "PERMISSION_DENIED"


def test_the_service_s_text_and_the_permission_are_told(emulator: Emulator, call: Call) -> None:
    emulator.faults.deny("pubsub.topics.publish", TOPIC)
    with pytest.raises(grpc.RpcError) as refused:
        call(f"{PUBLISHER}/Publish", pubsub.PublishRequest(topic=TOPIC, messages=[pubsub.PubsubMessage(data=b"x")]))
    assert refused.value.details() == (  # type: ignore[attr-defined]
        f"User not authorized to perform this action. The test has denied pubsub.topics.publish on {TOPIC}."
    )


@pytest.mark.parametrize(
    ("resource", "is_denied"),
    [("", True), ("projects/p", True), (TOPIC, True), ("projects/q", False), ("projects/p/topics/order", False), (SUBSCRIPTION, False)],
)
def test_a_denial_is_for_a_resource_a_project_or_all(emulator: Emulator, call: Call, resource: str, is_denied: bool) -> None:
    emulator.faults.deny("pubsub.topics.publish", resource)
    publish = pubsub.PublishRequest(topic=TOPIC, messages=[pubsub.PubsubMessage(data=b"x")])
    assert code_of(call, f"{PUBLISHER}/Publish", publish) == ("PERMISSION_DENIED" if is_denied else "OK")


def test_a_denial_lasts_until_it_is_used_up_or_taken_back(emulator: Emulator, call: Call) -> None:
    get = pubsub.GetTopicRequest(topic=TOPIC)
    emulator.faults.deny("pubsub.topics.get", TOPIC, times=2)
    assert [code_of(call, f"{PUBLISHER}/GetTopic", get) for _ in range(3)] == ["PERMISSION_DENIED", "PERMISSION_DENIED", "OK"]
    lasting = emulator.faults.deny("pubsub.topics.get", TOPIC)
    assert [code_of(call, f"{PUBLISHER}/GetTopic", get) for _ in range(3)] == ["PERMISSION_DENIED"] * 3
    emulator.faults.remove(lasting)
    assert code_of(call, f"{PUBLISHER}/GetTopic", get) == "OK"


def test_detaching_needs_a_permission_on_the_topic(emulator: Emulator, call: Call) -> None:
    emulator.faults.deny("pubsub.topics.detachSubscription", TOPIC)
    detach = pubsub.DetachSubscriptionRequest(subscription=SUBSCRIPTION)
    assert code_of(call, f"{PUBLISHER}/DetachSubscription", detach) == "PERMISSION_DENIED"
    assert (
        code_of(call, f"{PUBLISHER}/DetachSubscription", pubsub.DetachSubscriptionRequest(subscription="projects/p/subscriptions/none"))
        == "NOT_FOUND"
    )


def test_a_stream_needs_to_consume(emulator: Emulator, shared: Any, call: Call) -> None:
    emulator.faults.deny("pubsub.subscriptions.consume", SUBSCRIPTION)

    def opened(name: str) -> str:
        request = pubsub.StreamingPullRequest(subscription=name, stream_ack_deadline_seconds=10).SerializeToString()
        stream = shared[1].stream_stream(f"{SUBSCRIBER}/StreamingPull")(iter([request]), timeout=10)
        with pytest.raises(grpc.RpcError) as ended:
            next(stream)
        error: Any = ended.value
        return str(error.code().name)

    assert opened(SUBSCRIPTION) == "PERMISSION_DENIED"
    assert opened("projects/p/subscriptions/none") == "NOT_FOUND"


def test_who_asks_is_told_what_is_denied(emulator: Emulator, call: Call) -> None:
    ask = iam.TestIamPermissionsRequest(resource=TOPIC, permissions=["pubsub.topics.get", "pubsub.topics.publish"])
    denial = emulator.faults.deny("pubsub.topics.publish", TOPIC)
    answer = iam.TestIamPermissionsResponse.FromString(call("/google.iam.v1.IAMPolicy/TestIamPermissions", ask))
    assert list(answer.permissions) == ["pubsub.topics.get"]
    assert denial.hits == 1


def test_a_mistaken_name_is_told_the_nearest(emulator: Emulator) -> None:
    with pytest.raises(ValueError, match=r"Did you mean 'pubsub.topics.publish'"):
        emulator.faults.deny("pubsub.topic.publish")


def test_permissions_are_of_their_collections() -> None:
    assert all(permission.startswith(f"pubsub.{collection}.") for collection, names in PERMISSIONS.items() for permission in names)
