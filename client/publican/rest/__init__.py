"""The blocking, thread-safe twin of `publican.aio`.

PYTEST_DONT_REWRITE
"""
