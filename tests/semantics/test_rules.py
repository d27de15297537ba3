"""docs/semantics.md and the tests beside this one say the same: no rule without a test, no test without a rule."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "semantics.md"
DIVERGENCES = PAGE.with_name("divergences.md")


def rules() -> list[str]:
    return re.findall(r"^- \*\*([a-z-]+/\d+)\*\* ", PAGE.read_text(), re.MULTILINE)


def suite() -> Iterator[tuple[str, str, list[str]]]:
    """Give module, name and rules of every test of the suite."""
    for path in sorted(HERE.glob("test_*.py")):
        if path.name == Path(__file__).name:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                yield path.stem, node.name, [rule for decorator in node.decorator_list for rule in _named(decorator)]


def _named(decorator: ast.expr) -> list[str]:
    if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "spec":
        return [str(argument.value) for argument in decorator.args if isinstance(argument, ast.Constant)]
    return []


def chapter_of(rule: str) -> str:
    return rule.partition("/")[0]


def test_rules_are_numbered_without_gaps_in_their_chapters() -> None:
    numbers: dict[str, list[int]] = {}
    for rule in rules():
        numbers.setdefault(chapter_of(rule), []).append(int(rule.partition("/")[2]))
    headings = re.findall(r"^## (.+)$", PAGE.read_text(), re.MULTILINE)
    assert list(numbers) == headings
    for chapter, found in numbers.items():
        assert found == list(range(1, len(found) + 1)), chapter


def test_every_rule_has_a_test() -> None:
    assert set(rules()) - {rule for _, _, named in suite() for rule in named} == set()


def test_every_test_names_rules_that_are_there_and_the_first_is_of_its_chapter() -> None:
    known = set(rules())
    for module, name, named in suite():
        assert named, f"{module}.{name} names no rule"
        assert set(named) <= known, f"{module}.{name}: {set(named) - known}"
        assert module == "test_" + chapter_of(named[0]).replace("-", "_"), f"{module}.{name} is about {named[0]}"


def test_every_rule_says_where_it_comes_from() -> None:
    for text in PAGE.read_text().split("\n- **")[1:]:
        rule = text.split("\n\n")[0]
        assert re.search(r"\*\([^*]+\)\*$", rule.strip()) or rule.startswith("limits/1**"), rule


def test_every_choice_has_its_reason() -> None:
    """Chapters after concurrency say their reasons where they are."""
    reasons = DIVERGENCES.read_text()
    chapters = re.findall(r"^## (.+)$", PAGE.read_text(), re.MULTILINE)
    explained = set(chapters[: chapters.index("concurrency") + 1])
    for text in PAGE.read_text().split("\n- **")[1:]:
        rule, _, rest = text.split("\n\n")[0].partition("**")
        if chapter_of(rule) in explained and "choice" in rest.rpartition("*(")[2]:
            assert re.search(rf"{rule}\b", reasons), f"{rule} is a choice: say why in {DIVERGENCES.name}"
