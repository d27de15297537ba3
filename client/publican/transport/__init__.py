"""What carries calls: HTTP/1.1 by aiohttp, gRPC by grpcio, a stream made of pulls.

PYTEST_DONT_REWRITE
"""
