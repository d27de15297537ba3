"""Where calls go."""

import pytest

from publican import endpoint as endpoints
from publican.endpoint import Endpoint


@pytest.mark.parametrize(
    ("environ", "settings", "root", "is_dev", "target"),
    [
        ({}, {}, "https://pubsub.googleapis.com/v1", False, "pubsub.googleapis.com:443"),
        ({"PUBSUB_EMULATOR_HOST": ""}, {}, "https://pubsub.googleapis.com/v1", False, "pubsub.googleapis.com:443"),
        ({"PUBSUB_EMULATOR_HOST": "localhost:8085"}, {}, "http://localhost:8085/v1", True, "localhost:8085"),
        ({"PUBSUB_EMULATOR_HOST": "0.0.0.0:8085"}, {}, "http://127.0.0.1:8085/v1", True, "127.0.0.1:8085"),
        ({"PUBSUB_EMULATOR_HOST": "[::]:8085"}, {}, "http://[::1]:8085/v1", True, "[::1]:8085"),
        ({"PUBSUB_EMULATOR_HOST": "[::1]:8085"}, {}, "http://[::1]:8085/v1", True, "[::1]:8085"),
        ({"PUBSUB_EMULATOR_HOST": "http://pubsub:8085/"}, {}, "http://pubsub:8085/v1", True, "pubsub:8085"),
        ({"PUBSUB_EMULATOR_HOST": "https://pubsub"}, {}, "https://pubsub/v1", True, "pubsub:443"),
        (
            {"PUBSUB_EMULATOR_HOST": "localhost:8085"},
            {"endpoint": "us-east1-pubsub.googleapis.com"},
            "https://us-east1-pubsub.googleapis.com/v1",
            False,
            "us-east1-pubsub.googleapis.com:443",
        ),
        ({}, {"endpoint": "http://localhost:1"}, "http://localhost:1/v1", True, "localhost:1"),
        ({"PUBSUB_EMULATOR_HOST": "localhost:8085"}, {"api_root": "http://other:1/v1"}, "http://other:1/v1", True, "other:1"),
        ({}, {"api_root": "https://other/v1", "api_is_dev": False}, "https://other/v1", False, "other:443"),
    ],
)
def test_a_place_is_found(environ: dict[str, str], settings: dict[str, str], root: str, target: str, *, is_dev: bool) -> None:
    found = endpoints.find(environ, **settings)  # type: ignore[arg-type]
    assert found == Endpoint(root, is_dev)
    assert found.target == target


@pytest.mark.parametrize("text", ["host:port", "host:70000", "ftp://host:1", "user@host:1", "host:1/path", "http://", "host:1?x=1"])
def test_what_is_no_place_is_refused_with_where_it_came_from(text: str) -> None:
    with pytest.raises(ValueError, match=r"PUBSUB_EMULATOR_HOST: .* names no place"):
        endpoints.find({"PUBSUB_EMULATOR_HOST": text})
