"""The table of RPCs."""

import pytest

from publican_protocol.methods import Method, methods


@pytest.mark.parametrize(
    ("service", "count"),
    [
        ("google.pubsub.v1.Publisher", 9),
        ("google.pubsub.v1.Subscriber", 16),
        ("google.pubsub.v1.SchemaService", 10),
        ("google.iam.v1.IAMPolicy", 3),
    ],
)
def test_every_rpc_of_a_service_is_known(service: str, count: int) -> None:
    assert len([method for method in methods().values() if method.service == service]) == count


def test_a_method_says_what_it_takes_and_gives() -> None:
    assert methods()["/google.pubsub.v1.Publisher/CreateTopic"] == Method(
        path="/google.pubsub.v1.Publisher/CreateTopic",
        service="google.pubsub.v1.Publisher",
        name="CreateTopic",
        request="google.pubsub.v1.Topic",
        response="google.pubsub.v1.Topic",
        client_streaming=False,
        server_streaming=False,
    )


def test_streaming_pull_is_the_only_stream() -> None:
    assert [method.name for method in methods().values() if method.is_streaming] == ["StreamingPull"]
    stream = methods()["/google.pubsub.v1.Subscriber/StreamingPull"]
    assert stream.client_streaming
    assert stream.server_streaming


def test_an_empty_answer_is_the_well_known_empty() -> None:
    assert methods()["/google.pubsub.v1.Subscriber/Acknowledge"].response == "google.protobuf.Empty"
