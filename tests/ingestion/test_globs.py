"""Globs of Cloud Storage."""

import pytest

from publican_emulator.ingestion.globs import pattern


@pytest.mark.parametrize(
    ("glob", "means", "does_not"),
    [
        ("", ["a", "a/b.txt"], []),
        ("*.txt", ["a.txt", ".txt"], ["a/b.txt", "a.csv", "a.txt.gz"]),
        ("**.txt", ["a.txt", "a/b.txt", "a/b/c.txt"], ["a.csv"]),
        ("a/**/c.txt", ["a/c.txt", "a/b/c.txt", "a/b/b/c.txt"], ["b/c.txt"]),
        ("a?c", ["abc"], ["ac", "a/c"]),
        ("[ab].txt", ["a.txt", "b.txt"], ["c.txt"]),
        ("[!a-c].txt", ["d.txt"], ["b.txt"]),
        ("{one,two}/*.csv", ["one/a.csv", "two/b.csv"], ["three/a.csv"]),
        ("a+(b).txt", ["a+(b).txt"], ["aab.txt"]),
        ("{a", ["a"], ["b"]),
        ("a}", ["a}"], ["a"]),
    ],
)
def test_a_glob_means_these_names_and_not_those(glob: str, means: list[str], does_not: list[str]) -> None:
    assert [name for name in (*means, *does_not) if pattern(glob).fullmatch(name)] == means
