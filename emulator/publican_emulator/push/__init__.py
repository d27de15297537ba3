"""Push: POSTs of messages to the endpoints that users configured. Only I/O: whom to send what, and when, the broker says.

PYTEST_DONT_REWRITE
"""
