"""One small method per RPC: request -> broker -> response. The hot ones take and give wire bytes (messages.py, streaming_pull.py).

Start at table.py, which says which method serves which path.

PYTEST_DONT_REWRITE
"""
