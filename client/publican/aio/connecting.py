"""From a client's keywords to its connection.

PYTEST_DONT_REWRITE
"""

import importlib
from typing import Any, Literal

from publican.transport.protocol import Connection


def connect(kind: Literal["auto", "grpc", "polling"], **options: Any) -> Connection:
    """Give the transports of a modern client."""
    choice = importlib.import_module("publican.transport.choice")
    rest = importlib.import_module("publican.transport.rest")
    made: Connection = choice.choose(kind, rest.RestTransport(**options), options.get("token"))
    return made
