"""A broker's state as plain data, and back: everything that decides what it will answer, in names, numbers and stored messages.

document.py is the door: what the document looks like, `dump_state` and `load_state`, and the chapters that it has. plain.py says frozen settings as
plain data, without being told their fields; references.py is what chapters share, messages and places in logs.

PYTEST_DONT_REWRITE
"""
