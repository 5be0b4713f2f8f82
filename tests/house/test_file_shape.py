"""A file does one thing, is short, and is called after a word of the field."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = sorted((ROOT / "osiris_sql").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

LONGEST = 250
LONGER_FOR_A_REASON: dict[str, str] = {
    "osiris_sql/protocols.py": "everything that can be added to the program, on one page",
}
BANNED = {
    *("util", "utils", "helper", "helpers", "manager", "handler", "processor"),
    *("context", "session", "base", "common", "misc"),
}


def words(name: str) -> set[str]:
    """Return the words of a snake_case or CamelCase name, lower-cased."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def count_lines(path: Path) -> int:
    return path.read_text().count("\n")


@pytest.mark.parametrize("path", CODE, ids=relative)
def test_a_file_has_at_most_250_lines(path: Path) -> None:
    if relative(path) not in LONGER_FOR_A_REASON:
        assert count_lines(path) <= LONGEST


def test_at_most_three_files_are_longer_and_really_are() -> None:
    assert len(LONGER_FOR_A_REASON) <= 3
    for name in LONGER_FOR_A_REASON:
        assert count_lines(ROOT / name) > LONGEST


@pytest.mark.parametrize("path", [*CODE, *TESTS], ids=relative)
def test_no_file_folder_or_class_has_a_banned_name(path: Path) -> None:
    parts = Path(relative(path)).with_suffix("").parts
    classes = [node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)]
    assert not {name for name in (*parts, *classes) if words(name) & BANNED}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("text_utils", {"utils"}),
        ("HTTPHandler", {"handler"}),
        ("BaseTarget", {"base"}),
        ("Contextual", set()),
        ("database", set()),
    ],
)
def test_banned_words_are_told_from_words_that_contain_them(name: str, found: set[str]) -> None:
    assert words(name) & BANNED == found
