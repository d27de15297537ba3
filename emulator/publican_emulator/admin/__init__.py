"""The admin API under /_publican: what `Control` does, for other processes and languages. operations.py is what there is, pages.py the door.

PYTEST_DONT_REWRITE
"""
