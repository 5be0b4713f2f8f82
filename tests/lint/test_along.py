"""Lint while models are compiled: the findings of a lint that comes after, and no query parsed twice."""

import os
from pathlib import Path
from unittest.mock import patch

import pytest
from compile.films import project
from compile.test_accepted import FACTS, QUERIES
from compile.test_ahead import ENVIRON, Watched, many_models, watched
from lint.shop import write
from lint.test_remembered import CHAIN

from osiris_sql import api
from osiris_sql.compile import ahead, compile_project
from osiris_sql.lint import lint_along, lint_project
from osiris_sql.lint.reading import Reader
from osiris_sql.types.diagnostic import Diagnostic
from osiris_sql.types.project import Project

__all__ = ["watched"]


def lint_alongside(made: Project, folder: Path) -> tuple[tuple[Diagnostic, ...], list[str]]:
    """Return what is found, and the models that lint parsed itself."""
    with patch.object(Reader, "read", autospec=True, side_effect=Reader.read) as asked:
        found = lint_project(made, compile_project(made, cache=folder, look=lint_along), cache=folder)
    return found, sorted(call.args[1].name for call in asked.call_args_list)


@pytest.mark.parametrize("seed", [0, 1, 4])
def test_processes_find_what_one_finds(seed: int, watched: type[Watched], tmp_path: Path) -> None:
    made = many_models(seed)
    with patch.dict(os.environ, ENVIRON):
        together, _ = lint_alongside(made, tmp_path)
        assert watched.taken > 10
        with patch.object(Reader, "read", side_effect=NotImplementedError):
            assert lint_project(made, compile_project(made), cache=tmp_path) == together
        with patch.object(ahead, "LEAST", 10_000):
            assert together == lint_project(made, compile_project(made))
    assert len({finding.rule for finding in together}) > 3


@pytest.mark.parametrize(
    ("changes", "parsed"),
    [
        ({}, []),
        (
            {"b": "{{ config(materialized='ephemeral') }}" + CHAIN["a"], "d": "select * from {{ ref('b') }}"},
            ["d"],
        ),
        ({"d": "pivot {{ ref('b') }} on id in (1, 2) using sum(n)"}, []),
        ({"d": "select * from {{ ref('b') }};  -- closed"}, []),
    ],
)
def test_only_what_others_are_spliced_into_is_parsed_again(
    changes: dict[str, str], parsed: list[str], tmp_path: Path
) -> None:
    made = project({**CHAIN, **changes})
    assert lint_alongside(made, tmp_path) == (lint_project(made, compile_project(made)), parsed)


@pytest.mark.parametrize("is_asked", [True, False])
def test_what_only_compiled_tests_say_is_heard_in_the_end(is_asked: bool, tmp_path: Path) -> None:
    asked = {"tests/named.sql": "select * from example where name is null"}
    made = api.load_project(write(tmp_path, asked if is_asked else {}))
    found, _ = lint_alongside(made, tmp_path / "kept")
    assert ("missing-test" in {finding.rule for finding in found}) is not is_asked


def test_whatever_duckdb_accepts_is_found_alike(tmp_path: Path) -> None:
    """No construct that the compiler looks at twice changes what lint sees of it."""
    made = {
        name: f"select {', '.join(f'null::{c.type} as {c.name}' for c in facts.schema.columns)}"
        for (_, name), facts in FACTS.items()
    }
    queries = {f"q{number}": query.replace("src.v", "v") for number, query in enumerate(QUERIES)}
    whole = project({**made, **queries})
    found, parsed = lint_alongside(whole, tmp_path)
    assert len(parsed) < len(QUERIES) / 20, "but for what the compiler can't follow"
    assert found == lint_project(whole, compile_project(whole))
