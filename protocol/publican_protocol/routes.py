"""Which RPC a REST request means: the google.api.http annotations as routes, and the match of a raw path.

A path is split first and unescaped after, so that `%2F` stays inside its segment. A custom verb stands behind the last `:` of the last
segment (project ids may hold colons elsewhere) and is tried before the plain name, so that `schemas:validate` is no schema's id. Only
REST needs routes: they are read from the descriptors at the first match.

Source: google/api/http.proto; the IAM bindings are those of Pub/Sub's service configuration, not of iam_policy.proto (whose
`{resource=**}` would match everything).

PYTEST_DONT_REWRITE
"""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from publican_protocol.methods import IAM_POLICY, SERVICES
from publican_protocol.pool import message_class, pool

_TEMPLATE: Final = re.compile(r"(/[^{}:]*)\{([a-z_.]+)=([^{}]*)\}([^{}:]*)(?::(\w+))?")
_VERBS: Final = ("get", "put", "post", "delete", "patch")
_IAM_COLLECTIONS: Final = ("topics", "subscriptions", "snapshots", "schemas")
_IAM_VERBS: Final = {
    "GetIamPolicy": ("GET", "getIamPolicy"),
    "SetIamPolicy": ("POST", "setIamPolicy"),
    "TestIamPermissions": ("POST", "testIamPermissions"),
}


@dataclass(frozen=True, slots=True)
class Route:
    """One HTTP binding of one RPC."""

    verb: str
    """The HTTP method, in capitals."""
    template: str
    body: str
    """What the request's body is: `*` the whole message, a field's name, or nothing."""
    method_path: str


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A route cut into segments; `*` matches one segment of any text, and the segments from `start` to `stop` are the field's value."""

    route: Route
    segments: tuple[str, ...]
    field: str
    start: int
    stop: int

    def matches(self, segments: Sequence[str]) -> bool:
        """Say whether `segments`, of which there are as many as here, fit."""
        return all((mine == "*" and theirs) or mine == theirs for mine, theirs in zip(self.segments, segments, strict=True))


def match(verb: str, raw_path: str) -> tuple[Route, dict[str, str]] | None:
    """Give the route that a path (still escaped, without the query) takes, with the fields that stand in it; None when there is none."""
    raw = raw_path.removesuffix("/").split("/")[1:]
    if not raw:
        return None
    head = [unquote(segment) for segment in raw[:-1]]
    for last, custom_verb in _last_segments(raw[-1]):
        segments = [*head, last]
        for pattern in _patterns().get((verb, custom_verb, len(segments)), ()):
            if pattern.matches(segments):
                return pattern.route, {pattern.field: "/".join(segments[pattern.start : pattern.stop])}
    return None


@functools.cache
def routes() -> tuple[Route, ...]:
    """Give every binding of every RPC that has one."""
    return tuple(_annotated()) + tuple(_iam())


def _last_segments(raw: str) -> Iterator[tuple[str, str]]:
    """Yield the readings of the last segment, (id, custom verb), the likelier first; some encoders escape the colon too."""
    for text in dict.fromkeys((raw, unquote(raw))):
        name, colon, custom_verb = text.rpartition(":")
        if colon:
            yield unquote(name) if text is raw else name, custom_verb
    yield unquote(raw), ""


def _annotated() -> Iterator[Route]:
    # Options of a private pool's descriptors are parsed with the classes of the default pool, which do not know the extension.
    options_class = message_class("google.protobuf.MethodOptions")
    extension = pool().FindExtensionByName("google.api.http")
    for service in SERVICES:
        if service == IAM_POLICY:
            continue
        for method in pool().FindServiceByName(service).methods:
            options: Any = options_class.FromString(method.GetOptions().SerializeToString())
            rule = options.Extensions[extension]
            for binding in (rule, *rule.additional_bindings):
                verb = binding.WhichOneof("pattern")
                if verb in _VERBS:
                    yield Route(verb.upper(), getattr(binding, verb), binding.body, f"/{service}/{method.name}")


def _iam() -> Iterator[Route]:
    for name, (verb, custom_verb) in _IAM_VERBS.items():
        for collection in _IAM_COLLECTIONS:
            template = f"/v1/{{resource=projects/*/{collection}/*}}:{custom_verb}"
            yield Route(verb, template, "" if verb == "GET" else "*", f"/{IAM_POLICY}/{name}")


@functools.cache
def _patterns() -> Mapping[tuple[str, str, int], list[_Pattern]]:
    """Give the patterns by HTTP method, custom verb and number of segments."""
    index: dict[tuple[str, str, int], list[_Pattern]] = {}
    for pattern, custom_verb in _compiled(routes()):
        index.setdefault((pattern.route.verb, custom_verb, len(pattern.segments)), []).append(pattern)
    return index


def _compiled(all_routes: Iterable[Route]) -> Iterator[tuple[_Pattern, str]]:
    for route in all_routes:
        found = _TEMPLATE.fullmatch(route.template)
        assert found, route.template  # what the API has; a new form of template must be noticed
        before, field, value, after, custom_verb = found.groups()
        start = len(before.split("/")) - 2
        stop = start + len(value.split("/"))
        yield _Pattern(route, tuple((before + value + after).split("/")[1:]), field, start, stop), custom_verb or ""
