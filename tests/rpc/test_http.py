"""What a request means before its path is looked at: override, encoding, target."""

import gzip

import pytest

from publican_emulator.broker.errors import InvalidArgument
from publican_emulator.rpc.http import BODY_BYTES_MAX, HttpRequest, effective

TARGET = "/v1/projects/p/topics/t"


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_a_post_may_stand_for_another_method(method: str) -> None:
    request = effective(HttpRequest("POST", TARGET, {"x-http-method-override": method.lower()}, b"{}"))
    assert (request.method, request.target, request.body) == (method, TARGET, b"{}")


def test_only_a_post_is_overridden() -> None:
    assert effective(HttpRequest("GET", TARGET, {"x-http-method-override": "DELETE"})).method == "GET"


def test_an_unknown_override_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="X-HTTP-Method-Override"):
        effective(HttpRequest("POST", TARGET, {"x-http-method-override": "BREW"}))


@pytest.mark.parametrize(("target", "joined"), [(TARGET, TARGET + "?pageSize=2&alt=json"), (TARGET + "?a=b", TARGET + "?a=b&pageSize=2&alt=json")])
def test_a_get_too_long_for_a_url_brings_its_query_as_a_form(target: str, joined: str) -> None:
    headers = {"x-http-method-override": "GET", "content-type": "application/x-www-form-urlencoded; charset=utf-8"}
    request = effective(HttpRequest("POST", target, headers, b"pageSize=2&alt=json"))
    assert (request.method, request.target, request.body) == ("GET", joined, b"")


def test_head_means_get() -> None:
    assert effective(HttpRequest("HEAD", TARGET, {})).method == "GET"


def test_the_absolute_form_of_a_target_is_taken_for_its_path() -> None:
    assert effective(HttpRequest("GET", "http://pubsub.test:80/v1/x?a=b", {})).target == "/v1/x?a=b"


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", " GZIP "])
def test_a_gzip_body_is_decompressed(encoding: str) -> None:
    parts = gzip.compress(b'{"messages":') + gzip.compress(b"[]}")  # a gzip file may have several members
    assert effective(HttpRequest("POST", TARGET, {"content-encoding": encoding}, parts)).body == b'{"messages":[]}'


def test_identity_is_an_encoding_too() -> None:
    assert effective(HttpRequest("POST", TARGET, {"content-encoding": "identity"}, b"{}")).body == b"{}"


@pytest.mark.parametrize(
    ("encoding", "body", "why"),
    [
        ("br", b"", "not supported"),
        ("gzip", b"not gzip", "not gzip"),
        ("gzip", gzip.compress(b"{}" * 100, mtime=0)[:-9], "cut short"),
        ("gzip", gzip.compress(bytes(BODY_BYTES_MAX + 1), mtime=0), f"exceeds the limit: {BODY_BYTES_MAX} bytes"),
        ("gzip", gzip.compress(bytes(BODY_BYTES_MAX), mtime=0) + gzip.compress(b"1", mtime=0), f"exceeds the limit: {BODY_BYTES_MAX} bytes"),
        ("identity", bytes(BODY_BYTES_MAX + 1), f"exceeds the limit: {BODY_BYTES_MAX} bytes"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(encoding: str, body: bytes, why: str) -> None:
    with pytest.raises(InvalidArgument, match=why):
        effective(HttpRequest("POST", TARGET, {"content-encoding": encoding}, body))


def test_a_body_of_just_the_limit_is_read() -> None:
    request = HttpRequest("POST", TARGET, {"content-encoding": "gzip"}, gzip.compress(bytes(BODY_BYTES_MAX)))
    assert len(effective(request).body) == BODY_BYTES_MAX
