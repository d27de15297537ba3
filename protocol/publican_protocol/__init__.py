"""What the API is: message classes in a private pool, wire bytes, resource names, HTTP rules, status codes.

PYTEST_DONT_REWRITE
"""
