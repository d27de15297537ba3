"""Requests that a caller could send, should not, or could not: built from the descriptors of the API, then broken."""

import json
from collections.abc import Callable
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import strategies as st

from publican_protocol import json_form
from publican_protocol.methods import methods
from publican_protocol.pool import message_class
from publican_protocol.routes import Route, routes
from tests.walk.fields import SUBSCRIPTIONS, TOPICS

TOPIC, SUBSCRIPTION, SNAPSHOT, SCHEMA = (
    f"projects/p/{each}" for each in ("topics/orders", "subscriptions/billing", "snapshots/monday", "schemas/order")
)
GOOD_NAMES: Final = (TOPIC, SUBSCRIPTION, SNAPSHOT, SCHEMA, "projects/p")
NAMES: Final = st.sampled_from(
    (
        *GOOD_NAMES,
        *(f"{name}-2" for name in GOOD_NAMES[:4]),
        f"{SCHEMA}@00000000",
        "projects/p/topics/x",
        "projects//topics/abc",
        "projects/p/topics/googabc",
        "_deleted-topic_",
        "_deleted-schema_",
        "",
        "/",
        "projects/p/topics/" + "a" * 256,
        "projects/p/subscriptions/bill\u00efng",
    )
)
TEXTS: Final = st.one_of(
    NAMES,
    st.text(max_size=12),
    st.sampled_from(
        ("a", "A" * 2000, "\x00", "attributes:a", 'hasPrefix(attributes.x, "y") AND', "http://127.0.0.1:9/", "https://", "roles/x", "user:a@b", "{")
    ),
)
INTEGERS: Final = st.sampled_from((0, 1, -1, 5, 10, 100, 600, 601, 1000, 1001, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63)))
SAID: Final[dict[str, st.SearchStrategy[str]]] = {
    "definition": st.sampled_from(
        ('{"type": "record", "name": "R", "fields": []}', 'syntax = "proto3"; message A { string a = 1; }', '{"type": "record"}', "message A {", "")
    ),
    "schema_id": st.sampled_from(("order", "another", "", "x", "goog-1")),
    "filter": st.sampled_from(("attributes:a", 'hasPrefix(attributes.x, "y") AND', "")),
}
"""Texts for fields in which chance would say nothing that makes sense."""
BYTES: Final = st.one_of(st.binary(max_size=20), st.sampled_from((b"", b"\xff", b"x" * 5000, b'{"id": "x"}', b"\x00\x20\x01")))
QUERIES: Final = st.sampled_from(
    ("alt=json", "pageSize=-1", "pageSize=x", "pageToken=%ff", "nope=1", "updateMask=a", "fields=((", "view=9", "%=%&&", "alt=proto")
)
DEPTH_MAX: Final = 4


MEANT: Final = {"Snapshot": SNAPSHOT, "Subscription": SUBSCRIPTION, "Schema": SCHEMA, "Project": "projects/p", "Parent": "projects/p"}
Draw = Callable[[st.SearchStrategy[Any]], Any]


def meant(path: str, field: str) -> str:
    """Give the name of what is there that a field of a method's request means."""
    owner = path.rpartition("/")[2] if field in {"name", "resource"} else field.title()
    for word, name in (
        ("Snapshot", SNAPSHOT),
        ("Subscription", SUBSCRIPTION),
        ("Schema", SCHEMA),
        ("Project", "projects/p"),
        ("Parent", "projects/p"),
    ):
        if word in owner:
            return name
    return TOPIC


def _scalar(path: str, field: FieldDescriptor) -> st.SearchStrategy[Any]:
    kinds: dict[int, st.SearchStrategy[Any]] = {
        FieldDescriptor.CPPTYPE_INT32: INTEGERS.filter(lambda n: -(2**31) <= n < 2**31),
        FieldDescriptor.CPPTYPE_INT64: INTEGERS,
        FieldDescriptor.CPPTYPE_UINT32: INTEGERS.filter(lambda n: 0 <= n < 2**32),
        FieldDescriptor.CPPTYPE_UINT64: INTEGERS.filter(lambda n: n >= 0),
        FieldDescriptor.CPPTYPE_DOUBLE: st.floats(),
        FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
        FieldDescriptor.CPPTYPE_ENUM: st.sampled_from((0, 1, 2, 3, 99, -1)),
    }
    if field.type == FieldDescriptor.TYPE_BYTES:
        return BYTES
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        if field.name in SAID:
            return st.one_of(SAID[field.name], TEXTS)
        is_name = field.name in {"name", "topic", "subscription", "snapshot", "schema", "resource", "project", "parent"}
        return st.one_of(st.just(meant(path, field.name)), st.just(meant(path, field.name)), NAMES) if is_name else TEXTS
    return kinds[field.cpp_type]


def _fill(draw: Draw, path: str, message: Any, depth: int) -> None:
    descriptor: Descriptor = message.DESCRIPTOR
    chosen = draw(st.lists(st.sampled_from(list(descriptor.fields)), max_size=5, unique=True)) if descriptor.fields else []
    for field in chosen:
        if field.message_type is None:
            if field.is_repeated:
                getattr(message, field.name).extend(draw(st.lists(_scalar(path, field), max_size=3)))
            else:
                setattr(message, field.name, draw(_scalar(path, field)))
        elif field.message_type.GetOptions().map_entry:
            _fill_map(draw, path, getattr(message, field.name), field)
        elif depth < DEPTH_MAX:
            if field.is_repeated:
                for _ in range(draw(st.integers(0, 2))):
                    _fill(draw, path, getattr(message, field.name).add(), depth + 1)
            else:
                child = getattr(message, field.name)
                child.SetInParent()
                _fill(draw, path, child, depth + 1)


def _fill_map(draw: Draw, path: str, entries: Any, field: FieldDescriptor) -> None:
    assert field.message_type is not None
    value = field.message_type.fields_by_name["value"]
    for key in draw(st.lists(TEXTS, max_size=2)):
        if value.message_type is None:
            entries[key] = draw(_scalar(path, value))
        else:
            entries[key].SetInParent()


@st.composite
def messages(draw: Any, path: str) -> Any:
    """Give request messages of a method: well-formed, and more often than not nonsense."""
    message: Any = message_class(methods()[path].request)()
    if path in FIELDS and draw(st.booleans()):
        _fill_well(draw, path, message)
    else:
        _fill(draw, path, message, 0)
    return message


FIELDS: Final = {
    "/google.pubsub.v1.Publisher/CreateTopic": ("", TOPICS),
    "/google.pubsub.v1.Publisher/UpdateTopic": ("topic", TOPICS),
    "/google.pubsub.v1.Subscriber/CreateSubscription": ("", SUBSCRIPTIONS),
    "/google.pubsub.v1.Subscriber/UpdateSubscription": ("subscription", SUBSCRIPTIONS),
}
"""Methods that take a resource: where it stands, and values of its fields that make sense."""


def _fill_well(draw: Draw, path: str, message: Any) -> None:
    """Fill a message with what makes sense, each field by itself."""
    place, table = FIELDS[path]
    resource = getattr(message, place) if place else message
    chosen = draw(st.lists(st.sampled_from([name for name, cases in table.items() if not isinstance(cases, str)]), max_size=4, unique=True))
    values = {name: draw(st.sampled_from([case.sent for case in table[name]])) for name in chosen if name != "topic"}  # type: ignore[union-attr]
    resource.MergeFrom(type(resource)(**values))
    resource.name = draw(st.sampled_from((meant(path, "name"), f"{meant(path, 'name')}-2")))
    if place:
        message.update_mask.paths.extend(draw(st.lists(st.sampled_from([*chosen, "labels", "nope"]), max_size=4)))
    elif table is SUBSCRIPTIONS:
        resource.topic = TOPIC


@st.composite
def wire_bytes(draw: Any, path: str) -> bytes:
    """Give the bytes of a gRPC request: a message, one that is cut or has bytes put in, or none at all."""
    encoded: bytes = draw(messages(path)).SerializeToString()
    match draw(st.sampled_from(("as it is", "as it is", "cut", "put in", "random", "deep"))):
        case "cut":
            return encoded[: draw(st.integers(0, len(encoded)))]
        case "put in":
            at = draw(st.integers(0, len(encoded)))
            put_in: bytes = draw(st.binary(min_size=1, max_size=6))
            return encoded[:at] + put_in + encoded[at:]
        case "random":
            random: bytes = draw(st.binary(max_size=40))
            return random
        case "deep":
            return b"\x0a\xff\x01" * 200
    return encoded


WRONG: Final[st.SearchStrategy[Any]] = st.sampled_from(
    (
        None,
        True,
        [],
        {},
        [[]],
        {"a": {}},
        "x",
        "\ud800",
        -1,
        0.5,
        1e400,
        10**40,
        "9" * 5000,
        "2026-13-99T00:00:00Z",
        "1e9s",
        "!!!!",
        "camelCase,snake_case,*",
    )
)


def _places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place, *(found for key, child in children for found in _places(child, (*place, key)))]


def _put(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new
    at, *rest = place
    value[at] = _put(value[at], tuple(rest), new)
    return value


@st.composite
def http_requests(draw: Any, path: str) -> tuple[str, str, bytes]:
    """Give verb, target and body of a REST request."""
    route: Route = draw(st.sampled_from([each for each in routes() if each.method_path == path]))
    message = draw(messages(path))
    body: Any = _as_json(message)
    target = _target(draw, route)
    if route.body and route.body != "*":
        body = body.get(route.body, {})
    how = draw(st.sampled_from(("as it is", "as it is", "wrong", "unknown", "bytes", "deep", "cut")))
    if how == "wrong":
        body = _put(body, draw(st.sampled_from(_places(body))), draw(WRONG))
    elif how == "unknown" and isinstance(body, dict):
        body[draw(st.sampled_from(("nope", "name", "topic", "updateMask", "update_mask")))] = draw(WRONG)
    encoded = json.dumps(body).encode()
    match how:
        case "bytes":
            at = draw(st.integers(0, len(encoded)))
            encoded = encoded[:at] + draw(st.sampled_from((b"\xff\xfe", b"\x00", b"{", b'"', b"\xed\xa0\x80"))) + encoded[at:]
        case "deep":
            encoded = b'{"labels":' * 3000 + b"1" + b"}" * 3000
        case "cut":
            encoded = encoded[: draw(st.integers(0, len(encoded)))]
    if draw(st.booleans()):
        target += "?" + draw(
            st.sampled_from(
                ("alt=json", "pageSize=-1", "pageSize=x", "pageToken=%ff", "nope=1", "updateMask=a", "fields=((", "view=9", "%=%&&", "alt=proto")
            )
        )
    return route.verb, target, encoded


def _as_json(message: Any) -> Any:
    try:
        return json.loads(json_form.dump(message))
    except (OverflowError, ValueError):  # a Timestamp or a Duration that JSON cannot say
        return {"labels": {"a": "b"}}


def _target(draw: Any, route: Route) -> str:
    before, _, rest = route.template.partition("{")
    _, _, after = rest.partition("}")
    good = meant(route.method_path, route.template.partition("{")[2].partition("=")[0].partition(".")[0])
    name: str = draw(st.one_of(st.just(good), st.just(good), NAMES, st.sampled_from(("a%2Fb", "%ff", "projects/p/topics/%00", "..", "x" * 3000))))
    return before + name.encode("ascii", "ignore").decode() + after
