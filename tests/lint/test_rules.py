"""Every rule on its own docstring: it finds its Bad, and is silent on its Good."""

from __future__ import annotations

from pathlib import Path

import pytest
from lint.shop import compiled, snippet_files, write

from osiris_sql.lint import lint_project
from osiris_sql.lint.page import make_page, read_page
from osiris_sql.lint.rule_table import rule_table

ROOT = Path(__file__).parents[2]
# What an example that shows something else may lack.
ABOUT_PUBLISHING = {"missing-description", "missing-test", "missing-key", "select-star-published"}


def rules_found(folder: Path, snippet: str) -> set[str]:
    project, manifest = compiled(write(folder, snippet_files(snippet)))
    return {finding.rule for finding in lint_project(project, manifest)}


@pytest.mark.parametrize("name", rule_table())
def test_bad_is_found_and_nothing_else(name, tmp_path):
    found = rules_found(tmp_path, read_page(name).bad)
    assert name in found
    assert found <= {name} | ABOUT_PUBLISHING


@pytest.mark.parametrize("name", rule_table())
def test_good_is_not(name, tmp_path):
    found = rules_found(tmp_path, read_page(name).good)
    assert found <= ABOUT_PUBLISHING - {name}


def test_the_page_is_what_the_docstrings_say():
    wanted = "run: python -m osiris_sql.lint.page > docs/lint.md"
    assert (ROOT / "docs/lint.md").read_text() == make_page(), wanted
