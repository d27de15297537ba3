"""A foreign web page may not use the emulator through its visitor's browser."""

import pytest

from publican_emulator.broker.errors import PermissionDenied
from publican_emulator.rpc.http import HttpRequest
from publican_emulator.rpc.web_pages import WebPages


def request(**headers: str) -> HttpRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpRequest("POST", "/v1/projects/p/topics/t:publish", {"host": "localhost:8085", **named})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec_fetch_site": "none"},
        {"sec_fetch_site": "same-origin"},
        {"origin": "http://localhost:8085"},
        {"origin": "http://127.0.0.1:8085", "host": "127.0.0.1:8085"},
        {"origin": "http://[::1]:8085", "host": "[::1]:8085"},
        {"origin": "http://localhost", "host": "localhost"},
    ],
)
def test_no_page_and_our_own_page_may_ask(headers: dict[str, str]) -> None:
    assert WebPages().headers(request(**headers)) == []


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:3000"},
        {"origin": "http://localhost"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "Cross-Site"},
        {"origin": "http://rebound.example:8085", "host": "rebound.example:8085"},
        {"origin": "http://", "host": ""},
    ],
)
def test_a_foreign_page_may_not_ask(headers: dict[str, str]) -> None:
    with pytest.raises(PermissionDenied, match="--cors-origin"):
        WebPages(["http://friend.example"]).headers(request(**headers))


@pytest.mark.parametrize("allowed", [["http://friend.example"], ["http://friend.example/"], ["*"]])
def test_an_origin_allowed_by_name_may_ask_and_read(allowed: list[str]) -> None:
    headers = WebPages(allowed).headers(request(origin="http://friend.example", sec_fetch_site="cross-site"))
    assert ("Access-Control-Allow-Origin", "http://friend.example") in headers
    assert ("Vary", "Origin") in headers


def test_a_preflight_of_an_allowed_origin_allows_method_and_headers() -> None:
    pages = WebPages(["http://friend.example"])
    asked = request(origin="http://friend.example", access_control_request_method="PATCH", access_control_request_headers="content-type,x-a")
    response = pages.preflight(asked, pages.headers(asked))
    headers = dict(response.headers)
    assert (response.status, response.body) == (204, b"")
    assert headers["Access-Control-Allow-Origin"] == "http://friend.example"
    assert "PATCH" in headers["Access-Control-Allow-Methods"]
    assert headers["Access-Control-Allow-Headers"] == "content-type,x-a"
    assert headers["Access-Control-Max-Age"] == "3600"


def test_options_of_no_page_names_the_methods() -> None:
    response = WebPages().preflight(request(), [])
    assert response.status == 204
    assert dict(response.headers) == {"Allow": "GET, POST, PUT, PATCH, DELETE, OPTIONS"}
