"""The messages of google.iam.v1, and google.type.Expr for conditions.

Names are found when they are first used: see pool.py. Types: the stub beside this file, made by scripts/rebuild_protocol.py.

PYTEST_DONT_REWRITE
"""

from publican_protocol.pool import lazily

__getattr__ = lazily(globals(), "google.iam.v1", "google.type")
