"""A diagnostic as a person reads it: the whole text, to the column."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from osiris_sql.support.excerpt import diagnostic_text, diagnostics_text, printable
from osiris_sql.types.diagnostic import Diagnostic, Location


def shown(diagnostic: Diagnostic, root: Path) -> str:
    console = Console(file=io.StringIO(), highlight=False, markup=False, width=200)
    console.print(diagnostic_text(diagnostic, root), soft_wrap=True)
    return console.file.getvalue()


def at(root: Path, text: str, line: int | None = 1, column: int | None = None, length: int = 1) -> Diagnostic:
    (root / "m.sql").write_text(text, encoding="utf-8")
    place = Location(path="m.sql", line=line, column=column, length=length)
    return Diagnostic(rule="unknown-column", message="no such column", location=place)


def test_place_what_line_carets_why_and_fix(tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / "models/orders.sql").write_text("select\n  sum(o.ammount) as total\nfrom shop.orders as o\n")
    diagnostic = Diagnostic(
        rule="unknown-column",
        message='shop.orders has no column "ammount"',
        location=Location(path="models/orders.sql", line=2, column=9, length=7),
        why="sources.lock records: id, amount, created_at",
        fix='did you mean "amount"? if the table changed, run: osiris-sql discover shop',
    )
    assert shown(diagnostic, tmp_path) == (
        'models/orders.sql:2:9  error[unknown-column]  shop.orders has no column "ammount"\n'
        "    2 |   sum(o.ammount) as total\n"
        "      |         ^^^^^^^\n"
        "  why  sources.lock records: id, amount, created_at\n"
        '  fix  did you mean "amount"? if the table changed, run: osiris-sql discover shop\n'
    )


@pytest.mark.parametrize(
    ("text", "column", "length", "lines"),
    [
        ("select x", 8, 1, ["    1 | select x", "      |        ^"]),
        ("\tselect x", 9, 1, ["    1 |  select x", "      |         ^"]),
        ("select '映画', x", 14, 1, ["    1 | select '映画', x", "      |                ^"]),
        ("select x", 8, 99, ["    1 | select x", "      |        ^"]),
        ("select x", 99, 3, ["    1 | select x", "      |         ^"]),
        ("select x", None, 1, ["    1 | select x"]),
        ("", 1, 1, []),
        ("se\x1b[31mlect x", 3, 1, ["    1 | se␛[31mlect x", "      |   ^"]),
    ],
    ids=["plain", "tab", "wide", "too-long", "beyond", "no-column", "empty-file", "escape"],
)
def test_the_caret_stands_under_the_place(tmp_path, text, column, length, lines):
    found = shown(at(tmp_path, text, 1, column, length), tmp_path).splitlines()
    assert found[1:] == lines


def test_a_long_line_is_cut_round_its_place(tmp_path):
    text = "select " + "a, " * 200 + "wrong, " + "b, " * 200
    line, caret = shown(at(tmp_path, text, 1, 608, 5), tmp_path).splitlines()[1:]
    assert line[len(caret) - 5 : len(caret)] == "wrong"
    assert "…" in line
    assert len(line) < 170


@pytest.mark.parametrize("line", [None, 0, 7])
def test_a_place_without_a_line_of_text_shows_none(tmp_path, line):
    assert len(shown(at(tmp_path, "select 1\n", line), tmp_path).splitlines()) == 1


def test_a_missing_file_and_no_place_at_all(tmp_path):
    nowhere = Diagnostic(rule="r", message="m", location=Location(path="gone.sql", line=1, column=1))
    assert shown(nowhere, tmp_path) == "gone.sql:1:1  error[r]  m\n"
    assert shown(Diagnostic(rule="r", message="m", severity="warning"), tmp_path) == "warning[r]  m\n"


def test_words_of_several_lines_stay_in_their_column(tmp_path):
    diagnostic = Diagnostic(rule="r", message="one\ntwo", why="a\nb")
    assert shown(diagnostic, tmp_path) == "error[r]  one\n  two\n  why  a\n       b\n"


def test_diagnostics_stand_apart(tmp_path):
    found = diagnostics_text([Diagnostic(rule="a", message="m"), Diagnostic(rule="b", message="n")], tmp_path)
    assert found.plain == "error[a]  m\n\nerror[b]  n"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain é 映", "plain é 映"),
        ("a\x1b]0;x\x07", "a␛]0;x␇"),
        ("\x7f\x9b", "␡<U+009B>"),
        ("a\u202eb", "a<U+202E>b"),
    ],
)
def test_text_can_not_drive_the_terminal(text, safe):
    assert printable(text) == safe
