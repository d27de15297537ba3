"""Checks of the names in a request that come before all else; the broker checks every name that it looks up.

PYTEST_DONT_REWRITE
"""

from publican_emulator.broker.errors import InvalidName
from publican_protocol import names


def check_name(collection: str, name: str) -> None:
    """Refuse what is no full name of a resource of `collection` ("topics", ...)."""
    if not names.matches(collection, name):
        raise InvalidName(name)


def check_project(name: str) -> None:
    """Refuse what is not `projects/{project}`."""
    collection, _, project = name.partition("/")
    if collection != "projects" or not project or "/" in project:
        raise InvalidName(name)
