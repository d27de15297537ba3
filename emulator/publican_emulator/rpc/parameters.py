"""The query of a REST request: system parameters, and what is left for the request message.

System parameters are the same for every method, each also with a `$` in front; keys and tokens are accepted and never looked at.

Source: cloud.google.com/apis/docs/system-parameters; the discovery document of Pub/Sub.

PYTEST_DONT_REWRITE
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from publican_emulator.broker.errors import InvalidArgument
from publican_emulator.rpc import partial

_IGNORED: Final = frozenset({"$.xgafv", "access_token", "callback", "key", "oauth_token", "quotaUser", "uploadType", "upload_protocol"})
_TRUE: Final = frozenset({"true", "1", ""})
_FALSE: Final = frozenset({"false", "0"})


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a query asks for."""

    pretty: bool = True
    enum_as_int: bool = False
    as_protobuf: bool = False
    selection: partial.Selection = field(default_factory=dict)
    """The partial response asked for; empty: everything."""
    bound: Mapping[str, list[str]] = field(default_factory=dict)
    """What is meant for fields of the request message: name -> texts, in the order they came."""


DEFAULTS: Final = Parameters()


def read(query: str) -> Parameters:
    """Read a raw query string.

    Raises:
        InvalidArgument: a system parameter has a value that means nothing.
    """
    if not query:
        return DEFAULTS
    system: dict[str, str] = {}
    bound: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        plain = name.removeprefix("$")
        if plain in {"alt", "fields", "prettyPrint"}:
            system[plain] = value
        elif name not in _IGNORED and plain not in _IGNORED:
            bound.setdefault(name, []).append(value)
    kind, _, options = system.get("alt", "json").partition(";")
    if kind not in {"json", "proto"} or options not in {"", "enum-encoding=int"}:
        raise InvalidArgument(f'Invalid value for query parameter "alt": {system["alt"][:40]}; it is json, json;enum-encoding=int or proto.')
    return Parameters(
        pretty=_flag("prettyPrint", system.get("prettyPrint", "true")),
        enum_as_int=bool(options),
        as_protobuf=kind == "proto",
        selection=partial.parse(system["fields"]) if system.get("fields") else {},
        bound=bound,
    )


def _flag(name: str, text: str) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise InvalidArgument(f'Invalid value for query parameter "{name}": {text[:40]}; it is true or false.')
