"""The well-known types as the private pool has them: not interchangeable with those of google.protobuf.

Names are found when they are first used: see pool.py. Types: the stub beside this file, made by scripts/rebuild_protocol.py.

PYTEST_DONT_REWRITE
"""

from publican_protocol.pool import lazily

__getattr__ = lazily(globals(), "google.protobuf")
