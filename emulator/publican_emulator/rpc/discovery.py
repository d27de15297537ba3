"""The discovery document: the REST API as data, which google-api-python-client and its kin in other languages make their methods from.

`GET /$discovery/rest?version=v1`, made from the descriptors and the routes that requests take, so it says what is served. Names are those of
Google's own document: a resource for each collection in the path, a method by its custom verb, else by the HTTP method.

Source: developers.google.com/discovery/v1/reference/apis; a test compares with the document that google-api-python-client ships.

PYTEST_DONT_REWRITE
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from publican_protocol.methods import methods
from publican_protocol.pool import pool
from publican_protocol.routes import Route, routes

PATHS: Final = frozenset({"/$discovery/rest", "/%24discovery/rest", "/discovery/v1/apis/pubsub/v1/rest"})
"""Where clients ask for it: at the API's own host, and as the old central service had it."""

_SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/pubsub")
_TEMPLATE: Final = re.compile(r"/v1/\{([a-z_.]+)=([^{}]*)\}([^{}:]*)(?::(\w+))?")
_VERB_NAMES: Final = {"PUT": "create", "DELETE": "delete", "PATCH": "patch", "POST": "create"}
_SCALARS: Final[dict[int, dict[str, str]]] = {
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "format": "byte"},
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_DOUBLE: {"type": "number", "format": "double"},
    FieldDescriptor.TYPE_FLOAT: {"type": "number", "format": "float"},
    FieldDescriptor.TYPE_INT32: {"type": "integer", "format": "int32"},
    FieldDescriptor.TYPE_INT64: {"type": "string", "format": "int64"},
    FieldDescriptor.TYPE_UINT32: {"type": "integer", "format": "uint32"},
    FieldDescriptor.TYPE_UINT64: {"type": "string", "format": "uint64"},
}
_KNOWN: Final[dict[str, dict[str, Any]]] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "google-datetime"},
    "google.protobuf.Duration": {"type": "string", "format": "google-duration"},
    "google.protobuf.FieldMask": {"type": "string", "format": "google-fieldmask"},
    "google.protobuf.Struct": {"type": "object", "additionalProperties": {"type": "any"}},
}
_SYSTEM: Final[dict[str, dict[str, Any]]] = {
    "$.xgafv": {"type": "string", "enum": ["1", "2"], "enumDescriptions": ["v1 error format", "v2 error format"], "description": "V1 error format."},
    "access_token": {"type": "string", "description": "OAuth access token."},
    "alt": {
        "type": "string",
        "default": "json",
        "enum": ["json", "media", "proto"],
        "enumDescriptions": [
            "Responses with Content-Type of application/json",
            "Media download",
            "Responses with Content-Type of application/x-protobuf",
        ],
        "description": "Data format for response.",
    },
    "callback": {"type": "string", "description": "JSONP"},
    "fields": {"type": "string", "description": "Selector specifying which fields to include in a partial response."},
    "key": {"type": "string", "description": "API key. Accepted, and not looked at."},
    "oauth_token": {"type": "string", "description": "OAuth 2.0 token for the current user."},
    "prettyPrint": {"type": "boolean", "default": "true", "description": "Returns response with indentations and line breaks."},
    "quotaUser": {"type": "string", "description": "Available to use for quota purposes for server-side applications."},
    "uploadType": {"type": "string", "description": "Legacy upload protocol for media."},
    "upload_protocol": {"type": "string", "description": "Upload protocol for media."},
}


def document(host: str) -> dict[str, object]:
    """Give the document for clients that call the API at `host`."""
    schemas = _Schemas()
    resources = _resources(schemas)
    return {
        "kind": "discovery#restDescription",
        "discoveryVersion": "v1",
        "id": "pubsub:v1",
        "name": "pubsub",
        "canonicalName": "Pubsub",
        "version": "v1",
        "revision": "0",
        "title": "Cloud Pub/Sub API",
        "description": "A local Google Cloud Pub/Sub.",
        "ownerDomain": "google.com",
        "ownerName": "Google",
        "documentationLink": "https://cloud.google.com/pubsub/docs",
        "protocol": "rest",
        "rootUrl": f"http://{host}/",
        "baseUrl": f"http://{host}/",
        "basePath": "",
        "servicePath": "",
        "batchPath": "batch",
        "auth": {"oauth2": {"scopes": {scope: {"description": "Accepted, and not looked at."} for scope in _SCOPES}}},
        "parameters": {name: {**says, "location": "query"} for name, says in _SYSTEM.items()},
        "resources": resources,
        "schemas": schemas.found,
    }


def _resources(schemas: "_Schemas") -> dict[str, Any]:
    top: dict[str, Any] = {}
    for route in routes():
        matched = _TEMPLATE.fullmatch(route.template)
        assert matched, route.template  # routes.py compiles the same templates
        field, value, after, custom_verb = matched.groups()
        collections = [name for name in (value + after).split("/") if name not in {"", "*"}]
        ends_in_collection = not (value + after).endswith("*")
        name = custom_verb or ("list" if ends_in_collection else "get") if route.verb == "GET" else custom_verb or _VERB_NAMES[route.verb]
        at = top
        for place, collection in enumerate(collections):
            resource = at.setdefault(collection, {})
            at = resource.setdefault("methods" if place == len(collections) - 1 else "resources", {})
        at[name] = _method(route, f"pubsub.{'.'.join(collections)}.{name}", (field, value, after, custom_verb), schemas)
    return top


def _method(route: Route, method_id: str, parts: tuple[str, str, str, str | None], schemas: "_Schemas") -> dict[str, Any]:
    field, value, after, custom_verb = parts
    known = methods()[route.method_path]
    request, response = (pool().FindMessageTypeByName(name) for name in (known.request, known.response))
    in_path = field.rpartition(".")[2]
    pattern = "/".join("[^/]+" if segment == "*" else segment for segment in value.split("/"))
    parameters: dict[str, Any] = {in_path: {"type": "string", "required": True, "location": "path", "pattern": f"^{pattern}$"}}
    if route.body != "*":
        parameters |= dict(_query(request, {field, route.body}))
    verb = f":{custom_verb}" if custom_verb else ""
    says: dict[str, Any] = {
        "id": method_id,
        "httpMethod": route.verb,
        "path": f"v1/{{+{in_path}}}{after}{verb}",
        "flatPath": f"v1/{_flat(value + after)}{verb}",
        "parameterOrder": [in_path],
        "parameters": dict(sorted(parameters.items())),
        "response": schemas.reference(response),
        "scopes": list(_SCOPES),
    }
    if route.body:
        body = request if route.body == "*" else request.fields_by_name[route.body].message_type
        assert body is not None, route.template
        says["request"] = schemas.reference(body)
    return says


def _flat(path: str) -> str:
    segments = path.split("/")
    return "/".join(f"{{{segments[place - 1]}Id}}" if segment == "*" else segment for place, segment in enumerate(segments))


def _query(message: Descriptor, without: set[str], prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what of a request without a body may stand in its query."""
    for field in message.fields:
        name = prefix + field.json_name
        if field.name in without:
            continue
        if field.message_type is not None and field.message_type.full_name not in _KNOWN:
            yield from _query(field.message_type, set(), f"{name}.")
        else:
            says = _enum(field.enum_type) if field.enum_type is not None else dict(_KNOWN.get(_type_name(field)) or _SCALARS[field.type])
            yield name, {**says, "location": "query", **({"repeated": True} if field.is_repeated else {})}


class _Schemas:
    """The messages that methods refer to, each by its short name."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, Any]] = {}

    def reference(self, message: Descriptor) -> dict[str, str]:
        """Refer to a message, and describe it the first time."""
        name = message.name
        if name not in self.found:
            described: dict[str, Any] = {"id": name, "type": "object"}
            self.found[name] = described  # before its fields: one of them may be of its own kind
            described["properties"] = {field.json_name: self._property(field) for field in message.fields}
        return {"$ref": name}

    def _property(self, field: FieldDescriptor) -> dict[str, Any]:
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            return {"type": "object", "additionalProperties": self._single(field.message_type.fields_by_name["value"])}
        says = self._single(field)
        return {"type": "array", "items": says} if field.is_repeated else says

    def _single(self, field: FieldDescriptor) -> dict[str, Any]:
        if field.enum_type is not None:
            return _enum(field.enum_type)
        if field.message_type is None:
            return dict(_SCALARS[field.type])
        return dict(_KNOWN.get(_type_name(field)) or self.reference(field.message_type))


def _type_name(field: FieldDescriptor) -> str:
    return field.message_type.full_name if field.message_type is not None else ""


def _enum(enum: EnumDescriptor) -> dict[str, Any]:
    return {"type": "string", "enum": [value.name for value in enum.values], "enumDescriptions": ["" for _ in enum.values]}
