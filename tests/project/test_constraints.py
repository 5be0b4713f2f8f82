"""Constraints of an enforced contract are data tests; without one they say nothing, as in dbt."""

from __future__ import annotations

import pytest
from run.projects import build, write_files

from osiris_sql import api

YAML = """
models:
  - name: m
    config: {{ contract: {{ enforced: {enforced} }} }}
    constraints: [{model}]
    columns:
      - {{ name: id, data_type: INTEGER, quote: true, meta: {{ a: 1 }}, constraints: [{column}] }}
      - {{ name: v, data_type: INTEGER, data_tests: [not_null] }}
"""


def project_with(tmp_path, model: str = "", column: str = "", *, enforced: bool = True):
    text = YAML.format(model=model, column=column, enforced=str(enforced).lower())
    files = {
        "osiris-sql.toml": 'name = "c"\n',
        "models/m.sql": "SELECT * FROM (VALUES (1, 1), (1, 2)) AS t(id, v)",
        "models/m.yml": text,
        "models/other.sql": "SELECT 2 AS key",
    }
    return api.load_project(write_files(tmp_path, files))


@pytest.mark.parametrize(
    ("model", "column", "expected"),
    [
        ("", "{type: not_null}", ["not_null_m_id"]),
        ("", "{type: unique}", ["unique_m_id"]),
        ("", "{type: primary_key}", ["not_null_m_id", "unique_m_id"]),
        (
            "",
            "{type: foreign_key, to: ref('other'), to_columns: [key]}",
            ["relationships_m_id__key__ref_other_"],
        ),
        ("{type: check, expression: v > 0}", "", ["expression_is_true_m_v_0"]),
        (
            "{type: primary_key, columns: [id, v]}",
            "",
            ["not_null_m_id", "unique_combination_of_columns_m_id__v"],
        ),
    ],
)
def test_a_constraint_is_a_data_test(tmp_path, model, column, expected):
    project = project_with(tmp_path, model, column)
    assert project.diagnostics == ()
    assert sorted({t.name for t in project.data_tests} - {"not_null_m_v"}) == expected


def test_without_a_contract_there_is_none(tmp_path):
    project = project_with(tmp_path, column="{type: unique}", enforced=False)
    assert [t.name for t in project.data_tests] == ["not_null_m_v"]


def test_rows_that_break_it_are_not_kept(tmp_path):
    project_with(tmp_path, column="{type: unique}")
    result = build(tmp_path)
    assert {t.test: t.status for t in result.tests} == {"unique_m_id": "fail", "not_null_m_v": "pass"}


@pytest.mark.parametrize("wrong", ["{type: check}", "{type: foreign_key, to: ref('other')}"])
def test_one_that_says_too_little_is_named(tmp_path, wrong):
    [found] = project_with(tmp_path, column=wrong).diagnostics
    assert (found.rule, found.location.line) == ("missing-key", 7)
