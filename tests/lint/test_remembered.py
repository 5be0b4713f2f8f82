"""What lint remembers: cold and warm find the same after any edits, and only what sees a change is read."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from compile.films import project
from compile.test_cache import EDITS, State, edited
from hypothesis import given, settings
from hypothesis import strategies as st

from osiris_sql.compile import compile_project
from osiris_sql.compile.onlooker import MakeOnlooker
from osiris_sql.lint import lint_along, lint_project
from osiris_sql.lint.reading import Reader
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.project import Project


def warm(
    made: Project, folder: Path, look: MakeOnlooker | None = None, **environ: str
) -> tuple[Diagnostic, ...]:
    with patch.dict(os.environ, environ):
        return lint_project(made, compile_project(made, cache=folder, look=look), cache=folder)


def cold(made: Project, **environ: str) -> tuple[Diagnostic, ...]:
    with patch.dict(os.environ, environ):
        return lint_project(made, compile_project(made))


@settings(max_examples=15, deadline=None)
@given(edits=st.lists(EDITS, min_size=1, max_size=6), look=st.sampled_from([None, lint_along]))
def test_cold_and_warm_find_the_same(edits: list[tuple[object, ...]], look: MakeOnlooker | None) -> None:
    with TemporaryDirectory() as folder:
        state = State()
        for edit in edits:
            state = edited(state, edit)
            made = state.project()
            anew = cold(made, **state.environ)
            assert [warm(made, Path(folder), look, **state.environ) for _ in range(2)] == [anew, anew]


CHAIN = {
    "a": "select id, count(*) as n from {{ source('cinema', 'movies') }} group by id",
    "b": "select x.id, sum(x.n) as n from {{ ref('a') }} as x"
    " join {{ ref('c') }} as y on y.id = x.id group by x.id",
    "c": "select id, max(1) as one from {{ source('cinema', 'directors') }} group by id",
}


def read_anew(made: Project, folder: Path) -> list[str]:
    """Return the models that were read and not remembered; the findings are those of a cold lint."""
    with patch.object(Reader, "read", autospec=True, side_effect=Reader.read) as asked:
        found = warm(made, folder)
    assert found == cold(made)
    return sorted(call.args[1].name for call in asked.call_args_list)


@pytest.mark.parametrize(
    ("changes", "anew"),
    [
        ({}, ""),
        ({"b": CHAIN["b"] + " -- a note"}, "b"),
        ({"c": CHAIN["c"] + " -- a note"}, "c"),
        ({"c": CHAIN["c"].replace(" group by id", "").replace("max(1)", "1")}, "bc"),
        ({"d": "select 1 as id"}, "d"),
    ],
)
def test_only_what_sees_a_change_is_read(tmp_path: Path, changes: dict[str, str], anew: str) -> None:
    assert read_anew(project(CHAIN), tmp_path) == ["a", "b", "c"]
    assert read_anew(project({**CHAIN, **changes}), tmp_path) == [*anew]


def test_a_macro_is_seen_by_all(tmp_path: Path) -> None:
    warm(project(CHAIN), tmp_path)
    made = project(CHAIN, macros={"m": "{% macro f() %}1{% endmacro %}"})
    assert read_anew(made, tmp_path) == ["a", "b", "c"]


def test_where_nothing_changed_no_rule_is_loaded(tmp_path: Path) -> None:
    made = project(CHAIN)
    first = warm(made, tmp_path)
    with patch("osiris_sql.lint.lint.find_all", side_effect=NotImplementedError):
        assert warm(made, tmp_path) == first


def test_files_alone_are_remembered_too(tmp_path: Path) -> None:
    made = project(CHAIN)
    manifest = compile_project(made)
    first = lint_project(made, manifest, ["models/b.sql"], cache=tmp_path)
    with patch.object(Reader, "read", side_effect=NotImplementedError):
        assert lint_project(made, manifest, ["models/b.sql"], cache=tmp_path) == first
    assert first == lint_project(made, manifest, ["models/b.sql"])
