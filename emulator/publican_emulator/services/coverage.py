"""How much of every RPC Publican does: the table of docs/api.md, which a test keeps equal to this and to what the server answers.

Written by `python -m publican_emulator.services.coverage docs/api.md`.

PYTEST_DONT_REWRITE
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from publican_emulator.services.convert import NOT_YET as FIELDS_NOT_YET
from publican_protocol.methods import PUBLISHER, SUBSCRIBER, methods
from publican_protocol.routes import routes

COMPLETE: Final = "complete"
PARTIAL: Final = "partial"

_ECHOED: Final = "`kms_key_name` and `message_storage_policy` are checked, stored and shown, as an emulator has neither keys nor regions"


def _without(resource: str, *immutable: str) -> str:
    return "not yet: " + ", ".join(f"`{field}`" for field in FIELDS_NOT_YET[resource] if field not in immutable)


PARTS: Final[Mapping[str, str]] = {
    f"/{PUBLISHER}/CreateTopic": f"{_without('Topic')}; {_ECHOED}",
    f"/{PUBLISHER}/UpdateTopic": _without("Topic", "tags"),
    f"/{SUBSCRIBER}/CreateSubscription": _without("Subscription"),
    f"/{SUBSCRIBER}/UpdateSubscription": _without("Subscription", "tags"),
    f"/{SUBSCRIBER}/CreateSnapshot": _without("CreateSnapshotRequest"),
}
"""RPCs that are there but for a part, with that part."""

_HEAD: Final = """\
# The API

What Publican does of Pub/Sub v1, RPC by RPC. A field that is not there yet is refused with UNIMPLEMENTED when it is set to other than its
default; nothing is accepted and ignored. This table is generated from the API's descriptors (`python -m publican_emulator.services.coverage
docs/api.md`), and a test compares it with what the server answers.

Beside it: `grpc.health.v1.Health` (Check, Watch), `GET /` and `GET /healthz` over HTTP.
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
        note = f"; {PARTS[path]}" if path in PARTS else ""
        lines.append(f"| {method.name} | {bindings} | {status(path)}{note} |")
        if _is_last(path, service):
            lines.append("")
    return "\n".join(lines)


def _is_last(path: str, service: str) -> bool:
    return [each for each in methods() if methods()[each].service == service][-1] == path


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(markdown(), encoding="utf-8")
