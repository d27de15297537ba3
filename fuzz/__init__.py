"""Coverage-guided fuzzing of everything that reads bytes from the wire: `make fuzz` (needs atheris; `make check-all` runs it for a few minutes).

A target takes bytes and raises nothing but the errors that a caller is told. What a run finds becomes a named test in tests/fuzz/.

PYTEST_DONT_REWRITE
"""
