"""Verdicts in a project: what is above is known below, and a reason stands in the author's file."""

import pytest
from compile.films import compiled, findings, one, unique

from osiris_sql.cli.model_table import rewrite_diff

EPHEMERAL = "{{ config(materialized='ephemeral', determinism='declared', reason='a sample') }}\n"


def test_an_unsafe_model_is_an_error_at_its_construct() -> None:
    manifest = compiled({"m": "{{ config(tags='x') }}\nselect id,\n  'é', random() as r from cinema.movies"})
    (found,) = manifest.diagnostics
    assert (found.severity, str(found.location)) == ("error", "models/m.sql:3:8")
    assert manifest.models[0].verdict == "unsafe"


def test_an_unsafe_construct_of_a_macro_stands_in_the_macro() -> None:
    manifest = compiled(
        {"m": "select {{ dice() }} as d"}, macros={"dice": "{% macro dice() -%}\n  random()\n{%- endmacro %}"}
    )
    assert str(manifest.diagnostics[0].location) == "macros/dice.sql:2:3"


def test_a_model_says_as_which_decimal_its_doubles_are_added() -> None:
    found = one("{{ config(float_sums='DECIMAL(38, 2)') }}select sum(budget / 3) as s from cinema.movies")
    assert (
        found.sql == "select CAST(sum(CAST(budget / 3 AS DECIMAL(38, 2))) AS DOUBLE) as s from cinema.movies"
    )
    assert (found.verdict, found.schema.type_of("s")) == ("rewritten", "DOUBLE")


def test_what_is_declared_is_no_error() -> None:
    found = one("{{ config(determinism='declared', reason='a sample') }} select random() as r")
    assert (found.verdict, found.sql.strip()) == ("declared", "select random() as r")


def test_a_declared_ephemeral_model_is_declared_where_it_is_put() -> None:
    manifest = compiled({"e": EPHEMERAL + "select random() as r", "m": "select r from e"})
    assert not findings(manifest)
    assert [m.verdict for m in manifest.models] == ["declared", "declared"]


def test_what_is_unsafe_beside_a_declared_model_is_still_unsafe() -> None:
    manifest = compiled({"e": EPHEMERAL + "select random() as r", "m": "select r,\n uuid() as u from e"})
    places = [str(d.location) for d in manifest.diagnostics if d.severity == "error"]
    assert "models/m.sql:2:2" in places


@pytest.mark.parametrize(
    ("models", "tests", "verdict"),
    [
        ({"m": "select title, row_number() over (order by id) as n from cinema.movies"}, (), "proved"),
        ({"m": "select id, row_number() over (order by title) as n from cinema.movies"}, (), "rewritten"),
        (
            {"m": "select id, row_number() over (order by title) as n from cinema.movies"},
            unique("source:cinema.movies", "title"),
            "proved",
        ),
        (
            {
                "m": "select row_number() over (order by released) as n from years",
                "years": "select released, count(*) as movies from cinema.movies group by released",
            },
            (),
            "proved",
        ),
    ],
)
def test_keys_are_known_through_the_project(models: dict[str, str], tests: tuple, verdict: str) -> None:
    manifest = compiled(models, data_tests=tests)
    found = next(m for m in manifest.models if m.name == "m")
    assert found.verdict == verdict


def test_rows_that_were_appended_have_no_key() -> None:
    """Each batch has unique ids; the table need not."""
    text = "select id, title, row_number() over (order by id) as n from log"
    rows = "select id, title from cinema.movies"
    appended = compiled({"m": text, "log": "{{ config(materialized='incremental') }} " + rows})
    merged = compiled({"m": text, "log": "{{ config(materialized='incremental', unique_key='id') }} " + rows})
    assert [manifest.models[-1].verdict for manifest in (appended, merged)] == ["rewritten", "proved"]


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("select 1 as x", None),
        ("select now() as x", "instant"),
        ("select current_date as x", "day"),
        ("select {{ run_started_at }} as x", "instant"),
        ("{{ config(clock='day') }} select now() as x", "day"),
        (
            "{{ config(materialized='incremental') }} select current_date as x"
            "{% if is_incremental() %} where now() > '2020-01-01'::timestamptz{% endif %}",
            "instant",
        ),
    ],
)
def test_the_grain_of_the_clock(text: str, clock: str | None) -> None:
    found = one(text)
    assert found.clock == clock
    assert ("$run_clock" in f"{found.sql} {found.increment_sql}") == (clock is not None)


def test_an_increment_is_judged_too() -> None:
    text = (
        "{{ config(materialized='incremental') }} select id from cinema.movies"
        "{% if is_incremental() %} where random() > 0.5{% endif %}"
    )
    manifest = compiled({"m": text})
    assert manifest.models[0].verdict == "unsafe"
    assert str(manifest.diagnostics[0].location) == f"models/m.sql:1:{text.index('random') + 1}"


def test_what_sqlglot_can_not_read_is_unknown() -> None:
    found = one("select x'61'::blob as b, id from cinema.movies")
    assert found.verdict == "unknown"
    assert [(c.column, c.inputs) for c in found.lineage] == [("b", None), ("id", None)]


def test_what_was_rewritten_can_be_compared_with_what_its_author_wrote() -> None:
    text = "select id,\n  row_number() over (order by title) as n\nfrom cinema.movies"
    found = one(text)
    assert found.author_sql == text
    assert rewrite_diff(found) == [
        "-  row_number() over (order by title) as n",
        "+  row_number() over (order by title, movies.id) as n",
    ]
    assert one("select id from cinema.movies").author_sql is None
