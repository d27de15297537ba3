"""What schema definitions mean: Avro and protocol buffers, read by libraries that are imported when the first schema comes.

PYTEST_DONT_REWRITE
"""
