"""`publican demo`: one message, one lease that runs out, one acknowledgement, as the timeline of a real emulator.

The calls go over REST to a port, as anybody's would; the time is virtual, so that eleven seconds pass at once.

PYTEST_DONT_REWRITE
"""

import base64
import json
import urllib.request
from typing import Any, Final

from publican_emulator.driver import VirtualClock
from publican_emulator.emulator import Emulator
from publican_emulator.history import History

_TOPIC: Final = "projects/demo/topics/orders"
_SUBSCRIPTION: Final = "projects/demo/subscriptions/billing"

_INTRODUCTION: Final = """\
A topic `orders`, a subscription `billing` with an ack deadline of 10 seconds, and one message.
A first worker pulls it and says nothing more; 11 seconds later a second worker pulls it again, and acks.
"""
_CONCLUSION: Final = """
Nobody waited: the clock is virtual. In a test that is `pubsub.advance(11)`; see docs/testing.md.
Start a server of your own with `publican serve`.
"""


def text() -> str:
    """Give the demonstration."""
    history = History()
    with Emulator(clock=VirtualClock(), listener=history, pull_wait_s=0) as emulator:
        _call(emulator, "PUT", _TOPIC, {})
        _call(emulator, "PUT", _SUBSCRIPTION, {"topic": _TOPIC, "ackDeadlineSeconds": 10})
        order = base64.b64encode(b'{"order": 7}').decode()
        _call(emulator, "POST", f"{_TOPIC}:publish", {"messages": [{"data": order, "attributes": {"kind": "new"}}]})
        emulator.advance(1)
        _call(emulator, "POST", f"{_SUBSCRIPTION}:pull", {"maxMessages": 1})
        emulator.advance(11)
        pulled = _call(emulator, "POST", f"{_SUBSCRIPTION}:pull", {"maxMessages": 1})
        emulator.advance(0.5)
        _call(emulator, "POST", f"{_SUBSCRIPTION}:acknowledge", {"ackIds": [pulled["receivedMessages"][0]["ackId"]]})
    return f"{_INTRODUCTION}\n{history.text()}\n{_CONCLUSION}"


def _call(emulator: Emulator, method: str, path: str, body: dict[str, object]) -> Any:
    request = urllib.request.Request(  # our own port
        f"http://{emulator.address}/v1/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}, method=method
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as response:
        return json.load(response)
