"""A fingerprint changes with what can change rows, and with nothing else."""

from dataclasses import replace

import pytest
from compile.films import MOVIES, column, compiled, model, one, schema, source

from osiris_sql.compile import fingerprint as module
from osiris_sql.types.project import ExtractConfig

TEXT = "select id, title from cinema.movies where released > 1990"


@pytest.mark.parametrize(
    "text",
    [
        "SELECT id, title FROM cinema.movies WHERE released > 1990",
        "select id,title\n\nfrom cinema . movies where released>1990;",
        "select id, -- the key\n title /* name */ from cinema.movies where released > 1990 -- new",
        "{# a comment #}select id, title from cinema.movies where released > {{ var('first_year') }}",
        "{{ config(tags=['x'], meta={'owner': 'me'}) }}" + TEXT,
        "{{ config(materialized='view') }}" + TEXT,
    ],
)
def test_what_changes_nothing(text: str) -> None:
    assert one(text).fingerprint == one(TEXT).fingerprint


@pytest.mark.parametrize(
    "text",
    [
        "select id, title from cinema.movies where released > 1991",
        "select id, title from cinema.movies where released >= 1990",
        "select title, id from cinema.movies where released > 1990",
        "select id, title as name from cinema.movies where released > 1990",
        "select id, title as Title from cinema.movies where released > 1990",
        "{{ config(materialized='table') }}" + TEXT,
        "{{ config(unique_key='id') }}" + TEXT,
        "{{ config(on_schema_change='append') }}" + TEXT,
        TEXT + " and title = 'A'",
    ],
)
def test_what_changes_it(text: str) -> None:
    assert one(text).fingerprint != one(TEXT).fingerprint


@pytest.mark.parametrize(
    ("one_text", "other"),
    [
        # sqlglot's tree is the same for these: its fingerprint would be, too
        ("select interval '1 day'", "select interval '1 day ago'"),
        ("select date '2024-01-01'::timestamp", "select timestamp '2024-01-01'::date"),
        ("select 'A'", "select 'a'"),
        ("select 'a b'", "select 'a  b'"),
        ('select 1 as "a"', "select 1 as 'A'"),
    ],
)
def test_texts_that_differ(one_text: str, other: str) -> None:
    assert module.canonical_tokens(one_text) != module.canonical_tokens(other)


def test_a_text_without_tokens_stands_for_itself() -> None:
    assert module.canonical_tokens("select 'x") == ["select 'x"]


def test_descriptions_change_nothing() -> None:
    plain, told = model("m", TEXT), model("m", TEXT, (column("id", description="The key."),))
    told = replace(told, description="Movies.")
    before, after = compiled((plain,)).models[0], compiled((told,)).models[0]
    assert after.fingerprint == before.fingerprint
    assert (after.schema.columns[0].description, after.description) == ("The key.", "Movies.")


def test_a_change_above_shows_in_the_data_alone_unless_a_model_keeps_old_rows() -> None:
    incremental = "{{ config(materialized='incremental') }} select id from b"
    below = {"b": "select id from a", "c": "select id from b", "d": incremental}
    before = compiled({"a": "select id from cinema.movies", **below})
    same = compiled({"a": "select id -- key\nfrom cinema.movies", **below})
    after = compiled({"a": "select id from cinema.movies where id > 0", **below})
    prints = [{m.name: m.fingerprint for m in manifest.models} for manifest in (before, same, after)]
    assert prints[0] == prints[1]
    assert {name for name in prints[0] if prints[0][name] != prints[2][name]} == {"a", "d"}


def test_an_ephemeral_model_changes_those_that_it_is_put_into() -> None:
    def fingerprint(where: str) -> str:
        text = "{{ config(materialized='ephemeral') }}" + f"select id from cinema.movies {where}"
        return compiled({"e": text, "m": "select id from e"}).models[1].fingerprint

    assert fingerprint("") == fingerprint("-- note")
    assert fingerprint("") != fingerprint("where id > 0")


@pytest.mark.parametrize(
    ("changes", "source_same", "model_same"),
    [
        ({}, True, True),
        ({"schemas": {"source:cinema.movies": schema({**MOVIES, "id": "INTEGER"})}}, False, False),
        ({"schemas": {"source:cinema.movies": schema({**MOVIES, "extra": "INTEGER"})}}, False, True),
        (
            {"sources": (source("movies", ExtractConfig(mode="incremental", watermark="updated_at")),)},
            False,
            True,
        ),
        ({"sources": (replace(source("movies"), description="Films.", tags=("x",)),)}, True, True),
        ({"sources": (replace(source("movies"), identifier="films"),)}, False, True),
    ],
)
def test_a_source_changes_what_reads_its_types(
    changes: dict[str, object], source_same: bool, model_same: bool
) -> None:
    defaults: dict[str, object] = {
        "schemas": {"source:cinema.movies": schema(MOVIES)},
        "sources": (source(),),
    }
    before, after = compiled({"m": TEXT}, **defaults), compiled({"m": TEXT}, **{**defaults, **changes})
    assert (before.models[0].fingerprint == after.models[0].fingerprint) == model_same
    assert (before.sources[0].fingerprint == after.sources[0].fingerprint) == source_same


def test_another_version_of_a_tool_is_another_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    before = one(TEXT).fingerprint
    monkeypatch.setattr(module, "tool_versions", lambda: (("duckdb", "9.9"),))
    assert one(TEXT).fingerprint != before


def test_the_increment_is_part_of_it() -> None:
    def text(where: str) -> str:
        return (
            "{{ config(materialized='incremental', unique_key='id') }} select id from cinema.movies"
            f"{{% if is_incremental() %}} where id > {where}{{% endif %}}"
        )

    assert one(text("1")).fingerprint != one(text("2")).fingerprint
