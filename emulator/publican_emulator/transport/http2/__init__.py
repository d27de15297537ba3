"""HTTP/2 without I/O: bytes in, an outgoing buffer filled, four methods of a receiver called. Start at connection.py.

PYTEST_DONT_REWRITE
"""
