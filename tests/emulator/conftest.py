"""A plain HTTP caller for an emulator's address."""

import http.client
import json
from collections.abc import Callable
from typing import Any

import pytest

Rest = Callable[..., tuple[int, Any]]


@pytest.fixture
def rest() -> Rest:
    """Give `rest(address, method, path, body)` -> (status, parsed body)."""

    def call(address: str, method: str, path: str, body: object = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(address, timeout=10)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"null")
        finally:
            connection.close()

    return call
