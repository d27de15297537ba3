"""scripts/mutations.py breaks rules one at a time (`make check-all`); here: each of them still finds what it breaks, and is about a rule."""

import pytest

import mutations

PAGE = (mutations.ROOT / "docs" / "semantics.md").read_text()


@pytest.mark.parametrize("mutation", mutations.MUTATIONS, ids=lambda mutation: mutation.meaning)
def test_a_mutation_edits_one_place_and_breaks_a_rule(mutation: mutations.Mutation) -> None:
    source = (mutations.EMULATOR / mutations.CORE / mutation.path).read_text()
    assert mutation.applied_to(source) != source
    assert f"- **{mutation.rule}** " in PAGE
    assert (mutations.ROOT / mutation.command[0].partition("::")[0]).is_file()
