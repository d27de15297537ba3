"""The messages of gRPC's server reflection, grpc.reflection.v1; those of v1alpha are the same on the wire.

Names are found when they are first used: see pool.py. Types: the stub beside this file, made by scripts/rebuild_protocol.py.

PYTEST_DONT_REWRITE
"""

from publican_protocol.pool import lazily

__getattr__ = lazily(globals(), "grpc.reflection.v1")
