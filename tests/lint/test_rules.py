"""Every rule on its own docstring: it finds its Bad, and is silent on its Good."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lint.shop import compiled, found_in, is_sql, write

from osiris_sql.lint import lint_project
from osiris_sql.lint.page import make_page, read_page
from osiris_sql.lint.rule_table import rule_table

ROOT = Path(__file__).parents[2]
# What an example that shows something else may lack.
ABOUT_PUBLISHING = {"missing-description", "missing-test", "missing-key", "select-star-published"}


def yaml_found(folder: Path, yaml: str) -> set[str]:
    files = {"models/example.yml": f"version: 2\n{yaml}\n"}
    project, manifest = compiled(write(folder, files))
    return {finding.rule for finding in lint_project(project, manifest)}


@pytest.fixture(scope="module")
def sql_found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    pages = [read_page(name) for name in rule_table()]
    snippets = {f"{page.name} {kind}": getattr(page, kind) for page in pages for kind in ("bad", "good")}
    queries = {name: snippet for name, snippet in snippets.items() if is_sql(snippet)}
    return found_in(tmp_path_factory.mktemp("rules"), queries)


def found(name: str, kind: str, snippet: str, sql_found: dict[str, dict[str, str]], folder: Path) -> set[str]:
    return set(sql_found[f"{name} {kind}"]) if is_sql(snippet) else yaml_found(folder, snippet)


@pytest.mark.parametrize("name", rule_table())
def test_bad_is_found_and_nothing_else(name, sql_found, tmp_path):
    rules = found(name, "bad", read_page(name).bad, sql_found, tmp_path)
    assert name in rules
    assert rules <= {name} | ABOUT_PUBLISHING


@pytest.mark.parametrize("name", rule_table())
def test_good_is_not(name, sql_found, tmp_path):
    rules = found(name, "good", read_page(name).good, sql_found, tmp_path)
    assert rules <= ABOUT_PUBLISHING - {name}


def test_the_page_is_what_the_docstrings_say():
    wanted = "run: python -m osiris_sql.lint.page > docs/lint.md"
    assert (ROOT / "docs/lint.md").read_text() == make_page(), wanted


# In pieces, so that no scanner of this repository takes them for real.
SECRETS = [
    ("postgresql://app:", "hunter22@db.example.com/app"),
    ("password = ", "'hunter22'"),
    ("PASSWD => ", "'hunter22'"),
    ("ASIA", "ABCDEFGHIJKLMNOP"),
    ("gho_", "a1" * 18),
    ("github_pat_", "a1" * 11),
    ("xoxb-", "1234567890-abc"),
    ("rk_live_", "a1" * 8),
    ("sb_secret_", "a1" * 8),
    ("eyJ", "hbGciOiJIUzI1.eyJ", "zdWIiOiIxMjM0.SflKxwRJSMeKKF"),
    ("-----BEGIN RSA ", "PRIVATE KEY-----"),
    ("mysql://app:", "p$ss}word@db/app"),
    ("'host=db user=app password=", "hunter22 dbname=x'"),
    ("'pwd=", "hunter22;server=db'"),
    ("db_password = ", "'hunter22'"),
    ("AWS_SECRET_ACCESS_KEY='", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'"),
    ("AccountKey=", "a1B2" * 12 + "=="),
    ("sbp_", "a1" * 20),
    ("e2b_", "a1" * 20),
    ("AIza", "a1" * 17 + "b"),
    ("sk-proj-", "a1" * 20),
]
NO_SECRETS = [
    "select 'the password is asked for' as x",
    "select 'postgres://app:${DB_PASSWORD}@db/app' as x",
    "select 'postgres://app:{{ var(\"p\", 1) }}@db/app' as x",
    "select 'postgres://app:<password>@db:5432/app' as x",
    "select 'http://example.com:8080/@someone' as x",
    "select 'f47ac10b-58cc-4372-a567-0e02b2c3d479' as uuid, 'd41d8cd98f00b204e9800998ecf8427e' as md5",
    "select 'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk' as image",
    "select name from shop.customers as c where code = md5(name) -- password = code",
    "select 'risk-free-and-easy-going-and-something-else-1' as slug, 'sk-1' as id",
    "select name as api_key from shop.customers where 'user=' || name <> 'password='",
]


def test_every_form_of_a_secret_is_found(tmp_path: Path) -> None:
    queries = {f"m{n}": f"select 1 as x -- {''.join(parts)}" for n, parts in enumerate(SECRETS)}
    found = found_in(tmp_path, {**queries, **{sql: sql for sql in NO_SECRETS}})
    assert {name for name, rules in found.items() if "secret-in-sql" in rules} == set(queries)


def test_every_class_of_the_compilers_verdicts_has_a_rule() -> None:
    folder = ROOT / "osiris_sql" / "compile" / "determinism"
    text = "".join(path.read_text() for path in sorted(folder.rglob("*.py")))
    classes = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)", "(?:unsafe|unknown)"', text))
    classes |= set(re.findall(r'_Choice\(.*"([a-z]+-[a-z]+)"', text))
    rules = "".join(path.read_text() for path in (ROOT / "osiris_sql" / "lint" / "rules").glob("*.py"))
    assert len(classes) > 15
    assert {name for name in classes if f'"{name}"' not in rules} == set()
