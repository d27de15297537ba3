"""The discovery document, beside the one of the service that google-api-python-client ships."""

import importlib.resources
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from publican_emulator.rpc.discovery import PATHS, document
from publican_emulator.rpc.dispatch import Dispatcher
from publican_emulator.rpc.http import HttpRequest, HttpResponse
from publican_emulator.rpc.rest import Rest

OURS: dict[str, Any] = document("localhost:8085")
COMPARED = ("httpMethod", "path", "flatPath", "parameterOrder", "request", "response", "scopes")


def google_s() -> dict[str, Any]:
    shipped = importlib.resources.files("googleapiclient") / "discovery_cache" / "documents" / "pubsub.v1.json"
    read: dict[str, Any] = json.loads(shipped.read_text())
    return read


GOOGLES = google_s()


def methods_of(resource: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for method in resource.get("methods", {}).values():
        yield method["id"], method
    for below in resource.get("resources", {}).values():
        yield from methods_of(below)


def bare(says: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out prose, and what the definitions know of fields beside their type."""
    said = {
        name: value for name, value in says.items() if name not in {"description", "enumDescriptions", "readOnly", "deprecated", "enumDeprecated"}
    }
    return {name: bare(value) if isinstance(value, dict) else value for name, value in said.items()}


def test_every_method_of_the_service_is_there_and_no_other() -> None:
    assert {name for name, _ in methods_of(OURS)} == {name for name, _ in methods_of(GOOGLES)}


@pytest.mark.parametrize(("name", "theirs"), list(methods_of(GOOGLES)), ids=lambda value: value if isinstance(value, str) else "")
def test_a_method_is_called_as_the_service_s_is(name: str, theirs: dict[str, Any]) -> None:
    ours = dict(methods_of(OURS))[name]
    if "request" not in theirs:  # their document leaves out a body that would be empty but for the path
        ours = {**ours, "request": None}
    assert {key: ours.get(key) for key in COMPARED} == {key: theirs.get(key) for key in COMPARED}
    assert {key: bare(value) for key, value in ours["parameters"].items()} == {key: bare(value) for key, value in theirs["parameters"].items()}


def test_a_message_has_the_fields_of_the_service_s() -> None:
    """The path's own field is in our message too, and either side may know fields that the other's release does not."""
    compared = 0
    for name in OURS["schemas"].keys() & GOOGLES["schemas"].keys():
        ours, theirs = OURS["schemas"][name]["properties"], GOOGLES["schemas"][name].get("properties", {})
        for field in ours.keys() & theirs.keys():
            assert ours[field].keys() - {"enumDescriptions"} == bare(theirs[field]).keys(), (name, field)
            if "enum" not in ours[field]:
                assert bare(ours[field]) == bare(theirs[field]), (name, field)
            compared += 1
    assert compared > 150
    assert {"Topic", "Subscription", "Snapshot", "Schema", "PubsubMessage", "Policy"} <= OURS["schemas"].keys()


def test_every_reference_has_its_message() -> None:
    references = [part.split('"')[0] for part in json.dumps(OURS).split('"$ref": "')[1:]]
    assert set(references) <= OURS["schemas"].keys()


def test_system_parameters_are_the_service_s() -> None:
    assert {name: bare(says) for name, says in OURS["parameters"].items()} == {name: bare(says) for name, says in GOOGLES["parameters"].items()}


@pytest.mark.parametrize("path", sorted(PATHS))
def test_it_is_asked_for_by_its_path_and_names_the_host_that_was_asked(path: str) -> None:
    answer = Rest(Dispatcher({})).answer(HttpRequest("GET", f"{path}?version=v1&prettyPrint=false", {"host": "pubsub.test:99"}))
    assert isinstance(answer, HttpResponse)
    assert (answer.status, dict(answer.headers)["Content-Type"]) == (200, "application/json; charset=UTF-8")
    assert json.loads(answer.body) == document("pubsub.test:99")
    assert json.loads(answer.body)["rootUrl"] == "http://pubsub.test:99/"


def test_other_paths_that_speak_of_discovery_are_not_found() -> None:
    answer = Rest(Dispatcher({})).answer(HttpRequest("GET", "/$discovery/other", {}))
    assert isinstance(answer, HttpResponse)
    assert answer.status == 404
