"""A folder for somebody's suite."""

import pytest

from tests.plugin.suites import CLIENT


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makepyfile(client=CLIENT)
    return pytester
