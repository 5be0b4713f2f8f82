"""A whole project compiled: order, both variants, ephemeral models, used columns."""

import random

import pytest
from compile.films import columns, compiled, findings, model, one, project, publication, source, unique
from hypothesis import given
from hypothesis import strategies as st

from osiris_sql.compile import compile_project
from osiris_sql.compile.keys import declared_keys
from osiris_sql.support.wire import from_json, to_json
from osiris_sql.types.manifest import Manifest
from osiris_sql.types.project import ExtractConfig, Freshness

INCREMENTAL = (
    "{{ config(materialized='incremental', unique_key='id') }}\n"
    "select id, title, updated_at from cinema.movies\n"
    "{% if is_incremental() %}where updated_at > (select max(updated_at) from {{ this }}){% endif %}"
)


def test_models_come_in_build_order_whatever_the_files_are_called() -> None:
    models = {"a": "from z", "z": "from m", "m": "from cinema.movies", "k": "from a join z using (id)"}
    manifest = compiled({**models, "k": "select a.id from a join z using (id)"})
    assert [m.name for m in manifest.models] == ["m", "z", "a", "k"]
    assert manifest.models[3].needs == ("model:a", "model:z")


def test_the_order_of_files_does_not_matter() -> None:
    models = [
        model(f"m{i}", f"select id from m{i + 1}" if i < 9 else "from cinema.movies") for i in range(10)
    ]
    shuffled = random.Random(7).sample(models, len(models))
    assert to_json(compiled(tuple(models))) == to_json(compiled(tuple(shuffled)))


def test_the_authors_text_runs() -> None:
    text = "select  id , /* key */ TITLE\nfrom   {{ ref('s') }} -- all"
    manifest = compiled({"m": text, "s": "from cinema.movies"})
    found = next(m for m in manifest.models if m.name == "m")
    assert found.sql == 'select  id , /* key */ TITLE\nfrom   "main"."s" -- all'
    assert columns(found) == {"id": "BIGINT", "title": "VARCHAR"} or columns(found) == {
        "id": "BIGINT",
        "TITLE": "VARCHAR",
    }


def test_an_incremental_model_has_both_variants() -> None:
    found = one(INCREMENTAL)
    assert "where" not in found.sql
    assert found.increment_sql is not None
    assert found.increment_sql.endswith('where updated_at > (select max(updated_at) from "main"."m")')
    assert found.needs == ("source:cinema.movies",)
    assert found.schema.key == ("id",)
    assert found.reads == {"source:cinema.movies": ("id", "title", "updated_at")}
    assert all(i.node == "source:cinema.movies" for c in found.lineage for i in c.inputs or ())


def test_other_models_have_one_variant() -> None:
    assert one("select id{% if is_incremental() %} oops{% endif %} from cinema.movies").increment_sql is None


# ---------------------------------------------------------------------------------------- ephemeral

EPHEMERAL = "{{ config(materialized='ephemeral') }}"


@pytest.mark.parametrize(
    ("text", "sql"),
    [
        ("select id from e", "select id from (X\n) as \"e\""),
        ("select id from {{ ref('e') }} as q", "select id from (X\n) as q"),
        ("select f.id from main.E join e as f using (id)",
         'select f.id from (X\n) as "E" join (X\n) as f using (id)'),
        ("with q as (from e) select id from q", 'with q as (from (X\n) as "e") select id from q'),
        ("select id, x'61'::blob as b from e", 'select id, x\'61\'::blob as b from (X\n) as "e"'),
    ],
)  # fmt: skip
def test_an_ephemeral_model_is_put_in_where_it_is_named(text: str, sql: str) -> None:
    inner = "select id from cinema.movies -- all"
    manifest = compiled({"e": EPHEMERAL + inner, "m": text})
    assert not findings(manifest)
    found = manifest.models[1]
    assert found.sql == sql.replace("X", inner)
    assert found.needs == ("model:e", "source:cinema.movies")
    assert found.reads["source:cinema.movies"] in (("id",), None)


def test_ephemeral_models_in_one_another() -> None:
    manifest = compiled(
        {
            "a": EPHEMERAL + "select id from cinema.movies",
            "b": EPHEMERAL + "from a",
            "c": "select b.id from b",
        }
    )
    assert not findings(manifest)
    found = manifest.models[2]
    assert found.needs == ("model:b", "source:cinema.movies")
    assert [(i.node, i.column) for i in found.lineage[0].inputs or ()] == [("source:cinema.movies", "id")]


def test_a_mistake_beside_an_ephemeral_model_keeps_its_place() -> None:
    inner = "select id,\n\n title from cinema.movies"
    manifest = compiled(
        {"e": EPHEMERAL + inner, "m": "select a.id,\n b.nope from e as a join e as b using (id)"}
    )
    (found,) = manifest.diagnostics
    assert (found.message, str(found.location)) == ('e has no column "nope"', "models/m.sql:2:4")


# ---------------------------------------------------------------------------------------- columns used


@pytest.mark.parametrize(
    ("text", "used"),
    [
        ("select id from cinema.movies", ("id",)),
        ("select title from cinema.movies where released > 1990 order by ID", ("id", "title", "released")),
        ("select count(*) as n from cinema.movies", ()),
        ("select title from (select * from cinema.movies)", None),
        ("select x'61'::blob as b from cinema.movies", None),
    ],
)
def test_a_source_is_read_only_where_it_is_used(text: str, used: tuple[str, ...] | None) -> None:
    movies = compiled({"m": text}).sources[0]
    assert movies.used == (movies.schema.names if used is None else used)


def test_a_published_star_is_all_columns() -> None:
    manifest = compiled({"m": "from cinema.directors"}, publications=(publication("m"),))
    assert {s.node: s.used for s in manifest.sources} == {
        "source:cinema.movies": (),
        "source:cinema.directors": ("id", "name"),
    }


def test_watermark_key_and_freshness_are_used() -> None:
    from dataclasses import replace

    extract = ExtractConfig(mode="incremental", watermark="updated_at", key=("id",))
    movies = replace(source("movies", extract), freshness=Freshness(loaded_at_field="released"))
    manifest = compiled({"m": "select title from cinema.movies"}, sources=(movies,))
    assert manifest.sources[0].used == ("id", "title", "released", "updated_at")


def test_a_data_test_is_a_reader() -> None:
    tests = unique("source:cinema.directors", "name")
    manifest = compiled({"m": "select 1 as x"}, data_tests=tests)
    assert {s.node: s.used for s in manifest.sources}["source:cinema.directors"] == ("name",)
    assert len(manifest.tests) == 2


# ---------------------------------------------------------------------------------------- keys


@pytest.mark.parametrize(
    ("config", "keys"),
    [
        ({}, {frozenset({"id"}), frozenset({"title"})}),
        ({"severity": "warn"}, {frozenset({"id"})}),
        ({"where": "x > 1"}, {frozenset({"id"})}),
        ({"error_if": "> 10"}, {frozenset({"id"})}),
    ],
)
def test_a_key_is_known_from_tests_that_guard_it(config: dict[str, str], keys: set[frozenset[str]]) -> None:
    from dataclasses import replace

    tests = tuple(replace(test, config=config) for test in unique("source:cinema.movies", "Title"))
    made = project({}, data_tests=tests)
    assert set(declared_keys(made, made.schemas)["source:cinema.movies"]) == keys


def test_unique_alone_says_nothing_of_nulls() -> None:
    made = project({}, data_tests=unique("model:m", "title")[:1])
    assert "model:m" not in declared_keys(made, made.schemas)


# ---------------------------------------------------------------------------------------- the whole


def test_the_manifest_crosses_the_wire() -> None:
    manifest = compiled(
        {"m": INCREMENTAL, "broken": "select oops"}, publications=(publication("m", ("id",)),)
    )
    assert from_json(Manifest, to_json(manifest)) == manifest


def test_a_long_chain_compiles() -> None:
    texts = {f"m{i}": f"select id from m{i + 1}" for i in range(300)}
    manifest = compiled({**texts, "m300": "select id from cinema.movies"})
    assert len(manifest.models) == 301


def test_columns_that_jinja_asks_for_are_known_in_time() -> None:
    manifest = compiled(
        {"a": "select {{ dbt_utils.star(ref('b')) }} from b", "b": "select id, title from cinema.movies"}
    )
    assert not findings(manifest)
    assert [(m.name, list(columns(m))) for m in manifest.models] == [
        ("b", ["id", "title"]),
        ("a", ["id", "title"]),
    ]


def test_a_model_that_waits_for_a_broken_one_is_blocked() -> None:
    manifest = compiled(
        {"a": "select {{ dbt_utils.star(ref('b')) }} from b", "b": "select oops from cinema.movies"}
    )
    assert manifest.blocked == {"model:a": ("model:b",)}


def test_compiling_twice_gives_the_same_bytes() -> None:
    made = project({"m": INCREMENTAL, "n": "select count(*) as n from m"})
    assert to_json(compile_project(made, environ={})) == to_json(compile_project(made, environ={}))


WORDS = st.sampled_from(
    [
        *(
            "select",
            "from",
            "with",
            "as",
            "join",
            "using",
            "where",
            "union all",
            "order by",
            "limit",
            "group by",
        ),
        *("(", ")", ",", "*", ";", "1", "'é'", "x'61'", "id", "title", "a", "b", "cinema.movies", "count(*)"),
        *("{{ ref('a') }}", "{{ ref('b') }}", "{{ this }}", "{{ config(materialized='incremental') }}", "{{"),
        *("{{ config(materialized='ephemeral') }}", "{% if is_incremental() %}", "{% endif %}", "{{ nope }}"),
        *("over (order by id)", "row_number()", "{{ dbt_utils.star(ref('b')) }}", "now()", "--", "\n"),
    ]
)
TEXTS = st.lists(WORDS, max_size=12).map(" ".join) | st.text(max_size=40)


@given(TEXTS, TEXTS)
def test_compiling_never_raises(a: str, b: str) -> None:
    manifest = compiled({"a": a, "b": b, "c": "from a"})
    sound = {f"model:{m.name}" for m in manifest.models}
    errors = [d for d in manifest.diagnostics if d.severity == "error"]
    assert errors or {"model:a", "model:b"} <= sound | set(manifest.blocked) | {
        f"model:{n}" for n, t in (("a", a), ("b", b)) if not t.strip()
    }
    assert not sound & set(manifest.blocked)
