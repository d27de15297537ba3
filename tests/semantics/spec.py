"""The tie between a test and the rules of docs/semantics.md that it holds the emulator to."""

import pytest


def spec(*rules: str) -> pytest.MarkDecorator:
    """Name the rules that a test is about, `"leases/2"`; tests/semantics/test_rules.py compares them with the page."""
    return pytest.mark.spec(*rules)


def backends(*names: str) -> pytest.MarkDecorator:
    """Run a test only over some ways in, with the reason beside it: REST has no streams, the core has no masks."""
    return pytest.mark.backends(*names)
