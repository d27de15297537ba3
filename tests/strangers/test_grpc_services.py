"""What a gRPC server is asked beside its API: health and reflection, by the clients of grpcio's own packages."""

from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

LIMIT_S = 20.0
METHODS = ["/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"]
Request = reflection_pb2.ServerReflectionRequest
Ask = Callable[..., list[Any]]


@pytest.fixture
def channel(address: str) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(address) as channel:
        yield channel


@pytest.fixture(params=METHODS, ids=["v1", "v1alpha"])
def ask(request: pytest.FixtureRequest, channel: grpc.Channel) -> Ask:
    """Give `ask(request, ...)`: the answers of one stream."""
    call: Callable[..., Iterator[Any]] = channel.stream_stream(
        request.param, request_serializer=Request.SerializeToString, response_deserializer=reflection_pb2.ServerReflectionResponse.FromString
    )
    return lambda *requests: list(call(iter(requests), timeout=LIMIT_S))


def files(response: Any) -> list[str]:
    return [FileDescriptorProto.FromString(each).name for each in response.file_descriptor_response.file_descriptor_proto]


def test_health_answers_as_its_client_expects(channel: grpc.Channel) -> None:
    health = health_pb2_grpc.HealthStub(channel)
    for service in ("", "google.pubsub.v1.Publisher", "google.pubsub.v1.Subscriber"):
        answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=LIMIT_S)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    watched = health.Watch(health_pb2.HealthCheckRequest(service="no.such.Service"), timeout=LIMIT_S)
    assert next(watched).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
    watched.cancel()


def test_a_client_that_knows_nothing_publishes_by_what_it_is_told(channel: grpc.Channel, project: str) -> None:
    told = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
    publisher = told.FindServiceByName("google.pubsub.v1.Publisher")
    topic = f"projects/{project}/topics/told"
    calls: list[tuple[str, dict[str, Any]]] = [("CreateTopic", {"name": topic}), ("Publish", {"topic": topic, "messages": [{"data": b"x"}]})]
    for name, fields in calls:
        method = publisher.FindMethodByName(name)
        request = message_factory.GetMessageClass(method.input_type)(**fields)
        response = message_factory.GetMessageClass(method.output_type)
        call = channel.unary_unary(
            f"/{publisher.full_name}/{name}", request_serializer=lambda each: each.SerializeToString(), response_deserializer=response.FromString
        )
        answer = call(request, timeout=LIMIT_S)
    assert list(answer.message_ids) == ["1"]


def test_every_service_is_listed_and_described(ask: Ask) -> None:
    (listed,) = ask(Request(list_services=""))
    names = [service.name for service in listed.list_services_response.service]
    assert {"google.pubsub.v1.Publisher", "google.pubsub.v1.Subscriber", "google.pubsub.v1.SchemaService", "google.iam.v1.IAMPolicy"} < set(names)
    assert {"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"} < set(names)
    assert listed.original_request == Request(list_services="")
    for response in ask(*(Request(file_containing_symbol=name) for name in names)):
        assert files(response), response.error_response


@pytest.mark.parametrize(
    "symbol",
    ["google.pubsub.v1.Topic", "google.pubsub.v1.Publisher.Publish", "google.pubsub.v1.Subscription.State", "google.pubsub.v1.PubsubMessage.data"],
)
def test_a_symbol_brings_its_file_and_what_that_imports_once(ask: Ask, symbol: str) -> None:
    first, again = ask(Request(file_containing_symbol=symbol), Request(file_containing_symbol=symbol))
    assert files(first)[0] == "google/pubsub/v1/pubsub.proto"
    assert "google/protobuf/timestamp.proto" in files(first)
    assert len(set(files(first))) == len(files(first))
    assert files(again) == ["google/pubsub/v1/pubsub.proto"]


def test_a_file_is_found_by_its_name_and_an_extension_by_its_number(ask: Ask) -> None:
    extension = reflection_pb2.ExtensionRequest(containing_type="google.protobuf.MethodOptions", extension_number=72295728)
    by_name, by_extension, numbers = ask(
        Request(file_by_filename="google/rpc/status.proto"),
        Request(file_containing_extension=extension),
        Request(all_extension_numbers_of_type="google.protobuf.MethodOptions"),
    )
    assert files(by_name)[0] == "google/rpc/status.proto"
    assert files(by_extension)[0] == "google/api/annotations.proto"
    assert 72295728 in numbers.all_extension_numbers_response.extension_number


@pytest.mark.parametrize(
    "request_",
    [
        Request(file_containing_symbol="no.such.Symbol"),
        Request(file_containing_symbol="google.pubsub.v1.Publisher.NoSuchMethod"),
        Request(file_by_filename="no/such.proto"),
        Request(all_extension_numbers_of_type="no.such.Message"),
        Request(file_containing_extension=reflection_pb2.ExtensionRequest(containing_type="google.pubsub.v1.Topic", extension_number=9)),
    ],
    ids=lambda each: str(each).strip().replace("\n", " "),
)
def test_what_is_not_there_is_an_answer_and_the_stream_goes_on(ask: Ask, request_: Any) -> None:
    missing, listed = ask(request_, Request(list_services=""))
    assert missing.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]
    assert missing.error_response.error_message.startswith("Not found: ")
    assert listed.list_services_response.service


def test_a_question_that_is_none_is_told(ask: Ask) -> None:
    (answer,) = ask(Request(host="localhost"))
    assert answer.error_response.error_code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
