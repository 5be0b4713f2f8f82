"""Which rules are on, how grave they are, and that a comment excuses what compiling warns of too."""

from __future__ import annotations

import pytest
from lint.shop import compiled, write

from osiris_sql.lint import lint_project

UNION = "select customer_id, 'c' as k from shop.customers\nunion\nselect order_id, 'o' from shop.orders\n"


def found(folder, settings: str, files: dict[str, str]) -> dict[str, str]:
    """The severities of what is found, by rule."""
    toml = '[tool.osiris-sql]\nname = "shop"\n' + settings
    project, manifest = compiled(write(folder, {"pyproject.toml": toml, **files}))
    return {finding.rule: finding.severity for finding in lint_project(project, manifest)}


@pytest.mark.parametrize(
    ("settings", "severity"),
    [
        ("", "warning"),
        ("[tool.osiris-sql.lint.severity]\n'union-distinct' = 'error'", "error"),
        ("[tool.osiris-sql.lint.severity]\n'union-distinct' = 'info'", "info"),
        ("[tool.osiris-sql.lint]\nignore = ['union-distinct']", None),
        ("[tool.osiris-sql.lint.per_folder]\n'models' = ['union-distinct']", None),
        ("[tool.osiris-sql.lint.per_folder]\n'models/marts' = ['union-distinct']", "warning"),
    ],
)
def test_severities_and_what_is_ignored(tmp_path, settings, severity):
    assert found(tmp_path, settings, {"models/example.sql": UNION}).get("union-distinct") == severity


@pytest.mark.parametrize(
    ("settings", "message", "fix"),
    [
        (
            "[tool.osiris-sql.lint]\nignore = ['unused-ctes']",
            'lint.ignore names "unused-ctes", which is no rule',
            'did you mean "unused-cte"?',
        ),
        (
            "[tool.osiris-sql.lint.per_folder]\n'models' = ['L034']",
            'lint.per_folder."models" names "L034", which is no rule',
            "see docs/lint.md",
        ),
        (
            "[tool.osiris-sql.lint.severity]\n'select_star' = 'info'",
            'lint.severity names "select_star", which is no rule',
            'did you mean "select-star-published"?',
        ),
    ],
)
def test_a_rule_that_there_is_not_is_said(tmp_path, settings, message, fix):
    toml = '[tool.osiris-sql]\nname = "shop"\n' + settings
    project, manifest = compiled(write(tmp_path, {"pyproject.toml": toml}))
    [unknown] = [f for f in lint_project(project, manifest) if f.rule == "unknown-rule"]
    assert (unknown.message, unknown.fix) == (message, fix)
    assert (unknown.location.path, unknown.location.line) == ("pyproject.toml", 3)


SECRET = "select 'AKIAABCDEFGHIJKLMNOP' as k"  # gitleaks:allow


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("macros/key.sql", "{% macro key() %}" + SECRET + "{% endmacro %}"),
        ("tests/key.sql", SECRET),
        ("models/broken.sql", SECRET + ", nam from shop.customers"),
    ],
)
def test_a_secret_is_found_in_every_file_of_sql(tmp_path, path, text):
    project, manifest = compiled(write(tmp_path, {path: text}))
    [secret] = [f for f in lint_project(project, manifest) if f.rule == "secret-in-sql"]
    assert secret.location.path == path


def test_a_comment_excuses_its_own_file(tmp_path):
    macro = "{% macro r() %}random(){% endmacro %}"
    sql = "select order_id, {{ r() }} as r from shop.orders"
    assert "random-value" in found(tmp_path, "", {"macros/r.sql": macro, "models/example.sql": sql})
    macro = "{% macro r() %}random() -- noqa: random-value\n{% endmacro %}"
    excused = found(tmp_path, "", {"macros/r.sql": macro, "models/example.sql": sql})
    assert not {"random-value", "unused-noqa"} & excused.keys()


def test_an_increment_is_linted_too_and_what_it_alone_uses_is_used(tmp_path):
    sql = """{{ config(materialized='incremental', unique_key='order_id') }}
        with late as (select max(order_id) as latest from shop.orders), never as (select 1 as x)
        select order_id, quantity from shop.orders
        {% if is_incremental() %} where order_id > (select latest from late)
        and customer_id not in (select quantity from {{ this }}) and amount <> null {% endif %}"""
    project, manifest = compiled(write(tmp_path, {"models/example.sql": sql}))
    findings = lint_project(project, manifest)
    assert [f.message for f in findings if f.rule == "unused-cte"] == ["nothing reads never"]
    assert {"null-comparison", "not-in-nullable"} <= {f.rule for f in findings}
    assert len(findings) == len({(f.rule, f.location) for f in findings})


def test_a_severity_is_error_warning_or_info(tmp_path):
    wrong = "[tool.osiris-sql.lint.severity]\n'union-distinct' = 'bad'"
    assert "invalid-value" in found(tmp_path, wrong, {})


def test_a_class_of_determinism_is_named_and_excused(tmp_path):
    sql = "select order_id, random() as r from shop.orders"
    assert found(tmp_path, "", {"models/example.sql": sql})["random-value"] == "error"
    excused = found(tmp_path, "", {"models/example.sql": sql + " -- noqa: random-value"})
    assert not {"random-value", "unused-noqa"} & excused.keys()


def test_a_mistake_can_not_be_excused(tmp_path):
    sql = "select nam from shop.customers -- noqa: unknown-column"
    ignored = "[tool.osiris-sql.lint]\nignore = ['unknown-column']"
    assert found(tmp_path, ignored, {"models/example.sql": sql})["unknown-column"] == "error"


def test_a_secret_is_not_said(tmp_path):
    sql = "-- password = 'hunter22xyz'\nselect name from shop.customers"
    project, manifest = compiled(write(tmp_path, {"models/example.sql": sql}))
    [secret] = [f for f in lint_project(project, manifest) if f.rule == "secret-in-sql"]
    assert "hunter22xyz" not in repr(secret)
    assert (secret.location.line, secret.location.column) == (1, 16)
