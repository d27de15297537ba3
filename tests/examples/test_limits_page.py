"""docs/limits.md is made from the table that the checks read."""

import limits_page


def test_the_page_of_limits_is_what_the_code_says() -> None:
    assert limits_page.PAGE.read_text() == limits_page.text(), "run: python scripts/limits_page.py"
