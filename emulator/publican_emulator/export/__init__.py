"""Export: files and rows of the messages of export subscriptions, into a folder or to other emulators. Only I/O, and the forms of what is written.

PYTEST_DONT_REWRITE
"""
