"""The rows of the table, in its order.

PYTEST_DONT_REWRITE
"""

from typing import Final

from benchmarks.row import Row
from benchmarks.rows import delivery, harness, publish, rest, start

ROWS: Final[tuple[Row, ...]] = (*start.ROWS, *publish.ROWS, *delivery.ROWS, *rest.ROWS, *harness.ROWS)
