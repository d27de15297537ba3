"""Where the emulator listens, as people write it: `localhost:8085`, `0.0.0.0:8085`, `[::1]:8085`.

PYTEST_DONT_REWRITE
"""

import ipaddress
from typing import Final

PORT_DEFAULT: Final = 8085
_LOOPBACK: Final = ("127.0.0.1", "::1")
_WILDCARDS: Final = frozenset({"", "0.0.0.0", "::", "*"})  # compared with, not bound


def parse(host_port: str) -> tuple[str, int]:
    """Give host and port of `HOST:PORT`, `[HOST]:PORT`, `HOST` or `:PORT`.

    Raises:
        ValueError: the port is no number of 0..65535, or an IPv6 address stands without its brackets.
    """
    host, _, port = host_port.rpartition(":") if not host_port.endswith("]") else (host_port, "", "")
    if not host and not port.isdecimal():
        host, port = port, ""
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise ValueError(f"{host_port!r}: write an IPv6 address in brackets, as in [::1]:{PORT_DEFAULT}")
    if port and not (port.isdecimal() and int(port) <= 65535):
        raise ValueError(f"{host_port!r}: {port!r} is not a port (0..65535)")
    return host.strip("[]"), int(port) if port else PORT_DEFAULT


def shown(host: str, port: int) -> str:
    """Give `HOST:PORT`, with an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def reachable(host: str, port: int) -> str:
    """Give an address that clients on this machine can use for what listens on `host`."""
    return shown("localhost" if host in _WILDCARDS else host, port)


def listening(host: str) -> tuple[str, ...]:
    """Give the numeric addresses to bind for `host`: `localhost` means IPv4 and IPv6, as clients may pick either.

    Raises:
        OSError: nobody knows a host of that name.
    """
    if host == "localhost":
        return _LOOPBACK
    if host in _WILDCARDS:
        return ("0.0.0.0", "::") if host in {"", "*"} else (host,)  # somebody asked for it
    try:
        ipaddress.ip_address(host)
    except ValueError:
        import socket  # only a name needs looking up

        return tuple(dict.fromkeys(str(address[0]) for *_, address in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)))
    return (host,)


def is_loopback(host: str) -> bool:
    """Whether what listens on `host` can be reached from this machine only."""
    return all(ipaddress.ip_address(each).is_loopback for each in listening(host))
