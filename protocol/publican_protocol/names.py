"""Resource names: `projects/{project}/{collection}/{id}`, and the rule for ids.

Source: "Guidelines to name a topic, subscription, schema, or snapshot", cloud.google.com/pubsub/docs/pubsub-basics#resource_names.

PYTEST_DONT_REWRITE
"""

import functools
import re
from typing import Final

DELETED_TOPIC: Final = "_deleted-topic_"
DELETED_SCHEMA: Final = "_deleted-schema_"
COLLECTIONS: Final = ("topics", "subscriptions", "snapshots", "schemas")

_ID: Final = r"(?!goog)[A-Za-z][A-Za-z0-9\-_.~+%]{2,254}"
# A project may be an id, a number or domain-scoped (`example.com:p`): whether it exists is another service's question.
_FORMS: Final = {collection: re.compile(rf"projects/[^/]+/{collection}/{_ID}") for collection in COLLECTIONS}
_REVISION: Final = re.compile(r"@[0-9a-f]{8}")


@functools.lru_cache(maxsize=4096)
def matches(collection: str, name: str) -> bool:
    """Say whether `name` is a full name of a resource in `collection` ("topics", ...)."""
    return _FORMS[collection].fullmatch(name) is not None


def is_valid_id(resource_id: str) -> bool:
    """Say whether a topic, subscription, snapshot or schema may have this id."""
    return re.fullmatch(_ID, resource_id) is not None


def short_id(name: str) -> str:
    """Give the last part of a full name."""
    return name.rpartition("/")[2]


def project_of(name: str) -> str:
    """Give the project id of a full name."""
    return name.split("/", 2)[1]


def full_name(project: str, collection: str, resource_id: str) -> str:
    """Give the full name of a resource."""
    return f"projects/{project}/{collection}/{resource_id}"


def split_revision(name: str) -> tuple[str, str]:
    """Give a schema's name without its `@revision`, and the revision ("" when there is none)."""
    base, at, revision = name.partition("@")
    return (base, revision) if at and _REVISION.fullmatch(at + revision) else (name, "")
