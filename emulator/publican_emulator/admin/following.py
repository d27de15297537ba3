"""Events as server-sent events: what `GET /_publican/events?follow=true` sends to a browser or `curl -N`.

Each has its number as its id, so a client that is cut off asks again with `Last-Event-ID`, as browsers do by themselves.

Source: html.spec.whatwg.org, server-sent events.

PYTEST_DONT_REWRITE
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

BEAT_S: Final = 15.0
"""Real seconds of silence after which a sign of life is sent: what stands in between would close the connection."""
BEAT: Final = b": nothing yet\n\n"
RESET: Final = b"event: reset\ndata: {}\nid: 0\n\n"
"""Everything was forgotten: numbers begin at 1 again."""


def sent(events: Sequence[Mapping[str, Any]]) -> bytes:
    """Give events as they are sent."""
    return b"".join(f"id: {each['number']}\nevent: {each['kind']}\ndata: {json.dumps(each)}\n\n".encode() for each in events)
