"""One call, whatever carried it: method table, deadline, dispatch, REST as a pure function, status mapping.

Start at dispatch.py (from path and bytes to bytes or a failure); rest.py brings JSON requests to the same place.

PYTEST_DONT_REWRITE
"""
