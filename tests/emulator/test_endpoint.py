"""Addresses as people write them, and what is bound for them."""

import re

import pytest

from publican_emulator import endpoint


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("localhost:8085", ("localhost", 8085)),
        ("0.0.0.0:0", ("0.0.0.0", 0)),
        ("127.0.0.1:65535", ("127.0.0.1", 65535)),
        ("[::1]:9000", ("::1", 9000)),
        ("[::1]", ("::1", 8085)),
        ("example", ("example", 8085)),
        (":9000", ("", 9000)),
        ("9000", ("", 9000)),
    ],
)
def test_host_and_port_are_read(written: str, meant: tuple[str, int]) -> None:
    assert endpoint.parse(written) == meant


@pytest.mark.parametrize("written", ["localhost:65536", "localhost:-1", "localhost:http", "::1:8085", "::1", "localhost:8085:1", "localhost:²"])
def test_what_is_no_address_is_refused_with_its_own_words(written: str) -> None:
    with pytest.raises(ValueError, match=re.escape(repr(written))):
        endpoint.parse(written)


@pytest.mark.parametrize(
    ("host", "bound"),
    [
        ("localhost", ("127.0.0.1", "::1")),
        ("", ("0.0.0.0", "::")),
        ("0.0.0.0", ("0.0.0.0",)),
        ("::", ("::",)),
        ("127.0.0.2", ("127.0.0.2",)),
    ],
)
def test_numbers_are_bound(host: str, bound: tuple[str, ...]) -> None:
    assert endpoint.listening(host) == bound


def test_an_unknown_host_is_an_os_error() -> None:
    with pytest.raises(OSError, match=r"known|resolution|getaddrinfo"):
        endpoint.listening("no-such-host.invalid")


@pytest.mark.parametrize(
    ("host", "address"),
    [("localhost", "localhost:1"), ("127.0.0.1", "127.0.0.1:1"), ("0.0.0.0", "localhost:1"), ("::", "localhost:1"), ("::1", "[::1]:1")],
)
def test_clients_get_an_address_that_they_can_use(host: str, address: str) -> None:
    assert endpoint.reachable(host, 1) == address
