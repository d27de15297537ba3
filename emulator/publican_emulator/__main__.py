"""`python -m publican_emulator` is `publican`.

PYTEST_DONT_REWRITE
"""

import sys

from publican_emulator.cli import main

sys.exit(main())
