"""Bytes on the port: HTTP/2 without I/O (http2/), gRPC and REST over it, HTTP/1.1 by aiohttp, and the switch that tells them apart.

PYTEST_DONT_REWRITE
"""
