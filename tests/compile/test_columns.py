"""DuckDB's binder over empty tables: the names and types are those of the table that is built."""

import duckdb
import pytest
from compile.films import columns, compiled, one

from osiris_sql.compile.columns import Binder, BinderError
from osiris_sql.types.relation import Column, RelationRef, TableSchema

SELECTS = [
    "sum(id) as a, avg(id) as b, count(*) as c, sum(budget) as d",
    "budget * 2 as a, budget / 3 as b, released // 10 as c, 1.5 as d, 1e3 as e",
    "id::hugeint as a, title::blob as b, updated_at::date as c, updated_at - updated_at as d",
    "[id] as a, {'x': id, 'y': [title]} as b, map {title: id} as c",
    "now() as a, current_date as b, '{}'::json as c, interval 1 day as d, '1-2'::uuid as e",
    "'a'::enum ('a', 'b') as a, '1'::bit as b, id::utinyint as c, true as d, time '10:00' as e",
    "* exclude (budget) replace (title || '!' as title)",
    "columns('id|title')",
    "count(*), min(title), 1 + 1",
    "unnest([id, 2]) as x, row_number() over (order by id) as r",
    "null as a, [null] as b, coalesce(null, id) as c",
]


@pytest.mark.parametrize("select", SELECTS)
def test_types_are_those_of_the_built_table(select: str) -> None:
    grouped = "" if "columns" in select or "unnest" in select or "*" in select[:2] else " group by all"
    text = f"{{{{ config(materialized='table') }}}} select {select} from cinema.movies{grouped}"
    found = one(text)
    con = duckdb.connect()
    con.execute("set TimeZone = 'UTC'; create schema cinema")
    con.execute(
        "create table cinema.movies (id bigint, title varchar, released integer, director_id bigint,"
        " budget decimal(12, 2), updated_at timestamp)"
    )
    con.execute(f"create table m as {found.sql.replace('$run_clock', 'now()')}")
    built = con.execute("describe m").fetchall()
    assert list(columns(found).items()) == [(row[0], row[1]) for row in built]


def test_a_view_keeps_a_column_without_a_type() -> None:
    manifest = compiled({"v": "select null as x", "m": "select coalesce(x, 'a') as y from v"})
    con = duckdb.connect()
    con.execute("create view v as select null as x; create view m as select coalesce(x, 'a') as y from v")
    expected = [con.execute(f"describe {name}").fetchall()[0][1] for name in ("m", "v")]
    assert [columns(m)[c] for m, c in zip(manifest.models[::-1], "yx", strict=True)] == expected


def test_names_mean_the_same_however_they_are_written() -> None:
    manifest = compiled(
        {
            "a": "from Cinema.MOVIES",
            "b": 'select id from main."A"',
            "c": "select id from {{ ref('B') }}",
            "d": "select d.id from {{ source('cinema', 'movies') }} as d",
        }
    )
    assert {m.name: m.needs for m in manifest.models} == {
        "a": ("source:cinema.movies",),
        "b": ("model:a",),
        "c": ("model:b",),
        "d": ("source:cinema.movies",),
    }


def test_settings_are_those_of_a_run() -> None:
    binder = Binder()
    settings = {"TimeZone": "UTC", "default_null_order": "NULLS_LAST", "enable_external_access": "false"}
    for name, value in settings.items():
        row = binder._connection.execute(f"select current_setting('{name}')::varchar").fetchone()
        assert row is not None
        assert str(row[0]).lower() == value.lower()


def test_nothing_outside_is_read(tmp_path: object) -> None:
    table = [1, 2]
    with pytest.raises(BinderError):
        Binder().bind("select * from table_of_python")
    assert table


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("int", "INTEGER"),
        ("text", "VARCHAR"),
        ("numeric(4,1)", "DECIMAL(4,1)"),
        ("int[]", "INTEGER[]"),
        ("nope", None),
        ("int, x int", None),
        ("int) as a, (1", None),
        ("", None),
    ],
)
def test_a_type_is_written_as_duckdb_prints_it(written: str, canonical: str | None) -> None:
    assert Binder().canonical_type(written) == canonical


def test_a_column_of_any_name() -> None:
    binder, relation = Binder(), RelationRef('s "x"', "t.u")
    binder.create_table(relation, TableSchema(columns=(Column(name='a "b"', type="INTEGER"),)))
    assert binder.bind(f"from {relation.sql}").names == ('a "b"',)


def test_the_clock_is_a_timestamp_with_time_zone() -> None:
    found = one("select {{ run_started_at }} as t, {{ run_started_at }}::date as d")
    assert columns(found) == {"t": "TIMESTAMP WITH TIME ZONE", "d": "DATE"}
    assert "$run_clock" in found.sql
    assert found.clock == "instant"
