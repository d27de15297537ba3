"""Ingestion from Cloud Storage, which here is a folder: files to messages. Only I/O: what a topic wants, and what was read, the broker says.

PYTEST_DONT_REWRITE
"""
