"""How much of every RPC Publican does: the table of docs/api.md, which a test keeps equal to this and to what the server answers.

Written by `python -m publican_emulator.services.coverage docs/api.md`.

PYTEST_DONT_REWRITE
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from publican_emulator.services import masks
from publican_protocol.methods import IAM_POLICY, PUBLISHER, SUBSCRIBER, methods
from publican_protocol.routes import routes

COMPLETE: Final = "complete"
PARTIAL: Final = "partial"

STORED_ONLY: Final[Mapping[str, Mapping[str, str]]] = {
    "Topic": {
        "kms_key_name": "there are no keys here",
        "message_storage_policy": "there are no regions here",
        "ingestion_data_source_settings": "but for Cloud Storage, which is read from a folder",
        "tags": "checked and bound to nothing; the service shows them to nobody either",
    },
    "Subscription": {
        "bigtable_config": "nothing is exported to Bigtable, and the messages wait",
        "tags": "checked and bound to nothing; the service shows them to nobody either",
    },
    "Snapshot": {"tags": "checked and bound to nothing; the service shows them to nobody either"},
    "Policy": {"bindings": "nobody is refused, but by a test's wish"},
}
"""Fields of resources that are checked, kept and shown as the service does, and do nothing else, with the reason."""

_RESOURCES: Final[Mapping[str, str]] = {
    f"/{PUBLISHER}/CreateTopic": "Topic",
    f"/{PUBLISHER}/UpdateTopic": "Topic",
    f"/{SUBSCRIBER}/CreateSubscription": "Subscription",
    f"/{SUBSCRIBER}/UpdateSubscription": "Subscription",
    f"/{SUBSCRIBER}/CreateSnapshot": "Snapshot",
    f"/{IAM_POLICY}/SetIamPolicy": "Policy",
}


_UPDATABLE: Final = {f"/{PUBLISHER}/UpdateTopic": masks.TOPIC, f"/{SUBSCRIBER}/UpdateSubscription": masks.SUBSCRIPTION}


def _concerns(path: str, field: str) -> bool:
    return path not in _UPDATABLE or field in _UPDATABLE[path].mutable


def _stored_only(path: str) -> list[str]:
    fields = STORED_ONLY.get(_RESOURCES.get(path, ""), {})
    return [f"`{field}` ({why})" for field, why in fields.items() if _concerns(path, field)]


PARTS: Final[Mapping[str, str]] = {}
"""RPCs that are there but for a part, with that part."""

_HEAD: Final = """\
# The API

What Publican does of Pub/Sub v1, RPC by RPC. Nothing is accepted and ignored. *Stored only* is a field that is checked, kept and shown as the service
does, and does nothing else. This table is generated from the API's descriptors (`python -m publican_emulator.services.coverage docs/api.md`), and a
test compares it with what the server answers; another walks every field of every resource.

Beside it: `projects/*:validateMessageTransform` and `projects/*:testMessageTransforms` over REST ([message transforms](transforms.md)),
`grpc.health.v1.Health` (Check, Watch), `GET /` and `GET /healthz` over HTTP.
"""


def status(path: str) -> str:
    """Say how much of an RPC there is."""
    return PARTIAL if path in PARTS else COMPLETE


def markdown() -> str:
    """Give docs/api.md."""
    lines = [_HEAD]
    service = ""
    for path, method in methods().items():
        if method.service != service:
            service = method.service
            lines += [f"## {service}", "", "| RPC | REST | |", "| --- | --- | --- |"]
        bindings = "<br>".join(f"`{route.verb} {route.template}`" for route in routes() if route.method_path == path) or "gRPC only"
        note = f": {PARTS[path]}" if path in PARTS else ""
        if stored := _stored_only(path):
            note += "; stored only: " + ", ".join(stored)
        lines.append(f"| {method.name} | {bindings} | {status(path)}{note} |")
        if _is_last(path, service):
            lines.append("")
    return "\n".join(lines)


def _is_last(path: str, service: str) -> bool:
    return [each for each in methods() if methods()[each].service == service][-1] == path


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(markdown(), encoding="utf-8")
