"""How much memory the requests that are still coming in may hold, over all connections.

PYTEST_DONT_REWRITE
"""

from typing import Final

REQUEST_BYTES_MAX: Final = 24 << 20
"""One gRPC message or REST body: above the 10 MB of a publish, so that the service's own error is what a client sees."""
INCOMING_BYTES_MAX: Final = 512 << 20


class Budget:
    """Bytes of incomplete requests."""

    __slots__ = ("_left",)

    def __init__(self, size: int = INCOMING_BYTES_MAX) -> None:
        self._left = size

    def take(self, size: int) -> bool:
        """Take room for `size` bytes; False when there is none."""
        if size > self._left:
            return False
        self._left -= size
        return True

    def give(self, size: int) -> None:
        """Give back room."""
        self._left += size
